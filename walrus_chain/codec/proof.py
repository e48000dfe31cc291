"""Proof that 256 bytes belong to a blob: from one chunk of one sliver all the way up to the blob id.

With the blob id, the size and the number of shards anybody, a contract included, can check any chunk of any sliver;
nothing else has to be known. Depths of all trees follow from size and shards, so a path has one possible length.

Source: docs/spec/03-commitment.md; vectors in tests/vectors/merkle.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.codec import merkle
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import CHUNK_BYTES, ROOT_BYTES, BlobGeometry
from walrus_chain.codec.metadata import BlobMetadata, blob_id_of
from walrus_chain.codec.nodes import leaf_hash, pair_hash
from walrus_chain.errors import CommitmentMismatch, WrongLength
from walrus_chain.types import Axis, BlobId, PairIndex


@dataclass(frozen=True, slots=True)
class ChunkPlace:
    """Where a chunk stands in a blob."""

    segment: int
    axis: Axis
    pair: PairIndex
    chunk: int
    """Place in the sliver, 0..chunks - 1."""


@dataclass(frozen=True, slots=True)
class ChunkProof:
    """A chunk and the nodes that lead from it to the blob id. Paths run from the items up, padding spelled out."""

    chunk: bytes
    sliver_path: tuple[bytes, ...]
    sibling_root: bytes
    """Root of the other sliver of the pair."""
    segment_path: tuple[bytes, ...]
    content_path: tuple[bytes, ...]


def prove_chunk(metadata: BlobMetadata, place: ChunkPlace, sliver: Buffer) -> ChunkProof:
    """The proof for the chunk at `place`.

    Args:
        sliver: the whole verified sliver that holds the chunk.
    Raises: RangeOutsideBlob: the blob has no such place.
    """
    metadata.geometry.segment(place.segment)
    segment = metadata.segments[place.segment]
    start = place.chunk * CHUNK_BYTES
    return ChunkProof(
        chunk=bytes(memoryview(sliver)[start : start + CHUNK_BYTES]),
        sliver_path=tuple(merkle.SliverTree(sliver).prove_run(place.chunk, 1)),
        sibling_root=segment.sliver_root(place.axis.other, place.pair),
        segment_path=tuple(merkle.run_path(segment.levels(), place.pair, 1)),
        content_path=tuple(merkle.run_path(metadata.content_levels(), place.segment, 1)),
    )


def verify_chunk(blob_id: BlobId, geometry: BlobGeometry, place: ChunkPlace, proof: ChunkProof) -> None:
    """Accept `proof.chunk` as the bytes of `blob_id` at `place`, or raise.

    Args:
        geometry: from the size and the number of shards that were registered with the blob id.
    Raises:
        RangeOutsideBlob: the blob has no such place.
        WrongLength: chunk, path or root are too long or too short.
        CommitmentMismatch: the proof does not lead to `blob_id`.
    """
    segment, axis = geometry.segment(place.segment), place.axis
    due = segment.chunk_bytes(axis, place.chunk, 1)
    if len(proof.chunk) != due:
        raise WrongLength(f"chunk {place.chunk} of {axis.value} sliver {place.pair}", due, len(proof.chunk))
    if len(proof.sibling_root) != ROOT_BYTES:
        raise WrongLength("the root of the other sliver", ROOT_BYTES, len(proof.sibling_root))
    leaf = leaf_hash(proof.chunk)
    root = merkle.fold_run(segment.chunks(axis), place.chunk, leaf, proof.sliver_path)
    roots = (root, proof.sibling_root) if axis is Axis.PRIMARY else (proof.sibling_root, root)
    segment_root = merkle.fold_run(segment.shards, place.pair, pair_hash(*roots), proof.segment_path)
    content_root = merkle.fold_run(geometry.segments, place.segment, segment_root, proof.content_path)
    actual = blob_id_of(segment.shards, geometry.size, content_root)
    if actual != blob_id:
        raise CommitmentMismatch(f"a proof for chunk {place.chunk} of blob {blob_id}", blob_id.digest, actual.digest)
