"""Pools, custody and prices in memory: what staking refuses it refuses, and every coin is somewhere.

Shares are left out: what a pool earns or loses is spread over its delegations at once.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from walrus_chain.chain.economy import Prices
from walrus_chain.chain.economy_rejections import (
    CandidatesFull,
    CommissionTooHigh,
    NodeServing,
    NotEligible,
    NothingDue,
    NothingEarned,
    PoolBehind,
    StakeNotYours,
    StakeTooSmall,
    StillJailed,
    VoteNotYours,
    ZeroStake,
)
from walrus_chain.chain.library_rejections import AllowanceTooSmall, NotEnoughWal
from walrus_chain.chain.rejections import UnknownNode, WrongRegion
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.views import (
    ChainDuties,
    CustodyWindow,
    Delegation,
    Node,
    PoolFacts,
    UnbondingStake,
    WindowTimes,
)
from walrus_chain.rules.committee import Committee
from walrus_chain.types import Address, Epoch, NodeId, ShardIndex, Wei

if TYPE_CHECKING:
    from tests.fakes.network import FakeNetwork

ONE_WAL = 10**18
OPERATOR = Address("0x00000000000000000000000000000000000000A1")
STAKING = Address("0x0000000000000000000000000000000000005700")
MINIMUM_STAKE = Wei(10 * ONE_WAL)
UNBONDING_EPOCHS = 7
MAXIMUM_COMMISSION_BPS = 5_000
SETTLES_BY_ITSELF = 32
EPOCH_SECONDS = 3600
GENESIS_TIME = 1_000_000


@dataclass(slots=True)
class FakePool:
    """A node's pool, and what the chain says of its conduct."""

    operator: Address = OPERATOR
    commission: int = 0
    commission_bps: int = 500
    next_commission_bps: int = 500
    next_commission_from: int = 0
    jailed_until: int = 0
    candidate: bool = True
    settled: int = 1
    misses: int = 0
    last_miss: int = 0
    vote: Prices | None = None


@dataclass(slots=True)
class FakeEconomy:
    """The economy of a `FakeNetwork`, asked; `EconomyReader` of a client."""

    network: FakeNetwork
    pools: dict[int, FakePool] = field(default_factory=dict)
    delegations: dict[tuple[int, Address], Delegation] = field(default_factory=dict)
    selected_epoch: int = 0
    pending: frozenset[ShardIndex] = frozenset()
    window: CustodyWindow = field(default_factory=lambda: closed_window())
    after_cut: bool = False
    candidates: int = 255
    """Places for candidates."""

    # -- what happens ------------------------------------------------------------------------------------------------

    def pool(self, node_id: int) -> FakePool:
        """A node's pool."""
        if not 1 <= node_id <= self.network.nodes:
            raise UnknownNode(node_id)
        return self.pools.setdefault(node_id, FakePool(settled=self.network.epoch))

    def has(self, node_id: int, account: Address) -> Delegation:
        """What an account has, deposits that count by now among what is active once the pool is settled."""
        nothing = Delegation(NodeId(node_id), Wei(0), Wei(0), Wei(0), Epoch(0), ())
        return self.delegations.get((node_id, account), nothing)

    def put(self, node_id: int, account: Address, active: int) -> None:
        """Stake that was always there."""
        self.pool(node_id)
        has = self.has(node_id, account)
        self.delegations[node_id, account] = replace(
            has, active=Wei(has.active + active), principal=Wei(has.principal + active)
        )

    def earn(self, node_id: int, reward: int) -> None:
        """A reward, divided between operator and delegations."""
        pool = self.pool(node_id)
        kept = reward * pool.commission_bps // 10_000
        pool.commission += kept
        whole = self.stake_of(node_id)
        for key, has in self.delegations.items():
            if key[0] == node_id and has.active:
                self.delegations[key] = replace(has, active=Wei(has.active + (reward - kept) * has.active // whole))

    def settle(self, node_id: int, maximum: int) -> None:
        """Brings a pool nearer to now."""
        pool = self.pool(node_id)
        pool.settled = min(self.network.epoch, pool.settled + maximum)
        for key, has in self.delegations.items():
            if key[0] == node_id and has.waiting and has.waiting_until <= pool.settled:
                self.delegations[key] = replace(
                    has,
                    active=Wei(has.active + has.waiting),
                    principal=Wei(has.principal + has.waiting),
                    waiting=Wei(0),
                    waiting_until=Epoch(0),
                )

    def stake_of(self, node_id: int) -> int:
        """A pool's active stake."""
        return sum(has.active for (node, _), has in self.delegations.items() if node == node_id)

    def own_stake_of(self, node_id: int) -> int:
        """What a node's operator staked itself."""
        has = self.has(node_id, self.pool(node_id).operator)
        return has.active + has.waiting

    def node(self, node: Node) -> Node:
        """A node as the lens shows it."""
        pool = self.pool(node.node_id)
        mine = [has for (owner, _), has in self.delegations.items() if owner == node.node_id]
        facts = PoolFacts(
            waiting=Wei(sum(has.waiting for has in mine)),
            own_stake=Wei(self.own_stake_of(node.node_id)),
            unbonding=Wei(sum(entry.amount for has in mine for entry in has.unbonding)),
            commission=Wei(pool.commission),
            commission_bps=pool.commission_bps,
            next_commission_bps=pool.next_commission_bps,
            next_commission_from=Epoch(pool.next_commission_from),
            jailed_until=Epoch(pool.jailed_until),
            candidate=pool.candidate,
            misses=pool.misses,
            last_miss=Epoch(pool.last_miss),
        )
        return replace(node, operator=pool.operator, stake=Wei(self.stake_of(node.node_id)), pool=facts)

    # -- EconomyReader -----------------------------------------------------------------------------------------------

    async def delegations_of(self, account: Address) -> tuple[Delegation, ...]:
        return tuple(has for (_, owner), has in sorted(self.delegations.items()) if owner == account and _anything(has))

    async def delegation(self, node_id: NodeId, account: Address) -> Delegation | None:
        has = self.has(node_id, account)
        return has if _anything(has) else None

    async def duties_of(self, node_id: NodeId) -> ChainDuties:
        net = self.network
        return ChainDuties(
            timestamp=GENESIS_TIME + net.epoch * EPOCH_SECONDS,
            block=net.epoch,
            current_epoch=Epoch(net.epoch),
            office_epoch=net.committee_epoch,
            select=False,
            advance=False,
            tally=False,
            open=False,
            capture=False,
            prove=False,
            seed=self.window.seed,
            closes=GENESIS_TIME + net.epoch * EPOCH_SECONDS,
            pending=self.pending,
            settled=Epoch(self.pool(node_id).settled),
            burned_through=Epoch(0),
            misses=(),
        )

    async def window_of(self, epoch: Epoch) -> CustodyWindow:
        return self.window if epoch == self.network.epoch else closed_window()

    async def window_times(self, epoch: Epoch) -> WindowTimes:
        start = GENESIS_TIME + (epoch - 1) * EPOCH_SECONDS
        return WindowTimes(start + EPOCH_SECONDS // 4, start + EPOCH_SECONDS // 2, start + EPOCH_SECONDS * 3 // 4)

    async def prices_at(self, epoch: Epoch) -> Prices:
        return Prices(Wei(self.network.unit_price), Wei(self.network.write_fee))

    async def next_prices(self) -> Prices:
        votes = [pool.vote for pool in self.pools.values() if pool.vote is not None]
        return max(votes, key=lambda vote: vote.unit_price) if votes else await self.prices_at(Epoch(0))

    async def vote_of(self, node_id: NodeId) -> Prices | None:
        return self.pool(node_id).vote


class StakingWriter(ABC):
    """What a `FakeWriter` does with stake."""

    network: FakeNetwork
    address: Address

    async def delegate(self, node_id: NodeId, amount: Wei) -> Receipt:
        net, economy = self.network, self._settled(node_id)
        if not amount:
            raise ZeroStake(node_id)
        if net.allowances.get(self.address, 0) < amount:
            raise AllowanceTooSmall(STAKING, net.allowances.get(self.address, 0), amount)
        if net.wal.get(self.address, 0) < amount:
            raise NotEnoughWal(self.address, net.wal.get(self.address, 0), amount)
        net.wal[self.address] -= amount
        has = economy.has(node_id, self.address)
        until = Epoch(net.epoch + (2 if economy.after_cut else 1))
        economy.delegations[node_id, self.address] = replace(
            has, waiting=Wei(has.waiting + amount), waiting_until=until
        )
        return self._receipt("delegate")

    async def undelegate(self, node_id: NodeId, amount: Wei | None = None) -> Receipt:
        economy = self._settled(node_id)
        has = economy.has(node_id, self.address)
        taken = has.active if amount is None else amount
        if not taken:
            raise ZeroStake(node_id)
        if taken > has.active:
            raise StakeTooSmall(node_id, taken, has.active)
        economy.delegations[node_id, self.address] = replace(
            has,
            active=Wei(has.active - taken),
            principal=Wei(has.principal - has.principal * taken // has.active),
            unbonding=(*has.unbonding, UnbondingStake(Wei(taken), Epoch(self.network.epoch + UNBONDING_EPOCHS))),
        )
        return self._receipt("undelegate")

    async def withdraw_unbonded(self, node_id: NodeId) -> Receipt:
        economy, epoch = self._settled(node_id), self.network.epoch
        has = economy.has(node_id, self.address)
        due = [entry for entry in has.unbonding if entry.release <= epoch]
        if not due:
            raise NothingDue(node_id, has.unbonding[0].release if has.unbonding else 0, epoch)
        shards = self._shards(node_id)
        if shards and self.address == economy.pool(node_id).operator and economy.own_stake_of(node_id) < MINIMUM_STAKE:
            raise NodeServing(node_id, shards)
        economy.delegations[node_id, self.address] = replace(
            has, unbonding=tuple(entry for entry in has.unbonding if entry.release > epoch)
        )
        self._owe(sum(entry.amount for entry in due))
        return self._receipt("withdraw_unbonded")

    async def claim_rewards(self, node_id: NodeId) -> Receipt:
        economy = self._settled(node_id)
        has = economy.has(node_id, self.address)
        if not has.gain:
            raise NothingEarned(node_id)
        economy.delegations[node_id, self.address] = replace(has, active=has.principal)
        self._owe(has.gain)
        return self._receipt("claim_rewards")

    async def claim_commission(self, node_id: NodeId) -> Receipt:
        pool = self._own(node_id)
        if not pool.commission:
            raise NothingEarned(node_id)
        self._owe(pool.commission)
        pool.commission = 0
        return self._receipt("claim_commission")

    async def set_commission(self, node_id: NodeId, commission_bps: int) -> Receipt:
        pool = self._own(node_id)
        if commission_bps > MAXIMUM_COMMISSION_BPS:
            raise CommissionTooHigh(node_id, MAXIMUM_COMMISSION_BPS, commission_bps)
        pool.next_commission_bps, pool.next_commission_from = commission_bps, self.network.epoch + 2
        return self._receipt("set_commission")

    async def settle(self, node_id: NodeId, maximum: int) -> Receipt:
        self.network.economy.settle(node_id, maximum)
        return self._receipt("settle")

    async def stand(self, node_id: NodeId) -> Receipt:
        economy = self._settled(node_id)
        pool, own = economy.pool(node_id), economy.own_stake_of(node_id)
        if own < MINIMUM_STAKE or pool.jailed_until:
            raise NotEligible(node_id, MINIMUM_STAKE, own, pool.jailed_until)
        if sum(other.candidate for other in economy.pools.values()) >= economy.candidates:
            raise CandidatesFull(node_id, own + 1, own)
        pool.candidate = True
        return self._receipt("stand")

    async def unjail(self, node_id: NodeId) -> Receipt:
        pool, epoch = self._own(node_id), self.network.epoch
        if not pool.jailed_until or pool.jailed_until > epoch:
            raise StillJailed(node_id, pool.jailed_until, epoch)
        pool.jailed_until = 0
        return self._receipt("unjail")

    async def vote(self, node_id: NodeId, unit_price: Wei, write_fee: Wei) -> Receipt:
        pool = self.network.economy.pool(node_id)
        if pool.operator != self.address:
            raise VoteNotYours(node_id, pool.operator, self.address)
        pool.vote = Prices(unit_price, write_fee)
        return self._receipt("vote")

    async def update_node(self, node_id: NodeId, name: str, url: str, region: str) -> Receipt:
        self._own(node_id)
        if not re.fullmatch("[a-z0-9-]{1,32}", region):
            raise WrongRegion(region)
        committee = self.network.committee
        members = [
            replace(member, name=name, url=url, region=region) if member.node_id == node_id else member
            for member in committee.members
        ]
        self.network.committee = Committee(committee.epoch, committee.shards, tuple(members))
        return self._receipt("update_node")

    def _settled(self, node_id: NodeId) -> FakeEconomy:
        economy = self.network.economy
        pool = economy.pool(node_id)
        if self.network.epoch - pool.settled > SETTLES_BY_ITSELF:
            raise PoolBehind(node_id, pool.settled, self.network.epoch)
        economy.settle(node_id, SETTLES_BY_ITSELF)
        return economy

    def _own(self, node_id: NodeId) -> FakePool:
        pool = self._settled(node_id).pool(node_id)
        if pool.operator != self.address:
            raise StakeNotYours(node_id, pool.operator, self.address)
        return pool

    def _shards(self, node_id: NodeId) -> int:
        return next((m.weight for m in self.network.committee.members if m.node_id == node_id), 0)

    def _owe(self, amount: int) -> None:
        self.network.claims[self.address] = self.network.claims.get(self.address, 0) + amount

    @abstractmethod
    def _receipt(self, name: str) -> Receipt:
        """What the transaction left on the chain."""


def closed_window() -> CustodyWindow:
    """A window that nobody opened."""
    return CustodyWindow(Epoch(0), bytes(32), frozenset(), frozenset(), frozenset(), False)


def _anything(has: Delegation) -> bool:
    return bool(has.active or has.waiting or has.unbonding)
