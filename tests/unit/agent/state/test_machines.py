"""The pure machines: objects, standings, duties, plans, and going back along the trail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_agent.state.duties import NO_DUTIES, duties_of
from storage_agent.state.facts import (
    Certified,
    CommitteeFormed,
    Deleted,
    Extended,
    Fact,
    Invalidated,
    Located,
    Place,
    Registered,
)
from storage_agent.state.objects import ObjectRecord, Standing, apply_fact, fold_object, standing_of
from storage_agent.state.plan import Holding, WorkKind, plan
from storage_agent.state.trail import AncestorSearch, Cursor, last_object_after, step_back
from storage_agent.store.fact_codec import decode_fact, encode_fact
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.codec.geometry import shard_of_pair
from walrus_chain.errors import Bug, FactsMissing, OtherChain
from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId

BLOB = BlobId(bytes(range(32)))
OBJECT = BlobObjectId(1)
REGISTERED = Registered(OBJECT, BLOB, 1000, Epoch(2), Epoch(5), True)


def test_fold_object__whole_life() -> None:
    record = fold_object([REGISTERED, Certified(OBJECT), Extended(OBJECT, Epoch(9)), Deleted(OBJECT)])
    assert record == ObjectRecord(OBJECT, BLOB, 1000, Epoch(2), Epoch(9), deletable=True, certified=True, deleted=True)


def test_object__live_until_its_end_unless_deleted() -> None:
    record = fold_object([REGISTERED])
    assert [record.is_live(Epoch(epoch)) for epoch in (2, 4, 5)] == [True, True, False]
    assert not replace(record, deleted=True).is_live(Epoch(2))


@pytest.mark.parametrize("fact", [Certified(OBJECT), Extended(OBJECT, Epoch(9)), Deleted(OBJECT)])
def test_apply_fact__before_the_registration__facts_are_missing(fact: Certified | Extended | Deleted) -> None:
    with pytest.raises(FactsMissing, match="object 1"):
        apply_fact(None, fact)


@pytest.mark.parametrize("fact", [REGISTERED, Certified(OBJECT), Deleted(OBJECT)])
def test_apply_fact__after_the_deletion__facts_are_missing(fact: Registered | Certified | Deleted) -> None:
    with pytest.raises(FactsMissing):
        fold_object([REGISTERED, Deleted(OBJECT), fact])


def test_fold_object__nothing__facts_are_missing() -> None:
    with pytest.raises(FactsMissing):
        fold_object([])


def _record(end: int, certified: bool = False, deleted: bool = False) -> ObjectRecord:
    return ObjectRecord(OBJECT, BLOB, 1000, Epoch(1), Epoch(end), True, certified, deleted)


@pytest.mark.parametrize(
    ("objects", "invalid", "expected"),
    [
        ([], False, Standing()),
        ([_record(4), _record(7)], False, Standing(Epoch(7))),
        ([_record(4, certified=True), _record(7)], False, Standing(Epoch(7), Epoch(4))),
        ([_record(9, certified=True, deleted=True), _record(3)], False, Standing(Epoch(3))),
        ([_record(9, certified=True)], True, Standing(invalid=True)),
    ],
)
def test_standing_of__longest_terms_count(objects: list[ObjectRecord], invalid: bool, expected: Standing) -> None:
    assert standing_of(objects, invalid) == expected


CERTIFIED = Standing(Epoch(5), Epoch(5))
REGISTERED_ONLY = Standing(Epoch(5))
FULL, PART, NOTHING = Holding(True, False), Holding(False, False), Holding(False, True)
UNSOUND = Holding(False, False, unsound=True)


@pytest.mark.parametrize(
    ("standing", "epoch", "holding", "settled", "expected"),
    [
        (CERTIFIED, 4, FULL, True, None),
        (CERTIFIED, 4, PART, True, WorkKind.HEAL),
        (CERTIFIED, 4, NOTHING, True, WorkKind.HEAL),
        (CERTIFIED, 4, NOTHING, False, WorkKind.HEAL),
        (CERTIFIED, 4, UNSOUND, True, None),
        (CERTIFIED, 5, UNSOUND, True, WorkKind.FREE),
        (CERTIFIED, 5, FULL, True, WorkKind.FREE),
        (CERTIFIED, 5, FULL, False, None),
        (CERTIFIED, 5, NOTHING, True, None),
        (REGISTERED_ONLY, 4, PART, True, None),
        (REGISTERED_ONLY, 5, PART, True, WorkKind.FREE),
        (Standing(invalid=True), 1, PART, True, WorkKind.FREE),
        (Standing(), 1, NOTHING, True, None),
    ],
)
def test_plan(standing: Standing, epoch: int, holding: Holding, settled: bool, expected: WorkKind | None) -> None:
    assert plan(standing, Epoch(epoch), holding, settled) == expected


def test_duties__pairs_live_on_the_nodes_shards() -> None:
    committee = CommitteeFormed(Epoch(3), (NodeId(4), NodeId(7)), bytes([0, 1, 1, 0, 1]))
    duties = duties_of(committee, NodeId(7))
    assert duties.epoch == 3
    assert duties.own == (1, 2, 4)
    assert {shard_of_pair(BLOB, pair, 5) for pair in duties.pairs(BLOB)} == {1, 2, 4}
    assert list(duties.pairs(BLOB)) == sorted(duties.pairs(BLOB))


def test_duties__stranger_or_no_committee__none() -> None:
    assert duties_of(None, NodeId(1)) == NO_DUTIES
    assert NO_DUTIES.pairs(BLOB) == ()
    assert duties_of(CommitteeFormed(Epoch(3), (NodeId(4),), bytes(5)), NodeId(1)).own == ()


def _trail(count: int) -> list[Cursor]:
    return [
        Cursor(BlockRef(10 * place, b"old%29d" % place, 0), Epoch(1), BlobObjectId(place // 2))
        for place in range(count)
    ]


@given(st.data())
def test_ancestor_search__finds_the_newest_shared_block_in_few_questions(data: st.DataObject) -> None:
    trail = _trail(data.draw(st.integers(2, 200)))
    shared = data.draw(st.integers(1, len(trail) - 1))
    search, questions = AncestorSearch(trail), 0
    while search.probe is not None:
        place = search.probe // 10
        search.answer(trail[place].block.hash if place < shared else b"new")
        questions += 1
    assert search.found == trail[shared - 1]
    assert questions <= len(trail).bit_length()


def test_ancestor_search__not_even_the_anchor__other_chain() -> None:
    search = AncestorSearch(_trail(9))
    while search.probe is not None:
        search.answer(b"new")
    with pytest.raises(OtherChain) as caught:
        _ = search.found
    assert caught.value.block == 0


def test_step_back__before_the_newest_object_then_twice_as_far_each_time() -> None:
    trail = _trail(21)  # objects 0 0 1 1 2 2 ... 9 9 10
    assert [step_back(trail, attempt).block.number for attempt in range(6)] == [190, 180, 160, 120, 40, 0]
    assert step_back(trail[:1], 9) == trail[0]


def _registration(number: int) -> Located:
    return Located(Place(number, 0), replace(REGISTERED, blob_object=BlobObjectId(number)))


def test_last_object_after__counts_on() -> None:
    assert last_object_after(BlobObjectId(0), []) == 0
    facts = [_registration(3), Located(Place(3, 1), Certified(OBJECT)), _registration(4)]
    assert last_object_after(BlobObjectId(2), facts) == 4


@pytest.mark.parametrize("numbers", [[4], [3, 5], [3, 3], [2]])
def test_last_object_after__skipped_or_repeated__facts_are_missing(numbers: list[int]) -> None:
    with pytest.raises(FactsMissing):
        last_object_after(BlobObjectId(2), [_registration(number) for number in numbers])


_numbers = st.integers(0, 2**63)
_blob_ids = st.binary(min_size=32, max_size=32).map(BlobId)
_objects = _numbers.map(BlobObjectId)
_epochs = _numbers.map(Epoch)
_facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Registered, _objects, _blob_ids, _numbers, _epochs, _epochs, st.booleans()),
    st.builds(Certified, _objects),
    st.builds(Extended, _objects, _epochs),
    st.builds(Deleted, _objects),
    st.builds(Invalidated, _blob_ids),
    st.builds(CommitteeFormed, _epochs, st.lists(_numbers.map(NodeId)).map(tuple), st.binary()),
)


@given(_facts)
def test_fact_codec__every_kind_comes_back(fact: Fact) -> None:
    assert decode_fact(*encode_fact(fact)) == fact


def test_fact_codec__unknown_kind__bug() -> None:
    with pytest.raises(Bug):
        decode_fact("Rumour", "{}")
