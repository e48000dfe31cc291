"""The nouns of the protocol as frozen values: ids that print well, amounts that cannot be mixed.

Everything here is pure. Parsing happens at the edge (`BlobId.parse`, `parse_amount`); inside, only these types travel.
Source: docs/glossary.md.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from enum import IntEnum, StrEnum
from typing import NewType

from walrus_chain.errors import MalformedAmount, MalformedBlobId, MalformedShare

#: 1-based number of an epoch; a pure function of the chain's clock.
Epoch = NewType("Epoch", int)
#: Number of a blob object (ERC-721 token id) in the blob registry, from 1.
BlobObjectId = NewType("BlobObjectId", int)
#: Number of a registered storage node, from 1.
NodeId = NewType("NodeId", int)
#: Slot 0..n-1 of the committee that holds one sliver pair of every segment.
ShardIndex = NewType("ShardIndex", int)
#: Place 0..n-1 of a sliver (or sliver pair) in a segment's encoded matrix.
PairIndex = NewType("PairIndex", int)
#: Smallest unit of WAL: 10**18 of them are one WAL.
Wei = NewType("Wei", int)
#: EIP-55 checksummed account or contract address.
Address = NewType("Address", str)
#: Number of a revenue pool, from 1.
PoolId = NewType("PoolId", int)
#: Number of a read channel, from 1.
ChannelId = NewType("ChannelId", int)
#: Number of a job, from 1.
JobId = NewType("JobId", int)
#: Number of a trigger of jobs, from 1.
TriggerId = NewType("TriggerId", int)
#: The zero address, which nobody has the key of; contracts use it for "none".
NOBODY = Address("0x" + "0" * 40)

WAL_DECIMALS = 18
#: The whole, in hundredths of a percent.
ALL_BPS = 10_000
_AMOUNT = re.compile(r"^\s*(?P<number>[0-9][0-9_]*(\.[0-9]+)?)\s*(?P<unit>wal|wei)?\s*$", re.IGNORECASE)
#: 128 bits have 39 digits. What has more than this is refused, not rounded.
_EXACTLY = Context(prec=80, traps=[InvalidOperation, Inexact])
_SHARE = re.compile(r"^\s*(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?)\s*(?P<unit>%|bps)?\s*$", re.IGNORECASE)


class Axis(StrEnum):
    """Which way a sliver runs through a segment's matrix."""

    PRIMARY = "primary"
    """A row of the column-extended matrix: `columns` symbols."""
    SECONDARY = "secondary"
    """A column of the row-extended matrix: `rows` symbols."""

    @property
    def other(self) -> Axis:
        """The axis whose slivers cross this one's."""
        return Axis.SECONDARY if self is Axis.PRIMARY else Axis.PRIMARY


class BlobStatus(IntEnum):
    """What the registry says of a blob object at this moment; derived from facts and the clock."""

    UNKNOWN = 0
    """Never registered, or deleted."""
    REGISTERED = 1
    """Paid for, not yet certified."""
    CERTIFIED = 2
    """The network answers for it."""
    EXPIRED = 3
    """Its term is over."""
    INVALID = 4
    """Nodes attested that its bytes do not encode to its id."""


@dataclass(frozen=True, slots=True, order=True)
class BlobId:
    """The 32 bytes that commit to a blob's content, size and number of shards.

    Text form: base64url without padding, 43 characters. `parse` also takes 64 hex digits, with or without 0x.
    """

    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != 32:
            raise MalformedBlobId(self.digest.hex(), f"it has {len(self.digest)} bytes, 32 are needed")

    @classmethod
    def parse(cls, text: str) -> BlobId:
        """The id that `text` spells.

        Raises: MalformedBlobId: neither 43 base64url characters nor 64 hex digits.
        """
        stripped = text.strip()
        digits = stripped.removeprefix("0x")
        if len(digits) == 64:
            try:
                return cls(bytes.fromhex(digits))
            except ValueError:
                raise MalformedBlobId(text, "64 characters that are not all hex digits") from None
        if len(stripped) != 43:
            raise MalformedBlobId(text, f"it has {len(stripped)} characters")
        try:
            digest = base64.b64decode(stripped + "=", altchars=b"-_", validate=True)
        except binascii.Error:
            raise MalformedBlobId(text, "a character outside base64url") from None
        blob_id = cls(digest)
        if str(blob_id) != stripped:
            raise MalformedBlobId(text, "its last character carries bits that no blob id has")
        return blob_id

    @property
    def hex(self) -> str:
        """64 hex digits after 0x, as Solidity and block explorers print it."""
        return "0x" + self.digest.hex()

    def __int__(self) -> int:
        return int.from_bytes(self.digest, "big")

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(self.digest).rstrip(b"=").decode()


def parse_amount(text: str) -> Wei:
    """The amount that a person typed: `12.5`, `12.5 WAL` or `100 wei`. A bare number is WAL.

    Raises: MalformedAmount: not a number, negative, or finer than one wei.
    """
    match = _AMOUNT.match(text)
    if match is None:
        raise MalformedAmount(text, "write it like 12.5, '12.5 WAL' or '100 wei'")
    scale = 0 if (match["unit"] or "wal").lower() == "wei" else WAL_DECIMALS
    try:
        scaled = Decimal(match["number"].replace("_", "")).scaleb(scale, _EXACTLY)
    except (InvalidOperation, Inexact):
        raise MalformedAmount(text, "the number is too long") from None
    if scaled != scaled.to_integral_value():
        raise MalformedAmount(text, "it is finer than one wei (18 decimals of a WAL)")
    return Wei(int(scaled))


def format_amount(amount: Wei) -> str:
    """`amount` for people: WAL with all significant decimals, or wei where that is shorter to read."""
    if 0 < amount < 10**9:
        return f"{amount} wei"
    whole, fraction = divmod(amount, 10**WAL_DECIMALS)
    decimals = f"{fraction:0{WAL_DECIMALS}d}".rstrip("0")
    return f"{whole:,}.{decimals} WAL" if decimals else f"{whole:,} WAL"


def format_bps(bps: int) -> str:
    """Hundredths of a percent for people: `5%`, `2.5%`, `0.01%`."""
    whole, fraction = divmod(bps, 100)
    decimals = f"{fraction:02d}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"


def parse_bps(text: str) -> int:
    """The share that a person typed, in hundredths of a percent: `5%`, `2.5%`, `250 bps` or, a bare number, `250`.

    Raises: MalformedShare: another form, more than 100%, or finer than a hundredth of a percent.
    """
    match = _SHARE.match(text)
    if match is None:
        raise MalformedShare(text, "write it like 5%, 2.5% or 250 (hundredths of a percent)")
    bps = Decimal(match["number"]) * (100 if match["unit"] == "%" else 1)
    if bps != bps.to_integral_value():
        raise MalformedShare(text, "it is finer than a hundredth of a percent")
    if bps > ALL_BPS:
        raise MalformedShare(text, "it is more than the whole, 100%")
    return int(bps)


def format_bytes(count: int) -> str:
    """`count` bytes for people, in binary units: `512 B`, `1.5 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}".replace(".0 ", " ")
        size /= 1024
    return f"{size:.1f} TiB"


def printable(text: str) -> str:
    """`text` by somebody else, on one line for people: what a terminal would obey, or would not show, is written out.

    Escape sequences, line ends, and marks that turn the direction of writing become `\\x1b`, `\\n`, `\\u202e`.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def printable_lines(text: str) -> str:
    """`text` as of `printable`, but with its lines left as they are."""
    return "\n".join(map(printable, text.split("\n")))
