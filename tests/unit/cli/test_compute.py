"""`walrus compute`, from the command line to what is printed, on a network in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.network import FakeNetwork
from tests.unit.cli.conftest import MINE, Walrus, lead_to
from walrus_chain.compute.run import Ending, Outcome
from walrus_chain.types import JobId

WORD_COUNT = Path(__file__).parents[3] / "examples" / "programs" / "word_count.wasm"


@pytest.fixture
def network(home: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """A network in memory that the command is led to, and a wallet with money."""
    net = FakeNetwork()
    net.fund(MINE)
    lead_to(net, home, monkeypatch)
    return net


def settled(walrus: Walrus, network: FakeNetwork, tmp_path: Path, outcome: Outcome) -> JobId:
    """A job on which nodes 1 and 3 agreed."""
    (tmp_path / "input").write_bytes(b"two words")
    program = walrus("compute", "publish", WORD_COUNT, "--json").data["blobId"]
    stored = walrus("store", tmp_path / "input", "--json").data["blobs"][0]["object"]
    job = JobId(walrus("compute", "request", program, stored, "--fee", "1", "--fuel", "1000", "--json").data["job"])
    network.jobs.draw(job, 1, 2, 3)
    result = (outcome.result_hash, len(outcome.output))
    network.jobs.settle(job, {1: result, 3: result}, 0b101)
    network.members[0].outputs[job] = outcome.output
    return job


def test_result__program_finished__written_and_named(walrus: Walrus, network: FakeNetwork, tmp_path: Path) -> None:
    job = settled(walrus, network, tmp_path, Outcome(Ending.FINISHED, b"2"))
    target = tmp_path / "output"

    ended = walrus("compute", "result", str(job), "--output", target, "--json")

    assert (ended.code, ended.data["file"]) == (0, str(target))
    assert target.read_bytes() == b"2"


def test_result__program_trapped__no_file_and_none_named(walrus: Walrus, network: FakeNetwork, tmp_path: Path) -> None:
    job = settled(walrus, network, tmp_path, Outcome(Ending.TRAP))
    target = tmp_path / "output"

    ended = walrus("compute", "result", str(job), "--output", target, "--json")

    assert (ended.code, ended.data["file"]) == (1, None)
    assert not target.exists()
