"""The stake behind a node, coin for coin: a pool that earns together and is slashed together.

A *pool* belongs to one node. Its *active* stake is divided into shares; rewards raise what a share is worth, slashing
lowers it. A deposit *waits* until the epoch from which it counts, and buys shares then. What leaves is *unbonding*: it
earns nothing, and is slashed like active stake until it is withdrawn.

Pool and account are values: each method gives what they are afterwards. Everything is rounded for the pool, so at any
moment (invariants I2, I7)

    sum of the accounts' active stakes <= active,    sum of what they are taking out <= unbonding
    active + waiting + unbonding + commission = deposits + rewards - paid out - slashed

Source: docs/spec/10-stake.md; the contracts are `Staking` and `PoolMath`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from walrus_chain.errors import MoreThanActive
from walrus_chain.rules.shares import NOTHING, Pot, bps_of
from walrus_chain.types import Epoch, Wei

MINIMUM_EARNING_SHARES = 10**15
"""A pool with fewer shares earns nothing for them: a reward could make one share worth more than a deposit."""


@dataclass(frozen=True, slots=True)
class Tranche:
    """A deposit that has no shares yet."""

    epoch: Epoch
    """From which on it counts."""
    amount: Wei


@dataclass(frozen=True, slots=True)
class Exit:
    """Stake on its way out."""

    release: Epoch
    """From which on it may be withdrawn."""
    shares: int
    """Of the unbonding stake."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one delegator has in a pool."""

    shares: int = 0
    """Of the active stake."""
    principal: Wei = NOTHING
    """What was paid for them; their value above it is gain."""
    waiting: tuple[Tranche, ...] = ()
    """Ascending by epoch."""
    exits: tuple[Exit, ...] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A node's pool, settled up to `epoch`: rewards of all epochs before are in it, deposits up to it have shares."""

    epoch: Epoch
    active: Pot = field(default_factory=Pot)
    waiting: tuple[Tranche, ...] = ()
    """Deposits without shares, one entry an epoch, ascending."""
    unbonding: Pot = field(default_factory=Pot)
    commission: Wei = NOTHING
    """What the operator may claim."""
    rates: Mapping[Epoch, Pot] = field(default_factory=dict)
    """The active stake just before the deposits of an epoch got their shares; only where there were deposits."""

    @property
    def holdings(self) -> Wei:
        """All WAL of the pool: its part of the vault's reserve."""
        waiting = sum(tranche.amount for tranche in self.waiting)
        return Wei(self.active.amount + waiting + self.unbonding.amount + self.commission)

    def stake_at(self, epoch: Epoch) -> Wei:
        """What stands behind the node in `epoch`, this one or a later one: active, and deposits that count by then."""
        return Wei(self.active.amount + _counting(self.waiting, epoch))

    def stake_of(self, account: Account, epoch: Epoch) -> Wei:
        """What of it is the account's."""
        current = self.up_to_date(account)
        return Wei(self.active.value_of(current.shares) + _counting(current.waiting, epoch))

    def value_of(self, account: Account) -> Wei:
        """The account's active stake."""
        return self.active.value_of(self.up_to_date(account).shares)

    def leaving_of(self, account: Account) -> Wei:
        """What the account is taking out, at its present value."""
        return Wei(sum(self.unbonding.value_of(leaving.shares) for leaving in account.exits))

    def up_to_date(self, account: Account) -> Account:
        """The account with shares for its deposits that count by now."""
        counting = [tranche for tranche in account.waiting if tranche.epoch <= self.epoch]
        return replace(
            account,
            shares=account.shares + sum(self.rates[each.epoch].shares_for(each.amount) for each in counting),
            principal=Wei(account.principal + sum(each.amount for each in counting)),
            waiting=tuple(tranche for tranche in account.waiting if tranche.epoch > self.epoch),
        )

    def after_epoch(self, reward: Wei, commission_bps: int) -> Pool:
        """Settled one epoch further.

        Args:
            reward: what the node earned in the epoch up to which the pool is settled; this one is over.
            commission_bps: what the operator keeps of it. It keeps all when nearly nobody is there to share with.
        """
        following = Epoch(self.epoch + 1)
        kept = bps_of(reward, commission_bps) if self.active.shares >= MINIMUM_EARNING_SHARES else reward
        active, rates = self.active.grown(reward - kept), self.rates
        if due := _counting(self.waiting, following):
            active, rates = active.joined(due), {**rates, following: active}
        return replace(
            self,
            epoch=following,
            active=active,
            waiting=tuple(tranche for tranche in self.waiting if tranche.epoch > following),
            commission=Wei(self.commission + kept),
            rates=rates,
        )

    def delegate(self, account: Account, amount: Wei, counts_from: Epoch) -> tuple[Pool, Account]:
        """With a deposit; it buys shares at once when it counts already."""
        current = self.up_to_date(account)
        if counts_from <= self.epoch:
            shares = current.shares + self.active.shares_for(amount)
            grown = replace(current, shares=shares, principal=Wei(current.principal + amount))
            return replace(self, active=self.active.joined(amount)), grown
        return (
            replace(self, waiting=_with(self.waiting, counts_from, amount)),
            replace(current, waiting=_with(current.waiting, counts_from, amount)),
        )

    def undelegate(self, account: Account, amount: Wei | None, release: Epoch) -> tuple[Pool, Account]:
        """With `amount` of active stake, or all of it for None, on its way out until `release`.

        As many shares are given up for it as are worth so much, rounded up. What leaves at one time is one entry.

        Raises: MoreThanActive: the account has not so much.
        """
        current = self.up_to_date(account)
        value = self.active.value_of(current.shares)
        if amount is not None and amount > value:
            raise MoreThanActive(amount, value)
        leaving = value if amount is None else amount
        if not leaving:
            return self, current
        given = current.shares if amount is None else self.active.shares_covering(leaving)
        entered = self.unbonding.shares_for(leaving)
        *others, last = current.exits or (Exit(release, 0),)
        exits = (*others, replace(last, shares=last.shares + entered))
        return (
            replace(self, active=self.active.left(given, leaving), unbonding=self.unbonding.joined(leaving)),
            replace(
                current,
                shares=current.shares - given,
                principal=Wei(current.principal - current.principal * given // current.shares),
                exits=exits if last.release == release else (*current.exits, Exit(release, entered)),
            ),
        )

    def withdraw(self, account: Account, current: Epoch) -> tuple[Pool, Account, Wei]:
        """Without what the account may take out in epoch `current`, and that amount."""
        due = sum(leaving.shares for leaving in account.exits if leaving.release <= current)
        paid = self.unbonding.value_of(due)
        return (
            replace(self, unbonding=self.unbonding.left(due, paid)),
            replace(account, exits=tuple(leaving for leaving in account.exits if leaving.release > current)),
            paid,
        )

    def claim(self, account: Account) -> tuple[Pool, Account, Wei]:
        """Without the account's gain, and that amount: active stake above what was paid in."""
        current = self.up_to_date(account)
        gain = Wei(max(0, self.active.value_of(current.shares) - current.principal))
        given = self.active.shares_covering(gain)
        return (
            replace(self, active=self.active.left(given, gain)),
            replace(current, shares=current.shares - given),
            gain,
        )

    def claim_commission(self) -> tuple[Pool, Wei]:
        """Without the commission, and that amount."""
        return replace(self, commission=NOTHING), self.commission

    def slash(self, bps: int) -> tuple[Pool, Wei]:
        """Without `bps` of the active and of the unbonding stake, each rounded down, and what was taken of both."""
        active, unbonding = bps_of(self.active.amount, bps), bps_of(self.unbonding.amount, bps)
        slashed = replace(self, active=self.active.grown(-active), unbonding=self.unbonding.grown(-unbonding))
        return slashed, Wei(active + unbonding)


def _counting(waiting: tuple[Tranche, ...], epoch: Epoch) -> Wei:
    """The deposits that count by `epoch`."""
    return Wei(sum(tranche.amount for tranche in waiting if tranche.epoch <= epoch))


def _with(waiting: tuple[Tranche, ...], epoch: Epoch, amount: Wei) -> tuple[Tranche, ...]:
    """One more deposit that counts from `epoch` on."""
    before = sum(tranche.amount for tranche in waiting if tranche.epoch == epoch)
    others = [tranche for tranche in waiting if tranche.epoch != epoch]
    return tuple(sorted([*others, Tranche(epoch, Wei(before + amount))], key=lambda tranche: tranche.epoch))
