"""A pool keeps every wei: whatever is paid in, earned, slashed and taken out, in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from walrus_chain.errors import MoreThanActive
from walrus_chain.rules.pools import MINIMUM_EARNING_SHARES, Account, Exit, Pool, Tranche
from walrus_chain.types import Epoch, Wei

WAL = 10**18
NOBODY = Account()

amounts = st.one_of(st.integers(1, 10), st.integers(1, 10**24)).map(Wei)
bps = st.integers(0, 5_000)


def filled(*deposits: int, epoch: int = 1) -> tuple[Pool, list[Account]]:
    """A pool with an account for each deposit, all of which count."""
    pool, accounts = Pool(Epoch(epoch)), []
    for deposit in deposits:
        pool, account = pool.delegate(NOBODY, Wei(deposit), pool.epoch)
        accounts.append(account)
    return pool, accounts


def test_a_deposit__counts_from_its_epoch_on() -> None:
    pool, account = Pool(Epoch(3)).delegate(NOBODY, Wei(WAL), Epoch(5))
    assert [pool.stake_at(Epoch(epoch)) for epoch in (3, 4, 5)] == [0, 0, WAL]
    pool = pool.after_epoch(Wei(0), 0)
    assert pool.value_of(account) == 0
    pool = pool.after_epoch(Wei(0), 0)
    assert pool.value_of(account) == pool.stake_of(account, Epoch(5)) == WAL


def test_a_deposit_that_waits__does_not_share_in_rewards_before_it_counts() -> None:
    pool, [first] = filled(WAL)
    pool, second = pool.delegate(NOBODY, Wei(WAL), Epoch(2))
    pool = pool.after_epoch(Wei(WAL), 0)
    assert (pool.value_of(first), pool.value_of(second)) == (2 * WAL, WAL)
    pool = pool.after_epoch(Wei(3 * WAL), 0)
    assert (pool.value_of(first), pool.value_of(second)) == (4 * WAL, 2 * WAL)


def test_deposits_of_two_epochs_wait_apart() -> None:
    pool, account = Pool(Epoch(1)).delegate(NOBODY, Wei(2), Epoch(3))
    pool, account = pool.delegate(account, Wei(1), Epoch(2))
    pool, account = pool.delegate(account, Wei(5), Epoch(3))
    assert account.waiting == pool.waiting == (Tranche(Epoch(2), Wei(1)), Tranche(Epoch(3), Wei(7)))
    pool = pool.after_epoch(Wei(0), 0)
    assert (pool.active.amount, pool.waiting) == (1, (Tranche(Epoch(3), Wei(7)),))


def test_commission__goes_aside_and_is_claimed() -> None:
    pool, [account] = filled(WAL)
    pool = pool.after_epoch(Wei(1001), 1_000)
    assert (pool.commission, pool.value_of(account)) == (100, WAL + 901)
    pool, paid = pool.claim_commission()
    assert (paid, pool.commission) == (100, 0)


def test_a_pool_of_nearly_no_shares__earns_for_the_operator_only() -> None:
    pool, [account] = filled(MINIMUM_EARNING_SHARES - 1)
    pool = pool.after_epoch(Wei(WAL), 0)
    assert (pool.commission, pool.value_of(account)) == (WAL, MINIMUM_EARNING_SHARES - 1)


def test_undelegate__all__leaves_no_principal_and_waits_for_release() -> None:
    pool, [account, other] = filled(WAL, WAL)
    pool, account = pool.undelegate(account, None, Epoch(8))
    assert (account.shares, account.principal, pool.leaving_of(account)) == (0, 0, WAL)
    pool, account, paid = pool.withdraw(account, Epoch(7))
    assert paid == 0
    pool, account, paid = pool.withdraw(account, Epoch(8))
    assert (paid, account, pool.holdings, pool.value_of(other)) == (WAL, NOBODY, WAL, WAL)


def test_undelegate__leaves_gain_and_principal_in_proportion() -> None:
    pool, [account] = filled(WAL)
    pool = pool.after_epoch(Wei(WAL), 0)
    pool, account = pool.undelegate(account, Wei(WAL), Epoch(9))
    assert (pool.value_of(account), account.principal) == (WAL, WAL // 2)


def test_undelegate__twice_in_an_epoch__is_one_exit() -> None:
    pool, [account] = filled(10)
    for amount, release in ((1, 8), (2, 9), (3, 9)):
        pool, account = pool.undelegate(account, Wei(amount), Epoch(release))
    assert account.exits == (Exit(Epoch(8), 1), Exit(Epoch(9), 5))
    assert (pool.value_of(account), pool.unbonding.amount) == (4, 6)


def test_undelegate__rounds_shares_up_and_pays_the_amount() -> None:
    pool, [account, other] = filled(10**16, 10**16)
    pool = pool.after_epoch(Wei(10**16), 0)
    pool, account = pool.undelegate(account, Wei(1), Epoch(9))
    assert (pool.leaving_of(account), account.shares) == (1, 10**16 - 1)
    assert pool.value_of(other) == 15 * 10**15


def test_undelegate__more_than_active__refused() -> None:
    pool, [account] = filled(WAL)
    pool, account = pool.delegate(account, Wei(WAL), Epoch(2))
    with pytest.raises(MoreThanActive) as caught:
        pool.undelegate(account, Wei(WAL + 1), Epoch(9))
    assert (caught.value.requested, caught.value.active) == (WAL + 1, WAL)


def test_claim__takes_the_gain_and_leaves_the_principal() -> None:
    pool, [account] = filled(WAL)
    pool = pool.after_epoch(Wei(WAL), 0)
    pool, account, paid = pool.claim(account)
    assert (paid, pool.value_of(account), account.principal) == (WAL, WAL, WAL)


def test_claim__after_a_slash_below_what_was_paid__gives_nothing() -> None:
    pool, [account] = filled(WAL)
    pool, _ = pool.slash(100)
    after, account, paid = pool.claim(account)
    assert (paid, after) == (0, pool)


def test_slash__reaches_active_and_unbonding_stake_alike_but_not_deposits_that_wait() -> None:
    pool, [staying, leaving] = filled(WAL, WAL)
    pool, leaving = pool.undelegate(leaving, None, Epoch(9))
    pool, newcomer = pool.delegate(NOBODY, Wei(WAL), Epoch(3))
    pool, slashed = pool.slash(2_500)
    assert slashed == WAL // 2
    assert (pool.value_of(staying), pool.leaving_of(leaving)) == (3 * WAL // 4, 3 * WAL // 4)
    assert pool.stake_of(newcomer, Epoch(3)) == WAL


@given(st.lists(amounts, min_size=1, max_size=6), amounts, bps)
def test_I7_slash__takes_at_most_the_stake_and_rounds_down(deposits: list[Wei], reward: Wei, part: int) -> None:
    pool, [account, *_] = filled(*deposits)
    pool = pool.after_epoch(reward, 1_000)
    pool, _ = pool.undelegate(account, None, Epoch(9))
    stake = pool.active.amount + pool.unbonding.amount
    after, slashed = pool.slash(part)
    assert slashed <= stake * part // 10_000
    assert stake - slashed == after.active.amount + after.unbonding.amount
    assert after.holdings == pool.holdings - slashed


@given(st.lists(amounts, min_size=2, max_size=6), st.permutations(range(6)), amounts, amounts)
def test_order_of_delegators_does_not_matter(deposits: list[Wei], order: list[int], before: Wei, reward: Wei) -> None:
    places = [place for place in order if place < len(deposits)]

    def run(chosen: list[int]) -> tuple[Pool, dict[int, Account]]:
        pool, _ = filled(before)
        pool = pool.after_epoch(reward, 0)
        accounts: dict[int, Account] = {}
        for place in chosen:
            pool, accounts[place] = pool.delegate(NOBODY, deposits[place], Epoch(3))
        pool = pool.after_epoch(reward, 0)
        return pool, {place: pool.up_to_date(account) for place, account in accounts.items()}

    assert run(places) == run(sorted(places))


@given(st.lists(amounts, min_size=2, max_size=6), bps, st.data())
def test_slash__takes_the_same_part_of_everybody__who_stays_and_who_leaves(
    deposits: list[Wei], part: int, data: st.DataObject
) -> None:
    pool, accounts = filled(*deposits)
    for place in data.draw(st.sets(st.integers(0, len(deposits) - 1)), label="who leaves"):
        pool, accounts[place] = pool.undelegate(accounts[place], None, Epoch(9))
    pool, _ = pool.slash(part)
    for account, deposit in zip(accounts, deposits, strict=True):
        left = pool.value_of(account) + pool.leaving_of(account)
        assert 0 <= left * 10_000 - deposit * (10_000 - part) + 10_000 <= 20_000


@given(st.lists(amounts, min_size=2, max_size=6), bps, st.permutations(range(6)))
def test_order_of_leaving_moves_a_wei_a_head_at_most(deposits: list[Wei], part: int, order: list[int]) -> None:
    pool, accounts = filled(*deposits)
    pool, _ = pool.slash(part)
    due = [pool.value_of(account) for account in accounts]
    for place in (place for place in order if place < len(deposits)):
        pool, accounts[place] = pool.undelegate(accounts[place], None, pool.epoch)
        pool, accounts[place], paid = pool.withdraw(accounts[place], pool.epoch)
        assert due[place] <= paid <= due[place] + len(deposits)


@given(amounts, amounts, amounts, st.integers(0, 3))
def test_nobody_gains_from_rounding__in_and_out(before: Wei, reward: Wei, deposit: Wei, slashes: int) -> None:
    pool, [other] = filled(before)
    pool = pool.after_epoch(reward, 500)
    for _ in range(slashes):
        pool, _ = pool.slash(4_999)
    value = pool.value_of(other)
    pool, account = pool.delegate(NOBODY, deposit, pool.epoch)
    pool, account = pool.undelegate(account, None, pool.epoch)
    pool, account, paid = pool.withdraw(account, pool.epoch)
    assert paid <= deposit
    assert pool.value_of(other) >= value


@given(amounts, amounts, st.lists(amounts, min_size=1, max_size=8))
def test_nobody_gains_from_rounding__in_small_pieces(before: Wei, reward: Wei, pieces: list[Wei]) -> None:
    pool, [account, other] = filled(before, before)
    pool = pool.after_epoch(reward, 0)
    value, others = pool.value_of(account), pool.value_of(other)
    for piece in pieces:
        if piece <= pool.value_of(account):
            pool, account = pool.undelegate(account, piece, pool.epoch)
    pool, account = pool.undelegate(account, None, pool.epoch)
    assert pool.leaving_of(account) <= value
    assert pool.value_of(other) >= others


class PoolMachine(RuleBasedStateMachine):
    """Three delegators and time; beside the pool a ledger of what came and went."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Pool(Epoch(1))
        self.accounts = [NOBODY] * 3
        self.received = self.paid = self.slashed = 0
        self.put_in, self.got_out, self.earned = [0] * 3, [0] * 3, 0

    @rule(who=st.integers(0, 2), amount=amounts, later=st.integers(1, 2))
    def delegate(self, who: int, amount: Wei, later: int) -> None:
        counts_from = Epoch(self.pool.epoch + later)
        self.pool, self.accounts[who] = self.pool.delegate(self.accounts[who], amount, counts_from)
        self.received += amount
        self.put_in[who] += amount

    @rule(reward=st.one_of(st.just(0), amounts).map(Wei), commission=st.integers(0, 10_000))
    def settle(self, reward: Wei, commission: int) -> None:
        self.pool = self.pool.after_epoch(reward, commission)
        self.received += reward
        self.earned += reward

    @rule(who=st.integers(0, 2), part=st.integers(1, 100))
    def undelegate(self, who: int, part: int) -> None:
        amount = Wei(self.pool.value_of(self.accounts[who]) * part // 100)
        release = Epoch(self.pool.epoch + 3)
        chosen = None if part == 100 else amount
        self.pool, self.accounts[who] = self.pool.undelegate(self.accounts[who], chosen, release)

    @rule(who=st.integers(0, 2))
    def withdraw(self, who: int) -> None:
        self.pool, self.accounts[who], paid = self.pool.withdraw(self.accounts[who], self.pool.epoch)
        self._pay(who, paid)

    @rule(who=st.integers(0, 2))
    def claim(self, who: int) -> None:
        principal = self.pool.up_to_date(self.accounts[who]).principal
        before = self.pool.value_of(self.accounts[who])
        self.pool, self.accounts[who], paid = self.pool.claim(self.accounts[who])
        assert paid == max(0, before - principal)
        assert self.pool.value_of(self.accounts[who]) <= min(before, principal)
        self._pay(who, paid)

    @rule()
    def claim_commission(self) -> None:
        self.pool, paid = self.pool.claim_commission()
        self.paid += paid
        self.earned -= paid

    @precondition(lambda self: self.received)
    @rule(part=bps)
    def slash(self, part: int) -> None:
        stake = self.pool.active.amount + self.pool.unbonding.amount
        self.pool, slashed = self.pool.slash(part)
        assert slashed <= stake
        self.slashed += slashed

    def _pay(self, who: int, amount: Wei) -> None:
        self.paid += amount
        self.got_out[who] += amount

    @invariant()
    def all_wei_are_there(self) -> None:
        assert self.pool.holdings == self.received - self.paid - self.slashed

    @invariant()
    def I1_accounts_have_at_most_what_the_pool_has(self) -> None:
        assert sum(self.pool.value_of(account) for account in self.accounts) <= self.pool.active.amount
        assert sum(self.pool.leaving_of(account) for account in self.accounts) <= self.pool.unbonding.amount
        waiting = [tranche for account in self.accounts for tranche in self.pool.up_to_date(account).waiting]
        assert sum(tranche.amount for tranche in waiting) == sum(tranche.amount for tranche in self.pool.waiting)

    @invariant()
    def I2_nobody_got_more_than_was_deposited_and_earned(self) -> None:
        assert sum(self.got_out) <= sum(self.put_in) + self.earned

    @invariant()
    def a_pool_with_shares_is_worth_something(self) -> None:
        for pot in (self.pool.active, self.pool.unbonding):
            assert pot.amount > 0 or pot.shares == 0


TestPool = PoolMachine.TestCase
