"""Whether what a requester offers pays for a use: vouchers of channels, and reads that were bought on chain.

Money counts where the chain shows it at the request's block and `confirmations` blocks before it; a larger amount only
where the chain calls it final. What was promised to two uses is found by the ledger, in its one writer.

Looking and judging are apart, so that the chain is asked for the money while the policy decides.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from storage_agent.keys.request import Offer, Purchase, SignedVoucher
from storage_agent.node.access_refusals import PaymentRequired, PaymentUnconfirmed, VoucherRefused
from storage_agent.store.access import Payment
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.policy_views import Verdict
from walrus_chain.errors import VoucherRefused as BadVoucher
from walrus_chain.messages.access import Use
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.messages.voucher import Voucher
from walrus_chain.payments.vouchers import ChannelFacts, VoucherBook
from walrus_chain.types import Wei


class MoneySource(Protocol):
    """Whoever knows what lies on chain; `storage_agent.watch.access.AccessChain` does.

    Raises: BlockUnknown: the named block is not in the chain; and what endpoints raise.
    """

    async def back(self, block: BlockRef, count: int) -> BlockRef:
        """The block `count` blocks before another."""

    async def finalized(self) -> BlockRef:
        """The newest block that the chain calls final."""

    async def channel(self, channel: int, at: bytes | None) -> ChannelFacts | None:
        """A channel as it is in a block, the newest when none is named; none when it is not there."""

    async def reads_of(self, use: Use, at: bytes) -> int:
        """How many reads of the use's object were bought for its requester, as a block has it."""


@dataclass(frozen=True, slots=True)
class TillRules:
    """When money counts."""

    confirmations: int
    finality_above: Wei
    """Larger amounts must be final."""


@dataclass(frozen=True, slots=True)
class VoucherMoney:
    """What lies behind a voucher."""

    signed: SignedVoucher
    named: ChannelFacts | None
    """The channel at the block that the request names."""
    present: ChannelFacts | None
    """At the newest block, where the payer may have begun to close it."""
    settled: ChannelFacts | None
    """At a block that is not undone any more."""


@dataclass(frozen=True, slots=True)
class BoughtReads:
    """How many reads were bought."""

    named: int
    """At the block that the request names."""
    settled: int
    """At a block that is confirmed."""
    final: int | None
    """At a final block; none where nobody looked."""


Money = VoucherMoney | BoughtReads | None


class Till:
    """Takes payments."""

    def __init__(self, source: MoneySource, rules: TillRules, channels: Domain) -> None:
        """
        Args:
            channels: the domain in which vouchers are signed.
        """
        self._source = source
        self._rules = rules
        self._channels = channels

    async def look(self, offer: Offer, use: Use, block: BlockRef) -> Money:
        """What lies on chain behind an offer.

        Args:
            block: that the request names.
        Raises: BlockUnknown, and what endpoints raise.
        """
        match offer:
            case SignedVoucher(voucher):
                named, present, settled = await asyncio.gather(
                    self._source.channel(voucher.channel, block.hash),
                    self._source.channel(voucher.channel, None),
                    self._settled_channel(voucher, block),
                )
                return VoucherMoney(offer, named, present, settled)
            case Purchase():
                bought, confirmed = await asyncio.gather(
                    self._source.reads_of(use, block.hash), self._confirmed_reads(use, block)
                )
                return BoughtReads(bought, confirmed, None)
        return None

    async def check(self, money: Money, use: Use, digest: bytes, verdict: Verdict) -> Payment:
        """What pays for the use, when what was offered does.

        Args:
            digest: of the use.
            verdict: that allows it, at a price.
        Raises:
            PaymentRequired: nothing was offered.
            VoucherRefused: the offer does not pay, with the reason.
            PaymentUnconfirmed: it will, later.
        """
        match money:
            case VoucherMoney():
                return self._check_voucher(money, digest, verdict)
            case BoughtReads():
                if verdict.price > self._rules.finality_above:
                    final = await self._source.reads_of(use, (await self._source.finalized()).hash)
                    money = replace(money, final=final)
                return self._check_purchase(money, use, verdict)
        raise PaymentRequired(verdict.price, verdict.pool)

    def _check_voucher(self, money: VoucherMoney, digest: bytes, verdict: Verdict) -> Payment:
        voucher, facts = money.signed.voucher, money.named
        if facts is None:
            raise refused("UnknownChannel", f"there is no channel {voucher.channel} at the named block", verdict)
        if (present := money.present) is not None:
            closes_at, closed = max(facts.closes_at, present.closes_at), facts.closed or present.closed
            facts = replace(facts, closes_at=closes_at, closed=closed)
        try:
            VoucherBook(voucher.channel).judge(
                voucher,
                money.signed.signature,
                price=verdict.price,
                use=digest,
                pool=verdict.pool,
                facts=facts,
                domain=self._channels,
            )
        except BadVoucher as error:
            raise refused(type(error).__name__, str(error), verdict) from None
        settled = money.settled
        if (
            settled is None
            or voucher.cumulative > settled.deposit
            or (settled.signer, settled.pool) != (facts.signer, facts.pool)
        ):
            raise PaymentUnconfirmed(f"the deposit of channel {voucher.channel}", self._in_words(voucher.amount))
        signature = money.signed.signature
        return Payment(PaidBy.VOUCHER, voucher.amount, verdict.pool, voucher.channel, voucher.cumulative, signature)

    def _check_purchase(self, money: BoughtReads, use: Use, verdict: Verdict) -> Payment:
        if use.sequence >= money.named:
            raise refused("NotBought", f"{money.named} reads are bought; read {use.sequence} is not", verdict)
        if use.sequence >= (money.settled if money.final is None else money.final):
            raise PaymentUnconfirmed(f"read {use.sequence}", self._in_words(verdict.price))
        return Payment(PaidBy.PURCHASE, verdict.price, verdict.pool)

    async def _settled_channel(self, voucher: Voucher, block: BlockRef) -> ChannelFacts | None:
        if voucher.amount > self._rules.finality_above:
            settled = await self._source.finalized()
        else:
            settled = await self._confirmed(block)
        return await self._source.channel(voucher.channel, settled.hash)

    async def _confirmed_reads(self, use: Use, block: BlockRef) -> int:
        return await self._source.reads_of(use, (await self._confirmed(block)).hash)

    async def _confirmed(self, block: BlockRef) -> BlockRef:
        return await self._source.back(block, self._rules.confirmations) if self._rules.confirmations else block

    def _in_words(self, amount: Wei) -> str:
        """When an amount counts."""
        if amount > self._rules.finality_above:
            return "final"
        return f"confirmed by {self._rules.confirmations} blocks"


def refused(why: str, message: str, verdict: Verdict) -> VoucherRefused:
    """The refusal of an offer that does not pay for what was decided."""
    return VoucherRefused(why, message, verdict.price, verdict.pool)
