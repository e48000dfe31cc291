"""What the catalogue answers, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from storage_agent.state.objects import Standing
from storage_agent.state.plan import WorkKind
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.types import Address, BlobId, PairIndex


@dataclass(frozen=True, slots=True)
class BlobRow:
    """What the node knows and has of a blob."""

    blob_id: BlobId
    standing: Standing
    size: int | None
    """Bytes of the blob, from its metadata; none while the metadata is not here."""
    segments: int | None
    """Segments of the blob; none while the metadata is not here."""
    held: int
    """Pairs held of those the node must hold, over all segments."""
    required: int | None
    """Pairs the node must hold, over all segments; none while the metadata is not here."""
    bytes: int
    """Bytes of pairs and metadata on this node."""
    sound: bool | None
    """Whether the blob encodes to its id, as this node found out by itself; none while it was not examined."""

    @property
    def complete(self) -> bool:
        """Whether everything the node must hold of the blob is durable."""
        return self.required is not None and self.held >= self.required

    @property
    def missing(self) -> int | None:
        """How many pairs are missing; none while the metadata is not here."""
        return None if self.required is None else max(0, self.required - self.held)


@dataclass(frozen=True, slots=True)
class PairPlace:
    """Where bytes of a sliver pair are."""

    pack: int
    start: int
    """The first of the bytes asked for, counted from the start of the pack."""
    length: int
    """How many of the bytes asked for there are."""
    data: bytes | None
    """The bytes asked for, when the pack is in the catalogue itself."""


@dataclass(frozen=True, slots=True)
class PackRow:
    """Bytes that were stored together: pairs of one segment, one after the other."""

    pack: int
    blob_id: BlobId
    segment: int
    bytes: int
    checked_at: float
    """Seconds since 1970: when its bytes were last known to be right."""
    pairs: tuple[tuple[PairIndex, int, int], ...]
    """The pairs that are still in use: (pair, start, bytes)."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something to do. Kind and blob are the key under which it is done once."""

    kind: WorkKind
    blob_id: BlobId | None
    """None where no single blob is concerned."""
    attempts: int
    """How often it failed so far."""
    problem: str
    """Why it failed last."""


@dataclass(frozen=True, slots=True)
class GivenAttestation:
    """An attestation that this node gave."""

    attestation: StorageAttestation
    signer: Address
    signature: bytes
    """65 bytes r ‖ s ‖ v."""
    given_at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The catalogue in figures, for operators."""

    blobs: int
    """Blobs of which the node holds bytes."""
    certified: int
    """Blobs that the network answers for."""
    pairs: int
    bytes: int
    """Bytes of pairs and metadata."""
    heal: int
    """Blobs to be healed."""
    free: int
    """Blobs whose space is to be freed."""
    trim: int
    """Blobs with pairs that are other nodes' now."""
    facts: int
    """Facts of the chain that are kept."""
