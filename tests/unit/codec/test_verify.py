"""What others send is compared with the commitment; and one blob id has one meaning."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.decoder import SegmentDecoder
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.codec.redstuff import EncodedSegment, encode_segment
from walrus_chain.codec.verify import check_decoded, check_strict, split_pair, verify_pair, verify_sliver
from walrus_chain.errors import (
    CommitmentMismatch,
    InconsistentEncoding,
    NotEnoughSlivers,
    RangeOutsideBlob,
    WrongLength,
)
from walrus_chain.types import Axis, PairIndex

SHARDS = 10
CONTENT = bytes(i * 11 & 0xFF for i in range(3000))
ENCODED = encode_segment(CONTENT, SHARDS)
METADATA = BlobMetadata(len(CONTENT), SHARDS, (ENCODED.metadata(),))
SEGMENT, GEOMETRY = METADATA.segments[0], ENCODED.geometry


def mixed(
    rows_of: EncodedSegment, columns_of: EncodedSegment, from_row: int = 0
) -> tuple[EncodedSegment, BlobMetadata]:
    """A blob stored by a liar: its rows from `from_row` on and its columns belong to two different contents."""
    primary = [*columns_of.primary[:from_row], *rows_of.primary[from_row:]]
    encoded = EncodedSegment(rows_of.geometry, primary, columns_of.secondary)
    return encoded, BlobMetadata(rows_of.geometry.length, SHARDS, (encoded.metadata(),))


@given(
    pair=st.integers(0, SHARDS - 1).map(PairIndex), at=st.integers(0, GEOMETRY.pair_bytes - 1), bit=st.integers(0, 7)
)
@settings(deadline=None)
def test_verify_pair__any_changed_bit__is_refused(pair: PairIndex, at: int, bit: int) -> None:
    raw = bytearray(ENCODED.pair(pair))
    verify_pair(raw, pair, SEGMENT, GEOMETRY)
    raw[at] ^= 1 << bit
    axis = "primary" if at < GEOMETRY.sliver_bytes(Axis.PRIMARY) else "secondary"
    with pytest.raises(CommitmentMismatch, match=f"{axis} sliver {pair}"):
        verify_pair(raw, pair, SEGMENT, GEOMETRY)


def test_verify_pair__another_pair__is_refused() -> None:
    with pytest.raises(CommitmentMismatch):
        verify_pair(ENCODED.pair(PairIndex(3)), PairIndex(4), SEGMENT, GEOMETRY)


@pytest.mark.parametrize("raw", [b"", ENCODED.pair(PairIndex(0))[:-1], ENCODED.pair(PairIndex(0)) + b"\0"])
def test_verify_pair__wrong_length__raises_with_numbers(raw: bytes) -> None:
    with pytest.raises(WrongLength) as caught:
        verify_pair(raw, PairIndex(0), SEGMENT, GEOMETRY)
    assert (caught.value.expected, caught.value.actual) == (GEOMETRY.pair_bytes, len(raw))


def test_verify_sliver__of_the_other_axis__is_refused() -> None:
    primary, secondary = split_pair(ENCODED.pair(PairIndex(2)), GEOMETRY)
    verify_sliver(secondary, Axis.SECONDARY, PairIndex(2), SEGMENT, GEOMETRY)
    with pytest.raises(WrongLength):
        verify_sliver(primary, Axis.SECONDARY, PairIndex(2), SEGMENT, GEOMETRY)


def test_checks__an_honest_blob_passes() -> None:
    check_decoded(METADATA.blob_id, CONTENT, SEGMENT, GEOMETRY)
    check_strict(METADATA.blob_id, CONTENT, SEGMENT, GEOMETRY)


def test_check_decoded__trusts_only_rows_named_as_verified() -> None:
    wrong = b"\xff" + CONTENT[1:]
    check_decoded(METADATA.blob_id, wrong, SEGMENT, GEOMETRY, verified_rows={PairIndex(0)})
    with pytest.raises(InconsistentEncoding, match="row 0") as caught:
        check_decoded(METADATA.blob_id, wrong, SEGMENT, GEOMETRY, verified_rows={PairIndex(1), PairIndex(2)})
    assert caught.value.blob_id == METADATA.blob_id


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_one_meaning__readers_of_a_bad_blob_get_the_same_bytes_or_a_refusal(data: st.DataObject) -> None:
    other = encode_segment(CONTENT[::-1], SHARDS)
    encoded, metadata = mixed(ENCODED, other, from_row=data.draw(st.integers(0, SHARDS - 1)))
    meaning = b"".join(encoded.primary[: GEOMETRY.rows])[: len(CONTENT)]
    reader = SegmentDecoder(metadata, 0)
    axis = data.draw(st.sampled_from(Axis))
    for place in data.draw(st.permutations(range(SHARDS)))[: GEOMETRY.needed(axis)]:
        reader.add(axis, PairIndex(place), encoded.sliver(axis, PairIndex(place)))
    with suppress(InconsistentEncoding):
        assert reader.decode() == meaning


def test_one_meaning__systematic_rows_of_a_bad_blob__are_its_bytes() -> None:
    encoded, metadata = mixed(ENCODED, encode_segment(CONTENT[::-1], SHARDS))
    reader = SegmentDecoder(metadata, 0)
    for place in range(GEOMETRY.rows):
        reader.add(Axis.PRIMARY, PairIndex(place), encoded.sliver(Axis.PRIMARY, PairIndex(place)))
    assert reader.decode() == CONTENT


def test_one_meaning__columns_of_another_content__are_refused() -> None:
    encoded, metadata = mixed(ENCODED, encode_segment(CONTENT[::-1], SHARDS))
    reader = SegmentDecoder(metadata, 0)
    for place in range(GEOMETRY.columns):
        reader.add(Axis.SECONDARY, PairIndex(place), encoded.sliver(Axis.SECONDARY, PairIndex(place)))
    with pytest.raises(InconsistentEncoding, match="store the data again"):
        reader.decode()


def test_one_meaning__a_verified_row_that_was_not_decoded_from__proves_nothing() -> None:
    other = encode_segment(bytes([CONTENT[0] ^ 1]) + CONTENT[1:], SHARDS)
    encoded, metadata = mixed(ENCODED, other)
    reader = SegmentDecoder(metadata, 0)
    reader.add(Axis.PRIMARY, PairIndex(0), encoded.sliver(Axis.PRIMARY, PairIndex(0)))
    for place in range(GEOMETRY.columns):
        reader.add(Axis.SECONDARY, PairIndex(place), encoded.sliver(Axis.SECONDARY, PairIndex(place)))
    with pytest.raises(InconsistentEncoding, match="row 0"):
        reader.decode()


def test_check_strict__bad_columns_behind_good_rows__are_refused() -> None:
    _, metadata = mixed(ENCODED, encode_segment(CONTENT[::-1], SHARDS))
    check_decoded(metadata.blob_id, CONTENT, metadata.segments[0], GEOMETRY)
    with pytest.raises(InconsistentEncoding):
        check_strict(metadata.blob_id, CONTENT, metadata.segments[0], GEOMETRY)


def test_check_strict__one_wrong_root__is_refused() -> None:
    roots = bytearray(SEGMENT.roots)
    roots[-1] ^= 1
    with pytest.raises(InconsistentEncoding):
        check_strict(METADATA.blob_id, CONTENT, SegmentMetadata(bytes(roots)), GEOMETRY)


def test_decoder__mixed_slivers__decodes_from_the_axis_that_is_complete() -> None:
    reader = SegmentDecoder(METADATA, 0)
    for place in (9, 8, 0):
        reader.add(Axis.PRIMARY, PairIndex(place), ENCODED.sliver(Axis.PRIMARY, PairIndex(place)))
    for place in range(2, 8):
        reader.add(Axis.SECONDARY, PairIndex(place), ENCODED.sliver(Axis.SECONDARY, PairIndex(place)))
    assert (reader.missing(Axis.PRIMARY), reader.missing(Axis.SECONDARY), reader.ready) == (1, 1, False)
    with pytest.raises(NotEnoughSlivers) as caught:
        reader.decode()
    assert caught.value.needed - caught.value.have == 1
    reader.add(Axis.SECONDARY, PairIndex(9), ENCODED.sliver(Axis.SECONDARY, PairIndex(9)))
    assert reader.ready
    assert reader.decode() == CONTENT


def test_decoder__lies_do_not_count() -> None:
    reader = SegmentDecoder(METADATA, 0)
    with pytest.raises(CommitmentMismatch):
        reader.add(Axis.PRIMARY, PairIndex(1), bytes(GEOMETRY.sliver_bytes(Axis.PRIMARY)))
    assert reader.missing(Axis.PRIMARY) == GEOMETRY.rows
    for place in (1, 1, 1):
        reader.add(Axis.PRIMARY, PairIndex(place), ENCODED.sliver(Axis.PRIMARY, PairIndex(place)))
    assert reader.missing(Axis.PRIMARY) == GEOMETRY.rows - 1


def test_decoder__segment_the_blob_does_not_have__raises() -> None:
    with pytest.raises(RangeOutsideBlob):
        SegmentDecoder(METADATA, 1)
