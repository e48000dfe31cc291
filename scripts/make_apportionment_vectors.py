"""Write tests/vectors/apportionment.json: who serves which shard, by stakes and regions, and after a change of stakes.

    python scripts/make_apportionment_vectors.py

Made by the Python rules, checked by the Solidity library (tests/contracts/Apportionment.t.sol). The random cases come
from a fixed seed, so the file changes only when the rule does: a difference after running this is a break of
compatibility. Stakes are decimal texts, since they are too large for JSON numbers.

`cases`            stakes and regions in; caps, shards of each node and their order out
`reassignments`    `owners`: node id of each shard before, 0 where none was; `nodes`: ids of the new members, ascending;
                   `weights`: their shards; out: `assignment`: one byte a shard, the member index; `moved`: a decimal
                   text, bit s of the number is set when shard s has another node than before
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from walrus_chain.rules.apportionment import Candidate, apportion, caps_of, deal, moved_shards, reassign
from walrus_chain.types import NodeId, Wei

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "apportionment.json"
SEED = "walrus-chain/apportionment/1"
RANDOM_CASES = 40
RANDOM_HISTORIES = 12
CHANGES = 4
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


def reassignment(name: str, owners: Sequence[int], nodes: Sequence[int], weights: Sequence[int]) -> Case:
    """One change of committee."""
    before, members = [NodeId(owner) for owner in owners], [NodeId(node) for node in nodes]
    assignment = reassign(before, members, weights)
    return {
        "name": name,
        "owners": list(owners),
        "nodes": list(nodes),
        "weights": list(weights),
        "assignment": "0x" + bytes(assignment).hex(),
        "moved": str(sum(1 << shard for shard in moved_shards(before, members, assignment))),
    }


def chosen_reassignments() -> Iterator[Case]:
    """The corners: nothing moves, everything moves, one joins, one leaves, weights shift."""
    yield reassignment("nobody served before: as dealt", [0] * 10, [3, 5, 9], [3, 3, 4])
    yield reassignment("nothing changes", [1, 2, 3, 1, 2], [1, 2, 3], [2, 2, 1])
    yield reassignment("all nodes are new", [1, 2, 3, 1, 2, 3], [4, 5], [3, 3])
    yield reassignment("one node takes all", [1, 2, 3, 4], [3], [4])
    yield reassignment("one node gives to all", [7] * 7, [2, 7, 9], [2, 3, 2])
    yield reassignment("a node joins with the lowest id", [5, 6, 7, 5, 6, 7], [2, 5, 6, 7], [1, 2, 2, 1])
    yield reassignment("a node leaves", [1, 2, 3, 1, 2, 3, 1], [1, 3], [4, 3])
    yield reassignment("weights shift without a change of nodes", [1, 1, 1, 2, 2, 2], [1, 2], [1, 5])
    yield reassignment("some shards have no node", [1, 0, 2, 0, 1, 0], [1, 2], [2, 4])
    yield reassignment("ids wider than a byte", [70_000, 300, 70_000, 300], [300, 65_536, 70_000], [1, 1, 2])
    yield reassignment("largest committee turns round", range(1, 256), range(2, 257), [1] * 255)


def random_reassignments() -> Iterator[Case]:
    """Committees over time: stakes drift, nodes join and leave, regions count."""
    dice = random.Random(f"{SEED}/reassignments")
    for history in range(RANDOM_HISTORIES):
        shards = dice.randint(4, 255)
        ids = sorted(dice.sample(range(1, 400), dice.randint(1, 40)))
        stakes = {node: dice.randint(1, 2**64) for node in ids}
        owners = [0] * shards
        for change in range(CHANGES):
            candidates = [Candidate(Wei(stakes[node]), f"region-{node % 5}") for node in sorted(stakes)]
            weights = apportion(candidates, shards)
            serving = [(node, weight) for node, weight in zip(sorted(stakes), weights, strict=True) if weight]
            nodes = [node for node, _ in serving]
            case = reassignment(f"history {history}, change {change}", owners, nodes, [weight for _, weight in serving])
            yield case
            owners = [nodes[member] for member in bytes.fromhex(case["assignment"][2:])]
            stakes = {node: max(1, stake * dice.randint(60, 140) // 100) for node, stake in stakes.items()}
            if len(stakes) > 1 and dice.random() < 0.5:
                del stakes[dice.choice(sorted(stakes))]
            stakes[dice.randrange(1, 400)] = dice.randint(1, 2**64)


def section(cases: Iterable[Case]) -> str:
    """A list in JSON, one case a line."""
    return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"


def main() -> None:
    """Write the file."""
    cases = section([*chosen_cases(), *random_cases()])
    reassignments = section([*chosen_reassignments(), *random_reassignments()])
    VECTORS.write_text(f'{{"cases": {cases},\n"reassignments": {reassignments}}}\n')


if __name__ == "__main__":
    main()
