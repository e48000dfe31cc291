"""What a node lost comes back from peers that may be few, slow, or lie."""

from __future__ import annotations

import time

import pytest

from storage_agent.sync.fetch import MetadataUnreachable
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from tests.fakes.neighbours import Neighbours, bad_blob_for
from walrus_chain.codec.geometry import pair_on_shard
from walrus_chain.errors import InconsistentEncoding, NotEnoughSlivers
from walrus_chain.transport.memory import Lie
from walrus_chain.types import NodeId, PairIndex, ShardIndex

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


def moved_pair(network: Neighbours, blob: Blob, shard: int) -> PairIndex:
    """The pair of a blob on a shard."""
    return pair_on_shard(blob.blob_id, ShardIndex(shard), network.node.chain.shards)


@pytest.fixture
async def moving(network: Neighbours) -> Blob:
    """A large blob that the node holds all of its own of; then it is to serve shard 1 too, which node 2 served."""
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    await upload(network.node, blob)
    await network.change_committee({1: 0})
    return blob


async def test_heal__shard_moved_here__whole_pair_from_who_served_it(network: Neighbours, moving: Blob) -> None:
    assert network.node.holdings.missing(moving.blob_id) == [(0, moved_pair(network, moving, 1))]

    healed = await network.healer.heal(moving.blob_id)

    assert healed.bytes_fetched == moving.encoded.geometry.pair_bytes == network.fetched("pairs")
    assert [agent.calls["sliver"] for agent in network.agents.values()] == [0, 2, 0, 0, 0]
    assert network.asked("symbols") == 0
    assert network.node.catalogue.syncing_complete()
    await network.check_whole(moving)


async def test_heal__shard_moved_here_and_another_lost__each_its_own_way(network: Neighbours, moving: Blob) -> None:
    lost = moved_pair(network, moving, 5)
    assert lost in network.node.pairs(moving.blob_id)
    await network.node.packs.forget(moving.blob_id, [(0, lost)])

    healed = await network.healer.heal(moving.blob_id)

    assert healed.pairs == 2
    geometry = moving.encoded.geometry
    assert network.fetched("pairs") == geometry.pair_bytes
    # The pair that came whole, and the one that was there, give one symbol of each axis for free.
    assert network.fetched("symbols") == (geometry.rows + geometry.columns - 4) * geometry.symbol_bytes
    await network.check_whole(moving)


async def test_heal__who_served_it_is_gone__rebuilt_from_others(network: Neighbours, moving: Blob) -> None:
    network.agents[NodeId(2)].faults.unreachable = True

    await network.healer.heal(moving.blob_id)

    assert network.fetched("pairs") == 0
    await network.check_whole(moving)


async def test_heal__who_served_it_failed_a_moment_ago__is_not_waited_for_again(
    network: Neighbours, moving: Blob
) -> None:
    keeper = network.agents[NodeId(2)]
    keeper.faults.stalled = True
    await network.healer.heal(moving.blob_id)
    asked = keeper.calls["sliver"]
    await network.node.packs.forget(moving.blob_id, [(0, moved_pair(network, moving, 1))])

    await network.healer.heal(moving.blob_id)

    assert (asked, keeper.calls["sliver"]) == (1, 1)
    await network.check_whole(moving)


async def test_heal__who_served_it_never_had_it__no_blame(network: Neighbours, moving: Blob) -> None:
    """It was stored since the change, on all but this node."""
    await network.healer.heal(moving.blob_id)
    blob = make_blob(LARGE, 10, seed=1)
    await network.store(blob)

    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)
    order = network.peers.in_order(network.node.seat.committee, blob.blob_id, time.monotonic())
    network.peers.succeeded(NodeId(2))
    assert order == network.peers.in_order(network.node.seat.committee, blob.blob_id, time.monotonic())


async def test_heal__who_served_it_lies__named_and_rebuilt(network: Neighbours, moving: Blob) -> None:
    network.agents[NodeId(2)].faults.lies.add(Lie.SLIVER)

    await network.healer.heal(moving.blob_id)

    assert set(network.peers.liars()) == {NodeId(2)}
    await network.check_whole(moving)


async def test_heal__who_served_it_left_the_committee__is_asked_all_the_same(network: Neighbours) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    await upload(network.node, blob)
    await network.change_committee({1: 0, 6: 2})

    healed = await network.healer.heal(blob.blob_id)

    assert network.node.seat.committee.by_node(NodeId(2)) is None
    assert healed.bytes_fetched == network.fetched("pairs") == blob.encoded.geometry.pair_bytes
    await network.check_whole(blob)


@pytest.mark.parametrize("size", [5000, LARGE])
async def test_heal__own_pairs_lost_while_others_move__both_places_are_asked(network: Neighbours, size: int) -> None:
    """Shards 1, 2 and 3 move, and whoever got them has nothing yet; node 5 is down: all that is kept is needed."""
    blob = make_blob(size, 10)
    await network.store(blob)
    await network.change_committee({1: 2, 2: 3, 3: 1})
    network.agents[NodeId(5)].faults.unreachable = True

    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)
    assert network.peers.liars() == {}
