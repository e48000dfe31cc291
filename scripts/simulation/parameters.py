"""What a simulated network is made of: its rules, what things cost outside it, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from walrus_chain.rules.custody import MissRule
from walrus_chain.types import Wei

WAL = 10**18
GIB = 2**30


def wal(amount: float) -> Wei:
    """`amount` WAL in wei."""
    return Wei(round(amount * WAL))


MINIMUM_STAKE, NODE_STAKE = wal(1_000), wal(100_000)
UNIT_PRICE, WRITE_FEE, MAXIMUM_PRICE = wal(1e-5), wal(1e-4), wal(1_000)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment fixes. An epoch is a day here; nothing else depends on that."""

    shards: int = 200
    """n."""
    samples: int = 5
    """K: places that a node must prove in each window."""
    first_slash_bps: int = 100
    maximum_slash_bps: int = 1600
    misses_to_jail: int = 3
    jail_epochs: int = 14
    bounty_bps: int = 1000
    """What its reporter gets of what a slash takes of the least own stake; the rest is burned."""
    burn_bps: int = 1000
    """What of the storage fees nobody gets."""
    unbonding_epochs: int = 7
    minimum_stake: Wei = MINIMUM_STAKE
    unit_bytes: int = 64 * 1024
    unit_price: Wei = UNIT_PRICE
    """Of a unit for an epoch, at first."""
    maximum_price: Wei = MAXIMUM_PRICE
    write_fee: Wei = WRITE_FEE
    maximum_epochs: int = 365

    @property
    def misses(self) -> MissRule:
        """The price of a miss."""
        return MissRule(self.first_slash_bps, self.maximum_slash_bps, self.misses_to_jail, self.jail_epochs)


@dataclass(frozen=True, slots=True)
class Costs:
    """What an operator pays outside the network, in WAL. At $0.005 a WAL, a TiB on disk costs $4.6 a month, a TiB of
    traffic $1, and a transaction of 195,000 gas half a cent."""

    disk: float = 0.03
    """For each GiB on disk, each epoch."""
    traffic: float = 0.2
    """For each GiB fetched from other nodes."""
    proof: float = 1.0
    """Gas of one custody proof."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large, how long, and how lively."""

    epochs: int = 300
    nodes: int = 120
    blobs: int = 5000
    """Alive at a time."""
    regions: int = 8
    cheats_each: int = 4
    """Nodes that follow each of the cheating strategies."""
    all_honest: bool = False
    """The same nodes with the same stakes, but those that would cheat do not: what cheats are compared with."""
    stake: Wei = NODE_STAKE
    """Behind a node at first, on the average."""
    own_bps: int = 2500
    """What of it is the operator's own."""
    commission_bps: int = 2000
    delegators_each: int = 4
    drift: float = 0.005
    """The chance of a delegator to go to another node, each epoch."""
    churn: float = 0.05
    """The chance that a node joins, and the chance that one leaves, each epoch."""
    lost_region: int | None = 180
    """The epoch in which all disks of a region burn; None for none."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Parameters:
    """A simulation: the same parameters give the same result."""

    rules: Rules = field(default_factory=Rules)
    costs: Costs = field(default_factory=Costs)
    scale: Scale = field(default_factory=Scale)
