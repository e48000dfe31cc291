"""The ledger: releases all or nothing, stretches that never overlap, sealed epochs, and what is left to do (I8)."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from storage_agent.store.access import (
    NonceUsed,
    NotPaid,
    Payment,
    PurchaseUsed,
    Recorded,
    SignedReceipt,
    Slot,
    SpendLimitReached,
    Use,
)
from storage_agent.store.database import Database
from storage_agent.store.ledger import Ledger
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.payments.vouchers import StretchTaken
from walrus_chain.types import Address, BlobObjectId, Epoch, Wei

READER = Address("0x00000000000000000000000000000000000000AA")
NOW, EPOCH = 1_700_000_000.0, Epoch(3)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(tmp_path / "c.db", lambda connection: None)
    yield opened
    opened.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def digest(text: str) -> bytes:
    """32 bytes that stand for something."""
    return hashlib.sha256(text.encode()).digest()


def a_use(name: str = "use", **values: object) -> Use:
    """A use that is free, unless `values` say otherwise."""
    use = Use(
        digest=digest(name),
        requester=READER,
        blob_object=BlobObjectId(1),
        sequence=0,
        session=digest("session"),
        session_ends=int(NOW) + 3600,
        spend_limit=Wei(1000),
        nonce=digest(f"nonce of {name}"),
        expires_at=int(NOW) + 300,
        price=Wei(0),
        payment=None,
    )
    return replace(use, **values)  # type: ignore[arg-type]


def voucher(cumulative: int, amount: int = 10, channel: int = 5) -> Payment:
    """What a voucher pays."""
    return Payment(PaidBy.VOUCHER, Wei(amount), 7, channel, Wei(cumulative), b"s" * 65)


def a_receipt(slot: Slot, payment: Payment) -> SignedReceipt:
    """Stands for a signed receipt."""
    name = f"{slot.epoch} {slot.place} {payment.amount}"
    return SignedReceipt(digest(name), {"index": slot.place}, b"r" * 65)


async def record(ledger: Ledger, use: Use, epoch: Epoch = EPOCH, now: float = NOW) -> Recorded:
    """A release."""
    return await ledger.record(use, epoch, now, a_receipt)


def paid(name: str, cumulative: int, amount: int = 10, **values: object) -> Use:
    """A use that a voucher pays for."""
    return a_use(name, price=Wei(amount), payment=voucher(cumulative, amount), **values)


async def test_record__free__use_and_receipt_are_there(ledger: Ledger) -> None:
    recorded = await record(ledger, a_use())

    assert recorded.payment.paid_by is PaidBy.FREE
    assert ledger.payment_of(digest("use")) == recorded.payment
    assert [row.receipt for row in ledger.receipts()] == [recorded.receipt]


async def test_record__refused__leaves_not_even_the_nonce(ledger: Ledger) -> None:
    for use in (a_use(price=Wei(1)), paid("use", 2000, 1001)):
        with pytest.raises((NotPaid, SpendLimitReached)):
            await record(ledger, use)

    assert ledger.receipts() == []
    assert ledger.payment_of(digest("use")) is None
    await record(ledger, paid("use", 10))


async def test_record__receipt_cannot_be_made__nothing_is_there(ledger: Ledger) -> None:
    def broken(slot: Slot, payment: Payment) -> SignedReceipt:
        raise LookupError("no key")

    with pytest.raises(LookupError):
        await ledger.record(paid("use", 10), EPOCH, NOW, broken)

    assert ledger.promises() == []
    await record(ledger, paid("use", 10))


async def test_record__same_nonce__refused_until_long_after_the_request_expired(ledger: Ledger) -> None:
    await record(ledger, a_use())
    with pytest.raises(NonceUsed):
        await record(ledger, a_use(digest=digest("another")))
    with pytest.raises(NonceUsed):
        await record(ledger, a_use(), now=NOW + 3600)

    await record(ledger, a_use(), now=NOW + 3 * 86_400)


async def test_record__used_for_free_before_and_priced_now__has_to_be_paid(ledger: Ledger) -> None:
    await record(ledger, a_use())
    with pytest.raises(NotPaid):
        await record(ledger, a_use(nonce=digest("2"), price=Wei(10)))

    await record(ledger, paid("use", 10, nonce=digest("3")))
    again = await record(ledger, a_use(nonce=digest("4"), price=Wei(10)))
    assert (again.paid_now, again.payment.cumulative) == (False, 10)


@pytest.mark.parametrize(
    ("cumulative", "amount", "fits"),
    [
        (30, 10, False),
        (25, 10, False),
        (35, 10, False),
        (40, 30, False),
        (28, 5, False),
        (20, 10, True),
        (40, 10, True),
    ],
    ids=["same", "into its beginning", "into its end", "around it", "inside it", "before it", "after it"],
)
async def test_stretch__beside_one_from_20_to_30(ledger: Ledger, cumulative: int, amount: int, fits: bool) -> None:
    await record(ledger, paid("one", 30))
    other = paid("other", cumulative, amount)
    if fits:
        await record(ledger, other)
    else:
        with pytest.raises(StretchTaken) as refusal:
            await record(ledger, other)
        assert refusal.value.taken.use == refusal.value.highest.use == digest("one")
        assert refusal.value.highest.voucher.cumulative == 30


async def test_stretch__many_at_once__no_two_overlap(ledger: Ledger) -> None:
    uses = [paid(str(number), 10 + number) for number in range(30)]
    results = await asyncio.gather(*(record(ledger, use) for use in uses), return_exceptions=True)

    taken = sorted(result.payment.cumulative for result in results if isinstance(result, Recorded))
    assert all(after - before >= 10 for before, after in pairwise(taken))
    assert taken


async def test_stretch__beyond_64_bits__compares_as_numbers_do(ledger: Ledger) -> None:
    limit = {"spend_limit": Wei(2**128 - 1)}
    high = 2**100
    await record(ledger, paid("one", high, 10, **limit))
    await record(ledger, paid("two", 255, 10, **limit))

    with pytest.raises(StretchTaken):
        await record(ledger, paid("three", high + 5, 10, **limit))
    [promise] = ledger.promises()
    assert promise.cumulative == high


async def test_purchase__of_one_sequence__pays_for_one_use(ledger: Ledger) -> None:
    bought = Payment(PaidBy.PURCHASE, Wei(10), 7)
    await record(ledger, a_use("one", price=Wei(10), payment=bought))
    with pytest.raises(PurchaseUsed):
        await record(ledger, a_use("two", price=Wei(10), payment=bought))

    await record(ledger, a_use("two", price=Wei(10), payment=bought, sequence=2**64 - 1))


async def test_promises__best_of_each_channel_until_redeemed_for_good(ledger: Ledger) -> None:
    for number, channel in enumerate((5, 5, 6)):
        use = a_use(str(number), price=Wei(10), payment=voucher(10 * (number + 1), channel=channel))
        await record(ledger, use)
    assert [(one.channel, one.cumulative) for one in ledger.promises()] == [(5, 20), (6, 30)]

    await ledger.note_redeemed(5, Wei(20))
    await ledger.note_redeemed(5, Wei(10))
    assert [one.channel for one in ledger.promises()] == [6]
    await record(ledger, a_use("3", price=Wei(10), payment=voucher(50)))
    assert [one.channel for one in ledger.promises()] == [5, 6]


async def test_seal__epoch_over__gets_no_more_and_its_root_stays(ledger: Ledger) -> None:
    def root_of(leaves: list[bytes]) -> bytes:
        return hashlib.sha256(b"".join(leaves)).digest()

    await record(ledger, a_use("one"))
    await record(ledger, a_use("two"))
    await ledger.seal(Epoch(EPOCH + 1), root_of)
    late = await record(ledger, a_use("late"))
    [anchor] = ledger.to_anchor()

    assert late.slot == Slot(Epoch(EPOCH + 1), 0)
    assert (anchor.epoch, anchor.count) == (EPOCH, 2)
    await ledger.seal(Epoch(EPOCH + 1), root_of)
    assert ledger.to_anchor() == [anchor]
    assert anchor.root == root_of(ledger.digests(EPOCH))
    await ledger.note_anchored(EPOCH)
    assert ledger.to_anchor() == []
    assert ledger.anchors((EPOCH,))[EPOCH].anchored


async def test_seal__clock_set_back__receipts_stay_in_order(ledger: Ledger) -> None:
    await record(ledger, a_use("one"))
    earlier = await record(ledger, a_use("two"), Epoch(1))

    assert earlier.slot == Slot(EPOCH, 1)


@pytest.mark.parametrize(
    ("blob_object", "epoch"), [(999, None), (None, 999), (1, 999), (2, 1), (999, 1), (1, 20), (None, 20), (None, None)]
)
def test_receipts__of_whatever_a_stranger_asks__look_at_no_more_rows_than_they_answer(
    database: Database, ledger: Ledger, blob_object: BlobObjectId | None, epoch: Epoch | None
) -> None:
    rows = [(1 + i // 1000, i % 1000, 1 if i % 2 else 2, b"d" * 32, "{}", b"s" * 65) for i in range(20_000)]
    path = database.path
    with sqlite3.connect(path) as writer:
        insert = "INSERT INTO receipts (epoch, place, object, digest, data, signature) VALUES (?, ?, ?, ?, ?, ?)"
        writer.executemany(insert, rows)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    with database.read() as connection:
        connection.set_progress_handler(count, 100)
    found = ledger.receipts(blob_object, epoch, 0, 10)
    fitting = [i + 1 for i, row in enumerate(rows) if blob_object in (None, row[2]) and epoch in (None, row[0])]
    assert [row.number for row in found] == fitting[:10]
    assert steps < 10, "a table of 20,000 rows takes a thousand hundreds of steps to go through"


async def test_incomes__pools_of_epochs_that_are_over(ledger: Ledger) -> None:
    await record(ledger, paid("one", 10))

    assert (ledger.incomes(EPOCH), ledger.incomes(Epoch(EPOCH + 1))) == ([], [7])
    await ledger.forget_income(7)
    assert ledger.incomes(Epoch(EPOCH + 1)) == []


async def test_erasable__once_destroyed__stays_so(ledger: Ledger) -> None:
    number = BlobObjectId(9)
    row = await ledger.add_erasable(number, b"public")
    assert await ledger.add_erasable(number, b"another") == row

    await ledger.note_destroyed(number, 100.0)
    await ledger.note_destroyed(number, 200.0)
    assert ledger.erasables_left(BlobObjectId(0), 10) == []
    assert [one.destroyed_at for one in ledger.destroyed_unattested(10)] == [100.0]
    await ledger.note_attested(number)
    assert ledger.destroyed_unattested(10) == []
    destroyed = ledger.erasable(number)
    assert destroyed is not None
    assert destroyed.destroyed_at == 100.0


async def test_totals__count_what_is_left_to_do(ledger: Ledger) -> None:
    await record(ledger, paid("one", 10))
    await ledger.add_erasable(BlobObjectId(9), b"public")
    await ledger.seal(Epoch(EPOCH + 1), lambda leaves: bytes(32))
    totals = ledger.totals()

    assert (totals.releases, totals.promised_channels, totals.to_anchor) == (1, 1, 1)
    assert (totals.erasable, totals.to_attest) == (1, 0)
