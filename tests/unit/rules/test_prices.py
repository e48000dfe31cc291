"""Votes for prices: what a quorum is content with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.codec.geometry import Geometry
from walrus_chain.errors import NoQuorum
from walrus_chain.rules.prices import PriceVote, tally
from walrus_chain.types import Wei

VECTORS = Path(__file__).parents[2] / "vectors" / "prices.json"
MAXIMUM = Wei(10**21)
prices = st.integers(0, MAXIMUM).map(Wei)
votes = st.lists(st.builds(PriceVote, st.integers(1, 30), st.one_of(st.none(), prices)), min_size=1, max_size=30)


def vote(weight: int, price: int | None) -> PriceVote:
    return PriceVote(weight, None if price is None else Wei(price))


def test_I11_shared_vectors_hold() -> None:
    cases = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 40
    for case in cases:
        for present, wanted, result in (
            ("unitPrice", "unitPrices", "nextUnitPrice"),
            ("writeFee", "writeFees", "nextWriteFee"),
        ):
            cast = [
                vote(weight, int(price) if case["voters"] >> member & 1 else None)
                for member, (weight, price) in enumerate(zip(case["weights"], case[wanted], strict=True))
            ]
            assert tally(cast, Geometry(case["shards"]).quorum, Wei(int(case[present])), MAXIMUM) == int(case[result])


def test_the_lowest_price_wins_with_which_a_quorum_is_content() -> None:
    assert tally([vote(3, 110), vote(3, 90), vote(1, 100), vote(3, 120)], 7, Wei(100), MAXIMUM) == 110


def test_one_shard_less_than_a_quorum_is_not_enough() -> None:
    assert tally([vote(6, 90), vote(4, 120)], 7, Wei(100), MAXIMUM) == 120


def test_who_never_voted_is_content_with_the_present_price() -> None:
    assert tally([vote(3, 150), vote(7, None)], 7, Wei(100), MAXIMUM) == 100


@pytest.mark.parametrize(
    ("wanted", "present", "result"),
    [(10**9, 100, 201), (0, 101, 50), (5, 0, 1), (0, 0, 0), (10**22, 10**21, 10**21)],
)
def test_a_price_moves_to_half_or_twice_and_one_at_most(wanted: int, present: int, result: int) -> None:
    assert tally([vote(10, wanted)], 7, Wei(present), MAXIMUM) == result


def test_votes_without_a_quorum__refused() -> None:
    with pytest.raises(NoQuorum, match="these votes hold 6 shards; 7 decide") as caught:
        tally([vote(6, 1)], 7, Wei(1), MAXIMUM)
    assert (caught.value.required, caught.value.shards) == (7, 6)


@given(votes, prices, st.data())
def test_members_below_a_blocking_minority_move_nothing_beyond_others_votes(
    cast: list[PriceVote], present: Wei, data: st.DataObject
) -> None:
    shards = sum(vote.weight for vote in cast)
    quorum = shards - (shards - 1) // 3
    price = tally(cast, quorum, present, MAXIMUM)
    within = sorted(vote.price if vote.price is not None else present for vote in cast)
    assert min(max(within[0], present // 2), 2 * present + 1) <= price
    assert price <= min(max(within[-1], present // 2), 2 * present + 1, MAXIMUM)
    shuffled = data.draw(st.permutations(cast), label="another order")
    assert tally(shuffled, quorum, present, MAXIMUM) == price
