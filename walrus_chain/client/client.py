"""The façade: everything that one can do with a network, each with the name it has in the `walrus` CLI.

    async with Client.connect(["http://127.0.0.1:8545"], deployment, account=account) as client:
        stored = await client.store("report.pdf", epochs=10)
        data = await client.read_bytes(stored.blob_id)

Source: docs/guides/developers.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from walrus_chain.client.invalidate import Inquiry
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.read import BlobReader, ReadContext
from walrus_chain.client.reputation import Reputation
from walrus_chain.client.results import (
    BlobReport,
    Check,
    FailedBlob,
    InvalidatedBlob,
    NetworkReport,
    NodeReport,
    OnProgress,
    ReadSummary,
    StoredBlob,
    StoreQuote,
)
from walrus_chain.client.sources import Source, Storable, source_of
from walrus_chain.client.store import StoreDriver, StoreTerms, commit_source, quote_store
from walrus_chain.client.threads import in_thread
from walrus_chain.errors import (
    AmbiguousBlob,
    BlobNotFound,
    BlobNotInvalidated,
    BlobUnreachable,
    NoWallet,
    WalrusError,
)
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.deployments import Deployment
    from walrus_chain.chain.transactions import Receipt, TransactionSigner
    from walrus_chain.chain.views import BlobObject, ExtensionQuote
    from walrus_chain.client.outlook import CommitteeReport, EpochReport, PriceReport
    from walrus_chain.client.policies import PolicyDesk
    from walrus_chain.client.stake import Stakes

#: A blob by its id (also as text), or one object of it by its number.
BlobRef = BlobId | BlobObjectId | str

#: How long a committee is taken to serve on before the chain is asked again, in seconds.
_COMMITTEE_SECONDS = 30.0
#: How long a closing client waits for nodes that are still being sent slivers, in seconds.
_GRACE_SECONDS = 30.0
#: How long nodes have to examine a blob, in seconds.
INQUIRY_SECONDS = 600.0
#: How long a node has to say how it is, in seconds.
_HEALTH_SECONDS = 5.0

_NOT_HERE = "it was never registered in this network, or its owner deleted it; check the id and the network"
LIVE = (BlobStatus.REGISTERED, BlobStatus.CERTIFIED)
T = TypeVar("T")


class Client:
    """One network, seen by one account; an async context manager. Calls may be made at the same time."""

    def __init__(self, chain: ChainReader, agents: Agents, writer: ChainWriter | None = None) -> None:
        """
        Args:
            writer: who signs and pays; None for a client that only reads.
        """
        self.chain = chain
        self._agents = agents
        self._writer = writer
        self._reputation = Reputation()
        self._context: ReadContext | None = None
        self._context_time = 0.0
        self._context_lock = asyncio.Lock()
        self._background: set[asyncio.Task[None]] = set()
        self._closing: list[Callable[[], Awaitable[None]]] = [agents.aclose]

    @classmethod
    def connect(
        cls,
        urls: Sequence[str],
        deployment: Deployment | str | PathLike[str],
        *,
        account: TransactionSigner | None = None,
    ) -> Client:
        """A client of a deployed network. Nothing is asked before the first call.

        Args:
            urls: RPC endpoints of the chain, the preferred one first.
            deployment: where the contracts are: the value, or the file that holds it.
            account: who signs and pays, such as an `eth_account` local account; None to read only.
        Raises: MalformedDeployment: the file holds something else.
        """
        from walrus_chain.chain.deployments import Deployment
        from walrus_chain.chain.network import Chain
        from walrus_chain.chain.sender import Sender
        from walrus_chain.transport.http import HttpAgents

        if not isinstance(deployment, Deployment):
            deployment = Deployment.load(Path(deployment))
        chain = Chain.connect(urls, deployment)
        client = cls(chain, HttpAgents(), None if account is None else Sender(chain, account))
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
        """The account that signs and pays; None for a client that only reads."""
        return None if self._writer is None else self._writer.address

    @property
    def stake(self) -> Stakes:
        """Staking WAL with nodes: `client.stake.add(node_id, amount)` and what `walrus stake` has besides."""
        from walrus_chain.client.stake import Stakes

        return Stakes(self.chain, self._signing)

    @property
    def policies(self) -> PolicyDesk:
        """The rules that data carries: `client.policies.dry_run(...)` and what `walrus policy` has besides."""
        from walrus_chain.client.policies import PolicyDesk

        return PolicyDesk(self.chain, self._signing)

    # -- storing -----------------------------------------------------------------------------------------------------

    async def store(
        self,
        source: Storable,
        *,
        epochs: int = 1,
        deletable: bool = True,
        attributes: Mapping[str, str] | None = None,
        reuse: bool = True,
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
            name: what to call it in results and progress.
            on_progress: told how far it is.
        Raises:
            SourceUnreadable, SourceChanged: the source is not there, or does not hold still.
            Rejected: the chain refused; NotEnoughWal says how much is missing.
            QuorumUnreachable: too few nodes took it; store it again to go on.
            CommitteeKeptChanging: each time it was stored another committee took office; store it again to go on.
        """
        [result] = await self.store_many(
            [source],
            epochs=epochs,
            deletable=deletable,
            attributes=attributes,
            reuse=reuse,
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
        driver = StoreDriver(self.chain, writer, await self._read_context(), self._renewed, terms, on_progress)
        try:
            return await driver.run(opened)
        finally:
            for rest in driver.background:
                self._spawn(rest.finish())

    async def quote(
        self, source: Storable, *, epochs: int = 1, name: str | None = None, owner: Address | None = None
    ) -> StoreQuote:
        """What storing a source would cost, and its blob id; pays and sends nothing.

        Args:
            owner: who would store it; this client's own account when none is named.
        """
        opened = await self._open(source, name)
        committee = (await self._read_context()).committee
        try:
            return await quote_store(self.chain, owner or self.account, opened, committee.shards, epochs)
        finally:
            opened.close()

    async def blob_id(self, source: Storable) -> BlobId:
        """The blob id that a source has in this network; pays and sends nothing."""
        opened = await self._open(source)
        try:
            return (await commit_source(opened, (await self._read_context()).committee.shards)).blob_id
        finally:
            opened.close()

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(
        self, blob: BlobRef, start: int = 0, stop: int | None = None, *, check: Check = Check.DEFAULT
    ) -> BlobReader:
        """The bytes `[start, stop)` of a blob, as an asynchronous iterator of verified pieces, in order.

        Args:
            stop: one past the last byte; None for the blob's end.
            check: how to make sure that the blob means the same to everybody.
        Raises (while iterating):
            BlobNotFound: there is no such blob, or not any more; says why.
            BlobUnreachable: too few nodes answered; says what each of them said.
            InconsistentEncoding: whoever stored it encoded it wrongly.
            RangeOutsideBlob: the blob is shorter.
        """
        return BlobReader(
            lambda: self._resolve(blob), self._read_context, self._renewed, self._explain_missing, start, stop, check
        )

    async def read_bytes(
        self, blob: BlobRef, start: int = 0, stop: int | None = None, *, check: Check = Check.DEFAULT
    ) -> bytes:
        """The bytes `[start, stop)` of a blob, all at once. Arguments and errors are those of `read`."""
        async with self.read(blob, start, stop, check=check) as reader:
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
    ) -> ReadSummary:
        """Writes the bytes `[start, stop)` of a blob to a file. Arguments and errors are those of `read`.

        Args:
            target: a path, at which a file appears only when it is complete; or an open binary file.
            on_bytes: told how many bytes were written, and how many there will be.
        """
        from walrus_chain.client.targets import writing_to

        async with self.read(blob, start, stop, check=check) as reader:
            with writing_to(target) as file:
                async for piece in reader:
                    await asyncio.to_thread(file.write, piece)
                    if on_bytes is not None and reader.size is not None:
                        on_bytes(reader.read, (reader.size if stop is None else stop) - start)
            return reader.summary

    async def _resolve(self, blob: BlobRef) -> BlobId:
        if isinstance(blob, BlobId):
            return blob
        if isinstance(blob, str):
            return BlobId.parse(blob)
        return (await self._object(blob)).blob_id

    async def _explain_missing(self, error: BlobUnreachable) -> WalrusError:
        """Why no agent has a blob, as far as the chain knows."""
        blob_id = BlobId.parse(str(error.blob_id))
        statuses = {item.status for item in await self.chain.objects_of(blob_id)}
        if not statuses:
            return BlobNotFound(f"blob {blob_id}", _NOT_HERE)
        if BlobStatus.CERTIFIED in statuses:
            return error
        if BlobStatus.REGISTERED in statuses:
            why = "it is registered but not certified yet: its owner has not finished storing it"
        elif BlobStatus.INVALID in statuses:
            why = "nodes attested that its bytes do not encode to its id, so it was dropped"
        else:
            why = "its term is over, so the nodes may have dropped it"
        return BlobNotFound(f"blob {blob_id}", why)

    # -- looking -----------------------------------------------------------------------------------------------------

    async def status(self, blob: BlobRef, *, ask_nodes: bool = True) -> BlobReport:
        """What chain and nodes know of a blob: its objects, and how many shards hold it in full.

        Raises: BlobNotFound: it was never registered here.
        """
        blob_id = await self._resolve(blob)
        objects = await self.chain.objects_of(blob_id)
        if not objects:
            raise BlobNotFound(f"blob {blob_id}", _NOT_HERE)
        attributes = {
            item.id: {pair.key: pair.value for pair in await self.chain.attributes(item.id)}
            for item in objects
            if item.status in LIVE
        }
        context = await self._read_context()
        committee = context.committee
        nodes: tuple[NodeReport, ...] = ()
        if ask_nodes:
            nodes = await self._ask_all(lambda agent, member: _held(agent, member, blob_id), leaving=True)
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
        committee = (await self._read_context()).committee if parameters.committee_epoch else None
        balances = None if account is None else await self.chain.balances(account)
        return NetworkReport(parameters, committee.members if committee else (), account, balances)

    async def health(self) -> tuple[NodeReport, ...]:
        """How each node of the committee says it is; all are asked at once."""
        return await self._ask_all(_health)

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
        blob_object = await self._own(blob, owner)
        return {pair.key: pair.value for pair in await self.chain.attributes(blob_object.id)}

    async def quote_extension(self, blob: BlobRef, epochs: int, *, owner: Address | None = None) -> ExtensionQuote:
        """What a longer term would cost.

        Args:
            owner: whose object of a blob id is meant; this client's own account when none is named.
        """
        return await self.chain.quote_extension(await self._own(blob, owner), epochs)

    # -- changing ----------------------------------------------------------------------------------------------------

    async def extend(self, blob: BlobRef, epochs: int) -> BlobObject:
        """Make an object's term longer; the object as it is afterwards. Anybody may pay for any object.

        Raises: Rejected: the chain refused; NotEnoughWal says how much is missing.
        """
        writer, blob_object = self._signing("extending a blob"), await self._own(blob)
        await self._paying(writer, lambda: writer.extend(blob_object.id, epochs))
        return await self.chain.blob(blob_object.id)

    async def delete(self, blob: BlobRef) -> Wei:
        """End an object's term; what is paid back to your claim in the vault (`withdraw` takes it out)."""
        writer, blob_object = self._signing("deleting a blob"), await self._own(blob)
        before = (await self.chain.balances(writer.address)).claim
        await writer.delete(blob_object.id)
        return Wei((await self.chain.balances(writer.address)).claim - before)

    async def transfer(self, blob: BlobRef, to: Address) -> Receipt:
        """Give an object to another account."""
        writer, blob_object = self._signing("transferring a blob"), await self._own(blob)
        return await writer.transfer(blob_object.id, to)

    async def set_attributes(self, blob: BlobRef, attributes: Mapping[str, str]) -> Receipt:
        """Write small texts on an object; an empty one removes its key."""
        from walrus_chain.chain.views import Attribute

        writer, blob_object = self._signing("writing attributes"), await self._own(blob)
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
        from walrus_chain.chain.rejections import AlreadyInvalid, TooFewAccusers, UnknownMember, WrongMemberSignature

        writer, blob_id = self._signing("invalidating a blob"), await self._resolve(blob)
        objects = await self.chain.objects_of(blob_id)
        ids = tuple(item.id for item in objects)
        statuses = {item.status for item in objects}
        if BlobStatus.INVALID in statuses:
            return InvalidatedBlob(blob_id, ids, 0, None, 0)
        if statuses.isdisjoint(LIVE):
            raise BlobNotFound(f"a live object of blob {blob_id}", "its term is over" if objects else _NOT_HERE)
        context = await self._read_context()
        try:
            try:
                weight, receipt = await self._condemned(writer, context, blob_id, seconds)
            except (BlobNotInvalidated, WrongMemberSignature, UnknownMember, TooFewAccusers):
                # Only the committee in office is heard. Nodes remember what they found: asking again costs nothing.
                if (now := await self._renewed(context)) is context:
                    raise
                weight, receipt = await self._condemned(writer, now, blob_id, seconds)
        except AlreadyInvalid:
            return InvalidatedBlob(blob_id, ids, 0, None, 0)
        return InvalidatedBlob(blob_id, ids, weight, receipt.transaction, receipt.gas_used)

    async def _condemned(
        self, writer: ChainWriter, context: ReadContext, blob_id: BlobId, seconds: float
    ) -> tuple[int, Receipt]:
        """Has a committee examine a blob, and hands in what it finds: the shards that attested, and the transaction."""
        inquiry = Inquiry(blob_id, context.committee, context.agents, self.chain.registry_domain)
        certificate = await inquiry.certificate(seconds)
        return certificate.weight, await writer.invalidate(blob_id, certificate.signers, certificate.signatures)

    async def withdraw(self, amount: Wei | None = None) -> Wei:
        """Take what the vault owes this account out of it; all of it when no amount is named."""
        writer = self._signing("withdrawing")
        due = amount if amount is not None else (await self.chain.balances(writer.address)).claim
        if due:
            await writer.withdraw(due, writer.address)
        return due

    # -- parts -------------------------------------------------------------------------------------------------------

    async def _open(self, source: Storable, name: str | None = None) -> Source:
        """What a caller means; streams are read to their end, in a thread."""
        size = len(source) if isinstance(source, bytes) else None
        return await in_thread(size, lambda: source_of(source, name))

    def _signing(self, what: str) -> ChainWriter:
        if self._writer is None:
            raise NoWallet(what)
        return self._writer

    async def _paying(self, writer: ChainWriter, call: Callable[[], Awaitable[T]]) -> T:
        from walrus_chain.chain.library_rejections import AllowanceTooSmall

        try:
            return await call()
        except AllowanceTooSmall:
            await writer.approve_vault()
            return await call()

    async def _object(self, number: BlobObjectId) -> BlobObject:
        found = await self.chain.blob(number)
        if found.status is BlobStatus.UNKNOWN:
            raise BlobNotFound(f"object {number}", "it was never registered in this network, or it was deleted")
        return found

    async def _own(self, blob: BlobRef, owner: Address | None = None) -> BlobObject:
        """The one object that is meant: by its number, or the only live one of an account and blob."""
        if not isinstance(blob, BlobId | str):
            return await self._object(blob)
        blob_id, account = await self._resolve(blob), owner or self.account
        live = [item for item in await self.chain.objects_of(blob_id) if item.status in LIVE]
        meant = [item for item in live if account is None or item.owner == account]
        if not meant:
            why = "others have one; name theirs by its number" if live else "no object of it is live"
            raise BlobNotFound(f"an object of yours of blob {blob_id}", why)
        if len(meant) > 1:
            raise AmbiguousBlob(blob_id, [item.id for item in meant])
        return meant[0]

    async def _read_context(self) -> ReadContext:
        """Committee and agents; asked of the chain now and then."""
        async with self._context_lock:
            if self._context is None or self._now() - self._context_time > _COMMITTEE_SECONDS:
                return await self._ask_for_context()
            return self._context

    async def _renewed(self, stale: ReadContext) -> ReadContext:
        """The context, when `stale` seems to be out of date; asked of the chain unless that was done since."""
        async with self._context_lock:
            if self._context is None or self._context is stale:
                return await self._ask_for_context()
            return self._context

    async def _ask_for_context(self) -> ReadContext:
        now, before = self._now(), self._context
        committee = await self.chain.committee()
        if before is None or committee != before.committee:
            if before is None or _nodes(committee) != _nodes(before.committee):
                self._reputation = Reputation()
            self._context = before = ReadContext(committee, self._agents_of(committee), self._reputation)
        self._context_time = now
        return before

    def _agents_of(self, committee: Committee) -> tuple[AgentClient, ...]:
        members = (*committee.members, *committee.leaving)
        return tuple(self._agents.at(member.url, member.name) for member in members)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _ask_all(
        self, ask: Callable[[AgentClient, Member], Awaitable[NodeReport]], *, leaving: bool = False
    ) -> tuple[NodeReport, ...]:
        """What all members say, and where that is asked for those that still keep shards and serve no more."""
        context = await self._read_context()
        members = (*context.committee.members, *(context.committee.leaving if leaving else ()))

        async def one(agent: AgentClient, member: Member) -> NodeReport:
            try:
                async with asyncio.timeout(_HEALTH_SECONDS):
                    return await ask(agent, member)
            except TimeoutError:
                return NodeReport(member, why=f"no answer within {_HEALTH_SECONDS:g} s")
            except WalrusError as error:
                return NodeReport(member, why=str(error))

        return tuple(await asyncio.gather(*map(one, context.agents, members)))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _nodes(committee: Committee) -> list[int]:
    """Who stands at which place of a context."""
    return [member.node_id for member in (*committee.members, *committee.leaving)]


async def _held(agent: AgentClient, member: Member, blob_id: BlobId) -> NodeReport:
    begun = asyncio.get_running_loop().time()
    held = await agent.blob(blob_id)
    return NodeReport(member, held=held, seconds=asyncio.get_running_loop().time() - begun)


async def _health(agent: AgentClient, member: Member) -> NodeReport:
    begun = asyncio.get_running_loop().time()
    health = await agent.health()
    return NodeReport(member, health=health, seconds=asyncio.get_running_loop().time() - begun)
