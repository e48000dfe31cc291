"""Outputs of jobs on the disk: one file each, whole and durable or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path


class Outputs:
    """A folder of outputs."""

    def __init__(self, folder: Path, reserve_bytes: int = 0) -> None:
        """
        Args:
            folder: made when the first output comes.
            reserve_bytes: of the disk, which are not counted as free.
        """
        self._folder = folder
        self._reserve = reserve_bytes

    def sweep(self, kept: Iterable[tuple[int, bytes]]) -> int:
        """Delete all but the outputs under these jobs and hashes of terms; how many files. Blocks on the disk.

        For the start: an agent that was killed leaves what it had not finished, or not noted.
        """
        if not self._folder.is_dir():
            return 0
        known = {self._path(job, digest).name for job, digest in kept}
        unknown = [path for path in self._folder.iterdir() if path.name not in known and path.is_file()]
        for path in unknown:
            path.unlink()
        return len(unknown)

    def free_bytes(self) -> int:
        """What the disk has left, less the reserve. Blocks on the disk."""
        folder = next(place for place in (self._folder, *self._folder.parents) if place.is_dir())
        return shutil.disk_usage(folder).free - self._reserve

    def keep(self, job: int, digest: bytes, output: bytes) -> None:
        """Keep an output under the job and the hash of its terms; durable on return. Blocks on the disk.

        Raises: OSError: the disk is full, or broken.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(job, digest)
        draft = path.with_suffix(".new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(output)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, job: int, digest: bytes) -> bytes | None:
        """An output; none when it is not there. Blocks on the disk."""
        try:
            return self._path(job, digest).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, job: int, digest: bytes) -> None:
        """Delete an output, if it is there."""
        self._path(job, digest).unlink(missing_ok=True)

    def _path(self, job: int, digest: bytes) -> Path:
        return self._folder / f"{job}-{digest.hex()[:16]}"
