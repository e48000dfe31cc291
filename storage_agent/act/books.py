"""The node's books as the chain has them: stake, jail, and what its key has for fees. For operators to look at."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from storage_agent.observe import Metrics
from walrus_chain.chain.views import Balances, Node
from walrus_chain.errors import WalrusError
from walrus_chain.types import WAL_DECIMALS, Address, NodeId

_log = logging.getLogger(__name__)

_NATIVE_UNIT = 10**18


class BookSource(Protocol):
    """Whoever knows nodes and accounts; `walrus_chain.chain.network.Chain` does."""

    async def node(self, node_id: NodeId) -> Node:
        """A registered node."""

    async def balances(self, account: Address) -> Balances:
        """What an account has."""


class Books:
    """The node's books as the chain has them."""

    def __init__(
        self,
        node_id: NodeId,
        payer: Address,
        source: BookSource,
        metrics: Metrics,
        *,
        low_balance: float,
        every_seconds: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            payer: the account that pays for the node's transactions.
            low_balance: below so much of the chain's own currency it should be funded.
        """
        self._node_id = node_id
        self._payer = payer
        self._source = source
        self._metrics = metrics
        self._low_balance = low_balance
        self._every_seconds = every_seconds
        self._sleep = sleep
        self.problems: list[str] = []
        """What the operator should do something about, in words."""

    async def run(self) -> None:
        """Look again and again."""
        while True:
            try:
                await self.look()
            except WalrusError as error:
                _log.warning("the node's books cannot be read: %s", error)
            await self._sleep(self._every_seconds)

    async def look(self) -> None:
        """Look once.

        Raises: what endpoints raise.
        """
        node = await self._source.node(self._node_id)
        balance = (await self._source.balances(self._payer)).native / _NATIVE_UNIT
        self._metrics.active_stake.set(node.stake / 10**WAL_DECIMALS)
        self._metrics.own_stake.set(node.pool.own_stake / 10**WAL_DECIMALS)
        self._metrics.jailed.set(node.pool.jailed_until > 0)
        self._metrics.key_balance.set(balance)
        self.problems = []
        if balance < self._low_balance:
            self.problems.append(
                f"the signing key {self._payer} has {balance:.6g} of the chain's own currency left, less than "
                f"{self._low_balance:g} (keeper.low_balance); send it some, or custody cannot be proved"
            )
        if node.pool.jailed_until:
            self.problems.append(
                f"the node is jailed for {node.pool.misses} missed proofs; from epoch {node.pool.jailed_until} on its "
                "operator can let it out"
            )
