"""Storage nodes in one process for tests: real catalogue, real disk, real codec and signatures, real HTTP application.

Only two things are not real: the chain is a list of facts that a test appends to, and there are no sockets.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from storage_agent.node.accuse import Accuser
from storage_agent.node.admission import Admission
from storage_agent.node.attest import Attester
from storage_agent.node.holdings import Holdings
from storage_agent.node.seat import Seat
from storage_agent.observe import Metrics
from storage_agent.serve.app import build_app
from storage_agent.serve.services import JobShelf, ServeLimits, Services
from storage_agent.state.facts import (
    Certified,
    CommitteeFormed,
    Deleted,
    EpochChangeStarted,
    Fact,
    Invalidated,
    Located,
    Place,
    Registered,
    ShardsSynced,
)
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.local import LocalStore
from storage_agent.store.outputs import Outputs
from storage_agent.store.packs import Packs
from storage_agent.sync.examine import Examiner
from storage_agent.sync.fetch import Fetcher
from storage_agent.sync.peers import Peers
from tests.fakes.access_chain import FakeAccessChain
from tests.fakes.key_desk import make_fake_desk
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import EncodedSegment
from walrus_chain.codec.stream import commit_blob
from walrus_chain.messages.domain import Domain, registry_domain
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.rules.apportionment import deal
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.transport.http import HttpAgentClient, HttpAgents
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, PairIndex, ShardIndex

COMMITTEE_EPOCH = Epoch(1)
REGISTRY = Address("0x00000000000000000000000000000000000000B1")


@dataclass
class ChainOfFacts:
    """A chain as nodes see it: facts by block, a clock in epochs, a committee."""

    shards: int
    nodes: int
    epoch: Epoch = COMMITTEE_EPOCH
    blocks: list[tuple[Epoch, list[Fact]]] = field(default_factory=list)
    objects: int = 0

    def __post_init__(self) -> None:
        weights = [len(range(node, self.shards, self.nodes)) for node in range(self.nodes)]
        self.signers = [LocalSigner(hashlib.sha256(b"node %d" % node).digest()) for node in range(self.nodes)]
        self.served_by = list(deal(weights))
        """For each shard the node, counted from 0."""
        self.committee_now = self._committee()
        self.mine(self._formed())

    def _committee(self) -> Committee:
        """The committee in which each node serves the shards that are its now."""
        members: list[Member] = []
        for node in sorted(set(self.served_by)):
            shards = tuple(ShardIndex(shard) for shard, server in enumerate(self.served_by) if server == node)
            name, region = f"node-{node + 1}", f"region-{node % 4}"
            where = (NodeId(node + 1), name, f"http://{name}", region, self.signers[node].address)
            members.append(Member(len(members), *where, len(shards), shards))
        return Committee(self.epoch, self.shards, tuple(members))

    def _formed(self) -> CommitteeFormed:
        places = sorted(set(self.served_by))
        members = tuple(NodeId(node + 1) for node in places)
        return CommitteeFormed(self.epoch, members, bytes(places.index(node) for node in self.served_by))

    def change_committee(self, moves: Mapping[int, int]) -> None:
        """In the next epoch a committee takes office in which some shards (keys) are served by other nodes, from 0."""
        before = self.committee_now
        self.epoch = Epoch(self.epoch + 1)
        for shard, node in moves.items():
            self.served_by[shard] = node
        pending = frozenset(ShardIndex(shard) for shard in moves)
        self.committee_now = replace(self._committee(), previous=before, pending=pending)
        moved = sum(1 << shard for shard in moves)
        self.mine(self._formed(), EpochChangeStarted(self.epoch, before.epoch, moved))

    def arrive(self, node: int) -> None:
        """A node says that it has all shards that moved to it."""
        now = self.committee_now
        here = {shard for shard in now.pending if self.served_by[shard] == node}
        rest = now.pending - here
        self.committee_now = replace(now, pending=rest, previous=now.previous if rest else None)
        self.mine(ShardsSynced(now.epoch, NodeId(node + 1), sum(1 << shard for shard in here)))

    @property
    def domain(self) -> Domain:
        """The domain of the registry."""
        return registry_domain(31337, REGISTRY)

    async def committee(self) -> Committee:
        """The committee in office, as `CommitteeSource` gives it."""
        return self.committee_now

    def mine(self, *facts: Fact) -> None:
        """One more block."""
        self.blocks.append((self.epoch, list(facts)))

    def register(self, metadata: BlobMetadata, *, size: int | None = None, epochs: int = 5) -> BlobObjectId:
        """A new object of a blob."""
        self.objects += 1
        number = BlobObjectId(self.objects)
        declared = metadata.size if size is None else size
        end = Epoch(self.epoch + epochs)
        self.mine(Registered(number, metadata.blob_id, declared, self.epoch, end, deletable=True))
        return number

    def certify(self, blob_object: BlobObjectId) -> None:
        """The object has its certificate."""
        self.mine(Certified(blob_object))

    def delete(self, blob_object: BlobObjectId) -> None:
        """The object's term is ended."""
        self.mine(Deleted(blob_object, self.epoch))

    def invalidate(self, blob_id: BlobId) -> None:
        """Nodes attested that the blob is encoded badly."""
        self.mine(Invalidated(blob_id))

    def block(self, number: int) -> BlockRef:
        """A block by number; block 0 has no facts."""
        return BlockRef(number, hashlib.sha256(b"block %d" % number).digest(), 1_700_000_000 + number)


class Node:
    """One storage node with everything but sockets."""

    def __init__(self, chain: ChainOfFacts, index: int, folder: Path, limits: ServeLimits, inline_bytes: int) -> None:
        self.chain = chain
        self._member = chain.committee_now.members[index]
        self.signer = chain.signers[index]
        self.looks = 0
        """How often the chain was looked at."""
        self.folder = folder
        self.catalogue = Catalogue.open(
            folder / "catalogue.sqlite",
            network="test",
            node_id=self.member.node_id,
            clock=time.time,
            heal_delay=0,
            trim_delay=0,
        )
        self.store = LocalStore.open(folder / "slivers", reserve_bytes=0)
        self.packs = Packs(self.catalogue, self.store, inline_bytes)
        self.metrics = Metrics()
        self.holdings = Holdings(self.member.node_id, self.catalogue, self.packs, time.time)
        self.seat = Seat(chain, self.member.node_id, self.signer.address, refresh_seconds=60)
        self.admission = Admission(self.catalogue, self.catch_up)
        self.attester = Attester(self.holdings, self.admission, self.seat, self.signer, chain.domain, self.metrics)
        self.others: dict[NodeId, AgentClient] = {}
        """How the other members are reached; a test sets it where the node asks them."""
        self.peers = Peers(self.member.node_id, lambda member: self.others[member.node_id])
        self.fetcher = Fetcher(
            self.holdings, self.peers, lambda: self.seat.committee, self.metrics, time.monotonic, patience=0.05
        )
        self.examiner = Examiner(self.holdings, self.fetcher, self.metrics, answer_seconds=10)
        self.accuser = Accuser(
            self.examiner.examine,
            self.holdings,
            self.admission,
            self.seat,
            self.signer,
            chain.domain,
            self.metrics,
        )
        self.access = FakeAccessChain()
        self.desk, self.master_keys = make_fake_desk(
            self.access, self.catalogue.ledger, folder / "keys", self.metrics, self.member.node_id, self.signer
        )
        self.services = Services(
            self.admission,
            self.attester,
            self.accuser,
            self.holdings,
            self.metrics,
            time.monotonic,
            health=self._health,
            status=self._health,
            keys=self.desk,
            jobs=JobShelf(self.catalogue.jobs, Outputs(folder / "outputs")),
            limits=limits,
        )
        self.app = build_app(self.services)
        self.agents = HttpAgents(transport=httpx.ASGITransport(self.app))
        self.raw = httpx.AsyncClient(transport=httpx.ASGITransport(self.app))
        """Another way to the application, for requests that no client of ours would send."""

    async def start(self) -> None:
        """Know the committee and the chain so far."""
        if self.catalogue.cursor is None:
            await self.catalogue.start_at(self.chain.block(0))
        await self.seat.refresh()
        await self.catch_up()

    async def catch_up(self) -> None:
        """Take the facts of the blocks that are new."""
        self.looks += 1
        cursor = self.catalogue.cursor
        assert cursor is not None
        for number in range(cursor.block.number + 1, len(self.chain.blocks) + 1):
            epoch, facts = self.chain.blocks[number - 1]
            located = [Located(Place(number, index), fact) for index, fact in enumerate(facts)]
            cursor = await self.catalogue.take(cursor, located, self.chain.block(number), epoch)

    @property
    def member(self) -> Member:
        """Its place in the committee in office; the last one that it had when it has none there."""
        self._member = self.chain.committee_now.by_node(self._member.node_id) or self._member
        return self._member

    @property
    def client(self) -> HttpAgentClient:
        """A client that speaks to this node's application."""
        return self.agents.at(self.member.url, self.member.name)

    def url(self, path: str) -> str:
        """The address of a path at this node."""
        return self.member.url + path

    def pairs(self, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The pairs that this node must hold."""
        return self.chain.committee_now.pairs_of(self.member, blob_id)

    async def close(self) -> None:
        """End it; what is durable stays."""
        await self.examiner.close()
        await self.agents.aclose()
        await self.raw.aclose()
        self.catalogue.close()
        await self.store.close()

    async def _health(self) -> dict[str, object]:
        return {
            "status": "ok",
            "node": self.member.node_id,
            "name": self.member.name,
            "version": "test",
            "chain": {"id": 31337, "block": len(self.chain.blocks), "lagSeconds": 0.0},
            "disk": {"free": await self.packs.free_bytes(), "used": self.catalogue.totals().bytes},
        }


@dataclass(frozen=True)
class Blob:
    """A blob of one segment with its encoding."""

    content: bytes
    metadata: BlobMetadata
    encoded: EncodedSegment

    @property
    def blob_id(self) -> BlobId:
        """What it is called."""
        return self.metadata.blob_id

    def parts(self, pairs: Sequence[PairIndex]) -> list[bytes]:
        """The bytes of pairs as they travel."""
        return [self.encoded.pair(pair) for pair in pairs]


def make_blob(size: int, shards: int, seed: int = 0) -> Blob:
    """A blob of `size` bytes that differ with `seed`; at most one segment."""
    return blob_of(hashlib.shake_256(b"%d" % seed).digest(size), shards)


def blob_of(content: bytes, shards: int) -> Blob:
    """The blob with these bytes; at most one segment."""
    committed = commit_blob([content], shards)
    assert committed.encoded is not None
    return Blob(content, committed.metadata, committed.encoded)


def make_bad_blob(size: int, shards: int, place: PairIndex) -> Blob:
    """A blob that is the encoding of nothing: at one place it commits to slivers with a flipped bit.

    Every sliver verifies, and its bytes are those of an honest blob wherever that place is not asked.
    """
    good = make_blob(size, shards)

    def spoilt(slivers: Sequence[memoryview]) -> list[memoryview]:
        bad = memoryview(bytes([slivers[place][0] ^ 1]) + bytes(slivers[place][1:]))
        return [bad if pair == place else sliver for pair, sliver in enumerate(slivers)]

    encoded = EncodedSegment(good.encoded.geometry, spoilt(good.encoded.primary), spoilt(good.encoded.secondary))
    return Blob(good.content, BlobMetadata(size, shards, (encoded.metadata(),)), encoded)


async def upload(node: Node, blob: Blob, blob_object: BlobObjectId | None = None) -> None:
    """Give a node all it must hold of a blob."""
    pairs = node.pairs(blob.blob_id)
    await node.client.put_segment(
        blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes(), blob_object=blob_object
    )
