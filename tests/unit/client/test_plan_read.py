"""Which slivers are asked for, as a pure machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.client.plan_read import (
    Fetch,
    PartOfSegment,
    Quota,
    SegmentPlan,
    WholeSegment,
    others_for_run,
    plan_blob,
)
from walrus_chain.client.reputation import Standing
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.errors import RangeOutsideBlob
from walrus_chain.types import Axis, PairIndex

GEOMETRY = Geometry(10).segment(1000)  # 4 rows, 7 columns
HOLDERS = [(pair % 5,) for pair in range(10)]


def good(_: int) -> Standing:
    return Standing.GOOD


def pairs(fetches: list[Fetch]) -> list[int]:
    return [fetch.pair for fetch in fetches]


def test_start__all_good__asks_the_systematic_primaries() -> None:
    plan = SegmentPlan(GEOMETRY, HOLDERS, good)
    fetches = plan.next()
    assert [(fetch.axis, fetch.pair) for fetch in fetches] == [(Axis.PRIMARY, pair) for pair in range(4)]
    assert [fetch.member for fetch in fetches] == [0, 1, 2, 3]
    assert plan.next() == []


@pytest.mark.parametrize("standing", [Standing.SLOW, Standing.FAILING, Standing.LYING])
def test_start__member_in_bad_standing__is_replaced_by_parity(standing: Standing) -> None:
    plan = SegmentPlan(GEOMETRY, HOLDERS, lambda member: standing if member == 1 else Standing.GOOD)
    assert pairs(plan.next()) == [0, 2, 3, 4]


def test_failed__one__is_replaced_by_the_next_best() -> None:
    plan = SegmentPlan(GEOMETRY, HOLDERS, good)
    first = plan.next()
    plan.failed(first[2])
    assert pairs(plan.next()) == [4]


def test_overtake__one__asks_another_and_still_counts_the_first() -> None:
    plan = SegmentPlan(GEOMETRY, HOLDERS, good)
    first = plan.next()
    plan.overtake(first[0])
    [extra] = plan.next()
    for fetch in first:
        plan.arrived(fetch)
    assert plan.complete
    assert extra.pair == 4


def test_primaries_hopeless__turns_to_secondaries() -> None:
    plan = SegmentPlan(GEOMETRY, HOLDERS, good)
    failed = 0
    while (fetches := plan.next())[0].axis is Axis.PRIMARY:
        plan.failed(fetches[0])
        failed += 1
        for fetch in fetches[1:]:
            plan.arrived(fetch) if fetch.pair in (1, 2, 3) else plan.failed(fetch)
            failed += fetch.pair not in (1, 2, 3)
    assert failed == 7
    assert [(fetch.axis, fetch.pair) for fetch in fetches] == [(Axis.SECONDARY, pair) for pair in range(7)]
    assert not plan.hopeless


def test_held__slivers_of_an_earlier_round__are_not_asked_again() -> None:
    held = {(Axis.PRIMARY, PairIndex(0)), (Axis.PRIMARY, PairIndex(9))}
    plan = SegmentPlan(GEOMETRY, HOLDERS, good, held)
    assert pairs(plan.next()) == [1, 2]


@given(
    shards=st.integers(4, 60),
    outcome=st.lists(st.sampled_from(["arrive", "fail", "overtake"]), min_size=400, max_size=400),
)
def test_any_order_of_events__never_asks_twice_and_ends_complete_or_hopeless(shards: int, outcome: list[str]) -> None:
    geometry = Geometry(shards).segment(5000)
    plan = SegmentPlan(geometry, [(pair % 3,) for pair in range(shards)], good)
    asked: set[Fetch] = set()
    under_way: list[Fetch] = []
    for event in outcome:
        for fetch in plan.next():
            assert fetch not in asked
            asked.add(fetch)
            under_way.append(fetch)
        if plan.complete or not under_way:
            break
        fetch = under_way[0]
        if event == "overtake":
            plan.overtake(fetch)
            under_way.append(under_way.pop(0))
        elif event == "arrive":
            plan.arrived(under_way.pop(0))
        else:
            plan.failed(under_way.pop(0))
    else:
        return
    assert plan.complete or plan.hopeless


@given(
    shards=st.integers(4, 40),
    moving=st.sets(st.integers(0, 39)),
    outcome=st.lists(st.sampled_from(["arrive", "fail", "overtake"]), min_size=400, max_size=400),
)
def test_any_order_of_events__shards_on_their_way__needs_different_slivers(
    shards: int, moving: set[int], outcome: list[str]
) -> None:
    geometry = Geometry(shards).segment(5000)
    holders = [(pair % 3, 3) if pair in moving else (pair % 3,) for pair in range(shards)]
    plan = SegmentPlan(geometry, holders, good)
    asked: set[Fetch] = set()
    arrived: set[tuple[Axis, PairIndex]] = set()
    under_way: list[Fetch] = []
    for event in outcome:
        for fetch in plan.next():
            assert fetch not in asked
            assert fetch.place not in arrived
            asked.add(fetch)
            under_way.append(fetch)
        if plan.complete or not under_way:
            break
        fetch = under_way.pop(0)
        if event == "overtake":
            plan.overtake(fetch)
            under_way.append(fetch)
        elif event == "arrive":
            plan.arrived(fetch)
            arrived.add(fetch.place)
        else:
            plan.failed(fetch)
    else:
        return
    have = {axis: sum(place[0] is axis for place in arrived) for axis in Axis}
    assert plan.complete == any(have[axis] >= geometry.needed(axis) for axis in Axis)
    assert plan.complete or plan.hopeless


def test_shard_on_its_way__new_node_has_it_not__old_one_is_asked_before_parity() -> None:
    plan = SegmentPlan(GEOMETRY, [(0, 4), *HOLDERS[1:]], good)
    first = plan.next()
    assert [fetch.member for fetch in first] == [0, 1, 2, 3]
    plan.failed(first[0])
    assert plan.next() == [Fetch(Axis.PRIMARY, PairIndex(0), 4)]


def test_shard_on_its_way__old_node_in_bad_standing__parity_comes_before_it() -> None:
    plan = SegmentPlan(
        GEOMETRY, [(0, 7), *HOLDERS[1:]], lambda member: Standing.LYING if member == 7 else Standing.GOOD
    )
    plan.failed(plan.next()[0])
    assert pairs(plan.next()) == [4]


def test_quota__same_sliver_from_two__counts_once() -> None:
    quota = Quota(2, [Fetch(Axis.PRIMARY, PairIndex(0), member) for member in range(2)])
    [first] = quota.next()
    assert quota.hopeless
    quota.overtake(first)
    [second] = quota.next()
    quota.arrived(second)
    quota.arrived(first)
    assert (quota.have, quota.complete) == (1, False)


def test_quota__nobody_left__is_hopeless() -> None:
    quota = Quota(2, [Fetch(Axis.PRIMARY, PairIndex(pair), 0) for pair in range(2)])
    first, second = quota.next()
    quota.arrived(first)
    before = quota.hopeless
    quota.failed(second)
    assert (before, quota.hopeless, quota.have) == (False, True, 1)


def test_others_for_run__any_rows_but_the_lost_one() -> None:
    quota = others_for_run(PairIndex(2), GEOMETRY, HOLDERS, good)
    assert pairs(quota.next()) == [0, 1, 3, 4]


BLOB = Geometry(10).blob(3 * SEGMENT_BYTES + 5)


def test_plan_blob__whole__reads_every_segment_whole() -> None:
    steps = plan_blob(BLOB, 0, BLOB.size)
    assert [(type(step), step.start, step.stop) for step in steps] == [
        (WholeSegment, 0, SEGMENT_BYTES),
        (WholeSegment, 0, SEGMENT_BYTES),
        (WholeSegment, 0, SEGMENT_BYTES),
        (WholeSegment, 0, 5),
    ]


def test_plan_blob__small_range_over_a_border__reads_two_parts() -> None:
    steps = plan_blob(BLOB, SEGMENT_BYTES - 10, SEGMENT_BYTES + 10)
    assert [(type(step), step.segment, step.start, step.stop) for step in steps] == [
        (PartOfSegment, 0, SEGMENT_BYTES - 10, SEGMENT_BYTES),
        (PartOfSegment, 1, 0, 10),
    ]


def test_plan_blob__strict__never_reads_parts() -> None:
    [step] = plan_blob(BLOB, 5, 6, only_whole=True)
    assert isinstance(step, WholeSegment)


def test_plan_blob__more_than_half__reads_the_segment_whole() -> None:
    [step] = plan_blob(BLOB, 0, SEGMENT_BYTES // 2 + 1)
    assert isinstance(step, WholeSegment)


def test_plan_blob__empty_range__reads_nothing() -> None:
    assert plan_blob(BLOB, 7, 7) == []


def test_plan_blob__outside__is_refused() -> None:
    with pytest.raises(RangeOutsideBlob):
        plan_blob(BLOB, 0, BLOB.size + 1)
