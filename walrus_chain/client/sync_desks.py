"""The parts of a client without async: the same names, arguments, results and errors as those of `Client`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from walrus_chain.client.channels import Channel, Channels, Closing
from walrus_chain.client.compute import (
    DEFAULT_FUEL,
    DEFAULT_OUTPUT_BYTES,
    DEFAULT_REPLICAS,
    Compute,
    JobQuote,
    JobReport,
    JobResult,
    TriggerReport,
)
from walrus_chain.client.credentials import Credentials, IssuedCredential
from walrus_chain.client.objects import BlobRef
from walrus_chain.client.policies import DryRun, ObjectPolicies, Policies, PolicyDescription
from walrus_chain.client.pools import CreatedPool, Members, PoolReport, Pools
from walrus_chain.client.purchases import BoughtReads, Purchases, Subscription
from walrus_chain.client.renewals import Renewals
from walrus_chain.client.results import StoredBlob
from walrus_chain.compute.run import Outcome
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.payments.statement import Row
from walrus_chain.types import NOBODY, Address, BlobObjectId, ChannelId, JobId, PoolId, TriggerId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.compute_views import JobOrder, TriggerTerms
    from walrus_chain.chain.compute_writer import JobReceipt, TriggerReceipt
    from walrus_chain.chain.payment_views import Renewal
    from walrus_chain.chain.payment_writer import PaymentReceipt, RenewalReceipt, SettlementReceipt
    from walrus_chain.chain.policy_code import SolidityCode
    from walrus_chain.chain.policy_views import Credential
    from walrus_chain.chain.policy_writer import PolicyReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.client.client import Client

T = TypeVar("T")


class Run(Protocol):
    """Runs a call where the client lives, and waits for it."""

    def __call__(self, call: Coroutine[Any, Any, T], /) -> T:
        """What the call returns."""


class SyncDesks(ABC):
    """The part of a `SyncClient` that leads to its other parts."""

    _client: Client

    @abstractmethod
    def _run(self, call: Coroutine[Any, Any, T], /) -> T:
        """Runs a call where the client lives, and waits for it."""

    @property
    def policies(self) -> SyncPolicies:
        """See `Client.policies`."""
        return SyncPolicies(self._client.policies, self._run)

    @property
    def pools(self) -> SyncPools:
        """See `Client.pools`."""
        return SyncPools(self._client.pools, self._run)

    @property
    def purchases(self) -> SyncPurchases:
        """See `Client.purchases`."""
        return SyncPurchases(self._client.purchases, self._run)

    @property
    def channels(self) -> SyncChannels:
        """See `Client.channels`."""
        return SyncChannels(self._client.channels, self._run)

    @property
    def credentials(self) -> SyncCredentials:
        """See `Client.credentials`."""
        return SyncCredentials(self._client.credentials, self._run)

    @property
    def renewals(self) -> SyncRenewals:
        """See `Client.renewals`."""
        return SyncRenewals(self._client.renewals, self._run)

    @property
    def compute(self) -> SyncCompute:
        """See `Client.compute`."""
        return SyncCompute(self._client.compute, self._run)


class SyncPolicies:
    """Rules of objects without async: the same names, arguments, results and errors as `Client.policies`."""

    def __init__(self, policies: Policies, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._policies = policies
        self._run = run

    def show(self, blob: BlobRef) -> ObjectPolicies:
        """See `Policies.show`."""
        return self._run(self._policies.show(blob))

    def describe(self, policy: Address) -> PolicyDescription:
        """See `Policies.describe`."""
        return self._run(self._policies.describe(policy))

    def dry_run(
        self,
        target: BlobRef | Address,
        reader: Address | None = None,
        *,
        action: Action = Action.READ,
        program: bytes = NO_PROGRAM,
        sequence: int = 0,
        evidence: bytes | None = None,
        credential: bytes | None = None,
    ) -> DryRun:
        """See `Policies.dry_run`."""
        return self._run(
            self._policies.dry_run(
                target,
                reader,
                action=action,
                program=program,
                sequence=sequence,
                evidence=evidence,
                credential=credential,
            )
        )

    def create(self, kind: str, arguments: Mapping[str, Any]) -> PolicyReceipt:
        """See `Policies.create`."""
        return self._run(self._policies.create(kind, arguments))

    def deploy(self, code: SolidityCode, arguments: Mapping[str, Any]) -> PolicyReceipt:
        """See `Policies.deploy`."""
        return self._run(self._policies.deploy(code, arguments))

    def attach(
        self, blob: BlobRef, *, access: Address = NOBODY, retention: Address = NOBODY, notice_seconds: int | None = None
    ) -> ObjectPolicies:
        """See `Policies.attach`."""
        return self._run(self._policies.attach(blob, access=access, retention=retention, notice_seconds=notice_seconds))

    def announce(
        self, blob: BlobRef, *, access: Address | None = None, retention: Address | None = None
    ) -> ObjectPolicies:
        """See `Policies.announce`."""
        return self._run(self._policies.announce(blob, access=access, retention=retention))

    def set_hold(self, blob: BlobRef, *, held: bool) -> Receipt:
        """See `Policies.set_hold`."""
        return self._run(self._policies.set_hold(blob, held=held))

    def set_listed(self, policy: Address, accounts: Sequence[Address], *, listed: bool) -> Receipt:
        """See `Policies.set_listed`."""
        return self._run(self._policies.set_listed(policy, accounts, listed=listed))

    def cancel(self, blob: BlobRef) -> ObjectPolicies:
        """See `Policies.cancel`."""
        return self._run(self._policies.cancel(blob))

    def freeze(self, blob: BlobRef) -> ObjectPolicies:
        """See `Policies.freeze`."""
        return self._run(self._policies.freeze(blob))


class SyncPools:
    """Revenue pools without async: the same names, arguments, results and errors as `Client.pools`."""

    def __init__(self, pools: Pools, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._pools = pools
        self._run = run

    def create(self, members: Members, *, nodes_bps: int = 1000, publish: bool = True, epochs: int = 1) -> CreatedPool:
        """See `Pools.create`."""
        return self._run(self._pools.create(members, nodes_bps=nodes_bps, publish=publish, epochs=epochs))

    def show(self, pool: PoolId, account: Address | None = None, members: Members | None = None) -> PoolReport:
        """See `Pools.show`."""
        return self._run(self._pools.show(pool, account, members))

    def claim(self, pool: PoolId, *, to: Address | None = None, members: Members | None = None) -> PaymentReceipt:
        """See `Pools.claim`."""
        return self._run(self._pools.claim(pool, to=to, members=members))

    def distribute(self, pool: PoolId, amount: Wei) -> Receipt:
        """See `Pools.distribute`."""
        return self._run(self._pools.distribute(pool, amount))

    def transfer_units(self, pool: PoolId, to: Address, units: int) -> Receipt:
        """See `Pools.transfer_units`."""
        return self._run(self._pools.transfer_units(pool, to, units))

    def settle(self, pool: PoolId) -> SettlementReceipt:
        """See `Pools.settle`."""
        return self._run(self._pools.settle(pool))

    def statement(
        self,
        pool: PoolId,
        account: Address | None = None,
        members: Members | None = None,
        *,
        ask_nodes: bool = True,
    ) -> tuple[Row, ...]:
        """See `Pools.statement`."""
        return self._run(self._pools.statement(pool, account, members, ask_nodes=ask_nodes))


class SyncPurchases:
    """What is bought on chain without async: the same names, arguments, results and errors as `Client.purchases`."""

    def __init__(self, purchases: Purchases, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._purchases = purchases
        self._run = run

    def buy(
        self,
        blob: BlobRef,
        count: int = 1,
        *,
        reader: Address | None = None,
        maximum: Wei | None = None,
        evidence: bytes | None = None,
    ) -> BoughtReads:
        """See `Purchases.buy`."""
        return self._run(self._purchases.buy(blob, count, reader=reader, maximum=maximum, evidence=evidence))

    def subscribe(
        self, policy: Address, periods: int = 1, *, reader: Address | None = None, maximum: Wei | None = None
    ) -> Subscription:
        """See `Purchases.subscribe`."""
        return self._run(self._purchases.subscribe(policy, periods, reader=reader, maximum=maximum))

    def reads_of(self, blob_object: BlobObjectId, reader: Address | None = None) -> int:
        """See `Purchases.reads_of`."""
        return self._run(self._purchases.reads_of(blob_object, reader))

    def subscribed_until(self, policy: Address, reader: Address | None = None) -> int:
        """See `Purchases.subscribed_until`."""
        return self._run(self._purchases.subscribed_until(policy, reader))


class SyncChannels:
    """Channels without async: the same names, arguments, results and errors as `Client.channels`."""

    def __init__(self, channels: Channels, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._channels = channels
        self._run = run

    def open(self, pool: PoolId, deposit: Wei) -> Channel:
        """See `Channels.open`."""
        return self._run(self._channels.open(pool, deposit))

    def top_up(self, channel: ChannelId, amount: Wei) -> Channel:
        """See `Channels.top_up`."""
        return self._run(self._channels.top_up(channel, amount))

    def close(self, channel: ChannelId) -> Closing:
        """See `Channels.close`."""
        return self._run(self._channels.close(channel))

    def show(self, channel: ChannelId) -> Channel:
        """See `Channels.show`."""
        return self._run(self._channels.show(channel))

    def list(self, account: Address | None = None) -> tuple[Channel, ...]:
        """See `Channels.list`."""
        return self._run(self._channels.list(account))


class SyncCredentials:
    """Credentials without async: the same names, arguments, results and errors as `Client.credentials`."""

    def __init__(self, credentials: Credentials, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._credentials = credentials
        self._run = run

    def issue(
        self, schema: str | bytes, recipient: Address, *, expires_at: int = 0, data: bytes = b""
    ) -> IssuedCredential:
        """See `Credentials.issue`."""
        return self._run(self._credentials.issue(schema, recipient, expires_at=expires_at, data=data))

    def revoke(self, uid: bytes) -> Receipt:
        """See `Credentials.revoke`."""
        return self._run(self._credentials.revoke(uid))

    def show(self, uid: bytes) -> Credential:
        """See `Credentials.show`."""
        return self._run(self._credentials.show(uid))

    def list(self, recipient: Address | None = None) -> tuple[Credential, ...]:
        """See `Credentials.list`."""
        return self._run(self._credentials.list(recipient))

    def issued(self, attester: Address | None = None) -> tuple[Credential, ...]:
        """See `Credentials.issued`."""
        return self._run(self._credentials.issued(attester))


class SyncRenewals:
    """Evergreen objects without async: the same names, arguments, results and errors as `Client.renewals`."""

    def __init__(self, renewals: Renewals, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._renewals = renewals
        self._run = run

    def show(self, blob: BlobRef) -> Renewal:
        """See `Renewals.show`."""
        return self._run(self._renewals.show(blob))

    def set_terms(self, blob: BlobRef, *, epochs: int, lead: int, tip: Wei) -> Renewal:
        """See `Renewals.set_terms`."""
        return self._run(self._renewals.set_terms(blob, epochs=epochs, lead=lead, tip=tip))

    def fund(self, blob: BlobRef, amount: Wei) -> Renewal:
        """See `Renewals.fund`."""
        return self._run(self._renewals.fund(blob, amount))

    def renew(self, blob: BlobRef) -> RenewalReceipt:
        """See `Renewals.renew`."""
        return self._run(self._renewals.renew(blob))

    def withdraw(self, blob: BlobRef, amount: Wei | None = None, to: Address | None = None) -> Wei:
        """See `Renewals.withdraw`."""
        return self._run(self._renewals.withdraw(blob, amount, to))


class SyncCompute:
    """Jobs and triggers without async: the same names, arguments, results and errors as `Client.compute`."""

    def __init__(self, compute: Compute, run: Run) -> None:
        """
        Args:
            run: runs a call where the client lives, and waits for it.
        """
        self._compute = compute
        self._run = run

    def publish(self, program: bytes | str | PathLike[str], *, epochs: int = 1, name: str | None = None) -> StoredBlob:
        """See `Compute.publish`."""
        return self._run(self._compute.publish(program, epochs=epochs, name=name))

    def order(
        self,
        program: BlobRef,
        inputs: Sequence[BlobRef],
        *,
        fee: Wei,
        argument: bytes = b"",
        fuel: int = DEFAULT_FUEL,
        output_limit: int = DEFAULT_OUTPUT_BYTES,
        replicas: int = DEFAULT_REPLICAS,
        sealed: bool | None = None,
    ) -> JobOrder:
        """See `Compute.order`."""
        return self._run(
            self._compute.order(
                program,
                inputs,
                fee=fee,
                argument=argument,
                fuel=fuel,
                output_limit=output_limit,
                replicas=replicas,
                sealed=sealed,
            )
        )

    def quote(self, order: JobOrder, *, requester: Address | None = None) -> JobQuote:
        """See `Compute.quote`."""
        return self._run(self._compute.quote(order, requester=requester))

    def request(self, order: JobOrder, *, maximum: Wei | None = None) -> JobReceipt:
        """See `Compute.request`."""
        return self._run(self._compute.request(order, maximum=maximum))

    def show(self, job: JobId) -> JobReport:
        """See `Compute.show`."""
        return self._run(self._compute.show(job))

    def watch(
        self, job: JobId, on_change: Callable[[JobReport], None] | None = None, *, poll_seconds: float = 1.0
    ) -> JobReport:
        """See `Compute.watch`."""
        return self._run(self._compute.watch(job, on_change, poll_seconds=poll_seconds))

    def result(self, job: JobId, *, patience_seconds: float = 5.0) -> JobResult:
        """See `Compute.result`."""
        return self._run(self._compute.result(job, patience_seconds=patience_seconds))

    def estimate(self, order: JobOrder, *, wall_seconds: float = 600.0) -> Outcome:
        """See `Compute.estimate`."""
        return self._run(self._compute.estimate(order, wall_seconds=wall_seconds))

    def create_trigger(self, terms: TriggerTerms, *, amount: Wei | None = None) -> TriggerReceipt:
        """See `Compute.create_trigger`."""
        return self._run(self._compute.create_trigger(terms, amount=amount))

    def fund_trigger(self, trigger: TriggerId, amount: Wei) -> TriggerReport:
        """See `Compute.fund_trigger`."""
        return self._run(self._compute.fund_trigger(trigger, amount))

    def show_trigger(self, trigger: TriggerId) -> TriggerReport:
        """See `Compute.show_trigger`."""
        return self._run(self._compute.show_trigger(trigger))

    def withdraw_trigger(self, trigger: TriggerId, amount: Wei | None = None, *, to: Address | None = None) -> Wei:
        """See `Compute.withdraw_trigger`."""
        return self._run(self._compute.withdraw_trigger(trigger, amount, to=to))

    def list_triggers(self, owner: Address | None = None) -> tuple[TriggerReport, ...]:
        """See `Compute.list_triggers`."""
        return self._run(self._compute.list_triggers(owner))

    def list(self, requester: Address | None = None) -> tuple[JobId, ...]:
        """See `Compute.list`."""
        return self._run(self._compute.list(requester))
