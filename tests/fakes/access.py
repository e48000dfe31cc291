"""Policies and payments in memory: what the contracts refuse they refuse, and agents ask them as they ask the chain.

A policy is a Python rule: who may, at what price. Everything else is real: envelopes, grants, vouchers, receipts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from eth_utils.crypto import keccak

from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.payment_rejections import ChannelNotYours, UnknownChannel, UnknownPool
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
from walrus_chain.chain.policy_rejections import (
    PoliciesAttachedAlready,
    PoliciesNotAttached,
    PoliciesNotYours,
    WrongKeyEpoch,
)
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
from walrus_chain.chain.transactions import Receipt
from walrus_chain.messages.access import Use
from walrus_chain.messages.domain import Domain, access_domain, channels_domain
from walrus_chain.payments.vouchers import ChannelFacts
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, BlobStatus, ChannelId, Epoch, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from tests.fakes.network import FakeNetwork

POLICIES = Address("0x0000000000000000000000000000000000B10bB5")
CHANNELS = Address("0x0000000000000000000000000000000000C4A111")
SCHEMA = bytes(31) + b"\x01"
_NO_RECORD = PolicyRecord(Policies(), Policies(), 0, 0, False, 0, 0, bytes(32))
_CLOSE_SECONDS = 3600


@dataclass(slots=True)
class Rule:
    """A policy: who may, and for how much."""

    allowed: set[str] | None = None
    """Accounts; None for everybody."""
    price: int = 0
    pool: int = 0
    limit: int | None = None
    """Uses that each account has; None for as many as it likes."""
    credential_of: str | None = None
    """An attester whose credential is needed."""
    ttl_seconds: int = 0


@dataclass(slots=True)
class FakeAccess:
    """What the chain knows of policies and payments; the `Laws` of agents."""

    network: FakeNetwork
    rules_of: dict[str, Rule] = field(default_factory=dict)
    """Policies by address."""
    records: dict[int, PolicyRecord] = field(default_factory=dict)
    envelopes: dict[int, bytes] = field(default_factory=dict)
    credentials: dict[bytes, Credential] = field(default_factory=dict)
    channels_by_id: dict[int, ReadChannel] = field(default_factory=dict)
    bought: dict[tuple[int, str], int] = field(default_factory=dict)
    anchors: dict[int, list[AnchoredReceipts]] = field(default_factory=dict)
    pools: dict[int, RevenuePool] = field(default_factory=dict)
    unknown_blocks: set[bytes] = field(default_factory=set)
    """Blocks that agents have not seen."""
    block: int = 1
    time: int = 2_000_000_000
    """By the chain's clock, which is before that of this computer in no test."""
    judged: list[Question] = field(default_factory=list)
    """What was asked, oldest first."""

    def policy(self, rule: Rule) -> Address:
        """A policy's address."""
        address = Address(f"0x{len(self.rules_of) + 1:040d}")
        self.rules_of[address] = rule
        return address

    def credential(self, attester: Address, recipient: Address, *, revoked: bool = False) -> bytes:
        """Gives a credential; its uid."""
        uid = keccak(text=f"{attester}{recipient}{len(self.credentials)}")
        time = 0 if not revoked else self.time
        self.credentials[uid] = Credential(uid, SCHEMA, self.time, 0, time, bytes(32), recipient, attester, True, b"")
        return uid

    def revoke(self, uid: bytes) -> None:
        """Takes a credential back."""
        self.credentials[uid] = replace(self.credentials[uid], revocation_time=self.time)

    def anchor(self, node: NodeId, epoch: Epoch) -> None:
        """A node fixes its receipts of an epoch."""
        keys = self.network.members[node - 1].keys
        assert keys is not None
        tree = keys.tree_of(epoch)
        self.anchors.setdefault(node, []).append(AnchoredReceipts(epoch, tree.root, tree.count))

    # -- Laws --------------------------------------------------------------------------------------------------------

    @property
    def access(self) -> Domain:
        return access_domain(31337, POLICIES)

    @property
    def channels(self) -> Domain:
        return channels_domain(31337, CHANNELS)

    @property
    def epoch(self) -> int:
        return self.network.epoch

    def knows(self, block_hash: bytes) -> int | None:
        return None if block_hash in self.unknown_blocks else int.from_bytes(block_hash[:8], "big")

    def decide(self, use: Use, evidence: bytes) -> Verdict:
        return self._verdict(Question(use.requester, use.blob_object, use.action, use.program, use.sequence, evidence))

    def channel_facts(self, channel: int) -> ChannelFacts | None:
        found = self.channels_by_id.get(channel)
        if found is None:
            return None
        return ChannelFacts(
            channel, found.payer, found.signer, found.pool, found.deposit, found.redeemed, found.closes_at, found.closed
        )

    def reads_of(self, blob_object: BlobObjectId, reader: str) -> int:
        return self.bought.get((blob_object, reader), 0)

    def _verdict(self, question: Question) -> Verdict:
        number, item = question.blob_object, self.network.objects.get(question.blob_object)
        record = self.records.get(number, _NO_RECORD)
        access = record.current.access
        reason, rule = "", self.rules_of.get(access, Rule())
        if item is None or item.status is not BlobStatus.CERTIFIED:
            reason = "NotCertified"
        elif access == NOBODY:
            reason = "" if item.owner == question.requester else "NotOwner"
        elif rule.allowed is not None and question.requester not in rule.allowed:
            reason = "NotListed"
        elif rule.limit is not None and question.sequence >= rule.limit:
            reason = "QuotaUsedUp"
        elif rule.credential_of is not None:
            reason = self._ails(question, rule.credential_of)
        price = 0 if reason else rule.price
        blob_id = BlobId(bytes(32)) if item is None else item.blob_id
        pool = PoolId(rule.pool if price else 0)
        return Verdict(not reason, reason, rule.ttl_seconds, access, record.key_epoch, blob_id, Wei(price), pool)

    def _ails(self, question: Question, attester: str) -> str:
        credential = self.credentials.get(question.evidence)
        if credential is None:
            return "NoCredential"
        if credential.attester != attester:
            return "WrongAttester"
        if credential.recipient != question.requester:
            return "WrongRecipient"
        return "CredentialRevoked" if credential.revocation_time else ""


class FakeQuestions:
    """Single policies, asked."""

    def __init__(self, access: FakeAccess) -> None:
        self._access = access

    async def kind(self, policy: Address) -> str | None:
        return "Rule" if policy in self._access.rules_of else None

    async def answer(self, policy: Address, use: AskedUse) -> PolicyAnswer:
        rule = self._access.rules_of[policy]
        reason = "" if rule.allowed is None or use.requester in rule.allowed else "NotListed"
        return PolicyAnswer(not reason, reason, Wei(rule.price), PoolId(rule.pool))

    async def retention(self, policy: Address, blob_object: BlobObjectId) -> RetentionAnswer:
        return RetentionAnswer(True, True, Epoch(0), 0)


class FakePolicies:
    """Policies, asked."""

    def __init__(self, access: FakeAccess) -> None:
        self._access = access

    @property
    def questions(self) -> FakeQuestions:
        return FakeQuestions(self._access)

    async def kinds(self) -> tuple[str, ...]:
        return ("Rule",)

    async def rules(self) -> PolicyRules:
        return PolicyRules(120, 5, 365 * 86_400, 8_000_000, 100_000)

    async def record_of(self, blob_object: BlobObjectId, at: bytes | None = None) -> PolicyRecord:
        return self._access.records.get(blob_object, _NO_RECORD)

    async def envelope_of(self, blob_object: BlobObjectId) -> SealedKey | None:
        record = self._access.records.get(blob_object, _NO_RECORD)
        if not record.sealed:
            return None
        envelope = self._access.envelopes[blob_object]
        return SealedKey(blob_object, record.key_epoch, record.envelope_block, envelope)

    async def judge(self, question: Question, at: bytes | None = None) -> Verdict:
        self._access.judged.append(question)
        return self._access._verdict(question)

    async def quote_of(self, question: Question, at: bytes | None = None) -> Price:
        record = self._access.records[question.blob_object]
        rule = self._access.rules_of[record.current.access]
        return Price(Wei(rule.price), PoolId(rule.pool))

    async def ready_made(self, policy: Address) -> ReadyMadePolicy | None:
        from walrus_chain.chain.abi_codec import encode

        rule = self._access.rules_of.get(policy)
        if rule is None or rule.credential_of is None:
            return None
        arguments = encode(("address", "bytes32", "address"), (POLICIES, SCHEMA, rule.credential_of))
        return ReadyMadePolicy(policy, "Credential", arguments)

    async def credential(self, uid: bytes, at: bytes | None = None) -> Credential | None:
        return self._access.credentials.get(uid)

    async def credentials_of(self, recipient: Address) -> tuple[Credential, ...]:
        return tuple(item for item in self._access.credentials.values() if item.recipient == recipient)

    async def credentials_by(self, attester: Address) -> tuple[Credential, ...]:
        return tuple(item for item in self._access.credentials.values() if item.attester == attester)

    async def receipts_of(self, node_id: NodeId) -> tuple[AnchoredReceipts, ...]:
        return tuple(self._access.anchors.get(node_id, ()))


class FakePayments:
    """Payments, asked."""

    def __init__(self, access: FakeAccess) -> None:
        self._access = access

    async def protocol_bps(self) -> int:
        return 250

    async def pool(self, pool: PoolId) -> RevenuePool:
        if (found := self._access.pools.get(pool)) is None:
            raise UnknownPool(pool)
        return found

    async def member(self, pool: PoolId, account: Address) -> PoolMember:
        return PoolMember(0, Wei(0), Wei(0), False)

    async def claimable(self, pool: PoolId, account: Address) -> Wei:
        return Wei(0)

    async def claimable_from_root(self, pool: PoolId, units: int) -> Wei:
        return Wei(0)

    async def list_of(self, pool: PoolId) -> BlobId | None:
        return None

    async def history_of(self, pool: PoolId) -> tuple[ChainEvent, ...]:
        return ()

    async def reads_of(self, blob_object: BlobObjectId, reader: Address, at: bytes | None = None) -> int:
        return self._access.reads_of(blob_object, reader)

    async def subscribed_until(self, policy: Address, reader: Address) -> int:
        return 0

    async def subscription_terms(self, policy: Address) -> SubscriptionTerms:
        rule = self._access.rules_of[policy]
        return SubscriptionTerms(Wei(rule.price), 3600, PoolId(rule.pool))

    async def channel_rules(self) -> ChannelRules:
        return ChannelRules(_CLOSE_SECONDS, 100)

    async def channel(self, channel: ChannelId) -> ReadChannel:
        if (found := self._access.channels_by_id.get(channel)) is None:
            raise UnknownChannel(channel)
        return found

    async def channels_of(self, payer: Address, pool: PoolId | None = None) -> tuple[ReadChannel, ...]:
        own = [item for item in self._access.channels_by_id.values() if item.payer == payer]
        return tuple(item for item in own if pool is None or item.pool == pool)

    async def renewal_of(self, blob_object: BlobObjectId) -> Renewal:
        return Renewal(blob_object, RenewalTerms(0, 0, Wei(0)), Wei(0), False)


class FakePolicyWriter:
    """Policies, written by one account."""

    def __init__(self, access: FakeAccess, account: Address) -> None:
        self._access = access
        self._account = account

    async def attach(
        self, blob_object: BlobObjectId, policies: Policies, notice_seconds: int, envelope: bytes = b""
    ) -> Receipt:
        self._check_owner(blob_object)
        if blob_object in self._access.records:
            raise PoliciesAttachedAlready(blob_object)
        self._access.block += 1
        self._access.records[blob_object] = PolicyRecord(
            policies, Policies(), 0, notice_seconds, False, 1, self._access.block if envelope else 0, keccak(envelope)
        )
        self._access.envelopes[blob_object] = envelope
        return self._receipt("attach")

    async def announce(self, blob_object: BlobObjectId, policies: Policies) -> Receipt:
        self._change(blob_object, next=policies, next_from=self._access.time + 5)
        return self._receipt("announce")

    async def cancel_announcement(self, blob_object: BlobObjectId) -> Receipt:
        self._change(blob_object, next=Policies(), next_from=0)
        return self._receipt("cancel_announcement")

    async def freeze(self, blob_object: BlobObjectId) -> Receipt:
        self._change(blob_object, frozen=True)
        return self._receipt("freeze")

    async def publish_envelope(self, blob_object: BlobObjectId, key_epoch: int, envelope: bytes) -> Receipt:
        before = self._access.records[blob_object].key_epoch
        if key_epoch not in (before, before + 1):
            raise WrongKeyEpoch(blob_object, before, key_epoch)
        self._access.block += 1
        self._change(
            blob_object, key_epoch=key_epoch, envelope_block=self._access.block, envelope_hash=keccak(envelope)
        )
        self._access.envelopes[blob_object] = envelope
        return self._receipt("publish_envelope")

    async def create(self, kind: str, arguments: bytes) -> PolicyReceipt:
        return self._made("create")

    async def deploy(self, creation_code: bytes) -> PolicyReceipt:
        return self._made("deploy")

    async def set_listed(self, policy: Address, accounts: Sequence[Address], *, listed: bool) -> Receipt:
        rule = self._access.rules_of[policy]
        rule.allowed = {*(rule.allowed or ()), *accounts} if listed else {*(rule.allowed or ())} - {*accounts}
        return self._receipt("set_listed")

    async def set_hold(self, policy: Address, blob_object: BlobObjectId, *, held: bool) -> Receipt:
        return self._receipt("set_hold")

    async def attest(
        self, schema: bytes, recipient: Address, expiration_time: int = 0, data: bytes = b""
    ) -> CredentialReceipt:
        uid = self._access.credential(self._account, recipient)
        receipt = self._receipt("attest")
        return CredentialReceipt(uid, receipt.transaction, receipt.block, receipt.gas_used)

    async def revoke(self, uid: bytes) -> Receipt:
        self._access.revoke(uid)
        return self._receipt("revoke")

    def _made(self, name: str) -> PolicyReceipt:
        policy, receipt = self._access.policy(Rule()), self._receipt(name)
        return PolicyReceipt(policy, receipt.transaction, receipt.block, receipt.gas_used)

    def _change(self, blob_object: BlobObjectId, **changes: object) -> None:
        self._check_owner(blob_object)
        if blob_object not in self._access.records:
            raise PoliciesNotAttached(blob_object)
        self._access.records[blob_object] = replace(self._access.records[blob_object], **changes)  # type: ignore[arg-type]

    def _check_owner(self, blob_object: BlobObjectId) -> None:
        owner = self._access.network.objects[blob_object].owner
        if owner != self._account:
            raise PoliciesNotYours(blob_object, owner, self._account)

    def _receipt(self, name: str) -> Receipt:
        return self._access.network.receipt(name)


class FakePaymentWriter:
    """Payments, written by one account."""

    def __init__(self, access: FakeAccess, account: Address) -> None:
        self._access = access
        self._account = account

    async def create_pool(self, shares: Sequence[PoolShare], nodes_bps: int) -> PoolReceipt:
        return self._pool(sum(share.units for share in shares), nodes_bps, bytes(32))

    async def create_pool_from_root(
        self, root: bytes, units: int, nodes_bps: int, member_list: BlobId | None = None
    ) -> PoolReceipt:
        return self._pool(units, nodes_bps, root)

    async def distribute(self, pool: PoolId, amount: Wei) -> Receipt:
        return self._access.network.receipt("distribute")

    async def claim(self, pool: PoolId, to: Address | None = None) -> PaymentReceipt:
        return self._paid("claim", 0)

    async def claim_from_root(
        self, pool: PoolId, units: int, index: int, proof: bytes, to: Address | None = None
    ) -> PaymentReceipt:
        return self._paid("claim_from_root", 0)

    async def transfer_units(self, pool: PoolId, to: Address, units: int) -> Receipt:
        return self._access.network.receipt("transfer_units")

    async def settle_pool(self, pool: PoolId) -> SettlementReceipt:
        receipt = self._access.network.receipt("settle_pool")
        return SettlementReceipt(Wei(0), Wei(0), receipt.transaction, receipt.block, receipt.gas_used)

    async def buy_reads(
        self,
        blob_object: BlobObjectId,
        count: int,
        maximum: Wei,
        *,
        reader: Address | None = None,
        evidence: bytes = b"",
    ) -> PaymentReceipt:
        access, reader = self._access, reader or self._account
        price = access.rules_of[access.records[blob_object].current.access].price * count
        self._access.network.pay(self._account, price)
        access.bought[blob_object, reader] = access.bought.get((blob_object, reader), 0) + count
        return self._paid("buy_reads", price)

    async def subscribe(
        self, policy: Address, periods: int, maximum: Wei, *, reader: Address | None = None
    ) -> SubscriptionReceipt:
        receipt = self._access.network.receipt("subscribe")
        until = self._access.time + 3600 * periods
        return SubscriptionReceipt(until, maximum, receipt.transaction, receipt.block, receipt.gas_used)

    async def open_channel(self, pool: PoolId, signer: Address, deposit: Wei) -> ChannelReceipt:
        self._access.network.pay(self._account, deposit)
        number = ChannelId(len(self._access.channels_by_id) + 1)
        self._access.channels_by_id[number] = ReadChannel(
            number, self._account, signer, pool, deposit, Wei(0), 0, False
        )
        receipt = self._access.network.receipt("open_channel")
        return ChannelReceipt(number, receipt.transaction, receipt.block, receipt.gas_used)

    async def top_up(self, channel: ChannelId, amount: Wei) -> Receipt:
        self._access.network.pay(self._account, amount)
        found = self._access.channels_by_id[channel]
        self._access.channels_by_id[channel] = replace(found, deposit=Wei(found.deposit + amount))
        return self._access.network.receipt("top_up")

    async def start_close(self, channel: ChannelId) -> Receipt:
        found = self._access.channels_by_id[channel]
        if found.payer != self._account:
            raise ChannelNotYours(channel, found.payer, self._account)
        self._access.channels_by_id[channel] = replace(found, closes_at=self._access.time + _CLOSE_SECONDS)
        return self._access.network.receipt("start_close")

    async def finish_close(self, channel: ChannelId) -> PaymentReceipt:
        found = self._access.channels_by_id[channel]
        self._access.channels_by_id[channel] = replace(found, closed=True)
        return self._paid("finish_close", found.deposit - found.redeemed)

    async def set_renewal_terms(self, blob_object: BlobObjectId, terms: RenewalTerms) -> Receipt:
        return self._access.network.receipt("set_renewal_terms")

    async def fund_renewal(self, blob_object: BlobObjectId, amount: Wei) -> Receipt:
        return self._access.network.receipt("fund_renewal")

    async def renew(self, blob_object: BlobObjectId) -> RenewalReceipt:
        receipt = self._access.network.receipt("renew")
        return RenewalReceipt(Epoch(9), Wei(1), Wei(1), receipt.transaction, receipt.block, receipt.gas_used)

    async def withdraw_renewal(self, blob_object: BlobObjectId, amount: Wei, to: Address | None = None) -> Receipt:
        return self._access.network.receipt("withdraw_renewal")

    def _pool(self, units: int, nodes_bps: int, root: bytes) -> PoolReceipt:
        number = PoolId(len(self._access.pools) + 1)
        self._access.pools[number] = RevenuePool(number, Wei(0), units, Wei(0), nodes_bps, root)
        receipt = self._access.network.receipt("create_pool")
        return PoolReceipt(number, receipt.transaction, receipt.block, receipt.gas_used)

    def _paid(self, name: str, amount: int) -> PaymentReceipt:
        receipt = self._access.network.receipt(name)
        return PaymentReceipt(Wei(amount), receipt.transaction, receipt.block, receipt.gas_used)


def head_of(access: FakeAccess) -> BlockRef:
    """The newest block."""
    return BlockRef(access.block, access.block.to_bytes(8, "big") + bytes(24), access.time)
