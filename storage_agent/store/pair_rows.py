"""Metadata, packs and pairs in SQL: what is durable of each blob, and where."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from storage_agent.state.duties import Duties
from storage_agent.store.rows import PackRow, PairPlace
from walrus_chain.types import BlobId, PairIndex


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pairs of a blob's segments are to be here."""

    own: frozenset[PairIndex]
    """Those that the node must hold."""
    kept: frozenset[PairIndex]
    """Those that are not to be dropped: its own, and those it keeps for other nodes."""

    @classmethod
    def under(cls, duties: Duties, blob_id: BlobId) -> Wanted:
        """What the node's duties make of a blob."""
        return cls(frozenset(duties.pairs(blob_id)), frozenset(duties.kept_pairs(blob_id)))

    def count(self, pairs: Iterable[PairIndex]) -> tuple[int, int]:
        """How many of `pairs` the node must hold, and how many are too much."""
        held = surplus = 0
        for pair in pairs:
            held += pair in self.own
            surplus += pair not in self.kept
        return held, surplus


def add_metadata(connection: sqlite3.Connection, blob: int, data: bytes, size: int, segments: int) -> None:
    """Keep a blob's metadata; nothing happens when it is there already."""
    added = connection.execute("INSERT INTO metadata (blob, data) VALUES (?, ?) ON CONFLICT DO NOTHING", (blob, data))
    if added.rowcount:
        connection.execute(
            "UPDATE blobs SET size = ?, segments = ?, bytes = bytes + ? WHERE id = ?", (size, segments, len(data), blob)
        )


def add_pack(
    connection: sqlite3.Connection,
    pack: int,
    blob: int,
    segment: int,
    pairs: Sequence[tuple[PairIndex, int, int]],
    data: bytes | None,
    want: Wanted,
    at: float,
) -> bool:
    """Note that a pack is durable; whether it is of use, because a pair in it was not held before.

    Args:
        pairs: (pair, start, bytes) of each pair in the pack.
        data: the bytes, when they are to be kept in the catalogue itself.
        at: when the bytes were verified, seconds since 1970.
    """
    held = held_pairs(connection, blob, segment)
    new = [(pair, start, length) for pair, start, length in pairs if pair not in held]
    if not new:
        return False
    total = sum(length for _, _, length in pairs)
    connection.execute(
        "INSERT INTO packs (id, blob, segment, bytes, checked_at, data) VALUES (?, ?, ?, ?, ?, ?)",
        (pack, blob, segment, total, at, data),
    )
    connection.executemany(
        "INSERT INTO pairs (blob, segment, pair, pack, start, bytes) VALUES (?, ?, ?, ?, ?, ?)",
        [(blob, segment, pair, pack, start, length) for pair, start, length in new],
    )
    due, surplus = want.count(pair for pair, _, _ in new)
    connection.execute(
        "UPDATE blobs SET held = held + ?, surplus = surplus + ?, bytes = bytes + ? WHERE id = ?",
        (due, surplus, total, blob),
    )
    return True


def drop_pairs(
    connection: sqlite3.Connection, blob: int, places: Iterable[tuple[int, PairIndex]], want: Wanted
) -> bool:
    """Forget pairs, since their bytes are gone or wrong; whether that left garbage in the sliver store."""
    garbage = False
    for segment, pair in places:
        row = connection.execute(
            "DELETE FROM pairs WHERE blob = ? AND segment = ? AND pair = ? RETURNING pack", (blob, segment, pair)
        ).fetchone()
        if row is None:
            continue
        due, surplus = want.count([pair])
        connection.execute("UPDATE blobs SET held = held - ?, surplus = surplus - ? WHERE id = ?", (due, surplus, blob))
        garbage |= _drop_if_empty(connection, blob, row[0])
    return garbage


def drop_surplus(connection: sqlite3.Connection, blob: int, want: Wanted) -> bool:
    """Forget pairs that are neither to be served nor to be kept; whether that left garbage in the sliver store."""
    rows = connection.execute("SELECT segment, pair FROM pairs WHERE blob = ?", (blob,)).fetchall()
    return drop_pairs(connection, blob, [place for place in rows if place[1] not in want.kept], want)


def mixed_packs(connection: sqlite3.Connection, blob: int, want: Wanted, limit: int) -> list[PackRow]:
    """Packs in which pairs that are to be dropped lie beside others; their rows name the others only."""
    rows = connection.execute("SELECT pack, pair FROM pairs WHERE blob = ? ORDER BY pack", (blob,)).fetchall()
    good = {pack for pack, pair in rows if pair in want.kept}
    mixed = sorted({pack for pack, pair in rows if pair not in want.kept and pack in good})[:limit]
    marks = ",".join("?" * len(mixed))
    return [
        replace(row, pairs=tuple(place for place in row.pairs if place[0] in want.kept))
        for row in _packs(connection, f"packs.id IN ({marks})", tuple(mixed))
    ]


def move_pairs(
    connection: sqlite3.Connection,
    blob: int,
    old: PackRow,
    new: int,
    pairs: Sequence[tuple[PairIndex, int, int]],
    data: bytes | None,
) -> bool:
    """Note that pairs of a pack are durable in another one too, and are to be read from there.

    Args:
        pairs: (pair, start, bytes) of each pair in the new pack.
        data: the bytes of the new pack, when they are to be kept in the catalogue itself.
    Returns: whether any of them was still in the old pack; else the new one is of no use and not noted.
    """
    here = {row[0] for row in connection.execute("SELECT pair FROM pairs WHERE pack = ?", (old.pack,))}
    moved = [(start, pair) for pair, start, _ in pairs if pair in here]
    if not moved:
        return False
    total = sum(length for _, _, length in pairs)
    connection.execute(
        "INSERT INTO packs (id, blob, segment, bytes, checked_at, data) VALUES (?, ?, ?, ?, ?, ?)",
        (new, blob, old.segment, total, old.checked_at, data),
    )
    connection.execute("UPDATE blobs SET bytes = bytes + ? WHERE id = ?", (total, blob))
    connection.executemany(
        "UPDATE pairs SET pack = ?, start = ? WHERE pack = ? AND pair = ?",
        [(new, start, old.pack, pair) for start, pair in moved],
    )
    return True


def _drop_if_empty(connection: sqlite3.Connection, blob: int, pack: int) -> bool:
    (left,) = connection.execute("SELECT count(*) FROM pairs WHERE pack = ?", (pack,)).fetchone()
    return left == 0 and _drop_pack(connection, blob, pack)


def _drop_pack(connection: sqlite3.Connection, blob: int, pack: int) -> bool:
    size, stored_outside = connection.execute("SELECT bytes, data IS NULL FROM packs WHERE id = ?", (pack,)).fetchone()
    connection.execute("DELETE FROM packs WHERE id = ?", (pack,))
    connection.execute("UPDATE blobs SET bytes = bytes - ? WHERE id = ?", (size, blob))
    if stored_outside:
        add_garbage(connection, pack)
    return bool(stored_outside)


def drop_blob(connection: sqlite3.Connection, blob: int) -> bool:
    """Forget all that is held of a blob; whether that left garbage in the sliver store."""
    garbage = connection.execute(
        "INSERT INTO garbage (pack) SELECT id FROM packs WHERE blob = ? AND data IS NULL", (blob,)
    ).rowcount
    for table in ("pairs", "packs", "metadata"):
        connection.execute(f"DELETE FROM {table} WHERE blob = ?", (blob,))
    connection.execute(
        "UPDATE blobs SET size = NULL, segments = NULL, held = 0, surplus = 0, bytes = 0 WHERE id = ?", (blob,)
    )
    return garbage > 0


def add_garbage(connection: sqlite3.Connection, pack: int) -> None:
    """Note that nothing refers to a pack in the sliver store any more."""
    connection.execute("INSERT INTO garbage (pack) VALUES (?) ON CONFLICT DO NOTHING", (pack,))


def garbage(connection: sqlite3.Connection, limit: int) -> list[int]:
    """Packs that are to be deleted from the sliver store."""
    return [row[0] for row in connection.execute("SELECT pack FROM garbage LIMIT ?", (limit,))]


def forget_garbage(connection: sqlite3.Connection, packs: Sequence[int]) -> bool:
    """Note that packs are deleted; whether there is more garbage."""
    connection.executemany("DELETE FROM garbage WHERE pack = ?", [(pack,) for pack in packs])
    return connection.execute("SELECT 1 FROM garbage LIMIT 1").fetchone() is not None


def first_free_pack(connection: sqlite3.Connection) -> int:
    """The lowest pack number that no row ever in use at the same time has."""
    (used,) = connection.execute(
        "SELECT max(ifnull((SELECT max(id) FROM packs), 0), ifnull((SELECT max(pack) FROM garbage), 0))"
    ).fetchone()
    return cast(int, used) + 1


def packs_outside(connection: sqlite3.Connection, after: int, limit: int) -> list[PackRow]:
    """The packs with the next numbers above `after` whose bytes are in the sliver store."""
    return _packs(connection, "packs.id > ? AND data IS NULL ORDER BY packs.id LIMIT ?", (after, limit))


def recount_held(connection: sqlite3.Connection, duties: Duties) -> None:
    """Count the pairs held again, after the node's duties changed."""
    for blob, digest in connection.execute("SELECT id, blob_id FROM blobs WHERE bytes > 0").fetchall():
        rows = connection.execute("SELECT pair FROM pairs WHERE blob = ?", (blob,))
        held, surplus = Wanted.under(duties, BlobId(digest)).count(row[0] for row in rows)
        connection.execute("UPDATE blobs SET held = ?, surplus = ? WHERE id = ?", (held, surplus, blob))


def held_pairs(connection: sqlite3.Connection, blob: int, segment: int) -> set[PairIndex]:
    """The pairs of one segment that are durable."""
    rows = connection.execute("SELECT pair FROM pairs WHERE blob = ? AND segment = ?", (blob, segment))
    return {PairIndex(row[0]) for row in rows}


def missing_pairs(
    connection: sqlite3.Connection, blob: int, segments: int, own: Sequence[PairIndex]
) -> Iterator[tuple[int, PairIndex]]:
    """The pairs that the node must hold and does not, in order: (segment, pair)."""
    held = set(connection.execute("SELECT segment, pair FROM pairs WHERE blob = ?", (blob,)))
    for segment in range(segments):
        for pair in own:
            if (segment, pair) not in held:
                yield segment, pair


def place_of(
    connection: sqlite3.Connection, blob_id: BlobId, segment: int, pair: PairIndex, start: int, length: int | None
) -> PairPlace | None:
    """Where bytes of a pair are; none when the pair is not held.

    Args:
        start: first byte within the pair.
        length: how many bytes; all up to the end when none.
    """
    row = connection.execute(
        """
        SELECT packs.id, pairs.start + ?4, max(0, min(?5, pairs.bytes - ?4)),
            substr(packs.data, pairs.start + ?4 + 1, max(0, min(?5, pairs.bytes - ?4)))
        FROM blobs JOIN pairs ON pairs.blob = blobs.id JOIN packs ON packs.id = pairs.pack
        WHERE blob_id = ?1 AND pairs.segment = ?2 AND pair = ?3
        """,
        (blob_id.digest, segment, pair, start, 2**62 if length is None else length),
    ).fetchone()
    return None if row is None else PairPlace(*row)


def packs_to_check(connection: sqlite3.Connection, checked_before: float, limit: int) -> list[PackRow]:
    """Packs whose bytes were not checked since, those longest unchecked first."""
    return _packs(connection, "checked_at < ? ORDER BY checked_at LIMIT ?", (checked_before, limit))


def _packs(connection: sqlite3.Connection, which: str, arguments: tuple[float, ...]) -> list[PackRow]:
    rows = connection.execute(
        "SELECT packs.id, blob_id, segment, packs.bytes, checked_at FROM packs JOIN blobs ON blobs.id = packs.blob "
        f"WHERE {which}",
        arguments,
    ).fetchall()
    return [
        PackRow(pack, BlobId(blob_id), segment, size, checked_at, _pairs_in(connection, pack))
        for pack, blob_id, segment, size, checked_at in rows
    ]


def _pairs_in(connection: sqlite3.Connection, pack: int) -> tuple[tuple[PairIndex, int, int], ...]:
    rows = connection.execute("SELECT pair, start, bytes FROM pairs WHERE pack = ? ORDER BY start", (pack,))
    return tuple((PairIndex(pair), start, length) for pair, start, length in rows)


def mark_checked(connection: sqlite3.Connection, packs: Iterable[int], at: float) -> None:
    """Note when the bytes of packs were found right."""
    connection.executemany("UPDATE packs SET checked_at = ? WHERE id = ?", [(at, pack) for pack in packs])
