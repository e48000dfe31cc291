"""Slivers in a cloud's object store, through obstore: S3 and what speaks like it, Google Cloud Storage, Azure.

An object store answers a put when the bytes are durable, and shows an object whole or not at all; so there is nothing
to sync here. Credentials come from where each cloud's tools take them (environment, instance identity).
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import obstore
from obstore import exceptions
from obstore.store import from_url

from walrus_chain.codec.buffers import Buffer
from walrus_chain.errors import SliverMissing, StoreFull, StoreUnavailable, UnknownStore

_RETRIES: Final = 3
_RETRY_TIME: Final = timedelta(seconds=30)
_TIMEOUT: Final = "120s"
#: Words by which stores and the system say that there is no room.
_FULL: Final = ("quota", "no space left", "storagefull", "insufficientstorage", f"os error {errno.ENOSPC}")

#: Words by which clouds say that not the object but the whole bucket is not there: nothing is lost, something is wrong.
_NO_BUCKET: Final = ("nosuchbucket", "containernotfound", "specified bucket does not exist")


class CloudStore:
    """A sliver store in a bucket. Make it by `open`."""

    def __init__(self, name: str, store: Any) -> None:
        self.name = name
        self._store = store

    @classmethod
    def open(cls, url: str) -> CloudStore:
        """The store at `url`: `s3://bucket/folder?region=eu-west-1&endpoint=https://...`, gs:// and az:// alike.

        What follows the question mark are options of the cloud's client in obstore. Nothing is asked of the cloud yet.

        Raises: UnknownStore: not such an address, or an option that the client does not know.
        """
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        plain = options.get("endpoint", "").startswith("http://")
        client: dict[str, Any] = {
            "config": options,
            "client_options": {"allow_http": plain, "timeout": _TIMEOUT},
            "retry_config": {"max_retries": _RETRIES, "retry_timeout": _RETRY_TIME},
        }
        try:
            store = from_url(bare, **client)
        except (exceptions.BaseError, ValueError) as error:
            raise UnknownStore(bare, str(error)) from error
        return cls(bare, store)

    async def put(self, key: str, parts: Sequence[Buffer]) -> None:
        """See `SliverStore.put`."""
        with self._errors(key, sum(len(part) for part in parts)):
            await obstore.put_async(self._store, key, b"".join(parts))

    async def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """See `SliverStore.get`."""
        if length == 0:
            return b""
        with self._errors(key):
            if length is None:
                whole = await obstore.get_async(self._store, key)
                return bytes(await whole.bytes_async())[start:]
            return bytes(await obstore.get_range_async(self._store, key, start=start, length=length))

    async def delete(self, key: str) -> None:
        """See `SliverStore.delete`."""
        try:
            with self._errors(key):
                await obstore.delete_async(self._store, key)
        except SliverMissing:
            return

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """See `SliverStore.keys`."""
        with self._errors(prefix):
            async for page in obstore.list(self._store, prefix):
                for entry in page:
                    yield entry["path"]

    async def free_bytes(self) -> int | None:
        """Nobody knows; a bucket has no end."""
        return None

    async def close(self) -> None:
        """Connections close by themselves."""

    @contextmanager
    def _errors(self, key: str, needed: int = 0) -> Iterator[None]:
        try:
            yield
        except (exceptions.NotFoundError, FileNotFoundError) as error:
            if needed or any(words in str(error).lower() for words in _NO_BUCKET):
                raise StoreUnavailable(self.name, str(error)) from error
            raise SliverMissing(key) from None
        except (exceptions.BaseError, OSError) as error:
            text = str(error)
            if needed and any(words in text.lower() for words in _FULL):
                raise StoreFull(self.name, needed, None) from error
            raise StoreUnavailable(self.name, text) from error
