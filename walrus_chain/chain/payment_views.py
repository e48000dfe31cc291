"""What the chain answers about revenue pools, channels and renewals, as frozen values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from walrus_chain.types import ALL_BPS, Address, BlobObjectId, ChannelId, Epoch, PoolId, Wei

_NO_ROOT = bytes(32)


@dataclass(frozen=True, slots=True)
class RevenuePool:
    """A revenue pool as it is kept."""

    pool: PoolId
    earned_per_weight: Wei
    """What one weight has earned since the pool began; a unit weighs 10,000 less the parts of nodes and protocol."""
    units: int
    """Of all members together."""
    dust: Wei
    """What did not divide; it is divided with the next income."""
    nodes_bps: int
    """What storage nodes get of each income, in hundredths of a percent."""
    root: bytes
    """Root of the tree of its members; 32 zero bytes when they are in a list."""

    @property
    def from_root(self) -> bool:
        """Whether its members are in a tree."""
        return self.root != _NO_ROOT

    @property
    def earned(self) -> Wei:
        """All that was divided so far: what it received, less the dust."""
        return Wei(self.earned_per_weight * self.units * ALL_BPS)


@dataclass(frozen=True, slots=True)
class PoolMember:
    """A member of a pool as it is kept; all of it is empty for an account that is none."""

    units: int
    settled_per_weight: Wei
    """Up to where its income was reckoned."""
    accrued: Wei
    """Reckoned and not paid yet; `PaymentBook.claimable` has the rest."""
    entered: bool
    """Whether it showed its place in the tree, so cannot again."""


@dataclass(frozen=True, slots=True)
class Settleable:
    """What of a pool's incomes waits to go where it belongs."""

    to_nodes: Wei
    burned: Wei


@dataclass(frozen=True, slots=True)
class PoolShare:
    """A member of a pool to be created from a list."""

    account: Address
    units: int


@dataclass(frozen=True, slots=True)
class Income:
    """One income of a pool."""

    pool: PoolId
    source: Address
    """The contract that paid it in; the pools' own for a gift."""
    payer: Address
    amount: Wei
    purpose: bytes
    """Zero, an object's number, a policy's address, a voucher's purpose or a job: `source` says which."""
    block: int
    timestamp: int
    """Of the block, seconds since 1970."""
    transaction: str


@dataclass(frozen=True, slots=True)
class ReadChannel:
    """A deposit that is paid from by vouchers."""

    channel: ChannelId
    payer: Address
    signer: Address
    """The key that signs vouchers."""
    pool: PoolId
    """Who is paid."""
    deposit: Wei
    """All that was paid in."""
    redeemed: Wei
    """What of it was paid out by vouchers."""
    closes_at: int
    """From when on it can be closed, seconds since 1970; 0 while nobody began to."""
    closed: bool

    @property
    def rest(self) -> Wei:
        """What of the deposit is left."""
        return Wei(0) if self.closed else Wei(self.deposit - self.redeemed)

    @property
    def usable(self) -> bool:
        """Whether agents take vouchers of it."""
        return not self.closed and self.closes_at == 0


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What holds for all channels of a network; fixed when it was deployed."""

    close_delay: int
    """Seconds between the beginning and the end of closing, in which vouchers are still redeemed."""
    tip_bps: int
    """What of a redeemed voucher the node that redeems it gets, in hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class SubscriptionTerms:
    """What a subscription policy sells."""

    price: Wei
    """For one period."""
    period_seconds: int
    pool: PoolId


@dataclass(frozen=True, slots=True)
class RenewalTerms:
    """How an object's term is to be extended from its balance."""

    epochs: int
    """By how many epochs; 0 when the owner set no terms."""
    lead: int
    """A renewal is due when at most so many epochs are left, the present one included."""
    tip: Wei
    """For whoever renews."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is known of an object's renewals."""

    blob_object: BlobObjectId
    terms: RenewalTerms
    balance: Wei
    due: bool
    """Whether it can be renewed now, if the balance suffices."""


@dataclass(frozen=True, slots=True)
class AnchoredReceipts:
    """The root of the receipts that a node signed in an epoch."""

    epoch: Epoch
    root: bytes
    count: int


class VoucherFields(Protocol):
    """A voucher; `walrus_chain.messages.voucher.Voucher` is one."""

    @property
    def channel(self) -> int:
        """The channel that pays."""

    @property
    def cumulative(self) -> int:
        """All that the signer promised so far, this one included, in wei."""

    @property
    def amount(self) -> int:
        """What this one pays, in wei."""

    @property
    def purpose(self) -> bytes:
        """What for, 32 bytes."""
