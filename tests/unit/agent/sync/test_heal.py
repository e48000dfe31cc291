"""What a node lost comes back from peers that may be few, slow, or lie."""

from __future__ import annotations

import time

import pytest

from storage_agent.sync.fetch import MetadataUnreachable
from storage_agent.sync.heal import Healer
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.codec.verify import verify_pair
from walrus_chain.errors import InconsistentEncoding, NotEnoughSlivers
from walrus_chain.transport.memory import Lie, MemoryAgent
from walrus_chain.types import Epoch, NodeId, PairIndex

LARGE = 200_000


class Ledger:
    """The chain as agents in memory see it: everything is registered."""

    def __init__(self, chain: ChainOfFacts) -> None:
        self.registry = chain.domain
        self.committee_epoch = Epoch(1)

    def live(self, _: object) -> list[object]:
        return [object()]


class Network:
    """One real node among agents in memory that hold everything."""

    def __init__(self, node: Node, chain: ChainOfFacts) -> None:
        self.node = node
        self.agents = {
            member.node_id: MemoryAgent(
                member.node_id,
                member.shards,
                chain.shards,
                signer=chain.signers[member.index],
                ledger=Ledger(chain),  # type: ignore[arg-type] # only what an upload asks for
            )
            for member in chain.committee_now.members
        }
        node.others.update(self.agents)
        self.peers = node.peers
        self.healer = Healer(node.holdings, node.fetcher, lambda: node.seat.committee, node.metrics)

    async def store(self, blob: Blob) -> None:
        """Have the blob certified, on all agents but the node."""
        self.node.chain.certify(self.node.chain.register(blob.metadata))
        await self.node.catch_up()
        for agent in self.agents.values():
            pairs = agent._own_pairs(blob.blob_id)
            await agent.put_segment(blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes())

    def others(self) -> list[MemoryAgent]:
        """The peers, in the order in which they are asked for a blob."""
        return [agent for node_id, agent in self.agents.items() if node_id != self.node.member.node_id]

    def fetched(self, kind: str) -> float:
        """Bytes of a kind that healing took."""
        value = self.node.metrics.healing_bytes.labels(kind)._value.get()
        assert isinstance(value, float)
        return value

    async def check_whole(self, blob: Blob) -> None:
        """The node holds all it must, and all of it is right."""
        assert self.node.holdings.missing(blob.blob_id) == []
        for pair in self.node.pairs(blob.blob_id):
            data = await self.node.packs.read(blob.blob_id, 0, pair)
            verify_pair(data, pair, blob.metadata.segments[0], blob.encoded.geometry)
        assert self.node.catalogue.totals().heal == 0


@pytest.fixture
def network(node: Node, chain: ChainOfFacts) -> Network:
    """A node that holds nothing, and four that hold everything."""
    return Network(node, chain)


@pytest.mark.parametrize("size", [0, 1, 5000, LARGE])
async def test_heal__everything_lost__back(network: Network, size: int) -> None:
    blob = make_blob(size, 10)
    await network.store(blob)

    healed = await network.healer.heal(blob.blob_id)

    assert healed.pairs == 2
    await network.check_whole(blob)


async def test_heal__one_pair_of_a_large_blob__by_symbols_about_an_nth(network: Network) -> None:
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


async def test_heal__small_blob__decoded_with_few_requests(network: Network) -> None:
    blob = make_blob(5000, 10)
    await network.store(blob)

    await network.healer.heal(blob.blob_id)

    assert network.fetched("symbols") == 0
    assert sum(agent.calls["sliver"] for agent in network.agents.values()) == blob.encoded.geometry.rows


@pytest.mark.parametrize("size", [5000, LARGE])
async def test_heal__one_node_down_and_one_stalled__back(network: Network, size: int) -> None:
    blob = make_blob(size, 10)
    await network.store(blob)
    down, stalled, *_ = network.others()
    down.faults.unreachable, stalled.faults.stalled = True, True

    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)


@pytest.mark.parametrize("lie", [Lie.SYMBOL, Lie.SLIVER, Lie.METADATA, Lie.LENGTH])
@pytest.mark.parametrize("size", [5000, LARGE])
async def test_heal__one_node_lies__back_and_the_liar_is_named(network: Network, lie: Lie, size: int) -> None:
    blob = make_blob(size, 10)
    await network.store(blob)
    order = network.peers.in_order(network.node.seat.committee, blob.blob_id, time.monotonic())
    liar = network.agents[order[0].node_id]
    liar.faults.lies.add(lie)

    await network.healer.heal(blob.blob_id)

    await network.check_whole(blob)
    told = lie is Lie.METADATA or (lie is Lie.SYMBOL) == (size == LARGE)
    assert set(network.peers.liars()) == ({NodeId(liar.node_id)} if told else set())


async def test_heal__too_few_peers__says_how_many_and_keeps_nothing(network: Network) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    for agent in network.others()[1:]:
        agent.faults.unreachable = True

    with pytest.raises(NotEnoughSlivers) as error:
        await network.healer.heal(blob.blob_id)

    assert (error.value.have, error.value.needed) == (2, 4)
    assert network.node.catalogue.held(blob.blob_id, 0) == set()


async def test_heal__nobody_has_metadata__each_reason_is_told(network: Network) -> None:
    blob = make_blob(LARGE, 10)
    await network.store(blob)
    for agent in network.others():
        agent.wipe()

    with pytest.raises(MetadataUnreachable) as error:
        await network.healer.heal(blob.blob_id)

    assert len(error.value.failures) == 4


async def test_heal__own_pair_rotted__not_used_and_healed_too(network: Network) -> None:
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
async def test_heal__blob_is_encoded_wrongly__refused_and_nobody_is_blamed(network: Network, size: int) -> None:
    bad = wrongly_encoded(size, network.node)
    await network.store(bad)

    with pytest.raises(InconsistentEncoding):
        await network.healer.heal(bad.blob_id)

    assert network.peers.liars() == {}
    assert network.node.catalogue.held(bad.blob_id, 0) == set()


def wrongly_encoded(size: int, node: Node) -> Blob:
    """A blob whose metadata commits to slivers of another blob at one of the node's own places."""
    good, other = make_blob(size, 10, seed=1), make_blob(size, 10, seed=2)
    for place in map(PairIndex, range(10)):
        roots = bytearray(good.metadata.segments[0].roots)
        roots[place * 64 : place * 64 + 64] = other.metadata.segments[0].roots[place * 64 : place * 64 + 64]
        metadata = BlobMetadata(size, 10, (SegmentMetadata(bytes(roots)),))
        if place in node.pairs(metadata.blob_id):
            mixed = type(good.encoded)(
                good.encoded.geometry,
                [(other if i == place else good).encoded.primary[i] for i in range(10)],
                [(other if i == place else good).encoded.secondary[i] for i in range(10)],
            )
            return Blob(good.content, metadata, mixed)
    raise AssertionError("no place of ten fell on the node; take another seed")
