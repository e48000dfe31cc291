"""Inputs of local runs: files and bytes at hand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class BytesInput:
    """Bytes at hand as an input."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    async def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


class FileInput:
    """A file as an input; its size is the one it has now."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError: it cannot be opened."""
        self._file: BinaryIO = path.open("rb")
        self._size = os.fstat(self._file.fileno()).st_size

    @property
    def size(self) -> int:
        return self._size

    async def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
