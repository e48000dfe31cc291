"""Builds the node's custody proof: for each place that the window asks for, the bytes and their path to the blob id.

What is asked for is read and hashed, and nothing else: a proof takes a few look-ups in the catalogue and one sliver a
sample, however many blobs there are. Every piece is verified as the contract will verify it before any of it is sent.
A piece whose bytes are missing or rotten is healed at once, out of turn.

Source: docs/spec/03-commitment.md, docs/spec/04-committee.md; the contract is `CustodyChallenges`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage_agent.node.holdings import Holdings
from walrus_chain.chain.views import CustodySample
from walrus_chain.codec.geometry import Geometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.proof import ChunkPlace, prove_chunk, verify_chunk
from walrus_chain.errors import PairNotHeld, Retryable, Untrusted, WalrusError
from walrus_chain.types import BlobId, Epoch, NodeId

_log = logging.getLogger(__name__)


class SampleSource(Protocol):
    """Whoever knows what a node is asked for; `walrus_chain.chain.economy.Economy` does."""

    async def samples_of(self, epoch: Epoch, node_id: NodeId) -> tuple[CustodySample, ...]:
        """The places that a node is asked for in the window of an epoch.

        Raises: NoWindow, SeedTooEarly, SeedLost, NothingToProve, and what endpoints raise.
        """


class SampleNotHeld(Retryable):
    """Bytes that the node is asked for are not here, and healing did not bring them back yet."""

    def __init__(self, sample: CustodySample, why: str) -> None:
        super().__init__(
            f"segment {sample.segment}, pair {sample.pair} of blob {sample.blob_id} cannot be proved: {why}; "
            "healing goes on until the window closes"
        )
        self.sample, self.why = sample, why


class Prover:
    """Builds proofs of custody for one node."""

    def __init__(
        self,
        node_id: NodeId,
        source: SampleSource,
        holdings: Holdings,
        heal: Callable[[BlobId], Awaitable[object]],
    ) -> None:
        """
        Args:
            heal: brings back what is missing of a blob; durable on return.
        """
        self._node_id = node_id
        self._source = source
        self._holdings = holdings
        self._heal = heal

    async def prove(self, epoch: Epoch) -> bytes:
        """The proof for the window of an epoch, as `ICustodyChallenges.prove` takes it.

        Raises:
            SampleNotHeld: bytes are missing and could not be healed now; the other samples' are here.
            NoWindow, SeedTooEarly, SeedLost, NothingToProve: the node is not asked, or not yet.
            StoreUnavailable, RpcUnavailable, RpcRefused: try again.
        """
        samples = await self._source.samples_of(epoch, self._node_id)
        return await self.assemble(samples)

    async def assemble(self, samples: Sequence[CustodySample]) -> bytes:
        """The proof for these samples: chunk and path of each that is not blank, one after the other.

        Raises: SampleNotHeld, StoreUnavailable.
        """
        wanted = [sample for sample in samples if not sample.blank]
        pieces = dict(zip(wanted, await self._read_all(wanted), strict=True))
        lost = [sample for sample in pieces if pieces[sample] is None]
        if lost:
            await self._heal_all(lost)
            pieces.update(zip(lost, await self._read_all(lost), strict=True))
        built: list[bytes] = []
        for sample in wanted:
            piece = pieces[sample]
            if piece is None:
                raise SampleNotHeld(sample, "it is missing again after it was healed")
            built.append(piece)
        return b"".join(built)

    async def _heal_all(self, lost: Sequence[CustodySample]) -> None:
        """Bring the blobs of these samples back, all at once."""
        by_blob = {sample.blob_id: sample for sample in lost}
        fields = {"blobs": [str(blob_id) for blob_id in by_blob]}
        _log.warning("a custody proof is due of bytes that are not here: healing them first", extra=fields)
        results = await asyncio.gather(*map(self._heal, by_blob), return_exceptions=True)
        for sample, result in zip(by_blob.values(), results, strict=True):
            if isinstance(result, WalrusError):
                raise SampleNotHeld(sample, str(result)) from result
            if isinstance(result, BaseException):
                raise result

    async def _read_all(self, samples: Sequence[CustodySample]) -> list[bytes | None]:
        return await asyncio.gather(*map(self._read, samples))

    async def _read(self, sample: CustodySample) -> bytes | None:
        """The bytes for one sample, verified; none when they are missing. What rotted is forgotten."""
        metadata = self._holdings.metadata(sample.blob_id)
        if metadata is None:
            return None
        blob = Geometry(metadata.shards).blob(sample.size)
        segment = blob.segment(sample.segment)
        place = (sample.blob_id, sample.segment, sample.axis, sample.pair)
        try:
            sliver = await self._holdings.sliver(
                *place, geometry=segment, start=0, length=segment.sliver_bytes(sample.axis)
            )
        except PairNotHeld:
            return None
        try:
            return await asyncio.to_thread(chunk_proof, metadata, sample, sliver)
        except Untrusted as error:
            _log.warning("bytes asked for rotted: %s", error)
        # Reads all pairs of the segment, and forgets those that do not verify.
        await self._holdings.verified_pairs(metadata, sample.segment)
        return None


def chunk_proof(metadata: BlobMetadata, sample: CustodySample, sliver: bytes) -> bytes:
    """One sample's part of a proof: the chunk, then its path as `SliverProof` takes it. Hashes the whole sliver.

    Raises: Untrusted: the sliver is not the one that the blob commits to.
    """
    place = ChunkPlace(sample.segment, sample.axis, sample.pair, sample.chunk)
    proof = prove_chunk(metadata, place, sliver)
    verify_chunk(sample.blob_id, Geometry(metadata.shards).blob(sample.size), place, proof)
    path = (*proof.sliver_path, proof.sibling_root, *proof.segment_path, *proof.content_path)
    return b"".join((proof.chunk, *path))
