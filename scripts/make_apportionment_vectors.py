"""Write tests/vectors/apportionment.json: stakes and regions in, caps, shards of each node and their order out.

    python scripts/make_apportionment_vectors.py

Made by the Python rules, checked by the Solidity library (tests/contracts/Apportionment.t.sol). The random cases come
from a fixed seed, so the file changes only when the rule does: a difference after running this is a break of
compatibility. Stakes are decimal texts, since they are too large for JSON numbers.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from walrus_chain.rules.apportionment import Candidate, apportion, caps_of, deal
from walrus_chain.types import Wei

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "apportionment.json"
SEED = "walrus-chain/apportionment/1"
RANDOM_CASES = 40
WAL = 10**18
LARGEST = 2**128 - 1

Case = dict[str, Any]


def case(name: str, shards: int, stakes: Sequence[int], regions: Sequence[int]) -> Case:
    """One case; regions are numbers here, the Solidity test names them by their number as bytes32."""
    candidates = [Candidate(Wei(stake), f"region-{region}") for stake, region in zip(stakes, regions, strict=True)]
    caps = caps_of(candidates, shards)
    weights = apportion(candidates, shards)
    return {
        "name": name,
        "shards": shards,
        "stakes": [str(stake) for stake in stakes],
        "regions": list(regions),
        "nodeCap": caps.node,
        "regionCap": caps.region,
        "weights": list(weights),
        "assignment": "0x" + bytes(deal(weights)).hex(),
    }


def chosen_cases() -> Iterator[Case]:
    """The corners: too few nodes, too few regions, ties, extremes of stake, the largest sizes."""
    yield case("one node takes all", 30, [WAL], [0])
    yield case("two nodes in one region share", 30, [WAL, 3 * WAL], [0, 0])
    yield case("ten equal nodes in four regions", 30, [100 * WAL] * 10, [0, 1, 2, 3] * 2 + [0, 1])
    yield case("equal stakes: the remainder goes to the first", 31, [7] * 10, list(range(10)))
    yield case("a whale stops at its cap", 30, [10**9 * WAL, *[WAL] * 9], list(range(10)))
    yield case("a rich region stops at its cap", 30, [*[1000 * WAL] * 5, *[WAL] * 5], [0] * 5 + [1, 2, 3, 1, 2])
    yield case("three regions cannot keep to f", 30, [100 * WAL] * 9, [0, 1, 2] * 3)
    yield case("one node of two regions is all its region has", 30, [WAL] * 10, [0] + [1] * 9)
    yield case("five shards need five regions", 5, [WAL] * 4, [0, 1, 2, 3])
    yield case("five shards in five regions", 5, [WAL] * 5, [0, 1, 2, 3, 4])
    yield case("stakes of one unit", 10, [1] * 7, [0, 1, 2, 3, 4, 5, 6])
    yield case("largest stakes", 100, [LARGEST, LARGEST - 1, LARGEST, 1, LARGEST // 2], [0, 1, 2, 3, 4])
    yield case("quotients one apart at full width", 7, [LARGEST, LARGEST - 1, LARGEST - 2], [0, 1, 2])
    yield case("more nodes than shards", 4, [5, 9, 9, 1, 7, 9], [0, 1, 2, 3, 4, 5])
    yield case("largest committee", 255, [WAL + place for place in range(255)], [place % 7 for place in range(255)])


def random_cases() -> Iterator[Case]:
    """Any n, any number of nodes and regions, stakes of all magnitudes and with ties."""
    dice = random.Random(SEED)
    for number in range(RANDOM_CASES):
        nodes = dice.randint(1, dice.choice((4, 12, 60)))
        width = dice.choice((1, 4, 64, 128))
        stakes = [dice.randint(1, 2**width - 1) for _ in range(nodes)]
        regions = [dice.randrange(dice.choice((1, 3, 8))) for _ in range(nodes)]
        yield case(f"random {number}", dice.randint(4, 255), stakes, regions)


def main() -> None:
    """Write the file: one case a line."""
    lines = ",\n".join(json.dumps(entry) for entry in [*chosen_cases(), *random_cases()])
    VECTORS.write_text(f'{{"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
