"""What the chapters play on, and how they wait for what is to happen."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx

from scripts.demonstration.words import ClaimFailed
from walrus_chain.chain.economy import Economy
from walrus_chain.chain.economy_events import CustodyProved, WindowOpened
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.network import Chain
from walrus_chain.client.client import Client
from walrus_chain.devnet.network import Devnet, DevnetAgent
from walrus_chain.rules.committee import Member
from walrus_chain.types import BlobId, Epoch, NodeId

T = TypeVar("T", bound=ChainEvent)

HEAL_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """The network, the chain below it, and somebody who uses it."""

    devnet: Devnet
    chain: Chain
    client: Client

    @property
    def economy(self) -> Economy:
        """Stakes, custody and money, for reading."""
        return Economy(self.chain)

    def agent_of(self, node_id: NodeId) -> DevnetAgent:
        """The agent of a node."""
        [agent] = [agent for agent in self.devnet.agents if agent.node_id == node_id]
        return agent

    async def epoch(self) -> Epoch:
        """The epoch of the chain's clock."""
        return (await self.chain.parameters()).current_epoch

    async def events(self, kind: type[T]) -> list[T]:
        """Everything of one kind that was logged so far."""
        head = await self.chain.head()
        seen = await self.chain.events(self.devnet.deployment.block, head.number)
        return [event for event in seen if isinstance(event, kind)]

    async def wait_for(self, kind: type[T], which: Callable[[T], bool], epochs: int, what: str) -> T:
        """The first event of a kind that fits.

        Args:
            epochs: how many may pass.
            what: what is waited for, in words.
        Raises: ClaimFailed: it did not come.
        """
        last = await self.epoch() + epochs
        while await self.epoch() <= last:
            found = [event for event in await self.events(kind) if which(event)]
            if found:
                return found[0]
            await asyncio.sleep(_LOOK_SECONDS)
        raise ClaimFailed(f"{epochs} epochs passed, and {what} did not happen")

    async def proofs(self) -> dict[Epoch, int]:
        """How many nodes proved custody in each epoch in which something was asked."""
        asked = [event.epoch for event in await self.events(WindowOpened) if not event.empty]
        proved = Counter(event.epoch for event in await self.events(CustodyProved))
        return {epoch: proved[epoch] for epoch in asked}

    async def gas_of(self, event: ChainEvent) -> int:
        """What the transaction of an event used."""
        receipt = await self.chain.provider.request("eth_getTransactionReceipt", event.transaction)
        return int(receipt["gasUsed"], 16)


async def wait_until_whole(agent: DevnetAgent, blob_id: BlobId, member: Member) -> None:
    """Wait until an agent holds all of its pairs of a blob."""
    deadline = time.monotonic() + HEAL_SECONDS
    async with httpx.AsyncClient(base_url=agent.url, trust_env=False) as http:
        while time.monotonic() < deadline:
            answer = (await http.get(f"/v1/blobs/{blob_id}")).json()
            if answer.get("known") and not answer["missing"] and len(answer["pairs"]) == member.weight:
                return
            await asyncio.sleep(0.1)
    raise ClaimFailed(f"{agent.name} did not heal blob {blob_id} within {HEAL_SECONDS:.0f} s")


def disk_bytes(devnet: Devnet, agent: DevnetAgent) -> int:
    """Bytes of all files of an agent."""
    data = devnet.home.agent_data(agent.name)
    return sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
