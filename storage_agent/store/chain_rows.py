"""The chain's facts in SQL: taken in chain order, undone on a reorganisation, folded into objects and standings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import cast

from storage_agent.state.duties import Office, apply_to_office, fold_office
from storage_agent.state.facts import (
    CommitteeFact,
    CommitteeFormed,
    EpochChangeDone,
    EpochChangeStarted,
    Invalidated,
    Located,
    ObjectFact,
    ShardsSynced,
)
from storage_agent.state.objects import ObjectRecord, apply_fact, fold_object
from storage_agent.state.trail import Cursor
from storage_agent.store.fact_codec import CHANGE, COMMITTEE, INVALIDATED, decode_fact, encode_fact
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.types import BlobId, BlobObjectId, Epoch

#: Objects that are forgotten in one transaction at most.
PRUNED_AT_ONCE = 1000
#: Objects are numbered from 1; a higher number than fits a row is the number of none.
_LAST_NUMBER = 2**63 - 1
_OBJECT = "objects.id, blob_id, objects.size, start_epoch, end_epoch, deletable, certified, deleted_in"


def read_cursor(connection: sqlite3.Connection) -> Cursor | None:
    """How far the chain was followed; none before the anchor is set."""
    row = connection.execute(
        "SELECT number, hash, timestamp, epoch, last_object FROM trail ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return None if row is None else _cursor(row)


def read_trail(connection: sqlite3.Connection) -> list[Cursor]:
    """The blocks up to which the chain was followed, ascending; the anchor is the first."""
    rows = connection.execute("SELECT number, hash, timestamp, epoch, last_object FROM trail ORDER BY number")
    return [_cursor(row) for row in rows]


def _cursor(row: tuple[int, bytes, int, int, int]) -> Cursor:
    number, block_hash, timestamp, epoch, last_object = row
    return Cursor(BlockRef(number, block_hash, timestamp), Epoch(epoch), BlobObjectId(last_object))


def advance(connection: sqlite3.Connection, cursor: Cursor) -> None:
    """Note that the chain was followed up to `cursor`."""
    block = cursor.block
    connection.execute(
        "INSERT INTO trail (number, hash, timestamp, epoch, last_object) VALUES (?, ?, ?, ?, ?)",
        (block.number, block.hash, block.timestamp, cursor.epoch, cursor.last_object),
    )
    connection.execute("UPDATE identity SET high_water = max(high_water, ?)", (block.number,))


def blob_row(connection: sqlite3.Connection, blob_id: BlobId) -> int | None:
    """The row of a blob; none when no fact ever named it."""
    row = connection.execute("SELECT id FROM blobs WHERE blob_id = ?", (blob_id.digest,)).fetchone()
    return None if row is None else cast(int, row[0])


def read_office(connection: sqlite3.Connection) -> Office | None:
    """The committee in office, as the facts leave it; none while no committee took office."""
    formed = connection.execute(
        "SELECT kind, data, block, log_index FROM facts WHERE kind = ? AND object IS NULL AND blob IS NULL "
        "ORDER BY block DESC, log_index DESC LIMIT 2",
        (COMMITTEE,),
    ).fetchall()
    if not formed:
        return None
    marks = ",".join("?" * len(CHANGE))
    since = connection.execute(
        f"SELECT kind, data FROM facts WHERE kind IN ({marks}) AND object IS NULL AND blob IS NULL "
        "AND (block, log_index) > (?, ?) ORDER BY block, log_index",
        (*CHANGE, *formed[0][2:]),
    ).fetchall()
    return _fold_office((*((kind, data) for kind, data, *_ in reversed(formed)), *since))


@lru_cache(maxsize=16)
def _fold_office(rows: tuple[tuple[str, str], ...]) -> Office | None:
    return fold_office(cast(CommitteeFact, decode_fact(kind, data)) for kind, data in rows)


def take(connection: sqlite3.Connection, facts: Sequence[Located]) -> set[int]:
    """Keep facts, the next ones in chain order, and fold them.

    Returns: the rows of the blobs whose standing may have changed.
    Raises: FactsMissing: they do not fit what is known.
    """
    touched: set[int] = set()
    for located in facts:
        fact = located.fact
        match fact:
            case CommitteeFormed() | EpochChangeStarted() | ShardsSynced() | EpochChangeDone():
                apply_to_office(read_office(connection), fact)  # it fits
                blob = blob_object = None
            case Invalidated():
                blob, blob_object = _make_blob(connection, fact.blob_id), None
            case _:
                record = apply_fact(read_object(connection, fact.blob_object), fact)
                blob, blob_object = _make_blob(connection, record.blob_id), fact.blob_object
                _write_object(connection, blob, record)
        kind, data = encode_fact(fact)
        connection.execute(
            "INSERT INTO facts (block, log_index, kind, blob, object, data) VALUES (?, ?, ?, ?, ?, ?)",
            (located.place.block, located.place.log_index, kind, blob, blob_object, data),
        )
        if blob is not None:
            touched.add(blob)
    for blob in touched:
        _write_standing(connection, blob)
    return touched


def rewind(connection: sqlite3.Connection, block: int) -> set[int]:
    """Undo everything that was taken after a block of the trail; returns the same as `take`."""
    gone = connection.execute("SELECT blob, object FROM facts WHERE block > ?", (block,)).fetchall()
    connection.execute("DELETE FROM facts WHERE block > ?", (block,))
    connection.execute("DELETE FROM trail WHERE number > ?", (block,))
    for blob_object in {row[1] for row in gone if row[1] is not None}:
        _fold_again(connection, blob_object)
    touched = {row[0] for row in gone if row[0] is not None}
    for blob in touched:
        _write_standing(connection, blob)
    return touched


def _fold_again(connection: sqlite3.Connection, blob_object: int) -> None:
    rows = connection.execute(
        "SELECT kind, data, blob FROM facts WHERE object = ? ORDER BY block, log_index", (blob_object,)
    ).fetchall()
    if not rows:
        connection.execute("DELETE FROM objects WHERE id = ?", (blob_object,))
        return
    facts = (cast(ObjectFact, decode_fact(kind, data)) for kind, data, _ in rows)
    _write_object(connection, rows[0][2], fold_object(facts))


def _make_blob(connection: sqlite3.Connection, blob_id: BlobId) -> int:
    known = blob_row(connection, blob_id)
    if known is not None:
        return known
    made = connection.execute("INSERT INTO blobs (blob_id) VALUES (?)", (blob_id.digest,))
    return cast(int, made.lastrowid)


def _write_object(connection: sqlite3.Connection, blob: int, record: ObjectRecord) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO objects (id, blob, size, start_epoch, end_epoch, deletable, certified, deleted_in) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.blob_object,
            blob,
            record.size,
            record.start,
            record.end,
            record.deletable,
            record.certified,
            record.deleted_in,
        ),
    )


def _write_standing(connection: sqlite3.Connection, blob: int) -> None:
    """`state.objects.standing_of` over all objects of a blob, by index: there may be very many."""
    connection.execute(
        """
        UPDATE blobs SET
            invalid = facts.invalid,
            live_until = iif(facts.invalid, 0, max(certified_end, registered_end)),
            certified_until = iif(facts.invalid, 0, max(certified_end, certified_deleted)),
            due_until = iif(facts.invalid, 0, max(certified_end, registered_end, certified_deleted, registered_deleted))
        FROM (
            SELECT
                EXISTS (SELECT 1 FROM facts WHERE kind = ?2 AND object IS NULL AND blob = ?1) AS invalid,
                ifnull((SELECT max(end_epoch) FROM objects
                    WHERE blob = ?1 AND deleted_in IS NULL AND certified = 1), 0) AS certified_end,
                ifnull((SELECT max(end_epoch) FROM objects
                    WHERE blob = ?1 AND deleted_in IS NULL AND certified = 0), 0) AS registered_end,
                ifnull((SELECT max(deleted_in) + 1 FROM objects
                    WHERE blob = ?1 AND deleted_in IS NOT NULL AND certified = 1), 0) AS certified_deleted,
                ifnull((SELECT max(deleted_in) + 1 FROM objects
                    WHERE blob = ?1 AND deleted_in IS NOT NULL AND certified = 0), 0) AS registered_deleted
        ) AS facts
        WHERE blobs.id = ?1
        """,
        (blob, INVALIDATED),
    )


def read_object(connection: sqlite3.Connection, blob_object: BlobObjectId) -> ObjectRecord | None:
    """An object as its facts leave it; none when it was never registered, or ended long ago."""
    if blob_object > _LAST_NUMBER:
        return None
    row = connection.execute(
        f"SELECT {_OBJECT} FROM objects JOIN blobs ON blobs.id = blob WHERE objects.id = ?", (blob_object,)
    ).fetchone()
    return None if row is None else _object(row)


def read_objects(connection: sqlite3.Connection, blob_id: BlobId, limit: int) -> list[ObjectRecord]:
    """The newest objects of a blob, the newest first."""
    rows = connection.execute(
        f"SELECT {_OBJECT} FROM objects JOIN blobs ON blobs.id = blob WHERE blob_id = ? "
        "ORDER BY objects.id DESC LIMIT ?",
        (blob_id.digest, limit),
    )
    return [_object(row) for row in rows]


def read_live_sizes(connection: sqlite3.Connection, blob_id: BlobId, epoch: Epoch, limit: int) -> list[int]:
    """The sizes that objects of a blob declare whose terms run in `epoch`, none twice.

    Those that a certificate confirms come first, then those declared first: whoever wants to harm a blob may declare
    any number of false ones.
    """
    rows = connection.execute(
        """
        SELECT objects.size FROM objects JOIN blobs ON blobs.id = blob
        WHERE blob_id = ? AND deleted_in IS NULL AND end_epoch > ?
        GROUP BY objects.size ORDER BY max(certified) DESC, min(objects.id) LIMIT ?
        """,
        (blob_id.digest, epoch, limit),
    )
    return [row[0] for row in rows]


def _object(row: tuple[int, bytes, int, int, int, int, int, int | None]) -> ObjectRecord:
    number, blob_id, size, start, end, deletable, certified, deleted_in = row
    return ObjectRecord(
        BlobObjectId(number),
        BlobId(blob_id),
        size,
        Epoch(start),
        Epoch(end),
        bool(deletable),
        bool(certified),
        None if deleted_in is None else Epoch(deleted_in),
    )


def blobs_ended(connection: sqlite3.Connection, epoch: Epoch) -> list[int]:
    """Rows of the blobs that nobody pays for in `epoch` and of which bytes are here."""
    rows = connection.execute("SELECT id FROM blobs WHERE due_until <= ? AND bytes > 0", (epoch,))
    return [row[0] for row in rows]


def blobs_here(connection: sqlite3.Connection) -> list[int]:
    """Rows of the blobs of which bytes are here."""
    return [row[0] for row in connection.execute("SELECT id FROM blobs WHERE bytes > 0")]


def blobs_with_work(connection: sqlite3.Connection) -> list[int]:
    """Rows of the blobs that something is to be done for."""
    return [row[0] for row in connection.execute("SELECT DISTINCT blob FROM work WHERE kind <> 'collect'")]


def blobs_certified(connection: sqlite3.Connection, epoch: Epoch) -> list[int]:
    """Rows of the blobs that the network answers for in `epoch`."""
    return [row[0] for row in connection.execute("SELECT id FROM blobs WHERE certified_until > ?", (epoch,))]


def forget_old(connection: sqlite3.Connection, cursor: Cursor, history: int) -> bool:
    """Drop blocks and ended objects that no reorganisation of at most `history` blocks can bring back.

    Such a reorganisation leaves the *horizon* as it is, the newest block of the trail with `history` blocks after it.
    What was deleted or expired there stays so; what expired since may not have, where the clock is turned back. Bytes
    of what was deleted are due to the end of that epoch, so it is not forgotten before.

    Returns: whether there may be more to forget.
    """
    horizon, epoch = connection.execute(
        "SELECT number, epoch FROM trail WHERE number <= ? OR number = (SELECT min(number) FROM trail) "
        "ORDER BY number DESC LIMIT 1",
        (cursor.block.number - history,),
    ).fetchone()
    connection.execute("DELETE FROM trail WHERE number < ? AND number > (SELECT min(number) FROM trail)", (horizon,))
    ended = connection.execute(
        """
        SELECT id, blob FROM (
            SELECT id, blob FROM objects WHERE end_epoch <= ?1
            UNION SELECT id, blob FROM objects WHERE deleted_in < ?1
        ) WHERE (SELECT max(block) FROM facts WHERE object = id) <= ?2 LIMIT ?3
        """,
        (epoch, horizon, PRUNED_AT_ONCE),
    ).fetchall()
    for blob_object, _ in ended:
        connection.execute("DELETE FROM facts WHERE object = ?", (blob_object,))
        connection.execute("DELETE FROM attestations WHERE object = ?", (blob_object,))
        connection.execute("DELETE FROM objects WHERE id = ?", (blob_object,))
    _forget_blobs(connection, {blob for _, blob in ended})
    return len(ended) == PRUNED_AT_ONCE


def _forget_blobs(connection: sqlite3.Connection, blobs: Iterable[int]) -> None:
    for blob in blobs:
        _write_standing(connection, blob)
        connection.execute(
            """
            DELETE FROM blobs WHERE id = ?1 AND bytes = 0
                AND NOT EXISTS (SELECT 1 FROM objects WHERE blob = ?1)
                AND NOT EXISTS (SELECT 1 FROM facts WHERE kind = ?2 AND object IS NULL AND blob = ?1)
                AND NOT EXISTS (SELECT 1 FROM attestations WHERE blob = ?1)
            """,
            (blob, INVALIDATED),
        )
