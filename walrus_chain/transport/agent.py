"""What a storage agent can be asked, as a protocol: the client and other agents see nothing else of it.

Every call names the blob, costs one round trip, and raises only errors of `walrus_chain.errors`:

    AgentUnreachable, AgentTimedOut, AgentRefused (AgentIncomplete)   ask later, or another agent
    AgentMisbehaved, WrongLength                                      the agent is faulty or lies: route around it

Bytes that come back have the promised length and nothing more is checked; verify them against the blob's metadata.

Source: docs/spec/09-agent-http.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from walrus_chain.codec.buffers import Buffer
from walrus_chain.messages.attestation import SignedAttestation
from walrus_chain.transport.access import KeyAnswer, KeyQuestion, ReceiptPage, SignedErasableKey
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, PairIndex

#: Most bytes of metadata that are taken from an agent: enough for a blob of 1 TiB over 30 shards.
MAX_METADATA_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """What an agent says after it stored sliver pairs: they are verified and durable."""

    stored: tuple[PairIndex, ...]
    attestation: SignedAttestation | None
    """Present when a blob object was named and the agent holds all it must hold of the blob; not yet verified."""
    missing: tuple[tuple[int, PairIndex], ...] = ()
    """(segment, pair) that the agent still waits for; at most the first hundred."""


@dataclass(frozen=True, slots=True)
class ObjectAtAgent:
    """A blob object as an agent sees it on chain."""

    blob_object: BlobObjectId
    end: Epoch
    certified: bool
    deletable: bool


@dataclass(frozen=True, slots=True)
class BlobAtAgent:
    """What an agent knows and holds of a blob."""

    blob_id: BlobId
    known: bool
    """Whether the agent has the blob's metadata."""
    size: int | None
    segments: int | None
    pairs: tuple[PairIndex, ...]
    """Pairs of which the agent holds every segment: its own, and those that it keeps while they move to other nodes."""
    missing: int
    """How many (segment, pair) it should hold and does not."""
    objects: tuple[ObjectAtAgent, ...]


@dataclass(frozen=True, slots=True)
class ChunkRun:
    """A run of chunks of a sliver with its Merkle path; not yet verified."""

    path: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class AgentHealth:
    """How an agent says it is."""

    status: Literal["ok", "starting", "degraded"]
    node_id: int
    name: str
    version: str
    chain_id: int
    block: int
    lag_seconds: float
    """How far the chain that the agent has seen is behind its clock."""
    disk_free: int | None
    """Bytes; None where the store cannot say."""
    disk_used: int


class AgentClient(Protocol):
    """One storage agent."""

    @property
    def label(self) -> str:
        """The agent's name and address, for messages to people."""

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
        """Store the sliver pairs `pairs` of a segment; sending them again does no harm.

        Args:
            body: for each pair in the order named: primary sliver, secondary sliver. Sent without being copied
                together; must not change until the call returns.
            metadata: the blob's metadata, where the agent may not have it yet.
            blob_object: ask for an attestation of this object when nothing is missing afterwards.
        """

    async def put_metadata(self, blob_id: BlobId, metadata: bytes) -> None:
        """Give the agent a blob's metadata."""

    async def attest(self, blob_id: BlobId, blob_object: BlobObjectId) -> SignedAttestation:
        """The agent's attestation of an object of a blob that it holds; not yet verified.

        Raises: AgentIncomplete: with what the agent misses.
        """

    async def invalidity(self, blob_id: BlobId) -> SignedAttestation:
        """The agent's attestation that a blob does not encode to its id, as it finds out by itself; not yet verified.

        Raises: AgentRefused: with the code `Consistent` when the blob does encode to its id; with `ExaminationUnderWay`
            or `TooBusy` when that is not known yet: ask again.
        """

    async def blob(self, blob_id: BlobId) -> BlobAtAgent:
        """What the agent knows and holds of a blob."""

    async def metadata(self, blob_id: BlobId) -> bytes:
        """A blob's metadata; `BlobMetadata.from_bytes` verifies it."""

    async def sliver(self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, *, length: int) -> bytes:
        """One sliver.

        Args:
            length: bytes it must have, from the geometry; more are never taken in.
        """

    async def chunks(
        self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, *, first: int, count: int, length: int
    ) -> ChunkRun:
        """Chunks `first` .. `first + count - 1` of a sliver, with the path of the run.

        Args:
            length: bytes that the chunks must have, from the geometry.
        """

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
        """The symbols of the lost sliver (`axis`, `target`) where this agent's slivers of the other axis cross it.

        Args:
            pairs: which of the agent's pairs to use; one symbol of `symbol_bytes` comes back for each, in that order.
        """

    async def release_key(self, question: KeyQuestion) -> KeyAnswer:
        """The agent's share of the key to private data, sealed to the session; not yet verified.

        Raises:
            AgentDenied, AgentWantsPayment, AgentRefusedVoucher, AgentAtKeyEpoch: nothing was released.
            AgentRefused: with the code `BlockUnknown` when the agent has not seen the block yet: ask again.
        """

    async def job_output(self, job: int, *, most: int) -> bytes:
        """What a job's run wrote, as this agent keeps it; not yet verified.

        Args:
            most: bytes that are taken: the output's size, or `sealed_output_size` of it.
        """

    async def receipts(
        self, *, blob_object: BlobObjectId | None = None, epoch: Epoch | None = None, after: int = 0
    ) -> ReceiptPage:
        """What the agent released keys for; not yet verified.

        Args:
            blob_object, epoch: only receipts of this object, of this epoch.
            after: `ReceiptPage.next` of the page before.
        """

    async def erasable_key(self, blob_object: BlobObjectId) -> SignedErasableKey:
        """The public part of a key that the agent keeps for this object alone, until it is to be destroyed.

        Asked again, it gives the same one. Not yet verified.
        """

    async def health(self) -> AgentHealth:
        """How the agent says it is."""
