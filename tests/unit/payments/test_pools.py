"""What revenue pools owe: invariant I10 by a state machine, what the specification promises, and the vectors."""

from __future__ import annotations

import json

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scripts import make_units_vectors
from scripts.make_units_vectors import Row, Step, account_at
from walrus_chain.errors import TooManyUnits
from walrus_chain.payments.pools import WEIGHTS_PER_UNIT, RevenuePool
from walrus_chain.payments.units import MAXIMUM_UNITS, Member
from walrus_chain.types import Wei

ALICE, BOB, CAROL, DAVE = map(account_at, range(4))
POOL = RevenuePool.of([Member(ALICE, 5), Member(BOB, 3), Member(CAROL, 2)], nodes_bps=1000, protocol_bps=250)


def rows() -> list[dict[str, int]]:
    """All rows of all histories."""
    vectors = json.loads(make_units_vectors.ACCRUAL.read_text())
    columns = list(Row.__dataclass_fields__)
    assert vectors["columns"] == len(columns)
    return [
        dict(zip(columns, map(int, cells[first : first + len(columns)]), strict=True))
        for cells in (history["rows"] for history in vectors["histories"])
        for first in range(0, len(cells), len(columns))
    ]


def test_committed_vectors__equal_what_the_rules_make() -> None:
    assert make_units_vectors.ACCRUAL.read_text() == make_units_vectors.accrual_text()


@pytest.mark.parametrize("step", Step)
def test_histories__hold_every_step_often(step: Step) -> None:
    assert sum(row["step"] == step for row in rows()) >= 50


def test_an_income__is_divided_by_weights_and_leaves_dust() -> None:
    pool = POOL.receive(Wei(1_234_567))
    assert (pool.earned_per_weight, pool.dust) == (12, 34_567)
    assert [pool.claimable(account) for account in (ALICE, BOB, CAROL, DAVE)] == [525_000, 315_000, 210_000, 0]
    assert pool.settleable() == (120_000, 30_000)
    assert pool.owed() + pool.dust == 1_234_567


def test_tiny_incomes__dust_is_carried_until_it_divides() -> None:
    pool = POOL
    for _ in range(3):
        pool = pool.receive(Wei(33_333))
    assert (pool.owed(), pool.dust) == (0, 99_999)
    pool = pool.receive(Wei(1))
    assert (pool.owed(), pool.dust) == (100_000, 0)


def test_units_that_are_handed_on__earn_for_the_new_holder_from_then_on() -> None:
    pool = POOL.receive(Wei(10**6)).transfer(ALICE, DAVE, 4).receive(Wei(10**6))
    assert pool.claimable(ALICE) == (5 + 1) * 87_500
    assert pool.claimable(DAVE) == 4 * 87_500
    assert pool.claim(ALICE).claimable(ALICE) == 0


def test_units_that_nobody_holds__cannot_be_handed_on() -> None:
    with pytest.raises(TooManyUnits) as error:
        POOL.transfer(DAVE, ALICE, 1)
    assert (error.value.requested, error.value.held) == (1, 0)


class PoolMachine(RuleBasedStateMachine):
    """Members who claim, hand units on and join; incomes of any size; nodes and protocol get their parts."""

    @initialize(
        units=st.lists(st.integers(0, MAXIMUM_UNITS // 4), min_size=4, max_size=4).filter(any),
        nodes_bps=st.integers(0, 5000),
        protocol_bps=st.integers(1, 1000),
    )
    def begin(self, units: list[int], nodes_bps: int, protocol_bps: int) -> None:
        members = [Member(account_at(i), held) for i, held in enumerate(units) if held]
        self.pool = RevenuePool.of(members, nodes_bps, protocol_bps)
        self.received = self.paid = 0

    @rule(amount=st.one_of(st.integers(1, 10**6), st.integers(1, 2**100)))
    def receive(self, amount: int) -> None:
        self.pool = self.pool.receive(Wei(amount))
        self.received += amount

    @rule(who=st.integers(0, 3))
    def claim(self, who: int) -> None:
        amount = self.pool.claimable(account_at(who))
        self.pool = self.pool.claim(account_at(who))
        assert self.pool.claimable(account_at(who)) == 0
        self.paid += amount

    @rule(who=st.integers(0, 3), to=st.integers(1, 3), part=st.integers(0, MAXIMUM_UNITS))
    def transfer(self, who: int, to: int, part: int) -> None:
        giver, receiver = account_at(who), account_at((who + to) % 4)
        held = self.pool.holdings[giver].units if giver in self.pool.holdings else 0
        before = [self.pool.claimable(account) for account in (giver, receiver)]
        self.pool = self.pool.transfer(giver, receiver, part % (held + 1))
        assert [self.pool.claimable(account) for account in (giver, receiver)] == before

    @rule()
    def settle(self) -> None:
        self.paid += sum(self.pool.settleable())
        self.pool = self.pool.settle()
        assert self.pool.settleable() == (0, 0)

    @invariant()
    def I10_paid_owed_and_dust_are_what_was_received(self) -> None:
        if hasattr(self, "pool"):
            assert self.paid + self.pool.owed() + self.pool.dust == self.received

    @invariant()
    def dust_is_less_than_the_weights(self) -> None:
        if hasattr(self, "pool"):
            assert 0 <= self.pool.dust < self.pool.units * WEIGHTS_PER_UNIT

    @invariant()
    def units_stay(self) -> None:
        if hasattr(self, "pool"):
            assert sum(holding.units for holding in self.pool.holdings.values()) == self.pool.units


TestPoolMachine = PoolMachine.TestCase
