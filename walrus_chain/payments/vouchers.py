"""Vouchers, from both sides: which of them a node takes, and which a payer gives next.

A voucher pays for one use with a stretch of its channel, from `cumulative - amount` to `cumulative`. What a channel
pays in the end is the largest `cumulative` redeemed; so a stretch that pays for two uses would pay one of them with
nothing. A node takes vouchers in any order, but no stretch for two uses; a payer gives each use a stretch of its own.

Both sides are pure: what they remember is kept by whoever runs them, before a word of it goes out.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

from bisect import bisect_right, insort_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from walrus_chain.errors import (
    AboveDeposit,
    AmountTooSmall,
    ChannelIsClosing,
    MalformedSignature,
    UseCostsMore,
    VoucherRefused,
    WrongChannel,
    WrongPool,
    WrongPurpose,
    WrongSigner,
    WrongVoucherSigner,
)
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Address, Wei


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """A read channel, as the chain has it at the block of a request."""

    channel: int
    payer: Address
    signer: Address
    pool: int
    deposit: Wei
    redeemed: Wei
    closes_at: int
    """Seconds since 1970; zero while nobody closes it."""
    closed: bool


@dataclass(frozen=True, slots=True)
class AcceptedVoucher:
    """A voucher that a node took."""

    voucher: Voucher
    signature: bytes

    @property
    def use(self) -> bytes:
        """The digest of the use that it paid for."""
        return self.voucher.purpose


class StretchTaken(VoucherRefused):
    """A voucher whose stretch pays for another use already; promise more.

    Both vouchers that it shows are signed by the payer, so the payer need not believe anybody (`SpendLedger.jump`).
    """

    def __init__(self, taken: AcceptedVoucher, highest: AcceptedVoucher) -> None:
        super().__init__(
            f"channel {taken.voucher.channel}: that stretch pays for use 0x{taken.use.hex()} already; "
            f"{highest.voucher.cumulative} wei are promised so far, promise more"
        )
        self.taken, self.highest = taken, highest


class VoucherBook:
    """The vouchers that one node took of one channel.

    Accepted stretches of different uses never overlap, so their sum is payable by redeeming the highest of them.
    """

    def __init__(self, channel: int, accepted: Iterable[AcceptedVoucher] = ()) -> None:
        """
        Args:
            accepted: what was taken before, in any order.
        """
        self._channel = channel
        self._by_use: dict[bytes, AcceptedVoucher] = {}
        self._by_place: list[AcceptedVoucher] = []
        for taken in accepted:
            self.record(taken)

    @property
    def accepted(self) -> Mapping[bytes, AcceptedVoucher]:
        """What was taken, by use; a live view."""
        return MappingProxyType(self._by_use)

    @property
    def highest(self) -> AcceptedVoucher | None:
        """The one to redeem: it pays for all of them."""
        return self._by_place[-1] if self._by_place else None

    def judge(
        self,
        voucher: Voucher,
        signature: bytes,
        *,
        price: Wei,
        use: bytes,
        pool: int,
        facts: ChannelFacts,
        domain: Domain,
    ) -> AcceptedVoucher | None:
        """Says whether the voucher pays for the use. Changes nothing: keep what it says, then `record` it.

        Args:
            price: what the use costs.
            use: its digest.
            pool: the revenue pool that it is owed to.
            facts: of the channel.
            domain: of the read channels (`channels_domain`).
        Returns: what is to be kept; None when the use was paid to this node before, with this voucher or another.
        Raises: VoucherRefused: one of its kinds, looked for in this order: WrongChannel, WrongVoucherSigner,
            WrongPurpose, WrongPool, AmountTooSmall, ChannelIsClosing, AboveDeposit, StretchTaken.
        """
        if not voucher.channel == facts.channel == self._channel:
            raise WrongChannel(self._channel, voucher.channel)
        try:
            voucher.verify_by(facts.signer, signature, domain)
        except (MalformedSignature, WrongSigner):
            raise WrongVoucherSigner(voucher.channel, facts.signer) from None
        if voucher.purpose != use:
            raise WrongPurpose(use, voucher.purpose)
        if use in self._by_use:
            return None
        if facts.pool != pool:
            raise WrongPool(voucher.channel, pool, facts.pool)
        if voucher.amount < max(price, 1) or voucher.start < 0:
            raise AmountTooSmall(max(price, 1), min(voucher.amount, voucher.cumulative))
        if facts.closed or facts.closes_at:
            raise ChannelIsClosing(voucher.channel, facts.closes_at)
        if voucher.cumulative > facts.deposit:
            raise AboveDeposit(voucher.channel, facts.deposit, voucher.cumulative)
        behind = bisect_right(self._by_place, voucher.start, key=_end)
        if behind < len(self._by_place) and _overlap(voucher, self._by_place[behind].voucher):
            raise StretchTaken(self._by_place[behind], self._by_place[-1])
        return AcceptedVoucher(voucher, signature)

    def record(self, taken: AcceptedVoucher) -> None:
        """Remembers what `judge` took and what is kept by now. Once for each use."""
        if taken.use in self._by_use:
            return
        self._by_use[taken.use] = taken
        insort_right(self._by_place, taken, key=_end)


class SpendLedger:
    """What a payer promised from one channel: each use gets a stretch behind all others; none is given out twice."""

    def __init__(self, channel: int, promised: Wei, uses: Mapping[bytes, Voucher] | None = None) -> None:
        """
        Args:
            promised: where the next stretch begins: what was ever promised, and at least what was redeemed.
            uses: the voucher that each use was given, by its digest.
        """
        self._channel = channel
        self._promised = promised
        self._uses = dict(uses or {})

    @property
    def channel(self) -> int:
        """The channel's number."""
        return self._channel

    @property
    def promised(self) -> Wei:
        """What was promised in all; the most that the channel can pay."""
        return self._promised

    @property
    def uses(self) -> Mapping[bytes, Voucher]:
        """The voucher that each use was given; a live view."""
        return MappingProxyType(self._uses)

    def pay(self, use: bytes, price: Wei, deposit: Wei) -> Voucher:
        """The voucher for a use: the one that it was given before, or one for the next stretch. Keep it, then sign it.

        Raises:
            AmountTooSmall: the price is zero; nothing is to be paid.
            UseCostsMore: it was given one for less.
            AboveDeposit: the channel has not so much left; top it up.
        """
        if price < 1:
            raise AmountTooSmall(1, price)
        given = self._uses.get(use)
        if given is not None:
            if given.amount < price:
                raise UseCostsMore(given.amount, price)
            return given
        cumulative = Wei(self._promised + price)
        if cumulative > deposit:
            raise AboveDeposit(self._channel, deposit, cumulative)
        voucher = Voucher(self._channel, cumulative, price, use)
        self._uses[use], self._promised = voucher, cumulative
        return voucher

    def jump(
        self, use: bytes, taken: AcceptedVoucher, highest: AcceptedVoucher, signer: Address, domain: Domain
    ) -> bool:
        """Believes a node that more was promised than is remembered here, as far as the payer's own signatures show it.

        A ledger that was lost, or a wallet on two computers, leads to stretches that are taken. Behind the highest
        voucher there is room; `pay` makes another voucher for the use.

        Args:
            use: the digest of the use whose voucher was refused.
            taken, highest: what the node shows (`StretchTaken`).
            signer: the channel's signer.
        Returns: whether the voucher was refused with reason; if not, nothing changes, and another node is to be asked.
        Raises:
            WrongChannel: a voucher of another channel.
            MalformedSignature, WrongSigner: the payer never signed it; the node lies.
        """
        for shown in (taken, highest):
            if shown.voucher.channel != self._channel:
                raise WrongChannel(self._channel, shown.voucher.channel)
            shown.voucher.verify_by(signer, shown.signature, domain)
        given = self._uses.get(use)
        if given is None or taken.use == use or not _overlap(given, taken.voucher):
            return False
        del self._uses[use]
        self._promised = max(self._promised, taken.voucher.cumulative, highest.voucher.cumulative)
        return True


def _overlap(one: Voucher, other: Voucher) -> bool:
    return one.start < other.cumulative and other.start < one.cumulative


def _end(taken: AcceptedVoucher) -> int:
    return taken.voucher.cumulative
