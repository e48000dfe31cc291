"""The inputs of a job. Which are private is decided as of the block of its draw, for all nodes of the panel alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from storage_agent.compute.blobs import SealedInput, Segments
from walrus_chain.chain.compute_views import Job, JobRequest
from walrus_chain.compute.abi import MAXIMUM_PROGRAM_BYTES
from walrus_chain.sandbox.runner import InputSource
from walrus_chain.types import BlobId, BlobObjectId


class PrivacySource(Protocol):
    """Whoever knows which objects have a sealed key; raises what endpoints raise."""

    async def sealed_at(self, blob_objects: Sequence[BlobObjectId], block: int) -> tuple[bool, ...]:
        """Whether a key of each was published as of a block.

        Raises: BlockUnknown, RpcRefused: the endpoints do not have that block, or not any more.
        """


class KeyOpener(Protocol):
    """Whoever opens keys of inputs; `storage_agent.compute.shares.ShareAsker` does."""

    async def data_key(self, job: int, terms: JobRequest, blob_object: BlobObjectId) -> bytes:
        """The key of an input's data."""


class Inputs:
    """Opens programs and inputs."""

    def __init__(self, segments: Callable[[], Segments], privacy: PrivacySource, keys: KeyOpener) -> None:
        """
        Args:
            segments: makes what a run reads by.
        """
        self._segments = segments
        self._privacy = privacy
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
        sealed = await self._privacy.sealed_at(order.inputs, view.drawn_block)
        opened: list[InputSource] = []
        for blob_object, charge, private in zip(order.inputs, terms.charges, sealed, strict=True):
            blob = await segments.open(charge.blob_id)
            if private and await blob.is_encrypted():
                key = await self._keys.data_key(view.job, terms, blob_object)
                opened.append(await SealedInput.open(blob, key))
            else:
                opened.append(blob)
        return opened
