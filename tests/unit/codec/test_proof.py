"""Proofs of chunks, up to the blob id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.geometry import BlobGeometry, Geometry
from walrus_chain.codec.proof import ChunkPlace, ChunkProof, prove_chunk, verify_chunk
from walrus_chain.codec.stream import commit_blob
from walrus_chain.errors import CommitmentMismatch, RangeOutsideBlob, WalrusError, WrongLength
from walrus_chain.types import Axis, BlobId, PairIndex

CONTENT = Random(3).randbytes(20_000)
COMMITTED = commit_blob([CONTENT], 7)
METADATA = COMMITTED.metadata
FIELDS = ("chunk", "sliver_path", "sibling_root", "segment_path", "content_path")


def proof_at(place: ChunkPlace) -> ChunkProof:
    """The proof for a chunk of `CONTENT`."""
    assert COMMITTED.encoded is not None
    return prove_chunk(METADATA, place, COMMITTED.encoded.sliver(place.axis, place.pair))


@st.composite
def places(draw: st.DrawFn) -> ChunkPlace:
    """A chunk of `CONTENT`."""
    axis = draw(st.sampled_from(Axis))
    chunks = METADATA.geometry.segment(0).chunks(axis)
    return ChunkPlace(0, axis, PairIndex(draw(st.integers(0, 6))), draw(st.integers(0, chunks - 1)))


@given(place=places())
@settings(deadline=None)
def test_i6_verify_chunk__accepts_the_asked_place_only(place: ChunkPlace) -> None:
    proof = proof_at(place)
    verify_chunk(METADATA.blob_id, METADATA.geometry, place, proof)
    for other in (
        replace(place, axis=place.axis.other),
        replace(place, pair=PairIndex((place.pair + 1) % 7)),
        replace(place, chunk=place.chunk ^ 1),
        replace(place, segment=1),
    ):
        with pytest.raises(WalrusError):
            verify_chunk(METADATA.blob_id, METADATA.geometry, other, proof)


@given(place=places(), which=st.integers(0, 3), at=st.integers(0, 255))
@settings(deadline=None)
def test_i6_verify_chunk__any_changed_byte__is_refused(place: ChunkPlace, which: int, at: int) -> None:
    proof = proof_at(place)
    value = getattr(proof, FIELDS[which])
    flat = bytearray(value if isinstance(value, bytes) else b"".join(value))
    flat[at % len(flat)] ^= 0x10
    nodes = tuple(bytes(flat[i : i + 32]) for i in range(0, len(flat), 32))
    change: dict[str, Any] = {FIELDS[which]: bytes(flat) if isinstance(value, bytes) else nodes}
    with pytest.raises(CommitmentMismatch, match=str(METADATA.blob_id)):
        verify_chunk(METADATA.blob_id, METADATA.geometry, place, replace(proof, **change))


@pytest.mark.parametrize("field", FIELDS)
def test_verify_chunk__part_too_long_or_short__raises(field: str) -> None:
    place = ChunkPlace(0, Axis.PRIMARY, PairIndex(6), 3)
    proof = proof_at(place)
    value = getattr(proof, field)
    longer = value + (b"\0" if isinstance(value, bytes) else (bytes(32),))
    with pytest.raises(WrongLength):
        verify_chunk(METADATA.blob_id, METADATA.geometry, place, replace(proof, **{field: longer}))
    if value:
        with pytest.raises(WrongLength):
            verify_chunk(METADATA.blob_id, METADATA.geometry, place, replace(proof, **{field: value[:-1]}))


@pytest.mark.parametrize("geometry", [Geometry(7).blob(19_999), Geometry(8).blob(20_000)])
def test_verify_chunk__other_size_or_shards_than_registered__is_refused(geometry: BlobGeometry) -> None:
    place = ChunkPlace(0, Axis.SECONDARY, PairIndex(0), 0)
    with pytest.raises((CommitmentMismatch, WrongLength)):
        verify_chunk(METADATA.blob_id, geometry, place, proof_at(place))


@pytest.mark.parametrize(
    "place",
    [
        ChunkPlace(1, Axis.PRIMARY, PairIndex(0), 0),
        ChunkPlace(-1, Axis.PRIMARY, PairIndex(0), 0),
        ChunkPlace(0, Axis.PRIMARY, PairIndex(0), METADATA.geometry.segment(0).chunks(Axis.PRIMARY)),
        ChunkPlace(0, Axis.PRIMARY, PairIndex(7), 0),
        ChunkPlace(0, Axis.PRIMARY, PairIndex(-1), 0),
    ],
)
def test_prove_chunk__place_the_blob_does_not_have__raises(place: ChunkPlace) -> None:
    assert COMMITTED.encoded is not None
    with pytest.raises(RangeOutsideBlob):
        prove_chunk(METADATA, place, COMMITTED.encoded.sliver(Axis.PRIMARY, PairIndex(0)))


def test_chunks__vectors(vectors: Callable[[str, str], list[dict[str, Any]]]) -> None:
    def unhex(text: str) -> bytes:
        return bytes.fromhex(text[2:])

    for case in vectors("merkle", "cases"):
        axis = Axis.SECONDARY if case["secondary"] else Axis.PRIMARY
        proof = ChunkProof(
            unhex(case["chunk"]),
            tuple(map(unhex, case["sliverPath"])),
            unhex(case["siblingRoot"]),
            tuple(map(unhex, case["segmentPath"])),
            tuple(map(unhex, case["contentPath"])),
        )
        place = ChunkPlace(case["segment"], axis, PairIndex(case["pair"]), case["chunkIndex"])
        verify_chunk(BlobId.parse(case["blobId"]), Geometry(case["shards"]).blob(case["size"]), place, proof)
