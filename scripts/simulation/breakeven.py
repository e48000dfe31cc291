"""Where cheating begins to pay: long-run profits in closed form, for a node that misses windows by chance.

A node that misses with probability p in each window goes from row 0 to row 1, 2 .. of misses, and back to 0 with each
proof. When the miss comes that jails it, the next committee is selected already: it serves one more epoch, then it is
out. So for each epoch that it begins at row 0 it serves p^k epochs at row k. Its stake is taken as constant; that it
shrinks, and that delegators run, only makes cheating dearer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from scripts.simulation.parameters import GIB, Costs, Rules
from scripts.simulation.results import Typical
from scripts.simulation.strategies import Rebuilding
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.rules.shares import BPS
from walrus_chain.types import Axis

HIGHEST = 1e6
"""Multiples above this one are as good as never."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a node is run, as far as money is concerned."""

    miss: float = 0.0
    """The probability of a miss in a window."""
    kept: float = 1.0
    """The fraction of its bytes that it stores."""
    sends_proofs: bool = True
    fetched_gib: float = 0.0
    """In each window, to answer."""


HONEST = Conduct()


@dataclass(frozen=True, slots=True)
class Economy:
    """One node under one set of rules and costs."""

    rules: Rules
    costs: Costs
    node: Typical

    def profit(self, conduct: Conduct) -> float:
        """WAL that the operator earns an epoch in the long run."""
        rules, p = self.rules, conduct.miss
        rows = [p**row for row in range(rules.misses_to_jail + 1)]
        out = rows[-1] * (rules.jail_epochs - 1 + p)
        slashed = sum(visits * p * self._slash(row + 1) for row, visits in enumerate(rows))
        served = sum(rows)
        return (served * self._serving(conduct) - slashed) / (served + out)

    def gain(self, conduct: Conduct) -> float:
        """What the operator earns an epoch above an honest one."""
        return self.profit(conduct) - self.profit(HONEST)

    def alternating_gain(self) -> float:
        """The same for a node that proves every other time: it is never in a row."""
        honest = self.profit(HONEST)
        missing = self._serving(Conduct(miss=1, sends_proofs=False)) - self._slash(1)
        return (honest + missing) / 2 - honest

    def dropping(self, fraction: float) -> Conduct:
        """A node without a fraction of its slivers: any of K samples may hit one of these."""
        return Conduct(miss=1 - (1 - fraction) ** self.rules.samples, kept=1 - fraction)

    def rebuilding(self, way: Rebuilding, places: int | None = None) -> Conduct:
        """A node that keeps nothing and fetches what it is asked for, of full segments."""
        each = rebuilt_gib(self.rules.shards, way)
        return Conduct(kept=0, fetched_gib=each * (self.rules.samples if places is None else places))

    def _serving(self, conduct: Conduct) -> float:
        """An epoch in the committee, slashing aside."""
        proves = (1 - conduct.miss) * self.costs.proof if conduct.sends_proofs else 0.0
        income = (1 - conduct.miss) * self.node.income
        stored = conduct.kept * self.node.gib * self.costs.disk
        return income - stored - proves - conduct.fetched_gib * self.costs.traffic

    def _slash(self, row: int) -> float:
        """What the operator loses of its own stake with the `row`-th miss in a row."""
        return self.rules.misses.slash_bps(row) / BPS * self.node.own_stake

    def with_disk(self, multiple: float) -> Economy:
        """Disks that cost so many times as much."""
        return replace(self, costs=replace(self.costs, disk=self.costs.disk * multiple))

    def with_proof(self, multiple: float) -> Economy:
        """Proofs that cost so many times as much gas."""
        return replace(self, costs=replace(self.costs, proof=self.costs.proof * multiple))

    def with_rules(self, **changes: int) -> Economy:
        """Other parameters."""
        return replace(self, rules=replace(self.rules, **changes))  # type: ignore[arg-type]

    def without_slashing(self) -> Economy:
        """A miss costs the reward of the epoch only, and jails nobody."""
        return self.with_rules(first_slash_bps=0, maximum_slash_bps=0, misses_to_jail=1, jail_epochs=0)


def rebuilt_gib(shards: int, way: Rebuilding) -> float:
    """What must be fetched for one place of a full segment, on the average over its chunks."""
    segment = Geometry(shards).segment(SEGMENT_BYTES)
    if way is Rebuilding.SEGMENTS:
        return segment.rows * segment.sliver_bytes(Axis.PRIMARY) / GIB
    return sum(segment.sliver_bytes(axis) ** 2 for axis in Axis) / segment.pair_bytes / GIB


def beginning(pays: Callable[[float], float]) -> float | None:
    """The lowest multiple at which `pays`, a function that only rises, is above zero; None when it never is."""
    low, high = 0.0, 1.0
    while pays(high) <= 0:
        low, high = high, 2 * high
        if high > HIGHEST:
            return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if pays(middle) > 0 else (middle, high)
    return high


def windows_until(miss: float, certainty: float) -> int | None:
    """After how many windows a node that misses with this probability was caught with such certainty."""
    if miss in (0, 1):
        return 1 if miss else None
    return math.ceil(math.log(1 - certainty) / math.log(1 - miss))
