"""Byte ranges, from the rows that are there and from those that are lost."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.codec.merkle import SliverTree
from walrus_chain.codec.ranges import RowRun, extract, plan_range, rebuild_run, verify_row_run
from walrus_chain.codec.stream import commit_blob
from walrus_chain.errors import CommitmentMismatch, NotEnoughSymbols, RangeOutsideBlob, WrongLength
from walrus_chain.types import Axis, PairIndex

CONTENT = Random(7).randbytes(30_000)
COMMITTED = commit_blob([CONTENT], 10)
METADATA = COMMITTED.metadata
GEOMETRY = METADATA.geometry.segment(0)
assert COMMITTED.encoded is not None
PRIMARY = [bytes(sliver) for sliver in COMMITTED.encoded.primary]


def chunks_of(run: RowRun, place: int) -> bytes:
    """What the holder of primary sliver `place` sends for `run`."""
    return PRIMARY[place][run.first_chunk * 256 : (run.first_chunk + run.chunks) * 256]


@given(ends=st.tuples(st.integers(0, len(CONTENT)), st.integers(0, len(CONTENT))), data=st.data())
@settings(deadline=None)
def test_range__verified_runs_give_the_bytes_whichever_rows_are_lost(
    ends: tuple[int, int], data: st.DataObject
) -> None:
    start, stop = sorted(ends)
    lost = set(data.draw(st.permutations(range(10)))[: data.draw(st.integers(0, 6))])
    left = [place for place in range(10) if place not in lost]
    pieces = []
    for run in plan_range(METADATA.geometry, start, stop):
        asked = [run.row] if run.row in left else [PairIndex(place) for place in left[: GEOMETRY.rows]]
        got = {}
        for place in asked:
            path = SliverTree(PRIMARY[place]).prove_run(run.first_chunk, run.chunks)
            got[place] = chunks_of(run, place)
            verify_row_run(run, place, got[place], path, METADATA.segments[0], GEOMETRY)
        whole = got[run.row] if run.row in got else rebuild_run(run.row, got, GEOMETRY)
        pieces.append(bytes(extract(run, whole)))
    assert b"".join(pieces) == CONTENT[start:stop]


@given(shards=st.integers(4, 255), size=st.integers(0, 5 * SEGMENT_BYTES), data=st.data())
@settings(deadline=None)
def test_plan__covers_the_range_once_in_order_and_fetches_little_more(
    shards: int, size: int, data: st.DataObject
) -> None:
    geometry = Geometry(shards).blob(size)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    position = start
    for run in plan_range(geometry, start, stop):
        segment = geometry.segment(run.segment)
        width = segment.sliver_bytes(Axis.PRIMARY)
        base = run.segment * SEGMENT_BYTES + run.row * width + run.first_chunk * 256
        assert base + run.start == position
        assert 0 <= run.start < 256
        fetched = segment.chunk_bytes(Axis.PRIMARY, run.first_chunk, run.chunks)
        assert run.start < run.stop <= fetched < run.stop + 256
        assert run.row < segment.rows
        position += run.stop - run.start
    assert position == stop


def test_plan__across_the_border_of_two_segments() -> None:
    geometry = Geometry(10).blob(2 * SEGMENT_BYTES)
    before, after = plan_range(geometry, SEGMENT_BYTES - 1, SEGMENT_BYTES + 1)
    assert (before.segment, before.row, before.stop - before.start) == (0, 3, 1)
    assert (after.segment, after.row, after.first_chunk, after.start, after.stop) == (1, 0, 0, 0, 1)


def test_plan__nothing_asked__nothing_to_fetch() -> None:
    assert plan_range(Geometry(10).blob(0), 0, 0) == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (5, 4), (0, 101), (101, 101)])
def test_plan__range_outside_the_blob__raises(start: int, stop: int) -> None:
    with pytest.raises(RangeOutsideBlob, match="in a blob of 100 bytes"):
        plan_range(Geometry(10).blob(100), start, stop)


def test_verify_row_run__wrong_bytes_or_length__are_refused() -> None:
    [run] = plan_range(METADATA.geometry, 300, 900)
    path = SliverTree(PRIMARY[0]).prove_run(run.first_chunk, run.chunks)
    good = chunks_of(run, 0)
    verify_row_run(run, PairIndex(0), good, path, METADATA.segments[0], GEOMETRY)
    with pytest.raises(CommitmentMismatch):
        verify_row_run(run, PairIndex(1), good, path, METADATA.segments[0], GEOMETRY)
    with pytest.raises(CommitmentMismatch):
        verify_row_run(run, PairIndex(0), good[:-1] + b"\0", path, METADATA.segments[0], GEOMETRY)
    with pytest.raises(WrongLength):
        verify_row_run(run, PairIndex(0), good[:-1], path, METADATA.segments[0], GEOMETRY)


def test_rebuild_run__too_few_or_unequal_runs__raise() -> None:
    with pytest.raises(NotEnoughSymbols) as caught:
        rebuild_run(PairIndex(0), {PairIndex(place): bytes(256) for place in (1, 2, 3)}, GEOMETRY)
    assert (caught.value.have, caught.value.needed) == (3, 4)
    uneven = {PairIndex(place): bytes(256 if place < 4 else 248) for place in (1, 2, 3, 4)}
    with pytest.raises(WrongLength):
        rebuild_run(PairIndex(0), uneven, GEOMETRY)
