"""What rotted on disk is found, forgotten, and put on the list to be healed; what is right stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storage_agent.sync.pace import Pace
from storage_agent.sync.scrub import Scrubber, ScrubSettings
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload


def only_pack(folder: Path) -> Path:
    """The one file in a node's sliver store."""
    [found] = folder.joinpath("slivers").rglob("packs/*/*")
    return found


class Scrubbing:
    """A scrubber of one node that notes how long it would have slept."""

    def __init__(self, node: Node) -> None:
        self.slept: list[float] = []
        settings = ScrubSettings(bytes_per_second=1000.0)
        self.scrubber = Scrubber(
            node.catalogue, node.packs, node.holdings, node.metrics, settings, time.time, self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def run(self) -> int:
        """Check everything that was stored until now."""
        return await self.scrubber.check_some(time.time() + 1)


@pytest.fixture(params=[300, 60_000])
async def blob(request: pytest.FixtureRequest, node: Node, chain: ChainOfFacts) -> Blob:
    """A certified blob: in the catalogue, or in the sliver store."""
    blob = make_blob(request.param, 10)
    chain.certify(chain.register(blob.metadata))
    await upload(node, blob)
    await node.catch_up()
    return blob


@pytest.fixture
async def file(node: Node, chain: ChainOfFacts) -> Path:
    """The file with the pairs of a certified blob."""
    blob = make_blob(60_000, 10)
    chain.certify(chain.register(blob.metadata))
    await upload(node, blob)
    await node.catch_up()
    return only_pack(node.folder)


def rewrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Damages a file as a disk does: behind the agent's back."""
    file.write_bytes(change(file.read_bytes()))


async def test_scrub__all_is_right__nothing_changes(node: Node, blob: Blob) -> None:
    before = node.catalogue.totals()

    assert await Scrubbing(node).run() == 1
    assert node.catalogue.totals() == before


async def test_scrub__one_bit_rotted__that_pair_is_lost_the_other_stays(node: Node, file: Path) -> None:
    rewrite(file, lambda data: data[:-1] + bytes([data[-1] ^ 1]))

    await Scrubbing(node).run()

    totals = node.catalogue.totals()
    assert (totals.pairs, totals.heal) == (1, 1)
    assert node.metrics.rotted_pairs._value.get() == 1


@pytest.mark.parametrize(("kept", "pairs"), [(0, 0), (-1, 1)])
async def test_scrub__file_is_cut_short__what_is_lost_is_to_be_healed(
    node: Node, file: Path, kept: int, pairs: int
) -> None:
    rewrite(file, lambda data: data[:kept])

    await Scrubbing(node).run()

    totals = node.catalogue.totals()
    assert (totals.pairs, totals.heal) == (pairs, 1)


async def test_scrub__file_is_gone__all_of_it_is_to_be_healed(node: Node, file: Path) -> None:
    await node.store.delete(str(file.relative_to(node.folder / "slivers")))

    await Scrubbing(node).run()

    totals = node.catalogue.totals()
    assert (totals.pairs, totals.heal) == (0, 1)


async def test_scrub__checked_a_moment_ago__left_alone(node: Node, blob: Blob) -> None:
    assert await Scrubbing(node).scrubber.check_some(time.time() - 60) == 0


async def test_scrub__bytes_read__paced(node: Node, blob: Blob) -> None:
    scrubbing = Scrubbing(node)

    await scrubbing.run()

    assert scrubbing.slept == [pytest.approx(2 * blob.encoded.geometry.pair_bytes / 1000, abs=0.2)]


def test_pace__work_in_a_row__waits_add_up() -> None:
    pace = Pace(100)

    assert pace.spend(50, now=10.0) == pytest.approx(0.5)
    assert pace.spend(50, now=10.0) == pytest.approx(1.0)


def test_pace__after_a_pause__no_burst() -> None:
    pace = Pace(100)
    pace.spend(50, now=0.0)

    assert pace.spend(100, now=1000.0) == pytest.approx(1.0)
