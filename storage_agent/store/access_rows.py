"""Releases of keys in SQL: nonces, uses, vouchers, receipts, anchors, and the state of erasable keys.

Amounts are kept as 16 bytes and sequences as 8 bytes, big-endian: SQLite's numbers end at 2^63, and bytes of one length
compare as the numbers do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator

from storage_agent.store.access import (
    Anchor,
    ErasableRow,
    LedgerTotals,
    NonceUsed,
    Payment,
    Promise,
    PurchaseUsed,
    ReceiptRow,
    SignedReceipt,
    Slot,
    SpendLimitReached,
    Use,
)
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.messages.voucher import Voucher
from walrus_chain.payments.vouchers import AcceptedVoucher, StretchTaken
from walrus_chain.types import BlobObjectId, Epoch, Wei

#: Nonces and sessions that are forgotten with each release at most.
_FORGOTTEN_AT_ONCE = 16
_AMOUNT_BYTES, _SEQUENCE_BYTES = 16, 8
#: No object, pool or channel has a higher number, for none of them fits a row.
LAST_NUMBER = 2**63 - 1


def take_nonce(connection: sqlite3.Connection, use: Use, forget_before: float) -> None:
    """Reserve a request's nonce for as long as the request could be sent again.

    Args:
        forget_before: what expired before is forgotten, some at a time; seconds since 1970.
    Raises: NonceUsed.
    """
    before = int(forget_before)
    connection.execute(
        "DELETE FROM nonces WHERE (requester, nonce) IN "
        "(SELECT requester, nonce FROM nonces WHERE expires < ? ORDER BY expires LIMIT ?)",
        (before, _FORGOTTEN_AT_ONCE),
    )
    connection.execute(
        "DELETE FROM sessions WHERE session IN (SELECT session FROM sessions WHERE ends < ? ORDER BY ends LIMIT ?)",
        (before, _FORGOTTEN_AT_ONCE),
    )
    taken = connection.execute(
        "INSERT INTO nonces (requester, nonce, expires) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (use.requester, use.nonce, use.expires_at),
    )
    if not taken.rowcount:
        raise NonceUsed(use.requester, use.nonce)


def payment_of(connection: sqlite3.Connection, digest: bytes) -> Payment | None:
    """What paid for a use; none when no key was ever released for it."""
    row = connection.execute(
        "SELECT paid_by, amount, pool, channel, last, signature FROM uses LEFT JOIN vouchers USING (use) WHERE use = ?",
        (digest,),
    ).fetchone()
    if row is None:
        return None
    paid_by, amount, pool, channel, last, signature = row
    return Payment(PaidBy(paid_by), _number(amount), pool, channel or 0, _number(last or b""), signature or b"")


def take_payment(connection: sqlite3.Connection, use: Use, payment: Payment, epoch: Epoch) -> None:
    """Note what pays for a use that nothing paid for before.

    Raises: PurchaseUsed, StretchTaken, SpendLimitReached.
    """
    if payment.paid_by is PaidBy.VOUCHER:
        _check_stretch(connection, payment)
        _spend(connection, use, payment)
    elif payment.paid_by is PaidBy.PURCHASE:
        _check_bought(connection, use)
    connection.execute(
        "INSERT INTO uses (use, requester, object, sequence, paid_by, amount, pool) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (use) DO UPDATE SET paid_by = excluded.paid_by, amount = excluded.amount, pool = excluded.pool",
        (
            use.digest,
            use.requester,
            use.blob_object,
            _sequence(use.sequence),
            payment.paid_by,
            _amount(payment.amount),
            payment.pool,
        ),
    )
    if payment.paid_by is PaidBy.VOUCHER:
        connection.execute(
            "INSERT INTO vouchers (channel, last, first, use, signature) VALUES (?, ?, ?, ?, ?)",
            (payment.channel, _amount(payment.cumulative), _amount(payment.first), use.digest, payment.signature),
        )
    if payment.pool:
        connection.execute(
            "INSERT INTO incomes (pool, since) VALUES (?, ?) ON CONFLICT DO NOTHING", (payment.pool, epoch)
        )


def _check_bought(connection: sqlite3.Connection, use: Use) -> None:
    """Raises: PurchaseUsed: the read that was bought paid for another use."""
    used = connection.execute(
        "SELECT 1 FROM uses WHERE object = ? AND requester = ? AND sequence = ? AND paid_by = ?",
        (use.blob_object, use.requester, _sequence(use.sequence), PaidBy.PURCHASE),
    ).fetchone()
    if used is not None:
        raise PurchaseUsed(use.blob_object, use.sequence)


def _check_stretch(connection: sqlite3.Connection, payment: Payment) -> None:
    """Raises: StretchTaken: a stretch that paid for another use overlaps."""
    # Stretches do not overlap, so only the first that ends above the beginning of this one can.
    above = "SELECT last, first, use, signature FROM vouchers WHERE channel = ? AND last > ? ORDER BY last LIMIT 1"
    row = connection.execute(above, (payment.channel, _amount(payment.first))).fetchone()
    if row is None or row[1] >= _amount(payment.cumulative):
        return
    highest = connection.execute(
        "SELECT last, first, use, signature FROM vouchers WHERE channel = ? ORDER BY last DESC LIMIT 1",
        (payment.channel,),
    ).fetchone()
    raise StretchTaken(_accepted(payment.channel, row), _accepted(payment.channel, highest))


def _accepted(channel: int, row: tuple[bytes, bytes, bytes, bytes]) -> AcceptedVoucher:
    last, first, use, signature = row
    cumulative = _number(last)
    return AcceptedVoucher(Voucher(channel, cumulative, Wei(cumulative - _number(first)), use), signature)


def _spend(connection: sqlite3.Connection, use: Use, payment: Payment) -> None:
    """Raises: SpendLimitReached."""
    row = connection.execute("SELECT spent FROM sessions WHERE session = ?", (use.session,)).fetchone()
    spent = _number(row[0] if row else b"")
    if spent + payment.amount > use.spend_limit:
        raise SpendLimitReached(use.spend_limit, spent, payment.amount)
    connection.execute(
        "INSERT INTO sessions (session, spent, ends) VALUES (?, ?, ?) "
        "ON CONFLICT (session) DO UPDATE SET spent = excluded.spent",
        (use.session, _amount(Wei(spent + payment.amount)), use.session_ends),
    )


def next_slot(connection: sqlite3.Connection, epoch: Epoch) -> Slot:
    """Where the next receipt goes: the present epoch, or the first that is neither sealed nor before another's."""
    [latest, sealed] = connection.execute(
        "SELECT (SELECT ifnull(max(epoch), 0) FROM receipts), (SELECT ifnull(max(epoch), 0) FROM anchors)"
    ).fetchone()
    epoch = Epoch(max(epoch, latest, sealed + 1))
    [place] = connection.execute("SELECT ifnull(max(place) + 1, 0) FROM receipts WHERE epoch = ?", (epoch,)).fetchone()
    return Slot(epoch, place)


def add_receipt(connection: sqlite3.Connection, slot: Slot, blob_object: BlobObjectId, receipt: SignedReceipt) -> None:
    """Append a receipt to the log."""
    connection.execute(
        "INSERT INTO receipts (epoch, place, object, digest, data, signature) VALUES (?, ?, ?, ?, ?, ?)",
        (slot.epoch, slot.place, blob_object, receipt.digest, json.dumps(receipt.data), receipt.signature),
    )


def receipts(
    connection: sqlite3.Connection, blob_object: BlobObjectId | None, epoch: Epoch | None, after: int, limit: int
) -> list[ReceiptRow]:
    """The next receipts in the log with numbers above `after`, of one object or epoch where one is named."""
    # Anybody may ask: so no more rows are looked at than are answered. Numbers ascend with epochs and places.
    conditions, values = ["number > ?"], [after]
    if blob_object is not None:
        conditions.append("object = ?")
        values.append(blob_object)
    if epoch is not None:
        first = "SELECT number FROM receipts WHERE epoch = ? ORDER BY place LIMIT 1"
        last = "SELECT number FROM receipts WHERE epoch = ? ORDER BY place DESC LIMIT 1"
        conditions.append(f"number BETWEEN ({first}) AND ({last})")
        values += [epoch, epoch]
    rows = connection.execute(
        "SELECT number, epoch, place, digest, data, signature FROM receipts "
        f"WHERE {' AND '.join(conditions)} ORDER BY number LIMIT ?",
        (*values, limit),
    )
    return [
        ReceiptRow(number, Slot(Epoch(in_epoch), place), SignedReceipt(digest, json.loads(data), signature))
        for number, in_epoch, place, digest, data, signature in rows
    ]


def digests(connection: sqlite3.Connection, epoch: Epoch) -> list[bytes]:
    """The digests of an epoch's receipts, in their order."""
    rows = connection.execute("SELECT digest FROM receipts WHERE epoch = ? ORDER BY place", (epoch,))
    return [row[0] for row in rows]


def seal(connection: sqlite3.Connection, before: Epoch, root_of: Callable[[list[bytes]], bytes]) -> None:
    """Close the epochs before `before` that have receipts: they get no more, and their root is fixed."""
    rows = connection.execute(
        "SELECT DISTINCT epoch FROM receipts WHERE epoch < ? AND epoch > (SELECT ifnull(max(epoch), 0) FROM anchors)",
        (before,),
    ).fetchall()
    for (epoch,) in rows:
        leaves = digests(connection, Epoch(epoch))
        connection.execute(
            "INSERT INTO anchors (epoch, root, count) VALUES (?, ?, ?)", (epoch, root_of(leaves), len(leaves))
        )


def anchors(connection: sqlite3.Connection, epochs: tuple[Epoch, ...] | None = None) -> Iterator[Anchor]:
    """Sealed epochs: those named, or those whose root the chain does not have for good."""
    if epochs is None:
        rows = connection.execute("SELECT epoch, root, count, anchored FROM anchors WHERE anchored = 0 ORDER BY epoch")
    else:
        marks = ",".join("?" * len(epochs))
        rows = connection.execute(f"SELECT epoch, root, count, anchored FROM anchors WHERE epoch IN ({marks})", epochs)
    for epoch, root, count, anchored in rows:
        yield Anchor(Epoch(epoch), root, count, bool(anchored))


def promises(connection: sqlite3.Connection) -> list[Promise]:
    """For each channel that is not redeemed for good up to it, the voucher that promises most."""
    rows = connection.execute(
        """
        SELECT vouchers.channel, last, first, use, signature
        FROM (SELECT channel, max(last) AS highest FROM vouchers GROUP BY channel) AS best
        JOIN vouchers ON vouchers.channel = best.channel AND last = highest
        LEFT JOIN redeemed ON redeemed.channel = best.channel
        WHERE upto IS NULL OR upto < last ORDER BY vouchers.channel
        """
    )
    return [
        Promise(channel, _number(last), Wei(_number(last) - _number(first)), use, signature)
        for channel, last, first, use, signature in rows
    ]


def note_redeemed(connection: sqlite3.Connection, channel: int, upto: Wei) -> None:
    """Note up to where a channel is redeemed for good, or for good not redeemable."""
    connection.execute(
        "INSERT INTO redeemed (channel, upto) VALUES (?, ?) "
        "ON CONFLICT (channel) DO UPDATE SET upto = max(upto, excluded.upto)",
        (channel, _amount(upto)),
    )


def add_erasable(connection: sqlite3.Connection, blob_object: BlobObjectId, public_key: bytes) -> ErasableRow:
    """Note an object's own key, unless there is one; the one that is there then."""
    connection.execute(
        "INSERT INTO erasable_keys (object, public_key) VALUES (?, ?) ON CONFLICT DO NOTHING", (blob_object, public_key)
    )
    row = erasable(connection, blob_object)
    assert row is not None
    return row


def erasable(connection: sqlite3.Connection, blob_object: BlobObjectId) -> ErasableRow | None:
    """An object's own key; none when there never was one."""
    row = connection.execute(
        "SELECT object, public_key, destroyed_at, attested FROM erasable_keys WHERE object = ?", (blob_object,)
    ).fetchone()
    return None if row is None else _erasable(row)


def erasables_left(connection: sqlite3.Connection, after: BlobObjectId, limit: int) -> list[ErasableRow]:
    """The next objects whose own key is there."""
    rows = connection.execute(
        "SELECT object, public_key, destroyed_at, attested FROM erasable_keys "
        "WHERE destroyed_at IS NULL AND object > ? ORDER BY object LIMIT ?",
        (after, limit),
    )
    return [_erasable(row) for row in rows]


def destroyed_unattested(connection: sqlite3.Connection, limit: int) -> list[ErasableRow]:
    """Objects whose own key was destroyed without the chain's knowing."""
    rows = connection.execute(
        "SELECT object, public_key, destroyed_at, attested FROM erasable_keys "
        "WHERE destroyed_at IS NOT NULL AND attested = 0 ORDER BY object LIMIT ?",
        (limit,),
    )
    return [_erasable(row) for row in rows]


def totals(connection: sqlite3.Connection) -> LedgerTotals:
    """The ledger in figures."""
    row = connection.execute(
        """
        SELECT (SELECT count(*) FROM receipts),
            (SELECT count(*) FROM anchors WHERE anchored = 0),
            (SELECT count(*) FROM erasable_keys WHERE destroyed_at IS NULL),
            (SELECT count(*) FROM erasable_keys WHERE destroyed_at IS NOT NULL AND attested = 0)
        """
    ).fetchone()
    releases, to_anchor, erasable_keys, to_attest = row
    return LedgerTotals(releases, len(promises(connection)), to_anchor, erasable_keys, to_attest)


def _erasable(row: tuple[int, bytes, float | None, int]) -> ErasableRow:
    blob_object, public_key, destroyed_at, attested = row
    return ErasableRow(BlobObjectId(blob_object), public_key, destroyed_at, bool(attested))


def _amount(amount: Wei) -> bytes:
    return amount.to_bytes(_AMOUNT_BYTES, "big")


def _sequence(sequence: int) -> bytes:
    return sequence.to_bytes(_SEQUENCE_BYTES, "big")


def _number(data: bytes) -> Wei:
    return Wei(int.from_bytes(data, "big"))
