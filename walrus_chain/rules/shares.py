"""Parts of a whole that several own: what a deposit buys, and what a share is worth. Always rounded for the whole.

Source: docs/spec/10-stake.md; the contracts' library is `PoolMath`.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.types import Wei

NOTHING = Wei(0)
BPS = 10_000
"""Hundredths of a percent in one."""


def bps_of(amount: int, bps: int) -> Wei:
    """`bps` hundredths of a percent of `amount`, rounded down."""
    return Wei(amount * bps // BPS)


@dataclass(frozen=True, slots=True)
class Pot:
    """An amount, and the shares it is divided into. Without shares it holds rounding dust at most, for the next one."""

    amount: Wei = NOTHING
    shares: int = 0

    def shares_for(self, amount: int) -> int:
        """How many shares a deposit buys, rounded down: one a unit when there are none yet."""
        return amount * self.shares // self.amount if self.shares else amount

    def shares_covering(self, amount: int) -> int:
        """The fewest shares that are worth `amount` or more, which must not be above zero where the pot is empty."""
        return -(-amount * self.shares // self.amount) if amount else 0

    def value_of(self, shares: int) -> Wei:
        """What `shares` of the pot are worth, rounded down."""
        return Wei(shares * self.amount // self.shares) if shares else NOTHING

    def joined(self, amount: int) -> Pot:
        """The pot after a deposit that buys shares."""
        return Pot(Wei(self.amount + amount), self.shares + self.shares_for(amount))

    def left(self, shares: int, amount: int) -> Pot:
        """The pot after `shares` were given up for `amount`."""
        return Pot(Wei(self.amount - amount), self.shares - shares)

    def grown(self, amount: int) -> Pot:
        """The pot after an income, or a loss when negative, of all shares alike."""
        return Pot(Wei(self.amount + amount), self.shares)
