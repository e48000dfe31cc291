"""What revenue pools, purchases, channels and renewals log: `walrus_chain.chain.events` has the rules for it."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, Epoch, PoolId, Wei

# -- revenue pools ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenuePoolCreated(ChainEvent):
    """A revenue pool was created."""

    contract = "RevenuePools"
    solidity_name = "PoolCreated"

    pool: PoolId
    creator: Address
    units: int
    nodes_bps: int
    root: bytes
    """Root of the tree of its members; 32 zero bytes when they are in a list."""
    list: BlobId
    """The blob that holds the list of members of a tree; zero when it is published elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAdded(ChainEvent):
    """An account became a member of a pool."""

    contract = "RevenuePools"
    solidity_name = "MemberAdded"

    pool: PoolId
    account: Address
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeReceived(ChainEvent):
    """A pool was paid."""

    contract = "RevenuePools"
    solidity_name = "IncomeReceived"

    pool: PoolId
    source: Address
    """The contract that paid it in; the pools' own for a gift."""
    payer: Address
    amount: Wei
    purpose: bytes
    """Zero, an object's number, a policy's address, a voucher's purpose or a job: `source` says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeClaimed(ChainEvent):
    """A member was paid what it earned."""

    contract = "RevenuePools"
    solidity_name = "IncomeClaimed"

    pool: PoolId
    account: Address
    to: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsTransferred(ChainEvent):
    """A member handed units on."""

    contract = "RevenuePools"
    solidity_name = "UnitsTransferred"

    pool: PoolId
    from_: Address
    to: Address
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenuePoolSettled(ChainEvent):
    """What nodes and protocol earned in a pool went where it belongs."""

    contract = "RevenuePools"
    solidity_name = "PoolSettled"

    pool: PoolId
    to_nodes: Wei
    burned: Wei


# -- purchases -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadsBought(ChainEvent):
    """Reads of an object were paid beforehand."""

    contract = "Purchases"
    solidity_name = "ReadsBought"

    blob_object: BlobObjectId
    reader: Address
    payer: Address
    count: int
    paid: Wei
    pool: PoolId


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed(ChainEvent):
    """Time under a policy was paid."""

    contract = "Purchases"
    solidity_name = "Subscribed"

    policy: Address
    reader: Address
    payer: Address
    until: int
    """Seconds since 1970."""
    paid: Wei
    pool: PoolId


# -- read channels ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOpened(ChainEvent):
    """A payer opened a channel to a pool."""

    contract = "ReadChannels"
    solidity_name = "ChannelOpened"

    channel: ChannelId
    payer: Address
    pool: PoolId
    signer: Address
    deposit: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelToppedUp(ChainEvent):
    """A channel's deposit grew."""

    contract = "ReadChannels"
    solidity_name = "ChannelToppedUp"

    channel: ChannelId
    payer: Address
    amount: Wei
    deposit: Wei
    """All of it, what was redeemed included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherRedeemed(ChainEvent):
    """A voucher was paid."""

    contract = "ReadChannels"
    solidity_name = "VoucherRedeemed"

    channel: ChannelId
    redeemer: Address
    paid: Wei
    cumulative: Wei
    purpose: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherSkipped(ChainEvent):
    """A voucher of a batch was worth nothing."""

    contract = "ReadChannels"
    solidity_name = "VoucherSkipped"

    channel: ChannelId
    reason: ShortName


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosing(ChainEvent):
    """A payer began to close a channel."""

    contract = "ReadChannels"
    solidity_name = "ChannelClosing"

    channel: ChannelId
    closes_at: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelClosed(ChainEvent):
    """A channel is closed; the rest of its deposit went back to its payer."""

    contract = "ReadChannels"
    solidity_name = "ChannelClosed"

    channel: ChannelId
    refunded: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class EquivocationPunished(ChainEvent):
    """A channel's signer was shown to have paid two uses with one stretch; the rest went to the pool."""

    contract = "ReadChannels"
    solidity_name = "EquivocationPunished"

    channel: ChannelId
    reporter: Address
    forfeited: Wei


# -- renewals --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalTermsSet(ChainEvent):
    """An owner said how an object's term is to be extended."""

    contract = "Renewals"
    solidity_name = "RenewalTermsSet"

    blob_object: BlobObjectId
    owner: Address
    epochs: int
    lead: int
    tip: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFunded(ChainEvent):
    """Money was put up for an object's renewals."""

    contract = "Renewals"
    solidity_name = "RenewalFunded"

    blob_object: BlobObjectId
    payer: Address
    amount: Wei
    balance: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(ChainEvent):
    """An object's term was extended from its balance."""

    contract = "Renewals"
    solidity_name = "Renewed"

    blob_object: BlobObjectId
    renewer: Address
    new_end: Epoch
    price: Wei
    tip: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalWithdrawn(ChainEvent):
    """An owner took money for renewals back."""

    contract = "Renewals"
    solidity_name = "RenewalWithdrawn"

    blob_object: BlobObjectId
    to: Address
    amount: Wei


PAYMENT_EVENTS: tuple[type[ChainEvent], ...] = (
    RevenuePoolCreated,
    MemberAdded,
    IncomeReceived,
    IncomeClaimed,
    UnitsTransferred,
    RevenuePoolSettled,
    ReadsBought,
    Subscribed,
    ChannelOpened,
    ChannelToppedUp,
    VoucherRedeemed,
    VoucherSkipped,
    ChannelClosing,
    ChannelClosed,
    EquivocationPunished,
    RenewalTermsSet,
    RenewalFunded,
    Renewed,
    RenewalWithdrawn,
)
"""All of them."""
