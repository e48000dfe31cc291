"""What a revenue pool owes to whom: the arithmetic of the RevenuePools contract, coin for coin.

Of each income nodes and protocol get their part of 10,000, members the rest by units. Every unit has 10,000 *weights*:
`nodes_bps` of them are the nodes', `protocol_bps` the protocol's, the rest the member's. An income raises what one
weight has earned, rounded down; what does not divide is *dust* and is divided with the next income. So at any moment
(invariant I10)

    paid out + owed + dust = received

Pool and holdings are values: each method gives the pool as it is afterwards.
Pure; tests/vectors/accrual.json holds Python and Solidity to the same numbers. Source: docs/spec/14-revenue-pools.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from walrus_chain.errors import TooManyUnits
from walrus_chain.payments.units import Member
from walrus_chain.types import Address, Wei

WEIGHTS_PER_UNIT: Final = 10_000
NOTHING: Final = Wei(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """What one member has in a pool."""

    units: int = 0
    settled_per_weight: Wei = NOTHING
    """What one weight had earned when `accrued` was brought up to date."""
    accrued: Wei = NOTHING
    """What it may claim of the time before."""


@dataclass(frozen=True, slots=True)
class RevenuePool:
    """A pool with all its members."""

    units: int
    nodes_bps: int
    protocol_bps: int
    earned_per_weight: Wei = NOTHING
    """What one weight has earned since the pool was made."""
    dust: Wei = NOTHING
    """What did not divide yet; less than units * 10,000."""
    settled_per_weight: Wei = NOTHING
    """What one weight had earned when nodes and protocol got their parts."""
    holdings: Mapping[Address, Holding] = field(default_factory=dict)

    @classmethod
    def of(cls, members: Sequence[Member], nodes_bps: int, protocol_bps: int) -> RevenuePool:
        """A pool of these members, without income."""
        holdings = {member.account: Holding(member.units) for member in members}
        return cls(sum(member.units for member in members), nodes_bps, protocol_bps, holdings=holdings)

    def receive(self, amount: Wei) -> RevenuePool:
        """The pool with an income divided."""
        earned, dust = divmod(amount + self.dust, self.units * WEIGHTS_PER_UNIT)
        return replace(self, earned_per_weight=Wei(self.earned_per_weight + earned), dust=Wei(dust))

    def claimable(self, account: Address) -> Wei:
        """What `account` could claim now; nothing for an account that is no member."""
        holding = self.holdings.get(account, Holding())
        weights = holding.units * (WEIGHTS_PER_UNIT - self.nodes_bps - self.protocol_bps)
        return Wei(holding.accrued + weights * (self.earned_per_weight - holding.settled_per_weight))

    def claim(self, account: Address) -> RevenuePool:
        """The pool once `account` was paid what it could claim."""
        return self._accrued(account, NOTHING)

    def transfer(self, giver: Address, receiver: Address, units: int) -> RevenuePool:
        """The pool once `giver` handed units on to another account; what they earned until now stays the giver's.

        Raises: TooManyUnits: it does not hold as many.
        """
        held = self.holdings.get(giver, Holding()).units
        if units > held:
            raise TooManyUnits(giver, units, held)
        pool = self._accrued(giver, self.claimable(giver))._accrued(receiver, self.claimable(receiver))
        return pool._with_units(giver, -units)._with_units(receiver, units)

    def settleable(self) -> tuple[Wei, Wei]:
        """What nodes and protocol could get now."""
        earned = self.units * (self.earned_per_weight - self.settled_per_weight)
        return Wei(earned * self.nodes_bps), Wei(earned * self.protocol_bps)

    def settle(self) -> RevenuePool:
        """The pool once nodes and protocol got their parts."""
        return replace(self, settled_per_weight=self.earned_per_weight)

    def owed(self) -> Wei:
        """What members, nodes and protocol could get now, together. All members must be known."""
        return Wei(sum(map(self.claimable, self.holdings)) + sum(self.settleable()))

    def _accrued(self, account: Address, accrued: Wei) -> RevenuePool:
        """The pool with this account brought up to date, and so much to claim."""
        holding = self.holdings.get(account, Holding())
        return self._with(account, Holding(holding.units, self.earned_per_weight, accrued))

    def _with_units(self, account: Address, more: int) -> RevenuePool:
        holding = self.holdings[account]
        return self._with(account, replace(holding, units=holding.units + more))

    def _with(self, account: Address, holding: Holding) -> RevenuePool:
        return replace(self, holdings={**self.holdings, account: holding})
