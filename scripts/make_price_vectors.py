"""Write tests/vectors/prices.json: votes of committees, and the prices that follow from them.

    python scripts/make_price_vectors.py

Made by the Python rule, checked by the Solidity contract (tests/contracts/Prices.t.sol). The cases come from a fixed
seed, so the file changes only when the rule does. Amounts are decimal texts, since they are too large for JSON numbers.

`shards`, `unitPrice`, `writeFee`   n, and the present prices
`weights`                           shards of each member
`voters`                            bit i is set when member i ever voted
`unitPrices`, `writeFees`           their votes, zero where there is none
`nextUnitPrice`, `nextWriteFee`     what a count makes of them
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from walrus_chain.codec.geometry import Geometry
from walrus_chain.rules.prices import PriceVote, tally
from walrus_chain.types import Wei

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "prices.json"
SEED = "walrus-chain/prices/1"
CASES = 40
MAXIMUM = Wei(1000 * 10**18)
LARGEST_COMMITTEE = 12

Case = dict[str, Any]


def price_of(dice: random.Random) -> Wei:
    """A price: zero, one, the greatest, or one of any magnitude."""
    return Wei(min(dice.choice((0, 1, MAXIMUM, dice.randrange(2 ** dice.randint(1, 70)))), MAXIMUM))


def vote_near(present: Wei, dice: random.Random) -> Wei:
    """A vote, mostly so near the present price that it can win."""
    near = [dice.randint(present // 2, 2 * present + 1) for _ in range(4)]
    return Wei(min(dice.choice((price_of(dice), *near)), MAXIMUM))


def weights_of(shards: int, dice: random.Random) -> list[int]:
    """`shards` divided among some members, one or more each."""
    members = dice.randint(1, min(shards, LARGEST_COMMITTEE))
    ends = [0, *sorted(dice.sample(range(1, shards), members - 1)), shards]
    return [end - begin for begin, end in pairwise(ends)]


def next_price(weights: Sequence[int], voters: int, votes: Sequence[Wei], quorum: int, present: Wei) -> Wei:
    """What the rule says."""
    cast = [
        PriceVote(weight, price if voters >> member & 1 else None)
        for member, (weight, price) in enumerate(zip(weights, votes, strict=True))
    ]
    return tally(cast, quorum, present, MAXIMUM)


def case(dice: random.Random) -> Case:
    """One count of votes for both prices."""
    geometry = Geometry(dice.choice((4, 7, 10, 30, 100, 255, dice.randint(4, 255))))
    weights = weights_of(geometry.shards, dice)
    voters = dice.randrange(2 ** len(weights)) | dice.randrange(2 ** len(weights))
    unit_price, write_fee = price_of(dice), price_of(dice)
    unit_prices, write_fees = (
        [vote_near(present, dice) if voters >> member & 1 else Wei(0) for member in range(len(weights))]
        for present in (unit_price, write_fee)
    )
    return {
        "shards": geometry.shards,
        "unitPrice": str(unit_price),
        "writeFee": str(write_fee),
        "weights": weights,
        "voters": voters,
        "unitPrices": [str(price) for price in unit_prices],
        "writeFees": [str(price) for price in write_fees],
        "nextUnitPrice": str(next_price(weights, voters, unit_prices, geometry.quorum, unit_price)),
        "nextWriteFee": str(next_price(weights, voters, write_fees, geometry.quorum, write_fee)),
    }


def main() -> None:
    """Write the file."""
    dice = random.Random(SEED)
    VECTORS.write_text(json.dumps({"cases": [case(dice) for _ in range(CASES)]}, indent=1) + "\n", encoding="utf-8")
    print("tests/vectors/prices.json")


if __name__ == "__main__":
    main()
