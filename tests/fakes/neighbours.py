"""One real storage node among agents in memory that hold everything: what it heals and examines, it gets from them."""

from __future__ import annotations

from collections.abc import Mapping

from storage_agent.sync.heal import Healer
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_bad_blob
from walrus_chain.codec.verify import verify_pair
from walrus_chain.transport.memory import MemoryAgent
from walrus_chain.types import BlobObjectId, Epoch, PairIndex


class Ledger:
    """The chain as agents in memory see it: everything is registered."""

    def __init__(self, chain: ChainOfFacts) -> None:
        self.registry = chain.domain
        self.committee_epoch = Epoch(1)

    def live(self, _: object) -> list[object]:
        return [object()]


class Neighbours:
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

    async def store(self, blob: Blob) -> BlobObjectId:
        """Have the blob certified, on all agents but the node."""
        number = self.node.chain.register(blob.metadata)
        self.node.chain.certify(number)
        await self.node.catch_up()
        for agent in self.agents.values():
            pairs = agent._own_pairs(blob.blob_id)
            await agent.put_segment(blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes())
        return number

    async def change_committee(self, moves: Mapping[int, int]) -> None:
        """A committee takes office in which shards are served by other nodes, counted from 0; everybody has seen it."""
        chain = self.node.chain
        chain.change_committee(moves)
        for node_id, agent in self.agents.items():
            member = chain.committee_now.by_node(node_id)
            agent.take_office(() if member is None else member.shards)
        await self.node.catch_up()
        await self.node.seat.refresh()

    def others(self) -> list[MemoryAgent]:
        """The peers, in the order in which they are asked for a blob."""
        return [agent for node_id, agent in self.agents.items() if node_id != self.node.member.node_id]

    def asked(self, call: str) -> int:
        """How often peers got a call."""
        return sum(agent.calls[call] for agent in self.agents.values())

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


def bad_blob_for(size: int, node: Node, *, own: bool) -> Blob:
    """A blob that is encoded wrongly at one place: at one of the node's own, or at none of them."""
    shards = node.chain.shards
    blobs = [make_bad_blob(size, shards, PairIndex(place)) for place in range(shards)]
    return next(blob for place, blob in enumerate(blobs) if (PairIndex(place) in node.pairs(blob.blob_id)) is own)
