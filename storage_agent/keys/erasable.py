"""Keys of objects that are to be erased one day: one secret number an object, in a file of its own.

Whoever seals for such an object seals to the node's key and this one together, so that without the file nothing opens,
whoever gets hold of the node's key later. The secret alone opens nothing either, so it lies in the file as it is.

Destroying a key is: noting that it is used no more, writing over the file, unlinking it. Doing it again does no harm. A
disk or a file system that keeps old bytes, and copies that somebody made, are beyond this: docs/security.md.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storage_agent.node.access_refusals import KeysDestroyed
from storage_agent.store.ledger import Ledger
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.signing import Signer
from walrus_chain.types import BlobObjectId, NodeId


@dataclass(frozen=True, slots=True)
class SignedErasableKey:
    """The public part of an object's own key."""

    public_key: bytes
    signature: bytes


class ErasableKeys:
    """The objects' own keys of one node."""

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        node_id: NodeId,
        signer: Signer,
        domain: Domain,
        random: Callable[[int], bytes],
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            folder: for the files, and for nothing else.
            signer: the node's key.
            domain: of access to data.
            random: gives as many unpredictable bytes as it is asked for.
            clock: seconds since 1970.
        """
        self._folder = folder
        self._ledger = ledger
        self._node_id = node_id
        self._signer = signer
        self._domain = domain
        self._random = random
        self._clock = clock
        self._making = asyncio.Lock()

    async def make(self, blob_object: BlobObjectId) -> MasterKey:
        """The object's own key, made now when there is none. Durable on return.

        Raises: KeysDestroyed: it had one.
        """
        async with self._making:
            known = await self.find(blob_object)
            if known is not None:
                return known
            key = MasterKey.generate(self._random)
            await asyncio.to_thread(_write, self._path(blob_object), key.to_bytes())
            await self._ledger.add_erasable(blob_object, key.public.data)
            return key

    async def find(self, blob_object: BlobObjectId) -> MasterKey | None:
        """The object's own key; none when it never had one here.

        Raises: KeysDestroyed: it had one.
        """
        row, path = self._ledger.erasable(blob_object), self._path(blob_object)
        if row is not None and row.destroyed_at is not None:
            raise KeysDestroyed(blob_object)
        if not path.exists():
            if row is not None:
                raise KeysDestroyed(blob_object)
            return None
        key = MasterKey(path.read_bytes())
        if row is None:
            # The file was written and the row was not, or the catalogue is a new one.
            await self._ledger.add_erasable(blob_object, key.public.data)
        return key

    async def give(self, blob_object: BlobObjectId) -> SignedErasableKey:
        """The public part of the object's own key, with the node's word for it; made now when there is none.

        Raises: KeysDestroyed: it had one.
        """
        key = await self.make(blob_object)
        message = ErasableKey(self._node_id, blob_object, key.public.data)
        return SignedErasableKey(key.public.data, message.sign(self._signer, self._domain))

    async def destroy(self, blob_object: BlobObjectId) -> None:
        """Make the object's own key be gone; from then on it is never found nor made again."""
        await self._ledger.note_destroyed(blob_object, self._clock())
        await asyncio.to_thread(_wipe, self._path(blob_object), self._random)

    def _path(self, blob_object: BlobObjectId) -> Path:
        return self._folder / str(blob_object)


def _write(path: Path, data: bytes) -> None:
    """A new file that is there with all its bytes, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    _sync_folder(path.parent)


def _wipe(path: Path, random: Callable[[int], bytes]) -> None:
    """Write over a file, and unlink it; nothing happens when there is none."""
    try:
        with path.open("r+b") as file:
            file.write(random(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
