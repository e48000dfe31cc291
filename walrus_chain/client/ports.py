"""What a client needs of a chain and of agents. `walrus_chain.chain` and `walrus_chain.transport.http` provide it.

Tests provide it from memory; nothing in `walrus_chain.client` knows more of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.stakes import PoolReader, StakeWriter
from walrus_chain.client.job_ports import JobReader, JobWriter
from walrus_chain.messages.domain import Domain
from walrus_chain.rules.committee import Committee
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, Epoch, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.economy import Prices
    from walrus_chain.chain.event import ChainEvent
    from walrus_chain.chain.payment_views import (
        AnchoredReceipts,
        ChannelRules,
        PoolMember,
        PoolShare,
        ReadChannel,
        Renewal,
        RenewalTerms,
        RevenuePool,
        SubscriptionTerms,
    )
    from walrus_chain.chain.payment_writer import (
        ChannelReceipt,
        PaymentReceipt,
        PoolReceipt,
        RenewalReceipt,
        SettlementReceipt,
        SubscriptionReceipt,
    )
    from walrus_chain.chain.policy_questions import AskedUse, PolicyAnswer, RetentionAnswer
    from walrus_chain.chain.policy_views import (
        Credential,
        Policies,
        PolicyRecord,
        PolicyRules,
        Price,
        Question,
        ReadyMadePolicy,
        SealedKey,
        Verdict,
    )
    from walrus_chain.chain.policy_writer import CredentialReceipt, PolicyReceipt
    from walrus_chain.chain.sender import RegisterReceipt, Registration
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.chain.views import (
        Attribute,
        Balances,
        BlobObject,
        CustodyWindow,
        ExtensionQuote,
        NetworkParameters,
        Node,
        Quote,
        WindowTimes,
    )


class EconomyReader(PoolReader, Protocol):
    """Stakes, custody and prices, asked."""

    async def window_of(self, epoch: Epoch) -> CustodyWindow:
        """The custody window of an epoch."""

    async def window_times(self, epoch: Epoch) -> WindowTimes:
        """When the custody window of an epoch may be opened, and when it closes."""

    async def prices_at(self, epoch: Epoch) -> Prices:
        """The prices of an epoch that has begun, or of the next one as far as they are known."""

    async def next_prices(self) -> Prices:
        """The prices that the votes cast so far would give."""

    async def vote_of(self, node_id: NodeId) -> Prices | None:
        """What a node voted for."""


class ChainReader(Protocol):
    """The chain, asked."""

    @property
    def registry_domain(self) -> Domain:
        """The domain in which attestations are signed."""

    @property
    def access_domain(self) -> Domain:
        """The domain in which grants, requests and receipts are signed: that of the policies."""

    @property
    def channels_domain(self) -> Domain:
        """The domain in which vouchers are signed."""

    @property
    def economy(self) -> EconomyReader:
        """Stakes, custody and prices."""

    @property
    def policies(self) -> PolicyReader:
        """Policies of objects, sealed keys, credentials and nodes' receipts."""

    @property
    def payments(self) -> PaymentReader:
        """Revenue pools, purchases, channels and renewals."""

    @property
    def compute(self) -> JobReader:
        """Jobs and triggers."""

    async def head(self) -> BlockRef:
        """The newest block."""

    async def parameters(self) -> NetworkParameters:
        """The network's parameters and clock."""

    async def committee(self) -> Committee:
        """The committee that serves."""

    async def nodes(self) -> tuple[Node, ...]:
        """All registered nodes."""

    async def node_keys_of(self, node_id: NodeId) -> tuple[tuple[Address, bytes], ...]:
        """Signers and encryption keys that a node ever registered, oldest first."""

    async def blob(self, blob_object: BlobObjectId) -> BlobObject:
        """One object; its status is unknown when there is none."""

    async def blobs(self, blob_objects: Sequence[BlobObjectId]) -> tuple[BlobObject, ...]:
        """Several objects, in the order asked."""

    async def objects_of(self, blob_id: BlobId) -> tuple[BlobObject, ...]:
        """Every object of a blob that was not deleted, as it is now, by id."""

    async def blobs_of(self, owner: Address) -> tuple[BlobObject, ...]:
        """All objects of an owner."""

    async def attributes(self, blob_object: BlobObjectId) -> tuple[Attribute, ...]:
        """What the owner wrote on an object."""

    async def quote(self, size: int, epochs: int) -> Quote:
        """The price of storing `size` bytes."""

    async def quote_extension(self, blob: BlobObject, epochs: int) -> ExtensionQuote:
        """The price of a longer term."""

    async def balances(self, account: Address) -> Balances:
        """What an account has."""


class PolicyReader(Protocol):
    """Policies, sealed keys, credentials and receipts, asked; `at` is the hash of the block that is asked."""

    async def rules(self) -> PolicyRules:
        """What holds for all policies."""

    async def record_of(self, blob_object: BlobObjectId, at: bytes | None = None) -> PolicyRecord:
        """All that is known of an object's policies."""

    async def envelope_of(self, blob_object: BlobObjectId) -> SealedKey | None:
        """The sealed key of an object's data; none when the data are public."""

    async def judge(self, question: Question, at: bytes | None = None) -> Verdict:
        """The decision on a use of data."""

    async def quote_of(self, question: Question, at: bytes | None = None) -> Price:
        """What a use costs."""

    @property
    def questions(self) -> PolicyQuestions:
        """Asking single policies."""

    async def kinds(self) -> tuple[str, ...]:
        """The names of all kinds of ready-made policies."""

    async def ready_made(self, policy: Address) -> ReadyMadePolicy | None:
        """Kind and arguments of a policy that runs the network's own code."""

    async def credential(self, uid: bytes, at: bytes | None = None) -> Credential | None:
        """A credential of the network's own registry."""

    async def credentials_of(self, recipient: Address) -> tuple[Credential, ...]:
        """All credentials that an account ever got, oldest first."""

    async def credentials_by(self, attester: Address) -> tuple[Credential, ...]:
        """All credentials that an account ever gave, oldest first."""

    async def receipts_of(self, node_id: NodeId) -> tuple[AnchoredReceipts, ...]:
        """What a node anchored in all epochs, oldest first."""


class PaymentReader(Protocol):
    """Revenue pools, purchases, channels and renewals, asked."""

    async def protocol_bps(self) -> int:
        """What is burned of each income of a pool."""

    async def pool(self, pool: PoolId) -> RevenuePool:
        """A pool."""

    async def member(self, pool: PoolId, account: Address) -> PoolMember:
        """An account's part in a pool."""

    async def claimable(self, pool: PoolId, account: Address) -> Wei:
        """What a member could claim now."""

    async def claimable_from_root(self, pool: PoolId, units: int) -> Wei:
        """What an account with so many units in the tree could claim now, if it never did."""

    async def list_of(self, pool: PoolId) -> BlobId | None:
        """The blob that holds the list of members of a pool from a root."""

    async def history_of(self, pool: PoolId) -> tuple[ChainEvent, ...]:
        """Everything that a pool logged, in chain order."""

    async def reads_of(self, blob_object: BlobObjectId, reader: Address, at: bytes | None = None) -> int:
        """How many reads of an object were ever bought for a reader."""

    async def subscribed_until(self, policy: Address, reader: Address) -> int:
        """Until when a reader bought time under a policy, seconds since 1970."""

    async def subscription_terms(self, policy: Address) -> SubscriptionTerms:
        """What a subscription policy sells."""

    async def channel_rules(self) -> ChannelRules:
        """What holds for all channels."""

    async def channel(self, channel: ChannelId) -> ReadChannel:
        """A channel."""

    async def channels_of(self, payer: Address, pool: PoolId | None = None) -> tuple[ReadChannel, ...]:
        """The channels that an account opened."""

    async def renewal_of(self, blob_object: BlobObjectId) -> Renewal:
        """Terms and balance of an object's renewals."""


class PolicyQuestions(Protocol):
    """Single policies, asked, whether an object has them or not."""

    async def kind(self, policy: Address) -> str | None:
        """What kind of policy a contract says it is; none when it is no policy."""

    async def answer(self, policy: Address, use: AskedUse) -> PolicyAnswer:
        """What a policy decides of a use, and what it asks for."""

    async def retention(self, policy: Address, blob_object: BlobObjectId) -> RetentionAnswer:
        """What a policy says of keeping an object."""


class Agents(Protocol):
    """Where agents are found."""

    def at(self, url: str, name: str) -> AgentClient:
        """The agent at an address, called `name` in messages to people."""

    async def aclose(self) -> None:
        """Closes all connections."""


class PolicyWriter(Protocol):
    """Policies and credentials, written by one account."""

    async def attach(
        self, blob_object: BlobObjectId, policies: Policies, notice_seconds: int, envelope: bytes = b""
    ) -> Receipt:
        """Gives an object its first policies and the sealed key of its data."""

    async def announce(self, blob_object: BlobObjectId, policies: Policies) -> Receipt:
        """Announces other policies."""

    async def cancel_announcement(self, blob_object: BlobObjectId) -> Receipt:
        """Takes an announcement back."""

    async def freeze(self, blob_object: BlobObjectId) -> Receipt:
        """Fixes an object's policies for ever."""

    async def publish_envelope(self, blob_object: BlobObjectId, key_epoch: int, envelope: bytes) -> Receipt:
        """Publishes the sealed key anew."""

    async def create(self, kind: str, arguments: bytes) -> PolicyReceipt:
        """Creates a ready-made policy."""

    async def deploy(self, creation_code: bytes) -> PolicyReceipt:
        """Deploys a policy of somebody's own."""

    async def set_listed(self, policy: Address, accounts: Sequence[Address], *, listed: bool) -> Receipt:
        """Puts accounts on a list, or takes them off."""

    async def set_hold(self, policy: Address, blob_object: BlobObjectId, *, held: bool) -> Receipt:
        """Puts a legal hold on an object, or lets go of it."""

    async def attest(
        self, schema: bytes, recipient: Address, expiration_time: int = 0, data: bytes = b""
    ) -> CredentialReceipt:
        """Gives an account a credential."""

    async def revoke(self, uid: bytes) -> Receipt:
        """Takes a credential back."""


class PaymentWriter(Protocol):
    """Revenue pools, purchases, channels and renewals, written by one account."""

    async def create_pool(self, shares: Sequence[PoolShare], nodes_bps: int) -> PoolReceipt:
        """Creates a pool of up to 100 members."""

    async def create_pool_from_root(
        self, root: bytes, units: int, nodes_bps: int, member_list: BlobId | None = None
    ) -> PoolReceipt:
        """Creates a pool whose members are in a tree."""

    async def distribute(self, pool: PoolId, amount: Wei) -> Receipt:
        """Pays an income into a pool."""

    async def claim(self, pool: PoolId, to: Address | None = None) -> PaymentReceipt:
        """Pays out what the account earned in a pool."""

    async def claim_from_root(
        self, pool: PoolId, units: int, index: int, proof: bytes, to: Address | None = None
    ) -> PaymentReceipt:
        """Makes the account a member by its place in the tree and pays out what it earned."""

    async def transfer_units(self, pool: PoolId, to: Address, units: int) -> Receipt:
        """Hands units on."""

    async def settle_pool(self, pool: PoolId) -> SettlementReceipt:
        """Moves what a pool's nodes earned, and burns the protocol's part."""

    async def buy_reads(
        self,
        blob_object: BlobObjectId,
        count: int,
        maximum: Wei,
        *,
        reader: Address | None = None,
        evidence: bytes = b"",
    ) -> PaymentReceipt:
        """Buys reads of an object."""

    async def subscribe(
        self, policy: Address, periods: int, maximum: Wei, *, reader: Address | None = None
    ) -> SubscriptionReceipt:
        """Buys time under a policy."""

    async def open_channel(self, pool: PoolId, signer: Address, deposit: Wei) -> ChannelReceipt:
        """Opens a channel to a pool."""

    async def top_up(self, channel: ChannelId, amount: Wei) -> Receipt:
        """Adds to a channel's deposit."""

    async def start_close(self, channel: ChannelId) -> Receipt:
        """Begins to close a channel."""

    async def finish_close(self, channel: ChannelId) -> PaymentReceipt:
        """Pays the rest of a channel's deposit back."""

    async def set_renewal_terms(self, blob_object: BlobObjectId, terms: RenewalTerms) -> Receipt:
        """Says how an object's term is to be extended."""

    async def fund_renewal(self, blob_object: BlobObjectId, amount: Wei) -> Receipt:
        """Puts up money for an object's renewals."""

    async def renew(self, blob_object: BlobObjectId) -> RenewalReceipt:
        """Extends an object's term from its balance."""

    async def withdraw_renewal(self, blob_object: BlobObjectId, amount: Wei, to: Address | None = None) -> Receipt:
        """Takes money for renewals back."""


class ChainWriter(StakeWriter, Protocol):
    """The chain, written to by one account: it pays, owns and stakes."""

    @property
    def policies(self) -> PolicyWriter:
        """Policies and credentials."""

    @property
    def payments(self) -> PaymentWriter:
        """Revenue pools, purchases, channels and renewals."""

    @property
    def compute(self) -> JobWriter:
        """Jobs and triggers."""

    async def approve_vault(self, amount: Wei = ...) -> Receipt:
        """Lets the vault collect up to `amount` WAL; without limit when none is named."""

    async def register(self, registrations: Sequence[Registration]) -> RegisterReceipt:
        """Registers blobs with one payment."""

    async def certify(self, blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt:
        """Hands a certificate in."""

    async def extend(self, blob_object: BlobObjectId, epochs: int) -> Receipt:
        """Makes an object's term longer."""

    async def delete(self, blob_object: BlobObjectId) -> Receipt:
        """Ends an object's term."""

    async def transfer(self, blob_object: BlobObjectId, to: Address) -> Receipt:
        """Gives an object to somebody else."""

    async def set_attributes(self, blob_object: BlobObjectId, attributes: Sequence[Attribute]) -> Receipt:
        """Writes texts on an object."""

    async def invalidate(self, blob_id: BlobId, signers: int, signatures: bytes) -> Receipt:
        """Hands in what f + 1 shards attest against a blob."""
