"""What an operator does on chain for its node: stake, earn, vote, leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from eth_account.signers.local import LocalAccount

from storage_agent.config import Settings
from storage_agent.keys import files
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.economy import Prices
from walrus_chain.chain.economy_rejections import CandidatesFull, NotEligible, StakeNotYours
from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Sender
from walrus_chain.chain.stakes import (
    Leaving,
    NoSuchNode,
    Payout,
    PoolReader,
    Settled,
    Staked,
    StakeDesk,
    StakeReader,
    StakeWriter,
    Tell,
)
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.views import NetworkParameters, Node
from walrus_chain.errors import Misuse
from walrus_chain.types import Epoch, NodeId, Wei


class EconomyReader(PoolReader, Protocol):
    """Pools and prices, asked."""

    async def prices_at(self, epoch: Epoch) -> Prices:
        """The prices of an epoch."""

    async def vote_of(self, node_id: NodeId) -> Prices | None:
        """What a node voted for."""


class OperatorChain(StakeReader, Protocol):
    """The chain, asked."""

    @property
    def economy(self) -> EconomyReader:
        """Pools and prices."""


class OperatorWriter(StakeWriter, Protocol):
    """The chain, written to by an operator's account."""

    async def stand(self, node_id: NodeId) -> Receipt:
        """Makes a node a candidate."""

    async def unjail(self, node_id: NodeId) -> Receipt:
        """Lets a node out."""

    async def set_commission(self, node_id: NodeId, commission_bps: int) -> Receipt:
        """Changes what the operator keeps."""

    async def vote(self, node_id: NodeId, unit_price: Wei, write_fee: Wei) -> Receipt:
        """Sets what a node wants to serve for."""

    async def update_node(self, node_id: NodeId, name: str, url: str, region: str) -> Receipt:
        """Changes what an operator says of a node."""


class AgentNotRegistered(Misuse):
    """The agent's key belongs to no node."""

    def __init__(self, signer: str, network: str) -> None:
        super().__init__(
            f"no node of network {network} has this agent's key {signer}; `walrus-agent register` enters it, "
            "--node names another node"
        )
        self.signer, self.network = signer, network


class NoVote(Misuse):
    """A vote for nothing."""

    def __init__(self) -> None:
        super().__init__("name --unit-price, --write-fee or both; what is not named stays as it is")


class NoChange(Misuse):
    """A change of nothing."""

    def __init__(self) -> None:
        super().__init__("name --name, --url or --region; what is not named stays as it is")


class AlreadyLeaving(Misuse):
    """An operator leaves that has nothing left to take out."""

    def __init__(self, node_id: NodeId, unbonding: Wei, release: Epoch) -> None:
        rest = (
            f"what is on its way out is due in epoch {release}: then `walrus-agent withdraw` pays it out"
            if unbonding
            else "it has none on its way out either"
        )
        super().__init__(f"the operator of node {node_id} has no own stake in it any more; {rest}")
        self.node_id, self.unbonding, self.release = node_id, unbonding, release


@dataclass(frozen=True, slots=True)
class OwnStake:
    """Own stake that was added, and whether the node stands for committees."""

    staked: Staked
    own_stake: Wei
    """With deposits that do not count yet."""
    minimum: Wei
    candidate: bool
    why_not: str | None
    """Why the node does not stand."""


@dataclass(frozen=True, slots=True)
class Unstaked:
    """Stake that began to leave."""

    leaving: Leaving
    own_stake: Wei | None
    """What the node's operator has left in it; none when somebody else takes stake out."""
    minimum: Wei
    """Own stake without which a node is not selected."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A node on its way out of the network."""

    leaving: Leaving
    serves_until: Epoch
    """The first epoch in which it does not serve any more, when the change of committee comes in time; 0: it does not
    serve now."""
    withdraw_from: Epoch
    """The epoch from which on its own stake is paid out."""
    minimum: Wei
    commission: Wei
    """Not claimed yet."""


@dataclass(frozen=True, slots=True)
class NewCommission:
    """What an operator will keep of rewards."""

    before_bps: int
    commission_bps: int
    since: Epoch
    """The epoch from which on it holds."""
    transaction: str


class Operator:
    """An account that operates a node."""

    def __init__(
        self, chain: OperatorChain, writer: OperatorWriter, node_id: NodeId, tell: Tell = lambda words: None
    ) -> None:
        """
        Args:
            node_id: the node that it is about.
            tell: told before each transaction what it is for.
        """
        self._chain = chain
        self._writer = writer
        self._tell = tell
        self._desk = StakeDesk(chain, chain.economy, writer, tell)
        self.node_id = node_id

    async def node(self) -> Node:
        """The node as the chain knows it.

        Raises: NoSuchNode.
        """
        nodes = await self._chain.nodes()
        for node in nodes:
            if node.node_id == self.node_id:
                return node
        raise NoSuchNode(self.node_id, len(nodes))

    async def own_node(self) -> Node:
        """The node, of which this account is the operator.

        Raises:
            NoSuchNode.
            StakeNotYours: another account operates it.
        """
        node = await self.node()
        if node.operator != self._writer.address:
            raise StakeNotYours(node.node_id, node.operator, self._writer.address)
        return node

    async def stake(self, amount: Wei) -> OwnStake:
        """Adds own stake, and stands for committees once the node is eligible.

        Raises: StakeNotYours, NothingToStake, NotEnoughWal.
        """
        await self.own_node()
        staked = await self._desk.add(self.node_id, amount)
        why_not = await self._stand_if_possible()
        node, parameters = await self.node(), await self._chain.parameters()
        return OwnStake(staked, node.pool.own_stake, parameters.minimum_stake, node.pool.candidate, why_not)

    async def delegate(self, amount: Wei) -> Staked:
        """Stakes with a node, whoever operates it.

        Raises: NoSuchNode, NothingToStake, NotEnoughWal.
        """
        return await self._desk.add(self.node_id, amount)

    async def unstake(self, amount: Wei | None) -> Unstaked:
        """Begins to take this account's stake out; all that is active when no amount is named.

        Raises: NothingStaked, NothingToStake, StakeTooSmall.
        """
        leaving = await self._desk.remove(self.node_id, amount)
        node, minimum = await self.node(), (await self._chain.parameters()).minimum_stake
        return Unstaked(leaving, node.pool.own_stake if node.operator == self._writer.address else None, minimum)

    async def withdraw(self) -> Payout:
        """Pays out stake that is due.

        Raises: NothingDue, NodeServing.
        """
        await self.node()
        return await self._desk.withdraw([self.node_id])

    async def claim(self) -> Payout:
        """Pays out rewards and, to the node's operator, commission.

        Raises: NothingEarned.
        """
        node = await self.node()
        return await self._desk.claim([self.node_id], commission=node.operator == self._writer.address)

    async def commission(self, commission_bps: int) -> NewCommission:
        """Changes what the operator keeps of rewards.

        Raises: StakeNotYours, CommissionTooHigh.
        """
        before = await self.own_node()
        self._tell("Changing the commission")
        receipt = await self._writer.set_commission(self.node_id, commission_bps)
        after = (await self.node()).pool
        return NewCommission(
            before.pool.commission_bps, after.next_commission_bps, after.next_commission_from, receipt.transaction
        )

    async def vote(self, unit_price: Wei | None, write_fee: Wei | None) -> tuple[Prices, str]:
        """Votes what storage should cost; what is not named stays as the node voted, or as it is today.

        Returns: the vote, and its transaction.
        Raises: NoVote, VoteNotYours, PriceOutOfBounds.
        """
        if unit_price is None and write_fee is None:
            raise NoVote
        await self.node()
        economy = self._chain.economy
        present = await economy.vote_of(self.node_id)
        if present is None:
            present = await economy.prices_at((await self._chain.parameters()).current_epoch)
        vote = Prices(
            present.unit_price if unit_price is None else unit_price,
            present.write_fee if write_fee is None else write_fee,
        )
        self._tell("Voting")
        receipt = await self._writer.vote(self.node_id, vote.unit_price, vote.write_fee)
        return vote, receipt.transaction

    async def update(self, name: str | None, url: str | None, region: str | None) -> tuple[Node, str]:
        """Changes name, address or region of the node; what is not named stays as it is.

        Args:
            url: where others reach the agent, without a slash at its end.
        Returns: the node as it is afterwards, and the transaction.
        Raises: NoChange, StakeNotYours, WrongFieldLength, WrongCharacter, WrongRegion.
        """
        if name is None and url is None and region is None:
            raise NoChange
        node = await self.own_node()
        self._tell(f"Changing the entry of node {self.node_id}")
        receipt = await self._writer.update_node(
            self.node_id, name or node.name, url or node.url, region or node.region
        )
        return await self.node(), receipt.transaction

    async def exit(self) -> Departure:
        """Takes all own stake out, so that the next committee that is selected does without the node.

        Raises:
            StakeNotYours.
            AlreadyLeaving: there is none left.
            NothingStaked: all of it still waits; says until when.
        """
        node = await self.own_node()
        has = await self._chain.economy.delegation(self.node_id, self._writer.address)
        if has is None or not has.active + has.waiting:
            entries = () if has is None else has.unbonding
            total = Wei(sum(entry.amount for entry in entries))
            raise AlreadyLeaving(self.node_id, total, max((entry.release for entry in entries), default=Epoch(0)))
        leaving = await self._desk.remove(self.node_id)
        parameters = await self._chain.parameters()
        until = _serves_until(parameters) if node.serving else Epoch(0)
        return Departure(
            leaving=leaving,
            serves_until=until,
            withdraw_from=max(until, leaving.release),
            minimum=parameters.minimum_stake,
            commission=(await self.node()).pool.commission,
        )

    async def unjail(self) -> tuple[str, str | None]:
        """Lets the node out, and stands for committees again.

        Returns: the transaction, and why it does not stand.
        Raises: StakeNotYours, StillJailed.
        """
        await self.own_node()
        self._tell(f"Letting node {self.node_id} out")
        receipt = await self._writer.unjail(self.node_id)
        return receipt.transaction, await self._stand_if_possible()

    async def stand(self) -> str | None:
        """Makes the node a candidate.

        Returns: the transaction; none when it was one already.
        Raises: NotEligible, CandidatesFull.
        """
        if (await self.node()).pool.candidate:
            return None
        self._tell(f"Standing for committees with node {self.node_id}")
        return (await self._writer.stand(self.node_id)).transaction

    async def settle(self) -> Settled:
        """Brings the node's rewards up to date."""
        return await self._desk.settle(self.node_id)

    async def _stand_if_possible(self) -> str | None:
        """Why the node does not stand for committees afterwards; none when it does."""
        node, minimum = await self.node(), (await self._chain.parameters()).minimum_stake
        if node.pool.candidate:
            return None
        if node.pool.own_stake < minimum or node.pool.jailed_until:
            return str(NotEligible(node.node_id, minimum, node.pool.own_stake, node.pool.jailed_until))
        try:
            await self.stand()
        except (CandidatesFull, NotEligible) as refusal:
            return str(refusal)
        return None


def _serves_until(parameters: NetworkParameters) -> Epoch:
    """The first epoch without a node whose stake left now: what is selected already stays.

    Before the cut the next committee is not selected, after it perhaps. One that was selected for the next epoch still
    counts with the node, so that the one after it is the first without.
    """
    return Epoch(max(parameters.current_epoch, parameters.selected_epoch) + 1)


async def node_of(settings: Settings, chain: Chain) -> NodeId:
    """The node whose agent has these settings.

    Raises: AgentNotRegistered.
    """
    signer = files.load_signer(settings.keys.signer, files.read_password(settings.keys.password_file))
    node_id = await chain.node_of_signer(signer.address)
    if node_id is None:
        raise AgentNotRegistered(signer.address, chain.deployment.name)
    return node_id


@asynccontextmanager
async def connect(
    settings: Settings, account: LocalAccount, node_id: NodeId | None, tell: Tell
) -> AsyncIterator[Operator]:
    """An account at the network of the settings.

    Args:
        node_id: the node that it is about; the agent's own when none is named.
    Raises: AgentNotRegistered, MalformedDeployment.
    """
    async with Chain.connect(settings.chain.rpc, Deployment.load(settings.chain.deployment)) as chain:
        yield Operator(chain, Sender(chain, account), node_id or await node_of(settings, chain), tell)
