"""One SQLite file: durable writes that share commits, reads that never wait for them, and schema migrations.

All writes run on one thread. While one commit waits for the disk, the writes that come in gather; they are committed
together, each in its own savepoint, so that a write that fails takes nothing with it. A write is durable when its
`await` returns (`synchronous=FULL` in WAL mode), unless it asked not to wait for the disk. What was measured, and why
small packs live in here: docs/adr.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from walrus_chain.errors import CatalogueBroken, CatalogueInUse, CatalogueTooNew, StoreFull, WalrusError

T = TypeVar("T")

#: Most writes in one commit; bounds how long the first of them waits for the others.
WRITES_A_COMMIT: Final = 256
#: Seconds after which writes that nobody waits for are committed at the latest.
IDLE_SECONDS: Final = 1.0
#: SQLite's page cache of each connection, in KiB.
CACHE_KIB: Final = 16 * 1024
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(slots=True)
class _Write:
    run: Callable[[sqlite3.Connection], Any]
    loop: asyncio.AbstractEventLoop | None
    done: asyncio.Future[Any] | None
    durable: bool = True
    result: Any = None
    error: BaseException | None = None


class Database:
    """An SQLite file that this process alone writes to. Make it by `open`, end it by `close`."""

    def __init__(self, path: Path, lock: int, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self._lock = lock
        self._writer = writer
        self._reader = reader
        self._reading = threading.Lock()
        self._syncing = True
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._write_forever, name=f"catalogue-{path.stem}", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, path: Path, prepare: Callable[[sqlite3.Connection], None]) -> Database:
        """The database at `path`, created or brought to the newest schema.

        Args:
            prepare: runs in a transaction before anybody else sees the database; what it raises leaves it unchanged.
        Raises:
            CatalogueInUse: another process has it open.
            CatalogueTooNew: a newer version wrote it.
            CatalogueBroken: it cannot be read or written.
            StoreFull: the disk is full.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take_lock(path)
        writer: sqlite3.Connection | None = None
        try:
            with _errors_in_words(path):
                writer = _connect(path)
                migrate(writer, path)
                writer.execute("BEGIN IMMEDIATE")
                prepare(writer)
                writer.execute("COMMIT")
                _sync_folder(path.parent)
                reader = _connect(path)
                reader.execute("PRAGMA query_only = ON")
        except BaseException:
            if writer is not None:
                writer.close()
            os.close(lock)
            raise
        return cls(path, lock, writer, reader)

    async def write(self, run: Callable[[sqlite3.Connection], T], *, durable: bool = True) -> T:
        """What `run` returns, once all it did is durable. It runs on the writer's thread, alone, all or nothing.

        Args:
            durable: wait for the disk. A write that does not is seen by all readers on return, survives the end of the
                process, and is durable with the next one that waits; a power cut before that forgets it.
        Raises: whatever `run` raises; StoreFull or CatalogueBroken when the commit fails.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._submit(_Write(run, loop, done, durable))
        return await done

    def write_later(self, run: Callable[[sqlite3.Connection], object]) -> None:
        """Have `run` committed with the next write, or within a second; a crash before that forgets it."""
        self._submit(_Write(run, None, None, durable=False))

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading what is committed. For quick look-ups: it is shared, so do not hold on to it."""
        with self._reading, _errors_in_words(self.path):
            yield self._reader

    def close(self) -> None:
        """Commits what was submitted, then lets go of the file. Further writes are refused."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        with self._reading:
            self._reader.close()
        self._writer.close()
        os.close(self._lock)

    def _submit(self, write: _Write) -> None:
        if self._closed:
            raise CatalogueBroken(self.path, "it was closed already")
        self._queue.put(write)

    def _write_forever(self) -> None:
        ending = False
        while not ending:
            batch = self._next_batch()
            ending = batch[-1] is None
            self._commit([write for write in batch if write is not None])

    def _next_batch(self) -> list[_Write | None]:
        """Writes to commit together; the last one is none when the database is being closed."""
        batch = [self._queue.get()]
        deadline = time.monotonic() + IDLE_SECONDS
        waited_for = False
        while batch[-1] is not None and len(batch) < WRITES_A_COMMIT:
            waited_for = waited_for or batch[-1].done is not None
            patience = 0.0 if waited_for else max(0.0, deadline - time.monotonic())
            try:
                batch.append(self._queue.get(block=patience > 0, timeout=patience or None))
            except queue.Empty:
                break
        return batch

    def _commit(self, batch: list[_Write]) -> None:
        if not batch:
            return
        try:
            with _errors_in_words(self.path):
                self._sync_next(any(write.durable for write in batch))
                self._writer.execute("BEGIN IMMEDIATE")
                for write in batch:
                    self._run_one(write)
                self._writer.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - it is handed to everybody who waits
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            for write in batch:
                write.error = write.error or error
        answers: dict[asyncio.AbstractEventLoop, list[_Write]] = {}
        for write in batch:
            if write.loop is not None:
                answers.setdefault(write.loop, []).append(write)
        for loop, writes in answers.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, writes)

    def _sync_next(self, durable: bool) -> None:
        """Says whether the next commit waits for the disk. In WAL mode one that does takes along all before it."""
        if durable is not self._syncing:
            self._writer.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._syncing = durable

    def _run_one(self, write: _Write) -> None:
        self._writer.execute("SAVEPOINT one")
        try:
            with _errors_in_words(self.path):
                write.result = write.run(self._writer)
        except Exception as error:
            write.error = error
            if not self._writer.in_transaction:
                raise  # SQLite gave the whole transaction up, as it does when the disk is full
            self._writer.execute("ROLLBACK TO one")
        self._writer.execute("RELEASE one")


def _answer(writes: list[_Write]) -> None:
    for write in writes:
        assert write.done is not None
        if write.done.cancelled():
            continue
        if write.error is not None:
            write.done.set_exception(write.error)
        else:
            write.done.set_result(write.result)


def migrations() -> list[tuple[int, str]]:
    """The numbered schema changes in order: (number, SQL)."""
    folder = resources.files("storage_agent.store") / "migrations"
    found = [(match, entry) for entry in folder.iterdir() if (match := _MIGRATION.fullmatch(entry.name))]
    return sorted((int(match[1]), entry.read_text()) for match, entry in found)


def migrate(connection: sqlite3.Connection, path: Path, upto: int | None = None) -> None:
    """Bring a database to schema `upto`, the newest by default; each step is all or nothing.

    Raises: CatalogueTooNew: the database has a schema that this version does not know.
    """
    steps = migrations()
    newest = steps[-1][0]
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise CatalogueTooNew(path, newest, version)
    for number, sql in steps:
        if version < number <= (newest if upto is None else upto):
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
            except sqlite3.Error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def _take_lock(path: Path) -> int:
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise CatalogueInUse(path) from error
    return lock


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _errors_in_words(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except WalrusError:
        raise
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise StoreFull(str(path), 0, None) from error
        raise CatalogueBroken(path, str(error)) from error
