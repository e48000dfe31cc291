"""Writing what pays for data: revenue pools, purchases, read channels and renewals: `Sender.payments`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from walrus_chain.chain.contracts import ContractCalls
from walrus_chain.chain.payment_events import (
    ChannelClosed,
    ChannelOpened,
    EquivocationPunished,
    IncomeClaimed,
    ReadsBought,
    Renewed,
    RevenuePoolCreated,
    RevenuePoolSettled,
    Subscribed,
    VoucherRedeemed,
    VoucherSkipped,
)
from walrus_chain.chain.payment_views import PoolShare, RenewalTerms, VoucherFields
from walrus_chain.chain.transactions import Receipt
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, Epoch, PoolId, Wei

_NO_LIST = BlobId(bytes(32))


@dataclass(frozen=True, slots=True)
class PoolReceipt:
    """A revenue pool that was created."""

    pool: PoolId
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """Money that moved: paid in, paid out or paid back."""

    amount: Wei
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class SettlementReceipt:
    """What nodes and protocol earned in a pool, as it went where it belongs."""

    to_nodes: Wei
    burned: Wei
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class SubscriptionReceipt:
    """Time under a policy that was bought."""

    until: int
    """Seconds since 1970."""
    amount: Wei
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class ChannelReceipt:
    """A channel that was opened."""

    channel: ChannelId
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class RedeemReceipt:
    """Vouchers that were paid."""

    amount: Wei
    """Of all of them, the caller's tip included."""
    skipped: tuple[tuple[ChannelId, str], ...]
    """Channels of vouchers that were worth nothing, and why."""
    transaction: str
    block: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class RenewalReceipt:
    """A term that was extended from an object's balance."""

    end: Epoch
    """The first epoch after the term."""
    price: Wei
    tip: Wei
    """What became this account's claim (`withdraw`)."""
    transaction: str
    block: int
    gas_used: int


class PaymentWriter:
    """Sends one account's transactions about payments, and waits until each is in a block.

    Whoever pays must have approved the vault (`Sender.approve_vault`). Every method raises what `TransactionQueue.send`
    raises: `Rejected` (decoded) when a contract refuses, and so on.
    """

    def __init__(self, contracts: ContractCalls) -> None:
        """
        Args:
            contracts: the account's calls.
        """
        self._contracts = contracts

    # -- revenue pools -----------------------------------------------------------------------------------------------

    async def create_pool(self, shares: Sequence[PoolShare], nodes_bps: int) -> PoolReceipt:
        """Creates a pool of up to 100 members; nobody can change it, members may hand units on.

        Args:
            nodes_bps: what storage nodes get of each income, in hundredths of a percent: at most 5,000.
        Raises: WrongMemberCount, WrongUnits, WrongAccount, MemberNamedTwice, UnitsOutOfBounds, SharesOutOfBounds.
        """
        rows = [(share.account, share.units) for share in shares]
        return self._created(await self._contracts.send("RevenuePools", "create", rows, nodes_bps))

    async def create_pool_from_root(
        self, root: bytes, units: int, nodes_bps: int, member_list: BlobId | None = None
    ) -> PoolReceipt:
        """Creates a pool whose members are in a tree (`walrus_chain.payments.units` builds it).

        Args:
            units: of all members together; the root commits to it.
            member_list: the blob that holds the list of members; none when it is published elsewhere.
        Raises: UnitsOutOfBounds, SharesOutOfBounds.
        """
        blob_id = member_list or _NO_LIST
        receipt = await self._contracts.send("RevenuePools", "createFromRoot", root, units, nodes_bps, blob_id.digest)
        return self._created(receipt)

    async def distribute(self, pool: PoolId, amount: Wei) -> Receipt:
        """Pays an income of this account into a pool.

        Raises: UnknownPool, NoIncome, NotEnoughWal, AllowanceTooSmall.
        """
        return await self._contracts.send("RevenuePools", "distribute", pool, amount)

    async def claim(self, pool: PoolId, to: Address | None = None) -> PaymentReceipt:
        """Pays what this account earned in a pool, to `to` or to itself.

        Raises: NotAPoolMember, NothingToClaim, UnknownPool.
        """
        return self._claimed(await self._contracts.send("RevenuePools", "claim", pool, to or self._contracts.address))

    async def claim_from_root(
        self, pool: PoolId, units: int, index: int, proof: bytes, to: Address | None = None
    ) -> PaymentReceipt:
        """Makes this account a member by its place in the tree and pays what it earned, to `to` or to itself.

        Args:
            index: its place in the list, from 0.
            proof: the number of places (8 bytes), then for each level from the leaves up the sibling's hash (32 bytes)
                and its units (8 bytes).
        Raises: WrongUnitsProof, AlreadyAMember, NotFromRoot, UnknownPool.
        """
        receiver = to or self._contracts.address
        return self._claimed(
            await self._contracts.send("RevenuePools", "claimFromRoot", pool, units, index, proof, receiver)
        )

    async def enter_pool(self, pool: PoolId, account: Address, units: int, index: int, proof: bytes) -> Receipt:
        """Makes any account a member by its place in the tree, without paying out.

        Raises: WrongUnitsProof, AlreadyAMember, NotFromRoot, UnknownPool.
        """
        return await self._contracts.send("RevenuePools", "enter", pool, account, units, index, proof)

    async def transfer_units(self, pool: PoolId, to: Address, units: int) -> Receipt:
        """Hands units of this account on; what they earned until now stays this account's.

        Raises: TooFewUnits, WrongAccount, UnknownPool.
        """
        return await self._contracts.send("RevenuePools", "transferUnits", pool, to, units)

    async def settle_pool(self, pool: PoolId) -> SettlementReceipt:
        """Moves what a pool's nodes earned into the present epoch's fees, and burns the protocol's part; anybody may.

        Raises: UnknownPool.
        """
        receipt = await self._contracts.send("RevenuePools", "settle", pool)
        settled = self._contracts.logs(receipt, RevenuePoolSettled)
        return SettlementReceipt(
            to_nodes=Wei(sum(event["to_nodes"] for event in settled)),
            burned=Wei(sum(event["burned"] for event in settled)),
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    # -- purchases ---------------------------------------------------------------------------------------------------

    async def buy_reads(
        self,
        blob_object: BlobObjectId,
        count: int,
        maximum: Wei,
        *,
        reader: Address | None = None,
        evidence: bytes = b"",
    ) -> PaymentReceipt:
        """Buys `count` more reads of an object, for `reader` or for this account.

        Args:
            maximum: the most that all of them together may cost.
            evidence: handed to the policy's quote.
        Raises: WrongReadCount, TooExpensive, ForFree, NotEnoughWal, AllowanceTooSmall.
        """
        receipt = await self._contracts.send(
            "Purchases", "buyReads", blob_object, count, reader or self._contracts.address, maximum, evidence
        )
        [bought] = self._contracts.logs(receipt, ReadsBought)
        return PaymentReceipt(Wei(bought["paid"]), receipt.transaction, receipt.block, receipt.gas_used)

    async def subscribe(
        self, policy: Address, periods: int, maximum: Wei, *, reader: Address | None = None
    ) -> SubscriptionReceipt:
        """Buys time under a policy that sells it, from now or from the end of what was bought.

        Args:
            maximum: the most that all periods together may cost.
        Raises: NotSubscribable, TooExpensive, TooFarAhead, NotEnoughWal, AllowanceTooSmall.
        """
        receipt = await self._contracts.send(
            "Purchases", "subscribe", policy, periods, reader or self._contracts.address, maximum
        )
        [bought] = self._contracts.logs(receipt, Subscribed)
        return SubscriptionReceipt(
            until=bought["until"],
            amount=Wei(bought["paid"]),
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    # -- read channels -----------------------------------------------------------------------------------------------

    async def open_channel(self, pool: PoolId, signer: Address, deposit: Wei) -> ChannelReceipt:
        """Opens a channel of this account to a pool.

        Args:
            signer: the key that signs vouchers: this account's own, or a session key.
        Raises: ChannelPoolUnknown, NoDeposit, DepositOutOfBounds, NotEnoughWal, AllowanceTooSmall.
        """
        receipt = await self._contracts.send("ReadChannels", "open", pool, signer, deposit)
        [opened] = self._contracts.logs(receipt, ChannelOpened)
        return ChannelReceipt(opened["channel"], receipt.transaction, receipt.block, receipt.gas_used)

    async def top_up(self, channel: ChannelId, amount: Wei) -> Receipt:
        """Adds to a channel's deposit; anybody may.

        Raises: UnknownChannel, ChannelIsClosing, ChannelIsClosed, NoDeposit, DepositOutOfBounds.
        """
        return await self._contracts.send("ReadChannels", "topUp", channel, amount)

    async def redeem(self, vouchers: Sequence[VoucherFields], signatures: Sequence[bytes]) -> RedeemReceipt:
        """Pays vouchers out to their channels' pools; a node's signer gets a tip. Anybody may.

        Args:
            signatures: 65 bytes for each voucher, in their order.
        Raises: NothingToRedeem, WrongVoucherSignatureLength.
        """
        receipt = await self._contracts.send(
            "ReadChannels", "redeem", [_row(voucher) for voucher in vouchers], b"".join(signatures)
        )
        return RedeemReceipt(
            amount=Wei(sum(event["paid"] for event in self._contracts.logs(receipt, VoucherRedeemed))),
            skipped=tuple(
                (event["channel"], str(event["reason"])) for event in self._contracts.logs(receipt, VoucherSkipped)
            ),
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    async def start_close(self, channel: ChannelId) -> Receipt:
        """Begins to close a channel of this account; vouchers are still paid until the delay is over.

        Raises: ChannelNotYours, ChannelIsClosing, ChannelIsClosed, UnknownChannel.
        """
        return await self._contracts.send("ReadChannels", "startClose", channel)

    async def finish_close(self, channel: ChannelId) -> PaymentReceipt:
        """Pays the rest of a channel's deposit back to its payer; anybody may.

        Raises: ChannelNotClosing, ChannelStillOpen, ChannelIsClosed, UnknownChannel.
        """
        receipt = await self._contracts.send("ReadChannels", "finishClose", channel)
        [closed] = self._contracts.logs(receipt, ChannelClosed)
        return PaymentReceipt(Wei(closed["refunded"]), receipt.transaction, receipt.block, receipt.gas_used)

    async def punish_equivocation(
        self, one: VoucherFields, one_signature: bytes, other: VoucherFields, other_signature: bytes
    ) -> PaymentReceipt:
        """Shows two vouchers that pay different uses with one stretch: the rest of the deposit goes to the pool.

        Raises: NoEquivocation, ChannelIsClosed, UnknownChannel.
        """
        receipt = await self._contracts.send(
            "ReadChannels", "punishEquivocation", _row(one), one_signature, _row(other), other_signature
        )
        [punished] = self._contracts.logs(receipt, EquivocationPunished)
        return PaymentReceipt(Wei(punished["forfeited"]), receipt.transaction, receipt.block, receipt.gas_used)

    # -- renewals ----------------------------------------------------------------------------------------------------

    async def set_renewal_terms(self, blob_object: BlobObjectId, terms: RenewalTerms) -> Receipt:
        """Says how the term of an object of this account is to be extended from its balance.

        Raises: RenewalNotYours, WrongRenewalTerms.
        """
        row = (terms.epochs, terms.lead, terms.tip)
        return await self._contracts.send("Renewals", "setTerms", blob_object, row)

    async def fund_renewal(self, blob_object: BlobObjectId, amount: Wei) -> Receipt:
        """Puts up money for an object's renewals; anybody may, and it belongs to the object's owner then.

        Raises: NoRenewalAmount, NotEnoughWal, AllowanceTooSmall.
        """
        return await self._contracts.send("Renewals", "fund", blob_object, amount)

    async def renew(self, blob_object: BlobObjectId) -> RenewalReceipt:
        """Extends an object's term from its balance; the tip becomes this account's claim. Anybody may.

        Raises: NoRenewalTerms, RenewalNotDue, RenewalNotLive, RenewalBalanceTooSmall.
        """
        receipt = await self._contracts.send("Renewals", "renew", blob_object)
        [renewed] = self._contracts.logs(receipt, Renewed)
        return RenewalReceipt(
            end=renewed["new_end"],
            price=Wei(renewed["price"]),
            tip=Wei(renewed["tip"]),
            transaction=receipt.transaction,
            block=receipt.block,
            gas_used=receipt.gas_used,
        )

    async def withdraw_renewal(self, blob_object: BlobObjectId, amount: Wei, to: Address | None = None) -> Receipt:
        """Takes money for renewals of an object of this account back, to `to` or to itself.

        Raises: RenewalNotYours, RenewalBalanceTooSmall, NoRenewalAmount.
        """
        return await self._contracts.send("Renewals", "withdraw", blob_object, amount, to or self._contracts.address)

    def _created(self, receipt: Receipt) -> PoolReceipt:
        [created] = self._contracts.logs(receipt, RevenuePoolCreated)
        return PoolReceipt(created["pool"], receipt.transaction, receipt.block, receipt.gas_used)

    def _claimed(self, receipt: Receipt) -> PaymentReceipt:
        amount = sum(event["amount"] for event in self._contracts.logs(receipt, IncomeClaimed))
        return PaymentReceipt(Wei(amount), receipt.transaction, receipt.block, receipt.gas_used)


def _row(voucher: VoucherFields) -> tuple[int, int, int, bytes]:
    """As `IReadChannels.Voucher`."""
    return voucher.channel, voucher.cumulative, voucher.amount, voucher.purpose
