"""Where reads are written to: a file appears only when it is complete."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO

from walrus_chain.errors import TargetUnwritable


@contextmanager
def writing_to(target: str | PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    """A binary file to write to. At a path the file takes its name, and replaces another one, when all went well.

    Raises: TargetUnwritable: the folder is not there, or may not be written to.
    """
    if not isinstance(target, str | PathLike):
        yield target
        return
    path = Path(target)
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise TargetUnwritable(str(path), "it is a folder")
        # A device or a pipe is written to as it is.
        with path.open("wb") as device:
            yield device
        return
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise TargetUnwritable(str(path), error.strerror or str(error)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
