"""One segment: encode, lose, decode, heal."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.erasure import erasure_code
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry, SegmentGeometry
from walrus_chain.codec.merkle import sliver_root
from walrus_chain.codec.redstuff import (
    EncodedSegment,
    decode_segment,
    encode_segment,
    rebuild_sliver,
    recover_sliver,
    recovery_symbol,
)
from walrus_chain.errors import NotEnoughSlivers, NotEnoughSymbols, UnsupportedGeometry, WrongLength
from walrus_chain.types import Axis, PairIndex

axes = st.sampled_from(Axis)
codec_settings = settings(deadline=None, max_examples=50)


@st.composite
def segments(draw: st.DrawFn, most_shards: int = 255) -> tuple[bytes, EncodedSegment]:
    """A segment and its encoding; often just around a size where symbols grow."""
    shards = draw(st.integers(4, min(40, most_shards)) | st.integers(4, most_shards))
    geometry = Geometry(shards)
    cells = 8 * geometry.rows * geometry.columns
    border = st.builds(lambda words, off: max(0, words * cells + off), st.integers(0, 3), st.integers(-1, 1))
    length = draw(st.integers(0, 2000) | border)
    data = Random(draw(st.integers(0, 2**32))).randbytes(length)
    return data, encode_segment(data, shards)


def some_places(data: st.DataObject, shards: int, count: int) -> list[PairIndex]:
    """`count` different places, any of them equally likely."""
    return [PairIndex(place) for place in data.draw(st.permutations(range(shards)))[:count]]


@given(segment=segments())
@codec_settings
def test_encode__sizes_and_systematic_slivers(segment: tuple[bytes, EncodedSegment]) -> None:
    data, encoded = segment
    geometry = encoded.geometry
    for axis in Axis:
        slivers = [encoded.sliver(axis, PairIndex(pair)) for pair in range(geometry.shards)]
        assert {len(sliver) for sliver in slivers} == {geometry.sliver_bytes(axis)}
    rows = b"".join(encoded.primary[: geometry.rows])
    assert rows == data.ljust(geometry.rows * geometry.sliver_bytes(Axis.PRIMARY), b"\0")
    assert len(encoded.pair(PairIndex(3))) == geometry.pair_bytes


@given(segment=segments(most_shards=60))
@codec_settings
def test_encode__both_orders_of_extension_give_the_same_matrix(segment: tuple[bytes, EncodedSegment]) -> None:
    _, encoded = segment
    geometry, symbol = encoded.geometry, encoded.geometry.symbol_bytes

    def extended(slivers: list[memoryview], needed: int) -> list[list[bytes]]:
        code, width = erasure_code(needed, geometry.shards), len(slivers[0])
        cut = [[sliver[start : start + symbol] for start in range(0, width, symbol)] for sliver in slivers]
        return [[bytes(cell) for cell in [*cells, *code.extend(cells)]] for cells in cut]

    rows_last = extended(list(encoded.primary), geometry.columns)
    columns_last = extended(list(encoded.secondary), geometry.rows)
    assert rows_last == [list(row) for row in zip(*columns_last, strict=True)]


@given(segment=segments(), axis=axes, data=st.data())
@codec_settings
def test_decode__any_needed_slivers_of_one_axis(
    segment: tuple[bytes, EncodedSegment], axis: Axis, data: st.DataObject
) -> None:
    content, encoded = segment
    geometry = encoded.geometry
    count = data.draw(st.integers(geometry.needed(axis), geometry.shards))
    places = some_places(data, geometry.shards, count)
    assert decode_segment({place: encoded.sliver(axis, place) for place in places}, axis, geometry) == content


@given(segment=segments(), data=st.data())
@codec_settings
def test_i5_decode__whichever_f_shards_are_lost(segment: tuple[bytes, EncodedSegment], data: st.DataObject) -> None:
    content, encoded = segment
    geometry = encoded.geometry
    left = some_places(data, geometry.shards, geometry.geometry.quorum)
    for axis in Axis:
        assert decode_segment({place: encoded.sliver(axis, place) for place in left}, axis, geometry) == content


@given(segment=segments(), axis=axes, data=st.data())
@codec_settings
def test_recover__every_kind_of_sliver_from_any_symbols(
    segment: tuple[bytes, EncodedSegment], axis: Axis, data: st.DataObject
) -> None:
    _, encoded = segment
    geometry = encoded.geometry
    target = PairIndex(data.draw(st.integers(0, geometry.shards - 1)))
    places = some_places(data, geometry.shards, geometry.symbols(axis))
    symbols = {
        place: recovery_symbol(encoded.sliver(axis.other, place), axis.other, target, geometry) for place in places
    }
    assert {len(symbol) for symbol in symbols.values()} == {geometry.symbol_bytes}
    assert recover_sliver(axis, target, symbols, geometry) == encoded.sliver(axis, target)


@given(segment=segments(), axis=axes, data=st.data())
@codec_settings
def test_rebuild__sliver_from_slivers_of_its_own_axis(
    segment: tuple[bytes, EncodedSegment], axis: Axis, data: st.DataObject
) -> None:
    _, encoded = segment
    geometry = encoded.geometry
    target = PairIndex(data.draw(st.integers(0, geometry.shards - 1)))
    places = [place for place in some_places(data, geometry.shards, geometry.shards) if place != target]
    slivers = {place: encoded.sliver(axis, place) for place in places[: geometry.needed(axis)]}
    assert rebuild_sliver(axis, target, slivers, geometry) == encoded.sliver(axis, target)


@pytest.mark.parametrize("shards", [4, 5, 6, 31, 100, 254, 255])
@pytest.mark.parametrize("axis", list(Axis))
def test_decode__only_extended_slivers(shards: int, axis: Axis) -> None:
    content = Random(shards).randbytes(50_000)
    encoded = encode_segment(content, shards)
    last = range(shards - encoded.geometry.needed(axis), shards)
    slivers = {PairIndex(place): encoded.sliver(axis, PairIndex(place)) for place in last}
    assert decode_segment(slivers, axis, encoded.geometry) == content


def test_encode__a_whole_segment_of_32_mib() -> None:
    content = Random(1).randbytes(SEGMENT_BYTES)
    encoded = encode_segment(content, 10)
    geometry = encoded.geometry
    for axis in Axis:
        last = range(10 - geometry.needed(axis), 10)
        slivers = {PairIndex(place): encoded.sliver(axis, PairIndex(place)) for place in last}
        assert decode_segment(slivers, axis, geometry) == content


def test_encode__does_not_touch_or_keep_a_caller_s_changes_visible_in_pairs() -> None:
    content = bytearray(b"walrus" * 100)
    encoded = encode_segment(content, 4)
    before = encoded.pair(PairIndex(0))
    content[:6] = b"WALRUS"
    assert before[:6] == b"walrus"


def test_recover__vectors(vectors: Callable[[str, str], list[dict[str, Any]]]) -> None:
    for case in vectors("recover", "cases"):
        geometry = Geometry(case["shards"]).segment(case["size"])
        axis = Axis.SECONDARY if case["secondary"] else Axis.PRIMARY
        pair = PairIndex(case["pair"])
        encoded = encode_segment(case["content"], case["shards"])
        assert encoded.sliver(axis, pair) == bytes.fromhex(case["sliver"][2:])
        symbols = {
            PairIndex(place): bytes.fromhex(symbol[2:])
            for place, symbol in zip(case["places"], case["symbols"], strict=True)
        }
        for place, symbol in symbols.items():
            assert recovery_symbol(encoded.sliver(axis.other, place), axis.other, pair, geometry) == symbol
        recovered = recover_sliver(axis, pair, symbols, geometry)
        assert recovered == bytes.fromhex(case["sliver"][2:])
        assert sliver_root(recovered) == bytes.fromhex(case["root"][2:])


@pytest.fixture
def geometry() -> SegmentGeometry:
    """Ten shards: four rows, seven columns; 1,000 bytes."""
    return Geometry(10).segment(1000)


@pytest.mark.parametrize("axis", list(Axis))
def test_decode__one_sliver_short__raises_with_numbers(axis: Axis, geometry: SegmentGeometry) -> None:
    needed = geometry.needed(axis)
    slivers = {PairIndex(place): bytes(geometry.sliver_bytes(axis)) for place in range(needed - 1)}
    calls: list[Callable[[], bytes]] = [
        lambda: decode_segment(slivers, axis, geometry),
        lambda: rebuild_sliver(axis, PairIndex(9), slivers, geometry),
    ]
    for call in calls:
        with pytest.raises(NotEnoughSlivers) as caught:
            call()
        assert (caught.value.have, caught.value.needed) == (needed - 1, needed)


@pytest.mark.parametrize("axis", list(Axis))
def test_recover__one_symbol_short__raises_with_numbers(axis: Axis, geometry: SegmentGeometry) -> None:
    needed = geometry.symbols(axis)
    symbols = {PairIndex(place): bytes(geometry.symbol_bytes) for place in range(needed - 1)}
    with pytest.raises(NotEnoughSymbols) as caught:
        recover_sliver(axis, PairIndex(0), symbols, geometry)
    assert (caught.value.have, caught.value.needed) == (needed - 1, needed)


@pytest.mark.parametrize("axis", list(Axis))
@pytest.mark.parametrize("off", [-1, 1])
def test_wrong_length__is_told_with_numbers(axis: Axis, off: int, geometry: SegmentGeometry) -> None:
    due = geometry.sliver_bytes(axis)
    slivers = {PairIndex(place): bytes(due) for place in range(9)} | {PairIndex(9): bytes(due + off)}
    symbols = {PairIndex(place): bytes(geometry.symbol_bytes + off) for place in range(7)}
    calls: list[tuple[int, Callable[[], bytes]]] = [
        (due, lambda: decode_segment(slivers, axis, geometry)),
        (due, lambda: rebuild_sliver(axis, PairIndex(0), slivers, geometry)),
        (due, lambda: recovery_symbol(bytes(due + off), axis, PairIndex(9), geometry)),
        (geometry.symbol_bytes, lambda: recover_sliver(axis, PairIndex(0), symbols, geometry)),
    ]
    for expected, call in calls:
        with pytest.raises(WrongLength) as caught:
            call()
        assert (caught.value.expected, caught.value.actual) == (expected, expected + off)


def test_encode__more_than_a_segment__raises() -> None:
    with pytest.raises(UnsupportedGeometry):
        encode_segment(bytes(SEGMENT_BYTES + 1), 10)
