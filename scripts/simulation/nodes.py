"""Nodes, and the people whose WAL stands behind them."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.simulation.strategies import Strategy
from walrus_chain.rules.custody import Consequence, Misses
from walrus_chain.rules.pools import Account, Pool
from walrus_chain.rules.shares import BPS
from walrus_chain.types import Epoch, NodeId, Wei

BURNING = "region-0"


@dataclass(slots=True)
class Conduct:
    """What happened to a node so far; figures for the report."""

    windows: int = 0
    """In which it was asked."""
    unnoticed: int = 0
    """Since it began, or since its last miss was reported."""
    detections: list[int] = field(default_factory=list)
    """How many windows it took until each miss."""
    jailed_after: int | None = None
    """Epochs from its first window to the first time it was jailed."""
    first_window: int | None = None
    kept_of_a_stake: float = 1.0
    """What is left of a stake that was there from the beginning, by slashing alone."""
    slashed: int = 0
    """Wei, delegators' included."""
    costs: float = 0.0
    """WAL paid outside the network."""
    wealth_at_first: int = 0

    def begin_window(self, epoch: Epoch) -> None:
        """The node is asked once more."""
        self.windows += 1
        self.unnoticed += 1
        self.first_window = self.first_window or epoch

    def note_miss(self, epoch: Epoch, consequence: Consequence, slashed: Wei) -> None:
        """A miss was reported."""
        self.detections.append(self.unnoticed)
        self.unnoticed = 0
        self.slashed += slashed
        self.kept_of_a_stake *= 1 - consequence.slash_bps / BPS
        if consequence.jailed_until is not None and self.jailed_after is None and self.first_window is not None:
            self.jailed_after = epoch - self.first_window + 1


@dataclass(slots=True)
class Node:
    """A storage node as it is now."""

    node_id: NodeId
    region: str
    strategy: Strategy
    stays_honest: bool
    """It is honest in the run with cheats, too; only such nodes leave."""
    pool: Pool
    price_vote: Wei
    accounts: dict[str, Account] = field(default_factory=dict)
    misses: Misses = field(default_factory=Misses)
    jailed_until: Epoch | None = None
    leaves: bool = False
    """It took its stake out for good."""
    joined: bool = False
    """It was not there from the beginning."""
    disk_empty: bool = False
    """In this epoch: its region burned, or it dropped everything."""
    region_burned: bool = False
    """Its region burned some time."""
    served_in_row: int = 0
    conduct: Conduct = field(default_factory=Conduct)

    @property
    def burns(self) -> bool:
        """Whether its region is the one that may burn."""
        return self.region == BURNING

    @property
    def operator(self) -> str:
        """The name of the operator's wallet and account."""
        return f"operator {self.node_id}"

    def own_stake(self, epoch: Epoch) -> Wei:
        """The operator's own stake in an epoch to come."""
        return self.pool.stake_of(self.accounts.get(self.operator, Account()), epoch)

    def wealth_of(self, name: str, epoch: Epoch) -> int:
        """All that an account has in the pool."""
        account = self.accounts.get(name, Account())
        commission = self.pool.commission if name == self.operator else 0
        return self.pool.stake_of(account, Epoch(epoch + 2)) + self.pool.leaving_of(account) + commission


@dataclass(slots=True)
class Delegator:
    """Somebody whose WAL stands behind a node, and now and then goes to another."""

    name: str
    node_id: NodeId
    moving: bool = False
