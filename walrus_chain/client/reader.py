"""Reads blobs as they were before they were encrypted, if they were: `Client.read` gives a `Reader`.

Encrypted data begins with a header, so a blob says itself whether it is private. While the nodes are asked for the key,
the ciphertext is on its way already; of a range only the chunks that it touches are read.

Source: docs/spec/12-keys.md, docs/guides/private-data.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Final

from walrus_chain.client.keys import OpenedKey
from walrus_chain.client.read import BlobReader
from walrus_chain.client.reputation import Suspect
from walrus_chain.client.results import KeyUse, ReadSummary
from walrus_chain.client.sealing import Heads, PrivateHead
from walrus_chain.codec.buffers import Buffer
from walrus_chain.crypto.chunks import (
    HEADER_BYTES,
    ChunkCipher,
    RangeOpener,
    ciphertext_range,
    is_header,
    plaintext_size,
)
from walrus_chain.errors import Bug, RangeOutsideBlob
from walrus_chain.types import BlobId

#: So many bytes of ciphertext are opened before others get their turn.
_AT_ONCE: Final = 2**20


class Reader:
    """The bytes `[start, stop)` of a blob, decrypted where it is private, as an asynchronous iterator of pieces.

    Use it in `async with`, or iterate to the end: leaving it half-way without closing keeps requests open.
    """

    def __init__(
        self,
        resolve: Callable[[], Awaitable[BlobId]],
        stored: Callable[[BlobId, int, int | None], BlobReader],
        unlock: Callable[[BlobId], Awaitable[OpenedKey]],
        heads: Heads,
        start: int = 0,
        stop: int | None = None,
        *,
        raw: bool = False,
    ) -> None:
        """
        Args:
            resolve: which blob is meant.
            stored: reads bytes of a blob as it is stored.
            unlock: gets the key of a blob.
            heads: what is known of blobs; what turns out is added.
            stop: one past the last byte; None for the blob's end.
            raw: give the stored bytes, encrypted or not.
        """
        self.blob_id: BlobId | None = None
        """None until the first piece is there."""
        self.size: int | None = None
        """Bytes of the whole blob, before it was encrypted; None until the first piece is there."""
        self.read = 0
        """Bytes handed out so far."""
        self.use: KeyUse | None = None
        """What it took to get the key; None for public data."""
        self._resolve, self._stored_bytes, self._unlock, self._heads = resolve, stored, unlock, heads
        self._start, self._stop, self._raw = start, stop, raw
        self._readers: list[BlobReader] = []
        self._pieces = self._iterate()

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """Agents that sent something that does not verify during this read."""
        found = [suspect for reader in self._readers for suspect in reader.suspects]
        found += self.use.suspects if self.use is not None else ()
        return tuple({suspect.agent: suspect for suspect in reversed(found)}.values())[::-1]

    @property
    def summary(self) -> ReadSummary:
        """What can be said of the read when it is over."""
        if self.blob_id is None:
            raise Bug("a read was asked for its summary before it began")
        return ReadSummary(self.blob_id, self.read, self.suspects, self.use)

    def __aiter__(self) -> AsyncIterator[Buffer]:
        return self

    async def __anext__(self) -> Buffer:
        piece = await anext(self._pieces)
        self.read += len(piece)
        return piece

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the read; requests under way are dropped."""
        await self._pieces.aclose()

    # -- what is read ------------------------------------------------------------------------------------------------

    async def _iterate(self) -> AsyncGenerator[Buffer, None]:
        blob_id = self.blob_id = await self._resolve()
        known, whole = blob_id in self._heads, self._start == 0 and self._stop is None
        if self._raw:
            pieces = self._stored(blob_id, self._start, self._stop)
        elif whole and not known:
            pieces = self._whole(blob_id)
        elif (head := self._heads[blob_id] if known else await self._peek(blob_id)) is None:
            pieces = self._stored(blob_id, self._start, self._stop)
        else:
            pieces = self._private(blob_id, head)
        async with aclosing(pieces):
            async for piece in pieces:
                if self.size is None:
                    self.size = self._readers[-1].size
                yield piece
        if self.size is None:
            self.size = self._readers[-1].size

    async def _stored(self, blob_id: BlobId, start: int, stop: int | None) -> AsyncGenerator[Buffer, None]:
        reader = self._stored_bytes(blob_id, start, stop)
        self._readers.append(reader)
        async with reader:
            async for piece in reader:
                yield piece

    async def _peek(self, blob_id: BlobId) -> PrivateHead | None:
        """What a blob begins with."""
        pieces = self._stored(blob_id, 0, HEADER_BYTES)
        try:
            async with aclosing(pieces):
                first = b"".join([bytes(piece) async for piece in pieces])
        except RangeOutsideBlob:
            first = b""
        return self._learn(blob_id, first)

    def _learn(self, blob_id: BlobId, first: bytes) -> PrivateHead | None:
        head = None
        if len(first) == HEADER_BYTES and is_header(first):
            head = PrivateHead(first, self._readers[-1].size or 0)
        self._heads[blob_id] = head
        return head

    async def _whole(self, blob_id: BlobId) -> AsyncGenerator[Buffer, None]:
        """All of a blob, of which it is not known yet whether it is private."""
        async with aclosing(self._stored(blob_id, 0, None)) as pieces:
            first: list[Buffer] = []
            while sum(map(len, first)) < HEADER_BYTES and (piece := await anext(pieces, None)) is not None:
                first.append(piece)
            begin = b"".join(bytes(memoryview(piece)[:HEADER_BYTES]) for piece in first)[:HEADER_BYTES]
            head = self._learn(blob_id, begin)
            if head is None:
                for piece in first:
                    yield piece
                async for piece in pieces:
                    yield piece
                return
            opener = self._opener(await self._unlock(blob_id), head)
            first = [memoryview(first[0] if len(first) == 1 else b"".join(first))[HEADER_BYTES:]]
            async with aclosing(_opened(opener, first, pieces)) as plain:
                async for piece in plain:
                    yield piece

    async def _private(self, blob_id: BlobId, head: PrivateHead) -> AsyncGenerator[Buffer, None]:
        """A part of a private blob: the chunks that hold it."""
        size = plaintext_size(head.stored_size)
        first_byte, end_byte, _ = ciphertext_range(self._start, size if self._stop is None else self._stop, size)
        unlocking = asyncio.ensure_future(self._unlock(blob_id))
        try:
            async with aclosing(self._stored(blob_id, first_byte, end_byte)) as pieces:
                ahead = [await anext(pieces)]
                opener = self._opener(await unlocking, head)
                async with aclosing(_opened(opener, ahead, pieces)) as plain:
                    async for piece in plain:
                        yield piece
        finally:
            unlocking.cancel()
            await asyncio.gather(unlocking, return_exceptions=True)

    def _opener(self, opened: OpenedKey, head: PrivateHead) -> RangeOpener:
        self.use, self.size = opened.use, plaintext_size(head.stored_size)
        cipher = ChunkCipher.of_header(opened.data_key, head.header)
        return RangeOpener(cipher, self.size, self._start, self._stop)


async def _opened(
    opener: RangeOpener, ahead: list[Buffer], pieces: AsyncIterator[Buffer]
) -> AsyncGenerator[Buffer, None]:
    """The plaintext in pieces of ciphertext.

    The cipher holds the interpreter's lock, and a megabyte takes half a millisecond: threads would take longer.

    Args:
        ahead: pieces that came before the others.
    """
    for piece in ahead:
        for part in _parts(piece):
            if len(plain := opener.feed(part)):
                yield plain
    async for piece in pieces:
        for part in _parts(piece):
            if len(plain := opener.feed(part)):
                yield plain
            await asyncio.sleep(0)
    opener.finish()


def _parts(piece: Buffer) -> Iterator[memoryview]:
    """A piece, cut so that opening a part of it holds nobody up."""
    view = memoryview(piece)
    for start in range(0, len(view), _AT_ONCE):
        yield view[start : start + _AT_ONCE]
