"""The client without async, for scripts and notebooks: the same names, arguments, results and errors as `Client`.

    with SyncClient.connect(["http://127.0.0.1:8545"], "deployment.json", account=account) as client:
        stored = client.store("report.pdf", epochs=10)
        data = client.read_bytes(stored.blob_id)

A thread runs the event loop, so uploads go on in the background between calls.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from os import PathLike
from typing import IO, TYPE_CHECKING, Any, TypeVar, Unpack

from walrus_chain.client.client import INQUIRY_SECONDS, Client
from walrus_chain.client.keys import ReadOptions
from walrus_chain.client.objects import BlobRef
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
from walrus_chain.client.sources import Storable
from walrus_chain.client.sync_desks import SyncDesks
from walrus_chain.codec.buffers import Buffer
from walrus_chain.messages.signing import Signer
from walrus_chain.types import Address, BlobId, NodeId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.deployments import Deployment
    from walrus_chain.chain.stakes import Leaving, Payout, Settled, Staked, Tell
    from walrus_chain.chain.transactions import Receipt, TransactionSigner
    from walrus_chain.chain.views import BlobObject, ExtensionQuote
    from walrus_chain.client.audit import Audit
    from walrus_chain.client.home import WalrusHome
    from walrus_chain.client.outlook import CommitteeReport, EpochReport, PriceReport
    from walrus_chain.client.stake import Stake, Stakes

T = TypeVar("T")


class SyncClient(SyncDesks):
    """One network, seen by one account; a context manager. Calls may be made from several threads."""

    def __init__(self, make: Callable[[], Client]) -> None:
        """
        Args:
            make: makes the client; called where its event loop runs.
        """
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="walrus-client", daemon=True)
        self._thread.start()
        try:
            self._client = self._run(_made(make))
        except BaseException:
            self._stop()
            raise

    @classmethod
    def connect(
        cls,
        urls: Sequence[str],
        deployment: Deployment | str | PathLike[str],
        *,
        account: TransactionSigner | None = None,
        requester: Signer | None = None,
        home: WalrusHome | None = None,
    ) -> SyncClient:
        """See `Client.connect`."""
        return cls(lambda: Client.connect(urls, deployment, account=account, requester=requester, home=home))

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def finish(self, seconds: float | None = None) -> bool:
        """See `Client.finish`."""
        return self._run(self._client.finish(seconds))

    def close(self) -> None:
        """See `Client.aclose`."""
        if self._thread.is_alive():
            try:
                self._run(self._client.aclose())
            finally:
                self._stop()

    @property
    def account(self) -> Address | None:
        """See `Client.account`."""
        return self._client.account

    @property
    def stake(self) -> SyncStakes:
        """See `Client.stake`."""
        return SyncStakes(self._client.stake, self._run)

    def store(
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
        """See `Client.store`."""
        return self._run(
            self._client.store(
                source,
                epochs=epochs,
                deletable=deletable,
                attributes=attributes,
                reuse=reuse,
                private=private,
                name=name,
                on_progress=on_progress,
            )
        )

    def store_many(
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
        """See `Client.store_many`."""
        return self._run(
            self._client.store_many(
                sources,
                epochs=epochs,
                deletable=deletable,
                attributes=attributes,
                reuse=reuse,
                private=private,
                names=names,
                on_progress=on_progress,
            )
        )

    def quote(
        self,
        source: Storable,
        *,
        epochs: int = 1,
        private: bool = False,
        name: str | None = None,
        owner: Address | None = None,
    ) -> StoreQuote:
        """See `Client.quote`."""
        return self._run(self._client.quote(source, epochs=epochs, private=private, name=name, owner=owner))

    def blob_id(self, source: Storable) -> BlobId:
        """See `Client.blob_id`."""
        return self._run(self._client.blob_id(source))

    def rewrap(
        self,
        blob: BlobRef,
        *,
        nodes: Sequence[NodeId] | None = None,
        threshold: int | None = None,
        erasable: bool = False,
        next_key_epoch: bool = False,
        for_announced: bool = False,
    ) -> Sealed:
        """See `Client.rewrap`."""
        return self._run(
            self._client.rewrap(
                blob,
                nodes=nodes,
                threshold=threshold,
                erasable=erasable,
                next_key_epoch=next_key_epoch,
                for_announced=for_announced,
            )
        )

    def read(
        self,
        blob: BlobRef,
        start: int = 0,
        stop: int | None = None,
        *,
        check: Check = Check.DEFAULT,
        **options: Unpack[ReadOptions],
    ) -> Iterator[Buffer]:
        """See `Client.read`; an ordinary iterator of verified pieces."""

        async def begin() -> Reader:
            return self._client.read(blob, start, stop, check=check, **options)

        async def piece_of(reader: Reader) -> Buffer | None:
            return await anext(reader, None)

        reader = self._run(begin())
        try:
            while (piece := self._run(piece_of(reader))) is not None:
                yield piece
        finally:
            self._run(reader.aclose())

    def read_bytes(
        self,
        blob: BlobRef,
        start: int = 0,
        stop: int | None = None,
        *,
        check: Check = Check.DEFAULT,
        **options: Unpack[ReadOptions],
    ) -> bytes:
        """See `Client.read_bytes`."""
        return self._run(self._client.read_bytes(blob, start, stop, check=check, **options))

    def read_to(
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
        """See `Client.read_to`."""
        return self._run(self._client.read_to(blob, target, start, stop, check=check, on_bytes=on_bytes, **options))

    def audit(self, blob: BlobRef) -> Audit:
        """See `Client.audit`."""
        return self._run(self._client.audit(blob))

    def status(self, blob: BlobRef, *, ask_nodes: bool = True) -> BlobReport:
        """See `Client.status`."""
        return self._run(self._client.status(blob, ask_nodes=ask_nodes))

    def list(self, owner: Address | None = None) -> tuple[BlobObject, ...]:
        """See `Client.list`."""
        return self._run(self._client.list(owner))

    def info(self, account: Address | None = None) -> NetworkReport:
        """See `Client.info`."""
        return self._run(self._client.info(account))

    def health(self) -> tuple[NodeReport, ...]:
        """See `Client.health`."""
        return self._run(self._client.health())

    def committee(self) -> CommitteeReport:
        """See `Client.committee`."""
        return self._run(self._client.committee())

    def epoch(self) -> EpochReport:
        """See `Client.epoch`."""
        return self._run(self._client.epoch())

    def prices(self) -> PriceReport:
        """See `Client.prices`."""
        return self._run(self._client.prices())

    def attributes(self, blob: BlobRef, *, owner: Address | None = None) -> dict[str, str]:
        """See `Client.attributes`."""
        return self._run(self._client.attributes(blob, owner=owner))

    def quote_extension(self, blob: BlobRef, epochs: int, *, owner: Address | None = None) -> ExtensionQuote:
        """See `Client.quote_extension`."""
        return self._run(self._client.quote_extension(blob, epochs, owner=owner))

    def extend(self, blob: BlobRef, epochs: int) -> BlobObject:
        """See `Client.extend`."""
        return self._run(self._client.extend(blob, epochs))

    def delete(self, blob: BlobRef) -> Wei:
        """See `Client.delete`."""
        return self._run(self._client.delete(blob))

    def transfer(self, blob: BlobRef, to: Address) -> Receipt:
        """See `Client.transfer`."""
        return self._run(self._client.transfer(blob, to))

    def set_attributes(self, blob: BlobRef, attributes: Mapping[str, str]) -> Receipt:
        """See `Client.set_attributes`."""
        return self._run(self._client.set_attributes(blob, attributes))

    def invalidate(self, blob: BlobRef, *, seconds: float = INQUIRY_SECONDS) -> InvalidatedBlob:
        """See `Client.invalidate`."""
        return self._run(self._client.invalidate(blob, seconds=seconds))

    def withdraw(self, amount: Wei | None = None) -> Wei:
        """See `Client.withdraw`."""
        return self._run(self._client.withdraw(amount))

    def _run(self, call: Coroutine[Any, Any, T], /) -> T:
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncStakes:
    """Staking without async: the same names, arguments, results and errors as `Client.stake`."""

    def __init__(self, stakes: Stakes, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._stakes = stakes
        self._run = run

    def list(self, account: Address | None = None) -> tuple[Stake, ...]:
        """See `Stakes.list`."""
        found: tuple[Stake, ...] = self._run(self._stakes.list(account))
        return found

    def add(self, node_id: NodeId, amount: Wei, tell: Tell | None = None) -> Staked:
        """See `Stakes.add`."""
        staked: Staked = self._run(self._stakes.add(node_id, amount, tell))
        return staked

    def remove(self, node_id: NodeId, amount: Wei | None = None, tell: Tell | None = None) -> Leaving:
        """See `Stakes.remove`."""
        leaving: Leaving = self._run(self._stakes.remove(node_id, amount, tell))
        return leaving

    def withdraw(self, node_id: NodeId | None = None, tell: Tell | None = None) -> Payout:
        """See `Stakes.withdraw`."""
        payout: Payout = self._run(self._stakes.withdraw(node_id, tell))
        return payout

    def claim(self, node_id: NodeId | None = None, tell: Tell | None = None) -> Payout:
        """See `Stakes.claim`."""
        payout: Payout = self._run(self._stakes.claim(node_id, tell))
        return payout

    def settle(self, node_id: NodeId, tell: Tell | None = None) -> Settled:
        """See `Stakes.settle`."""
        settled: Settled = self._run(self._stakes.settle(node_id, tell))
        return settled


async def _made(make: Callable[[], Client]) -> Client:
    return make()
