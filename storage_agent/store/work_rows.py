"""The list of work in SQL. It is derived: `replan` puts it in line with how a blob stands and what is held of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from storage_agent.state.duties import NO_DUTIES, Duties, duties_of
from storage_agent.state.facts import CommitteeFormed
from storage_agent.state.objects import Standing
from storage_agent.state.plan import Holding, WorkKind, plan
from storage_agent.store.fact_codec import COMMITTEE, decode_fact
from storage_agent.store.rows import Work
from walrus_chain.types import BlobId, Epoch, NodeId

#: Stands for "no blob" in the key of work.
NO_BLOB = 0
#: How long the bytes of a blob are kept whose registration a reorganisation undid.
ORPHAN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What planning depends on besides the blob itself; the same for all blobs."""

    epoch: Epoch
    settled: bool
    """The chain was followed up to where it had been followed before."""
    duties: Duties


def situation(connection: sqlite3.Connection) -> Situation:
    """Where the node stands now."""
    row = connection.execute("SELECT number, epoch FROM trail ORDER BY number DESC LIMIT 1").fetchone()
    number, epoch = row or (-1, 0)
    node, high_water = connection.execute("SELECT node, high_water FROM identity").fetchone()
    return Situation(Epoch(epoch), number >= high_water, duties(connection, NodeId(node)))


def duties(connection: sqlite3.Connection, node_id: NodeId) -> Duties:
    """What the node answers for under the committee in office."""
    row = connection.execute(
        "SELECT data FROM facts WHERE kind = ? AND object IS NULL ORDER BY block DESC, log_index DESC LIMIT 1",
        (COMMITTEE,),
    ).fetchone()
    return NO_DUTIES if row is None else _duties(row[0], node_id)


@lru_cache(maxsize=16)
def _duties(data: str, node_id: NodeId) -> Duties:
    return duties_of(cast(CommitteeFormed, decode_fact(COMMITTEE, data)), node_id)


def replan(connection: sqlite3.Connection, blob: int, now: Situation, heal_at: float, at: float) -> bool:
    """Put the work for a blob in line with how things are; whether new work came up.

    Args:
        blob: the row of the blob.
        heal_at: not before when healing starts, should it be new; seconds since 1970.
        at: the time now; freeing starts at once, but for a blob that a reorganisation left without a registration: its
            transactions are likely to be in a block again soon, and what all nodes freed meanwhile would be lost.
    """
    live_until, certified_until, invalid, segments, held, size, sound = connection.execute(
        "SELECT live_until, certified_until, invalid, segments, held, bytes, sound FROM blobs WHERE id = ?", (blob,)
    ).fetchone()
    standing = Standing(live_until, certified_until, bool(invalid))
    own = len(now.duties.own)
    complete = own == 0 or (segments is not None and held >= segments * own)
    due = plan(standing, now.epoch, Holding(complete, size == 0, sound == 0), now.settled)
    connection.execute(
        "DELETE FROM work WHERE blob = ? AND kind IN ('heal', 'free') AND kind <> ?", (blob, due.value if due else "")
    )
    if due is None:
        return False
    if due is WorkKind.HEAL:
        return _add(connection, due, blob, heal_at)
    return _add(connection, due, blob, at + ORPHAN_SECONDS if not invalid and _is_orphan(connection, blob) else at)


def _is_orphan(connection: sqlite3.Connection, blob: int) -> bool:
    """Whether a blob that was stored has no object, not even one that ended."""
    return connection.execute("SELECT 1 FROM objects WHERE blob = ? LIMIT 1", (blob,)).fetchone() is None


def add_collecting(connection: sqlite3.Connection, at: float) -> bool:
    """Have what is garbage collected; whether that is new."""
    return _add(connection, WorkKind.COLLECT, NO_BLOB, at)


def _add(connection: sqlite3.Connection, kind: WorkKind, blob: int, not_before: float) -> bool:
    added = connection.execute(
        "INSERT INTO work (kind, blob, not_before) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (kind.value, blob, not_before),
    )
    return added.rowcount > 0


def is_wanted(connection: sqlite3.Connection, kind: WorkKind, blob: int) -> bool:
    """Whether such work is to be done for a blob."""
    return (
        connection.execute("SELECT 1 FROM work WHERE kind = ? AND blob = ?", (kind.value, blob)).fetchone() is not None
    )


def due(connection: sqlite3.Connection, kind: WorkKind, at: float, limit: int) -> list[Work]:
    """The work of a kind that may be done now, what waits longest first."""
    rows = connection.execute(
        "SELECT blob_id, attempts, problem FROM work LEFT JOIN blobs ON blobs.id = work.blob "
        "WHERE kind = ? AND not_before <= ? ORDER BY not_before LIMIT ?",
        (kind.value, at, limit),
    )
    return [
        Work(kind, None if blob_id is None else BlobId(blob_id), attempts, problem)
        for blob_id, attempts, problem in rows
    ]


def next_after(connection: sqlite3.Connection, kind: WorkKind, at: float) -> float | None:
    """When, after `at`, the next work of a kind may be done; seconds since 1970, none when there is none."""
    row = connection.execute(
        "SELECT min(not_before) FROM work WHERE kind = ? AND not_before > ?", (kind.value, at)
    ).fetchone()
    return cast("float | None", row[0])


def postpone(connection: sqlite3.Connection, kind: WorkKind, blob: int, not_before: float, problem: str) -> None:
    """Note that work failed, and when to try again; nothing happens when there is no such work any more."""
    connection.execute(
        "UPDATE work SET not_before = ?, attempts = attempts + 1, problem = ? WHERE kind = ? AND blob = ?",
        (not_before, problem, kind.value, blob),
    )
