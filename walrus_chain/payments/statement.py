"""Statements: what came in and went out, a row for each movement of WAL, as a CSV file that accountants can read.

Pure: whoever has read the chain gives the rows. Source: docs/spec/14-revenue-pools.md.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from walrus_chain.types import WAL_DECIMALS, Address, BlobId, BlobObjectId, NodeId, PoolId, Wei

COLUMNS: Final = (
    "time_utc",
    "tx",
    "block",
    "pool",
    "object",
    "blob",
    "policy",
    "event",
    "direction",
    "counterparty",
    "token",
    "amount_atomic",
    "amount",
    "node",
    "receipt",
)
"""The first line of a statement."""


class Direction(StrEnum):
    """Which way WAL went, seen from whom the statement is for."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Row:
    """One movement of WAL."""

    timestamp: int
    """When, in seconds since 1970."""
    transaction: bytes
    """Its hash."""
    block: int
    event: str
    """What happened, by the name of the contract's event: `ReadsBought`, `IncomeClaimed`."""
    direction: Direction
    counterparty: Address
    """Who paid, or was paid."""
    amount: Wei
    pool: PoolId | None = None
    blob_object: BlobObjectId | None = None
    blob_id: BlobId | None = None
    policy: Address | None = None
    token: str = "WAL"
    node: NodeId | None = None
    """The storage node that served the use."""
    receipt: str | None = None
    """The number that its node gave the receipt, as `node/index`."""

    def cells(self) -> tuple[str, ...]:
        """The texts of its columns; what is not known is empty."""
        values = (
            utc(self.timestamp),
            "0x" + self.transaction.hex(),
            self.block,
            self.pool,
            self.blob_object,
            self.blob_id,
            self.policy,
            self.event,
            self.direction,
            self.counterparty,
            self.token,
            self.amount,
            decimal_amount(self.amount),
            self.node,
            self.receipt,
        )
        return tuple("" if value is None else str(value) for value in values)


def utc(timestamp: int) -> str:
    """The second `timestamp` since 1970 in the form of ISO 8601: `2026-11-25T23:12:13Z`.

    Source: days to date as in "chrono-compatible low-level date algorithms" by Howard Hinnant, `civil_from_days`.
    """
    days, second = divmod(timestamp, 86_400)
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    months_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * months_from_march + 2) // 5 + 1
    month = months_from_march + 3 if months_from_march < 10 else months_from_march - 9
    year = 400 * era + year_of_era + (month <= 2)
    hour, minute = divmod(second // 60, 60)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second % 60:02d}Z"


def decimal_amount(amount: Wei) -> str:
    """`amount` in WAL with all its 18 decimals and no separators, so that programs read it without loss."""
    whole, fraction = divmod(amount, 10**WAL_DECIMALS)
    return f"{whole}.{fraction:0{WAL_DECIMALS}d}"


def balance(rows: Iterable[Row]) -> int:
    """What came in less what went out, in the smallest unit."""
    return sum(row.amount if row.direction is Direction.IN else -row.amount for row in rows)


def statement_csv(rows: Iterable[Row]) -> str:
    """The rows as a CSV file (RFC 4180: lines end with CR LF), with the names of the columns as first line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(row.cells() for row in rows)
    return text.getvalue()
