"""The keys of a storage agent inside one process, for tests: it decides, takes payment, signs receipts, gives shares.

The real cryptography, and the rules of a real agent in the same order; what it knows of the chain it asks its `Laws`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from eth_utils.crypto import keccak

from walrus_chain.crypto.node_key import MasterKey, node_key
from walrus_chain.crypto.sealing import seal_share
from walrus_chain.crypto.threshold import KeyIdentity, make_share
from walrus_chain.errors import (
    AgentAtKeyEpoch,
    AgentDenied,
    AgentRefused,
    AgentRefusedVoucher,
    AgentWantsPayment,
    Untrusted,
    VoucherRefused,
)
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.receipt import PaidBy, Receipt, ReceiptTree
from walrus_chain.messages.signing import Signer
from walrus_chain.payments.vouchers import ChannelFacts, StretchTaken, VoucherBook
from walrus_chain.transport.access import (
    FiledReceipt,
    KeyAnswer,
    KeyQuestion,
    Payment,
    PurchasePayment,
    ReceiptAnchor,
    ReceiptPage,
    SignedErasableKey,
    VoucherPayment,
)
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, Wei

if TYPE_CHECKING:
    from walrus_chain.messages.access import Use


class Decision(Protocol):
    """What the contract says of a use; `walrus_chain.chain.policy_views.Verdict` is one."""

    @property
    def allowed(self) -> bool:
        """Whether it is allowed."""

    @property
    def reason(self) -> str:
        """Why not."""

    @property
    def policy(self) -> Address:
        """The access policy in force."""

    @property
    def key_epoch(self) -> int:
        """The key epoch in force."""

    @property
    def price(self) -> Wei:
        """What it costs."""

    @property
    def pool(self) -> int:
        """Who is paid."""


class Laws(Protocol):
    """What agents know of policies and payments from the chain."""

    @property
    def access(self) -> Domain:
        """The domain of grants, requests and receipts."""

    @property
    def channels(self) -> Domain:
        """The domain of vouchers."""

    @property
    def epoch(self) -> int:
        """The present epoch."""

    def knows(self, block_hash: bytes) -> int | None:
        """The number of a block; none when it is not known."""

    def decide(self, use: Use, evidence: bytes) -> Decision:
        """What the policies say."""

    def reads_of(self, blob_object: BlobObjectId, reader: str) -> int:
        """How many reads were bought."""

    def channel_facts(self, channel: int) -> ChannelFacts | None:
        """A channel; none when there is no such one."""


class KeyLie(Enum):
    """What a faulty agent gets wrong about keys."""

    SHARE = "shares are for another key epoch"
    RECEIPT = "receipts are signed by another key"
    DENIAL = "it says no, whatever the policy says"
    SILENCE = "it shows no receipts"


@dataclass(slots=True)
class KeyFaults:
    """What is wrong with an agent's keys at the moment."""

    lies: set[KeyLie] = field(default_factory=set)
    hidden: set[bytes] = field(default_factory=set)
    """Uses whose receipts it does not show, by digest."""
    refusals: list[AgentRefused] = field(default_factory=list)
    """Raised by the next releases, one each, first first."""


class MemoryKeys:
    """One agent's keys, receipts and vouchers."""

    def __init__(
        self, node_id: NodeId, label: str, signer: Signer, laws: Laws, clock: Callable[[], float] = time.time
    ) -> None:
        self._node_id = node_id
        self._label = label
        self._signer = signer
        self._laws = laws
        self._clock = clock
        self.master = MasterKey.generate(os.urandom)
        self.faults = KeyFaults()
        self.filed: list[tuple[Receipt, bytes, Epoch]] = []
        """Receipts with their signatures and epochs, oldest first."""
        self._nonces: set[bytes] = set()
        self._paid: set[bytes] = set()
        self._books: dict[int, VoucherBook] = {}
        self._erasable: dict[BlobObjectId, MasterKey] = {}

    @property
    def node_key(self) -> bytes:
        """The 144 bytes that the node registers."""
        return node_key(self.master, self._signer.address)

    def tree_of(self, epoch: Epoch) -> ReceiptTree:
        """The tree over the receipts of an epoch; what the node fixes on chain."""
        return ReceiptTree([receipt.digest(self._laws.access) for receipt, _, at in self.filed if at == epoch])

    def release(self, question: KeyQuestion) -> KeyAnswer:
        """The share that is asked for, when it may be given."""
        if self.faults.refusals:
            raise self.faults.refusals.pop(0)
        request, grant, access = question.request, question.grant, self._laws.access
        try:
            request.check(grant, access, self._node_id, int(self._clock()))
            request.verify(question.request_signature, grant, access)
            grant.verify(question.grant_signature, access)
        except Untrusted as error:
            raise self._refusal(401, type(error).__name__, str(error)) from error
        block = self._laws.knows(request.block_hash)
        if block is None:
            raise self._refusal(425, "BlockUnknown", "that block is not known here", retryable=True)
        if question.evidence and request.evidence != keccak(question.evidence):
            raise self._refusal(400, "MalformedRequest", "the evidence is not the one that was signed for")
        use = request.use(grant.requester)
        verdict = self._laws.decide(use, question.evidence)
        if KeyLie.DENIAL in self.faults.lies:
            raise AgentDenied(self._label, "denied: NotListed", "NotListed", verdict.policy)
        if not verdict.allowed:
            raise AgentDenied(self._label, f"denied: {verdict.reason}", verdict.reason, verdict.policy)
        if verdict.key_epoch != request.key_epoch:
            raise AgentAtKeyEpoch(self._label, f"the key has epoch {verdict.key_epoch}", verdict.key_epoch)
        digest = use.digest(access)
        paid_by = self._take_payment(question.payment, use, digest, verdict)
        if request.nonce in self._nonces:
            raise self._refusal(409, "NonceUsed", "that nonce was used")
        self._nonces.add(request.nonce)
        receipt, signature = self._file(question, use, digest, verdict, paid_by, block)
        identity = KeyIdentity(
            access.chain_id,
            access.verifying_contract,
            verdict.policy,
            request.blob_object,
            verdict.key_epoch + (KeyLie.SHARE in self.faults.lies),
        )
        share = make_share(self.master, identity, self._own_key(question))
        sealed = seal_share(grant.encryption_key, share, request.digest(access))
        return KeyAnswer(sealed, self.master.public.key_id, receipt, signature)

    def receipts(self, blob_object: BlobObjectId | None, epoch: Epoch | None) -> ReceiptPage:
        """What was released."""
        if KeyLie.SILENCE in self.faults.lies:
            return ReceiptPage((), None)
        shown = []
        for receipt, signature, at in self.filed:
            if receipt.use in self.faults.hidden or (epoch is not None and at != epoch):
                continue
            if blob_object is None or receipt.blob_object == blob_object:
                shown.append(FiledReceipt(receipt, signature, at, self._anchor(receipt, at)))
        return ReceiptPage(tuple(shown), None)

    def erasable_key(self, blob_object: BlobObjectId) -> SignedErasableKey:
        """A key for one object."""
        key = self._erasable.setdefault(blob_object, MasterKey.generate(os.urandom))
        signature = ErasableKey(self._node_id, blob_object, key.public.data).sign(self._signer, self._laws.access)
        return SignedErasableKey(key.public.data, signature)

    def destroy(self, blob_object: BlobObjectId) -> None:
        """Destroys the key of one object."""
        del self._erasable[blob_object]

    def _own_key(self, question: KeyQuestion) -> MasterKey | None:
        if not question.erasable:
            return None
        key = self._erasable.get(question.request.blob_object)
        if key is None:
            raise self._refusal(410, "KeysDestroyed", "the key was destroyed")
        return key

    def _take_payment(self, payment: Payment, use: Use, digest: bytes, verdict: Decision) -> PaidBy:
        if not verdict.price:
            return PaidBy.FREE
        if digest in self._paid:
            return PaidBy.VOUCHER if isinstance(payment, VoucherPayment) else PaidBy.PURCHASE
        match payment:
            case PurchasePayment():
                bought = self._laws.reads_of(use.blob_object, use.requester)
                if use.sequence >= bought:
                    raise AgentRefusedVoucher(self._label, f"{bought} reads are bought", "NotBought")
                paid_by = PaidBy.PURCHASE
            case VoucherPayment():
                self._take_voucher(payment, digest, verdict)
                paid_by = PaidBy.VOUCHER
            case _:
                raise AgentWantsPayment(self._label, "this use has a price", verdict.price, verdict.pool)
        self._paid.add(digest)
        return paid_by

    def _take_voucher(self, payment: VoucherPayment, digest: bytes, verdict: Decision) -> None:
        number = payment.voucher.channel
        facts = self._laws.channel_facts(number)
        if facts is None:
            raise AgentRefusedVoucher(self._label, "there is no such channel", "UnknownChannel")
        book = self._books.setdefault(number, VoucherBook(number))
        try:
            taken = book.judge(
                payment.voucher,
                payment.signature,
                price=verdict.price,
                use=digest,
                pool=verdict.pool,
                facts=facts,
                domain=self._laws.channels,
            )
        except StretchTaken as error:
            shown = tuple((item.voucher.as_data(), item.signature) for item in (error.taken, error.highest))
            raise AgentRefusedVoucher(self._label, str(error), "StretchTaken", shown) from error
        except VoucherRefused as error:
            raise AgentRefusedVoucher(self._label, str(error), type(error).__name__) from error
        if taken is not None:
            book.record(taken)

    def _file(
        self, question: KeyQuestion, use: Use, digest: bytes, verdict: Decision, paid_by: PaidBy, block: int
    ) -> tuple[Receipt, bytes]:
        epoch, payment = Epoch(self._laws.epoch), question.payment
        voucher = payment.voucher if isinstance(payment, VoucherPayment) and verdict.price else None
        receipt = Receipt(
            node=self._node_id,
            index=sum(at == epoch for _, _, at in self.filed),
            use=digest,
            requester=use.requester,
            blob_object=use.blob_object,
            action=use.action,
            program=use.program,
            key_epoch=use.key_epoch,
            sequence=use.sequence,
            block_hash=question.request.block_hash,
            block_number=block,
            request=question.request.digest(self._laws.access),
            paid_by=paid_by,
            amount=verdict.price,
            pool=verdict.pool if verdict.price else 0,
            channel=0 if voucher is None else voucher.channel,
            cumulative=Wei(0) if voucher is None else voucher.cumulative,
            time=int(self._clock()),
        )
        signature = receipt.sign(self._signer, self._laws.access)
        self.filed.append((receipt, signature, epoch))
        if KeyLie.RECEIPT in self.faults.lies:
            signature = receipt.sign(self._signer, self._laws.channels)
        return receipt, signature

    def _anchor(self, receipt: Receipt, epoch: Epoch) -> ReceiptAnchor | None:
        if epoch >= self._laws.epoch:
            return None
        tree = self.tree_of(epoch)
        return ReceiptAnchor(tree.root, tree.count, tuple(tree.prove(receipt.index)))

    def _refusal(self, status: int, code: str, message: str, *, retryable: bool = False) -> AgentRefused:
        return AgentRefused(self._label, status, code, message, retryable=retryable)
