"""Releases the node's share of the key to private data, to whom the policy allows it, once the use is paid.

The order is what keeps a secret: parse -> what needs no chain -> the block -> the policy's decision at that block ->
the payment -> one durable record -> the share. The share is computed from two values: `Allowed`, which exists only when
the policy allowed, and `Recorded`, which exists only when nonce, payment and receipt are on the disk. Whatever goes
wrong on the way is an error, and nothing is released.

A use that was paid is served again to a new request, so a crash between payment and answer costs nobody anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from eth_utils.crypto import keccak

from storage_agent.keys.erasable import ErasableKeys
from storage_agent.keys.journal import Journal
from storage_agent.keys.request import KeyRequest
from storage_agent.keys.ring import KeyRing
from storage_agent.keys.till import Till, refused
from storage_agent.node.access_refusals import (
    BlockTooOld,
    BlockUnknown,
    ChainUnavailable,
    Denied,
    KeysDestroyed,
    PaymentRequired,
    StaleKeyEpoch,
    VoucherRefused,
    WrongSignature,
)
from storage_agent.node.refusals import Delay, MalformedRequest, Refusal
from storage_agent.observe import Metrics
from storage_agent.store.access import NotPaid, Payment, PurchaseUsed, Recorded, SignedReceipt, SpendLimitReached
from storage_agent.store.access_rows import LAST_NUMBER
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.policy_views import Question, Verdict
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.crypto.sealing import seal_share
from walrus_chain.crypto.threshold import SHARE_BYTES, KeyIdentity, make_share
from walrus_chain.errors import BlockUnknown as NoSuchBlock
from walrus_chain.errors import (
    ContractMissing,
    MalformedKey,
    MalformedSignature,
    Rejected,
    Retryable,
    UnexpectedAnswer,
    WrongChain,
    WrongSigner,
)
from walrus_chain.messages.access import AccessRequest, Action
from walrus_chain.messages.domain import Domain
from walrus_chain.payments.vouchers import StretchTaken
from walrus_chain.types import NOBODY, WAL_DECIMALS, Address, NodeId

#: The reason with which the chain says that keys of an object are released no more.
_DESTROYED: Final = "KeysDestroyed"
#: What an object is denied for that no policy was asked about.
_ONLY_TO_READ: Final = "OnlyToRead"
_UNKNOWN_OBJECT: Final = "UnknownObject"


class DecisionSource(Protocol):
    """Whoever asks the policies; `storage_agent.watch.access.AccessChain` does.

    Raises: BlockUnknown: the named block is not in the chain; and what endpoints raise.
    """

    async def block(self, block_hash: bytes) -> BlockRef:
        """The block with that hash, when it is in the chain."""

    async def decide(
        self, question: Question, at: bytes, signer: Address | None, digest: bytes, signature: bytes
    ) -> tuple[Verdict, bool]:
        """What the policies say at a block; and, where a signer is named, whether that account signed the digest."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A use that the policy in force allows at the request's block. There is no other way to make one than `decide`."""

    request: AccessRequest
    verdict: Verdict
    block: BlockRef

    def __post_init__(self) -> None:
        """Raises: Denied, KeysDestroyed, StaleKeyEpoch: so there is nothing to be released."""
        verdict, request = self.verdict, self.request
        if not verdict.allowed:
            if verdict.reason == _DESTROYED:
                raise KeysDestroyed(request.blob_object)
            raise Denied(request.blob_object, verdict.reason, verdict.policy)
        if verdict.key_epoch != request.key_epoch:
            raise StaleKeyEpoch(verdict.key_epoch, request.key_epoch)


@dataclass(frozen=True, slots=True)
class Released:
    """What goes out."""

    share: bytes
    """Sealed to the requester's key."""
    key_id: bytes
    receipt: SignedReceipt


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """Who and where the node is, and what it takes on."""

    node_id: NodeId
    access: Domain
    """In which grants and requests are signed."""
    channels: Domain
    """In which vouchers are signed."""
    maximum_request_age: int
    """Of the block that a request names, in seconds."""


class Releaser:
    """Releases shares. One an agent."""

    def __init__(
        self,
        rules: ReleaseRules,
        source: DecisionSource,
        till: Till,
        journal: Journal,
        ring: KeyRing,
        erasable: ErasableKeys,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            clock: seconds since 1970, not before the newest block that was seen.
        """
        self._rules = rules
        self._source = source
        self._till = till
        self._journal = journal
        self._ring = ring
        self._erasable = erasable
        self._metrics = metrics
        self._clock = clock

    async def release(self, asked: KeyRequest) -> Released:
        """The node's share for what is asked.

        Raises:
            MalformedRequest: the parts do not belong together.
            WrongNode, WrongGrant, RequestExpired, GrantExpired, OutsideScope, WrongSignature: not signed for this.
            UnknownKey, KeysDestroyed: there is no such key, or no more.
            BlockUnknown, BlockTooOld: the named block is not there, or too old.
            Denied, StaleKeyEpoch: the policy, or the key epoch in force, says no.
            PaymentRequired, VoucherRefused, PaymentUnconfirmed: it is not paid.
            NonceUsed: it was answered before.
            ChainUnavailable: not now.
        """
        try:
            released = await self._release(asked)
        except Exception as error:
            self._metrics.key_requests.labels(type(error).__name__).inc()
            raise
        self._metrics.key_requests.labels("Released").inc()
        return released

    async def _release(self, asked: KeyRequest) -> Released:
        grant_is_signed = self._check(asked)
        key = self._ring.find(asked.key_id)
        own = await self._own_key(asked)
        use = asked.request.use(asked.grant.requester)
        digest = use.digest(self._rules.access)
        async with chain_errors(asked.request.block_hash):
            block = await self._source.block(asked.request.block_hash)
            self._check_age(block)
            before = self._journal.payment_of(digest)
            is_paid = before is not None and before.amount > 0
            # The chain is asked for both at the same time.
            looking = asyncio.ensure_future(self._till.look(None if is_paid else asked.offer, use, block))
            try:
                allowed = await self._decide(asked, block, grant_is_signed)
                money, payment = await looking, None
                if allowed.verdict.price and not is_paid:
                    payment = await self._till.check(money, use, digest, allowed.verdict)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
        recorded = await self._record(asked, allowed, digest, payment)
        return self._share(asked, allowed, recorded, key, own)

    # -- what needs no chain -----------------------------------------------------------------------------------------

    def _check(self, asked: KeyRequest) -> bool:
        """Accept what can be seen without the chain; whether the grant's signature is among it."""
        rules, grant, request = self._rules, asked.grant, asked.request
        request.check(grant, rules.access, rules.node_id, int(self._clock()))
        if request.evidence != keccak(asked.evidence):
            raise MalformedRequest("evidence", "it is not the one that the request was signed for")
        if request.payment != asked.payment_word(rules.channels):
            raise MalformedRequest("payment", "it is not the one that the request was signed for")
        if request.action is not Action.READ:
            # Keys for computing go to nodes that a job was drawn to (`storage_agent.keys.jobs`), never to who asks: it
            # would be a way to read.
            raise Denied(request.blob_object, _ONLY_TO_READ, NOBODY)
        if not 0 < request.blob_object <= LAST_NUMBER:
            raise Denied(request.blob_object, _UNKNOWN_OBJECT, NOBODY)
        try:
            seal_share(grant.encryption_key, bytes(SHARE_BYTES), request.grant)
        except MalformedKey as error:
            raise MalformedRequest("encryptionKey", str(error)) from None
        try:
            request.verify(asked.request_signature, grant, rules.access)
        except (MalformedSignature, WrongSigner):
            raise WrongSignature("request", grant.session_key, rules.access) from None
        try:
            grant.verify(asked.grant_signature, rules.access)
        except (MalformedSignature, WrongSigner):
            return False  # perhaps a contract's
        return True

    async def _own_key(self, asked: KeyRequest) -> MasterKey | None:
        """The object's own key, where the data's key was sealed to it."""
        if not asked.erasable:
            return None
        own = await self._erasable.find(asked.request.blob_object)
        if own is None:
            raise KeysDestroyed(asked.request.blob_object)
        return own

    def _check_age(self, block: BlockRef) -> None:
        age = int(self._clock()) - block.timestamp
        if age > self._rules.maximum_request_age:
            raise BlockTooOld(block.hash, age, self._rules.maximum_request_age)

    # -- what the chain says -----------------------------------------------------------------------------------------

    async def _decide(self, asked: KeyRequest, block: BlockRef, grant_is_signed: bool) -> Allowed:
        """What the policy says, at the request's block; only for who signed.

        Raises: WrongSignature, Denied, KeysDestroyed, StaleKeyEpoch.
        """
        grant, request = asked.grant, asked.request
        question = Question(
            requester=grant.requester,
            blob_object=request.blob_object,
            action=request.action,
            program=request.program,
            sequence=request.sequence,
            evidence=asked.evidence,
        )
        verdict, signed = await self._source.decide(
            question,
            block.hash,
            None if grant_is_signed else grant.requester,
            request.grant,
            asked.grant_signature,
        )
        if not grant_is_signed and not signed:
            raise WrongSignature("grant", grant.requester, self._rules.access)
        return Allowed(request, verdict, block)

    # -- what is written, and what goes out --------------------------------------------------------------------------

    async def _record(self, asked: KeyRequest, allowed: Allowed, use: bytes, payment: Payment | None) -> Recorded:
        """Nonce, payment and receipt, durable.

        Args:
            use: its digest.
            payment: what pays for it now; none when it is free, or was paid before.
        Raises: NonceUsed, PaymentRequired, VoucherRefused.
        """
        verdict = allowed.verdict
        try:
            recorded = await self._journal.record(
                asked.grant, asked.grant.requester, asked.request, use, allowed.block, verdict.price, payment
            )
        except NotPaid:
            raise PaymentRequired(verdict.price, verdict.pool) from None
        except StretchTaken as error:
            raise VoucherRefused("StretchTaken", str(error), verdict.price, verdict.pool, error) from None
        except (PurchaseUsed, SpendLimitReached) as error:
            raise refused(type(error).__name__, str(error), verdict) from None
        if recorded.paid_now:
            self._metrics.accepted.inc(recorded.payment.amount / 10**WAL_DECIMALS)
        return recorded

    def _share(
        self, asked: KeyRequest, allowed: Allowed, recorded: Recorded, key: MasterKey, own: MasterKey | None
    ) -> Released:
        """The share, sealed to the key that the requester named."""
        access, request = self._rules.access, allowed.request
        identity = KeyIdentity(
            access.chain_id,
            access.verifying_contract,
            allowed.verdict.policy,
            request.blob_object,
            allowed.verdict.key_epoch,
        )
        sealed = seal_share(asked.grant.encryption_key, make_share(key, identity, own), request.digest(access))
        return Released(sealed, key.public.key_id, recorded.receipt)


@asynccontextmanager
async def chain_errors(block_hash: bytes) -> AsyncIterator[None]:
    """What the chain's endpoints do wrong is neither a yes nor a no: try again."""
    try:
        yield
    except (Refusal, Delay):
        raise
    except NoSuchBlock:
        raise BlockUnknown(block_hash) from None
    except (TimeoutError, Retryable, Rejected, UnexpectedAnswer, ContractMissing, WrongChain) as error:
        raise ChainUnavailable(str(error)) from error
