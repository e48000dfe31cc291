"""What a blob id commits to: the size, the number of shards, and the roots of all slivers of all segments.

Metadata is self-certifying: hashed up, it gives the blob id. On the wire:

    encoding u8 (1) || shards u16 || size u64 || per segment, per pair in order: primary root, secondary root

all big-endian, roots of 32 bytes, nothing after.

Source: docs/spec/03-commitment.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from walrus_chain.codec import hashing
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import ROOT_BYTES, BlobGeometry, Geometry
from walrus_chain.codec.nodes import BLOB_TAG, pair_hash
from walrus_chain.errors import CommitmentMismatch, MalformedMetadata, UnsupportedGeometry
from walrus_chain.types import Axis, BlobId, PairIndex

#: The only encoding there is: RedStuff as in docs/spec/02-geometry.md.
ENCODING = 1
_HEADER = struct.Struct(">BHQ")


class PairRoots(NamedTuple):
    """The roots of both slivers of a pair."""

    primary: bytes
    secondary: bytes


@dataclass(frozen=True, slots=True)
class SegmentMetadata:
    """The sliver roots of one segment, pair by pair."""

    roots: bytes
    """For each pair its primary root, then its secondary root: 64 bytes a pair."""

    @property
    def shards(self) -> int:
        """Sliver pairs of the segment."""
        return len(self.roots) // (2 * ROOT_BYTES)

    @property
    def pairs(self) -> Iterator[PairRoots]:
        """The roots of each pair, in order."""
        roots = self.roots
        return (PairRoots(roots[i : i + 32], roots[i + 32 : i + 64]) for i in range(0, len(roots), 2 * ROOT_BYTES))

    def sliver_root(self, axis: Axis, pair: PairIndex) -> bytes:
        """The root of one sliver; `pair` is 0..shards - 1."""
        start = (2 * pair + (axis is Axis.SECONDARY)) * ROOT_BYTES
        return self.roots[start : start + ROOT_BYTES]

    def levels(self) -> list[bytes]:
        """All levels of the segment tree, pair nodes first, as in `hashing.tree_levels`."""
        return hashing.tree_levels(b"".join([pair_hash(*pair) for pair in self.pairs]))

    @property
    def root(self) -> bytes:
        """The root of the segment tree; computed anew on each call."""
        return self.levels()[-1]


@dataclass(frozen=True, slots=True)
class BlobMetadata:
    """The metadata of a whole blob; `blob_id` is computed from the rest.

    Raises:
        UnsupportedGeometry: size or number of shards are outside the encoding.
        MalformedMetadata: segments or roots are too many or too few for size and shards.
    """

    size: int
    """Bytes of the blob."""
    shards: int
    """Sliver pairs of each segment."""
    segments: tuple[SegmentMetadata, ...] = field(repr=False)
    blob_id: BlobId = field(init=False, compare=False)
    """What all of it hashes to."""

    def __post_init__(self) -> None:
        expected = self.geometry.segments
        if len(self.segments) != expected:
            raise MalformedMetadata(f"{len(self.segments)} segments, a blob of {self.size} bytes has {expected}")
        if any(len(segment.roots) != 2 * ROOT_BYTES * self.shards for segment in self.segments):
            raise MalformedMetadata(f"a segment has other than {2 * self.shards} roots of {ROOT_BYTES} bytes")
        content_root = hashing.tree_root(b"".join([segment.root for segment in self.segments]))
        object.__setattr__(self, "blob_id", blob_id_of(self.shards, self.size, content_root))

    @property
    def geometry(self) -> BlobGeometry:
        """The sizes that follow from size and shards."""
        return Geometry(self.shards).blob(self.size)

    def content_levels(self) -> list[bytes]:
        """All levels of the content tree, segment roots first, as in `hashing.tree_levels`; computed on each call."""
        return hashing.tree_levels(b"".join([segment.root for segment in self.segments]))

    def to_bytes(self) -> bytes:
        """The metadata as it travels and is stored."""
        header = _HEADER.pack(ENCODING, self.shards, self.size)
        return b"".join((header, *(segment.roots for segment in self.segments)))

    @classmethod
    def from_bytes(cls, data: Buffer, expected: BlobId | None = None) -> BlobMetadata:
        """The metadata in `data`.

        Args:
            expected: the blob it has to belong to; None only where the bytes are trusted already.
        Raises:
            MalformedMetadata: unknown encoding, impossible geometry, or a byte too many or too few.
            CommitmentMismatch: metadata of another blob than `expected`.
        """
        view = memoryview(data)
        if len(view) < _HEADER.size:
            raise MalformedMetadata(f"{len(view)} bytes are too few for a header of {_HEADER.size}")
        encoding, shards, size = _HEADER.unpack_from(view)
        if encoding != ENCODING:
            raise MalformedMetadata(f"encoding {encoding} is unknown, {ENCODING} is the only one")
        try:
            geometry = Geometry(shards).blob(size)
        except UnsupportedGeometry as error:
            raise MalformedMetadata(str(error)) from error
        if len(view) != (due := metadata_bytes(geometry)):
            raise MalformedMetadata(f"{len(view)} bytes, metadata of such a blob has {due}")
        width = 2 * ROOT_BYTES * shards
        segments = tuple(SegmentMetadata(bytes(view[i : i + width])) for i in range(_HEADER.size, due, width))
        metadata = cls(size, shards, segments)
        if expected is not None and metadata.blob_id != expected:
            raise CommitmentMismatch(f"the metadata of blob {expected}", expected.digest, metadata.blob_id.digest)
        return metadata


def metadata_bytes(geometry: BlobGeometry) -> int:
    """Bytes of the metadata of a blob on the wire."""
    return _HEADER.size + 2 * ROOT_BYTES * geometry.geometry.shards * geometry.segments


def blob_id_of(shards: int, size: int, content_root: bytes) -> BlobId:
    """The blob id over a content tree."""
    return BlobId(sha256(BLOB_TAG + _HEADER.pack(ENCODING, shards, size) + content_root).digest())
