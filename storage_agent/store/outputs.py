"""Outputs of jobs on the disk: one file each, whole and durable or not there."""

from __future__ import annotations

import os
from pathlib import Path


class Outputs:
    """A folder of outputs."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: made when the first output comes.
        """
        self._folder = folder

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
