"""Write tests/vectors/units.json (trees of units) and tests/vectors/accrual.json (what revenue pools owe step by step).

    python scripts/make_units_vectors.py

Made by the Python rules, checked by the Solidity contract (tests/contracts/PaymentVectors.t.sol). All comes from a
fixed seed, so the files change only when a rule does. Each row of a history is a list of decimal texts, in the order
of `Row`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from walrus_chain.payments.pools import RevenuePool
from walrus_chain.payments.units import MAXIMUM_UNITS, Member, UnitsTree
from walrus_chain.types import Address, Wei

FOLDER = Path(__file__).parent.parent / "tests" / "vectors"
UNITS = FOLDER / "units.json"
ACCRUAL = FOLDER / "accrual.json"
SEED = "walrus-chain/units/1"
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100)
ACCOUNTS = 4
PROTOCOL_BPS = 250
WAL = 10**18

#: Name, units of each account, share of the nodes, largest income, rows.
HISTORIES = (
    ("one unit, incomes that hardly divide", (1, 0, 0, 0), 1000, 30_000, 120),
    ("few units, usual incomes", (5, 3, 2, 0), 1000, 2 * WAL, 160),
    ("many units, usual incomes", (10**9, 7, 123_456_789, 1), 2500, WAL, 160),
    ("as many units as there can be, dust", (MAXIMUM_UNITS - 10, 5, 4, 1), 5000, MAXIMUM_UNITS * 20_000, 120),
    ("nothing for the nodes", (1, 1, 1, 0), 0, 50_000, 120),
    ("large incomes", (3, 3, 3, 1), 1234, 2**118, 120),
)


class Step(IntEnum):
    """What happens."""

    INCOME = 0
    CLAIM = 1
    TRANSFER = 2
    """`amount` units go to the next account."""
    SETTLE = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A step, and what there is after it."""

    step: int
    who: int
    amount: int
    paid: int
    """What the step took out of the pool."""
    earned_per_weight: int
    dust: int
    units: int
    """Of the account."""
    claimable: int
    """By the account."""
    to_nodes: int
    """That is not settled."""
    to_burn: int
    """That is not settled."""


def account_at(index: int) -> Address:
    """The account of place `index`: small numbers, which Solidity makes as easily."""
    return Address(to_checksum_address((1_000_000 + index).to_bytes(20, "big")))


def tree_case(size: int) -> dict[str, Any]:
    """A tree with the proof of every place, or of some of many."""
    dice = random.Random(f"{SEED}/{size}")
    most = MAXIMUM_UNITS // size
    members = [
        Member(Address(to_checksum_address(dice.randbytes(20))), dice.choice((1, most, dice.randint(1, most))))
        for _ in range(size)
    ]
    tree = UnitsTree(members)
    places = range(size) if size <= 9 else sorted({0, size - 1, *(dice.randrange(size) for _ in range(5))})
    shown = [tree.place_of(members[index].account) for index in places]
    return {
        "places": size,
        "units": str(tree.units),
        "root": "0x" + tree.root.hex(),
        "accounts": [place.member.account for place in shown],
        "heldUnits": [str(place.member.units) for place in shown],
        "indices": [str(place.index) for place in shown],
        "proofs": ["0x" + place.proof.hex() for place in shown],
    }


def history_case(name: str, units: tuple[int, ...], nodes_bps: int, largest: int, rows: int) -> dict[str, Any]:
    """A history of steps that the contract takes."""
    dice = random.Random(f"{SEED}/{name}")
    members = [Member(account_at(i), held) for i, held in enumerate(units) if held]
    pool = RevenuePool.of(members, nodes_bps, PROTOCOL_BPS)
    cells: list[str] = []
    while len(cells) < rows * len(Row.__dataclass_fields__):
        step, who = dice.choice((Step.INCOME, Step.INCOME, *Step)), dice.randrange(ACCOUNTS)
        taken = apply(pool, step, who, dice, largest)
        if taken is None:
            continue
        pool, amount, paid = taken
        cells += [str(int(value)) for value in astuple(row_of(pool, step, who, amount, paid))]
    return {
        "name": name,
        "units": [str(held) for held in units],
        "nodesBps": nodes_bps,
        "rows": cells,
    }


def apply(
    pool: RevenuePool, step: Step, who: int, dice: random.Random, largest: int
) -> tuple[RevenuePool, int, int] | None:
    """Take a step: the pool after it, its amount, and what left the pool; None where the contract would refuse."""
    account = account_at(who)
    match step:
        case Step.INCOME:
            amount = dice.choice((1, largest, dice.randint(1, largest)))
            return pool.receive(Wei(amount)), amount, 0
        case Step.CLAIM:
            paid = pool.claimable(account)
            return (pool.claim(account), 0, paid) if paid else None
        case Step.TRANSFER:
            held = pool.holdings[account].units if account in pool.holdings else 0
            if not held:
                return None
            units = dice.choice((1, held, dice.randint(1, held)))
            return pool.transfer(account, account_at((who + 1) % ACCOUNTS), units), units, 0
        case Step.SETTLE:
            return pool.settle(), 0, sum(pool.settleable())


def row_of(pool: RevenuePool, step: Step, who: int, amount: int, paid: int) -> Row:
    """What there is now."""
    account = account_at(who)
    holding = pool.holdings.get(account)
    to_nodes, to_burn = pool.settleable()
    return Row(
        step,
        who,
        amount,
        paid,
        pool.earned_per_weight,
        pool.dust,
        holding.units if holding else 0,
        pool.claimable(account),
        to_nodes,
        to_burn,
    )


def trees() -> Iterator[dict[str, Any]]:
    """All trees."""
    return map(tree_case, SIZES)


def units_text() -> str:
    """The whole file of trees: one a line."""
    return '{"trees": [\n' + ",\n".join(map(json.dumps, trees())) + "\n]}\n"


def accrual_text() -> str:
    """The whole file of histories: one a line."""
    lines = ",\n".join(json.dumps(history_case(*history)) for history in HISTORIES)
    head = f'{{"columns": {len(Row.__dataclass_fields__)}, "protocolBps": {PROTOCOL_BPS}, "histories": [\n'
    return f"{head}{lines}\n]}}\n"


def main() -> None:
    """Write the files."""
    UNITS.write_text(units_text())
    ACCRUAL.write_text(accrual_text())
    print("tests/vectors/units.json\ntests/vectors/accrual.json")


if __name__ == "__main__":
    main()
