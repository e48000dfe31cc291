"""Storage agents inside one process, for tests: the real codec, the real signatures, no socket, no disk.

A `MemoryAgent` keeps the rules of a real agent: it takes nothing for a blob that is not registered, nor pairs of
others' shards, verifies what it is given, and attests only when nothing is missing. `MemoryAgent.faults` makes it lie,
refuse, break off or stall.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from walrus_chain import __version__
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import CHUNK_BYTES, SegmentGeometry, pair_on_shard
from walrus_chain.codec.merkle import SliverTree
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import decode_segment, recovery_symbol
from walrus_chain.codec.verify import check_strict, split_pair, verify_pair
from walrus_chain.errors import (
    AgentIncomplete,
    AgentRefused,
    AgentUnreachable,
    InconsistentEncoding,
    NotEnoughSlivers,
    Untrusted,
    WrongLength,
)
from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation, StorageAttestation
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import Signer
from walrus_chain.transport.access import KeyAnswer, KeyQuestion, ReceiptPage, SignedErasableKey
from walrus_chain.transport.agent import AgentHealth, BlobAtAgent, ChunkRun, ObjectAtAgent, StoreAnswer
from walrus_chain.transport.memory_keys import MemoryKeys
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, NodeId, PairIndex, ShardIndex


class Lie(Enum):
    """What a faulty agent gets wrong."""

    SLIVER = "slivers have a flipped bit"
    CHUNKS = "chunks have a flipped bit"
    PATH = "Merkle paths have a flipped bit"
    SYMBOL = "recovery symbols have a flipped bit"
    METADATA = "metadata has a flipped bit"
    SIGNATURE = "attestations are signed over other words"
    LENGTH = "slivers are one byte short"


@dataclass(slots=True)
class Faults:
    """What is wrong with an agent at the moment; set the fields between or during calls."""

    lies: set[Lie] = field(default_factory=set)
    unreachable: bool = False
    """Every call fails at once, as when the process is not there."""
    stalled: bool = False
    """No call ever returns, as when packets vanish."""
    seconds: float = 0.0
    """How long each call takes, by the loop's clock."""
    lost: set[Axis] = field(default_factory=set)
    """Slivers of these axes are not there any more."""
    refusals: list[AgentRefused] = field(default_factory=list)
    """Raised by the next calls, one each, first first."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A live registration of a blob, as the chain tells it to agents."""

    blob_object: BlobObjectId
    size: int
    end: Epoch
    certified: bool
    deletable: bool


class Ledger(Protocol):
    """What agents know from the chain."""

    @property
    def committee_epoch(self) -> Epoch:
        """The epoch in which the committee took office."""

    @property
    def registry(self) -> Domain:
        """The domain that attestations are signed in."""

    def live(self, blob_id: BlobId) -> Sequence[LedgerEntry]:
        """The live objects of a blob."""


class MemoryAgent:
    """A storage agent in memory; see `walrus_chain.transport.agent.AgentClient` for its calls."""

    def __init__(
        self,
        node_id: NodeId,
        shards: Iterable[ShardIndex],
        of_shards: int,
        *,
        signer: Signer,
        ledger: Ledger,
    ) -> None:
        """
        Args:
            shards: the shards of this agent's node.
            of_shards: n.
        """
        self.node_id = node_id
        self.shards = tuple(shards)
        self.former_shards: tuple[ShardIndex, ...] = ()
        """Those that it served in the committee before."""
        self.of_shards = of_shards
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        """How often each call was made."""
        self.label = f"node-{node_id} (memory)"
        self._signer = signer
        self._ledger = ledger
        self.keys: MemoryKeys | None = None
        """Its keys to private data; None where it has none."""
        self.outputs: dict[int, bytes] = {}
        """What jobs wrote, by job, as it is served."""
        self.peers: Sequence[MemoryAgent] = ()
        """The others, for what an agent cannot find out alone."""
        self._metadata: dict[BlobId, BlobMetadata] = {}
        self._pairs: dict[tuple[BlobId, int, PairIndex], bytes] = {}

    def wipe(self) -> None:
        """Loses everything, as when a disk is replaced."""
        self._metadata.clear()
        self._pairs.clear()

    def take_office(self, shards: Iterable[ShardIndex]) -> None:
        """Serves these shards from now on, in another committee. What it has it keeps; see `trim`."""
        self.former_shards, self.shards = self.shards, tuple(shards)

    def trim(self) -> None:
        """Drops what is not on its shards; all of it when it has none."""
        kept = {blob_id: set(self._own_pairs(blob_id)) for blob_id in self._metadata}
        for key in [key for key in self._pairs if key[2] not in kept[key[0]]]:
            del self._pairs[key]
        if not self.shards:
            self._metadata.clear()

    def lose(self, blob_id: BlobId, pair: PairIndex) -> None:
        """Loses one pair of a blob, in all segments."""
        for key in [key for key in self._pairs if key[0] == blob_id and key[2] == pair]:
            del self._pairs[key]

    # -- the calls of AgentClient ------------------------------------------------------------------------------------

    async def put_segment(
        self,
        blob_id: BlobId,
        segment: int,
        pairs: Sequence[PairIndex],
        body: Sequence[Buffer],
        *,
        metadata: bytes | None = None,
        blob_object: BlobObjectId | None = None,
    ) -> StoreAnswer:
        """Store the sliver pairs `pairs` of a segment."""
        await self._enter("put_segment")
        self._check_registered(blob_id)
        if metadata is not None:
            self._take_metadata(blob_id, metadata)
        known = self._known(blob_id)
        geometry = known.geometry.segment(segment)
        data = b"".join(body)
        if len(data) != geometry.pair_bytes * len(pairs):
            raise self._refusal(400, "WrongBodyLength", f"{len(data)} bytes for {len(pairs)} pairs")
        for place, pair in enumerate(pairs):
            if pair not in self._own_pairs(blob_id):
                moved = pair in self._pairs_on(self.former_shards, blob_id)
                raise self._refusal(
                    421, "CommitteeChanged" if moved else "ForeignPair", f"pair {pair} does not live here"
                )
            piece = data[place * geometry.pair_bytes : (place + 1) * geometry.pair_bytes]
            try:
                verify_pair(piece, pair, known.segments[segment], geometry)
            except Untrusted as error:
                raise self._refusal(422, "DoesNotVerify", f"pair {pair}: {error}") from error
            self._pairs[blob_id, segment, pair] = piece
        missing = self._missing(blob_id)
        attestation = None
        if blob_object is not None and not missing:
            attestation = self._sign(blob_id, blob_object)
        return StoreAnswer(tuple(pairs), attestation, missing[:100])

    async def put_metadata(self, blob_id: BlobId, metadata: bytes) -> None:
        """Give the agent a blob's metadata."""
        await self._enter("put_metadata")
        self._check_registered(blob_id)
        self._take_metadata(blob_id, metadata)

    async def attest(self, blob_id: BlobId, blob_object: BlobObjectId) -> SignedAttestation:
        """The agent's attestation of an object of a blob that it holds."""
        await self._enter("attest")
        self._known(blob_id)
        if missing := self._missing(blob_id):
            raise AgentIncomplete(self.label, f"{len(missing)} pairs are missing", missing[:100])
        return self._sign(blob_id, blob_object)

    async def invalidity(self, blob_id: BlobId) -> SignedAttestation:
        """The agent's attestation that a blob does not encode to its id, as it finds out by itself."""
        await self._enter("invalidity")
        self._check_registered(blob_id)
        known = self._known(blob_id)
        if all(self._encodes(known, segment) for segment in range(known.geometry.segments)):
            raise self._refusal(409, "Consistent", f"blob {blob_id} encodes to its id")
        attestation = InvalidityAttestation(blob_id, self._ledger.committee_epoch)
        if Lie.SIGNATURE in self.faults.lies:
            other = InvalidityAttestation(blob_id, Epoch(attestation.epoch + 1))
            return SignedAttestation(
                attestation, self._signer.address, other.sign(self._signer, self._ledger.registry).signature
            )
        return attestation.sign(self._signer, self._ledger.registry)

    async def blob(self, blob_id: BlobId) -> BlobAtAgent:
        """What the agent knows and holds of a blob."""
        await self._enter("blob")
        entries = self._ledger.live(blob_id)
        known = self._metadata.get(blob_id)
        missing = self._missing(blob_id) if known else ()
        segments = range(known.geometry.segments if known else 0)
        kept = sorted({*self._own_pairs(blob_id), *self._pairs_on(self.former_shards, blob_id)})
        here = [pair for pair in kept if all((blob_id, segment, pair) in self._pairs for segment in segments)]
        return BlobAtAgent(
            blob_id=blob_id,
            known=known is not None,
            size=known.size if known else None,
            segments=len(known.segments) if known else None,
            pairs=tuple(here) if known else (),
            missing=len(missing),
            objects=tuple(ObjectAtAgent(e.blob_object, e.end, e.certified, e.deletable) for e in entries),
        )

    async def metadata(self, blob_id: BlobId) -> bytes:
        """A blob's metadata."""
        await self._enter("metadata")
        return self._lied(Lie.METADATA, self._known(blob_id).to_bytes())

    async def sliver(self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, *, length: int) -> bytes:
        """One sliver."""
        await self._enter("sliver")
        sliver = self._lied(Lie.SLIVER, self._sliver(blob_id, segment, axis, pair))
        if Lie.LENGTH in self.faults.lies:
            raise WrongLength(f"{axis.value} sliver {pair} from {self.label}", length, len(sliver) - 1)
        return sliver

    async def chunks(
        self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, *, first: int, count: int, length: int
    ) -> ChunkRun:
        """Chunks of a sliver, with the path of the run."""
        await self._enter("chunks")
        sliver = self._sliver(blob_id, segment, axis, pair)
        path = SliverTree(sliver).prove_run(first, count)
        if path:
            path[0] = self._lied(Lie.PATH, path[0])
        data = sliver[first * CHUNK_BYTES : (first + count) * CHUNK_BYTES]
        return ChunkRun(tuple(path), self._lied(Lie.CHUNKS, data))

    async def symbols(
        self,
        blob_id: BlobId,
        segment: int,
        *,
        axis: Axis,
        target: PairIndex,
        pairs: Sequence[PairIndex],
        symbol_bytes: int,
    ) -> list[bytes]:
        """Recovery symbols for a lost sliver."""
        await self._enter("symbols")
        geometry = self._geometry(blob_id, segment)
        slivers = [self._sliver(blob_id, segment, axis.other, pair) for pair in pairs]
        symbols = [recovery_symbol(sliver, axis.other, target, geometry) for sliver in slivers]
        return [self._lied(Lie.SYMBOL, symbol) for symbol in symbols]

    async def release_key(self, question: KeyQuestion) -> KeyAnswer:
        """The agent's share of the key to private data."""
        await self._enter("release_key")
        return self._with_keys().release(question)

    async def job_output(self, job: int, *, most: int) -> bytes:
        """What a job's run wrote, as this agent keeps it."""
        await self._enter("job_output")
        if job not in self.outputs:
            raise self._refusal(404, "UnknownOutput", f"this node has no output of job {job}")
        output = self.outputs[job]
        if len(output) > most:
            raise WrongLength(f"output of job {job} from {self.label}", most, len(output))
        return output

    async def receipts(
        self, *, blob_object: BlobObjectId | None = None, epoch: Epoch | None = None, after: int = 0
    ) -> ReceiptPage:
        """What the agent released keys for; all of it in one page."""
        await self._enter("receipts")
        return self._with_keys().receipts(blob_object, epoch)

    async def erasable_key(self, blob_object: BlobObjectId) -> SignedErasableKey:
        """The public part of a key that the agent keeps for this object alone."""
        await self._enter("erasable_key")
        return self._with_keys().erasable_key(blob_object)

    async def health(self) -> AgentHealth:
        """How the agent says it is."""
        await self._enter("health")
        used = sum(map(len, self._pairs.values()))
        return AgentHealth("ok", self.node_id, f"node-{self.node_id}", __version__, 0, 0, 0.0, None, used)

    # -- how it comes to its answers ---------------------------------------------------------------------------------

    async def _enter(self, call: str) -> None:
        self.calls[call] += 1
        if self.faults.unreachable:
            raise AgentUnreachable(self.label, "connection refused")
        if self.faults.stalled:
            await asyncio.Event().wait()
        if self.faults.seconds:
            await asyncio.sleep(self.faults.seconds)
        if self.faults.refusals:
            raise self.faults.refusals.pop(0)

    def _with_keys(self) -> MemoryKeys:
        if self.keys is None:
            raise self._refusal(404, "NoSuchRoute", "this agent has no keys")
        return self.keys

    def _lied(self, lie: Lie, truth: bytes) -> bytes:
        return bytes([truth[0] ^ 1]) + truth[1:] if lie in self.faults.lies else truth

    def _own_pairs(self, blob_id: BlobId) -> list[PairIndex]:
        return self._pairs_on(self.shards, blob_id)

    def _pairs_on(self, shards: Iterable[ShardIndex], blob_id: BlobId) -> list[PairIndex]:
        return sorted(pair_on_shard(blob_id, shard, self.of_shards) for shard in shards)

    def _check_registered(self, blob_id: BlobId) -> None:
        if not self._ledger.live(blob_id):
            raise self._refusal(425, "NotRegisteredYet", f"blob {blob_id} is not registered", retryable=True)

    def _take_metadata(self, blob_id: BlobId, data: bytes) -> None:
        try:
            self._metadata[blob_id] = BlobMetadata.from_bytes(data, blob_id)
        except Untrusted as error:
            raise self._refusal(422, "DoesNotVerify", str(error)) from error

    def _known(self, blob_id: BlobId) -> BlobMetadata:
        if (known := self._metadata.get(blob_id)) is None:
            raise self._refusal(404, "UnknownBlob", f"blob {blob_id} is not stored here")
        return known

    def _geometry(self, blob_id: BlobId, segment: int) -> SegmentGeometry:
        return self._known(blob_id).geometry.segment(segment)

    def _missing(self, blob_id: BlobId) -> tuple[tuple[int, PairIndex], ...]:
        segments = range(self._known(blob_id).geometry.segments)
        due = [(segment, pair) for segment in segments for pair in self._own_pairs(blob_id)]
        return tuple((segment, pair) for segment, pair in due if (blob_id, segment, pair) not in self._pairs)

    def _sliver(self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex) -> bytes:
        geometry = self._geometry(blob_id, segment)
        held = self._pairs.get((blob_id, segment, pair))
        if held is None or axis in self.faults.lost:
            raise self._refusal(404, "NotStored", f"pair {pair} of segment {segment} is not stored here")
        return bytes(split_pair(held, geometry)[axis is Axis.SECONDARY])

    def _encodes(self, known: BlobMetadata, segment: int) -> bool:
        """Whether a segment is the encoding of something, by the slivers of all agents."""
        geometry = known.geometry.segment(segment)
        rows = {
            pair: split_pair(data, geometry)[0]
            for agent in (self, *self.peers)
            for (blob_id, place, pair), data in agent._pairs.items()
            if (blob_id, place) == (known.blob_id, segment)
        }
        try:
            data = decode_segment(rows, Axis.PRIMARY, geometry)
            check_strict(known.blob_id, data, known.segments[segment], geometry)
        except NotEnoughSlivers as error:
            raise self._refusal(503, "NotEnoughSlivers", str(error), retryable=True) from error
        except InconsistentEncoding:
            return False
        return True

    def _sign(self, blob_id: BlobId, blob_object: BlobObjectId) -> SignedAttestation:
        entry = next((entry for entry in self._ledger.live(blob_id) if entry.blob_object == blob_object), None)
        if entry is None:
            raise self._refusal(425, "NotRegisteredYet", f"object {blob_object} is not registered", retryable=True)
        attestation = StorageAttestation(blob_id, blob_object, self._ledger.committee_epoch, entry.deletable)
        if Lie.SIGNATURE in self.faults.lies:
            other = StorageAttestation(blob_id, blob_object, attestation.epoch, not attestation.deletable)
            return SignedAttestation(
                attestation, self._signer.address, other.sign(self._signer, self._ledger.registry).signature
            )
        return attestation.sign(self._signer, self._ledger.registry)

    def _refusal(self, status: int, code: str, message: str, *, retryable: bool = False) -> AgentRefused:
        return AgentRefused(self.label, status, code, message, retryable=retryable)
