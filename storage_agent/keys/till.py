"""Whether what a requester offers pays for a use: vouchers of channels, and reads that were bought on chain.

Money counts where the chain shows it at the request's block and `confirmations` blocks before the newest; a larger
amount only where the chain calls it final. What was promised to two uses is found by the ledger, in its one writer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
from walrus_chain.payments.vouchers import ChannelFacts, VoucherBook
from walrus_chain.types import Wei


class MoneySource(Protocol):
    """Whoever knows what lies on chain; `storage_agent.watch.access.AccessChain` does.

    Raises: BlockUnknown: the named block is not in the chain; and what endpoints raise.
    """

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""

    async def finalized(self) -> BlockRef:
        """The newest block that the chain calls final."""

    async def channel(self, channel: int, at: bytes) -> ChannelFacts | None:
        """A channel as it is in a block; none when it is not there."""

    async def reads_of(self, use: Use, at: bytes) -> int:
        """How many reads of the use's object were bought for its requester, as a block has it."""


@dataclass(frozen=True, slots=True)
class TillRules:
    """When money counts."""

    confirmations: int
    finality_above: Wei
    """Larger amounts must be final."""


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

    async def check(self, offer: Offer, use: Use, digest: bytes, verdict: Verdict, block: BlockRef) -> Payment:
        """What pays for the use, when the offer does.

        Args:
            digest: of the use.
            verdict: that allows it, at a price.
            block: that the request names.
        Raises:
            PaymentRequired: nothing was offered.
            VoucherRefused: the offer does not pay, with the reason.
            PaymentUnconfirmed: it will, later.
            BlockUnknown, and what endpoints raise.
        """
        match offer:
            case SignedVoucher():
                return await self._check_voucher(offer, digest, verdict, block)
            case Purchase():
                return await self._check_purchase(use, verdict, block)
        raise PaymentRequired(verdict.price, verdict.pool)

    async def _check_voucher(self, offer: SignedVoucher, digest: bytes, verdict: Verdict, block: BlockRef) -> Payment:
        voucher = offer.voucher
        facts = await self._source.channel(voucher.channel, block.hash)
        if facts is None:
            raise refused("UnknownChannel", f"there is no channel {voucher.channel} at the named block", verdict)
        head = await self._source.head(0)
        present = await self._source.channel(voucher.channel, head.hash)
        if present is not None:
            # Since the named block the payer may have begun to close it.
            closes_at, closed = max(facts.closes_at, present.closes_at), facts.closed or present.closed
            facts = replace(facts, closes_at=closes_at, closed=closed)
        try:
            VoucherBook(voucher.channel).judge(
                voucher,
                offer.signature,
                price=verdict.price,
                use=digest,
                pool=verdict.pool,
                facts=facts,
                domain=self._channels,
            )
        except BadVoucher as error:
            raise refused(type(error).__name__, str(error), verdict) from None

        async def lies_there(at: bytes) -> bool:
            then = await self._source.channel(voucher.channel, at)
            return (
                then is not None
                and (then.signer, then.pool) == (facts.signer, facts.pool)
                and (voucher.cumulative <= then.deposit)
            )

        await self._check_settled(f"the deposit of channel {voucher.channel}", voucher.amount, head, lies_there)
        return Payment(
            PaidBy.VOUCHER, voucher.amount, verdict.pool, voucher.channel, voucher.cumulative, offer.signature
        )

    async def _check_purchase(self, use: Use, verdict: Verdict, block: BlockRef) -> Payment:
        bought = await self._source.reads_of(use, block.hash)
        if use.sequence >= bought:
            raise refused("NotBought", f"{bought} reads are bought; read {use.sequence} is not", verdict)

        async def lies_there(at: bytes) -> bool:
            return use.sequence < await self._source.reads_of(use, at)

        await self._check_settled(f"read {use.sequence}", verdict.price, await self._source.head(0), lies_there)
        return Payment(PaidBy.PURCHASE, verdict.price, verdict.pool)

    async def _check_settled(
        self, what: str, amount: Wei, head: BlockRef, lies_there: Callable[[bytes], Awaitable[bool]]
    ) -> None:
        """Raises: PaymentUnconfirmed: a reorganisation could still undo it."""
        rules = self._rules
        if amount > rules.finality_above:
            if not await lies_there((await self._source.finalized()).hash):
                raise PaymentUnconfirmed(what, "final")
            return
        sure = await self._source.head(rules.confirmations) if rules.confirmations else head
        if not await lies_there(sure.hash):
            raise PaymentUnconfirmed(what, f"confirmed by {rules.confirmations} blocks")


def refused(why: str, message: str, verdict: Verdict) -> VoucherRefused:
    """The refusal of an offer that does not pay for what was decided."""
    return VoucherRefused(why, message, verdict.price, verdict.pool)
