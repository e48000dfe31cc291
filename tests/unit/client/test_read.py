"""Reading: lost, slow, lying nodes; ranges; badly encoded blobs; blobs that are not there."""

from __future__ import annotations

import asyncio
import io
import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.network import FakeChain, FakeNetwork
from tests.unit.client.conftest import BAD_BLOB_MEANS
from walrus_chain.client.client import Client
from walrus_chain.client.results import Check
from walrus_chain.errors import (
    AgentRefused,
    BlobNotFound,
    BlobUnreachable,
    InconsistentEncoding,
    RangeOutsideBlob,
)
from walrus_chain.transport.memory import Lie
from walrus_chain.types import Axis, BlobId, BlobObjectId, PairIndex

DATA = random.Random(1).randbytes(20_000)


@pytest.fixture
async def blob_id(client: Client) -> BlobId:
    """`DATA`, stored on every node."""
    stored = await client.store(DATA)
    await client.finish()
    return stored.blob_id


def holders(network: FakeNetwork, blob_id: BlobId, pairs: range) -> list[int]:
    """The members that hold some of the pairs."""
    return sorted({network.committee.member_of_pair(blob_id, PairIndex(pair)).index for pair in pairs})


async def test_read__everything_up__takes_only_systematic_slivers(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    assert await client.read_bytes(blob_id) == DATA
    assert sum(member.calls["sliver"] for member in network.members) == network.committee.geometry.rows


@pytest.mark.parametrize("member", range(5))
async def test_read__one_node_down__gives_the_same_bytes(
    client: Client, network: FakeNetwork, blob_id: BlobId, member: int
) -> None:
    network.members[member].faults.unreachable = True
    async with client.read(blob_id) as reader:
        assert b"".join([piece async for piece in reader]) == DATA
    assert reader.suspects == ()


@pytest.mark.parametrize("lie", [Lie.SLIVER, Lie.LENGTH, Lie.METADATA])
async def test_read__one_node_lies__is_routed_around_and_named(
    client: Client, network: FakeNetwork, blob_id: BlobId, lie: Lie
) -> None:
    liar = network.committee.member_of_pair(blob_id, PairIndex(0)).index if lie is not Lie.METADATA else 0
    network.members[liar].faults.lies.add(lie)
    async with client.read(blob_id) as reader:
        assert b"".join([piece async for piece in reader]) == DATA
    assert [suspect.agent for suspect in reader.suspects] == [network.members[liar].label]


async def test_read__liar_of_yesterday__is_asked_last(client: Client, network: FakeNetwork, blob_id: BlobId) -> None:
    liar = network.members[network.committee.member_of_pair(blob_id, PairIndex(0)).index]
    liar.faults.lies.add(Lie.SLIVER)
    await client.read_bytes(blob_id)
    liar.calls.clear()
    await client.read_bytes(blob_id)
    assert liar.calls["sliver"] == 0


async def test_read__one_node_stalls__is_overtaken(client: Client, network: FakeNetwork, blob_id: BlobId) -> None:
    await client.read_bytes(blob_id)
    network.members[network.committee.member_of_pair(blob_id, PairIndex(0)).index].faults.stalled = True
    begun = asyncio.get_running_loop().time()
    assert await client.read_bytes(blob_id) == DATA
    assert asyncio.get_running_loop().time() - begun < 1


async def test_read__node_that_answers_late__still_counts(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    for member in network.members:
        member.faults.seconds = 30
    assert await client.read_bytes(blob_id) == DATA


async def test_read__too_few_nodes__says_what_each_of_them_said(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    await client.read_bytes(blob_id)
    for member in network.members[1:]:
        member.faults.unreachable = True
    with pytest.raises(BlobUnreachable) as failure:
        await client.read_bytes(blob_id)
    assert set(failure.value.reasons) == {member.label for member in network.members[1:]}
    assert (failure.value.have, failure.value.needed) == (2, 4)


async def test_read__nodes_come_back_meanwhile__goes_on(client: Client, network: FakeNetwork, blob_id: BlobId) -> None:
    for member in network.members:
        member.faults.refusals = [AgentRefused(member.label, 503, "Busy", "later", retryable=True)] * 3
    assert await client.read_bytes(blob_id) == DATA


async def test_read__primaries_lost__takes_secondaries(client: Client, network: FakeNetwork, blob_id: BlobId) -> None:
    for member in network.members:
        member.faults.lost.add(Axis.PRIMARY)
    assert await client.read_bytes(blob_id) == DATA


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bounds=st.tuples(st.integers(0, len(DATA)), st.integers(0, len(DATA))), check=st.sampled_from(Check))
async def test_read__any_range__gives_those_bytes(
    client: Client, blob_id: BlobId, bounds: tuple[int, int], check: Check
) -> None:
    start, stop = sorted(bounds)
    assert await client.read_bytes(blob_id, start, stop, check=check) == DATA[start:stop]


async def test_read__small_range__takes_chunks_and_no_sliver(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    assert await client.read_bytes(blob_id, 700, 900) == DATA[700:900]
    # The first time its header is read, too, which says whether it is encrypted.
    assert sum(member.calls["chunks"] for member in network.members) == 2
    assert await client.read_bytes(blob_id, 100, 200) == DATA[100:200]
    assert sum(member.calls["chunks"] for member in network.members) == 3
    assert sum(member.calls["sliver"] for member in network.members) == 0


@pytest.mark.parametrize("lie", [Lie.CHUNKS, Lie.PATH])
@pytest.mark.parametrize("check", [Check.NONE, Check.DEFAULT])
async def test_read__range_from_a_liar__is_rebuilt_from_others(
    client: Client, network: FakeNetwork, blob_id: BlobId, lie: Lie, check: Check
) -> None:
    liar = network.members[network.committee.member_of_pair(blob_id, PairIndex(0)).index]
    liar.faults.lies.add(lie)
    async with client.read(blob_id, 700, 900, check=check) as reader:
        assert b"".join([piece async for piece in reader]) == DATA[700:900]
    assert [suspect.agent for suspect in reader.suspects] == [liar.label]


async def test_read__range_of_a_lost_row__trusting__does_not_read_the_segment(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    network.members[network.committee.member_of_pair(blob_id, PairIndex(0)).index].faults.unreachable = True
    assert await client.read_bytes(blob_id, 700, 900, check=Check.NONE) == DATA[700:900]
    assert sum(member.calls["sliver"] for member in network.members) == 0


async def test_read__range_beyond_the_end__is_refused(client: Client, blob_id: BlobId) -> None:
    with pytest.raises(RangeOutsideBlob):
        await client.read_bytes(blob_id, 0, len(DATA) + 1)


async def test_read__unknown_blob__says_that_it_was_never_registered(client: Client) -> None:
    with pytest.raises(BlobNotFound, match="never registered"):
        await client.read_bytes(BlobId(b"\x07" * 32))


async def test_read__unknown_object__says_so(client: Client) -> None:
    with pytest.raises(BlobNotFound, match="object 77"):
        await client.read_bytes(BlobObjectId(77))


async def test_read__expired_and_dropped__says_that_the_term_is_over(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    network.epoch = 50
    for member in network.members:
        member.wipe()
    with pytest.raises(BlobNotFound, match="term is over"):
        await client.read_bytes(blob_id)


async def test_read__certified_but_lost_everywhere__is_no_mistake_of_the_reader(
    client: Client, network: FakeNetwork, blob_id: BlobId
) -> None:
    for member in network.members:
        member.wipe()
    with pytest.raises(BlobUnreachable):
        await client.read_bytes(blob_id)


async def test_read__right_after_certification__works_for_every_client(client: Client, network: FakeNetwork) -> None:
    network.members[0].faults.stalled = True
    stored = await client.store(DATA)
    network.members[0].faults.stalled = False
    async with Client(FakeChain(network), network) as other:
        assert await other.read_bytes(stored.blob_id) == DATA
    await client.aclose(grace=0)


async def test_read_to__path__appears_only_when_complete(
    client: Client, network: FakeNetwork, blob_id: BlobId, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    for member in network.members[1:]:
        member.faults.unreachable = True
    with pytest.raises(BlobUnreachable):
        await client.read_to(blob_id, target)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 # nothing is left there, not even a draft
    for member in network.members:
        member.faults.unreachable = False
    summary = await client.read_to(blob_id, target)
    assert target.read_bytes() == DATA
    assert summary.size == len(DATA)


async def test_read_to__open_file__is_written_to(client: Client, blob_id: BlobId) -> None:
    target = io.BytesIO()
    await client.read_to(blob_id, target, 5, 10)
    assert target.getvalue() == DATA[5:10]


@pytest.mark.usefixtures("small_segments")
class TestLongBlobs:
    """Several segments; the codec's segment is made small, since only the number of segments matters here."""

    async def test_read__many_segments__come_in_order(self, client: Client, network: FakeNetwork) -> None:
        stored = await client.store(DATA)
        await client.finish()
        network.members[2].faults.unreachable = True
        assert await client.read_bytes(stored.blob_id) == DATA

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (4095, 4097), (4096, 8192), (100, 19_999), (8000, 8200)])
    async def test_read__range_over_segments__gives_those_bytes(self, client: Client, start: int, stop: int) -> None:
        stored = await client.store(DATA)
        assert await client.read_bytes(stored.blob_id, start, stop) == DATA[start:stop]

    async def test_read__left_half_way__leaves_nothing_behind(self, client: Client) -> None:
        stored = await client.store(DATA)
        await client.finish()
        before = asyncio.all_tasks()
        async with client.read(stored.blob_id) as reader:
            await anext(reader)
        assert asyncio.all_tasks() == before


class TestBadEncoding:
    """Somebody stored slivers that verify, but belong to no single matrix: readers must never get different bytes."""

    async def test_read__systematic_rows__mean_what_they_say(self, client: Client, bad: BlobId) -> None:
        assert await client.read_bytes(bad) == BAD_BLOB_MEANS

    async def test_read__decoded_from_parity__is_refused_not_different(
        self, client: Client, network: FakeNetwork, bad: BlobId
    ) -> None:
        network.members[network.committee.member_of_pair(bad, PairIndex(1)).index].faults.unreachable = True
        with pytest.raises(InconsistentEncoding):
            await client.read_bytes(bad)

    async def test_read__range_of_a_lost_row__is_refused_not_different(
        self, client: Client, network: FakeNetwork, bad: BlobId
    ) -> None:
        network.members[network.committee.member_of_pair(bad, PairIndex(0)).index].faults.unreachable = True
        with pytest.raises(InconsistentEncoding):
            await client.read_bytes(bad, 10, 20)

    async def test_read__strict__is_refused_always(self, client: Client, bad: BlobId) -> None:
        with pytest.raises(InconsistentEncoding, match=f"`walrus invalidate {bad}`"):
            await client.read_bytes(bad, check=Check.STRICT)
