"""Keys of private data: who may have them is asked of the chain, what they cost is paid, and the nodes are asked.

The chain is asked first, at the block that the nodes are asked for, so that nobody pays for what is denied, and what
single nodes say is compared with what the contract says. Only then are nodes asked for shares.

Source: docs/spec/13-access.md, docs/guides/private-data.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypedDict

from eth_utils.crypto import keccak

from walrus_chain.chain.policy_views import Question
from walrus_chain.client.evidence import evidence_for
from walrus_chain.client.holders import Holders
from walrus_chain.client.keep import Keep
from walrus_chain.client.ports import Agents, ChainReader
from walrus_chain.client.purse import Purse
from walrus_chain.client.release import Collected, Holder, Release, UseTerms, words_of
from walrus_chain.client.reputation import Reputation, Suspect
from walrus_chain.client.results import KeyUse, SignedReceipt
from walrus_chain.client.sealing import identity_of
from walrus_chain.client.sessions import Sessions
from walrus_chain.client.threads import in_thread
from walrus_chain.client.uses import UseBook
from walrus_chain.crypto.envelope import KeyEnvelope, VerifiedShare
from walrus_chain.errors import (
    AccessDenied,
    AgentRefused,
    AgentRefusedVoucher,
    AmbiguousBlob,
    ChannelTooSmall,
    ChannelUnusable,
    KeysDestroyed,
    KeysUnreachable,
    NotSealed,
    NoWayToPay,
    PriceAboveLimit,
    Rejected,
    Untrusted,
    UseCostsMore,
    WrongChannel,
)
from walrus_chain.messages.access import NO_PROGRAM, Action, Use
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.messages.voucher import Voucher
from walrus_chain.payments.vouchers import AcceptedVoucher
from walrus_chain.transport.access import Payment, PurchasePayment, VoucherPayment
from walrus_chain.types import BlobObjectId, ChannelId, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.blocks import BlockRef
    from walrus_chain.chain.payment_views import ReadChannel
    from walrus_chain.chain.policy_views import PolicyRecord, Verdict
    from walrus_chain.chain.views import BlobObject

_FREE: Final = Wei(0)
#: How often nodes are asked for a use before it is given up.
_ATTEMPTS: Final = 3
#: What a node says that judged at another block, at another price or for another key epoch: asking anew may help.
_STALE: Final = frozenset(
    {"BlockUnknown", "BlockTooOld", "StaleKeyEpoch", "Denied", "PaymentRequired", "NonceUsed", "RequestExpired"}
)
_KEYS_DESTROYED: Final = "KeysDestroyed"
_SPENT: Final = "SpendLimitReached"
_RECEIPTS: Final = "receipts"


class ReadOptions(TypedDict, total=False):
    """How private data is read; none of it matters for what is public."""

    spend_limit: Wei
    """The most that one use may cost; nothing, when it is not given."""
    channel: ChannelId
    """The channel to pay from; the fullest of yours that fits, when it is not given."""
    open_channel: Wei
    """Where a channel is needed and there is none: open one with this deposit."""
    evidence: bytes
    """What is shown to the policy; found by itself when it is not given."""
    credential: bytes
    """The credential to show, 32 bytes; found by itself when it is not given."""
    rely: bool
    """Go on with the key of a read before, for as long as the policy lets one rely on its answer: nothing is asked or
    paid again. For many small ranges of the same data."""
    raw: bool
    """Read the encrypted bytes as they are stored."""


@dataclass(frozen=True, slots=True)
class ReadTerms:
    """`ReadOptions`, with what is left out."""

    spend_limit: Wei = _FREE
    channel: ChannelId | None = None
    open_channel: Wei | None = None
    evidence: bytes | None = None
    credential: bytes | None = None
    rely: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """The key of an object's data, and what it took to get it. It does not print the key."""

    data_key: bytes = field(repr=False)
    use: KeyUse


@dataclass(frozen=True, slots=True)
class _Offer:
    """An object whose policy allows the use, and on which terms."""

    blob_object: BlobObjectId
    record: PolicyRecord
    verdict: Verdict
    evidence: bytes
    sequence: int
    block: BlockRef


@dataclass(frozen=True, slots=True)
class _Paid:
    """How a use is paid."""

    sequence: int
    payment: Payment
    amount: Wei
    """Of a voucher."""
    channel: ReadChannel | None


class KeyDesk:
    """Gets keys of private data for one account. Calls may be made at the same time."""

    def __init__(
        self,
        chain: ChainReader,
        agents: Agents,
        keep: Keep,
        sessions: Sessions,
        purse: Purse,
        open_channel: Callable[[PoolId, Wei], Awaitable[ReadChannel]],
    ) -> None:
        """
        Args:
            open_channel: opens a channel to a pool with a deposit.
        """
        self._chain = chain
        self._agents = agents
        self._keep = keep
        self._sessions = sessions
        self._open_channel = open_channel
        self._purse = purse
        self._reputation = Reputation()
        self._active: set[tuple[str, int]] = set()
        self._envelopes: dict[bytes, KeyEnvelope] = {}
        """By the hash that the chain has of them."""
        self._holders = Holders(chain, agents)
        self._opened: dict[BlobObjectId, tuple[OpenedKey, float]] = {}
        self._locks: dict[BlobObjectId, asyncio.Lock] = {}
        """Held by those who rely on one another's answers."""
        self._turns: dict[BlobObjectId, asyncio.Lock] = {}
        """Held while a use gets its number."""

    async def open(self, candidates: Sequence[BlobObject], terms: ReadTerms) -> OpenedKey:
        """The key of the data that several objects hold: of the one whose policy allows it for the least.

        Raises:
            NotSealed: none of them has a sealed key.
            AmbiguousBlob: several are sealed, of several owners or at a price; one has to be named.
            AccessDenied, KeysDestroyed: none of their policies allows it; says which clause failed.
            PriceAboveLimit, NoWayToPay, ChannelTooSmall, ChannelUnusable: it costs something, and that cannot be paid.
            KeysUnreachable: too few nodes gave their share; says what each of them said.
            NoWallet: nobody signs for the reader.
        """
        if not terms.rely or not candidates:
            return await self._new(candidates, terms)
        # Readers at the same time ask and pay once.
        async with self._locks.setdefault(candidates[0].id, asyncio.Lock()):
            for candidate in candidates:
                if (held := self._opened.get(candidate.id)) is not None and held[1] > _now():
                    return held[0]
            return await self._new(candidates, terms)

    async def _new(self, candidates: Sequence[BlobObject], terms: ReadTerms) -> OpenedKey:
        if not candidates:
            raise NotSealed("this data")
        # One after the other, so that each use gets a number of its own.
        async with self._turns.setdefault(candidates[0].id, asyncio.Lock()):
            offer, paid = await self._pay(await self._offer(candidates, terms), terms)
        opened = await self._use(offer, paid)
        if terms.rely:
            self._opened[offer.blob_object] = opened, _now() + offer.verdict.ttl_seconds
        return opened

    # -- what the chain says -----------------------------------------------------------------------------------------

    async def _offer(self, candidates: Sequence[BlobObject], terms: ReadTerms) -> _Offer:
        policies = self._chain.policies
        block, records = await asyncio.gather(
            self._chain.head(), asyncio.gather(*(policies.record_of(item.id) for item in candidates))
        )
        sealed = [(item, record) for item, record in zip(candidates, records, strict=True) if record.sealed]
        if not sealed:
            raise NotSealed(f"object {candidates[0].id}")
        numbers = [item.id for item, _ in sealed]
        sealed = [pair for pair in sealed if pair[0].owner == self._sessions.account] or sealed
        offers, _ = await asyncio.gather(
            asyncio.gather(*(self._judged(item.id, record, terms, block) for item, record in sealed)),
            # What is needed next, as it most often is; what goes wrong with it is said then.
            asyncio.gather(*(self._holders_of(item.id, record) for item, record in sealed[:1]), return_exceptions=True),
        )
        allowed = [offer for offer in offers if offer.verdict.allowed]
        if not allowed:
            raise self._denial(offers[0])
        best = min(allowed, key=lambda offer: offer.verdict.price)
        # Anybody can register the same bytes, seal some key for them, ask a little less than their owner does, and give
        # the object away: so of several nothing is paid for, and nothing of a stranger relied on, that was not named.
        owners = {item.owner for item, _ in sealed}
        if len(numbers) > 1 and (best.verdict.price or len(owners) > 1):
            raise AmbiguousBlob(candidates[0].blob_id, numbers)
        return best

    async def _judged(self, number: BlobObjectId, record: PolicyRecord, terms: ReadTerms, block: BlockRef) -> _Offer:
        policies, account = self._chain.policies, self._sessions.account
        sequence = self._book(number).next(by_voucher=False)
        evidence = terms.evidence or b""
        if terms.evidence is None and terms.credential is not None:
            evidence = await evidence_for(self._chain, record.current.access, account, terms.credential) or b""
        question = Question(account, number, Action.READ, NO_PROGRAM, sequence, evidence)
        verdict = await policies.judge(question, at=block.hash)
        if not verdict.allowed and terms.evidence is None and terms.credential is None:
            found = await evidence_for(self._chain, verdict.policy, account, None)
            if found is not None:
                question = replace(question, evidence=found)
                verdict = await policies.judge(question, at=block.hash)
        return _Offer(number, record, verdict, question.evidence, sequence, block)

    async def _again(self, offer: _Offer, sequence: int) -> _Offer:
        """The same question once more, at a block of now."""
        block = await self._chain.head()
        question = Question(
            self._sessions.account, offer.blob_object, Action.READ, NO_PROGRAM, sequence, offer.evidence
        )
        verdict = await self._chain.policies.judge(question, at=block.hash)
        return replace(offer, verdict=verdict, sequence=sequence, block=block)

    def _denial(self, offer: _Offer) -> AccessDenied | KeysDestroyed:
        if offer.verdict.reason == _KEYS_DESTROYED:
            return KeysDestroyed(offer.blob_object)
        return AccessDenied(offer.blob_object, self._sessions.account, offer.verdict.reason, offer.verdict.policy)

    # -- payment -----------------------------------------------------------------------------------------------------

    async def _pay(self, offer: _Offer, terms: ReadTerms) -> tuple[_Offer, _Paid]:
        """How the use is paid, and the offer as of then; what a voucher promises is on disk when this returns."""
        number, verdict, book = offer.blob_object, offer.verdict, self._book(offer.blob_object)
        price, key_epoch = verdict.price, verdict.key_epoch
        if not price:
            book.begin(offer.sequence, key_epoch, None)
            return offer, _Paid(offer.sequence, None, _FREE, None)
        if (broken := book.broken(key_epoch)) is not None:
            try:
                channel = await self._chain.payments.channel(broken.channel)
                use = self._use_of(offer, broken.sequence).digest(self._chain.access_domain)
                if price > terms.spend_limit and not self._purse.has_given(channel, use):
                    # It broke off before its voucher: what was allowed to be spent then is not allowed now.
                    raise PriceAboveLimit(number, price, terms.spend_limit, verdict.pool)
                return offer, self._by_voucher(offer, book, broken.sequence, channel)
            except (UseCostsMore, ChannelTooSmall, ChannelUnusable, Rejected):
                # It was promised at a lower price, or from a channel that is gone: nobody takes that any more.
                book.end(broken.sequence, done=True)
        bought = await self._chain.payments.reads_of(number, self._sessions.account, at=offer.block.hash)
        if offer.sequence < bought:
            book.begin(offer.sequence, key_epoch, None)
            return offer, _Paid(offer.sequence, PurchasePayment(), price, None)
        if price > terms.spend_limit:
            raise PriceAboveLimit(number, price, terms.spend_limit, verdict.pool)
        channel = await self._channel(offer, terms)
        sequence = book.next(by_voucher=True)
        # Asked again, also because the channel may be younger than the block that was asked before.
        far = await self._again(offer, sequence)
        if not far.verdict.allowed or far.verdict.price != price:
            far = replace(offer, block=far.block)  # a policy that counts uses
        return far, self._by_voucher(far, book, far.sequence, channel)

    def _by_voucher(self, offer: _Offer, book: UseBook, sequence: int, channel: ReadChannel) -> _Paid:
        price, use = offer.verdict.price, self._use_of(offer, sequence).digest(self._chain.access_domain)
        if price > channel.deposit - self._purse.promised(channel):
            # Unless it was given a voucher before, as after a crash.
            self._purse.voucher(channel, use, price)
        book.begin(sequence, offer.verdict.key_epoch, channel.channel)
        return _Paid(sequence, self._purse.voucher(channel, use, price), price, channel)

    async def _channel(self, offer: _Offer, terms: ReadTerms) -> ReadChannel:
        """The channel that pays."""
        verdict, payments = offer.verdict, self._chain.payments
        if terms.channel is not None:
            channel = await payments.channel(terms.channel)
            if why := self._unusable(channel, verdict):
                raise ChannelUnusable(channel.channel, why)
            return channel
        own = await payments.channels_of(self._sessions.account, verdict.pool)
        usable = [channel for channel in own if not self._unusable(channel, verdict)]
        fullest = max(usable, key=self._left, default=None)
        if fullest is not None and self._left(fullest) >= verdict.price:
            return fullest
        if terms.open_channel is not None:
            return await self._open_channel(verdict.pool, terms.open_channel)
        if fullest is not None:
            raise ChannelTooSmall(fullest.channel, verdict.price, self._left(fullest))
        raise NoWayToPay(offer.blob_object, verdict.price, verdict.pool)

    def _unusable(self, channel: ReadChannel, verdict: Verdict) -> str | None:
        if channel.pool != verdict.pool:
            return f"it pays pool {channel.pool}, and the use is paid to pool {verdict.pool}"
        if not channel.usable:
            return "it is closed" if channel.closed else "it is being closed"
        if not self._purse.holds_key_of(channel):
            return f"the key {channel.signer} that signs its vouchers is not on this computer"
        return None

    def _left(self, channel: ReadChannel) -> Wei:
        return Wei(channel.deposit - self._purse.promised(channel))

    # -- asking nodes ------------------------------------------------------------------------------------------------

    async def _use(self, offer: _Offer, paid: _Paid) -> OpenedKey:
        book, done = self._book(offer.blob_object), False
        try:
            opened = await self._ask(offer, paid)
            done = True
        except KeysUnreachable:
            # Who did not take the voucher of such a channel yet never will: taken up again, it would fail for ever.
            done = paid.channel is not None and self._unusable(paid.channel, offer.verdict) is not None
            raise
        finally:
            book.end(paid.sequence, done=done)
        if paid.channel is not None:
            self._purse.forget(paid.channel, self._use_of(offer, paid.sequence).digest(self._chain.access_domain))
        self._file(opened)
        return opened

    async def _ask(self, offer: _Offer, paid: _Paid) -> OpenedKey:
        number, domain = offer.blob_object, self._chain.access_domain
        envelope, holders, failures = await self._holders_of(number, offer.record)
        use = self._use_of(offer, paid.sequence)
        identity = identity_of(domain, offer.verdict.policy, number, offer.verdict.key_epoch)
        shares: dict[NodeId, VerifiedShare] = {}
        receipts: list[SignedReceipt] = []
        suspects: list[Suspect] = []
        promised, deposit = (_FREE, _FREE) if paid.channel is None else (paid.amount, paid.channel.deposit)
        session = self._sessions.session(promised, deposit, _clock(offer.block))
        for attempt in range(_ATTEMPTS):
            release = Release(
                session,
                UseTerms(use, identity, offer.evidence, offer.block.hash, paid.payment, _clock(offer.block)),
                envelope,
                self._reputation,
                domain,
                self._chain.channels_domain,
            )
            rest = [holder for holder in holders if holder.node_id not in shares]
            collected = await release.collect(rest, held=len(shares))
            shares |= {share.node: share for share in collected.shares}
            receipts += collected.receipts
            suspects += collected.suspects
            if len(shares) >= envelope.threshold:
                data_key = await in_thread(None, partial(envelope.open, identity, tuple(shares.values())))
                summary = self._summary(offer, paid, envelope, tuple(shares), receipts, suspects)
                return OpenedKey(data_key, summary)
            failures |= words_of(collected.failures)
            if _any_says(collected, _SPENT):
                # The grant's limit was used up elsewhere: the wallet has to sign another one.
                self._sessions.end()
                session = self._sessions.session(promised, deposit, _clock(offer.block))
            again = await self._another_try(offer, paid, collected) if attempt + 1 < _ATTEMPTS else None
            if again is None:
                break
            offer, paid = again
        raise KeysUnreachable(number, len(shares), envelope.threshold, failures)

    async def _holders_of(
        self, number: BlobObjectId, record: PolicyRecord
    ) -> tuple[KeyEnvelope, Sequence[Holder], dict[str, str]]:
        """The sealed key of an object, the nodes that can give shares of it, and why others cannot."""
        envelope = self._envelopes.get(record.envelope_hash)
        if envelope is None:
            found, _ = await asyncio.gather(self._chain.policies.envelope_of(number), self._holders.refresh())
            if found is None:
                raise NotSealed(f"object {number}")
            envelope = KeyEnvelope.from_bytes(found.envelope)
            if keccak(found.envelope) == record.envelope_hash:
                self._envelopes[record.envelope_hash] = envelope
        holders, reasons = await self._holders.of(envelope)
        return envelope, holders, dict(reasons)

    async def _another_try(self, offer: _Offer, paid: _Paid, collected: Collected) -> tuple[_Offer, _Paid] | None:
        """How to ask once more; None where that would not help.

        Raises: AccessDenied, KeysDestroyed: the chain's answer is another one by now.
        """
        refusals = [error for error in collected.failures.values() if isinstance(error, AgentRefused)]
        paid, jumped = self._behind_what_was_promised(offer, paid, refusals)
        if not (jumped or _any_says(collected, _SPENT) or any(refusal.code in _STALE for refusal in refusals)):
            return None
        now = await self._again(offer, paid.sequence)
        if not now.verdict.allowed:
            raise self._denial(now)
        same = (now.verdict.policy, now.verdict.key_epoch, now.verdict.price, now.verdict.pool)
        if same != (offer.verdict.policy, offer.verdict.key_epoch, offer.verdict.price, offer.verdict.pool):
            return None  # other terms are for whoever asked to decide on
        return now, paid

    def _behind_what_was_promised(
        self, offer: _Offer, paid: _Paid, refusals: Sequence[AgentRefused]
    ) -> tuple[_Paid, bool]:
        """Another voucher, when nodes show by the channel's own signature that more was promised than is known here."""
        if paid.channel is None:
            return paid, False
        use, news = self._use_of(offer, paid.sequence).digest(self._chain.access_domain), False
        for refusal in refusals:
            if isinstance(refusal, AgentRefusedVoucher) and refusal.shown:
                try:
                    shown = [AcceptedVoucher(Voucher.from_data(data), signature) for data, signature in refusal.shown]
                    news |= self._purse.jump(paid.channel, use, shown[0], shown[-1])
                except (Untrusted, WrongChannel):
                    continue  # it lies; the other nodes do not
        if news:
            paid = replace(paid, payment=self._purse.voucher(paid.channel, use, paid.amount))
        return paid, news

    def _use_of(self, offer: _Offer, sequence: int) -> Use:
        account = self._sessions.account
        return Use(account, offer.blob_object, Action.READ, NO_PROGRAM, offer.verdict.key_epoch, sequence)

    def _summary(
        self,
        offer: _Offer,
        paid: _Paid,
        envelope: KeyEnvelope,
        nodes: tuple[NodeId, ...],
        receipts: Sequence[SignedReceipt],
        suspects: Sequence[Suspect],
    ) -> KeyUse:
        paid_by = {type(None): PaidBy.FREE, PurchasePayment: PaidBy.PURCHASE, VoucherPayment: PaidBy.VOUCHER}
        return KeyUse(
            blob_object=offer.blob_object,
            requester=self._sessions.account,
            policy=offer.verdict.policy,
            key_epoch=offer.verdict.key_epoch,
            sequence=paid.sequence,
            block=offer.block.number,
            paid_by=paid_by[type(paid.payment)],
            price=offer.verdict.price,
            pool=offer.verdict.pool or None,
            channel=None if paid.channel is None else paid.channel.channel,
            threshold=envelope.threshold,
            nodes=nodes,
            receipts=tuple(receipts),
            suspects=tuple(suspects),
        )

    def _file(self, opened: OpenedKey) -> None:
        """Keeps the nodes' receipts, for audits."""
        use = opened.use
        if use.receipts:
            with self._keep.changing(_RECEIPTS, f"{use.blob_object}-{use.receipts[0].receipt.use.hex()}") as document:
                for signed in use.receipts:
                    document[str(signed.node_id)] = {
                        "receipt": signed.receipt.as_data(),
                        "signature": signed.signature.hex(),
                    }

    def _book(self, blob_object: BlobObjectId) -> UseBook:
        return UseBook(self._keep, self._sessions.account, blob_object, self._active)


def _any_says(collected: Collected, why: str) -> bool:
    """Whether a node refused a voucher for this reason."""
    return any(isinstance(error, AgentRefusedVoucher) and error.why == why for error in collected.failures.values())


def _now() -> float:
    return asyncio.get_running_loop().time()


def _clock(block: BlockRef) -> int:
    """Seconds since 1970, as nodes reckon: by the clock, and not before the newest block."""
    return max(int(time.time()), block.timestamp)
