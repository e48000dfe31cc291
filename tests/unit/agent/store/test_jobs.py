"""Jobs in the catalogue: what was seen, results that never change, outputs, and the migration of uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage_agent.store.catalogue import Catalogue
from storage_agent.store.database import migrate
from storage_agent.store.jobs import JobResult
from storage_agent.store.outputs import Outputs
from walrus_chain.types import NodeId

TERMS = bytes([1]) * 32


def found(result: bytes | None = b"r" * 32, *, terms: bytes = TERMS, salt: bytes = b"s" * 32) -> JobResult:
    """What a node found about job 4."""
    return JobResult(4, terms, result, 5, salt, "finished", sealed=False, found_at=100.0, gone=result is None)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    """A new catalogue."""
    made = Catalogue.open(tmp_path / "c.db", network="31337:x", node_id=NodeId(1), clock=lambda: 0.0)
    yield made
    made.close()


async def test_seen__new_jobs__open_from_the_block_before(catalogue: Catalogue) -> None:
    await catalogue.jobs.note_seen(2, 0, 10)
    await catalogue.jobs.note_seen(3, 1, 20)

    assert [(row.job, row.first_block) for row in catalogue.jobs.open_jobs(10)] == [(1, 0), (2, 0), (3, 10)]
    assert catalogue.jobs.triggers(0, 10) == [(1, 10)]


async def test_seen__fewer_after_a_reorganisation__found_again(catalogue: Catalogue) -> None:
    await catalogue.jobs.note_seen(3, 0, 10)
    await catalogue.jobs.note_seen(2, 0, 11)
    assert [row.job for row in catalogue.jobs.open_jobs(10)] == [1, 2]

    await catalogue.jobs.note_seen(3, 0, 12)

    assert [row.job for row in catalogue.jobs.open_jobs(10)] == [1, 2, 3]


async def test_seen__first_start_on_an_old_network__looks_back_so_far_only(catalogue: Catalogue) -> None:
    await catalogue.jobs.note_seen(1_000_000, 0, 10)

    assert catalogue.jobs.open_jobs(1)[0].job == 990_001


async def test_result__found_twice__the_first_counts(catalogue: Catalogue) -> None:
    first = await catalogue.jobs.add_result(found())
    second = await catalogue.jobs.add_result(found(b"x" * 32, salt=b"t" * 32))

    assert first == second == catalogue.jobs.result(4, TERMS)


async def test_result__given_up_after_a_result__the_result_counts(catalogue: Catalogue) -> None:
    await catalogue.jobs.add_result(found())

    kept = await catalogue.jobs.add_result(found(None))

    assert kept.result == b"r" * 32


async def test_result__other_terms_under_the_number__kept_apart(catalogue: Catalogue) -> None:
    await catalogue.jobs.add_result(found())
    await catalogue.jobs.add_result(found(b"x" * 32, terms=bytes(32)))

    kept = catalogue.jobs.result(4, TERMS)
    assert kept is not None
    assert kept.result == b"r" * 32


async def test_result__reopened__there(tmp_path: Path) -> None:
    for _ in range(2):
        catalogue = Catalogue.open(tmp_path / "c.db", network="31337:x", node_id=NodeId(1), clock=lambda: 0.0)
        await catalogue.jobs.add_result(found())
        catalogue.close()
    catalogue = Catalogue.open(tmp_path / "c.db", network="31337:x", node_id=NodeId(1), clock=lambda: 0.0)

    assert catalogue.jobs.result(4, TERMS) is not None
    catalogue.close()


async def test_shown__only_what_counts(catalogue: Catalogue) -> None:
    await catalogue.jobs.add_result(found())
    assert catalogue.jobs.shown(4) is None

    await catalogue.jobs.note_counted(4, TERMS)

    assert catalogue.jobs.shown(4) is not None
    await catalogue.jobs.note_gone(4, TERMS)
    assert catalogue.jobs.shown(4) is None


async def test_result__long_reason__cut(catalogue: Catalogue) -> None:
    kept = await catalogue.jobs.add_result(replace(found(None), why="é" * 1000 + "\udcff"))

    assert kept.why == "é" * 512


async def test_result__old_and_over__forgotten_with_the_next_ones(catalogue: Catalogue) -> None:
    jobs, day = catalogue.jobs, 86400.0
    await jobs.note_seen(2, 0, 10)
    await jobs.forget(1)
    for job in (1, 2, 3, 4):
        await jobs.add_result(replace(found(None), job=job, gone=job != 3))

    await jobs.add_result(replace(found(), job=5, found_at=100 + 29 * day))
    assert jobs.result(1, TERMS) is not None

    await jobs.add_result(replace(found(), job=6, found_at=101 + 30 * day))

    # Job 2 is open, the output of 3 is kept.
    assert [job for job in range(1, 7) if jobs.result(job, TERMS)] == [2, 3, 5, 6]


async def test_droppable__open_jobs_and_no_more_than_needed__left_alone(catalogue: Catalogue) -> None:
    jobs = catalogue.jobs
    await jobs.note_seen(2, 0, 10)
    for job in range(1, 6):
        await jobs.add_result(replace(found(), job=job, size=10_000 if job == 5 else 5, found_at=100.0 - job))

    assert jobs.kept_bytes() == 4 * 4096 + 10_000
    assert [one.job for one in jobs.droppable(1)] == [5]
    assert [one.job for one in jobs.droppable(10_001)] == [5, 4]
    assert jobs.droppable(2 * 4096 + 10_001) == []
    assert sorted(job for job, _ in jobs.with_output()) == [1, 2, 3, 4, 5]


def test_sweep__outputs_and_drafts_that_nobody_knows__removed(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    outputs = Outputs(folder)
    assert outputs.sweep([]) == 0
    for job in (4, 5):
        outputs.keep(job, TERMS, b"one")
    (folder / f"6-{TERMS.hex()[:16]}.new").write_bytes(b"half")

    assert outputs.sweep([(4, TERMS), (9, TERMS)]) == 2

    assert [path.name for path in folder.iterdir()] == [f"4-{TERMS.hex()[:16]}"]
    assert outputs.read(4, TERMS) == b"one"


def test_free_bytes__reserve__not_counted(tmp_path: Path) -> None:
    assert Outputs(tmp_path / "not" / "there").free_bytes() > 0
    assert Outputs(tmp_path, 2**60).free_bytes() < 0


def test_outputs__kept__read_back_and_dropped(tmp_path: Path) -> None:
    outputs = Outputs(tmp_path / "outputs")
    outputs.keep(4, TERMS, b"one")
    outputs.keep(4, TERMS, b"two")
    outputs.keep(4, bytes(32), b"another")

    assert outputs.read(4, TERMS) == b"two"
    outputs.drop(4, TERMS)
    outputs.drop(4, TERMS)
    assert outputs.read(4, TERMS) is None
    assert outputs.read(4, bytes(32)) == b"another"
    assert [path.suffix for path in (tmp_path / "outputs").iterdir()] == [""]


def test_migration__uses_and_vouchers_from_before__still_there(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection, tmp_path, upto=4)
    connection.execute("INSERT INTO uses VALUES (x'01', '0x1', 1, x'00', 2, x'05', 7)")
    connection.execute("INSERT INTO uses VALUES (x'02', '0x1', 1, x'01', 1, x'05', 7)")
    connection.execute("INSERT INTO vouchers VALUES (3, x'05', x'00', x'01', x'')")

    migrate(connection, tmp_path)

    assert connection.execute("SELECT count(*) FROM uses JOIN vouchers USING (use)").fetchone() == (1,)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.execute("INSERT INTO uses VALUES (x'03', '0x1', 1, x'00', 3, x'05', 7)")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO uses VALUES (x'04', '0x1', 1, x'01', 1, x'05', 7)")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO vouchers VALUES (3, x'06', x'05', x'09', x'')")
    connection.close()
