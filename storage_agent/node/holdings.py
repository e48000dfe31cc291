"""What the node holds of blobs: metadata and sliver pairs, durable once kept, read back in parts.

Metadata that is asked for again and again stays parsed in memory.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from storage_agent.node.refusals import CommitteeChanged, ForeignPair, NotServing
from storage_agent.state.duties import Duties
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.packs import Packs
from storage_agent.store.rows import GivenAttestation
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import ROOT_BYTES, SegmentGeometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.verify import verify_pair
from walrus_chain.errors import PairNotHeld, Untrusted
from walrus_chain.messages.attestation import SignedAttestation, StorageAttestation
from walrus_chain.types import Axis, BlobId, NodeId, PairIndex

#: Parsed metadata kept in memory, in bytes of roots; the newest is kept however large it is, for parsing it is slow.
METADATA_CACHE_BYTES = 16 * 2**20


class Holdings:
    """The bytes of this node, by blob, segment and pair."""

    def __init__(self, node_id: NodeId, catalogue: Catalogue, packs: Packs, clock: Callable[[], float]) -> None:
        """
        Args:
            clock: seconds since 1970.
        """
        self._node_id = node_id
        self._clock = clock
        self._catalogue = catalogue
        self._packs = packs
        self._parsed: OrderedDict[BlobId, BlobMetadata] = OrderedDict()
        self._parsed_bytes = 0

    @property
    def duties(self) -> Duties:
        """What the node answers for, as far as the chain was followed."""
        return self._catalogue.duties

    def metadata(self, blob_id: BlobId) -> BlobMetadata | None:
        """The blob's metadata; none when it is not here."""
        row = self._catalogue.blob(blob_id)
        if row is None or row.segments is None:
            return None
        known = self._parsed.get(blob_id)
        if known is not None:
            self._parsed.move_to_end(blob_id)
            return known
        data = self._catalogue.metadata(blob_id)
        if data is None:
            return None
        metadata = BlobMetadata.from_bytes(data, blob_id)
        self._remember(metadata)
        return metadata

    def verdict(self, blob_id: BlobId) -> bool | None:
        """Whether the blob encodes to its id, as this node found out by itself; none while it was not examined."""
        row = self._catalogue.blob(blob_id)
        return None if row is None else row.sound

    async def note_verdict(self, blob_id: BlobId, *, sound: bool) -> None:
        """Remember whether the blob encodes to its id; durable on return. One that does not is not healed any more."""
        await self._catalogue.note_verdict(blob_id, sound)

    def check_own(self, blob_id: BlobId, pairs: Sequence[PairIndex]) -> None:
        """Accept pairs as being on the node's shards.

        Raises:
            CommitteeChanged: some were in the committee before, and are not any more.
            NotServing: the node has no place in the committee.
            ForeignPair: some are on other nodes' shards.
        """
        duties = self.duties
        own = duties.pairs(blob_id)
        if not (foreign := [pair for pair in pairs if pair not in own]):
            return
        if set(foreign) & set(duties.given_pairs(blob_id)):
            raise CommitteeChanged(blob_id, foreign, own, duties.epoch)
        self.check_serving()
        raise ForeignPair(blob_id, foreign, own, duties.epoch)

    def check_serving(self) -> None:
        """Accept that the node has shards.

        Raises: NotServing: it has no place in the committee.
        """
        if not self.duties.own:
            raise NotServing(self._node_id, "it has no place in the committee")

    def missing(self, blob_id: BlobId) -> Sequence[tuple[int, PairIndex]] | None:
        """The (segment, pair) that the node must hold and does not; none while the metadata is not here."""
        return self._catalogue.missing(blob_id)

    def in_full(self, blob_id: BlobId) -> Sequence[PairIndex]:
        """The pairs of which every segment is here, of those that the node must hold or keeps for others."""
        kept = self.duties.kept_pairs(blob_id)
        missing = self._catalogue.missing(blob_id, pairs=kept)
        if missing is None:
            return []
        lost = {pair for _, pair in missing}
        return [pair for pair in kept if pair not in lost]

    async def keep_metadata(self, metadata: BlobMetadata) -> None:
        """Keep a blob's metadata; durable on return."""
        await self._catalogue.add_metadata(metadata, metadata.to_bytes())
        self._remember(metadata)

    async def keep_segment(
        self, metadata: BlobMetadata, segment: int, pairs: Mapping[PairIndex, Buffer], *, with_metadata: bool
    ) -> None:
        """Keep verified pairs of a segment; durable on return. Those that are here already are not written again.

        Args:
            with_metadata: the metadata is not here yet; it is kept along with the pairs.
        """
        carried = (metadata, metadata.to_bytes()) if with_metadata else None
        await self._packs.put(metadata.blob_id, segment, pairs, carried)
        self._remember(metadata)

    async def sliver(
        self,
        blob_id: BlobId,
        segment: int,
        axis: Axis,
        pair: PairIndex,
        *,
        geometry: SegmentGeometry,
        start: int,
        length: int,
    ) -> bytes:
        """`length` bytes of a sliver from its byte `start` on.

        Raises: PairNotHeld: it is not here, or its bytes are gone from the disk.
        """
        offset = geometry.sliver_bytes(Axis.PRIMARY) if axis is Axis.SECONDARY else 0
        return await self._packs.read(blob_id, segment, pair, offset + start, length)

    async def verified_pairs(self, metadata: BlobMetadata, segment: int) -> dict[PairIndex, bytes]:
        """The pairs of a segment that are here and still verify; those that rotted are noted as lost."""
        blob_id, geometry = metadata.blob_id, metadata.geometry.segment(segment)
        good: dict[PairIndex, bytes] = {}
        rotted: list[tuple[int, PairIndex]] = []
        for pair in sorted(self._catalogue.held(blob_id, segment)):
            try:
                data = await self._packs.read(blob_id, segment, pair)
                await asyncio.to_thread(verify_pair, data, pair, metadata.segments[segment], geometry)
            except PairNotHeld:
                continue
            except Untrusted:
                rotted.append((segment, pair))
                continue
            good[pair] = data
        if rotted:
            await self._packs.forget(blob_id, rotted)
        return good

    def note_attestation(self, signed: SignedAttestation) -> None:
        """Keep an attestation for the operator's records."""
        attestation = signed.attestation
        assert isinstance(attestation, StorageAttestation)
        given = GivenAttestation(attestation, signed.signer, signed.signature, self._clock())
        self._catalogue.attestations.note(given)

    def _remember(self, metadata: BlobMetadata) -> None:
        if metadata.blob_id in self._parsed:
            return
        self._parsed[metadata.blob_id] = metadata
        self._parsed_bytes += _size(metadata)
        while self._parsed_bytes > METADATA_CACHE_BYTES and len(self._parsed) > 1:
            _, dropped = self._parsed.popitem(last=False)
            self._parsed_bytes -= _size(dropped)


def _size(metadata: BlobMetadata) -> int:
    return 2 * ROOT_BYTES * metadata.shards * len(metadata.segments)
