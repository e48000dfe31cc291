"""Slivers in a directory of this machine.

A file is written under a temporary name, synced, renamed and its folder synced before `put` returns, so a file that is
there under its key is whole and survives a crash. (obstore writes local files, but syncs neither file nor folder.)
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from walrus_chain.codec.buffers import Buffer
from walrus_chain.errors import SliverMissing, StoreFull, StoreUnavailable

T = TypeVar("T")

#: The disk is called full when less would be left: the catalogue needs room to follow the chain and to free space.
DEFAULT_RESERVE_BYTES: Final = 64 * 2**20
_TEMPORARY: Final = ".tmp"
#: What the system takes in one gathered write.
_PARTS_A_WRITE: Final = 512
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class LocalStore:
    """A sliver store in a directory. Make it by `open`."""

    def __init__(self, root: Path, reserve_bytes: int) -> None:
        self._root = root
        self._reserve = reserve_bytes
        self._drafts = itertools.count()
        self._folders = {root}

    @classmethod
    def open(cls, root: Path, reserve_bytes: int = DEFAULT_RESERVE_BYTES) -> LocalStore:
        """The store in `root`, which is made when it is not there; drafts that a crash left are removed.

        Raises: StoreUnavailable: the directory cannot be written to.
        """
        store = cls(root.absolute(), reserve_bytes)
        try:
            root.mkdir(parents=True, exist_ok=True)
            for draft in root.glob(f"*{_TEMPORARY}"):
                draft.unlink()
            if not os.access(root, os.W_OK | os.X_OK):
                raise StoreUnavailable(str(root), "it is not writable")
        except OSError as error:
            raise StoreUnavailable(str(root), str(error)) from error
        return store

    @property
    def name(self) -> str:
        """The directory."""
        return str(self._root)

    async def put(self, key: str, parts: Sequence[Buffer]) -> None:
        """See `SliverStore.put`."""
        await self._run(lambda: self._put(key, parts))

    async def get(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """See `SliverStore.get`."""
        return await self._run(lambda: self._get(key, start, length))

    async def delete(self, key: str) -> None:
        """See `SliverStore.delete`."""
        await self._run(lambda: self._path(key).unlink(missing_ok=True))

    async def keys(self, prefix: str) -> AsyncIterator[str]:
        """See `SliverStore.keys`."""
        folders = [self._root / prefix]
        while folders:
            for path, is_folder in await self._run(partial(_list, folders.pop())):
                if is_folder:
                    folders.append(path)
                else:
                    yield str(path.relative_to(self._root))

    async def free_bytes(self) -> int | None:
        """Free bytes of the file system, less the reserve."""
        return await self._run(self._free)

    async def close(self) -> None:
        """Nothing is open between calls."""

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except OSError as error:
            raise StoreUnavailable(self.name, str(error)) from error

    def _path(self, key: str) -> Path:
        return self._root / key

    def _free(self) -> int:
        return max(0, shutil.disk_usage(self._root).free - self._reserve)

    def _put(self, key: str, parts: Sequence[Buffer]) -> None:
        needed = sum(len(part) for part in parts)
        free = self._free()
        if needed > free:
            raise StoreFull(self.name, needed, free)
        target = self._path(key)
        self._make_folder(target.parent)
        draft = self._root / f"{os.getpid()}-{next(self._drafts)}{_TEMPORARY}"
        try:
            _write_synced(draft, parts)
            self._rename(draft, target)
        except OSError as error:
            draft.unlink(missing_ok=True)
            if error.errno in _FULL:
                raise StoreFull(self.name, needed, free) from error
            raise
        _sync_folder(target.parent)

    def _rename(self, draft: Path, target: Path) -> None:
        try:
            draft.rename(target)
        except FileNotFoundError:
            # Folders were deleted behind our back. The root is not made again: a disk that is not mounted stays empty.
            self._folders = {self._root}
            self._make_folder(target.parent)
            draft.rename(target)

    def _make_folder(self, folder: Path) -> None:
        """Makes a folder that survives a crash; what was made once is not looked at again."""
        if folder in self._folders:
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)
        self._folders.add(folder)

    def _get(self, key: str, start: int, length: int | None) -> bytes:
        try:
            handle = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise SliverMissing(key) from None
        try:
            left = os.fstat(handle).st_size - start if length is None else length
            pieces = []
            while left > 0 and (piece := os.pread(handle, left, start)):
                pieces.append(piece)
                start += len(piece)
                left -= len(piece)
        finally:
            os.close(handle)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _list(folder: Path) -> list[tuple[Path, bool]]:
    try:
        with os.scandir(folder) as entries:
            return [(Path(entry.path), entry.is_dir()) for entry in entries if not entry.name.endswith(_TEMPORARY)]
    except FileNotFoundError:
        return []


def _write_synced(path: Path, parts: Sequence[Buffer]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        waiting = [memoryview(part) for part in parts if len(part)]
        while waiting:
            written = os.writev(handle, waiting[:_PARTS_A_WRITE])
            while waiting and written >= len(waiting[0]):
                written -= len(waiting.pop(0))
            if written:
                waiting[0] = waiting[0][written:]
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
