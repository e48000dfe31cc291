"""A whole network, epoch after epoch, on the mirrors of the chain's rules.

An epoch: the committee takes office and fetches the shards that came to it; blobs are registered; the window opens and
nodes are asked; at the cut votes are counted and the next committee is selected, before misses are known; misses are
reported; at the end rewards reach the pools.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.simulation.ledger import REPORTERS, USERS, Ledger
from scripts.simulation.market import Market
from scripts.simulation.nodes import Node
from scripts.simulation.office import nobody, select
from scripts.simulation.parameters import GIB, Parameters, wal
from scripts.simulation.people import SERVICE_BEFORE_ESCAPE, People
from scripts.simulation.strategies import CHEATS, HONEST, Strategy
from walrus_chain.codec.geometry import Geometry
from walrus_chain.errors import Bug
from walrus_chain.rules.custody import Window
from walrus_chain.rules.pools import Pool
from walrus_chain.rules.prices import PriceVote
from walrus_chain.rules.rewards import EpochReward, bounty_of
from walrus_chain.types import Epoch, NodeId, ShardIndex, Wei

SUPPLY = wal(10**9)


Held = list[tuple[Node, list[ShardIndex]]]
"""The members with their shards."""


@dataclass(slots=True)
class Asked:
    """How a window went."""

    passed: dict[NodeId, int] = field(default_factory=dict)
    """Shards that count for the rewards of each node that proved."""
    missed: list[Node] = field(default_factory=list)
    rebuilt_bytes: int = 0


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """What happened in an epoch."""

    epoch: Epoch
    members: int
    moved_shards: int
    bytes_a_shard: int
    burned_shards: int
    """In a region whose disks burned."""
    healed_bytes: int
    """Fetched by a region whose disks burned."""
    rebuilt_bytes: int
    """Fetched by nodes that answer for what they do not keep."""
    missing_shards: int
    """Not wholly on any disk."""
    blobs_alive: int
    blobs_lost: int
    income: Wei
    part: Wei
    passed_shards: int
    unit_price: Wei
    slashed: Wei


class Network:
    """One simulation. `run` it once; then its nodes and figures tell what happened."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self._rules, self._costs, self._scale = parameters.rules, parameters.costs, parameters.scale
        self._dice = random.Random(self._scale.seed)
        self._geometry = Geometry(self._rules.shards)
        self.ledger = Ledger(SUPPLY)
        self.market = Market(self._rules, self._dice)
        self.people = People(parameters, self.ledger, self._dice)
        self.nodes: list[Node] = []
        self.figures: list[EpochFigures] = []
        self._found_nodes()
        self._office = select(self.nodes, nobody(self._rules.shards), Epoch(1), self._rules.minimum_stake).settled()
        for node in self.nodes:
            node.conduct.wealth_at_first = self.wealth_of(node, Epoch(1))

    def run(self, progress: Callable[[int], None]) -> None:
        """All epochs; `progress` is told each one that is over.

        Raises: Bug: WAL was lost or made.
        """
        for number in range(1, self._scale.epochs + 1):
            self.figures.append(self._epoch(Epoch(number)))
            progress(number)

    @property
    def now(self) -> Epoch:
        """The epoch that would come next."""
        return Epoch(len(self.figures) + 1)

    def wealth_of(self, node: Node, epoch: Epoch) -> int:
        """All WAL of a node's operator."""
        return self.ledger.wallets[node.operator] + node.wealth_of(node.operator, epoch)

    def _found_nodes(self) -> None:
        cheats = [strategy for strategy in CHEATS for _ in range(self._scale.cheats_each)]
        strategies = cheats + [HONEST] * (self._scale.nodes - len(cheats))
        self._dice.shuffle(strategies)
        for strategy in strategies:
            self._found(strategy, Epoch(1), Epoch(1))

    def _found(self, strategy: Strategy, epoch: Epoch, counts_from: Epoch) -> None:
        node_id = NodeId(len(self.nodes) + 1)
        acts = HONEST if self._scale.all_honest else strategy
        vote = Wei(round(self._rules.unit_price * self._dice.uniform(0.8, 1.2)))
        node = Node(node_id, f"region-{node_id % self._scale.regions}", acts, strategy.is_honest, Pool(epoch), vote)
        node.joined = counts_from > 1
        self.nodes.append(node)
        self.people.found(node, counts_from, crowd=not node.joined)

    def _epoch(self, epoch: Epoch) -> EpochFigures:
        held = [(self.nodes[owner - 1], shards) for owner, shards in self._office.shards_of().items()]
        healed = self._burn_region(epoch, held)
        self._begin_escapes(epoch, held)
        self._fetch_arrived(held)
        self.market.sweep(epoch)
        wanted = self._scale.blobs - self.market.alive
        self._register(epoch, wanted if epoch == 1 else wanted // 2)
        asked = self._ask(self.market.window(epoch), held)
        missing = self._missing_shards(held)
        self.people.drift(self.nodes, epoch, later=0)
        # The cut.
        self.market.count_votes([PriceVote(len(shards), node.price_vote) for node, shards in held])
        following = select(self.nodes, self._office, Epoch(epoch + 1), self._rules.minimum_stake)
        self._register(epoch, self._scale.blobs - self.market.alive)
        self._delete(epoch)
        self._churn(epoch)
        slashed = self._report(epoch, asked.missed)
        reward = self._close(epoch, held, asked.passed)
        figures = EpochFigures(
            epoch=epoch,
            members=len(held),
            moved_shards=len(self._office.arrived),
            bytes_a_shard=self.market.bytes_a_shard,
            burned_shards=sum(len(shards) for node, shards in held if node.burns),
            healed_bytes=healed,
            rebuilt_bytes=asked.rebuilt_bytes,
            missing_shards=missing,
            blobs_alive=self.market.alive,
            blobs_lost=self.market.alive if missing > self._rules.shards - self._geometry.rows else 0,
            income=reward.income,
            part=reward.part,
            passed_shards=sum(asked.passed.values()),
            unit_price=self.market.unit_price,
            slashed=slashed,
        )
        self._office = following
        self._check_conservation(epoch)
        return figures

    def _burn_region(self, epoch: Epoch, held: Held) -> int:
        """The disks of one region burn, once, before the window opens; the bytes that its nodes fetch after it."""
        for node, _ in held:
            node.disk_empty = False
        if epoch != self._scale.lost_region:
            return 0
        healed = 0
        for node, shards in held:
            if node.burns and not node.strategy.escapes:
                node.disk_empty = node.region_burned = True
                fetched = round(node.strategy.keeps * len(shards) * self.market.bytes_a_shard)
                node.conduct.costs += self._costs.traffic * fetched / GIB
                healed += fetched
        return healed

    def _begin_escapes(self, epoch: Epoch, held: Held) -> None:
        """Nodes that served long enough to be trusted drop everything, and take their own stake out at once."""
        serving = {node.node_id for node, _ in held}
        for node in self.nodes:
            node.served_in_row = node.served_in_row + 1 if node.node_id in serving else 0
            if node.strategy.escapes and node.served_in_row > SERVICE_BEFORE_ESCAPE:
                node.disk_empty = True
                self.people.leave(node, epoch)

    def _fetch_arrived(self, held: Held) -> None:
        """New owners fetch what they mean to keep of the shards that came to them."""
        for node, shards in held:
            arrived = len(self._office.arrived.intersection(shards))
            fetched = node.strategy.keeps * arrived * self.market.bytes_a_shard
            node.conduct.costs += self._costs.traffic * fetched / GIB

    def _register(self, epoch: Epoch, count: int) -> None:
        for _ in range(count):
            paid = self.market.register(epoch)
            self.ledger.fees += self.ledger.take(USERS, paid)

    def _delete(self, epoch: Epoch) -> None:
        paid_back = self.market.delete_some(epoch)
        self.ledger.fees -= paid_back
        self.ledger.pay(USERS, paid_back)

    def _ask(self, window: Window, held: Held) -> Asked:
        """Who proved, for how many shards, and who did not. Shards that arrived in this epoch are exempt."""
        asked = Asked()
        for node, shards in held:
            due = [shard for shard in shards if shard not in self._office.arrived]
            if not due:
                continue
            node.conduct.begin_window(window.epoch)
            fetched = self._answer(node, window, due)
            if fetched is None:
                asked.missed.append(node)
            else:
                node.conduct.costs += self._costs.proof + self._costs.traffic * fetched / GIB
                asked.passed[node.node_id] = len(due)
                asked.rebuilt_bytes += fetched
        return asked

    def _answer(self, node: Node, window: Window, due: list[ShardIndex]) -> int | None:
        """The bytes that a node fetches to prove; None when it does not."""
        strategy = node.strategy
        if not strategy.tries(node.conduct.windows):
            return None
        samples = window.samples(node.node_id, due, self._rules.samples)
        lacking = [
            sample
            for sample in samples
            if sample is not None and (node.disk_empty or not strategy.has(node.node_id, sample))
        ]
        return strategy.bytes_to_rebuild(self._rules.shards, lacking) if lacking else 0

    def _missing_shards(self, held: Held) -> int:
        """Shards that are not wholly on a disk; one that lacks a single sliver counts."""
        return sum(len(shards) for node, shards in held if node.disk_empty or node.strategy.keeps < 1)

    def _churn(self, epoch: Epoch) -> None:
        if self._dice.random() < self._scale.churn:
            self._found(HONEST, epoch, Epoch(epoch + 2))
        if self._dice.random() < self._scale.churn:
            node = self._dice.choice([node for node in self.nodes if node.stays_honest and not node.leaves])
            node.leaves = True
            self.people.leave(node, epoch)

    def _report(self, epoch: Epoch, missed: list[Node]) -> Wei:
        """Slash who did not prove; what was taken."""
        total = 0
        for node in missed:
            node.misses, consequence = self._rules.misses.after_miss(node.misses, epoch, epoch)
            node.pool, slashed = node.pool.slash(consequence.slash_bps)
            bounty = bounty_of(slashed, consequence.slash_bps, self._rules.bounty_bps, self._rules.minimum_stake)
            self.ledger.pay(REPORTERS, bounty)
            self.ledger.burned += slashed - bounty
            node.jailed_until = consequence.jailed_until or node.jailed_until
            node.conduct.note_miss(epoch, consequence, slashed)
            total += slashed
        return Wei(total)

    def _close(self, epoch: Epoch, held: Held, passed: dict[NodeId, int]) -> EpochReward:
        """Rewards reach the pools, what nobody earned is burned, operators pay for their disks."""
        reward = EpochReward(self.market.income.of(epoch), self._rules.burn_bps, self._rules.shards)
        self.ledger.fees -= reward.income
        self.ledger.burned += reward.unearned(sum(passed.values()))
        for node, shards in held:
            kept = 0 if node.disk_empty else node.strategy.keeps
            node.conduct.costs += self._costs.disk * kept * len(shards) * self.market.bytes_a_shard / GIB
        for node in self.nodes:
            earned = reward.reward(passed.get(node.node_id, 0))
            node.pool = node.pool.after_epoch(earned, self._scale.commission_bps)
            self.people.operate(node, epoch)
        return reward

    def _check_conservation(self, epoch: Epoch) -> None:
        missing = self.ledger.missing(node.pool for node in self.nodes)
        ahead = sum(self.market.income.of(Epoch(epoch + later)) for later in range(1, self.market.longest_term + 1))
        if missing or ahead != self.ledger.fees:
            raise Bug(
                f"epoch {epoch}: {missing} wei missing; fees hold {self.ledger.fees}, epochs to come earn {ahead}"
            )
