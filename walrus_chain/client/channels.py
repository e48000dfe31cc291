"""Channels that uses are paid from, as `walrus channel` shows them: what `Client.channels` offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walrus_chain.client.desks import Desk, paying
from walrus_chain.client.objects import Objects
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.client.purse import Purse
from walrus_chain.types import Address, ChannelId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import ReadChannel


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, and what this computer knows of it."""

    facts: ReadChannel
    promised: Wei
    """By vouchers in all, as far as this computer and the chain know."""
    key_here: bool
    """Whether the key that signs its vouchers is on this computer."""

    @property
    def left(self) -> Wei:
        """What of the deposit may still be promised."""
        return Wei(0) if self.facts.closed else Wei(self.facts.deposit - self.promised)


@dataclass(frozen=True, slots=True)
class Closing:
    """A channel on its way to being closed."""

    channel: ChannelId
    closes_at: int
    """From when on the rest is paid back, seconds since 1970."""
    refunded: Wei | None
    """What was paid back; None before that."""
    transaction: str | None
    """None where nothing was to be done yet."""


class Channels(Desk):
    """The channels of a client's account. Vouchers are given by reading, within its spend limit."""

    def __init__(
        self, chain: ChainReader, signing: Callable[[str], ChainWriter], objects: Objects, purse: Purse
    ) -> None:
        super().__init__(chain, signing, objects)
        self._purse = purse

    async def open(self, pool: PoolId, deposit: Wei) -> Channel:
        """Open a channel to a revenue pool. Its key is made and kept first.

        Raises:
            ChannelPoolUnknown, NoDeposit, DepositOutOfBounds.
            NotEnoughWal: says how much is missing.
        """
        writer = self._signing("opening a channel")
        signer = self._purse.new_signer()
        receipt = await paying(writer, lambda: writer.payments.open_channel(pool, signer, deposit))
        return await self.show(receipt.channel)

    async def top_up(self, channel: ChannelId, amount: Wei) -> Channel:
        """Add to a channel's deposit; anybody may, not while it is being closed.

        Raises: UnknownChannel, ChannelIsClosing, ChannelIsClosed, NoDeposit.
        """
        writer = self._signing("topping up a channel")
        await paying(writer, lambda: writer.payments.top_up(channel, amount))
        return await self.show(channel)

    async def close(self, channel: ChannelId) -> Closing:
        """Begin to close a channel; or, once the delay is over, have the rest of its deposit paid back.

        Nodes redeem what was promised to them in between.

        Raises: UnknownChannel, ChannelNotYours, ChannelIsClosed.
        """
        writer = self._signing("closing a channel")
        facts = await self._chain.payments.channel(channel)
        if facts.closes_at and not facts.closed:
            if (await self._chain.head()).timestamp < facts.closes_at:
                return Closing(channel, facts.closes_at, None, None)
            paid = await writer.payments.finish_close(channel)
            return Closing(channel, facts.closes_at, paid.amount, paid.transaction)
        receipt = await writer.payments.start_close(channel)
        facts = await self._chain.payments.channel(channel)
        return Closing(channel, facts.closes_at, None, receipt.transaction)

    async def show(self, channel: ChannelId) -> Channel:
        """One channel.

        Raises: UnknownChannel.
        """
        return self._known(await self._chain.payments.channel(channel))

    async def list(self, account: Address | None = None) -> tuple[Channel, ...]:
        """The channels that an account opened, closed ones too, oldest first.

        Args:
            account: this client's own one when none is named.
        """
        account = self._account(account, "listing your own channels")
        return tuple(map(self._known, await self._chain.payments.channels_of(account)))

    def _known(self, facts: ReadChannel) -> Channel:
        here = self._purse.holds_key_of(facts)
        return Channel(facts, self._purse.promised(facts) if here else facts.redeemed, here)
