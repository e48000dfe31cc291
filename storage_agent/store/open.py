"""From an address to a sliver store. Each kind's library is loaded only when it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from storage_agent.store.local import DEFAULT_RESERVE_BYTES, LocalStore
from storage_agent.store.packs import DEFAULT_INLINE_BYTES
from storage_agent.store.slivers import ContentIndex, SliverStore
from walrus_chain.errors import Misuse, UnknownStore

_CLOUDS: Final = frozenset({"s3", "s3a", "gs", "az", "azure"})
_IPFS: Final = frozenset({"ipfs+http", "ipfs+https"})


def open_store(url: str, index: ContentIndex, reserve_bytes: int = DEFAULT_RESERVE_BYTES) -> SliverStore:
    """The sliver store at `url`.

    Args:
        url: a folder, or an address that begins with file://, s3://, gs://, az://, ipfs+http:// or ipfs+https://.
        index: where content ids are kept, for IPFS.
        reserve_bytes: space that is left free on a local disk.
    Raises:
        UnknownStore: not such an address.
        StoreUnavailable: a local folder cannot be written to.
    """
    scheme = urlsplit(url).scheme
    if "://" not in url:
        return LocalStore.open(Path(url).expanduser(), reserve_bytes)
    if scheme == "file":
        return LocalStore.open(_folder(url), reserve_bytes)
    if scheme in _CLOUDS:
        from storage_agent.store.cloud import CloudStore

        return CloudStore.open(url)
    if scheme in _IPFS:
        from storage_agent.store.ipfs import IpfsStore
        from walrus_chain.transport.ipfs import IpfsClient

        try:
            return IpfsStore(IpfsClient(url.removeprefix("ipfs+")), index)
        except Misuse as error:
            raise UnknownStore(url, str(error)) from error
    raise UnknownStore(url, f"nothing here speaks {scheme or 'that'}://")


def inline_bytes_for(url: str, setting: int) -> int:
    """The largest pack to keep in the catalogue, for a store at `url`.

    Args:
        setting: what the operator wants; -1 leaves it open. Then small packs share the catalogue's disk when slivers
            are on a local disk too; otherwise all of them go where the operator wants slivers to be.
    """
    if setting >= 0:
        return setting
    is_local = "://" not in url or urlsplit(url).scheme == "file"
    return DEFAULT_INLINE_BYTES if is_local else 0


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise UnknownStore(url, "a file address has three slashes: file:///srv/slivers")
    return Path(unquote(parts.path))
