"""What staking, rewards, prices and custody log: `walrus_chain.chain.events` has the rest and the rules for both."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.chain.event import ChainEvent
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, Wei

# -- staking -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated(ChainEvent):
    """Stake was added to a pool."""

    contract = "Staking"
    solidity_name = "Delegated"

    node_id: NodeId
    delegator: Address
    amount: Wei
    active_from: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelegated(ChainEvent):
    """Active stake began to leave a pool."""

    contract = "Staking"
    solidity_name = "Undelegated"

    node_id: NodeId
    delegator: Address
    amount: Wei
    release: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbondedWithdrawn(ChainEvent):
    """Stake that had left became a claim in the vault."""

    contract = "Staking"
    solidity_name = "UnbondedWithdrawn"

    node_id: NodeId
    delegator: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsClaimed(ChainEvent):
    """A delegator's gain became a claim in the vault."""

    contract = "Staking"
    solidity_name = "RewardsClaimed"

    node_id: NodeId
    delegator: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionClaimed(ChainEvent):
    """An operator's commission became a claim in the vault."""

    contract = "Staking"
    solidity_name = "CommissionClaimed"

    node_id: NodeId
    operator: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionChanged(ChainEvent):
    """An operator changed what it keeps of rewards, from an epoch on."""

    contract = "Staking"
    solidity_name = "CommissionChanged"

    node_id: NodeId
    old_bps: int
    new_bps: int
    from_: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettled(ChainEvent):
    """The reward of an epoch reached a pool; it may be zero."""

    contract = "Staking"
    solidity_name = "PoolSettled"

    node_id: NodeId
    epoch: Epoch
    reward: Wei
    commission: Wei
    active: Wei
    """The pool's active stake afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slashed(ChainEvent):
    """A pool was slashed."""

    contract = "Staking"
    solidity_name = "Slashed"

    node_id: NodeId
    reporter: Address
    active: Wei
    unbonding: Wei
    bounty: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Jailed(ChainEvent):
    """A node was jailed."""

    contract = "Staking"
    solidity_name = "Jailed"

    node_id: NodeId
    until: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjailed(ChainEvent):
    """A node was let out."""

    contract = "Staking"
    solidity_name = "Unjailed"

    node_id: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateEntered(ChainEvent):
    """A node became a candidate."""

    contract = "Staking"
    solidity_name = "CandidateEntered"

    node_id: NodeId


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLeft(ChainEvent):
    """A node stopped being a candidate."""

    contract = "Staking"
    solidity_name = "CandidateLeft"

    node_id: NodeId


# -- rewards -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UnearnedBurned(ChainEvent):
    """What nobody earned in an epoch was burned."""

    contract = "Rewards"
    solidity_name = "UnearnedBurned"

    epoch: Epoch
    income: Wei
    part: Wei
    passed_shards: int
    burned: Wei


# -- prices --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceVoted(ChainEvent):
    """An operator voted."""

    contract = "Prices"
    solidity_name = "PriceVoted"

    node_id: NodeId
    unit_price: Wei
    write_fee: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesTallied(ChainEvent):
    """Votes were counted."""

    contract = "Prices"
    solidity_name = "PricesTallied"

    from_: Epoch
    unit_price: Wei
    write_fee: Wei


# -- custody -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleAdded(ChainEvent):
    """A certified object joined those that nodes may be asked about."""

    contract = "CustodyChallenges"
    solidity_name = "SampleAdded"

    blob_object: BlobObjectId
    size_class: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRemoved(ChainEvent):
    """An object that is over left them; the last one of its class took its place."""

    contract = "CustodyChallenges"
    solidity_name = "SampleRemoved"

    blob_object: BlobObjectId
    size_class: int
    index: int
    moved_object: BlobObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowOpened(ChainEvent):
    """A window was opened."""

    contract = "CustodyChallenges"
    solidity_name = "WindowOpened"

    epoch: Epoch
    committee_epoch: Epoch
    ticket: int
    exempt: int
    """Bit s is set when shard s is not asked for."""
    empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedCaptured(ChainEvent):
    """The seed of a window was read."""

    contract = "CustodyChallenges"
    solidity_name = "SeedCaptured"

    epoch: Epoch
    seed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyProved(ChainEvent):
    """A node proved that it holds what it should."""

    contract = "CustodyChallenges"
    solidity_name = "CustodyProved"

    epoch: Epoch
    node_id: NodeId
    relayer: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyMissed(ChainEvent):
    """A miss was reported."""

    contract = "CustodyChallenges"
    solidity_name = "CustodyMissed"

    epoch: Epoch
    node_id: NodeId
    reporter: Address
    row: int
    """Misses in a row, this one included."""
    slash_bps: int
    slashed: Wei


ECONOMY_EVENTS: tuple[type[ChainEvent], ...] = (
    Delegated,
    Undelegated,
    UnbondedWithdrawn,
    RewardsClaimed,
    CommissionClaimed,
    CommissionChanged,
    PoolSettled,
    Slashed,
    Jailed,
    Unjailed,
    CandidateEntered,
    CandidateLeft,
    UnearnedBurned,
    PriceVoted,
    PricesTallied,
    SampleAdded,
    SampleRemoved,
    WindowOpened,
    SeedCaptured,
    CustodyProved,
    CustodyMissed,
)
"""All of them."""
