"""What storage costs, and what each epoch earns: the arithmetic of the StorageFees contract, coin for coin.

A *unit* is a fixed number of encoded bytes, a *rate* is what a blob object pays for each epoch of its term. A term is
[start, end): it is paid from the epoch in which it was registered, as a whole, up to but not including `end`.

Pure; tests/vectors/fees.json holds Python and Solidity to the same numbers (invariant I11).
Source: docs/spec/06-fees.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from walrus_chain.codec.geometry import Geometry
from walrus_chain.errors import TermOver, WrongTerm
from walrus_chain.types import Epoch, Wei


@dataclass(frozen=True, slots=True)
class Price:
    """What a term costs now, and what its epochs earn from it."""

    total: Wei
    """To be paid at once."""
    rate: Wei
    """Paid for each epoch, from the next one on where a term is extended."""
    fee: Wei
    """The part of `total` that belongs to no epoch of the term but to the one of the payment."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """The parameters of a network's prices, fixed when it was deployed."""

    shards: int
    """n."""
    unit_bytes: int
    """Encoded bytes in one unit."""
    unit_price: Wei
    """Price of one unit for one epoch."""
    write_fee: Wei
    """Paid once for each registration."""
    maximum_epochs: int
    """How many epochs may be paid at a time, the current one included."""

    def units(self, size: int) -> int:
        """The units that a blob of `size` bytes is charged for: its encoded size, rounded up; at least one.

        Raises: UnsupportedGeometry: `size` cannot be committed to.
        """
        return -(-Geometry(self.shards).blob(size).encoded_bytes // self.unit_bytes)

    def rate(self, size: int) -> Wei:
        """What a blob of `size` bytes costs for each epoch."""
        return Wei(self.units(size) * self.unit_price)

    def quote(self, size: int, epochs: int) -> Price:
        """The price of registering a blob of `size` bytes for `epochs`, the current one included.

        Raises: WrongTerm: there is no epoch to pay, or too many.
        """
        self._check_term(epochs, self.maximum_epochs)
        rate = self.rate(size)
        return Price(Wei(rate * epochs + self.write_fee), rate, self.write_fee)

    def quote_extension(self, size: int, rate: Wei, end: Epoch, current: Epoch, epochs: int) -> Price:
        """The price of `epochs` more after `end`, and the rate that then holds from the next epoch on.

        What is paid ahead and what is paid now are spread evenly; the payer covers the rounding up.

        Args:
            rate: what the object pays for each epoch so far.
            current: the epoch of the clock.
        Raises:
            TermOver: `end` is not after `current`.
            WrongTerm: there is no epoch to pay, or the new end is too far off.
        """
        ahead = paid_ahead(end, current)
        self._check_term(epochs, self.maximum_epochs - ahead - 1)
        paid = rate * ahead
        new_rate = -(-(paid + self.rate(size) * epochs) // (ahead + epochs))
        return Price(Wei(new_rate * (ahead + epochs) - paid), Wei(new_rate), Wei(0))

    @staticmethod
    def _check_term(epochs: int, maximum: int) -> None:
        if not 1 <= epochs <= maximum:
            raise WrongTerm(epochs, maximum)


def paid_ahead(end: Epoch, current: Epoch) -> int:
    """The paid epochs of a term after the current one.

    Raises: TermOver: `end` is not after `current`.
    """
    if end <= current:
        raise TermOver(end, current)
    return end - current - 1


def refund(rate: Wei, end: Epoch, current: Epoch) -> Wei:
    """What deleting an object gives back: all its epochs after the current one.

    Raises: TermOver: `end` is not after `current`.
    """
    return Wei(rate * paid_ahead(end, current))


@dataclass(frozen=True, slots=True)
class Income:
    """What each epoch earns, kept as differences. Each method gives the income after one more payment or refund."""

    changes: Counter[Epoch] = field(default_factory=Counter)
    """By how much the sum of all rates changes when an epoch begins."""
    fees: Counter[Epoch] = field(default_factory=Counter)
    """What came in once during an epoch."""

    def after_registration(self, price: Price, current: Epoch, epochs: int) -> Income:
        """With a new term, from the current epoch on."""
        end = Epoch(current + epochs)
        return self._with({current: price.rate, end: -price.rate}, {current: price.fee})

    def after_extension(self, rate: Wei, price: Price, end: Epoch, current: Epoch, epochs: int) -> Income:
        """With `epochs` more after `end`, paid at `price`; `rate` is what held before."""
        following, new_end = Epoch(current + 1), Epoch(end + epochs)
        return self._with({following: price.rate - rate})._with({end: rate})._with({new_end: -price.rate})

    def after_refund(self, rate: Wei, end: Epoch, current: Epoch) -> Income:
        """Without the epochs after the current one."""
        return self._with({Epoch(current + 1): -rate})._with({end: rate})

    def of(self, epoch: Epoch) -> Wei:
        """What the network earns in `epoch`."""
        return Wei(sum(change for start, change in self.changes.items() if start <= epoch) + self.fees[epoch])

    # One line may change twice in a step, so places that can coincide come in separate calls: a dict would keep one.
    def _with(self, changes: dict[Epoch, int], fees: dict[Epoch, Wei] | None = None) -> Income:
        changed, earned = self.changes.copy(), self.fees.copy()
        changed.update(changes)
        earned.update(fees or {})
        return Income(changed, earned)
