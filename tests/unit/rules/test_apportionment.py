"""The apportionment rules: what the specification promises, on any input, and the shared vectors."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import MalformedCommittee, UnfitCandidates, UnsupportedGeometry
from walrus_chain.rules.apportionment import Candidate, apportion, caps_of, deal, moved_shards, reassign
from walrus_chain.types import NodeId, Wei

VECTORS = Path(__file__).parents[2] / "vectors" / "apportionment.json"

stakes = st.one_of(st.integers(1, 3), st.integers(1, 2**64), st.integers(2**128 - 3, 2**128 - 1))
candidates = st.lists(
    st.builds(Candidate, stakes.map(Wei), st.integers(0, 6).map(lambda number: f"region-{number}")),
    min_size=1,
    max_size=40,
)
shards = st.integers(4, 255)


def held_by_region(nodes: Sequence[Candidate], weights: Sequence[int]) -> Counter[str]:
    """Shards of each region."""
    held: Counter[str] = Counter()
    for node, weight in zip(nodes, weights, strict=True):
        held[node.region] += weight
    return held


@given(candidates, shards)
def test_I3_every_shard_is_assigned_to_one_node(nodes: list[Candidate], n: int) -> None:
    weights = apportion(nodes, n)
    assignment = deal(weights)
    assert sum(weights) == len(assignment) == n
    assert [assignment.count(place) for place in range(len(nodes))] == list(weights)


@given(candidates, shards)
def test_I4_no_region_above_f_when_enough_take_part(nodes: list[Candidate], n: int) -> None:
    faults = (n - 1) // 3
    caps = caps_of(nodes, n)
    weights = apportion(nodes, n)
    held = held_by_region(nodes, weights)
    assert max(weights) <= caps.node
    assert max(held.values()) <= caps.region
    if len({node.region for node in nodes}) * faults >= n:
        assert caps.region == faults


@given(candidates, shards)
def test_a_higher_stake_in_the_same_region_never_gets_less(nodes: list[Candidate], n: int) -> None:
    weights = apportion(nodes, n)
    for node, weight in zip(nodes, weights, strict=True):
        for other, other_weight in zip(nodes, weights, strict=True):
            if node.region == other.region and node.stake > other.stake:
                assert weight >= other_weight


@given(candidates, shards)
def test_caps_are_the_lowest_that_place_all_shards(nodes: list[Candidate], n: int) -> None:
    faults = (n - 1) // 3
    caps = caps_of(nodes, n)
    sizes = Counter(node.region for node in nodes).values()
    assert caps.node == faults or len(nodes) * (caps.node - 1) < n
    assert caps.region == faults or sum(min(caps.region - 1, size * caps.node) for size in sizes) < n


def test_without_caps_in_reach_it_is_dhondt() -> None:
    nodes = [Candidate(Wei(stake), f"region-{place}") for place, stake in enumerate((60, 50, 40, 30, 20, 10))]
    # Quotients in order: 60, 50, 40, 30 (60/2), 30, 25, 20 (60/3), 20 (40/2), 20, 16.7 (50/3); the next would be 15.
    assert apportion(nodes, 10) == (3, 3, 2, 1, 1, 0)


def test_equal_stakes_give_the_remainder_to_the_first() -> None:
    assert apportion([Candidate(Wei(5), "a")] * 4, 6) == (2, 2, 1, 1)


def test_shards_are_dealt_in_rounds() -> None:
    assert deal([3, 1, 2]) == (0, 1, 2, 0, 2, 0)


def test_no_candidates__unfit() -> None:
    with pytest.raises(UnfitCandidates, match="there is none"):
        apportion([], 10)


def test_candidate_without_stake__unfit() -> None:
    with pytest.raises(UnfitCandidates, match="candidate 1 has no stake"):
        apportion([Candidate(Wei(1), "a"), Candidate(Wei(0), "b")], 10)


@pytest.mark.parametrize("n", [3, 256])
def test_shards_out_of_bounds__unsupported(n: int) -> None:
    with pytest.raises(UnsupportedGeometry):
        apportion([Candidate(Wei(1), "a")], n)


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text())["cases"], ids=lambda case: str(case["name"]))
def test_I11_vectors(case: dict[str, Any]) -> None:
    nodes = [
        Candidate(Wei(int(stake)), str(region)) for stake, region in zip(case["stakes"], case["regions"], strict=True)
    ]
    caps = caps_of(nodes, case["shards"])
    weights = apportion(nodes, case["shards"])
    assert (caps.node, caps.region) == (case["nodeCap"], case["regionCap"])
    assert list(weights) == case["weights"]
    assert bytes(deal(weights)).hex() == case["assignment"].removeprefix("0x")


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[NodeId], list[NodeId], list[int]]:
    """Owners of each shard, some of them nobody, and new members with their weights."""
    n = draw(st.integers(4, 60))
    ids = st.integers(1, 20).map(NodeId)
    owners = draw(st.lists(st.one_of(ids, st.just(NodeId(0))), min_size=n, max_size=n))
    served = Counter(draw(st.lists(ids, min_size=n, max_size=n)))
    return owners, sorted(served), [served[node] for node in sorted(served)]


@given(changes())
def test_I3_reassign__every_member_gets_its_weight(change: tuple[list[NodeId], list[NodeId], list[int]]) -> None:
    owners, members, weights = change
    assignment = reassign(owners, members, weights)
    assert [assignment.count(place) for place in range(len(members))] == weights


@given(changes())
def test_reassign__moves_as_few_shards_as_can_be(change: tuple[list[NodeId], list[NodeId], list[int]]) -> None:
    owners, members, weights = change
    moved = moved_shards(owners, members, reassign(owners, members, weights))
    held, due = Counter(owners), dict(zip(members, weights, strict=True))
    assert len(moved) == sum(max(0, count - due.get(node, 0)) for node, count in held.items())


@given(changes())
def test_reassign__twice__moves_nothing(change: tuple[list[NodeId], list[NodeId], list[int]]) -> None:
    owners, members, weights = change
    assignment = reassign(owners, members, weights)
    again = [members[member] for member in assignment]
    assert reassign(again, members, weights) == assignment
    assert moved_shards(again, members, assignment) == ()


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12))
def test_reassign__given_no_owners__deals(weights: list[int]) -> None:
    members = [NodeId(7 * place + 1) for place in range(len(weights))]
    assert reassign([NodeId(0)] * sum(weights), members, weights) == deal(weights)


def test_reassign__given_a_node_that_joins__takes_shards_from_those_above_their_weight() -> None:
    owners = [NodeId(node) for node in (5, 6, 7, 5, 6, 7)]
    assert reassign(owners, [NodeId(2), NodeId(5), NodeId(6), NodeId(7)], [1, 2, 2, 1]) == (1, 2, 3, 1, 2, 0)


def test_reassign__given_weights_that_do_not_fit__malformed() -> None:
    with pytest.raises(MalformedCommittee, match="2 members with 2 weights are to serve 3 of 4 shards"):
        reassign([NodeId(1)] * 4, [NodeId(1), NodeId(2)], [1, 2])
    with pytest.raises(MalformedCommittee, match="1 members with 2 weights"):
        reassign([NodeId(1)] * 3, [NodeId(1)], [1, 2])


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text())["reassignments"], ids=lambda case: str(case["name"]))
def test_I11_reassignment_vectors(case: dict[str, Any]) -> None:
    owners, members = [NodeId(node) for node in case["owners"]], [NodeId(node) for node in case["nodes"]]
    assignment = reassign(owners, members, case["weights"])
    assert bytes(assignment).hex() == case["assignment"].removeprefix("0x")
    assert sum(1 << shard for shard in moved_shards(owners, members, assignment)) == int(case["moved"])
