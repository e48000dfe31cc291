"""What an account pays vouchers from: its channels whose keys are on this computer, and what was promised from each.

A channel has a key of its own, made before it is opened. What a voucher promises is on disk before the voucher is
signed, so no stretch is ever promised twice, whatever breaks.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from walrus_chain.client.keep import Document, Keep
from walrus_chain.client.sessions import new_signer
from walrus_chain.errors import AboveDeposit, ChannelTooSmall, ChannelUnusable
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.messages.voucher import Voucher
from walrus_chain.payments.vouchers import AcceptedVoucher, SpendLedger
from walrus_chain.transport.access import VoucherPayment
from walrus_chain.types import Address, ChannelId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import ReadChannel

_KIND: Final = "vouchers"


class Purse:
    """Keys of channels, and what was promised with them."""

    def __init__(self, keep: Keep, domain: Domain, random: Callable[[int], bytes] = os.urandom) -> None:
        """
        Args:
            domain: of the read channels.
        """
        self._keep = keep
        self._domain = domain
        self._random = random

    def new_signer(self) -> Address:
        """A key for a channel that is about to be opened; kept when this returns."""
        key, signer = new_signer(self._random)
        with self._keep.changing(_KIND, signer.address) as document:
            document["key"] = key.hex()
        return signer.address

    def holds_key_of(self, channel: ReadChannel) -> bool:
        """Whether the key that signs a channel's vouchers is here."""
        return str(channel.signer) in self._keep.names(_KIND)

    def promised(self, channel: ReadChannel) -> Wei:
        """What was promised from a channel in all, as far as this computer and the chain know."""
        with self._keep.changing(_KIND, channel.signer) as document:
            return _ledger(channel, document).promised

    def has_given(self, channel: ReadChannel, use: bytes) -> bool:
        """Whether a use, by its digest, was given a voucher."""
        with self._keep.changing(_KIND, channel.signer) as document:
            return use in _ledger(channel, document).uses

    def voucher(self, channel: ReadChannel, use: bytes, price: Wei) -> VoucherPayment:
        """The voucher that pays for a use: the one that it was given before, or a new one.

        Args:
            use: its digest.
        Raises:
            ChannelUnusable: its key is elsewhere.
            ChannelTooSmall: it has less left; says how much.
        """
        with self._keep.changing(_KIND, channel.signer) as document:
            signer, ledger = self._signer(channel, document), _ledger(channel, document)
            try:
                voucher = ledger.pay(use, price, channel.deposit)
            except AboveDeposit:
                raise ChannelTooSmall(channel.channel, price, channel.deposit - ledger.promised) from None
            _write(document, ledger)
        return VoucherPayment(voucher, voucher.sign(signer, self._domain))

    def jump(self, channel: ReadChannel, use: bytes, taken: AcceptedVoucher, highest: AcceptedVoucher) -> bool:
        """Believes a node that more was promised than is known here, as far as this channel's own signatures show it.

        Args:
            use: the digest of the use whose voucher was refused.
            taken, highest: what the node shows.
        Returns: whether it was news, so that `voucher` gives another one.
        Raises: WrongChannel, MalformedSignature, WrongSigner: the node lies.
        """
        with self._keep.changing(_KIND, channel.signer) as document:
            ledger = _ledger(channel, document)
            news = ledger.jump(use, taken, highest, channel.signer, self._domain)
            _write(document, ledger)
        return news

    def forget(self, channel: ReadChannel, use: bytes) -> None:
        """A use is over: its voucher is not needed again. What it promised stays promised."""
        with self._keep.changing(_KIND, channel.signer) as document:
            document.get("uses", {}).pop(use.hex(), None)

    def _signer(self, channel: ReadChannel, document: Document) -> LocalSigner:
        if "key" not in document:
            why = f"the key {channel.signer} that signs its vouchers is not on this computer"
            raise ChannelUnusable(channel.channel, why)
        return LocalSigner(bytes.fromhex(document["key"]))


def _ledger(channel: ReadChannel, document: Document) -> SpendLedger:
    uses: Mapping[str, object] = document.get("uses", {})
    promised = max(int(document.get("promised", 0)), channel.redeemed)
    return SpendLedger(
        ChannelId(channel.channel),
        Wei(promised),
        {bytes.fromhex(use): Voucher.from_data(voucher) for use, voucher in uses.items()},
    )


def _write(document: Document, ledger: SpendLedger) -> None:
    document["channel"] = ledger.channel
    document["promised"] = str(ledger.promised)
    document["uses"] = {use.hex(): voucher.as_data() for use, voucher in ledger.uses.items()}
