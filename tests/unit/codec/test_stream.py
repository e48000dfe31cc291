"""Blobs of any size, segment by segment."""

from __future__ import annotations

import io
from random import Random

import pytest

from walrus_chain.codec.decoder import SegmentDecoder
from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.codec.stream import Readable, commit_blob, encode_segments, iter_segments
from walrus_chain.errors import UnsupportedGeometry
from walrus_chain.types import Axis, PairIndex


class Pipe:
    """A source that gives at most `most` bytes at a time, as pipes and sockets do."""

    def __init__(self, content: bytes, most: int) -> None:
        self._file, self._most = io.BytesIO(content), most

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._most))


@pytest.mark.parametrize("size", [0, 1, 1000, SEGMENT_BYTES, SEGMENT_BYTES + 1, 2 * SEGMENT_BYTES])
def test_stream__blob_there_and_back_at_the_edges(size: int) -> None:
    content = Random(size).randbytes(size)
    committed = commit_blob(iter_segments(io.BytesIO(content)), 4)
    assert (committed.encoded is None) == (size > SEGMENT_BYTES)
    assert committed.metadata.size == size
    back = bytearray()
    for index, encoded in enumerate(encode_segments(iter_segments(io.BytesIO(content)), 4)):
        decoder = SegmentDecoder(committed.metadata, index)
        for pair in (PairIndex(3), PairIndex(1)):
            decoder.add(Axis.PRIMARY, pair, encoded.sliver(Axis.PRIMARY, pair))
        back += decoder.decode()
    assert back == content


@pytest.mark.parametrize("most", [1000, 65_536, SEGMENT_BYTES])
def test_iter_segments__short_reads_make_whole_segments(most: int) -> None:
    content = Random(most).randbytes(SEGMENT_BYTES // 64) * 65
    source: Readable = Pipe(content, most)
    first, second = iter_segments(source)
    assert len(first) == SEGMENT_BYTES
    assert first + second == content


def test_commit__small_blob_is_encoded_once() -> None:
    committed = commit_blob([b"small"], 10)
    assert committed.encoded is not None
    assert committed.encoded.metadata() == committed.metadata.segments[0]


@pytest.mark.parametrize(
    "segments",
    [
        pytest.param([b"short", b"more"], id="short before the last"),
        pytest.param([b"", b"more"], id="empty before the last"),
        pytest.param([bytes(SEGMENT_BYTES), b""], id="empty last"),
        pytest.param([bytes(SEGMENT_BYTES + 1)], id="too long"),
    ],
)
def test_commit__segments_of_other_lengths__raise(segments: list[bytes]) -> None:
    with pytest.raises(UnsupportedGeometry):
        commit_blob(segments, 4)


def test_commit__nothing_at_all__raises() -> None:
    with pytest.raises(UnsupportedGeometry, match="no segment"):
        commit_blob([], 4)
