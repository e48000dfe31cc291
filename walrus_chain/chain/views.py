"""What the chain answers to questions, as frozen values. Pure, so that fakes and renderers can use them."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus, Epoch, NodeId, ShardIndex, Wei


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
    """What a node needs to be considered for a committee."""
    total_stake: Wei
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
    serving: bool
    shards: tuple[ShardIndex, ...]
    """The shards it serves, ascending; none when it does not serve."""


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
