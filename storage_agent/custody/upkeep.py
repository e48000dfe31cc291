"""What an agent does on chain by itself, put together: the keeper, its key, its prover, and the node's books."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage_agent.act.access_hands import AccessSender
from storage_agent.act.books import Books
from storage_agent.act.collector import Collector
from storage_agent.act.keeper import Keeper, Standing, patience_for
from storage_agent.config import AccessSettings, KeeperSettings
from storage_agent.custody.prover import Prover
from storage_agent.keys.desk import access_wei
from storage_agent.keys.erasable import ErasableKeys
from storage_agent.keys.journal import root_of
from storage_agent.node.holdings import Holdings
from storage_agent.observe import Metrics
from storage_agent.state.collecting import CollectingRules
from storage_agent.state.keeping import Rules
from storage_agent.store.ledger import Ledger
from storage_agent.watch.access import AccessChain
from walrus_chain.chain.account import SigningAccount
from walrus_chain.chain.economy import Economy
from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Sender
from walrus_chain.chain.views import NetworkParameters
from walrus_chain.messages.signing import Signer
from walrus_chain.types import BlobId, NodeId

_GWEI = 10**9


class Upkeep:
    """Everything about one node that happens on chain."""

    def __init__(self, keeper: Keeper | None, books: Books, collector: Collector, sender: Sender | None = None) -> None:
        """
        Args:
            keeper: none where the operator does without.
            collector: looks after what releases of keys leave behind.
            sender: sends the node's transactions; none where there is no keeper.
        """
        self._keeper = keeper
        self._books = books
        self._collector = collector
        self.sender = sender

    @property
    def proving(self) -> bool:
        """Whether a proof of custody is due, before which nothing is sent that can wait."""
        return self._keeper is not None and self._keeper.proving

    @property
    def standing(self) -> Standing | None:
        """How the node stands on chain; none while it is not known."""
        return None if self._keeper is None else self._keeper.standing

    @property
    def problems(self) -> list[str]:
        """What is wrong on chain and what to do about it, in words."""
        return [
            *self._books.problems,
            *([] if self._keeper is None else self._keeper.problems),
            *self._collector.problems,
        ]

    async def run(self) -> None:
        """Act, and look at the books, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._books.run())
            if self._keeper is not None:
                group.create_task(self._keeper.run())
            group.create_task(self._collector.run())


@dataclass(frozen=True, slots=True)
class KeyUpkeep:
    """What releases of keys leave behind, and who knows of it."""

    settings: AccessSettings
    ledger: Ledger
    source: AccessChain
    erasable: ErasableKeys
    close_delay: int
    """Seconds that closing a channel takes at least."""


def make_upkeep(
    settings: KeeperSettings,
    chain: Chain,
    parameters: NetworkParameters,
    node_id: NodeId,
    signer: Signer,
    holdings: Holdings,
    heal: Callable[[BlobId], Awaitable[object]],
    synced: Callable[[], bool],
    keys: KeyUpkeep,
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
    epoch_seconds = parameters.epoch_seconds
    every = min(300.0, max(5.0, epoch_seconds / 20))
    books = Books(node_id, signer.address, chain, metrics, low_balance=settings.low_balance, every_seconds=every)
    economy = Economy(chain)
    sender = Sender(chain, SigningAccount(signer), patience_for(epoch_seconds, settings.stuck_seconds))

    async def gas_price() -> int:
        return int(await chain.provider.request("eth_gasPrice"), 16)

    highest = int(settings.gas_price_gwei * _GWEI)
    rules = Rules(node_id, epoch_seconds, report_misses=settings.report_misses, sweep=settings.sweep)
    keeper = Keeper(
        rules,
        economy,
        sender,
        Prover(node_id, economy, holdings, heal).prove,
        synced,
        gas_price,
        metrics,
        clock,
        highest_gas_price=highest,
    )

    async def too_expensive() -> bool:
        return highest > 0 and await gas_price() > highest

    collector = Collector(
        CollectingRules(rules, access_wei(keys.settings.minimum_redeem), keys.close_delay),
        keys.ledger,
        keys.source,
        AccessSender(sender),
        parameters.epoch_at,
        parameters.start_of,
        root_of,
        keys.erasable.destroy,
        lambda: keeper.proving,
        too_expensive,
        metrics,
        confirmations=keys.settings.confirmations,
        minimum_settle=access_wei(keys.settings.minimum_settle),
        acts=settings.enabled,
    )
    return Upkeep(keeper if settings.enabled else None, books, collector, sender if settings.enabled else None)
