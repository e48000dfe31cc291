"""The inputs of a job. A blob that begins as encrypted data do is private and read as the data, any other as its bytes.

So which bytes an input has follows from its blob alone. It does not depend on when a node looks, or on what an endpoint
remembers of earlier blocks: nodes that cannot get a key decline, and nodes that run read the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from storage_agent.compute.blobs import SealedInput, Segments
from walrus_chain.chain.compute_views import Job, JobRequest
from walrus_chain.compute.abi import MAXIMUM_PROGRAM_BYTES
from walrus_chain.sandbox.runner import InputSource
from walrus_chain.types import BlobId, BlobObjectId


class KeyOpener(Protocol):
    """Whoever opens keys of inputs; `storage_agent.compute.shares.ShareAsker` does."""

    async def data_key(self, job: int, terms: JobRequest, blob_object: BlobObjectId) -> bytes:
        """The key of an input's data."""


class Inputs:
    """Opens programs and inputs."""

    def __init__(self, segments: Callable[[], Segments], keys: KeyOpener) -> None:
        """
        Args:
            segments: makes what a run reads by.
        """
        self._segments = segments
        self._keys = keys

    async def program(self, blob_id: BlobId) -> bytes | None:
        """A program; none when it is longer than any may be.

        Raises: MetadataUnreachable, NotEnoughSlivers, InconsistentEncoding.
        """
        blob = await self._segments().open(blob_id)
        return None if blob.size > MAXIMUM_PROGRAM_BYTES else await blob.read(0, blob.size)

    async def open(self, view: Job, terms: JobRequest) -> list[InputSource]:
        """The inputs of a drawn job, in their order, private ones decrypted.

        Raises:
            MetadataUnreachable, NotEnoughSlivers, InconsistentEncoding: their bytes are not to be had.
            KeyNotOpened, MalformedEnvelope, EnvelopeNotOpened, MalformedCiphertext: they do not open; and what
                endpoints raise.
        """
        order, segments = terms.order, self._segments()
        opened: list[InputSource] = []
        for blob_object, charge in zip(order.inputs, terms.charges, strict=True):
            blob = await segments.open(charge.blob_id)
            if await blob.is_encrypted():
                key = await self._keys.data_key(view.job, terms, blob_object)
                opened.append(await SealedInput.open(blob, key))
            else:
                opened.append(blob)
        return opened
