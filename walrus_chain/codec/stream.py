"""Blobs of any size in bounded memory: one segment at a time, in one pass to commit and one to send.

A blob of one segment is encoded once: `commit_blob` hands its encoding back. A longer one is encoded twice, first to
learn the blob id, without which nothing can be sent, then to have the slivers again, this time without hashing.

Source: docs/spec/02-geometry.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.codec.redstuff import EncodedSegment, encode_segment
from walrus_chain.errors import UnsupportedGeometry


class Readable(Protocol):
    """What a blob is read from: a file, a pipe, an object in memory."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class CommittedBlob:
    """A blob after the first pass."""

    metadata: BlobMetadata
    encoded: EncodedSegment | None
    """The encoding, where the blob has but one segment; None where a second pass has to make it again."""


def iter_segments(source: Readable) -> Iterator[bytes]:
    """The segments of all that `source` has to give; an empty source has one, of no bytes.

    Sources that give less than they are asked for, as pipes do, are asked again.
    """
    segment = _read_segment(source)
    yield segment
    while len(segment) == SEGMENT_BYTES and (segment := _read_segment(source)):
        yield segment


def commit_blob(segments: Iterable[Buffer], shards: int) -> CommittedBlob:
    """The metadata, and so the blob id, of the blob that `segments` make up.

    Args:
        segments: at least one; all but the last of `SEGMENT_BYTES`, none but an only one empty.
    Raises: UnsupportedGeometry: segments of other lengths, or `shards` outside 4..255.
    """
    roots: list[SegmentMetadata] = []
    size, encoded = 0, None
    for segment in segments:
        if size != len(roots) * SEGMENT_BYTES or (roots and not segment):
            raise UnsupportedGeometry(f"a segment of {len(segment)} bytes at byte {size} of a blob")
        encoded = None
        encoded = encode_segment(segment, shards)
        roots.append(encoded.metadata())
        size += len(segment)
    if not roots:
        raise UnsupportedGeometry("a blob of no segment; an empty blob has one, of no bytes")
    return CommittedBlob(BlobMetadata(size, shards, tuple(roots)), encoded if len(roots) == 1 else None)


def encode_segments(segments: Iterable[Buffer], shards: int) -> Iterator[EncodedSegment]:
    """The encoding of each segment, not hashed. Drop each before asking for the next, to hold one at a time."""
    return (encode_segment(segment, shards) for segment in segments)


def _read_segment(source: Readable) -> bytes:
    first = source.read(SEGMENT_BYTES)
    if len(first) == SEGMENT_BYTES or not first:
        return first
    pieces, size = [first], len(first)
    while size < SEGMENT_BYTES and (piece := source.read(SEGMENT_BYTES - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)
