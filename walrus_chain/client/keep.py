"""What a client must not forget between calls: secrets, sessions, which uses were made, what was promised to whom.

    kind        name                 holds
    owners      account              the secret from which the keys of what it stores are derived
    keys        blob                 its key, for sealing it anew
    sessions    account              the grant that its wallet signed last, and the session's keys
    uses        account-object       which uses of an object were begun, and which of them are not done
    vouchers    signer of a channel  its key, and what it promised so far
    receipts    object-use           what agents signed for a use

Each is a JSON document. A document is changed under a lock, and is on disk when the change returns: what was promised,
and under which key data was encrypted, must be known after a crash.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from walrus_chain.errors import HomeUnreadable

Document: TypeAlias = "dict[str, Any]"
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


class Keep(Protocol):
    """Documents by kind and name."""

    def changing(self, kind: str, name: str) -> AbstractContextManager[Document]:
        """A document to read and change in a `with` block, empty at first; kept when the block ends without error."""

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of the documents of a kind."""


class MemoryKeep:
    """Documents for as long as the program runs."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], str] = {}

    @contextmanager
    def changing(self, kind: str, name: str) -> Iterator[Document]:
        """A document to read and change."""
        document: Document = json.loads(self._documents.get((kind, name), "{}"))
        yield document
        self._documents[kind, name] = json.dumps(document)

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of the documents of a kind."""
        return tuple(sorted(name for found, name in self._documents if found == kind))


class FolderKeep:
    """Documents in a folder, readable by their owner only; several programs may use it at the same time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def changing(self, kind: str, name: str) -> Iterator[Document]:
        """A document to read and change; others wait.

        Raises: HomeUnreadable: it is damaged, or the folder cannot be written to.
        """
        folder = self.folder / kind
        path = folder / f"{name}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
            folder.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
            lock = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT, _PRIVATE_FILE)
        except OSError as error:
            raise HomeUnreadable(path, error.strerror or str(error)) from error
        with os.fdopen(lock, "r+"):
            fcntl.flock(lock, fcntl.LOCK_EX)
            document = _load(path)
            before = json.dumps(document)
            yield document
            if json.dumps(document) != before:
                _write_durably(path, json.dumps(document, indent=2) + "\n")

    def names(self, kind: str) -> tuple[str, ...]:
        """The names of the documents of a kind."""
        return tuple(sorted(path.stem for path in (self.folder / kind).glob("*.json")))


def _load(path: Path) -> Document:
    try:
        document = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise HomeUnreadable(path, str(error)) from error
    if not isinstance(document, dict):
        raise HomeUnreadable(path, "it holds no JSON object")
    return document


def _write_durably(path: Path, text: str) -> None:
    """Writes a file so that after a crash there is either the old or the new one, and after the return the new one."""
    draft = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise HomeUnreadable(path, error.strerror or str(error)) from error
