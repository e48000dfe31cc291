"""The seam behind which bytes are kept: a flat map from keys to bytes that survives a crash.

Keys are relative paths of lower-case letters, digits, `-` and `/`. What is under a key is written once and never
changed. `storage_agent.store.open` makes a store from an address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from walrus_chain.codec.buffers import Buffer


class SliverStore(Protocol):
    """A durable map from keys to bytes."""

    @property
    def name(self) -> str:
        """What people call this store: its address without secrets."""
        ...

    async def put(self, key: str, parts: Sequence[Buffer]) -> None:
        """Keep the concatenation of `parts` under `key`; durable on return, and all or nothing before.

        Raises:
            StoreFull: there is no room.
            StoreUnavailable: the store failed; nothing is known to be kept.
        """
        ...

    async def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """The bytes under `key`, or `length` of them from `start` on; fewer where they end.

        Raises:
            SliverMissing: there is nothing under `key`.
            StoreUnavailable: the store failed.
        """
        ...

    async def delete(self, key: str) -> None:
        """Forget what is under `key`; nothing happens when there is nothing.

        Raises: StoreUnavailable: the store failed.
        """
        ...

    def keys(self, prefix: str) -> AsyncIterator[str]:
        """All keys below the folder `prefix`, in no order.

        Raises: StoreUnavailable: the store failed.
        """
        ...

    async def free_bytes(self) -> int | None:
        """How many more bytes fit; none where nobody can say."""
        ...

    async def close(self) -> None:
        """Lets go of connections; what was put stays."""
        ...


class ContentIndex(Protocol):
    """Which content id each key stands for; `Catalogue` keeps it."""

    def content_of(self, key: str) -> str | None:
        """The content id under `key`; none when there is none."""
        ...

    def content_is_used(self, content: str) -> bool:
        """Whether any key stands for a content id."""
        ...

    def content_keys(self, prefix: str, after: str, limit: int) -> list[str]:
        """The next keys below the folder `prefix`, in order."""
        ...

    async def set_content(self, key: str, content: str) -> None:
        """Have `key` stand for a content id; durable on return."""
        ...

    async def forget_content(self, key: str) -> None:
        """Have `key` stand for nothing."""
        ...
