"""The façade: everything that one can do with a network, each with the name it has in the `walrus` CLI.

    async with Client.connect(["http://127.0.0.1:8545"], deployment, account=account) as client:
        stored = await client.store("report.pdf", epochs=10)
        data = await client.read_bytes(stored.blob_id)

Source: docs/guides/developers.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Unpack

from walrus_chain.client.context import Contexts, health_of, held_by
from walrus_chain.client.desks import paying
from walrus_chain.client.facades import Facades
from walrus_chain.client.home import WalrusHome
from walrus_chain.client.invalidate import invalidate
from walrus_chain.client.keep import Keep, MemoryKeep
from walrus_chain.client.keys import ReadOptions
from walrus_chain.client.objects import LIVE, NOT_HERE, BlobRef, Objects
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.read import BlobReader
from walrus_chain.client.reader import Reader
from walrus_chain.client.results import (
    BlobReport,
    Check,
    FailedBlob,
    InvalidatedBlob,
    NetworkReport,
    NodeReport,
    OnProgress,
    ReadSummary,
    Sealed,
    StoredBlob,
    StoreQuote,
)
from walrus_chain.client.sealing import Privacy
from walrus_chain.client.sources import Rereadable, Source, Storable, source_of
from walrus_chain.client.store import StoreDriver, StoreTerms, commit_source, quote_store
from walrus_chain.client.threads import in_thread
from walrus_chain.errors import BlobNotFound, NoWallet
from walrus_chain.messages.signing import Signer
from walrus_chain.types import Address, BlobId, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.deployments import Deployment
    from walrus_chain.chain.payment_views import ReadChannel
    from walrus_chain.chain.transactions import Receipt, TransactionSigner
    from walrus_chain.chain.views import BlobObject, ExtensionQuote
    from walrus_chain.client.audit import Audit
    from walrus_chain.client.outlook import CommitteeReport, EpochReport, PriceReport
    from walrus_chain.client.private import PrivateData

#: How long a closing client waits for nodes that are still being sent slivers, in seconds.
_GRACE_SECONDS = 30.0
#: How long nodes have to examine a blob, in seconds.
INQUIRY_SECONDS = 600.0


class Client(Facades):
    """One network, seen by one account; an async context manager. Calls may be made at the same time."""

    def __init__(
        self,
        chain: ChainReader,
        agents: Agents,
        writer: ChainWriter | None = None,
        *,
        requester: Signer | None = None,
        keep: Keep | None = None,
    ) -> None:
        """
        Args:
            writer: who signs and pays; None for a client that only reads.
            requester: who reads private data: signs session grants. None for a client that reads public data only.
            keep: where secrets, sessions and promises are kept; in memory when None, so that they end with the program.
        """
        self.chain = chain
        self._agents = agents
        self._writer = writer
        self._requester = requester
        self._keep = keep or MemoryKeep()
        self._contexts = Contexts(chain, agents)
        self._objects = Objects(chain, lambda: self.account)
        self._background: set[asyncio.Task[None]] = set()
        self._closing: list[Callable[[], Awaitable[None]]] = [agents.aclose]

    @classmethod
    def connect(
        cls,
        urls: Sequence[str],
        deployment: Deployment | str | PathLike[str],
        *,
        account: TransactionSigner | None = None,
        requester: Signer | None = None,
        home: WalrusHome | None = None,
    ) -> Client:
        """A client of a deployed network. Nothing is asked before the first call.

        Args:
            urls: RPC endpoints of the chain, the preferred one first.
            deployment: where the contracts are: the value, or the file that holds it.
            account: who signs and pays, such as an `eth_account` local account; None to read only.
            requester: who reads private data, such as a smart account; `account` when None.
            home: where secrets, sessions and promises are kept, such as `WalrusHome.locate(os.environ)`; in memory when
                None, so that they end with the program.
        Raises: MalformedDeployment: the file holds something else.
        """
        from walrus_chain.chain.deployments import Deployment
        from walrus_chain.chain.network import Chain
        from walrus_chain.chain.sender import Sender
        from walrus_chain.client.accounts import signer_of
        from walrus_chain.transport.http import HttpAgents

        if not isinstance(deployment, Deployment):
            deployment = Deployment.load(Path(deployment))
        chain = Chain.connect(urls, deployment)
        writer = None if account is None else Sender(chain, account)
        if requester is None and account is not None:
            requester = signer_of(account)
        keep = None if home is None else home.keep(chain.access_domain)
        client = cls(chain, HttpAgents(), writer, requester=requester, keep=keep)
        client._closing.append(chain.aclose)
        return client

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def finish(self, seconds: float | None = None) -> bool:
        """Waits for nodes that are still being sent slivers of certified blobs.

        Args:
            seconds: how long; None for as long as it takes.
        Returns: whether nothing is under way any more.
        """
        if self._background:
            await asyncio.wait(self._background, timeout=seconds)
        return not self._background

    async def aclose(self, grace: float = _GRACE_SECONDS) -> None:
        """Gives uploads in the background `grace` seconds, then closes all connections."""
        await self.finish(grace)
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for close in self._closing:
            await close()

    @property
    def account(self) -> Address | None:
        """The account that signs and pays, or that reads; None for a client that only reads what is public."""
        if self._writer is not None:
            return self._writer.address
        return None if self._requester is None else self._requester.address

    # -- storing -----------------------------------------------------------------------------------------------------

    async def store(
        self,
        source: Storable,
        *,
        epochs: int = 1,
        deletable: bool = True,
        attributes: Mapping[str, str] | None = None,
        reuse: bool = True,
        private: Privacy | None = None,
        name: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> StoredBlob:
        """Store a blob; returns when it is certified, while the last nodes may still be sent their slivers.

        A store that was interrupted goes on where it stopped, without paying twice.

        Args:
            source: a path, bytes, or a binary file or stream.
            epochs: how long to store it, the current epoch included.
            deletable: whether you may end the term early and get the rest back.
            attributes: small texts to write on the object: name, media type, licence.
            reuse: be content with an object of yours that is certified already.
            private: encrypt it, and have nodes release its key as these policies say; None for public data.
            name: what to call it in results and progress.
            on_progress: told how far it is.
        Raises:
            SourceUnreadable, SourceChanged: the source is not there, or does not hold still.
            Rejected: the chain refused; NotEnoughWal says how much is missing.
            QuorumUnreachable: too few nodes took it; store it again to go on.
            CommitteeKeptChanging: each time it was stored another committee took office; store it again to go on.
            TooFewRecipients: too few nodes have a usable key for private data; says why.
        """
        [result] = await self.store_many(
            [source],
            epochs=epochs,
            deletable=deletable,
            attributes=attributes,
            reuse=reuse,
            private=private,
            names=None if name is None else [name],
            on_progress=on_progress,
        )
        if isinstance(result, FailedBlob):
            raise result.error
        return result

    async def store_many(
        self,
        sources: Sequence[Storable],
        *,
        epochs: int = 1,
        deletable: bool = True,
        attributes: Mapping[str, str] | None = None,
        reuse: bool = True,
        private: Privacy | None = None,
        names: Sequence[str] | None = None,
        on_progress: OnProgress | None = None,
    ) -> list[StoredBlob | FailedBlob]:
        """Store several blobs with one payment; one result for each, in order.

        A blob that fails does not hold the others up: see `FailedBlob.error`. Arguments are those of `store`.

        Raises: Rejected: the chain refused the registration, so nothing was stored or paid.
        """
        writer = self._signing("storing")
        opened = [await self._open(source, names[place] if names else None) for place, source in enumerate(sources)]
        terms = StoreTerms(epochs, deletable, attributes or {}, reuse)
        sealer = None if private is None else self._private.sealer(writer, private)
        context = await self._contexts.now()
        driver = StoreDriver(self.chain, writer, context, self._contexts.after, terms, on_progress, sealer)
        try:
            return await driver.run(opened)
        finally:
            for rest in driver.background:
                self._spawn(rest.finish())

    async def quote(
        self,
        source: Storable,
        *,
        epochs: int = 1,
        private: bool = False,
        name: str | None = None,
        owner: Address | None = None,
    ) -> StoreQuote:
        """What storing a source would cost, and its blob id; pays and sends nothing.

        Args:
            private: it would be encrypted.
            owner: who would store it; this client's own account when none is named.
        """
        opened = await self._open(source, name)
        try:
            stored: Rereadable = opened
            owner = owner or self.account
            if private:
                stored = await self._private.encrypted(opened, owner or self._signing("storing").address)
            committee = (await self._contexts.now()).committee
            return await quote_store(self.chain, owner, stored, committee.shards, epochs)
        finally:
            opened.close()

    async def blob_id(self, source: Storable) -> BlobId:
        """The blob id that a source has in this network, when it is stored as it is; pays and sends nothing."""
        opened = await self._open(source)
        try:
            return (await commit_source(opened, (await self._contexts.now()).committee.shards)).blob_id
        finally:
            opened.close()

    async def rewrap(
        self,
        blob: BlobRef,
        *,
        nodes: Sequence[NodeId] | None = None,
        threshold: int | None = None,
        erasable: bool = False,
        next_key_epoch: bool = False,
        for_announced: bool = False,
    ) -> Sealed:
        """Seal the key of an object of yours anew; its data stay as they are.

        Needed after other policies took effect, and wise when nodes left or changed their keys.

        Args:
            nodes, threshold, erasable: as of `Privacy`.
            next_key_epoch: begin the next key epoch, after which no key of this one is released.
            for_announced: seal for the policies that are announced. Until they hold nobody gets the key.
        Raises:
            NotPrivate: it has no sealed key.
            DataKeyUnknown: the key is neither on this computer, nor do the nodes release it to you.
            TooFewRecipients, UnknownRecipients, WrongThreshold: it cannot be sealed so.
        """
        privacy = Privacy(threshold=threshold, nodes=nodes, erasable=erasable)
        writer, blob_object = self._signing("sealing a key"), await self._objects.own(blob)
        return await self._private.rewrap(
            writer, blob_object, privacy, next_key_epoch=next_key_epoch, for_announced=for_announced
        )

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(
        self,
        blob: BlobRef,
        start: int = 0,
        stop: int | None = None,
        *,
        check: Check = Check.DEFAULT,
        **options: Unpack[ReadOptions],
    ) -> Reader:
        """The bytes `[start, stop)` of a blob, as an asynchronous iterator of verified pieces, in order.

        Private data are decrypted: the policy is asked, the price paid within the limit, and the nodes give the key.

        Args:
            stop: one past the last byte; None for the blob's end.
            check: how to make sure that the blob means the same to everybody.
            options: for private data, see `ReadOptions`: above all `spend_limit`, without which nothing is paid.
        Raises (while iterating):
            BlobNotFound: there is no such blob, or not any more; says why.
            BlobUnreachable: too few nodes answered; says what each of them said.
            InconsistentEncoding: whoever stored it encoded it wrongly.
            RangeOutsideBlob: the blob is shorter.
            AccessDenied, KeysDestroyed: the policy does not allow it; says which clause failed.
            PriceAboveLimit, NoWayToPay, ChannelTooSmall, ChannelUnusable: it costs something that cannot be paid.
            KeysUnreachable: too few nodes gave their share of the key; says what each of them said.
        """
        return self._private.reader(blob, start, stop, check, options)

    async def read_bytes(
        self,
        blob: BlobRef,
        start: int = 0,
        stop: int | None = None,
        *,
        check: Check = Check.DEFAULT,
        **options: Unpack[ReadOptions],
    ) -> bytes:
        """The bytes `[start, stop)` of a blob, all at once. Arguments and errors are those of `read`."""
        async with self.read(blob, start, stop, check=check, **options) as reader:
            return b"".join([piece async for piece in reader])

    async def read_to(
        self,
        blob: BlobRef,
        target: str | PathLike[str] | IO[bytes],
        start: int = 0,
        stop: int | None = None,
        *,
        check: Check = Check.DEFAULT,
        on_bytes: Callable[[int, int], None] | None = None,
        **options: Unpack[ReadOptions],
    ) -> ReadSummary:
        """Writes the bytes `[start, stop)` of a blob to a file. Arguments and errors are those of `read`.

        Args:
            target: a path, at which a file appears only when it is complete; or an open binary file.
            on_bytes: told how many bytes were written, and how many there will be.
        """
        from walrus_chain.client.targets import writing_to

        async with self.read(blob, start, stop, check=check, **options) as reader:
            with writing_to(target) as file:
                async for piece in reader:
                    await asyncio.to_thread(file.write, piece)
                    if on_bytes is not None and reader.size is not None:
                        on_bytes(reader.read, (reader.size if stop is None else stop) - start)
            return reader.summary

    async def audit(self, blob: BlobRef) -> Audit:
        """Who received keys of a private blob, when, at which block and for what: the nodes' receipts, verified.

        Says what is missing, not anchored, or contradicts itself; see `Audit`.
        """
        from walrus_chain.client.audit import Auditor

        objects = [item.id for item in await self._objects.usable(blob)]
        if not objects:
            raise BlobNotFound(f"a live object of blob {blob}", NOT_HERE)
        return await Auditor(self.chain, self._agents, self._keep).audit(objects)

    # -- looking -----------------------------------------------------------------------------------------------------

    async def status(self, blob: BlobRef, *, ask_nodes: bool = True) -> BlobReport:
        """What chain and nodes know of a blob: its objects, and how many shards hold it in full.

        Raises: BlobNotFound: it was never registered here.
        """
        blob_id = await self._objects.blob_id(blob)
        objects = await self.chain.objects_of(blob_id)
        if not objects:
            raise BlobNotFound(f"blob {blob_id}", NOT_HERE)
        attributes = {
            item.id: {pair.key: pair.value for pair in await self.chain.attributes(item.id)}
            for item in objects
            if item.status in LIVE
        }
        context = await self._contexts.now()
        committee = context.committee
        nodes: tuple[NodeReport, ...] = ()
        if ask_nodes:
            nodes = await self._contexts.ask_all(held_by(blob_id), leaving=True)
        return BlobReport(
            blob_id=blob_id,
            size=objects[0].size,
            objects=objects,
            nodes=nodes,
            healthy_shards=len({pair for node in nodes if node.held is not None for pair in node.held.pairs}),
            needed_shards=committee.geometry.rows,
            shards=committee.shards,
            attributes=attributes,
        )

    async def list(self, owner: Address | None = None) -> tuple[BlobObject, ...]:
        """All objects of an account; of this client's own one when none is named."""
        return await self.chain.blobs_of(owner or self._signing("listing your own blobs").address)

    async def info(self, account: Address | None = None) -> NetworkReport:
        """The network, its clock and prices, and what an account has in it.

        Args:
            account: this client's own one when none is named.
        """
        account = account or self.account
        parameters = await self.chain.parameters()
        committee = (await self._contexts.now()).committee if parameters.committee_epoch else None
        balances = None if account is None else await self.chain.balances(account)
        return NetworkReport(parameters, committee.members if committee else (), account, balances)

    async def health(self) -> tuple[NodeReport, ...]:
        """How each node of the committee says it is; all are asked at once."""
        return await self._contexts.ask_all(health_of)

    async def committee(self) -> CommitteeReport:
        """Who serves: members, regions, shards, stake, and shards that are on their way."""
        from walrus_chain.client.outlook import committee_report

        return await committee_report(self.chain)

    async def epoch(self) -> EpochReport:
        """Where the clock stands, whether the next committee is fixed, and how far custody proofs are."""
        from walrus_chain.client.outlook import epoch_report

        return await epoch_report(self.chain)

    async def prices(self) -> PriceReport:
        """What storage costs today and in the next epoch, and what the committee's votes come to."""
        from walrus_chain.client.outlook import price_report

        return await price_report(self.chain)

    async def attributes(self, blob: BlobRef, *, owner: Address | None = None) -> dict[str, str]:
        """What the owner wrote on an object.

        Args:
            owner: whose object of a blob id is meant; this client's own account when none is named.
        """
        blob_object = await self._objects.own(blob, owner)
        return {pair.key: pair.value for pair in await self.chain.attributes(blob_object.id)}

    async def quote_extension(self, blob: BlobRef, epochs: int, *, owner: Address | None = None) -> ExtensionQuote:
        """What a longer term would cost.

        Args:
            owner: whose object of a blob id is meant; this client's own account when none is named.
        """
        return await self.chain.quote_extension(await self._objects.own(blob, owner), epochs)

    # -- changing ----------------------------------------------------------------------------------------------------

    async def extend(self, blob: BlobRef, epochs: int) -> BlobObject:
        """Make an object's term longer; the object as it is afterwards. Anybody may pay for any object.

        Raises: Rejected: the chain refused; NotEnoughWal says how much is missing.
        """
        writer, blob_object = self._signing("extending a blob"), await self._objects.own(blob)
        await paying(writer, lambda: writer.extend(blob_object.id, epochs))
        return await self.chain.blob(blob_object.id)

    async def delete(self, blob: BlobRef) -> Wei:
        """End an object's term; what is paid back to your claim in the vault (`withdraw` takes it out)."""
        writer, blob_object = self._signing("deleting a blob"), await self._objects.own(blob)
        before = (await self.chain.balances(writer.address)).claim
        await writer.delete(blob_object.id)
        return Wei((await self.chain.balances(writer.address)).claim - before)

    async def transfer(self, blob: BlobRef, to: Address) -> Receipt:
        """Give an object to another account."""
        writer, blob_object = self._signing("transferring a blob"), await self._objects.own(blob)
        return await writer.transfer(blob_object.id, to)

    async def set_attributes(self, blob: BlobRef, attributes: Mapping[str, str]) -> Receipt:
        """Write small texts on an object; an empty one removes its key."""
        from walrus_chain.chain.views import Attribute

        writer, blob_object = self._signing("writing attributes"), await self._objects.own(blob)
        return await writer.set_attributes(blob_object.id, [Attribute(*pair) for pair in attributes.items()])

    async def invalidate(self, blob: BlobRef, *, seconds: float = INQUIRY_SECONDS) -> InvalidatedBlob:
        """Have the nodes examine a blob, and mark it invalid on chain when it does not encode to its id.

        Each node finds out by itself and remembers what it found. Nothing happens to a blob that is in order.

        Args:
            seconds: how long the nodes have; examining takes them about as long as reading the blob.
        Raises:
            BlobNotFound: no object of it is live.
            BlobIsConsistent: it encodes to its id.
            BlobNotInvalidated: too few nodes attest against it; says what each of them said.
        """
        writer, blob_id = self._signing("invalidating a blob"), await self._objects.blob_id(blob)
        context = await self._contexts.now()
        return await invalidate(self.chain, writer, context, self._contexts.after, blob_id, seconds)

    async def withdraw(self, amount: Wei | None = None) -> Wei:
        """Take what the vault owes this account out of it; all of it when no amount is named."""
        writer = self._signing("withdrawing")
        due = amount if amount is not None else (await self.chain.balances(writer.address)).claim
        if due:
            await writer.withdraw(due, writer.address)
        return due

    # -- parts -------------------------------------------------------------------------------------------------------

    @cached_property
    def _private(self) -> PrivateData:
        """Private data; made when it is used first."""
        from walrus_chain.client.private import PrivateData

        return PrivateData(
            self.chain, self._agents, self._keep, self._requester, self._objects, self._stored, self._opened_channel
        )

    def _stored(self, blob_id: BlobId, start: int, stop: int | None, check: Check) -> BlobReader:
        """The bytes of a blob as it is stored."""

        async def resolved() -> BlobId:
            return blob_id

        contexts = self._contexts
        return BlobReader(resolved, contexts.now, contexts.after, self._objects.explain_missing, start, stop, check)

    async def _opened_channel(self, pool: PoolId, deposit: Wei) -> ReadChannel:
        return (await self.channels.open(pool, deposit)).facts

    async def _open(self, source: Storable, name: str | None = None) -> Source:
        """What a caller means; streams are read to their end, in a thread."""
        size = len(source) if isinstance(source, bytes) else None
        return await in_thread(size, lambda: source_of(source, name))

    def _signing(self, what: str) -> ChainWriter:
        if self._writer is None:
            raise NoWallet(what)
        return self._writer

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
