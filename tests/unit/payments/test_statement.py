"""Statements: what each column says, times and amounts without loss, and texts that would break a table."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.payments.statement import COLUMNS, Direction, Row, balance, decimal_amount, statement_csv, utc
from walrus_chain.types import Address, BlobId, BlobObjectId, NodeId, PoolId, Wei

PAYER = Address("0x" + "a1" * 20)
ROW = Row(
    timestamp=1_764_112_333,
    transaction=bytes(31) + b"\x07",
    block=1234,
    event="ReadsBought",
    direction=Direction.IN,
    counterparty=PAYER,
    amount=Wei(5 * 10**17 + 1),
)


def rows_of(text: str) -> list[dict[str, str]]:
    """The lines of a CSV file by column."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_full_row__fills_every_column() -> None:
    row = Row(
        **{name: getattr(ROW, name) for name in ("timestamp", "transaction", "block", "event", "direction")},
        counterparty=PAYER,
        amount=ROW.amount,
        pool=PoolId(3),
        blob_object=BlobObjectId(9),
        blob_id=BlobId(bytes(32)),
        policy=Address("0x" + "b0" * 20),
        node=NodeId(4),
        receipt="4/17",
    )
    [line] = rows_of(statement_csv([row]))
    assert tuple(line) == COLUMNS
    assert line == {
        "time_utc": "2025-11-25T23:12:13Z",
        "tx": "0x" + "00" * 31 + "07",
        "block": "1234",
        "pool": "3",
        "object": "9",
        "blob": "A" * 43,
        "policy": "0x" + "b0" * 20,
        "event": "ReadsBought",
        "direction": "in",
        "counterparty": PAYER,
        "token": "WAL",
        "amount_atomic": "500000000000000001",
        "amount": "0.500000000000000001",
        "node": "4",
        "receipt": "4/17",
    }


def test_what_is_not_known__is_empty() -> None:
    [line] = rows_of(statement_csv([ROW]))
    assert {name for name, text in line.items() if not text} == {"pool", "object", "blob", "policy", "node", "receipt"}


def test_without_rows__there_is_the_first_line() -> None:
    assert statement_csv([]) == ",".join(COLUMNS) + "\r\n"


def test_balance__is_in_less_out() -> None:
    out = Row(1, bytes(32), 1, "IncomeClaimed", Direction.OUT, PAYER, Wei(7))
    assert balance([ROW, out, out]) == ROW.amount - 14
    assert balance([]) == 0


@given(st.integers(0, 253_402_300_799))
def test_times__are_those_of_the_calendar(timestamp: int) -> None:
    assert utc(timestamp) == datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)


@pytest.mark.parametrize(
    ("timestamp", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
    ],
)
def test_times__at_the_edges(timestamp: int, text: str) -> None:
    assert utc(timestamp) == text


@given(st.integers(0, 2**128 - 1))
def test_amounts__come_back_without_loss(amount: int) -> None:
    whole, fraction = decimal_amount(Wei(amount)).split(".")
    assert int(whole) * 10**18 + int(fraction) == amount
    assert len(fraction) == 18
