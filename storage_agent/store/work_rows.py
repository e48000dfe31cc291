"""The list of work in SQL. It is derived: `replan` puts it in line with how a blob stands and what is held of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from storage_agent.state.duties import Duties, Office, duties_of
from storage_agent.state.objects import Standing
from storage_agent.state.plan import Holding, WorkKind, plan
from storage_agent.store.chain_rows import read_office
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
    duties_since: float
    """When the shards that the node serves or keeps last changed, in seconds since 1970."""


def situation(connection: sqlite3.Connection) -> Situation:
    """Where the node stands now."""
    row = connection.execute("SELECT number, epoch FROM trail ORDER BY number DESC LIMIT 1").fetchone()
    number, epoch = row or (-1, 0)
    node, high_water, since = connection.execute("SELECT node, high_water, duties_since FROM identity").fetchone()
    return Situation(Epoch(epoch), number >= high_water, _duties(read_office(connection), NodeId(node)), since)


def note_duties_changed(connection: sqlite3.Connection, at: float) -> None:
    """Note when the shards that the node serves or keeps changed."""
    connection.execute("UPDATE identity SET duties_since = ?", (at,))


@lru_cache(maxsize=16)
def _duties(office: Office | None, node_id: NodeId) -> Duties:
    return duties_of(office, node_id)


@dataclass(frozen=True, slots=True)
class Times:
    """When work that comes up now may be done; seconds since 1970."""

    now: float
    heal_at: float
    """Not before when healing starts."""
    trim_at: float
    """Not before when trimming starts: a reorganisation may give the shards back."""


def replan(connection: sqlite3.Connection, blob: int, now: Situation, times: Times) -> bool:
    """Put the work for a blob in line with how things are; whether new work came up.

    Args:
        blob: the row of the blob.
        times: freeing starts at once, but for a blob that a reorganisation left without a registration: its
            transactions are likely to be in a block again soon, and what all nodes freed meanwhile would be lost.
    """
    live_until, certified_until, due_until, invalid, segments, held, surplus, size, sound = connection.execute(
        "SELECT live_until, certified_until, due_until, invalid, segments, held, surplus, bytes, sound "
        "FROM blobs WHERE id = ?",
        (blob,),
    ).fetchone()
    standing = Standing(live_until, certified_until, due_until, bool(invalid))
    own = len(now.duties.own)
    complete = own == 0 or (segments is not None and held >= segments * own)
    too_much = surplus > 0 or (size > 0 and has_no_part(now.duties))
    due = plan(standing, now.epoch, Holding(complete, size == 0, sound == 0, too_much), now.settled)
    connection.execute(
        "DELETE FROM work WHERE blob = ? AND kind IN ('heal', 'free', 'trim') AND kind <> ?", (blob, due or "")
    )
    match due:
        case None:
            return False
        case WorkKind.HEAL:
            not_before = times.heal_at
        case WorkKind.TRIM:
            not_before = times.trim_at
        case _:
            not_before = times.now + (ORPHAN_SECONDS if not invalid and _is_orphan(connection, blob) else 0.0)
    return _add(connection, due, blob, not_before)


def has_no_part(duties: Duties) -> bool:
    """Whether the node has nothing to serve or to keep in the committee in office, so that nothing need be here."""
    return duties.shards > 0 and not duties.own and not duties.keeping


def forget_all(connection: sqlite3.Connection, kind: WorkKind) -> None:
    """Take all work of a kind off the list; what is still due comes back with `replan`, as if it were new."""
    connection.execute("DELETE FROM work WHERE kind = ?", (kind.value,))


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


def to_heal(connection: sqlite3.Connection, after: int, limit: int, at: float) -> list[tuple[int, BlobId, int | None]]:
    """Blobs to be healed, but those that were put on the list a moment ago and not tried yet.

    Args:
        after: the row of the last blob of the page before.
    Returns: row, blob id and number of segments; none where the metadata is not here.
    """
    rows = connection.execute(
        "SELECT blobs.id, blob_id, segments FROM work JOIN blobs ON blobs.id = work.blob "
        "WHERE kind = 'heal' AND work.blob > ? AND (attempts > 0 OR not_before <= ?) ORDER BY work.blob LIMIT ?",
        (after, at, limit),
    )
    return [(blob, BlobId(digest), segments) for blob, digest, segments in rows]


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
