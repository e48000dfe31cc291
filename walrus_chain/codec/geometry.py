"""Sizes and places: everything about a blob's encoding that follows from its size and the number of shards.

A *segment* of at most `SEGMENT_BYTES` becomes a matrix of `rows` x `columns` symbols. Columns are extended to `shards`
rows (the primary slivers), rows to `shards` columns (the secondary slivers). All of it is pure arithmetic, repeated in
Solidity by `RedStuffMath`; tests/vectors/geometry.json holds both to the same numbers.

Source: docs/spec/02-geometry.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.errors import RangeOutsideBlob, UnsupportedGeometry
from walrus_chain.types import Axis, BlobId, PairIndex, ShardIndex

#: Most bytes of a blob that are encoded together.
SEGMENT_BYTES = 32 * 2**20
#: Bytes of a sliver under one Merkle leaf; the last chunk of a sliver may be shorter.
CHUNK_BYTES = 256
#: Bytes of a Merkle node.
ROOT_BYTES = 32
#: Symbols are a whole number of these.
SYMBOL_ALIGNMENT = 8
MIN_SHARDS = 4
MAX_SHARDS = 255
#: Largest blob whose size fits the commitment (unsigned, 64 bits).
MAX_BLOB_BYTES = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Geometry:
    """What follows from the number of shards alone.

    Raises: UnsupportedGeometry: `shards` is outside 4..255.
    """

    shards: int
    """n: sliver pairs of a segment, and slots of a committee."""

    def __post_init__(self) -> None:
        if not MIN_SHARDS <= self.shards <= MAX_SHARDS:
            raise UnsupportedGeometry(f"{self.shards} shards; the encoding takes {MIN_SHARDS} to {MAX_SHARDS}")

    @property
    def faults(self) -> int:
        """f: shards that may be lost or lie without harm."""
        return (self.shards - 1) // 3

    @property
    def rows(self) -> int:
        """r: primary slivers that give a segment back."""
        return self.shards - 2 * self.faults

    @property
    def columns(self) -> int:
        """c: secondary slivers that give a segment back."""
        return self.shards - self.faults

    @property
    def quorum(self) -> int:
        """Shards whose attestations make a certificate."""
        return self.shards - self.faults

    def needed(self, axis: Axis) -> int:
        """Slivers of `axis` that give a segment back; also the symbols in a sliver of the other axis."""
        return self.rows if axis is Axis.PRIMARY else self.columns

    def segment(self, length: int) -> SegmentGeometry:
        """Sizes of a segment that holds `length` bytes of a blob."""
        return SegmentGeometry(self, length)

    def blob(self, size: int) -> BlobGeometry:
        """Sizes of a blob of `size` bytes."""
        return BlobGeometry(self, size)


@dataclass(frozen=True, slots=True)
class SegmentGeometry:
    """What follows from the number of shards and the bytes in one segment.

    Raises: UnsupportedGeometry: `length` is negative or above `SEGMENT_BYTES`.
    """

    geometry: Geometry
    length: int
    """Bytes of the blob in this segment, without padding."""

    def __post_init__(self) -> None:
        if not 0 <= self.length <= SEGMENT_BYTES:
            raise UnsupportedGeometry(f"a segment of {self.length} bytes; at most {SEGMENT_BYTES} are encoded together")

    @property
    def shards(self) -> int:
        """Sliver pairs of the segment."""
        return self.geometry.shards

    @property
    def rows(self) -> int:
        """Rows of the matrix, which is the symbols in a secondary sliver."""
        return self.geometry.rows

    @property
    def columns(self) -> int:
        """Columns of the matrix, which is the symbols in a primary sliver."""
        return self.geometry.columns

    @property
    def symbol_bytes(self) -> int:
        """Bytes of one cell of the matrix: the least multiple of 8, at least 8, so that the segment fits."""
        cells = SYMBOL_ALIGNMENT * self.rows * self.columns
        return SYMBOL_ALIGNMENT * max(1, -(-self.length // cells))

    @property
    def encoded_bytes(self) -> int:
        """Bytes of all sliver pairs together, without metadata."""
        return self.shards * self.pair_bytes

    @property
    def pair_bytes(self) -> int:
        """Bytes of a primary and a secondary sliver together."""
        return (self.rows + self.columns) * self.symbol_bytes

    def needed(self, axis: Axis) -> int:
        """Slivers of `axis` that give the segment back."""
        return self.geometry.needed(axis)

    def symbols(self, axis: Axis) -> int:
        """Symbols in a sliver of `axis`; also the symbols of the other axis that give it back."""
        return self.geometry.needed(axis.other)

    def sliver_bytes(self, axis: Axis) -> int:
        """Bytes of a sliver of `axis`."""
        return self.symbols(axis) * self.symbol_bytes

    def chunks(self, axis: Axis) -> int:
        """Leaves of the Merkle tree over a sliver of `axis`."""
        return -(-self.sliver_bytes(axis) // CHUNK_BYTES)

    def chunk_bytes(self, axis: Axis, first: int, count: int) -> int:
        """Bytes under `count` chunks of a sliver of `axis` from chunk `first` on; fewer where the sliver ends."""
        start = first * CHUNK_BYTES
        return max(0, min(start + count * CHUNK_BYTES, self.sliver_bytes(axis)) - start)


@dataclass(frozen=True, slots=True)
class BlobGeometry:
    """What follows from the number of shards and the size of a whole blob.

    Raises: UnsupportedGeometry: `size` is negative or does not fit 64 bits.
    """

    geometry: Geometry
    size: int
    """Bytes of the blob."""

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_BLOB_BYTES:
            raise UnsupportedGeometry(f"a blob of {self.size} bytes; sizes from 0 to 2**64 - 1 can be committed to")

    @property
    def segments(self) -> int:
        """Segments of the blob; an empty blob has one, of no bytes."""
        return max(1, -(-self.size // SEGMENT_BYTES))

    @property
    def encoded_bytes(self) -> int:
        """Bytes the network is charged for: all sliver pairs, and 64 bytes of metadata a pair."""
        last = self.segment(self.segments - 1)
        full = self.geometry.segment(SEGMENT_BYTES)
        slivers = (self.segments - 1) * full.encoded_bytes + last.encoded_bytes
        return slivers + self.segments * self.geometry.shards * 2 * ROOT_BYTES

    def segment(self, index: int) -> SegmentGeometry:
        """Sizes of segment `index`.

        Raises: RangeOutsideBlob: the blob has no such segment.
        """
        if not 0 <= index < self.segments:
            raise RangeOutsideBlob(f"segment {index} of a blob of {self.segments} segments")
        return self.geometry.segment(min(SEGMENT_BYTES, self.size - index * SEGMENT_BYTES))

    def segment_of(self, offset: int) -> int:
        """The segment that holds byte `offset` of the blob.

        Raises: RangeOutsideBlob: the blob has no such byte.
        """
        if not 0 <= offset < self.size:
            raise RangeOutsideBlob(f"byte {offset} of a blob of {self.size} bytes")
        return offset // SEGMENT_BYTES


def pair_on_shard(blob_id: BlobId, shard: ShardIndex, shards: int) -> PairIndex:
    """The sliver pair of `blob_id` that lives on `shard`, the same in each segment."""
    return PairIndex((shard - int(blob_id)) % shards)


def shard_of_pair(blob_id: BlobId, pair: PairIndex, shards: int) -> ShardIndex:
    """The shard on which sliver pair `pair` of `blob_id` lives."""
    return ShardIndex((pair + int(blob_id)) % shards)
