"""Write the codec's shared vectors, which the Python and the Solidity tests read, into tests/vectors/.

    python scripts/make_vectors.py

The files change only when the protocol changes: a difference after running this is a break of compatibility.
Contents are given as `unit`, some bytes in hex, repeated and cut to `size`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from walrus_chain.codec import proof
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.codec.merkle import SliverTree, sliver_root
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import EncodedSegment, encode_segment, recovery_symbol
from walrus_chain.codec.stream import commit_blob
from walrus_chain.types import Axis, PairIndex

VECTORS = Path(__file__).parent.parent / "tests" / "vectors"
UNIT = bytes(i * i + 7 * i & 0xFF for i in range(251))
EVERY_BYTE = bytes(range(256))

Case = dict[str, Any]


def content(unit: bytes, size: int) -> bytes:
    """`unit` over and over, `size` bytes of it."""
    return (unit * (size // len(unit) + 1))[:size]


def hexed(data: bytes) -> str:
    """`data` as both languages read it."""
    return "0x" + data.hex()


def segments_of(data: bytes) -> Iterator[bytes]:
    """The segments of `data`."""
    return (data[start : start + SEGMENT_BYTES] for start in range(0, max(1, len(data)), SEGMENT_BYTES))


def geometry_cases() -> Iterator[Case]:
    """Sizes on both sides of each border, for small, usual and largest n."""
    for shards in (4, 5, 6, 7, 10, 30, 31, 100, 254, 255):
        geometry = Geometry(shards)
        cells = 8 * geometry.rows * geometry.columns
        sizes = {
            0,
            1,
            cells,
            cells + 1,
            10_000,
            2**20,
            SEGMENT_BYTES - 1,
            SEGMENT_BYTES,
            SEGMENT_BYTES + 1,
            2**31,
            10**12 + 7,
        }
        for size in sorted(sizes):
            blob = geometry.blob(size)
            last = blob.segment(blob.segments - 1)
            yield {
                "shards": shards,
                "size": size,
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
            }


def blob_id_cases() -> Iterator[Case]:
    """Contents from nothing to more than a segment."""
    sizes = {
        4: (0, 1, 48, 49, 5000),
        7: (0, 300, 100_000),
        10: (1, 1000),
        30: (0, 10_240),
        100: (1, 65_536),
        255: (0, 200_000),
    }
    for shards, list_of_sizes in sizes.items():
        for size in list_of_sizes:
            yield blob_id_case(shards, UNIT, size)
    yield blob_id_case(10, b"\0", SEGMENT_BYTES)
    yield blob_id_case(10, UNIT, SEGMENT_BYTES + 1)


def blob_id_case(shards: int, unit: bytes, size: int) -> Case:
    """One content and its blob id."""
    blob_id = commit_blob(segments_of(content(unit, size)), shards).metadata.blob_id
    return {"shards": shards, "size": size, "unit": hexed(unit), "blobId": str(blob_id), "hex": blob_id.hex}


def merkle_cases() -> Iterator[Case]:
    """Chunks at the beginning, the middle and the end of slivers, with the proof up to the blob id."""
    for shards, size in ((4, 1), (7, 5000), (10, 40_000), (30, 1_000_000), (31, 123_457), (255, 3_000_000)):
        data = content(UNIT, size)
        committed = commit_blob([data], shards)
        assert committed.encoded is not None
        yield from merkle_cases_of(committed.metadata, committed.encoded, 0)
    # Three segments, so that the content path holds a node of padding.
    data = content(UNIT, 2 * SEGMENT_BYTES + 1234)
    metadata = commit_blob(segments_of(data), 4).metadata
    for segment, piece in enumerate(segments_of(data)):
        yield from merkle_cases_of(metadata, encode_segment(piece, 4), segment)


def merkle_cases_of(metadata: BlobMetadata, encoded: EncodedSegment, segment: int) -> Iterator[Case]:
    """Some proofs for chunks of one segment."""
    for axis, pair in ((Axis.PRIMARY, 0), (Axis.PRIMARY, metadata.shards - 1), (Axis.SECONDARY, metadata.shards // 2)):
        chunks = encoded.geometry.chunks(axis)
        sliver = encoded.sliver(axis, PairIndex(pair))
        for chunk in sorted({0, chunks // 2, chunks - 1}):
            place = proof.ChunkPlace(segment, axis, PairIndex(pair), chunk)
            proven = proof.prove_chunk(metadata, place, sliver)
            proof.verify_chunk(metadata.blob_id, metadata.geometry, place, proven)
            yield {
                "blobId": metadata.blob_id.hex,
                "shards": metadata.shards,
                "size": metadata.size,
                "segment": segment,
                "secondary": axis is Axis.SECONDARY,
                "pair": pair,
                "chunkIndex": chunk,
                "chunk": hexed(proven.chunk),
                "sliverPath": [hexed(node) for node in proven.sliver_path],
                "siblingRoot": hexed(proven.sibling_root),
                "segmentPath": [hexed(node) for node in proven.segment_path],
                "contentPath": [hexed(node) for node in proven.content_path],
            }


def run_cases() -> Iterator[Case]:
    """Runs of chunks of one sliver, with their paths."""
    for chunks, tail in ((1, 8), (2, 256), (5, 16), (8, 256), (13, 248)):
        sliver = content(EVERY_BYTE, (chunks - 1) * 256 + tail)
        tree = SliverTree(sliver)
        for first, count in sorted({(0, 1), (0, chunks), (chunks - 1, 1), (chunks // 3, chunks - chunks // 2)}):
            yield {
                "unit": hexed(EVERY_BYTE),
                "size": len(sliver),
                "root": hexed(tree.root),
                "leafCount": chunks,
                "first": first,
                "count": count,
                "path": [hexed(node) for node in tree.prove_run(first, count)],
            }


def recover_cases() -> Iterator[Case]:
    """Slivers of both axes, systematic and not, from symbols that are systematic, not, and mixed."""
    for shards, size in ((4, 100), (7, 1000), (10, 777)):
        encoded = encode_segment(content(UNIT, size), shards)
        geometry = encoded.geometry
        for axis in Axis:
            needed = geometry.symbols(axis)
            for pair in (0, shards - 1):
                for first in (0, shards - needed):
                    places = [PairIndex(place) for place in range(first, first + needed)]
                    symbols = {
                        place: recovery_symbol(encoded.sliver(axis.other, place), axis.other, PairIndex(pair), geometry)
                        for place in places
                    }
                    sliver = encoded.sliver(axis, PairIndex(pair))
                    yield {
                        "shards": shards,
                        "size": size,
                        "unit": hexed(UNIT),
                        "secondary": axis is Axis.SECONDARY,
                        "pair": pair,
                        "places": places,
                        "symbols": [hexed(symbols[place]) for place in places],
                        "sliver": hexed(bytes(sliver)),
                        "root": hexed(sliver_root(sliver)),
                    }


def write(name: str, **groups: Callable[[], Iterator[Case]]) -> None:
    """Write one file of vectors."""
    text = json.dumps({group: list(cases()) for group, cases in groups.items()}, indent=1)
    (VECTORS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"tests/vectors/{name}.json")


def main() -> None:
    """Write all files of vectors."""
    VECTORS.mkdir(exist_ok=True)
    write("geometry", cases=geometry_cases)
    write("blob_ids", cases=blob_id_cases)
    write("merkle", cases=merkle_cases, runs=run_cases)
    write("recover", cases=recover_cases)


if __name__ == "__main__":
    main()
