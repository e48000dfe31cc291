"""What the node signs for: only what is verified, durable, registered and its own."""

from __future__ import annotations

from storage_agent.node.admission import Admission
from storage_agent.node.holdings import Holdings
from storage_agent.node.refusals import EncodedWrongly, Incomplete, MetadataNeeded, WrongShape
from storage_agent.node.seat import Seat
from storage_agent.observe import Metrics
from walrus_chain.codec.geometry import BlobGeometry, Geometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.messages.attestation import SignedAttestation, StorageAttestation
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import Signer
from walrus_chain.types import BlobId, BlobObjectId


class Attester:
    """Signs storage attestations, and keeps a record of each."""

    def __init__(
        self, holdings: Holdings, admission: Admission, seat: Seat, signer: Signer, domain: Domain, metrics: Metrics
    ) -> None:
        """
        Args:
            signer: the node's key.
            domain: of the blob registry.
        """
        self._holdings = holdings
        self._admission = admission
        self._seat = seat
        self._signer = signer
        self._domain = domain
        self._metrics = metrics

    async def attest(self, blob_id: BlobId, blob_object: BlobObjectId) -> SignedAttestation:
        """The node's signature that it stores the object: everything of it that is this node's is durable.

        Raises:
            NotRegisteredYet, BlobOver: the object is not live.
            NotServing: the node has no place in the committee, or signs with another key than the committee knows.
            EncodedWrongly: the node found that the blob does not encode to its id.
            MetadataNeeded, Incomplete: something is not here yet.
            WrongShape: the blob is not of the size that was registered, or not encoded for this network.
        """
        record = await self._admission.live_object(blob_id, blob_object)
        duties = self._holdings.duties
        await self._seat.catch_up(duties.epoch)
        self._seat.check_signing(duties)
        if self._holdings.verdict(blob_id) is False:
            raise EncodedWrongly(blob_id)
        metadata, missing = self._holdings.metadata(blob_id), self._holdings.missing(blob_id)
        if metadata is None or missing is None:
            raise MetadataNeeded(blob_id)
        check_shape(metadata, Geometry(duties.shards).blob(record.size))
        if missing:
            raise Incomplete(blob_id, missing, len(missing))
        attestation = StorageAttestation(blob_id, blob_object, duties.epoch, record.deletable)
        signed = attestation.sign(self._signer, self._domain)
        self._holdings.note_attestation(signed)
        self._metrics.attestations.inc()
        return signed


def check_shape(metadata: BlobMetadata, registered: BlobGeometry) -> None:
    """Accept the blob as being of the registered size, and encoded for the network's number of shards.

    Raises: WrongShape: it is not.
    """
    if metadata.shards != registered.geometry.shards:
        raise WrongShape(metadata.blob_id, "shards", registered.geometry.shards, metadata.shards)
    if metadata.size != registered.size:
        raise WrongShape(metadata.blob_id, "bytes", registered.size, metadata.size)
