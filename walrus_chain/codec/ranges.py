"""Byte ranges of a blob, read with proof and without reading the rest.

Row i of a segment's matrix holds its bytes `[i * w, (i + 1) * w)`, w being the bytes of a primary sliver. So a byte
range is a handful of chunk runs of systematic primary slivers, each fetched with one path. Where such a sliver is lost,
the same chunk run of any `rows` other primary slivers gives the run back, for the code works byte by byte.

Source: docs/spec/02-geometry.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.erasure import erasure_code
from walrus_chain.codec.geometry import CHUNK_BYTES, BlobGeometry, SegmentGeometry
from walrus_chain.codec.merkle import verify_run
from walrus_chain.codec.metadata import SegmentMetadata
from walrus_chain.errors import RangeOutsideBlob, WrongLength
from walrus_chain.types import Axis, PairIndex


@dataclass(frozen=True, slots=True)
class RowRun:
    """A run of chunks of one systematic primary sliver, and which of its bytes are asked for."""

    segment: int
    row: PairIndex
    first_chunk: int
    chunks: int
    start: int
    """First byte asked for, counted from the start of the run."""
    stop: int
    """One past the last byte asked for, counted from the start of the run."""


def plan_range(geometry: BlobGeometry, start: int, stop: int) -> list[RowRun]:
    """The runs that together hold the bytes `[start, stop)` of a blob, in the order of the bytes.

    Raises: RangeOutsideBlob: the blob does not have all these bytes.
    """
    if not 0 <= start <= stop <= geometry.size:
        raise RangeOutsideBlob(f"range {start}..{stop} in a blob of {geometry.size} bytes")
    runs = []
    while start < stop:
        index = geometry.segment_of(start)
        segment = geometry.segment(index)
        width = segment.sliver_bytes(Axis.PRIMARY)
        base = index * geometry.segment(0).length
        row, from_byte = divmod(start - base, width)
        to_byte = min(width, segment.length - row * width, from_byte + stop - start)
        first, last = from_byte // CHUNK_BYTES, (to_byte - 1) // CHUNK_BYTES
        skip = first * CHUNK_BYTES
        runs.append(RowRun(index, PairIndex(row), first, last - first + 1, from_byte - skip, to_byte - skip))
        start += to_byte - from_byte
    return runs


def verify_row_run(
    run: RowRun,
    place: PairIndex,
    data: Buffer,
    path: Sequence[bytes],
    metadata: SegmentMetadata,
    geometry: SegmentGeometry,
) -> None:
    """Accept `data` as the chunks of `run` in primary sliver `place`, or raise.

    Args:
        place: `run.row` itself, or the primary sliver asked in its stead.
    Raises:
        WrongLength: data or path are too long or too short.
        CommitmentMismatch: other bytes than committed to.
    """
    due = geometry.chunk_bytes(Axis.PRIMARY, run.first_chunk, run.chunks)
    if len(data) != due:
        raise WrongLength(f"a run of {run.chunks} chunks of primary sliver {place}", due, len(data))
    root = metadata.sliver_root(Axis.PRIMARY, place)
    verify_run(root, geometry.chunks(Axis.PRIMARY), run.first_chunk, data, path)


def rebuild_run(row: PairIndex, runs: Mapping[PairIndex, Buffer], geometry: SegmentGeometry) -> bytes:
    """The bytes of a run of primary sliver `row`, from the same run of other primary slivers.

    Args:
        runs: place of a primary sliver to its verified bytes at the same chunks; any `geometry.rows` of them.
    Raises:
        NotEnoughSymbols: with `.have` and `.needed`; ask more nodes and call again.
        WrongLength: the runs are not equally long.
    """
    lengths = [len(run) for run in runs.values()]
    for length in lengths:
        if length != lengths[0]:
            raise WrongLength("a run of chunks", lengths[0], length)
    [rebuilt] = erasure_code(geometry.rows, geometry.shards).rebuild(runs, [row])
    return bytes(rebuilt)


def extract(run: RowRun, data: Buffer) -> memoryview:
    """The bytes that were asked for, out of the verified or rebuilt bytes of `run`."""
    return memoryview(data)[run.start : run.stop]
