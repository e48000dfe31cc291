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


class Commitment:
    """The first pass over a blob whose segments come one by one."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._roots: list[SegmentMetadata] = []
        self._size = 0
        self._encoded: EncodedSegment | None = None

    def add(self, segment: Buffer) -> None:
        """The next segment: all but the last of `SEGMENT_BYTES`, none but an only one empty.

        Raises: UnsupportedGeometry: a segment of another length, or `shards` outside 4..255.
        """
        if self._size != len(self._roots) * SEGMENT_BYTES or (self._roots and not segment):
            raise UnsupportedGeometry(f"a segment of {len(segment)} bytes at byte {self._size} of a blob")
        self._encoded = None  # before the next is made, so that there is one at a time
        self._encoded = encode_segment(segment, self._shards)
        self._roots.append(self._encoded.metadata())
        self._size += len(segment)

    def finish(self) -> CommittedBlob:
        """The blob that the segments make up.

        Raises: UnsupportedGeometry: there was none.
        """
        if not self._roots:
            raise UnsupportedGeometry("a blob of no segment; an empty blob has one, of no bytes")
        metadata = BlobMetadata(self._size, self._shards, tuple(self._roots))
        return CommittedBlob(metadata, self._encoded if len(self._roots) == 1 else None)


def commit_blob(segments: Iterable[Buffer], shards: int) -> CommittedBlob:
    """The metadata, and so the blob id, of the blob that `segments` make up.

    Args:
        segments: at least one; all but the last of `SEGMENT_BYTES`, none but an only one empty.
    Raises: UnsupportedGeometry: segments of other lengths, or `shards` outside 4..255.
    """
    commitment = Commitment(shards)
    for segment in segments:
        commitment.add(segment)
    return commitment.finish()


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
