"""Jobs in the catalogue: how far they were followed, which are open, and what this node found by running them.

A result is written once, with its salt, and durable before the node says anything of it on chain. Its output lies in a
file that was durable before.
"""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from storage_agent.store.database import Database

#: Why there is no result is kept up to this length.
_WHY_BYTES: Final = 1024
#: What an output takes on the disk at least, whatever its length.
_LEAST_FILE_BYTES: Final = 4096
#: After which what was found about a job that is over is forgotten, once its output is gone.
_REMEMBERED_SECONDS: Final = 30 * 86400.0
#: So many are forgotten with each that is added.
_FORGOTTEN_AT_ONCE: Final = 16
#: Outputs that are named at once.
_NAMED_AT_ONCE: Final = 64
#: Jobs that an agent looks back at when it starts for the first time, or was away for long: older ones are over.
_MOST_NEW: Final = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """How far jobs and triggers were looked for."""

    jobs: int
    triggers: int
    block: int
    """Whatever has a higher number was made after this block, or shortly before it on another fork."""


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A job that is not over as far as the node knows."""

    job: int
    first_block: int
    terms: bytes | None
    """As the contract encodes them; none until they were needed."""
    digest: bytes | None
    """Their hash."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What the node found about a job with certain terms."""

    job: int
    digest: bytes
    """Hash of the terms."""
    result: bytes | None
    """Hash of the result; none where the node gave up."""
    size: int
    """Bytes of the output."""
    salt: bytes
    why: str
    """How the run ended, or why there was none."""
    sealed: bool
    """Whether the output is kept sealed to who ordered it."""
    found_at: float
    counted: bool = False
    """Whether it counts on chain, so that its output is served."""
    gone: bool = False
    """Whether the output is not kept any more."""


class JobStore:
    """Jobs, on the catalogue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- following ---------------------------------------------------------------------------------------------------

    def seen(self) -> Seen:
        """How far jobs and triggers were looked for."""
        with self._database.read() as connection:
            return Seen(*connection.execute("SELECT jobs, triggers, block FROM jobs_seen").fetchone())

    async def note_seen(self, jobs: int, triggers: int, block: int) -> None:
        """Note that all jobs and triggers up to these numbers are there as of a block; new ones are open.

        After a reorganisation there may be fewer: jobs that do not exist any more are forgotten, and open again once
        there are as many as before.
        """

        def run(connection: Connection) -> None:
            before = Seen(*connection.execute("SELECT jobs, triggers, block FROM jobs_seen").fetchone())
            connection.execute("DELETE FROM open_jobs WHERE job > ?", (jobs,))
            connection.executemany(
                "INSERT INTO open_jobs (job, first_block) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(number, before.block) for number in range(max(before.jobs, jobs - _MOST_NEW) + 1, jobs + 1)],
            )
            connection.executemany(
                "INSERT INTO triggers (number, first_block) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(number, before.block) for number in range(before.triggers + 1, triggers + 1)],
            )
            connection.execute("UPDATE jobs_seen SET jobs = ?, triggers = ?, block = ?", (jobs, triggers, block))

        # What a crash forgets of this is seen again.
        await self._database.write(run, durable=False)

    def open_jobs(self, limit: int, after: int = 0) -> list[OpenJob]:
        """Jobs with numbers above `after` that are not over as far as the node knows, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT job, first_block, terms, hash FROM open_jobs WHERE job > ? ORDER BY job LIMIT ?", (after, limit)
            ).fetchall()
        return [OpenJob(*row) for row in rows]

    async def note_terms(self, job: int, terms: bytes, digest: bytes) -> None:
        """Keep the terms of an open job."""
        await self._database.write(
            lambda c: c.execute("UPDATE open_jobs SET terms = ?, hash = ? WHERE job = ?", (terms, digest, job)),
            durable=False,
        )

    async def forget(self, job: int) -> None:
        """Note that a job is over, or was never there."""
        await self._database.write(lambda c: c.execute("DELETE FROM open_jobs WHERE job = ?", (job,)), durable=False)

    def triggers(self, after: int, limit: int) -> list[tuple[int, int]]:
        """The triggers with the next numbers above `after`: number, and the block near which it was made."""
        with self._database.read() as connection:
            return connection.execute(
                "SELECT number, first_block FROM triggers WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
            ).fetchall()

    # -- results -----------------------------------------------------------------------------------------------------

    def result(self, job: int, digest: bytes) -> JobResult | None:
        """What the node found about a job with these terms."""
        with self._database.read() as connection:
            row = connection.execute(f"{_RESULT} WHERE job = ? AND hash = ?", (job, digest)).fetchone()
        return None if row is None else _result(row)

    def shown(self, job: int) -> JobResult | None:
        """What the node found about a job and what counts on chain, its output being kept; the newest."""
        with self._database.read() as connection:
            row = connection.execute(
                f"{_RESULT} WHERE job = ? AND revealed = 1 AND gone = 0 ORDER BY found_at DESC LIMIT 1", (job,)
            ).fetchone()
        return None if row is None else _result(row)

    async def add_result(self, found: JobResult) -> JobResult:
        """Keep what the node found, unless it found something before; what is kept then. Durable on return.

        What was found long before, about jobs that are over and without an output by now, is forgotten.
        """
        why = found.why.encode(errors="replace")[:_WHY_BYTES].decode(errors="ignore")

        def run(connection: Connection) -> JobResult:
            connection.execute(
                "DELETE FROM results WHERE (job, hash) IN (SELECT job, hash FROM results WHERE gone = 1 "
                "AND found_at < ? AND job NOT IN (SELECT job FROM open_jobs) ORDER BY found_at LIMIT ?)",
                (found.found_at - _REMEMBERED_SECONDS, _FORGOTTEN_AT_ONCE),
            )
            connection.execute(
                "INSERT INTO results (job, hash, result, size, salt, why, sealed, found_at, gone) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    found.job,
                    found.digest,
                    found.result,
                    found.size,
                    found.salt,
                    why,
                    found.sealed,
                    found.found_at,
                    found.gone,
                ),
            )
            row = connection.execute(f"{_RESULT} WHERE job = ? AND hash = ?", (found.job, found.digest)).fetchone()
            return _result(row)

        return await self._database.write(run)

    async def note_counted(self, job: int, digest: bytes) -> None:
        """Note that a result counts on chain, so that its output may be served."""
        await self._database.write(
            lambda c: c.execute("UPDATE results SET revealed = 1 WHERE job = ? AND hash = ?", (job, digest))
        )

    def results_before(self, found_before: float, limit: int) -> list[JobResult]:
        """Results that were found before then and whose output is still kept, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_RESULT} WHERE gone = 0 AND found_at < ? ORDER BY found_at LIMIT ?", (found_before, limit)
            ).fetchall()
        return [_result(row) for row in rows]

    def droppable(self, size: int) -> list[JobResult]:
        """The oldest results of jobs that are over, whose outputs take so many bytes; none where all take less.

        No more than some at once: drop them, and ask again.
        """
        with self._database.read() as connection:
            [total] = connection.execute(f"{_KEPT_BYTES} {_OVER}", (_LEAST_FILE_BYTES,)).fetchone()
            if total < size:
                return []
            rows = connection.execute(
                f"{_RESULT} WHERE gone = 0 {_OVER} ORDER BY found_at LIMIT ?", (_NAMED_AT_ONCE,)
            ).fetchall()
        enough: list[JobResult] = []
        for found in map(_result, rows):
            if size <= 0:
                break
            enough.append(found)
            size -= max(found.size, _LEAST_FILE_BYTES)
        return enough

    def kept_bytes(self) -> int:
        """What the outputs that are kept take, about: as many bytes as programs wrote, and no file without any."""
        with self._database.read() as connection:
            [size] = connection.execute(_KEPT_BYTES, (_LEAST_FILE_BYTES,)).fetchone()
        return int(size)

    def with_output(self) -> list[tuple[int, bytes]]:
        """Job and hash of terms of all results whose output is kept."""
        with self._database.read() as connection:
            return connection.execute("SELECT job, hash FROM results WHERE gone = 0").fetchall()

    async def note_gone(self, job: int, digest: bytes) -> None:
        """Note that an output is not kept any more."""
        await self._database.write(
            lambda c: c.execute("UPDATE results SET gone = 1 WHERE job = ? AND hash = ?", (job, digest))
        )

    def kept(self) -> int:
        """How many results are kept with their output. Counts rows: for operators."""
        with self._database.read() as connection:
            [count] = connection.execute("SELECT count(*) FROM results WHERE gone = 0").fetchone()
        return int(count)


_KEPT_BYTES: Final = "SELECT coalesce(sum(max(size, ?)), 0) FROM results WHERE gone = 0"
_OVER: Final = "AND job NOT IN (SELECT job FROM open_jobs)"
_RESULT = "SELECT job, hash, result, size, salt, why, sealed, found_at, revealed, gone FROM results"


def _result(row: tuple[int, bytes, bytes | None, int, bytes, str, int, float, int, int]) -> JobResult:
    job, digest, result, size, salt, why, sealed, found_at, revealed, gone = row
    return JobResult(job, digest, result, size, salt, why, bool(sealed), found_at, bool(revealed), bool(gone))
