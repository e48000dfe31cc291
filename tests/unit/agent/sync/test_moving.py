"""Real nodes, some of them down at times, under one committee after another: no bytes get lost, none stay for ever."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from storage_agent.state.plan import WorkKind
from storage_agent.sync.heal import Healer
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from walrus_chain.codec.geometry import pair_on_shard
from walrus_chain.codec.verify import verify_pair
from walrus_chain.types import BlobId, NodeId, PairIndex, ShardIndex

StartNode = Callable[..., Awaitable[Node]]
FAR = 1e12


class Network:
    """All nodes of a chain; those that are down neither follow it nor work, but can still be asked."""

    def __init__(self, chain: ChainOfFacts, nodes: list[Node]) -> None:
        self.chain = chain
        self.nodes = nodes
        self.blobs: list[Blob] = []
        for node in nodes:
            node.others.update({NodeId(number + 1): other.client for number, other in enumerate(nodes)})

    async def store(self, blob: Blob) -> None:
        """A blob that is certified, and has reached all who serve."""
        self.chain.certify(self.chain.register(blob.metadata, epochs=1000))
        for node in self.nodes:
            await node.catch_up()
            if node.catalogue.duties.own:
                await upload(node, blob)
        self.blobs.append(blob)

    async def follow(self, node: Node) -> None:
        """See what the chain says, and do all that follows from it; say that shards arrived once they have."""
        await node.catch_up()
        await node.seat.refresh()
        healer = Healer(node.holdings, node.fetcher, lambda: node.seat.committee, node.metrics)
        for work in node.catalogue.due(WorkKind.HEAL, FAR, 99):
            assert work.blob_id is not None
            await healer.heal(work.blob_id)
        if node.catalogue.duties.syncing and node.catalogue.syncing_complete():
            self.chain.arrive(self.nodes.index(node))
            await node.catch_up()
        for work in node.catalogue.due(WorkKind.TRIM, FAR, 99):
            assert work.blob_id is not None
            await node.packs.trim(work.blob_id)
        await node.packs.collect()

    def holders(self, blob_id: BlobId, pair: PairIndex) -> set[NodeId]:
        """Who has a pair."""
        return {node.member.node_id for node in self.nodes if pair in node.catalogue.held(blob_id, 0)}

    def check_found(self) -> None:
        """Whoever asks those whom the committee names finds every pair of every blob."""
        for blob in self.blobs:
            for pair in map(PairIndex, range(self.chain.shards)):
                named = {member.node_id for member in self.chain.committee_now.holders_of_pair(blob.blob_id, pair)}
                assert named & self.holders(blob.blob_id, pair)

    async def check_settled(self) -> None:
        """Each node has what it serves, all of it right, and nothing else."""
        for node in self.nodes:
            for blob in self.blobs:
                serving = self.chain.committee_now.by_node(node.member.node_id)
                due = set() if serving is None else set(node.pairs(blob.blob_id))
                assert node.catalogue.held(blob.blob_id, 0) == due
                for pair in due:
                    data = await node.packs.read(blob.blob_id, 0, pair)
                    verify_pair(data, pair, blob.metadata.segments[0], blob.encoded.geometry)
            assert await node.packs.sweep() == 0


@pytest.fixture
async def network(chain: ChainOfFacts, start_node: StartNode) -> Network:
    """Five nodes with a small and a large blob."""
    network = Network(chain, [await start_node(index) for index in range(5)])
    await network.store(make_blob(300, 10))
    await network.store(make_blob(30_000, 10, seed=1))
    return network


def moves(network: Network, chance: random.Random) -> dict[int, int]:
    """Up to three shards (f) for other nodes."""
    found = {}
    for shard in chance.sample(range(10), chance.randint(1, 3)):
        found[shard] = (network.chain.served_by[shard] + chance.randint(1, 4)) % 5
    return found


@pytest.mark.parametrize("seed", range(6))
async def test_changes__one_after_another_with_nodes_down__every_pair_is_found_and_in_the_end_once(
    network: Network, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(5):
        network.chain.change_committee(moves(network, chance))
        network.check_found()
        down = chance.sample(network.nodes, chance.randint(0, 2))
        if chance.random() < 0.5:
            up = [node for node in network.nodes if node not in down]
            for node in chance.sample(up, len(up)):
                await network.follow(node)
                network.check_found()
        # The next change begins when no more than f shards are on their way: at most three moved with this one.
        if chance.random() < 0.3:
            await network.store(make_blob(5000, 10, seed=100 + number))
        for node in [node for node in network.nodes if node not in down]:
            await network.follow(node)
        # Before the one after next all are back, or what is with nobody else would be given up.
        for node in network.nodes:
            await network.follow(node)
        network.check_found()
    for _ in range(2):
        for node in network.nodes:
            await network.follow(node)
    await network.check_settled()


async def test_node_leaves__has_served_others_until_the_end__is_empty(network: Network) -> None:
    leaver = network.nodes[1]
    network.chain.change_committee({1: 0, 6: 2})
    await network.follow(leaver)
    network.check_found()
    for index in (3, 0, 2, 4):
        await network.follow(network.nodes[index])
        network.check_found()
    assert leaver.catalogue.totals().pairs == 4

    await network.follow(leaver)

    assert leaver.catalogue.totals().bytes == 0
    await network.check_settled()


async def test_old_node__new_one_has_not_signalled__keeps_then_trims(network: Network) -> None:
    old, new = network.nodes[1], network.nodes[0]
    moved = [pair_on_shard(blob.blob_id, ShardIndex(1), 10) for blob in network.blobs]
    network.chain.change_committee({1: 0})
    await network.follow(old)
    for blob, pair in zip(network.blobs, moved, strict=True):
        assert network.holders(blob.blob_id, pair) == {NodeId(2)}

    await network.follow(new)
    for blob, pair in zip(network.blobs, moved, strict=True):
        assert network.holders(blob.blob_id, pair) == {NodeId(1), NodeId(2)}

    await network.follow(old)
    for blob, pair in zip(network.blobs, moved, strict=True):
        assert network.holders(blob.blob_id, pair) == {NodeId(1)}


async def test_node_down_across_two_changes__reads_both_at_once__ends_up_right(network: Network) -> None:
    """Node 1 serves shards 0 and 5, then 5 and 1, then 1 and 2; it wakes up when others have settled the first."""
    sleeper, others = network.nodes[0], network.nodes[1:]
    network.chain.change_committee({0: 3, 1: 0})
    for node in others:
        await network.follow(node)
    network.chain.change_committee({5: 4, 2: 0})
    for node in others:
        await network.follow(node)

    await network.follow(sleeper)

    assert sleeper.catalogue.duties.own == (1, 2)
    for node in others:
        await network.follow(node)
    await network.follow(sleeper)
    await network.check_settled()
