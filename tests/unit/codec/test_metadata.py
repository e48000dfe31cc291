"""Metadata that certifies itself."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.codec.merkle import sliver_root
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata, metadata_bytes
from walrus_chain.codec.redstuff import encode_segment
from walrus_chain.errors import CommitmentMismatch, MalformedMetadata, UnsupportedGeometry, WalrusError
from walrus_chain.types import Axis, BlobId, PairIndex

HEADER_BYTES = 11


def some_metadata(shards: int = 5, size: int = 2 * SEGMENT_BYTES + 3) -> BlobMetadata:
    """Metadata of a blob of three segments, of which the roots are random."""
    segments = -(-size // SEGMENT_BYTES)
    random = Random(shards * size)
    return BlobMetadata(size, shards, tuple(SegmentMetadata(random.randbytes(64 * shards)) for _ in range(segments)))


@given(shards=st.integers(4, 255), size=st.integers(1, 5 * SEGMENT_BYTES))
@settings(deadline=None, max_examples=30)
def test_bytes__round_trip(shards: int, size: int) -> None:
    metadata = some_metadata(shards, size)
    data = metadata.to_bytes()
    assert len(data) == metadata_bytes(metadata.geometry)
    assert BlobMetadata.from_bytes(memoryview(data), metadata.blob_id) == metadata
    assert BlobMetadata.from_bytes(data).blob_id == metadata.blob_id


def test_roots__are_those_of_the_slivers() -> None:
    encoded = encode_segment(b"some bytes" * 99, 7)
    metadata = encoded.metadata()
    for pair, roots in enumerate(metadata.pairs):
        for axis, root in zip(Axis, roots, strict=True):
            assert (
                root
                == metadata.sliver_root(axis, PairIndex(pair))
                == sliver_root(encoded.sliver(axis, PairIndex(pair)))
            )
    assert metadata.shards == 7


@given(data=st.data())
@settings(deadline=None)
def test_from_bytes__any_changed_byte__is_refused(data: st.DataObject) -> None:
    metadata = some_metadata()
    raw = bytearray(metadata.to_bytes())
    at = data.draw(st.integers(0, HEADER_BYTES) | st.integers(0, len(raw) - 1))
    raw[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((MalformedMetadata, CommitmentMismatch)):
        BlobMetadata.from_bytes(raw, metadata.blob_id)


@given(st.binary(max_size=400))
def test_from_bytes__anything_at_all__is_refused_by_a_named_error(raw: bytes) -> None:
    with pytest.raises(WalrusError):
        BlobMetadata.from_bytes(raw, BlobId(bytes(32)))


@pytest.mark.parametrize("cut", [0, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 64, -1])
def test_from_bytes__cut_short__raises(cut: int) -> None:
    with pytest.raises(MalformedMetadata, match="bytes"):
        BlobMetadata.from_bytes(some_metadata().to_bytes()[:cut])


def test_from_bytes__one_byte_more__raises() -> None:
    with pytest.raises(MalformedMetadata, match="bytes, metadata of such a blob has"):
        BlobMetadata.from_bytes(some_metadata().to_bytes() + b"\0")


def test_from_bytes__other_blob__raises_with_both_ids() -> None:
    metadata, other = some_metadata(5), some_metadata(6)
    with pytest.raises(CommitmentMismatch) as caught:
        BlobMetadata.from_bytes(metadata.to_bytes(), other.blob_id)
    assert (caught.value.expected, caught.value.actual) == (other.blob_id.digest, metadata.blob_id.digest)


def test_from_bytes__unknown_encoding__raises() -> None:
    with pytest.raises(MalformedMetadata, match="encoding 2 is unknown"):
        BlobMetadata.from_bytes(b"\2" + some_metadata().to_bytes()[1:])


def test_from_bytes__impossible_number_of_shards__raises() -> None:
    with pytest.raises(MalformedMetadata, match="300 shards"):
        BlobMetadata.from_bytes(b"\1" + (300).to_bytes(2, "big") + bytes(8))


def test_metadata__segments_or_roots_that_do_not_fit__raise() -> None:
    whole = SegmentMetadata(bytes(64 * 5))
    with pytest.raises(MalformedMetadata, match="2 segments, a blob of 1 bytes has 1"):
        BlobMetadata(1, 5, (whole, whole))
    with pytest.raises(MalformedMetadata, match="other than 10 roots"):
        BlobMetadata(1, 5, (SegmentMetadata(bytes(64 * 4)),))
    with pytest.raises(UnsupportedGeometry):
        BlobMetadata(1, 3, (SegmentMetadata(bytes(64 * 3)),))


def test_blob_id__depends_on_size_shards_and_every_segment() -> None:
    roots = SegmentMetadata(bytes(64 * 5))
    ids = {
        BlobMetadata(1, 5, (roots,)).blob_id,
        BlobMetadata(2, 5, (roots,)).blob_id,
        BlobMetadata(1, 6, (SegmentMetadata(bytes(64 * 6)),)).blob_id,
        BlobMetadata(SEGMENT_BYTES + 1, 5, (roots, roots)).blob_id,
        BlobMetadata(SEGMENT_BYTES + 1, 5, (roots, SegmentMetadata(b"\1" * 320))).blob_id,
        BlobMetadata(SEGMENT_BYTES + 1, 5, (SegmentMetadata(b"\1" * 320), roots)).blob_id,
    }
    assert len(ids) == 6
