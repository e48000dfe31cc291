"""What the chain answers to questions, as frozen values. Pure, so that fakes and renderers can use them."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.types import (
    Address,
    Axis,
    BlobId,
    BlobObjectId,
    BlobStatus,
    Epoch,
    NodeId,
    PairIndex,
    ShardIndex,
    Wei,
)


@dataclass(frozen=True, slots=True)
class NetworkParameters:
    """The network's fixed parameters, and where its clock stood when they were read."""

    shards: int
    """n."""
    faults: int
    """f."""
    committee_epoch: Epoch
    """The epoch in which the serving committee took office; 0 while there is none."""
    current_epoch: Epoch
    epoch_start: int
    """When the current epoch began, in seconds since 1970."""
    epoch_seconds: int
    unit_bytes: int
    """Encoded bytes in one unit of storage."""
    unit_price: Wei
    """For one unit and one epoch."""
    write_fee: Wei
    """Paid once for each registration."""
    maximum_epochs: int
    """How many epochs ahead may be paid."""
    minimum_stake: Wei
    """What an operator must have staked itself for its node to be considered for a committee."""
    total_stake: Wei
    """All WAL in all pools."""
    unbonding_epochs: int
    """For how long stake on its way out is still slashed."""
    maximum_commission_bps: int
    selected_epoch: Epoch
    """The epoch for which a committee was selected last; 0 when none was."""
    pending_shards: frozenset[ShardIndex]
    """Shards that are on their way from the former committee."""
    nodes: int
    """How many nodes were ever registered."""
    objects: int
    """How many blob objects were ever registered."""

    @property
    def quorum(self) -> int:
        """n - f."""
        return self.shards - self.faults

    @property
    def genesis(self) -> int:
        """When epoch 1 began, in seconds since 1970."""
        return self.epoch_start - (self.current_epoch - 1) * self.epoch_seconds

    def epoch_at(self, timestamp: int) -> Epoch:
        """The epoch that the chain's clock shows at `timestamp` (seconds since 1970, not before genesis)."""
        return Epoch(1 + (timestamp - self.genesis) // self.epoch_seconds)

    def start_of(self, epoch: Epoch) -> int:
        """When an epoch begins, in seconds since 1970."""
        return self.genesis + (epoch - 1) * self.epoch_seconds


@dataclass(frozen=True, slots=True)
class Node:
    """A registered node with its stake and its part in the committee."""

    node_id: NodeId
    operator: Address
    name: str
    url: str
    region: str
    signer: Address
    encryption_key: bytes
    stake: Wei
    """What stands behind it now: active stake, and deposits that count by now."""
    serving: bool
    shards: tuple[ShardIndex, ...]
    """The shards it serves, ascending; none when it does not serve."""
    pool: PoolFacts


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What else is known of a node's pool and its conduct."""

    waiting: Wei
    """Deposits that do not count yet."""
    own_stake: Wei
    """What of the stake its operator delegated, with deposits that wait."""
    unbonding: Wei
    """On its way out, and still slashed."""
    commission: Wei
    """What the operator may claim."""
    commission_bps: int
    """What the operator keeps of each reward, in hundredths of a percent."""
    next_commission_bps: int
    next_commission_from: Epoch
    """The epoch from which on the next commission holds."""
    jailed_until: Epoch
    """The epoch from which on it may be let out; 0 when it is not jailed."""
    candidate: bool
    """Whether it stands for committees."""
    misses: int
    """Custody proofs missed in a row, as far as they were reported."""
    last_miss: Epoch
    """The epoch of the last one; 0 when there is none."""


@dataclass(frozen=True, slots=True)
class UnbondingStake:
    """Stake on its way out."""

    amount: Wei
    """What it is worth now."""
    release: Epoch
    """The epoch from which on it may be withdrawn."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """What an account has in the pool of a node."""

    node_id: NodeId
    active: Wei
    """What its shares are worth."""
    principal: Wei
    """What of it was paid in; the rest is gain, or loss."""
    waiting: Wei
    """Deposits that do not count yet."""
    waiting_until: Epoch
    """The epoch from which on the last of them counts; 0 when there is none."""
    unbonding: tuple[UnbondingStake, ...]
    """Oldest first."""

    @property
    def gain(self) -> Wei:
        """What may be claimed."""
        return Wei(max(0, self.active - self.principal))


@dataclass(frozen=True, slots=True)
class Miss:
    """A closed custody window without a proof."""

    epoch: Epoch
    node_id: NodeId


@dataclass(frozen=True, slots=True)
class ChainDuties:
    """What there is to do on chain now, for everybody and for one node."""

    timestamp: int
    """Of the block that was asked, seconds since 1970."""
    block: int
    current_epoch: Epoch
    office_epoch: Epoch
    """The epoch in which the serving committee took office; 0 while there is none."""
    select: bool
    """A committee is to be selected."""
    advance: bool
    """The selected committee is to take office."""
    tally: bool
    """Votes for prices are to be counted."""
    open: bool
    """The custody window is to be opened."""
    capture: bool
    """The seed of the window can be read, and was not."""
    prove: bool
    """The node is asked for a proof."""
    seed: bytes
    """Of the present window; 32 zero bytes while it was not captured."""
    closes: int
    """When the present epoch's window closes, seconds since 1970."""
    pending: frozenset[ShardIndex]
    """Shards that came to the node and that it did not signal yet."""
    settled: Epoch
    """Up to where the node's pool is settled."""
    burned_through: Epoch
    """Up to where unearned fees were burned."""
    misses: tuple[Miss, ...]
    """What can be reported."""


@dataclass(frozen=True, slots=True)
class CustodySample:
    """One place that a node is asked for: up to 256 bytes of one sliver."""

    blob_object: BlobObjectId
    """0 when there is nothing to prove."""
    blob_id: BlobId
    size: int
    """Bytes of the blob."""
    shard: ShardIndex
    pair: PairIndex
    segment: int
    axis: Axis
    chunk: int
    """Which 256 bytes of the sliver."""

    @property
    def blank(self) -> bool:
        """Whether there is nothing to prove."""
        return self.blob_object == 0


@dataclass(frozen=True, slots=True)
class CustodyWindow:
    """The time in an epoch in which nodes are asked for bytes that they should hold, and what came of it."""

    committee_epoch: Epoch
    """The epoch in which the committee took office that is asked; 0 when nobody opened the window."""
    seed: bytes
    """32 zero bytes until it was read."""
    exempt: frozenset[ShardIndex]
    """Shards that are not due: they were on their way when the window was opened."""
    proved: frozenset[int]
    """Committee members, by index, that proved."""
    reported: frozenset[int]
    """Committee members, by index, whose miss was reported."""
    empty: bool
    """Whether there was nothing to ask about, so that everybody passes."""

    @property
    def opened(self) -> bool:
        """Whether somebody opened it."""
        return self.committee_epoch != 0


@dataclass(frozen=True, slots=True)
class WindowTimes:
    """When the custody window of an epoch may be opened, and when it closes; seconds since 1970."""

    opens: int
    """The first moment at which it may be opened."""
    until: int
    """From here on it is too late to open it."""
    closes: int


@dataclass(frozen=True, slots=True)
class BlobObject:
    """All that the chain knows of one registration of a blob."""

    id: BlobObjectId
    blob_id: BlobId
    owner: Address
    size: int
    """Bytes of the blob."""
    start: Epoch
    """The first epoch of the term."""
    end: Epoch
    """The first epoch after the term."""
    deletable: bool
    rate: Wei
    """What it pays for each epoch of its term."""
    status: BlobStatus
    """As of the block that was asked."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a new object."""

    total: Wei
    rate: Wei
    """For each epoch."""
    fee: Wei
    """Paid once."""
    units: int
    """Units of storage that the encoded blob takes."""


@dataclass(frozen=True, slots=True)
class ExtensionQuote:
    """The price of making an object's term longer."""

    total: Wei
    rate: Wei
    """What the object pays for each epoch from then on."""


@dataclass(frozen=True, slots=True)
class Balances:
    """What an account has."""

    wal: Wei
    native: Wei
    """The chain's own currency, for transaction fees."""
    claim: Wei
    """What it may withdraw from the vault."""
    allowance: Wei
    """How much WAL the vault may collect from it."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A small text that an owner wrote on a blob object; an empty value removes the key."""

    key: str
    value: str
