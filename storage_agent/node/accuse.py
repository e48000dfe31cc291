"""What the node accuses: blobs that do not encode to their id. It signs only what it has found out by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage_agent.node.admission import Admission
from storage_agent.node.holdings import Holdings
from storage_agent.node.refusals import Consistent
from storage_agent.node.seat import Seat
from storage_agent.observe import Metrics
from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import Signer
from walrus_chain.types import BlobId


class Accuser:
    """Signs invalidity attestations."""

    def __init__(
        self,
        examine: Callable[[BlobId], Awaitable[bool]],
        holdings: Holdings,
        admission: Admission,
        seat: Seat,
        signer: Signer,
        domain: Domain,
        metrics: Metrics,
    ) -> None:
        """
        Args:
            examine: whether a blob encodes to its id, as this node finds out by itself.
            signer: the node's key.
            domain: of the blob registry.
        """
        self._examine = examine
        self._holdings = holdings
        self._admission = admission
        self._seat = seat
        self._signer = signer
        self._domain = domain
        self._metrics = metrics

    async def accuse(self, blob_id: BlobId) -> SignedAttestation:
        """The node's signature that the blob does not encode to its id.

        Raises:
            NotRegisteredYet, BlobOver: no object of the blob is live.
            NotServing: the node has no place in the committee, or signs with another key than the committee knows.
            Consistent: the blob does encode to its id.
            Delay, Retryable: the examination is not done, or could not be done, yet.
        """
        await self._admission.admit(blob_id, None)
        await self._seat.catch_up(self._holdings.duties.epoch)
        self._seat.check_signing(self._holdings.duties)
        if await self._examine(blob_id):
            raise Consistent(blob_id)
        # The examination may have taken long: the committee of now is the one that counts.
        duties = self._holdings.duties
        await self._seat.catch_up(duties.epoch)
        self._seat.check_signing(duties)
        signed = InvalidityAttestation(blob_id, duties.epoch).sign(self._signer, self._domain)
        self._metrics.accusations.inc()
        return signed
