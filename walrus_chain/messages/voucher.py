"""Vouchers of read channels: what a channel's signer has promised in all, and for which use the last stretch of it.

Source: docs/spec/13-access.md; vectors in tests/vectors/access.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from walrus_chain.messages.typed import TypedMessage
from walrus_chain.types import Wei


@dataclass(frozen=True, slots=True)
class Voucher(TypedMessage):
    """Says: of this channel's deposit, the stretch up to `cumulative` of the length `amount` pays for `purpose`."""

    TYPE: ClassVar[str] = "Voucher(uint256 channel,uint128 cumulative,uint128 amount,bytes32 purpose)"

    channel: int
    cumulative: Wei
    """What the channel pays in all when this is redeemed."""
    amount: Wei
    """What this use pays."""
    purpose: bytes
    """The digest of the use."""

    @property
    def start(self) -> int:
        """Where its stretch begins; negative when it pays more than it promises, which no node takes."""
        return self.cumulative - self.amount
