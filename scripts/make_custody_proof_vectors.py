"""Write tests/vectors/custody_proofs.json: what nodes answer when the chain asks them, byte for byte.

    python scripts/make_custody_proof_vectors.py

Blobs are encoded by the codec, places drawn by the rules; the Solidity contracts must ask for the same places and
accept the proofs. Nothing is random, so the file changes only when the protocol does: a difference after running this
is a break of compatibility.

`blobs`: small blobs with the proofs of all their chunks, so that a test can answer for any seed.

`shards` `size` `blobId`   what is registered
`pairChunks`               T, chunks of one sliver pair
`proofs`                   chunk and path in one run, for each pair, for each of its T chunks

`windows`: what some nodes answer for one seed. Objects 1, 2, .. were certified in this order, one a blob; node ids
count from 1, and shard s is with node 1 + s modulo `nodes`.

`shards` `nodes` `seed`    n, the size of the committee, the seed of the window of epoch 1
`blobIds` `sizes`          of the objects
`nodeIds` `proofs`         who is asked, and the whole proof of each
`sampleObject` `sampleShard` `pair` `segment` `secondary` `chunk`   the places: five for each node, one after the other
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from walrus_chain.codec import proof
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import EncodedSegment, encode_segment
from walrus_chain.codec.stream import commit_blob
from walrus_chain.rules.custody import SIZE_CLASSES, Entry, Window, chunk_at, pair_chunks, size_class
from walrus_chain.types import Axis, BlobId, Epoch, NodeId, PairIndex, ShardIndex

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "custody_proofs.json"
UNIT = bytes(i * i + 7 * i & 0xFF for i in range(251))
KIB, MIB = 2**10, 2**20
SAMPLES = 5
EPOCH = Epoch(1)

Case = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob with all its slivers."""

    metadata: BlobMetadata
    segments: tuple[EncodedSegment, ...]

    @property
    def blob_id(self) -> BlobId:
        """Of the blob."""
        return self.metadata.blob_id

    def prove(self, place: proof.ChunkPlace) -> str:
        """Chunk and path in one run, as the contract takes them."""
        sliver = self.segments[place.segment].sliver(place.axis, place.pair)
        proven = proof.prove_chunk(self.metadata, place, sliver)
        proof.verify_chunk(self.blob_id, self.metadata.geometry, place, proven)
        nodes = (*proven.sliver_path, proven.sibling_root, *proven.segment_path, *proven.content_path)
        return (proven.chunk + b"".join(nodes)).hex()


@cache
def stored(shards: int, size: int) -> Stored:
    """A blob of `size` bytes in a network of n = `shards`."""
    data = (UNIT * (size // len(UNIT) + 1))[:size]
    segments = [data[start : start + SEGMENT_BYTES] for start in range(0, size, SEGMENT_BYTES)]
    metadata = commit_blob(segments, shards).metadata
    return Stored(metadata, tuple(encode_segment(segment, shards) for segment in segments))


def blob_cases() -> Iterator[Case]:
    """Small blobs in full."""
    for shards, size in ((10, 1), (10, 10 * KIB)):
        blob = stored(shards, size)
        geometry = Geometry(shards).blob(size)
        chunks = pair_chunks(geometry)
        yield {
            "shards": shards,
            "size": size,
            "blobId": blob.blob_id.hex,
            "pairChunks": chunks,
            "proofs": [
                "0x" + blob.prove(place_of(PairIndex(pair), *chunk_at(geometry, number)))
                for pair in range(shards)
                for number in range(chunks)
            ],
        }


def place_of(pair: PairIndex, segment: int, axis: Axis, chunk: int) -> proof.ChunkPlace:
    """A place of a pair."""
    return proof.ChunkPlace(segment, axis, pair, chunk)


def window_cases() -> Iterator[Case]:
    """Committees of one, of 10, of 30, of 100 nodes; blobs of a byte to two segments."""
    mixed = (1, 10 * KIB, MIB)
    yield window_case("a committee of one", 10, 1, mixed, (1,))
    yield window_case("ten nodes", 10, 10, mixed, range(1, 11))
    for number in range(3):
        yield window_case(f"one mebibyte {number}", 30, 10, (MIB,), range(1, 11))
    yield window_case("thirty nodes", 30, 30, mixed, (1, 2, 30))
    yield window_case("a hundred nodes", 255, 100, (10 * KIB, MIB), (1, 55, 100))
    yield window_case("two segments", 10, 10, (SEGMENT_BYTES + 100 * KIB,), (1, 10))


def window_case(name: str, shards: int, nodes: int, sizes: Sequence[int], asked: Sequence[int]) -> Case:
    """What the nodes `asked` answer, in a committee of `nodes` with equal stakes."""
    blobs = {stored(shards, size).blob_id: stored(shards, size) for size in sizes}
    entries = [Entry(blob_id, blob.metadata.size, Epoch(EPOCH + 5)) for blob_id, blob in blobs.items()]
    classes = [[entry for entry in entries if size_class(entry.size) == number] for number in range(SIZE_CLASSES)]
    window = Window(shards, EPOCH, sha256(name.encode()).digest(), classes, [len(entered) for entered in classes])
    proofs: list[str] = []
    places: list[tuple[int, int, int, int, int, int]] = []
    for node in asked:
        due = [ShardIndex(shard) for shard in range(node - 1, shards, nodes)]
        answer = ""
        for sample in window.samples(NodeId(node), due, SAMPLES):
            if sample is None:
                raise AssertionError(f"{name}: every object is due")
            answer += blobs[sample.entry.blob_id].prove(sample.place)
            place = sample.place
            places.append(
                (
                    1 + entries.index(sample.entry),
                    sample.shard,
                    place.pair,
                    place.segment,
                    int(place.axis is Axis.SECONDARY),
                    place.chunk,
                )
            )
        proofs.append("0x" + answer)
    columns = ("sampleObject", "sampleShard", "pair", "segment", "secondary", "chunk")
    return {
        "name": name,
        "shards": shards,
        "nodes": nodes,
        "seed": "0x" + window.seed.hex(),
        "blobIds": [entry.blob_id.hex for entry in entries],
        "sizes": [entry.size for entry in entries],
        "nodeIds": list(asked),
        "proofs": proofs,
        **{column: list(values) for column, values in zip(columns, zip(*places, strict=True), strict=True)},
    }


def main() -> None:
    """Write the file."""
    groups = {"blobs": list(blob_cases()), "windows": list(window_cases())}
    lines = [
        f'"{group}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]" for group, cases in groups.items()
    ]
    VECTORS.write_text("{" + ",\n".join(lines) + "}\n", encoding="utf-8")
    print(VECTORS.relative_to(VECTORS.parents[2]))


if __name__ == "__main__":
    main()
