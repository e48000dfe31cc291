"""What a node is asked for: places follow from the seed alone, weigh bytes alike, and misses cost what they should."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.codec.geometry import BlobGeometry, Geometry, pair_on_shard
from walrus_chain.errors import MissReportedBefore, NoShardDue
from walrus_chain.rules.custody import (
    SIZE_CLASSES,
    Consequence,
    Entry,
    Misses,
    MissRule,
    Window,
    chunk_at,
    pair_chunks,
    size_class,
)
from walrus_chain.types import Axis, BlobId, Epoch, NodeId, ShardIndex

VECTORS = Path(__file__).parents[2] / "vectors" / "custody.json"
EPOCH = Epoch(5)
KIB, MIB = 2**10, 2**20
RULE = MissRule(first_slash_bps=100, maximum_slash_bps=1600, misses_to_jail=3, jail_epochs=14)


def entry(number: int, size: int, until: int = EPOCH + 1) -> Entry:
    return Entry(BlobId(number.to_bytes(32, "big")), size, Epoch(until))


def window(*entries: Entry, seed: int = 1, shards: int = 10, late: int = 0) -> Window:
    """A window over `entries`, of which the last `late` entered after it was opened."""
    classes: list[list[Entry]] = [[] for _ in range(SIZE_CLASSES)]
    for each in entries:
        classes[size_class(each.size)].append(each)
    early = entries[: len(entries) - late]
    lengths = [sum(size_class(each.size) == number for each in early) for number in range(SIZE_CLASSES)]
    return Window(shards, EPOCH, seed.to_bytes(32, "big"), classes, lengths)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, 0), (4096, 0), (8191, 0), (8192, 1), (16_383, 1), (16_384, 2), (MIB, 8), (2**40 - 1, 27), (2**64 - 1, 31)],
)
def test_size_class__is_the_power_of_two_below_the_size(size: int, expected: int) -> None:
    assert size_class(size) == expected


@given(st.integers(4, 255), st.integers(0, 70 * MIB), st.data())
def test_chunk_at__counts_every_chunk_once_in_order(shards: int, size: int, data: st.DataObject) -> None:
    blob = Geometry(shards).blob(size)
    number = data.draw(st.integers(0, pair_chunks(blob) - 1), label="number")
    segment, axis, chunk = chunk_at(blob, number)
    before = sum(blob.segment(each).chunks(side) for each in range(segment) for side in Axis)
    if axis is Axis.SECONDARY:
        before += blob.segment(segment).chunks(Axis.PRIMARY)
    assert 0 <= chunk < blob.segment(segment).chunks(axis)
    assert before + chunk == number


def test_pair_chunks__of_two_segments__counts_the_short_one() -> None:
    blob = BlobGeometry(Geometry(30), 32 * MIB + 1)
    assert pair_chunks(blob) == sum(blob.segment(each).chunks(axis) for each in (0, 1) for axis in Axis)


@given(st.integers(0, 2**32), st.integers(1, 2**32 - 1), st.sets(st.integers(0, 9), min_size=1))
def test_samples__are_places_on_the_nodes_own_shards(seed: int, node: int, shards: set[int]) -> None:
    due = [ShardIndex(shard) for shard in sorted(shards)]
    asked = window(entry(1, 5 * KIB), entry(2, 900 * KIB), entry(3, 40 * MIB), seed=seed)
    for sample in asked.samples(NodeId(node), due, 5):
        assert sample is not None
        assert sample.shard in due
        assert sample.place.pair == pair_on_shard(sample.entry.blob_id, sample.shard, 10)
        segment = Geometry(10).blob(sample.entry.size).segment(sample.place.segment)
        assert sample.place.chunk < segment.chunks(sample.place.axis)


def test_samples__weigh_objects_by_the_power_of_two_below_their_size() -> None:
    # Weights 1, 8 and 64, so 8 of 73 draws and so on; 6,000 draws are within five standard deviations.
    asked = window(entry(1, 4 * KIB), entry(2, 32 * KIB), entry(3, 256 * KIB))
    samples = asked.samples(NodeId(1), [ShardIndex(0)], 6000)
    drawn = Counter(int(sample.entry.blob_id) for sample in samples if sample is not None)
    assert drawn[1] == pytest.approx(6000 / 73, abs=45)
    assert drawn[2] == pytest.approx(6000 * 8 / 73, abs=121)
    assert drawn[3] == pytest.approx(6000 * 64 / 73, abs=127)


def test_samples__of_two_nodes_or_seeds__differ() -> None:
    blob, due = entry(1, 40 * MIB), [ShardIndex(0)]
    first = window(blob).samples(NodeId(1), due, 5)
    assert first != window(blob).samples(NodeId(2), due, 5)
    assert first != window(blob, seed=2).samples(NodeId(1), due, 5)
    assert len(set(first)) == 5


def test_samples__given_objects_that_entered_late__never_ask_for_them() -> None:
    asked = window(entry(1, 64 * KIB), entry(2, 64 * KIB), entry(3, 64 * MIB), late=2)
    samples = asked.samples(NodeId(1), [ShardIndex(0)], 50)
    assert {sample.entry.blob_id for sample in samples if sample is not None} == {entry(1, 0).blob_id}


def test_samples__given_an_object_that_is_over__draw_again() -> None:
    # A draw is void half of the time; four in a row, one in sixteen samples, leave it blank.
    asked = window(entry(1, 64 * KIB, until=EPOCH), entry(2, 64 * KIB))
    samples = asked.samples(NodeId(1), [ShardIndex(0)], 1600)
    assert {sample.entry.blob_id for sample in samples if sample is not None} == {entry(2, 0).blob_id}
    assert samples.count(None) == pytest.approx(100, abs=49)


def test_samples__given_nothing_to_prove__are_blank() -> None:
    assert window().weight == 0
    assert window().samples(NodeId(1), [ShardIndex(0)], 5) == (None,) * 5
    assert window(entry(1, MIB, until=0)).samples(NodeId(1), [ShardIndex(0)], 5) == (None,) * 5


def test_samples__given_no_due_shard__refused() -> None:
    with pytest.raises(NoShardDue, match="node 7 has no shard to prove in epoch 5") as caught:
        window(entry(1, MIB)).samples(NodeId(7), [], 5)
    assert (caught.value.epoch, caught.value.node_id) == (5, 7)


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text())["cases"], ids=lambda case: str(case["name"]))
def test_I11_vectors(case: dict[str, Any]) -> None:
    entries = [
        Entry(BlobId.parse(blob_id), size, Epoch(EPOCH + due))
        for blob_id, size, due in zip(case["blobIds"], case["sizes"], case["dueNow"], strict=True)
    ]
    asked = Window(
        case["shards"],
        EPOCH,
        bytes.fromhex(case["seed"][2:]),
        [[entries[number] for number in members] for members in case["classes"]],
        case["lengths"],
    )
    samples = asked.samples(NodeId(case["nodeId"]), [ShardIndex(shard) for shard in case["due"]], case["count"])
    assert str(asked.weight) == case["weight"]
    assert [int(sample is None) for sample in samples] == case["blank"]
    for number, sample in enumerate(samples):
        if sample is not None:
            place = sample.place
            assert sample.shard == case["sampleShard"][number]
            assert sample.entry == entries[case["sampleBlob"][number]]
            assert (place.pair, place.segment, place.chunk) == tuple(
                case[column][number] for column in ("pair", "segment", "chunk")
            )
            assert (place.axis is Axis.SECONDARY) == bool(case["secondary"][number])


def test_miss__costs_twice_the_one_before_up_to_the_maximum() -> None:
    assert [RULE.slash_bps(row) for row in range(1, 8)] == [100, 200, 400, 800, 1600, 1600, 1600]


def test_misses_in_a_row__jail() -> None:
    misses, found = Misses(), []
    for epoch in (7, 8, 9, 10):
        misses, consequence = RULE.after_miss(misses, Epoch(epoch), Epoch(epoch))
        found.append(consequence)
    assert found == [
        Consequence(100, None),
        Consequence(200, None),
        Consequence(400, Epoch(23)),
        Consequence(800, Epoch(24)),
    ]
    assert (misses.last, misses.row) == (10, 4)


def test_miss_after_a_pass__begins_a_new_row() -> None:
    misses, _ = RULE.after_miss(Misses(), Epoch(7), Epoch(7))
    misses, consequence = RULE.after_miss(misses, Epoch(9), Epoch(9))
    assert consequence == Consequence(100, None)
    assert (misses.last, misses.row) == (9, 1)


def test_misses_reported_in_the_other_order__are_in_a_row_too() -> None:
    misses, _ = RULE.after_miss(Misses(), Epoch(8), Epoch(8))
    misses, consequence = RULE.after_miss(misses, Epoch(7), Epoch(8))
    assert consequence.slash_bps == 200
    misses, consequence = RULE.after_miss(misses, Epoch(9), Epoch(9))
    assert consequence == Consequence(400, Epoch(23))


def test_I7_the_same_miss_twice__refused() -> None:
    misses, _ = RULE.after_miss(Misses(), Epoch(8), Epoch(8))
    misses, _ = RULE.after_miss(misses, Epoch(7), Epoch(8))
    for epoch in (Epoch(8), Epoch(7)):
        with pytest.raises(MissReportedBefore, match=f"the miss of epoch {epoch} was reported already") as caught:
            RULE.after_miss(misses, epoch, Epoch(9))
        assert caught.value.epoch == epoch


def test_the_first_epoch__is_not_in_a_row_with_nothing() -> None:
    _, consequence = RULE.after_miss(Misses(), Epoch(1), Epoch(1))
    assert consequence.slash_bps == 100
