"""How a network stands: its committee, its epoch and its prices. `walrus info` shows them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walrus_chain.client.ports import ChainReader
from walrus_chain.types import Epoch, NodeId, ShardIndex

if TYPE_CHECKING:
    from walrus_chain.chain.economy import Prices
    from walrus_chain.chain.views import CustodyWindow, NetworkParameters, Node, WindowTimes


@dataclass(frozen=True, slots=True)
class CommitteeReport:
    """Who serves."""

    parameters: NetworkParameters
    members: tuple[Node, ...]
    """By member index."""

    def pending_of(self, node: Node) -> tuple[ShardIndex, ...]:
        """A member's shards that are on their way to it."""
        return tuple(shard for shard in node.shards if shard in self.parameters.pending_shards)

    @property
    def regions(self) -> Mapping[str, int]:
        """Shards by region."""
        found: Counter[str] = Counter()
        for node in self.members:
            found[node.region] += len(node.shards)
        return found


@dataclass(frozen=True, slots=True)
class EpochReport:
    """Where the clock stands, and how far the epoch's business is."""

    parameters: NetworkParameters
    times: WindowTimes
    window: CustodyWindow
    proved: tuple[NodeId, ...]
    """Nodes that proved custody; none are named while another committee than the asked one serves."""

    @property
    def cut(self) -> int:
        """When the next committee is due to be selected, and votes to be counted; seconds since 1970."""
        return self.parameters.epoch_start + self.parameters.epoch_seconds // 2

    @property
    def next_selected(self) -> bool:
        """Whether the committee of the next epoch is fixed."""
        return self.parameters.selected_epoch > self.parameters.current_epoch

    @property
    def change_over(self) -> bool:
        """Whether at most f shards are on their way."""
        return len(self.parameters.pending_shards) <= self.parameters.faults


@dataclass(frozen=True, slots=True)
class MemberVote:
    """What a member of the committee wants."""

    node: Node
    vote: Prices | None
    """None where it is content with today's prices."""


@dataclass(frozen=True, slots=True)
class PriceReport:
    """What storage costs, and will cost."""

    epoch: Epoch
    unit_bytes: int
    today: Prices
    next: Prices
    """Of the next epoch, as far as votes were counted."""
    preview: Prices
    """What the votes cast so far would give."""
    votes: tuple[MemberVote, ...]


async def committee_report(chain: ChainReader) -> CommitteeReport:
    """Who serves; no members while there is no committee."""
    parameters = await chain.parameters()
    return CommitteeReport(parameters, await _serving(chain))


async def epoch_report(chain: ChainReader) -> EpochReport:
    """Where the clock stands, and how far the epoch's business is."""
    parameters = await chain.parameters()
    window, times = await asyncio.gather(
        chain.economy.window_of(parameters.current_epoch), chain.economy.window_times(parameters.current_epoch)
    )
    proved: tuple[NodeId, ...] = ()
    if window.opened and window.committee_epoch == parameters.committee_epoch:
        members = await _serving(chain)
        proved = tuple(node.node_id for index, node in enumerate(members) if index in window.proved)
    return EpochReport(parameters, times, window, proved)


async def price_report(chain: ChainReader) -> PriceReport:
    """What storage costs, and what the committee's votes come to."""
    parameters, members, economy = await chain.parameters(), await _serving(chain), chain.economy
    epoch = parameters.current_epoch
    today, following, preview = await asyncio.gather(
        economy.prices_at(epoch), economy.prices_at(Epoch(epoch + 1)), economy.next_prices()
    )
    votes = await asyncio.gather(*(economy.vote_of(node.node_id) for node in members))
    found = tuple(MemberVote(node, vote) for node, vote in zip(members, votes, strict=True))
    return PriceReport(epoch, parameters.unit_bytes, today, following, preview, found)


async def _serving(chain: ChainReader) -> tuple[Node, ...]:
    """Members by index: they are ordered by node id."""
    return tuple(sorted((node for node in await chain.nodes() if node.serving), key=lambda node: node.node_id))
