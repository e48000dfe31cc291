"""The pure machines: objects, standings, duties, plans, and going back along the trail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_agent.state.duties import NO_DUTIES, Duties, duties_of, fold_office
from storage_agent.state.facts import (
    Certified,
    CommitteeFact,
    CommitteeFormed,
    Deleted,
    EpochChangeDone,
    EpochChangeStarted,
    Extended,
    Fact,
    Invalidated,
    Located,
    Place,
    Registered,
    ShardsSynced,
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
    record = fold_object([REGISTERED, Certified(OBJECT), Extended(OBJECT, Epoch(9)), Deleted(OBJECT, Epoch(3))])
    assert record == ObjectRecord(OBJECT, BLOB, 1000, Epoch(2), Epoch(9), True, certified=True, deleted_in=Epoch(3))
    assert record.due_until == 4


def test_object__live_until_its_end_unless_deleted() -> None:
    record = fold_object([REGISTERED])
    assert [record.is_live(Epoch(epoch)) for epoch in (2, 4, 5)] == [True, True, False]
    assert not replace(record, deleted_in=Epoch(2)).is_live(Epoch(2))


@pytest.mark.parametrize("fact", [Certified(OBJECT), Extended(OBJECT, Epoch(9)), Deleted(OBJECT, Epoch(3))])
def test_apply_fact__before_the_registration__facts_are_missing(fact: Certified | Extended | Deleted) -> None:
    with pytest.raises(FactsMissing, match="object 1"):
        apply_fact(None, fact)


@pytest.mark.parametrize("fact", [REGISTERED, Certified(OBJECT), Deleted(OBJECT, Epoch(3))])
def test_apply_fact__after_the_deletion__facts_are_missing(fact: Registered | Certified | Deleted) -> None:
    with pytest.raises(FactsMissing):
        fold_object([REGISTERED, Deleted(OBJECT, Epoch(3)), fact])


def test_fold_object__nothing__facts_are_missing() -> None:
    with pytest.raises(FactsMissing):
        fold_object([])


def _record(end: int, certified: bool = False, deleted: int | None = None) -> ObjectRecord:
    deleted_in = None if deleted is None else Epoch(deleted)
    return ObjectRecord(OBJECT, BLOB, 1000, Epoch(1), Epoch(end), True, certified, deleted_in)


@pytest.mark.parametrize(
    ("objects", "invalid", "expected"),
    [
        ([], False, Standing()),
        ([_record(4), _record(7)], False, Standing(Epoch(7), due_until=Epoch(7))),
        ([_record(4, certified=True), _record(7)], False, Standing(Epoch(7), Epoch(4), Epoch(7))),
        ([_record(9, certified=True, deleted=1), _record(3)], False, Standing(Epoch(3), Epoch(2), Epoch(3))),
        ([_record(9, deleted=4)], False, Standing(due_until=Epoch(5))),
        ([_record(9, certified=True)], True, Standing(invalid=True)),
    ],
)
def test_standing_of__longest_terms_count(objects: list[ObjectRecord], invalid: bool, expected: Standing) -> None:
    assert standing_of(objects, invalid) == expected


CERTIFIED = Standing(Epoch(5), Epoch(5), Epoch(5))
REGISTERED_ONLY = Standing(Epoch(5), due_until=Epoch(5))
DELETED = Standing(due_until=Epoch(5))
FULL, PART, NOTHING = Holding(True, False), Holding(False, False), Holding(False, True)
UNSOUND = Holding(False, False, unsound=True)
TOO_MUCH, BOTH = Holding(True, False, surplus=True), Holding(False, False, surplus=True)


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
        (DELETED, 4, PART, True, None),
        (DELETED, 5, PART, True, WorkKind.FREE),
        (CERTIFIED, 4, TOO_MUCH, True, WorkKind.TRIM),
        (CERTIFIED, 4, BOTH, True, WorkKind.HEAL),
        (REGISTERED_ONLY, 4, BOTH, True, WorkKind.TRIM),
        (CERTIFIED, 5, TOO_MUCH, True, WorkKind.FREE),
        (CERTIFIED, 5, TOO_MUCH, False, None),
    ],
)
def test_plan(standing: Standing, epoch: int, holding: Holding, settled: bool, expected: WorkKind | None) -> None:
    assert plan(standing, Epoch(epoch), holding, settled) == expected


def test_duties__pairs_live_on_the_nodes_shards() -> None:
    committee = CommitteeFormed(Epoch(3), (NodeId(4), NodeId(7)), bytes([0, 1, 1, 0, 1]))
    duties = duties_of(fold_office([committee]), NodeId(7))
    assert duties.epoch == 3
    assert duties.own == (1, 2, 4)
    assert {shard_of_pair(BLOB, pair, 5) for pair in duties.pairs(BLOB)} == {1, 2, 4}
    assert list(duties.pairs(BLOB)) == sorted(duties.pairs(BLOB))


def test_duties__stranger_or_no_committee__none() -> None:
    assert duties_of(None, NodeId(1)) == NO_DUTIES
    assert NO_DUTIES.pairs(BLOB) == ()
    assert duties_of(fold_office([CommitteeFormed(Epoch(3), (NodeId(4),), bytes(5))]), NodeId(1)).own == ()


NODES = (NodeId(1), NodeId(2), NodeId(3))
FIRST = CommitteeFormed(Epoch(1), NODES, bytes([0, 1, 2, 0, 1, 2]))
SECOND = CommitteeFormed(Epoch(4), NODES, bytes([0, 0, 2, 0, 1, 1]))  # shard 1 from node 2 to 1, shard 5 from 3 to 2
STARTED = EpochChangeStarted(Epoch(4), Epoch(1), 0b100010)
ARRIVED_1, ARRIVED_5 = ShardsSynced(Epoch(4), NodeId(1), 0b10), ShardsSynced(Epoch(4), NodeId(2), 0b100000)
DONE = EpochChangeDone(Epoch(4))


def _duties(node: int, *facts: CommitteeFact) -> Duties:
    return duties_of(fold_office(facts), NodeId(node))


def test_change__shards_come_and_go__kept_until_they_arrived() -> None:
    before = _duties(2, FIRST)
    assert (before.own, before.keeping, before.syncing, before.changing) == ((1, 4), (), (), False)

    during = _duties(2, FIRST, SECOND, STARTED)
    assert (during.epoch, during.own, during.given) == (4, (4, 5), (1,))
    assert (during.keeping, during.syncing, during.changing) == ((1,), (5,), True)
    assert set(during.kept_pairs(BLOB)) == {*during.pairs(BLOB), *during.given_pairs(BLOB)}

    here = _duties(2, FIRST, SECOND, STARTED, ARRIVED_5)
    assert (here.keeping, here.syncing) == ((1,), ())
    gone = _duties(2, FIRST, SECOND, STARTED, ARRIVED_5, ARRIVED_1)
    assert (gone.given, gone.keeping, gone.kept_pairs(BLOB)) == ((1,), (), gone.pairs(BLOB))


def test_change__done_for_most__what_has_not_arrived_is_kept_still() -> None:
    duties = _duties(2, FIRST, SECOND, STARTED, DONE)
    assert (duties.keeping, duties.syncing, duties.changing) == ((1,), (5,), False)


def test_change__one_of_two_arrived__both_are_kept() -> None:
    third = CommitteeFormed(Epoch(9), (NodeId(1), NodeId(3)), bytes([0, 0, 1, 0, 1, 0]))
    started = EpochChangeStarted(Epoch(9), Epoch(4), 0b110000)  # node 2 left: shard 4 to node 3, shard 5 to node 1
    facts = (FIRST, SECOND, STARTED, third, started, ShardsSynced(Epoch(9), NodeId(3), 0b10000))
    assert _duties(2, *facts).keeping == (4, 5)
    assert _duties(2, *facts, ShardsSynced(Epoch(11), NodeId(1), 0b100000)).kept_pairs(BLOB) == ()


def test_change__the_next_begins__what_was_given_away_before_is_kept_no_longer() -> None:
    third = CommitteeFormed(Epoch(9), NODES, bytes([0, 0, 2, 1, 1, 1]))
    duties = _duties(2, FIRST, SECOND, STARTED, third, EpochChangeStarted(Epoch(9), Epoch(4), 0b1000))
    assert (duties.own, duties.given, duties.keeping, duties.syncing) == ((3, 4, 5), (), (), (3,))


def test_change__beginning_not_told_yet__what_moved_follows_from_the_committees() -> None:
    assert _duties(2, FIRST, SECOND) == _duties(2, FIRST, SECOND, STARTED)


@pytest.mark.parametrize(
    "facts",
    [
        (STARTED,),
        (DONE,),
        (ARRIVED_1,),
        (SECOND, STARTED),
        (FIRST, STARTED),
        (FIRST, SECOND, EpochChangeStarted(Epoch(4), Epoch(2), 0b100010)),
        (FIRST, SECOND, EpochChangeStarted(Epoch(5), Epoch(4), 0b100010)),
    ],
)
def test_change__committee_left_out__facts_are_missing(facts: tuple[CommitteeFact, ...]) -> None:
    with pytest.raises(FactsMissing):
        fold_office(facts)


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
_bitmaps = st.integers(0, 2**256 - 1)
_facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Registered, _objects, _blob_ids, _numbers, _epochs, _epochs, st.booleans()),
    st.builds(Certified, _objects),
    st.builds(Extended, _objects, _epochs),
    st.builds(Deleted, _objects, _epochs),
    st.builds(Invalidated, _blob_ids),
    st.builds(CommitteeFormed, _epochs, st.lists(_numbers.map(NodeId)).map(tuple), st.binary()),
    st.builds(EpochChangeStarted, _epochs, _epochs, _bitmaps),
    st.builds(ShardsSynced, _epochs, _numbers.map(NodeId), _bitmaps),
    st.builds(EpochChangeDone, _epochs),
)


@given(_facts)
def test_fact_codec__every_kind_comes_back(fact: Fact) -> None:
    assert decode_fact(*encode_fact(fact)) == fact


def test_fact_codec__unknown_kind__bug() -> None:
    with pytest.raises(Bug):
        decode_fact("Rumour", "{}")
