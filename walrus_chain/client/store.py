"""Drives stores: commit, look for what is paid already, register the rest in one transaction, upload, certify.

A store that was interrupted goes on where it stopped: the chain knows what was paid, the agents know what they have.
So does one under which the committee changes: only the committee in office can certify, so its members are sent what
they lack, and attest anew.

Source: docs/guides/storing.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from walrus_chain.chain.library_rejections import AllowanceTooSmall
from walrus_chain.chain.rejections import WrongStatus
from walrus_chain.chain.sender import MAXIMUM_BATCH, RegisterReceipt, Registration
from walrus_chain.chain.views import Attribute, BlobObject
from walrus_chain.client.plan_store import BEHIND_SECONDS
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.client.read import ReadContext, Renew
from walrus_chain.client.results import (
    FailedBlob,
    OnProgress,
    Outcome,
    Progress,
    Sealed,
    Stage,
    StoredBlob,
    StoreQuote,
)
from walrus_chain.client.sealing import EncryptedSource, Sealer
from walrus_chain.client.sources import Rereadable, Source
from walrus_chain.client.threads import in_coder
from walrus_chain.client.upload import Upload, UploadTask
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import EncodedSegment
from walrus_chain.codec.stream import Commitment, encode_segments, iter_segments
from walrus_chain.errors import (
    Bug,
    CommitteeKeptChanging,
    QuorumUnreachable,
    Rejected,
    Retryable,
    SourceChanged,
    SourceUnreadable,
    WalrusError,
)
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.messages.certificate import Certificate
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.transactions import Receipt

_NOTHING: Final = Wei(0)
#: Blobs that are uploaded at the same time.
_UPLOADS: Final = 4
#: Encodings of small blobs are kept from the first pass to the second up to so many bytes of blobs.
_KEPT_BYTES: Final = 32 * 2**20
#: Committees that a blob is uploaded to before the store gives up.
_COMMITTEES: Final = 4
#: How often the chain is asked for a committee that nodes have seen and its endpoint has not.
_LOOKS: Final = 4


@dataclass(slots=True)
class Pending:
    """A blob between its first pass and its certificate."""

    source: Rereadable
    stamp: tuple[int, int] | None
    metadata: BlobMetadata
    encoded: EncodedSegment | None
    existing: BlobObject | None = None
    """An object that was paid before."""
    paid: Wei = _NOTHING
    blob_object: BlobObject | None = None
    """The object that was registered now."""
    register_gas: int = 0
    sealed: Sealed | None = None
    sent: int = 0
    """Bytes of slivers that were told as sent, in whichever round the most were."""

    @property
    def blob_id(self) -> BlobId:
        """What the metadata commits to."""
        return self.metadata.blob_id


@dataclass(frozen=True, slots=True)
class Background:
    """What is left of an upload after its certificate."""

    upload: Upload
    files: ExitStack

    async def finish(self) -> None:
        """Waits until every node has its slivers, or failed; cancelled, it stops sending."""
        try:
            await self.upload.finish()
        finally:
            await self.upload.abandon()
            self.files.close()


@dataclass(frozen=True, slots=True)
class StoreTerms:
    """What is asked for."""

    epochs: int
    deletable: bool
    attributes: Mapping[str, str]
    reuse: bool
    """Go on with, or content oneself with, an object of the same owner and blob."""


class StoreDriver:
    """One call of `Client.store_many`."""

    def __init__(
        self,
        chain: ChainReader,
        writer: ChainWriter,
        context: ReadContext,
        renew: Renew,
        terms: StoreTerms,
        on_progress: OnProgress | None,
        sealer: Sealer | None = None,
    ) -> None:
        """
        Args:
            sealer: makes what is stored private; None to store it as it is.
        """
        self._chain = chain
        self._writer = writer
        self._context = context
        self._renew = renew
        self._terms = terms
        self._on_progress = on_progress
        self._sealer = sealer
        self._uploads = asyncio.Semaphore(_UPLOADS)
        self.background: list[Background] = []
        """Uploads that go on after their certificate."""

    async def run(self, sources: Sequence[Source]) -> list[StoredBlob | FailedBlob]:
        """Stores all sources; one result for each, in order. The same blob twice is stored once."""
        results: dict[int, StoredBlob | FailedBlob] = {}
        pending: dict[BlobId, Pending] = {}
        places: dict[BlobId, list[int]] = {}
        kept = 0
        for place, source in enumerate(sources):
            try:
                item = await self._commit(source)
            except WalrusError as error:
                results[place] = FailedBlob(source.name, None, error)
                continue
            places.setdefault(item.blob_id, []).append(place)
            if item.blob_id not in pending:
                kept += item.metadata.size
                if kept > _KEPT_BYTES and len(sources) > 1:
                    item.encoded = None
                pending[item.blob_id] = item
        self._tell(Stage.REGISTER, "", 0, len(pending))
        if self._terms.reuse:
            await asyncio.gather(*map(self._find_existing, pending.values()))
        await self._register([item for item in pending.values() if item.existing is None])
        self._tell(Stage.REGISTER, "", len(pending), len(pending))
        tasks = {blob_id: asyncio.create_task(self._finish(item)) for blob_id, item in pending.items()}
        try:
            await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
        for blob_id, task in tasks.items():
            for place in places[blob_id]:
                results[place] = replace(task.result(), name=sources[place].name)
        return [results[place] for place in range(len(sources))]

    # -- steps -------------------------------------------------------------------------------------------------------

    async def _commit(self, source: Source) -> Pending:
        stored: Rereadable = source
        if self._sealer is not None:
            self._tell(Stage.ENCRYPT, source.name, 0, source.size)
            stored = await self._sealer.encrypted(source)
            self._tell(Stage.ENCRYPT, source.name, stored.size or 0, stored.size)
        return await commit_source(stored, self._context.committee.shards, self._on_progress)

    async def _find_existing(self, item: Pending) -> None:
        fits = None if self._sealer is None else self._sealer.fits
        item.existing = await find_existing(self._chain, self._writer.address, item.blob_id, fits)

    async def _seal(self, item: Pending, blob_object: BlobObject) -> Sealed | None:
        """Seals the key of a private blob and attaches its policies, before anything of it is sent."""
        if self._sealer is None or not isinstance(item.source, EncryptedSource):
            return None
        self._tell(Stage.SEAL, item.source.name, 0, 1)
        sealed = await self._sealer.seal(item.source, blob_object)
        self._tell(Stage.SEAL, item.source.name, 1, 1)
        return sealed

    async def _register(self, items: Sequence[Pending]) -> None:
        """Registers what was not paid yet, in as few transactions as possible."""
        for start in range(0, len(items), MAXIMUM_BATCH):
            batch = items[start : start + MAXIMUM_BATCH]
            terms = self._terms
            receipt = await self._pay(
                [Registration(item.blob_id, item.metadata.size, terms.epochs, terms.deletable) for item in batch]
            )
            objects = await self._chain.blobs(receipt.objects)
            for item, blob_object, charge in zip(batch, objects, receipt.charges, strict=True):
                item.blob_object, item.paid = blob_object, charge
                item.register_gas = receipt.gas_used // len(batch)

    async def _pay(self, registrations: Sequence[Registration]) -> RegisterReceipt:
        try:
            return await self._writer.register(registrations)
        except AllowanceTooSmall:
            # Once for each account: the vault collects only what the account itself asks to be charged.
            await self._writer.approve_vault()
            return await self._writer.register(registrations)

    async def _finish(self, item: Pending) -> StoredBlob | FailedBlob:
        try:
            async with self._uploads:
                return await self._store(item)
        except WalrusError as error:
            return FailedBlob(item.source.name, item.blob_id, error)

    async def _store(self, item: Pending) -> StoredBlob:
        blob_object = item.existing or item.blob_object
        if blob_object is None:
            raise Bug(f"blob {item.blob_id} was neither found nor registered")
        with ExitStack() as files:
            files.callback(item.source.close)
            item.sealed = await self._seal(item, blob_object)
            if blob_object.status is BlobStatus.CERTIFIED:
                await self._write_attributes(blob_object.id)
                return self._stored(item, blob_object, Outcome.ALREADY_STORED)
            upload, certificate, receipt = await self._certified(item, blob_object, files)
            # The rest of the upload may still read the source.
            self.background.append(Background(upload, files.pop_all()))
        await self._write_attributes(blob_object.id)
        self._tell(Stage.CERTIFY, item.source.name, 1, 1)
        stored = self._stored(item, blob_object, Outcome.RESUMED if item.existing else Outcome.STORED)
        if receipt is None:
            return stored
        return replace(
            stored,
            weight=certificate.weight,
            transaction=receipt.transaction,
            gas_used=item.register_gas + receipt.gas_used,
            skipped=upload.failures,
        )

    async def _certified(
        self, item: Pending, blob_object: BlobObject, files: ExitStack
    ) -> tuple[Upload, Certificate[StorageAttestation], Receipt | None]:
        """Uploads and certifies; when the committee changed meanwhile, once more with the one in office.

        Args:
            files: what the upload that led to the certificate still reads is entered here.
        Raises:
            QuorumUnreachable, Rejected, SourceChanged: what failed, and the committee is the same.
            CommitteeKeptChanging: it changed each time.
        """
        context = self._context
        for attempt in range(_COMMITTEES):
            with ExitStack() as reading:
                upload = self._upload_of(item, blob_object, context, reading, again=attempt > 0)
                try:
                    certificate = await self._uploaded(item, upload)
                    receipt = await self._certify(blob_object.id, certificate.signers, certificate.signatures)
                except (QuorumUnreachable, Rejected) as error:
                    await upload.abandon()
                    # Not before: a segment that is being encoded still reads the source.
                    await in_coder(None, reading.close)
                    context = await self._committee_after(context, error, misdirected=upload.misdirected)
                except BaseException:
                    await upload.abandon()
                    raise
                else:
                    files.push(reading.pop_all())
                    return upload, certificate, receipt
        raise CommitteeKeptChanging(item.blob_id, blob_object.id, _COMMITTEES)

    @staticmethod
    async def _uploaded(item: Pending, upload: Upload) -> Certificate[StorageAttestation]:
        try:
            return await upload.certificate()
        except WalrusError as error:
            if item.source.stamp() != item.stamp:
                raise SourceChanged(item.source.name) from error
            raise

    async def _committee_after(self, before: ReadContext, error: WalrusError, *, misdirected: bool) -> ReadContext:
        """The committee that took office since `before`, as the reason for `error`.

        Args:
            misdirected: nodes have seen another one; the chain's endpoint may be behind them.
        Raises: `error`, when there is none.
        """
        for look in range(_LOOKS if misdirected else 1):
            if look:
                await asyncio.sleep(BEHIND_SECONDS)
            try:
                now = await self._renew(before)
            except Retryable:
                continue  # what failed says more than that the chain cannot be asked why
            if _signs(now) != _signs(before):
                self._context = now
                return now
        raise error

    def _upload_of(
        self, item: Pending, blob_object: BlobObject, context: ReadContext, files: ExitStack, *, again: bool
    ) -> Upload:
        """The upload to one committee.

        Args:
            again: it was uploaded to another one before, so many nodes have their slivers.
        """
        shards = context.committee.shards
        encoded, item.encoded = item.encoded, None
        if encoded is None:
            segments = encode_segments(iter_segments(files.enter_context(item.source.open())), shards)
        else:
            segments = iter([encoded])
        del encoded
        # Let go of with the files: the upload refers to itself, so what it holds would stay until garbage is collected.
        remaining = [segments]
        files.callback(remaining.clear)
        del segments
        sent, total = 0, item.metadata.geometry.encoded_bytes - item.metadata.geometry.segments * shards * 64

        def on_sent(size: int) -> None:
            nonlocal sent
            sent += size
            # What is sent to another committee once more is no step back.
            item.sent = max(item.sent, min(sent, total))
            self._tell(Stage.UPLOAD, item.source.name, item.sent, total)

        if not again:
            self._tell(Stage.UPLOAD, item.source.name, 0, total)
        task = UploadTask(item.metadata, blob_object.id, blob_object.deletable, again or item.existing is not None)
        return Upload(
            task,
            context.committee,
            context.agents,
            self._chain.registry_domain,
            lambda: _next_segment(remaining[0], item),
            on_sent,
        )

    async def _certify(self, blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt | None:
        """Hands the certificate in; None when somebody else, or an earlier store, did so meanwhile."""
        try:
            return await self._writer.certify(blob_object, signers, signatures)
        except WrongStatus as error:
            if error.actual is not BlobStatus.CERTIFIED:
                raise
            return None

    async def _write_attributes(self, blob_object: BlobObjectId) -> None:
        if self._terms.attributes:
            attributes = [Attribute(key, value) for key, value in self._terms.attributes.items()]
            await self._writer.set_attributes(blob_object, attributes)

    def _stored(self, item: Pending, blob_object: BlobObject, outcome: Outcome) -> StoredBlob:
        return StoredBlob(
            name=item.source.name,
            blob_id=item.blob_id,
            blob_object=blob_object.id,
            size=item.metadata.size,
            encoded_bytes=item.metadata.geometry.encoded_bytes,
            end=blob_object.end,
            deletable=blob_object.deletable,
            outcome=outcome,
            paid=item.paid,
            weight=0,
            transaction=None,
            gas_used=item.register_gas,
            skipped={},
            sealed=item.sealed,
        )

    def _tell(self, stage: Stage, name: str, done: int, total: int | None) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(stage, name, done, total))


def _signs(context: ReadContext) -> tuple[object, ...]:
    """What makes a certificate of one committee useless to another."""
    committee = context.committee
    return committee.epoch, *((member.signer, member.shards) for member in committee.members)


async def commit_source(source: Rereadable, shards: int, on_progress: OnProgress | None = None) -> Pending:
    """The first pass over a source: its metadata, and with it the blob id. Works without a network."""
    stamp, size = source.stamp(), source.size
    commitment, done = Commitment(shards), 0
    with source.open() as file:
        segments = iter_segments(file)

        def add_next() -> int | None:
            segment = next(segments, None)
            if segment is None:
                return None
            commitment.add(segment)
            return len(segment)

        while (added := await in_coder(size, add_next)) is not None:
            done += added
            if on_progress is not None:
                on_progress(Progress(Stage.COMMIT, source.name, done, size))
    committed = commitment.finish()
    return Pending(source, stamp, committed.metadata, committed.encoded)


async def find_existing(
    chain: ChainReader,
    owner: Address,
    blob_id: BlobId,
    fits: Callable[[BlobObject], Awaitable[bool]] | None = None,
) -> BlobObject | None:
    """An object of this owner and blob that is paid for: a certified one, else one that waits for its certificate.

    Args:
        fits: which objects will do; all when None.
    """
    objects = await chain.objects_of(blob_id)
    own = [item for item in objects if item.owner == owner]
    for status in (BlobStatus.CERTIFIED, BlobStatus.REGISTERED):
        found = [item for item in own if item.status is status]
        if fits is not None:
            found = [item for item in found if await fits(item)]
        if found:
            return max(found, key=lambda item: item.end)
    return None


async def quote_store(
    chain: ChainReader, owner: Address | None, source: Rereadable, shards: int, epochs: int
) -> StoreQuote:
    """What storing a source would cost; pays and sends nothing."""
    item = await commit_source(source, shards)
    quote = await chain.quote(item.metadata.size, epochs)
    existing = None if owner is None else await find_existing(chain, owner, item.blob_id)
    return StoreQuote(
        name=source.name,
        blob_id=item.blob_id,
        size=item.metadata.size,
        encoded_bytes=item.metadata.geometry.encoded_bytes,
        units=quote.units,
        rate=quote.rate,
        fee=quote.fee,
        total=quote.total,
        already=None if existing is None else existing.id,
    )


def _next_segment(segments: Iterator[EncodedSegment], item: Pending) -> EncodedSegment:
    """The next segment of the second pass.

    Raises:
        SourceChanged: the source has fewer segments than in the first pass.
        SourceUnreadable: the disk it is on failed.
    """
    try:
        encoded = next(segments, None)
    except OSError as error:
        raise SourceUnreadable(item.source.name, error.strerror or str(error)) from error
    if encoded is None:
        raise SourceChanged(item.source.name)
    return encoded
