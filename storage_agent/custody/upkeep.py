"""What an agent does on chain by itself, put together: the keeper, its key, its prover, and the node's books."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from storage_agent.act.books import Books
from storage_agent.act.keeper import Keeper, Standing, patience_for
from storage_agent.config import KeeperSettings
from storage_agent.custody.prover import Prover
from storage_agent.node.holdings import Holdings
from storage_agent.observe import Metrics
from storage_agent.state.keeping import Rules
from walrus_chain.chain.account import SigningAccount
from walrus_chain.chain.economy import Economy
from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Sender
from walrus_chain.messages.signing import Signer
from walrus_chain.types import BlobId, NodeId

_GWEI = 10**9


class Upkeep:
    """Everything about one node that happens on chain."""

    def __init__(self, keeper: Keeper | None, books: Books) -> None:
        """
        Args:
            keeper: none where the operator does without.
        """
        self._keeper = keeper
        self._books = books

    @property
    def standing(self) -> Standing | None:
        """How the node stands on chain; none while it is not known."""
        return None if self._keeper is None else self._keeper.standing

    @property
    def problems(self) -> list[str]:
        """What is wrong on chain and what to do about it, in words."""
        return [*self._books.problems, *([] if self._keeper is None else self._keeper.problems)]

    async def run(self) -> None:
        """Act, and look at the books, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._books.run())
            if self._keeper is not None:
                group.create_task(self._keeper.run())


def make_upkeep(
    settings: KeeperSettings,
    chain: Chain,
    epoch_seconds: int,
    node_id: NodeId,
    signer: Signer,
    holdings: Holdings,
    heal: Callable[[BlobId], Awaitable[object]],
    synced: Callable[[], bool],
    metrics: Metrics,
    clock: Callable[[], float],
) -> Upkeep:
    """The upkeep of one node.

    Args:
        signer: the node's key; it pays.
        heal: brings back what is missing of a blob.
        synced: whether all that belongs on the shards that came to the node is here.
        clock: seconds of a clock that only goes forward.
    """
    every = min(300.0, max(5.0, epoch_seconds / 20))
    books = Books(node_id, signer.address, chain, metrics, low_balance=settings.low_balance, every_seconds=every)
    if not settings.enabled:
        return Upkeep(None, books)
    economy = Economy(chain)
    sender = Sender(chain, SigningAccount(signer), patience_for(epoch_seconds, settings.stuck_seconds))

    async def gas_price() -> int:
        return int(await chain.provider.request("eth_gasPrice"), 16)

    keeper = Keeper(
        Rules(node_id, epoch_seconds, report_misses=settings.report_misses, sweep=settings.sweep),
        economy,
        sender,
        Prover(node_id, economy, holdings, heal).prove,
        synced,
        gas_price,
        metrics,
        clock,
        highest_gas_price=int(settings.gas_price_gwei * _GWEI),
    )
    return Upkeep(keeper, books)
