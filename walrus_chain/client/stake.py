"""Staking WAL with nodes, as `walrus stake` does it: what `Client.stake` offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from walrus_chain.chain.stakes import Leaving, Payout, Settled, Staked, StakeDesk, Tell
from walrus_chain.chain.views import Delegation, Node
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.types import Address, Epoch, NodeId, Wei


@dataclass(frozen=True, slots=True)
class Stake:
    """What an account has in the pool of a node."""

    node: Node
    delegation: Delegation
    settled: Epoch
    """Up to where the pool is settled: rewards of epochs from this one on are not in the figures."""
    current_epoch: Epoch

    @property
    def due(self) -> Wei:
        """What may be withdrawn now."""
        return Wei(sum(entry.amount for entry in self.delegation.unbonding if entry.release <= self.current_epoch))


class Stakes:
    """The stake of a client's account; `tell`, where it is taken, is told in words what comes next."""

    def __init__(self, chain: ChainReader, signing: Callable[[str], ChainWriter]) -> None:
        """
        Args:
            signing: who signs and pays, given what for; raises `NoWallet` where nobody does.
        """
        self._chain = chain
        self._signing = signing

    async def list(self, account: Address | None = None) -> tuple[Stake, ...]:
        """What an account has in each pool where it has something, by node.

        Args:
            account: this client's own one when none is named.
        """
        account = account or self._signing("listing your own stake").address
        pools = self._chain.economy
        delegations = await pools.delegations_of(account)
        if not delegations:
            return ()
        nodes = {node.node_id: node for node in await self._chain.nodes()}
        found = []
        for delegation in delegations:
            duties = await pools.duties_of(delegation.node_id)
            found.append(Stake(nodes[delegation.node_id], delegation, duties.settled, duties.current_epoch))
        return tuple(found)

    async def add(self, node_id: NodeId, amount: Wei, tell: Tell | None = None) -> Staked:
        """Stake WAL with a node; it counts from the next epoch, or the one after.

        Raises:
            NoSuchNode, NothingToStake.
            Rejected: the chain refused; NotEnoughWal says how much is missing.
        """
        return await self._desk("staking", tell).add(node_id, amount)

    async def remove(self, node_id: NodeId, amount: Wei | None = None, tell: Tell | None = None) -> Leaving:
        """Begin to take stake out; it earns nothing from then on, and is slashed with the node until it is withdrawn.

        Args:
            amount: all that is active when none is named.
        Raises: NoSuchNode, NothingToStake, NothingStaked, StakeTooSmall.
        """
        return await self._desk("taking stake out", tell).remove(node_id, amount)

    async def withdraw(self, node_id: NodeId | None = None, tell: Tell | None = None) -> Payout:
        """Pay out stake that was taken out and is due, and what else the vault owes you.

        Args:
            node_id: of all nodes when none is named.
        Raises: NothingDue, NothingOwed.
        """
        return await self._desk("withdrawing stake", tell).withdraw(None if node_id is None else [node_id])

    async def claim(self, node_id: NodeId | None = None, tell: Tell | None = None) -> Payout:
        """Pay out what your stake gained, and what else the vault owes you; what is not claimed goes on earning.

        Args:
            node_id: of all nodes when none is named.
        Raises: NothingEarned, NothingOwed.
        """
        return await self._desk("claiming rewards", tell).claim(None if node_id is None else [node_id])

    async def settle(self, node_id: NodeId, tell: Tell | None = None) -> Settled:
        """Bring the rewards of all epochs that are over into a node's pool; anybody may.

        Raises: NoSuchNode.
        """
        return await self._desk("settling a pool", tell).settle(node_id)

    def _desk(self, what: str, tell: Tell | None) -> StakeDesk:
        options = {} if tell is None else {"tell": tell}
        return StakeDesk(self._chain, self._chain.economy, self._signing(what), **options)
