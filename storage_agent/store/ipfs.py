"""Slivers at an IPFS daemon: each pack is pinned content, found by a content id that the catalogue keeps.

A put is durable when the daemon has pinned the content and the catalogue has its id. Public IPFS nodes may fetch what
the daemon announces; slivers of private blobs are encrypted before they are slivers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from storage_agent.store.slivers import ContentIndex
from walrus_chain.codec.buffers import Buffer
from walrus_chain.errors import IpfsContentMissing, IpfsUnavailable, SliverMissing, StoreUnavailable
from walrus_chain.transport.ipfs import IpfsClient


class IpfsStore:
    """A sliver store at an IPFS daemon."""

    def __init__(self, client: IpfsClient, index: ContentIndex) -> None:
        self._client = client
        self._index = index
        self._pinning = asyncio.Lock()
        """Held while pins change: equal packs share one pin, which must not go while another pack comes to need it."""

    @property
    def name(self) -> str:
        """The daemon's address."""
        return f"ipfs+{self._client.address}"

    async def put(self, key: str, parts: Sequence[Buffer]) -> None:
        """See `SliverStore.put`."""
        async with self._pinning:
            try:
                content = await self._client.put(b"".join(parts))
            except IpfsUnavailable as error:
                raise StoreUnavailable(self.name, error.why) from error
            await self._index.set_content(key, content)

    async def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """See `SliverStore.get`."""
        content = self._index.content_of(key)
        if content is None:
            raise SliverMissing(key)
        if length == 0:
            return b""
        try:
            return await self._client.get(content, start, length)
        except IpfsContentMissing:
            raise SliverMissing(key) from None
        except IpfsUnavailable as error:
            raise StoreUnavailable(self.name, error.why) from error

    async def delete(self, key: str) -> None:
        """See `SliverStore.delete`. Equal packs have one content id, which stays pinned while a key stands for it."""
        async with self._pinning:
            content = self._index.content_of(key)
            if content is None:
                return
            await self._index.forget_content(key)
            if self._index.content_is_used(content):
                return
            try:
                await self._client.remove(content)
            except IpfsUnavailable as error:
                await self._index.set_content(key, content)
                raise StoreUnavailable(self.name, error.why) from error

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """See `SliverStore.keys`."""
        after = ""
        while page := self._index.content_keys(prefix, after, 500):
            for key in page:
                yield key
            after = page[-1]

    async def free_bytes(self) -> int | None:
        """The daemon's limit is its own affair."""
        return None

    async def close(self) -> None:
        """Closes the connection to the daemon."""
        self._client.close()
