"""What can be stored: files, bytes, and streams of unknown length, which are spooled to a file first.

A blob is read twice, once to learn its id and once to send it, so a source must be the same both times.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, BinaryIO, Protocol, TypeAlias

from walrus_chain.errors import SourceUnreadable

#: A path, the bytes themselves, or something to read them from.
Storable: TypeAlias = "str | PathLike[str] | bytes | IO[bytes]"

#: Streams stay in memory up to this many bytes.
_SPOOL_BYTES = 16 * 2**20
_COPY_BYTES = 2**20


class Rereadable(Protocol):
    """What is stored: bytes that can be read more than once, and what to call them."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    @property
    def size(self) -> int | None:
        """How many bytes there seem to be; None where that is not known before they are read."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The bytes, from their beginning.

        Raises: SourceUnreadable: they cannot be read.
        """

    def stamp(self) -> tuple[int, int] | None:
        """Size and time of the last change of a file; None where nothing can change, or the file is gone."""

    def close(self) -> None:
        """Drops what was spooled."""


@dataclass(frozen=True, slots=True)
class Source:
    """Bytes that can be read more than once, and what to call them."""

    name: str
    content: Path | bytes | IO[bytes]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, from their beginning.

        Raises: SourceUnreadable: the file is not there, or may not be read.
        """
        if isinstance(self.content, bytes):
            yield io.BytesIO(self.content)
        elif isinstance(self.content, Path):
            try:
                file = self.content.open("rb", buffering=0)
            except OSError as error:
                raise SourceUnreadable(self.name, error.strerror or str(error)) from error
            with file:
                try:
                    yield file
                except OSError as error:
                    raise SourceUnreadable(self.name, error.strerror or str(error)) from error
        else:
            self.content.seek(0)
            yield self.content  # type: ignore[misc] # IO[bytes] and BinaryIO are the same to readers

    @property
    def size(self) -> int | None:
        """How many bytes there seem to be; None where that is not known before they are read."""
        if isinstance(self.content, bytes):
            return len(self.content)
        stamp = self.stamp()
        return None if stamp is None else stamp[0]

    def stamp(self) -> tuple[int, int] | None:
        """Size and time of the last change of a file; None where nothing can change, or the file is gone."""
        if not isinstance(self.content, Path):
            return None
        try:
            status = self.content.stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def close(self) -> None:
        """Drops a spooled stream."""
        if not isinstance(self.content, bytes | Path):
            self.content.close()


def source_of(storable: Storable, name: str | None = None) -> Source:
    """The source that a caller means. A stream is read to its end here: call this in a thread.

    Args:
        name: what to call it in messages; by default the path, or the kind of thing.
    Raises: SourceUnreadable: a folder, or a stream that breaks off.
    """
    if isinstance(storable, bytes):
        return Source(name or f"{len(storable)} bytes", storable)
    if isinstance(storable, str | PathLike):
        path = Path(storable)
        if path.is_dir():
            raise SourceUnreadable(str(path), "it is a folder; name its files, or store an archive of it")
        if path.exists() and not path.is_file():
            with path.open("rb") as pipe:
                return Source(name or str(path), _spooled(pipe, str(path)))
        return Source(name or str(path), path)
    return Source(name or str(getattr(storable, "name", "stream")), _spooled(storable, "the stream"))


def _spooled(stream: IO[bytes], name: str) -> IO[bytes]:
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 # closed by Source.close
    try:
        shutil.copyfileobj(stream, spool, _COPY_BYTES)
    except OSError as error:
        spool.close()
        raise SourceUnreadable(name, error.strerror or str(error)) from error
    return spool
