"""What a node lost comes back from peers that may be few, slow, or lie."""

from __future__ import annotations

import time

import pytest

from storage_agent.sync.fetch import MetadataUnreachable
from tests.fakes.agents import ChainOfFacts, Node, make_blob, upload
from tests.fakes.neighbours import Neighbours, bad_blob_for
from walrus_chain.errors import InconsistentEncoding, NotEnoughSlivers
from walrus_chain.transport.memory import Lie
from walrus_chain.types import NodeId

LARGE = 200_000


@pytest.fixture
def network(node: Node, chain: ChainOfFacts) -> Neighbours:
    """A node that holds nothing, and four that hold everything."""
    return Neighbours(node, chain)


@pytest.mark.parametrize("size", [0, 1, 5000, LARGE])
async def test_heal__everything_lost__back(network: Neighbours, size: int) -> None:
    blob = make_blob(size, 10)
    await network.store(blob)

    healed = await network.healer.heal(blob.blob_id)

    assert healed.pairs == 2
    await network.check_whole(blob)


async def test_heal__one_pair_of_a_large_blob__by_symbols_about_an_nth(network: Neighbours) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    await upload(network.node, blob)
    [_, lost] = network.node.pairs(blob.blob_id)
    await network.node.packs.forget(blob.blob_id, [(0, lost)])

    healed = await network.healer.heal(blob.blob_id)

    geometry = blob.encoded.geometry
    # The pair that the node still has gives one symbol of each axis for free.
    assert healed.bytes_fetched == (geometry.rows + geometry.columns - 2) * geometry.symbol_bytes
    assert network.fetched("slivers") == 0
    await network.check_whole(blob)


async def test_heal__small_blob__decoded_with_few_requests(network: Neighbours) -> None:
    blob = make_blob(5000, 10)
    await network.store(blob)

    await network.healer.heal(blob.blob_id)

    assert network.fetched("symbols") == 0
    assert sum(agent.calls["sliver"] for agent in network.agents.values()) == blob.encoded.geometry.rows


@pytest.mark.parametrize("size", [5000, LARGE])
async def test_heal__one_node_down_and_one_stalled__back(network: Neighbours, size: int) -> None:
    blob = make_blob(size, 10)
    await network.store(blob)
    down, stalled, *_ = network.others()
    down.faults.unreachable, stalled.faults.stalled = True, True

    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)


@pytest.mark.parametrize("lie", [Lie.SYMBOL, Lie.SLIVER, Lie.METADATA, Lie.LENGTH])
@pytest.mark.parametrize("size", [5000, LARGE])
async def test_heal__one_node_lies__back_and_the_liar_is_named(network: Neighbours, lie: Lie, size: int) -> None:
    blob = make_blob(size, 10)
    await network.store(blob)
    order = network.peers.in_order(network.node.seat.committee, blob.blob_id, time.monotonic())
    liar = network.agents[order[0].node_id]
    liar.faults.lies.add(lie)

    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)
    told = lie is Lie.METADATA or (lie is Lie.SYMBOL) == (size == LARGE)
    assert set(network.peers.liars()) == ({NodeId(liar.node_id)} if told else set())


async def test_heal__too_few_peers__says_how_many_and_keeps_nothing(network: Neighbours) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    for agent in network.others()[1:]:
        agent.faults.unreachable = True

    with pytest.raises(NotEnoughSlivers) as error:
        await network.healer.heal(blob.blob_id)

    assert (error.value.have, error.value.needed) == (2, 4)
    assert network.node.catalogue.held(blob.blob_id, 0) == set()


async def test_heal__nobody_has_metadata__each_reason_is_told(network: Neighbours) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    for agent in network.others():
        agent.wipe()

    with pytest.raises(MetadataUnreachable) as error:
        await network.healer.heal(blob.blob_id)

    assert len(error.value.failures) == 4


async def test_heal__own_pair_rotted__not_used_and_healed_too(network: Neighbours) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    await upload(network.node, blob)
    rotted, lost = network.node.pairs(blob.blob_id)
    [file] = network.node.folder.joinpath("slivers").rglob("packs/*/*")
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    await network.node.packs.forget(blob.blob_id, [(0, lost)])

    await network.healer.heal(blob.blob_id)
    assert network.node.holdings.missing(blob.blob_id) == [(0, rotted)]
    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)


@pytest.mark.parametrize("size", [5000, LARGE])
async def test_heal__blob_is_encoded_wrongly__refused_and_nobody_is_blamed(network: Neighbours, size: int) -> None:
    bad = bad_blob_for(size, network.node, own=True)
    await network.store(bad)

    with pytest.raises(InconsistentEncoding):
        await network.healer.heal(bad.blob_id)

    assert network.peers.liars() == {}
    assert network.node.catalogue.held(bad.blob_id, 0) == set()


async def test_heal__blob_is_encoded_wrongly__not_tried_again_and_said_plainly(
    network: Neighbours, caplog: pytest.LogCaptureFixture
) -> None:
    bad = bad_blob_for(5000, network.node, own=True)
    await network.store(bad)
    assert network.node.catalogue.totals().heal == 1

    with pytest.raises(InconsistentEncoding):
        await network.healer.heal(bad.blob_id)

    assert network.node.holdings.verdict(bad.blob_id) is False
    assert network.node.catalogue.totals().heal == 0
    assert "neither healed nor attested any more" in caplog.text
