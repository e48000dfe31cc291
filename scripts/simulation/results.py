"""What a simulation says about each way to run a node, and about the network."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from scripts.simulation.network import EpochFigures, Network
from scripts.simulation.nodes import Node
from scripts.simulation.parameters import GIB, WAL, Parameters
from scripts.simulation.strategies import CHEATS, HONEST
from walrus_chain.codec.geometry import Geometry
from walrus_chain.rules.shares import BPS


@dataclass(frozen=True, slots=True)
class StrategyResult:
    """How the nodes fared that followed one strategy."""

    name: str
    nodes: int
    profit: float
    """WAL an operator earned an epoch, less its costs and what was slashed of its own stake."""
    beside_honest: float
    """That, less what the same nodes earned in the run in which everybody is honest."""
    detected_median: float | None
    """Windows from the beginning, or from the miss before, to a reported miss; None when nobody was caught."""
    detected_95: float | None
    slashed: float
    """The part of a stake that slashing took in the whole run, delegators' alike."""
    jailed_after: float | None
    """Epochs until nodes were jailed, median; None when none was."""
    jailed: int
    """Nodes that were jailed at least once."""


@dataclass(frozen=True, slots=True)
class NetworkResult:
    """How the network fared."""

    members: float
    bytes_a_shard: float
    moved_shards: float
    """An epoch, on the average, first committee left out."""
    moved_bytes: float
    lost_region_shards: int
    lost_region_bytes: int
    """Fetched to heal them."""
    missing_shards: int
    """The most at a time."""
    faults: int
    """f."""
    spare_shards: int
    """n - r: with more missing, blobs are lost."""
    blobs_alive: float
    blobs_lost: int
    income: float
    """WAL an epoch."""
    burned: float
    slashed: float
    missing_wei: int
    """Of the supply: zero."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a run found out."""

    strategies: tuple[StrategyResult, ...]
    network: NetworkResult
    typical: Typical


@dataclass(frozen=True, slots=True)
class Typical:
    """A middling honest node, for the arithmetic of where cheating begins to pay."""

    gib: float
    """What it stores."""
    reward: float
    """WAL an epoch for the whole pool."""
    stake: float
    """WAL."""
    commission: float
    """What of the reward the operator keeps before it is shared."""
    own: float
    """The operator's part of the stake."""

    @property
    def income(self) -> float:
        """What the operator gets of the reward."""
        return self.reward * (self.commission + (1 - self.commission) * self.own)

    @property
    def own_stake(self) -> float:
        """WAL."""
        return self.stake * self.own


def compare(parameters: Parameters, network: Network, honest: Network) -> Result:
    """The result of `network`, beside the same network in which everybody is honest."""
    return Result(
        strategies=tuple(_strategies(network, honest)),
        network=_network(network),
        typical=_typical(parameters, network.figures),
    )


def all_honest(parameters: Parameters) -> Parameters:
    """The same network, in which nobody cheats."""
    return replace(parameters, scale=replace(parameters.scale, all_honest=True))


def _strategies(network: Network, honest: Network) -> Iterable[StrategyResult]:
    """Nodes that were there from the beginning to the end in both runs; honest ones that burned stand apart."""
    twins = {node.node_id: node for node in honest.nodes if not node.joined and not node.leaves}
    stayed = [node for node in network.nodes if node.node_id in twins and not node.joined and not node.leaves]
    for strategy in (HONEST, *CHEATS):
        chosen = [
            node for node in stayed if node.strategy == strategy and not (node.region_burned and node.stays_honest)
        ]
        if chosen:
            yield _strategy(strategy.name, chosen, [twins[node.node_id] for node in chosen], network, honest)
    burned = [node for node in stayed if node.stays_honest and node.region_burned]
    if burned:
        yield _strategy("honest, region burned", burned, [twins[node.node_id] for node in burned], network, honest)


def _strategy(
    name: str, nodes: Sequence[Node], twins: Sequence[Node], network: Network, honest: Network
) -> StrategyResult:
    detections = sorted(count for node in nodes if not node.strategy.is_honest for count in node.conduct.detections)
    jailed = [node.conduct.jailed_after for node in nodes if node.conduct.jailed_after is not None]
    profit = statistics.fmean(_profit(node, network) for node in nodes)
    return StrategyResult(
        name=name,
        nodes=len(nodes),
        profit=profit,
        beside_honest=profit - statistics.fmean(_profit(node, honest) for node in twins),
        detected_median=statistics.median(detections) if detections else None,
        detected_95=detections[math.ceil(0.95 * len(detections)) - 1] if detections else None,
        slashed=1 - statistics.fmean(node.conduct.kept_of_a_stake for node in nodes),
        jailed_after=statistics.median(jailed) if jailed else None,
        jailed=len(jailed),
    )


def _profit(node: Node, network: Network) -> float:
    """An epoch."""
    gained = (network.wealth_of(node, network.now) - node.conduct.wealth_at_first) / WAL
    return (gained - node.conduct.costs) / len(network.figures)


def _network(network: Network) -> NetworkResult:
    figures, rules = network.figures, network.parameters.rules
    geometry = Geometry(rules.shards)
    changes = figures[1:] or figures
    burning = next((each for each in figures if each.healed_bytes), None)
    return NetworkResult(
        members=statistics.fmean(each.members for each in figures),
        bytes_a_shard=statistics.fmean(each.bytes_a_shard for each in figures),
        moved_shards=statistics.fmean(each.moved_shards for each in changes),
        moved_bytes=statistics.fmean(each.moved_shards * each.bytes_a_shard for each in changes),
        lost_region_shards=burning.burned_shards if burning else 0,
        lost_region_bytes=burning.healed_bytes if burning else 0,
        missing_shards=max(each.missing_shards for each in figures),
        faults=geometry.faults,
        spare_shards=rules.shards - geometry.rows,
        blobs_alive=statistics.fmean(each.blobs_alive for each in figures),
        blobs_lost=max(each.blobs_lost for each in figures),
        income=statistics.fmean(each.income for each in figures) / WAL,
        burned=network.ledger.burned / WAL,
        slashed=sum(each.slashed for each in figures) / WAL,
        missing_wei=network.ledger.missing(node.pool for node in network.nodes),
    )


def _typical(parameters: Parameters, figures: Sequence[EpochFigures]) -> Typical:
    scale = parameters.scale
    shards = parameters.rules.shards / statistics.fmean(each.members for each in figures)
    return Typical(
        gib=shards * statistics.fmean(each.bytes_a_shard for each in figures) / GIB,
        reward=shards * statistics.fmean(each.part for each in figures) / WAL,
        stake=scale.stake / WAL,
        commission=scale.commission_bps / BPS,
        own=scale.own_bps / BPS,
    )
