"""Sizes and places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.codec.geometry import (
    CHUNK_BYTES,
    MAX_BLOB_BYTES,
    SEGMENT_BYTES,
    Geometry,
    pair_on_shard,
    shard_of_pair,
)
from walrus_chain.errors import RangeOutsideBlob, UnsupportedGeometry
from walrus_chain.types import Axis, BlobId, PairIndex, ShardIndex

shard_counts = st.integers(4, 255)
lengths = st.integers(0, 20_000) | st.integers(0, SEGMENT_BYTES)


def test_geometry__vectors(vectors: Callable[[str, str], list[dict[str, Any]]]) -> None:
    for case in vectors("geometry", "cases"):
        geometry = Geometry(case["shards"])
        blob = geometry.blob(case["size"])
        last = blob.segment(blob.segments - 1)
        assert {
            "shards": geometry.shards,
            "size": blob.size,
            "faults": geometry.faults,
            "rows": geometry.rows,
            "columns": geometry.columns,
            "quorum": geometry.quorum,
            "segments": blob.segments,
            "symbolBytes": blob.segment(0).symbol_bytes,
            "lastSymbolBytes": last.symbol_bytes,
            "primaryChunks": last.chunks(Axis.PRIMARY),
            "secondaryChunks": last.chunks(Axis.SECONDARY),
            "encodedBytes": blob.encoded_bytes,
        } == case


@given(shards=shard_counts)
def test_geometry__quorums_overlap_in_an_honest_shard(shards: int) -> None:
    geometry = Geometry(shards)
    assert 3 * geometry.faults < shards <= 3 * geometry.faults + 3
    assert 2 * geometry.quorum - shards >= geometry.faults + 1
    # What an honest part of a quorum holds is enough to decode: one axis needs no more than that.
    assert geometry.quorum - geometry.faults >= geometry.rows
    assert geometry.needed(Axis.PRIMARY) + geometry.faults == geometry.needed(Axis.SECONDARY)


@given(shards=shard_counts, length=lengths)
def test_symbol_bytes__least_multiple_of_eight_that_fits(shards: int, length: int) -> None:
    segment = Geometry(shards).segment(length)
    cells, symbol = segment.rows * segment.columns, segment.symbol_bytes
    assert symbol % 8 == 0
    assert symbol >= 8
    assert cells * symbol >= length
    assert symbol == 8 or cells * (symbol - 8) < length


@given(shards=shard_counts, length=lengths, axis=st.sampled_from(Axis))
def test_sliver_bytes__chunks_cover_a_sliver_exactly(shards: int, length: int, axis: Axis) -> None:
    segment = Geometry(shards).segment(length)
    chunks = segment.chunks(axis)
    assert sum(segment.chunk_bytes(axis, chunk, 1) for chunk in {0, chunks - 1}) <= segment.sliver_bytes(axis)
    assert segment.chunk_bytes(axis, 0, chunks) == segment.sliver_bytes(axis)
    assert 0 < segment.chunk_bytes(axis, chunks - 1, 1) <= CHUNK_BYTES
    assert segment.chunk_bytes(axis, chunks, 1) == 0
    assert segment.encoded_bytes == shards * sum(segment.sliver_bytes(axis) for axis in Axis)


@pytest.mark.parametrize(
    ("size", "segments", "last"),
    [
        (0, 1, 0),
        (1, 1, 1),
        (SEGMENT_BYTES, 1, SEGMENT_BYTES),
        (SEGMENT_BYTES + 1, 2, 1),
        (2 * SEGMENT_BYTES, 2, SEGMENT_BYTES),
    ],
)
def test_blob__segments_at_the_borders(size: int, segments: int, last: int) -> None:
    blob = Geometry(10).blob(size)
    assert blob.segments == segments
    assert blob.segment(segments - 1).length == last
    assert sum(blob.segment(index).length for index in range(segments)) == size
    assert blob.encoded_bytes == sum(blob.segment(index).encoded_bytes + 640 for index in range(segments))


@given(digest=st.binary(min_size=32, max_size=32), shards=shard_counts)
def test_places__pairs_and_shards_map_one_to_one(digest: bytes, shards: int) -> None:
    blob_id = BlobId(digest)
    pairs = [pair_on_shard(blob_id, ShardIndex(shard), shards) for shard in range(shards)]
    assert sorted(pairs) == list(range(shards))
    assert [shard_of_pair(blob_id, pair, shards) for pair in pairs] == list(range(shards))
    assert shard_of_pair(blob_id, PairIndex(0), shards) == int(blob_id) % shards


@pytest.mark.parametrize("shards", [-1, 0, 3, 256])
def test_geometry__outside_4_to_255__raises(shards: int) -> None:
    with pytest.raises(UnsupportedGeometry, match=f"{shards} shards; the encoding takes 4 to 255"):
        Geometry(shards)


@pytest.mark.parametrize("length", [-1, SEGMENT_BYTES + 1])
def test_segment__impossible_length__raises(length: int) -> None:
    with pytest.raises(UnsupportedGeometry, match=str(length)):
        Geometry(4).segment(length)


@pytest.mark.parametrize("size", [-1, MAX_BLOB_BYTES + 1])
def test_blob__size_outside_64_bits__raises(size: int) -> None:
    with pytest.raises(UnsupportedGeometry, match="2\\*\\*64"):
        Geometry(4).blob(size)


def test_blob__segment_or_byte_it_does_not_have__raises() -> None:
    blob = Geometry(4).blob(SEGMENT_BYTES + 5)
    assert blob.segment_of(SEGMENT_BYTES - 1) == 0
    assert blob.segment_of(SEGMENT_BYTES + 4) == 1
    for index in (-1, 2):
        with pytest.raises(RangeOutsideBlob, match="of 2 segments"):
            blob.segment(index)
    for offset in (-1, SEGMENT_BYTES + 5):
        with pytest.raises(RangeOutsideBlob, match=f"byte {offset}"):
            blob.segment_of(offset)
