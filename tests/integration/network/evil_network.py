"""Four real agents on a real chain, each registered at the address of a proxy that can make it go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from storage_agent.config import Settings
from storage_agent.daemon import RunningAgent, run_agent
from tests.fakes.agents import Blob, make_blob
from tests.fakes.evil_agent import EvilAgent, evil_agent
from tests.integration.agent.network import AgentNetwork, agent_network
from walrus_chain.client.client import Client
from walrus_chain.devnet.ports import free_run
from walrus_chain.errors import WalrusError
from walrus_chain.rules.committee import Member
from walrus_chain.transport.http import HttpAgents, HttpLimits
from walrus_chain.types import PairIndex

SHARDS, NODES = 10, 4
#: An agent that stalls costs its caller this long, where nobody is asked in its place.
_ANSWER_SECONDS = 3.0
_READY_SECONDS = 30.0


@dataclass
class EvilNetwork:
    """Ten shards (f = 3, quorum 7) over four agents: two with three shards, two with two."""

    network: AgentNetwork
    proxies: dict[str, EvilAgent] = field(default_factory=dict)
    """By the node's name."""
    agents: dict[str, RunningAgent] = field(default_factory=dict)
    _inner: dict[str, Settings] = field(default_factory=dict)
    _running: dict[str, AsyncExitStack] = field(default_factory=dict)
    _seeds: Iterator[int] = field(default_factory=count)

    @property
    def large(self) -> list[Member]:
        """The two members with three shards: without one of them it takes all others to certify."""
        return [member for member in self.network.committee.members if member.weight == 3]

    @property
    def small(self) -> list[Member]:
        """The two members with two shards."""
        return [member for member in self.network.committee.members if member.weight == 2]

    def proxy(self, member: Member) -> EvilAgent:
        """What stands before a member's agent."""
        return self.proxies[member.name]

    def behave(self) -> None:
        """All agents are honest from now on."""
        for proxy in self.proxies.values():
            proxy.behave()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A client that has met nobody yet, and at its end waits for no straggler."""
        agents = HttpAgents(HttpLimits(connect_seconds=_ANSWER_SECONDS, answer_seconds=_ANSWER_SECONDS))
        client = Client(self.network.chain, agents, self.network.owner)
        try:
            yield client
        finally:
            await client.aclose(grace=0)

    def new_blob(self, size: int, *, first_row_at: Member | None = None) -> Blob:
        """A blob that nobody stored yet; every reader asks `first_row_at` first for the beginning of it."""
        while True:
            blob = make_blob(size, SHARDS, seed=next(self._seeds))
            owner = self.network.committee.member_of_pair(blob.blob_id, PairIndex(0))
            if first_row_at is None or owner == first_row_at:
                return blob

    async def start(self, member: Member, **storage: int) -> None:
        """Starts a member's agent, with some other settings of its storage."""
        settings = self._inner[member.name]
        settings = replace(settings, storage=replace(settings.storage, **storage))  # type: ignore[arg-type]
        stack = AsyncExitStack()
        self.agents[member.name] = await stack.enter_async_context(run_agent(settings))
        self._running[member.name] = stack
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                if await self._has_started(member):
                    return
                await asyncio.sleep(0.02)

    async def _has_started(self, member: Member) -> bool:
        try:
            return (await self.network.client(member).health()).status != "starting"
        except WalrusError:
            return False  # it does not listen yet

    async def stop(self, member: Member) -> None:
        """Ends a member's agent; its proxy goes on listening."""
        await self._running.pop(member.name).aclose()

    async def restart(self, member: Member, **storage: int) -> None:
        """Starts a member's agent again, with some other settings of its storage."""
        await self.stop(member)
        await self.start(member, **storage)


@asynccontextmanager
async def evil_network(folder: Path) -> AsyncIterator[EvilNetwork]:
    """The network, all agents running and honest."""
    async with agent_network(folder, nodes=NODES, shards=SHARDS) as network, AsyncExitStack() as stack:
        evil = EvilNetwork(network)
        ports = free_run(NODES)
        for place, outer in enumerate(network.settings):
            inner = ports + place
            work = replace(outer.work, peer_seconds=_ANSWER_SECONDS)
            evil._inner[outer.node.name] = replace(outer, work=work, server=replace(outer.server, port=inner))
            proxy = await stack.enter_async_context(evil_agent(outer.server.port, f"http://127.0.0.1:{inner}"))
            evil.proxies[outer.node.name] = proxy
        try:
            for member in network.committee.members:
                await evil.start(member)
            yield evil
        finally:
            for member in network.committee.members:
                if member.name in evil._running:
                    await evil.stop(member)
