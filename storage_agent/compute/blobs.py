"""Blobs as inputs of runs: ranges of them, got from this node and its peers, every byte checked.

Segments are decoded from verified slivers and encoded again, unless the blob is known to be sound: only so do all nodes
that run a job read the same bytes, also of a blob that somebody encoded wrongly on purpose.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import decode_segment
from walrus_chain.codec.verify import check_strict
from walrus_chain.crypto.chunks import HEADER_BYTES, ChunkCipher, RangeOpener, is_header, plaintext_size
from walrus_chain.types import Axis, BlobId, PairIndex

#: Of a job; IComputeJobs says so.
JOB_INPUTS: Final = 16
#: Of decoded segments that are kept for the next range, of all inputs of a run together: one of each input at least,
#: however long they are, so that a program may read its inputs in turn; or all of inputs that are not longer than this.
KEPT_BYTES: Final = JOB_INPUTS * SEGMENT_BYTES


class Pairs(Protocol):
    """What this node holds; `storage_agent.node.holdings.Holdings` is it."""

    async def verified_pairs(self, metadata: BlobMetadata, segment: int) -> dict[PairIndex, bytes]:
        """The pairs of a segment that are here and still verify."""

    def verdict(self, blob_id: BlobId) -> bool | None:
        """Whether the blob encodes to its id, as this node found out by itself; none while it was not examined."""


class Rows(Protocol):
    """Whoever asks the peers; `storage_agent.sync.fetch.Fetcher` does. What it raises is said there."""

    async def metadata(self, blob_id: BlobId) -> tuple[BlobMetadata, int]:
        """The blob's metadata, and the bytes it took."""

    async def rows(
        self, metadata: BlobMetadata, index: int, own: Mapping[PairIndex, Buffer]
    ) -> tuple[dict[PairIndex, Buffer], int]:
        """As many verified primary slivers of a segment as decoding takes, and the bytes that were fetched."""


class Segments:
    """Decoded segments for one run. Not for several tasks at once."""

    def __init__(self, pairs: Pairs, rows: Rows, kept_bytes: int = KEPT_BYTES) -> None:
        """
        Args:
            kept_bytes: of decoded segments in memory, at most; the last one that was read is always kept.
        """
        self._pairs = pairs
        self._rows = rows
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[tuple[BlobId, int], bytes] = OrderedDict()
        """The least recently read first."""
        self._size = 0

    async def open(self, blob_id: BlobId) -> BlobInput:
        """A blob.

        Raises: MetadataUnreachable: no peer gave its metadata.
        """
        metadata, _ = await self._rows.metadata(blob_id)
        return BlobInput(self, metadata)

    async def segment(self, metadata: BlobMetadata, index: int) -> bytes:
        """The bytes of a segment.

        Raises:
            NotEnoughSlivers: too few peers answered well.
            InconsistentEncoding: it is the encoding of nothing.
        """
        place = (metadata.blob_id, index)
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        own = await self._pairs.verified_pairs(metadata, index)
        rows, _ = await self._rows.rows(metadata, index, own)
        is_sound = self._pairs.verdict(metadata.blob_id) is True
        data = await asyncio.to_thread(_decode, metadata, index, rows, is_sound=is_sound)
        self._kept[place] = data
        self._size += len(data)
        while self._size > self._kept_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped)
        return data


class BlobInput:
    """A blob as its bytes are stored."""

    def __init__(self, segments: Segments, metadata: BlobMetadata) -> None:
        self._segments = segments
        self._metadata = metadata

    @property
    def size(self) -> int:
        """In bytes."""
        return self._metadata.size

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; the range is within the size.

        Raises: NotEnoughSlivers, InconsistentEncoding.
        """
        parts, end = [], offset + length
        while offset < end:
            index, start = divmod(offset, SEGMENT_BYTES)
            part = (await self._segments.segment(self._metadata, index))[start : start + end - offset]
            parts.append(part)
            offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def is_encrypted(self) -> bool:
        """Whether it begins as encrypted data do."""
        return is_header(await self.read(0, min(HEADER_BYTES, self.size)))


class SealedInput:
    """A blob with encrypted data, as the data are."""

    def __init__(self, blob: BlobInput, cipher: ChunkCipher) -> None:
        """Raises: MalformedCiphertext: no encrypted data has so many bytes."""
        self._blob = blob
        self._cipher = cipher
        self._size = plaintext_size(blob.size)

    @classmethod
    async def open(cls, blob: BlobInput, data_key: bytes) -> SealedInput:
        """The data in a blob.

        Raises:
            MalformedCiphertext: it does not begin as encrypted data do.
            WrongDataKey: the owner published another key than the data's; and what reading raises.
        """
        return cls(blob, ChunkCipher.of_header(data_key, await blob.read(0, min(HEADER_BYTES, blob.size))))

    @property
    def size(self) -> int:
        """Of the data, in bytes."""
        return self._size

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes of the data.

        Raises: ChunkNotOpened: the blob holds something else; and what reading raises.
        """
        opener = RangeOpener(self._cipher, self._size, offset, offset + length)
        data = bytes(opener.feed(await self._blob.read(opener.first_byte, opener.end_byte - opener.first_byte)))
        opener.finish()
        return data


def _decode(metadata: BlobMetadata, index: int, rows: Mapping[PairIndex, Buffer], *, is_sound: bool) -> bytes:
    geometry = metadata.geometry.segment(index)
    data = decode_segment(rows, Axis.PRIMARY, geometry)
    if not is_sound:
        check_strict(metadata.blob_id, data, metadata.segments[index], geometry)
    return data
