"""Reading what pays for data: revenue pools, purchases, read channels and renewals.

    payments = chain.payments
    pool = await payments.pool(pool_id)
    channel = await payments.channel(channel_id, at=block_hash)

With `at`, the hash of a block, an answer is as of that block: the same for everybody who asks, wherever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.payment_events import (
    ChannelOpened,
    IncomeClaimed,
    IncomeReceived,
    MemberAdded,
    RevenuePoolCreated,
    RevenuePoolSettled,
    UnitsTransferred,
)
from walrus_chain.chain.payment_views import (
    ChannelRules,
    Income,
    PoolMember,
    ReadChannel,
    Renewal,
    RenewalTerms,
    RevenuePool,
    Settleable,
    SubscriptionTerms,
    VoucherFields,
)
from walrus_chain.chain.values import checksum_address
from walrus_chain.messages.domain import address_word, number_word
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.network import Chain

_NO_LIST = BlobId(bytes(32))


class PaymentBook:
    """What is paid for data on one network, for reading."""

    def __init__(self, chain: Chain) -> None:
        """
        Args:
            chain: the network.
        """
        self._chain = chain

    # -- revenue pools -----------------------------------------------------------------------------------------------

    async def protocol_bps(self) -> int:
        """What is burned of each income of a pool, in hundredths of a percent."""
        return int(await self._chain.call("RevenuePools", "protocolBps"))

    async def pool_count(self) -> int:
        """How many pools there are; they are numbered from 1."""
        return int(await self._chain.call("RevenuePools", "poolCount"))

    async def pool(self, pool: PoolId, at: bytes | None = None) -> RevenuePool:
        """A pool as it is kept.

        Raises: UnknownPool; BlockUnknown: no endpoint has the block `at` in its chain.
        """
        return _pool_from(pool, await self._chain.call("RevenuePools", "poolOf", pool, at=at))

    async def member(self, pool: PoolId, account: Address) -> PoolMember:
        """An account's part in a pool; without units when it has none, or never showed its place in the tree.

        Raises: UnknownPool.
        """
        units, settled, accrued, entered = await self._chain.call("RevenuePools", "memberOf", pool, account)
        return PoolMember(units, Wei(settled), Wei(accrued), entered)

    async def claimable(self, pool: PoolId, account: Address) -> Wei:
        """What a member could claim now.

        Raises: UnknownPool.
        """
        return Wei(await self._chain.call("RevenuePools", "claimable", pool, account))

    async def claimable_from_root(self, pool: PoolId, units: int) -> Wei:
        """What an account with so many units in the tree could claim now, if it never did.

        Raises: UnknownPool, NotFromRoot.
        """
        return Wei(await self._chain.call("RevenuePools", "claimableFromRoot", pool, units))

    async def settleable(self, pool: PoolId) -> Settleable:
        """What settling a pool now would move into storage fees, and burn.

        Raises: UnknownPool.
        """
        to_nodes, burned = await self._chain.call("RevenuePools", "settleable", pool)
        return Settleable(Wei(to_nodes), Wei(burned))

    async def list_of(self, pool: PoolId) -> BlobId | None:
        """The blob that holds the list of members of a pool from a root; none when the pool names none."""
        created = await self._chain.logged(RevenuePoolCreated, number_word(pool))
        return next((event.list for event in created if event.list != _NO_LIST), None)

    async def members_of(self, pool: PoolId) -> tuple[Address, ...]:
        """The accounts that are or were members of a pool, in the order in which they came."""
        added = await self._chain.logged(MemberAdded, number_word(pool))
        return tuple(dict.fromkeys(event.account for event in added))

    async def pools_of(self, account: Address) -> tuple[PoolId, ...]:
        """The pools of which an account is or was a member, in the order in which it joined them.

        Of pools from a root only those where it showed its place.
        """
        added = await self._chain.logged(MemberAdded, None, address_word(account))
        return tuple(dict.fromkeys(event.pool for event in added))

    async def pools_by(self, creator: Address) -> tuple[PoolId, ...]:
        """The pools that an account created, oldest first."""
        created = await self._chain.logged(RevenuePoolCreated, None, address_word(creator))
        return tuple(event.pool for event in created)

    async def incomes_of(
        self, pool: PoolId, *, first: int | None = None, last: int | None = None
    ) -> tuple[Income, ...]:
        """The incomes of a pool in blocks first..last, or since it was created, in chain order.

        Raises: BlockUnknown: no endpoint knows the block `last`.
        """
        received = await self._chain.logged(IncomeReceived, number_word(pool), first=first, last=last)
        return tuple(
            Income(
                pool=event.pool,
                source=event.source,
                payer=event.payer,
                amount=event.amount,
                purpose=event.purpose,
                block=event.block.number,
                timestamp=event.block.timestamp,
                transaction=event.transaction,
            )
            for event in received
        )

    async def history_of(self, pool: PoolId) -> tuple[ChainEvent, ...]:
        """Members that came, incomes, claims, units handed on and settlements of a pool, in chain order."""
        kinds: tuple[type[ChainEvent], ...] = (
            MemberAdded,
            IncomeReceived,
            IncomeClaimed,
            UnitsTransferred,
            RevenuePoolSettled,
        )
        found = [event for kind in kinds for event in await self._chain.logged(kind, number_word(pool))]
        return tuple(sorted(found, key=lambda event: (event.block.number, event.log_index)))

    # -- purchases ---------------------------------------------------------------------------------------------------

    async def reads_of(self, blob_object: BlobObjectId, reader: Address, at: bytes | None = None) -> int:
        """How many reads of an object were ever bought for a reader: sequences below it are paid.

        Raises: BlockUnknown.
        """
        return int(await self._chain.call("Purchases", "readsOf", blob_object, reader, at=at))

    async def subscribed_until(self, policy: Address, reader: Address, at: bytes | None = None) -> int:
        """Until when a reader bought time under a policy, seconds since 1970; 0 when never.

        Raises: BlockUnknown.
        """
        return int(await self._chain.call("Purchases", "subscribedUntil", policy, reader, at=at))

    async def subscription_terms(self, policy: Address) -> SubscriptionTerms:
        """What a subscription policy sells.

        Raises: ContractMissing, Rejected: it is none.
        """
        price, seconds, pool = await self._chain.view(policy, "SubscriptionPolicy", "subscriptionTerms")
        return SubscriptionTerms(Wei(price), seconds, PoolId(pool))

    # -- read channels -----------------------------------------------------------------------------------------------

    async def channel_rules(self) -> ChannelRules:
        """What holds for all channels."""
        names = ("closeDelay", "tipBps")
        return ChannelRules(*await self._chain.calls([("ReadChannels", name, ()) for name in names]))

    async def channel(self, channel: ChannelId, at: bytes | None = None) -> ReadChannel:
        """A channel.

        Raises: UnknownChannel; BlockUnknown: no endpoint has the block `at` in its chain.
        """
        return _channel_from(channel, await self._chain.call("ReadChannels", "channelOf", channel, at=at))

    async def channels_of(self, payer: Address, pool: PoolId | None = None) -> tuple[ReadChannel, ...]:
        """The channels that an account opened, closed ones too, as they are now, oldest first.

        Args:
            pool: only those that pay this pool; all when none.
        """
        pays = None if pool is None else number_word(pool)
        opened = await self._chain.logged(ChannelOpened, None, address_word(payer), pays)
        if not opened:
            return ()
        found = await self._chain.calls([("ReadChannels", "channelOf", (event.channel,)) for event in opened])
        return tuple(_channel_from(event.channel, view) for event, view in zip(opened, found, strict=True))

    async def voucher_digest(self, voucher: VoucherFields) -> bytes:
        """What the contract says a channel's signer signs for a voucher, 32 bytes."""
        row = (voucher.channel, voucher.cumulative, voucher.amount, voucher.purpose)
        return bytes(await self._chain.call("ReadChannels", "voucherDigest", row))

    # -- renewals ----------------------------------------------------------------------------------------------------

    async def renewal_of(self, blob_object: BlobObjectId) -> Renewal:
        """Terms and balance of an object's renewals; the terms have no epochs when the owner set none."""
        terms, balance, due = await self._chain.calls(
            [("Renewals", name, (blob_object,)) for name in ("termsOf", "balanceOf", "isDue")]
        )
        epochs, lead, tip = terms
        return Renewal(blob_object, RenewalTerms(epochs, lead, Wei(tip)), Wei(balance), due)


def _pool_from(pool: PoolId, view: Sequence[Any]) -> RevenuePool:
    """`IRevenuePools.Pool`."""
    return RevenuePool(
        pool=pool,
        earned_per_weight=Wei(view[0]),
        units=view[1],
        dust=Wei(view[2]),
        nodes_bps=view[3],
        root=bytes(view[4]),
    )


def _channel_from(channel: ChannelId, view: Sequence[Any]) -> ReadChannel:
    """`IReadChannels.Channel`."""
    return ReadChannel(
        channel=channel,
        payer=checksum_address(view[0]),
        signer=checksum_address(view[1]),
        pool=PoolId(view[2]),
        deposit=Wei(view[3]),
        redeemed=Wei(view[4]),
        closes_at=view[5],
        closed=view[6],
    )
