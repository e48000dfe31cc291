"""How a node stands on chain: stake, shards, duties, custody. For `walrus-agent status`, and for the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from storage_agent.cli.output import Amount
from storage_agent.config import Settings
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.network import Chain
from walrus_chain.chain.stakes import NoSuchNode, PoolReader
from walrus_chain.chain.views import ChainDuties, CustodyWindow, NetworkParameters, Node
from walrus_chain.types import Epoch, NodeId, format_bps


class CustodyReader(PoolReader, Protocol):
    """Pools and custody, asked."""

    async def window_of(self, epoch: Epoch) -> CustodyWindow:
        """The custody window of an epoch."""


class StandingReader(Protocol):
    """The chain, asked."""

    @property
    def economy(self) -> CustodyReader:
        """Pools and custody."""

    async def parameters(self) -> NetworkParameters:
        """The network's parameters and clock."""

    async def nodes(self) -> tuple[Node, ...]:
        """All registered nodes."""


class Custody(StrEnum):
    """How far a node is with the custody proof of an epoch."""

    NOT_OPENED = "not opened"
    """Nobody opened the window."""
    NOTHING = "nothing to prove"
    """The network asks nobody for anything, or not this node: it does not serve, or its shards are on their way."""
    DUE = "due"
    PROVED = "proved"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a node stands on chain."""

    node: Node
    parameters: NetworkParameters
    duties: ChainDuties
    window: CustodyWindow
    member: int | None
    """Its place in the committee; none when it does not serve."""

    @property
    def eligible(self) -> bool:
        """Whether committees may be selected with it, if it stands."""
        return self.node.pool.own_stake >= self.parameters.minimum_stake and not self.node.pool.jailed_until

    @property
    def custody(self) -> Custody:
        """How far it is with this epoch's custody proof."""
        window = self.window
        if not window.opened:
            return Custody.NOT_OPENED
        asked = window.committee_epoch == self.parameters.committee_epoch and self.member is not None
        if window.empty or not asked or window.exempt.issuperset(self.node.shards):
            return Custody.NOTHING
        if self.member in window.proved:
            return Custody.PROVED
        return Custody.MISSED if self.duties.timestamp >= self.duties.closes else Custody.DUE

    @property
    def due(self) -> tuple[str, ...]:
        """What somebody has to send now, the node among others."""
        duties = self.duties
        names = ("select", "advance", "tally", "open", "capture", "prove")
        found = [name for name in names if getattr(duties, name)]
        return (*found, *(["sync"] if duties.pending else []), *(["report"] if duties.misses else []))

    def as_data(self) -> dict[str, Any]:
        """For `walrus-agent status`."""
        node, pool, parameters = self.node, self.node.pool, self.parameters
        facts = {
            "epoch": parameters.current_epoch,
            "operator": node.operator,
            "serving": node.serving,
            "shards": len(node.shards),
            "syncing": sorted(self.duties.pending),
            "stake": Amount(node.stake),
            "waiting": Amount(pool.waiting),
            "ownStake": Amount(pool.own_stake),
            "minimumStake": Amount(parameters.minimum_stake),
            "unbonding": Amount(pool.unbonding),
            "candidate": pool.candidate,
            "jailedUntil": pool.jailed_until or None,
            "commission": format_bps(pool.commission_bps),
            "earnedCommission": Amount(pool.commission),
            "misses": pool.misses,
            "lastMiss": pool.last_miss or None,
            "settled": self.duties.settled,
            "custody": self.custody.value,
            "due": list(self.due),
        }
        if pool.next_commission_bps != pool.commission_bps:
            facts["nextCommission"] = f"{format_bps(pool.next_commission_bps)} from epoch {pool.next_commission_from}"
        return facts


async def read_standing(chain: StandingReader, node_id: NodeId) -> Standing:
    """How a node stands.

    Raises: NoSuchNode.
    """
    nodes = await chain.nodes()
    node = next((node for node in nodes if node.node_id == node_id), None)
    if node is None:
        raise NoSuchNode(node_id, len(nodes))
    serving = sorted(other.node_id for other in nodes if other.serving)
    parameters = await chain.parameters()
    return Standing(
        node=node,
        parameters=parameters,
        duties=await chain.economy.duties_of(node_id),
        window=await chain.economy.window_of(parameters.current_epoch),
        member=serving.index(node_id) if node.serving else None,
    )


async def standing_of(settings: Settings, node_id: int) -> dict[str, Any]:
    """How a node stands, as data.

    Raises: NoSuchNode, RpcUnavailable.
    """
    async with Chain.connect(settings.chain.rpc, Deployment.load(settings.chain.deployment)) as chain:
        return (await read_standing(chain, NodeId(node_id))).as_data()
