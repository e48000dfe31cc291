"""Requests are parsed once, strictly; each refusal names the part that does not parse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage_agent.node.refusals import MalformedRequest
from storage_agent.serve import requests
from walrus_chain.codec.geometry import Geometry
from walrus_chain.codec.metadata import metadata_bytes
from walrus_chain.types import Axis, BlobId, BlobObjectId, PairIndex

BLOB = BlobId(bytes(range(32)))
PATH: dict[str, object] = {"blob": str(BLOB), "segment": "0"}


def test_put_segment__all_parts__parsed() -> None:
    request = requests.parse_put_segment(PATH, {"pairs": "0,7,13", "metadata": "1", "object": "17"})

    assert request == requests.PutSegment(BLOB, 0, (PairIndex(0), PairIndex(7), PairIndex(13)), True, BlobObjectId(17))


def test_put_segment__least_parts__no_metadata_no_object() -> None:
    request = requests.parse_put_segment(PATH, {"pairs": "3"})

    assert not request.with_metadata
    assert request.blob_object is None


@pytest.mark.parametrize(
    ("path", "query", "part"),
    [
        ({"blob": "x", "segment": "0"}, {"pairs": "0"}, "blob"),
        ({**PATH, "segment": "-1"}, {"pairs": "0"}, "segment"),
        ({**PATH, "segment": "01"}, {"pairs": "0"}, "segment"),
        ({**PATH, "segment": "٣"}, {"pairs": "0"}, "segment"),
        (PATH, {}, "pairs"),
        (PATH, {"pairs": "1,,2"}, "pairs"),
        (PATH, {"pairs": "1,1"}, "pairs"),
        (PATH, {"pairs": ",".join(map(str, range(256)))}, "pairs"),
        (PATH, {"pairs": "0", "metadata": "yes"}, "metadata"),
        (PATH, {"pairs": "0", "object": "1e3"}, "object"),
        (PATH, {"pairs": "0", "objekt": "1"}, "query"),
    ],
)
def test_put_segment__one_part_wrong__named(path: dict[str, object], query: dict[str, str], part: str) -> None:
    with pytest.raises(MalformedRequest) as refusal:
        requests.parse_put_segment(path, query)

    assert refusal.value.part == part


def test_chunks__count_zero__refused() -> None:
    path = {**PATH, "axis": "primary", "pair": "1"}
    with pytest.raises(MalformedRequest) as refusal:
        requests.parse_get_chunks(path, {"first": "0", "count": "0"})

    assert refusal.value.part == "count"


def test_chunks__beyond_the_sliver__refused() -> None:
    geometry = Geometry(10).segment(100_000)
    path = {**PATH, "axis": "primary", "pair": "1"}
    chunks = geometry.chunks(Axis.PRIMARY)
    requests.check_chunks(requests.parse_get_chunks(path, {"first": "0", "count": str(chunks)}), geometry)

    with pytest.raises(MalformedRequest):
        requests.check_chunks(requests.parse_get_chunks(path, {"first": "1", "count": str(chunks)}), geometry)


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"blobObject": "1"},
        {"blobObject": 0},
        {"blobObject": True},
        {"blobObject": 2**256},
        {"blobObject": 1, "more": 1},
    ],
)
def test_blob_object__not_one_number__refused(document: object) -> None:
    with pytest.raises(MalformedRequest):
        requests.parse_blob_object(document)


@given(
    shards=st.integers(4, 40),
    size=st.integers(0, 5000),
    pairs=st.integers(0, 3),
    with_metadata=st.booleans(),
    cut=st.integers(-1, 1),
)
def test_split__parts_fill_the_body__or_refused(
    shards: int, size: int, pairs: int, with_metadata: bool, cut: int
) -> None:
    geometry = Geometry(shards).blob(size)
    request = requests.PutSegment(BLOB, 0, tuple(map(PairIndex, range(pairs))), with_metadata, None)
    metadata = bytes(metadata_bytes(geometry))
    width = geometry.segment(0).pair_bytes
    body = b"".join(
        [
            requests.METADATA_LENGTH.pack(len(metadata)) + metadata if with_metadata else b"",
            *[bytes([pair]) * width for pair in range(pairs)],
        ]
    )
    if cut:
        with pytest.raises(MalformedRequest):
            request.split(body + b"x" if cut > 0 else body[:-1] if body else b"x", geometry)
        return
    found, parts = request.split(body, geometry)

    assert (found is not None) == with_metadata
    assert [bytes(part) for part in parts] == [bytes([pair]) * width for pair in range(pairs)]


def test_check_place__outside_the_blob__named() -> None:
    geometry = Geometry(10).blob(100)
    with pytest.raises(MalformedRequest) as segment:
        requests.check_place(geometry, 1)
    with pytest.raises(MalformedRequest) as pair:
        requests.check_place(geometry, 0, PairIndex(10))

    assert (segment.value.part, pair.value.part) == ("segment", "pairs")
