"""The catalogue's file: durable writes that share commits, migrations, locking, errors in words."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage_agent.store import database as database_module
from storage_agent.store.database import Database, migrate, migrations
from walrus_chain.errors import CatalogueBroken, CatalogueInUse, CatalogueTooNew, StoreFull


def _nothing(_connection: sqlite3.Connection) -> None:
    """No preparation."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "c.db", _nothing)
    yield opened
    opened.close()


def _add(pack: int) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: connection.execute("INSERT INTO garbage VALUES (?)", (pack,)).rowcount


def _packs(path: Path) -> list[int]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT pack FROM garbage ORDER BY pack").fetchall()
    connection.close()
    return [row[0] for row in rows]


async def test_write__returned__another_connection_sees_it(database: Database) -> None:
    assert await database.write(_add(7)) == 1
    assert _packs(database.path) == [7]


async def test_write__fails__only_that_one_is_undone(database: Database) -> None:
    def half_then_fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO garbage VALUES (100)")
        raise LookupError("changed my mind")

    results = await asyncio.gather(
        database.write(_add(1)),
        database.write(half_then_fail),
        database.write(_add(1)),
        database.write(_add(2)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [int, LookupError, CatalogueBroken, int]
    assert _packs(database.path) == [1, 2]


async def test_write__many_at_once__share_commits(database: Database) -> None:
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    await database.write(lambda connection: connection.set_trace_callback(count))
    await asyncio.gather(*[database.write(_add(pack)) for pack in range(1000)])
    assert len(_packs(database.path)) == 1000
    assert commits < 100


async def test_write__waiter_cancelled__write_still_done_and_others_answered(database: Database) -> None:
    impatient = asyncio.ensure_future(database.write(_add(1)))
    patient = asyncio.ensure_future(database.write(_add(2)))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == 1
    assert _packs(database.path) == [1, 2]


async def test_write_later__committed_with_the_next_write(database: Database) -> None:
    database.write_later(_add(5))
    await database.write(_add(6))
    assert _packs(database.path) == [5, 6]


def test_write_later__committed_by_close(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "c.db", _nothing)
    database.write_later(_add(5))
    database.close()
    assert _packs(tmp_path / "c.db") == [5]


def test_write_later__nobody_else_writes__committed_within_the_idle_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "IDLE_SECONDS", 0.0)
    database = Database.open(tmp_path / "c.db", _nothing)
    database.write_later(_add(5))

    async def wait_for_the_thread() -> None:
        async with asyncio.timeout(20):
            while not _packs(database.path):
                await asyncio.to_thread(lambda: None)

    asyncio.run(wait_for_the_thread())
    database.close()


async def test_write__after_close__refused(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "c.db", _nothing)
    database.close()
    database.close()
    with pytest.raises(CatalogueBroken, match="closed"):
        await database.write(_add(1))


async def test_write__no_room__store_full_and_later_writes_go_on(database: Database) -> None:
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 60"))

    def add_much(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO contents VALUES ('a', ?)", ("x" * 10**6,))

    with pytest.raises(StoreFull, match=r"c\.db"):
        await database.write(add_much)
    assert await database.write(_add(1)) == 1


async def test_read__cannot_write(database: Database) -> None:
    with pytest.raises(CatalogueBroken, match="readonly"), database.read() as connection:
        connection.execute("INSERT INTO garbage VALUES (1)")


def test_open__is_durable_and_concurrent(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_open__twice__refused_until_closed(database: Database) -> None:
    with pytest.raises(CatalogueInUse, match="another agent"):
        Database.open(database.path, _nothing)
    database.close()
    Database.open(database.path, _nothing).close()


def test_open__preparation_fails__nothing_changed_and_not_locked(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO garbage VALUES (1)")
        raise LookupError

    with pytest.raises(LookupError):
        Database.open(tmp_path / "c.db", fail)
    Database.open(tmp_path / "c.db", _nothing).close()
    assert _packs(tmp_path / "c.db") == []


def test_open__newer_schema__refused(tmp_path: Path) -> None:
    Database.open(tmp_path / "c.db", _nothing).close()
    connection = sqlite3.connect(tmp_path / "c.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CatalogueTooNew, match="schema 99"):
        Database.open(tmp_path / "c.db", _nothing)


def test_open__not_a_database__says_so(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_bytes(b"holiday pictures" * 100)
    with pytest.raises(CatalogueBroken, match="not a database"):
        Database.open(tmp_path / "c.db", _nothing)


def test_migrations__numbered_from_one_without_gaps() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_migrate__from_every_version__same_schema(tmp_path: Path) -> None:
    schemas = []
    for start in range(len(migrations()) + 1):
        connection = sqlite3.connect(tmp_path / f"{start}.db", isolation_level=None)
        migrate(connection, tmp_path, upto=start)
        assert connection.execute("PRAGMA user_version").fetchone() == (start,)
        migrate(connection, tmp_path)
        migrate(connection, tmp_path)
        schemas.append(connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall())
        connection.close()
    assert schemas[0]
    assert all(schema == schemas[0] for schema in schemas)


def test_migrate__step_fails__nothing_of_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [*migrations(), (len(migrations()) + 1, "CREATE TABLE half (x); CREATE TABLE half (x);")]
    monkeypatch.setattr(database_module, "migrations", lambda: broken)
    connection = sqlite3.connect(tmp_path / "c.db", isolation_level=None)
    with pytest.raises(sqlite3.Error):
        migrate(connection, tmp_path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(broken) - 1,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
    connection.close()
