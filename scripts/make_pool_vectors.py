"""Write tests/vectors/pools.json: what happens to a pool step by step, and what it and an account hold after each.

    python scripts/make_pool_vectors.py

Made by the Python rules, checked by the Solidity contract (tests/contracts/PoolVectors.t.sol), which plays them with
steps settled at once and with steps settled as late as it goes. The histories come from a fixed seed, so the file
changes only when a rule does. Each row of a history is a list of decimal texts, in the order of `Row`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

from walrus_chain.rules.pools import Account, Pool
from walrus_chain.types import Epoch, Wei

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "pools.json"
SEED = "walrus-chain/pools/1"
ACCOUNTS = 4
UNBONDING_EPOCHS = 3
NOTICE = 2
ALL = 2**128 - 1
WAL = 10**18
EXHAUSTION, INFLATION = 20, 30

#: Name, largest deposit, largest reward, rows, chance of a slash.
HISTORIES = (
    ("single units", 5, 3, 120, 0.05),
    ("few units, many slashes", 1000, 700, 120, 0.2),
    ("around the shares that earn", 2 * 10**15, 3 * 10**15, 120, 0.05),
    ("usual amounts", 1000 * WAL, 20 * WAL, 160, 0.05),
    ("usual amounts, many slashes", 1000 * WAL, 20 * WAL, 160, 0.2),
    ("rewards and claims", 1000 * WAL, 100 * WAL, 200, 0.01),
    ("no rewards", 50 * WAL, 0, 100, 0.1),
    ("large amounts", 2**93, 2**90, 120, 0.08),
)


class Step(IntEnum):
    """What happens."""

    NEXT_EPOCH = 0
    """`amount` is the reward of the epoch that ends."""
    CUT = 1
    """The middle of the epoch is reached."""
    DELEGATE = 2
    UNDELEGATE = 3
    """The greatest number means all of it."""
    WITHDRAW = 4
    CLAIM = 5
    CLAIM_COMMISSION = 6
    SET_COMMISSION = 7
    """`amount` is in hundredths of a percent."""
    SLASH = 8
    """`amount` is in hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class Row:
    """A step, and what there is after it."""

    step: int
    who: int
    amount: int
    paid: int
    """What a withdrawal, a claim or a slash took out of the pool."""
    active: int
    shares: int
    waiting: int
    unbonding: int
    unbonding_shares: int
    commission: int
    account_active: int
    account_principal: int
    account_shares: int
    account_waiting: int
    account_leaving: int


@dataclass(slots=True)
class History:
    """A pool and the accounts that deal with it, from epoch 1 on."""

    pool: Pool = field(default_factory=lambda: Pool(Epoch(1)))
    accounts: list[Account] = field(default_factory=lambda: [Account()] * ACCOUNTS)
    commissions: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """From which epoch on, and how much; ascending."""
    past_cut: bool = False

    def apply(self, step: Step, who: int, amount: int) -> int | None:
        """Take a step; what left the pool by it, or None where the contract would refuse."""
        pool, account, epoch, paid = self.pool, self.accounts[who], self.pool.epoch, 0
        match step:
            case Step.NEXT_EPOCH:
                bps = next(bps for since, bps in reversed(self.commissions) if since <= epoch)
                self.pool, self.past_cut = pool.after_epoch(Wei(amount), bps), False
            case Step.CUT:
                if self.past_cut:
                    return None
                self.past_cut = True
            case Step.DELEGATE:
                if not amount or not self._takes_stake(amount):
                    return None
                counts_from = Epoch(epoch + 2 if self.past_cut else epoch + 1)
                self.pool, self.accounts[who] = pool.delegate(account, Wei(amount), counts_from)
            case Step.UNDELEGATE:
                value = pool.value_of(account)
                if not value or not amount or (amount > value and amount != ALL):
                    return None
                asked = None if amount == ALL else Wei(amount)
                self.pool, self.accounts[who] = pool.undelegate(account, asked, Epoch(epoch + UNBONDING_EPOCHS))
            case Step.WITHDRAW:
                if not any(leaving.release <= epoch for leaving in account.exits):
                    return None
                self.pool, self.accounts[who], paid = pool.withdraw(account, epoch)
            case Step.CLAIM:
                self.pool, self.accounts[who], paid = pool.claim(account)
                if not paid:
                    return None
            case Step.CLAIM_COMMISSION:
                self.pool, paid = pool.claim_commission()
                if not paid:
                    return None
            case Step.SET_COMMISSION:
                self.commissions = [entry for entry in self.commissions if entry[0] <= epoch]
                self.commissions.append((epoch + NOTICE, amount))
            case Step.SLASH:
                self.pool, paid = pool.slash(amount)
        return paid

    def row(self, step: Step, who: int, amount: int, paid: int) -> Row:
        """What there is now."""
        pool, account = self.pool, self.pool.up_to_date(self.accounts[who])
        return Row(
            step,
            who,
            amount,
            paid,
            pool.active.amount,
            pool.active.shares,
            sum(tranche.amount for tranche in pool.waiting),
            pool.unbonding.amount,
            pool.unbonding.shares,
            pool.commission,
            pool.value_of(account),
            account.principal,
            account.shares,
            sum(tranche.amount for tranche in account.waiting),
            pool.leaving_of(account),
        )

    def _takes_stake(self, amount: int) -> bool:
        pool = self.pool
        for pot in (pool.active, pool.unbonding):
            if pot.shares and (pot.amount <= pot.shares >> EXHAUSTION or pot.amount >> INFLATION >= pot.shares):
                return False
        return pool.active.amount + sum(tranche.amount for tranche in pool.waiting) + amount < 2**96


def random_rows(dice: random.Random, largest: int, reward: int, rows: int, slashes: float) -> Iterator[Row]:
    """A history of steps that the contract takes."""
    history = History()
    made = 0
    while made < rows:
        who = dice.randrange(ACCOUNTS)
        step, amount = _random_step(dice, history, who, largest, reward, slashes)
        paid = history.apply(step, who, amount)
        if paid is None:
            continue
        yield history.row(step, who, amount, paid)
        made += 1


def _random_step(
    dice: random.Random, history: History, who: int, largest: int, reward: int, slashes: float
) -> tuple[Step, int]:
    if dice.random() < slashes:
        return Step.SLASH, dice.choice((1, 100, 1600, 5000, dice.randint(0, 5000)))
    step = dice.choice(
        [*Step, Step.NEXT_EPOCH, Step.NEXT_EPOCH, Step.DELEGATE, Step.DELEGATE, Step.UNDELEGATE, Step.CLAIM, Step.CLAIM]
    )
    match step:
        case Step.NEXT_EPOCH:
            return step, dice.choice((0, dice.randint(0, reward)))
        case Step.DELEGATE:
            return step, dice.choice((1, largest, dice.randint(1, largest)))
        case Step.UNDELEGATE:
            value = history.pool.value_of(history.accounts[who])
            return step, dice.choice((ALL, 1, value, dice.randint(0, value)))
        case Step.SET_COMMISSION:
            return step, dice.randint(0, dice.choice((1000, 10_000)))
        case Step.SLASH:
            return Step.CUT, 0
        case _:
            return step, 0


def histories() -> Iterator[dict[str, Any]]:
    """All of them, each with dice of its own."""
    for name, largest, reward, rows, slashes in HISTORIES:
        dice = random.Random(f"{SEED}/{name}")
        made = [
            [str(int(value)) for value in astuple(row)] for row in random_rows(dice, largest, reward, rows, slashes)
        ]
        yield {"name": name, "rows": [value for row in made for value in row]}


def text() -> str:
    """The whole file: one history a line."""
    lines = ",\n".join(json.dumps(history) for history in histories())
    head = f'{{"columns": {len(Row.__dataclass_fields__)}, "unbondingEpochs": {UNBONDING_EPOCHS}, "histories": [\n'
    return f"{head}{lines}\n]}}\n"


def main() -> None:
    """Write the file."""
    VECTORS.write_text(text())
    print("tests/vectors/pools.json")


if __name__ == "__main__":
    main()
