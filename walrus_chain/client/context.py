"""Whom a client can ask: the committee and its agents, asked of the chain now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from walrus_chain.client.ports import Agents, ChainReader
from walrus_chain.client.read import ReadContext
from walrus_chain.client.reputation import Reputation
from walrus_chain.client.results import NodeReport
from walrus_chain.errors import WalrusError
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import BlobId

#: How long a committee is taken to serve on before the chain is asked again, in seconds.
_COMMITTEE_SECONDS = 30.0
#: How long a node has to say how it is, in seconds.
_HEALTH_SECONDS = 5.0


class Contexts:
    """The context that reads and stores begin with."""

    def __init__(self, chain: ChainReader, agents: Agents) -> None:
        self._chain = chain
        self._agents = agents
        self._reputation = Reputation()
        self._context: ReadContext | None = None
        self._time = 0.0
        self._lock = asyncio.Lock()

    async def now(self) -> ReadContext:
        """Committee and agents."""
        async with self._lock:
            if self._context is None or _now() - self._time > _COMMITTEE_SECONDS:
                return await self._ask()
            return self._context

    async def after(self, stale: ReadContext) -> ReadContext:
        """The context, when `stale` seems to be out of date; asked of the chain unless that was done since."""
        async with self._lock:
            if self._context is None or self._context is stale:
                return await self._ask()
            return self._context

    async def ask_all(
        self, ask: Callable[[AgentClient, Member], Awaitable[NodeReport]], *, leaving: bool = False
    ) -> tuple[NodeReport, ...]:
        """What all members say, and where that is asked for those that still keep shards and serve no more."""
        context = await self.now()
        members = (*context.committee.members, *(context.committee.leaving if leaving else ()))

        async def one(agent: AgentClient, member: Member) -> NodeReport:
            try:
                async with asyncio.timeout(_HEALTH_SECONDS):
                    return await ask(agent, member)
            except TimeoutError:
                return NodeReport(member, why=f"no answer within {_HEALTH_SECONDS:g} s")
            except WalrusError as error:
                return NodeReport(member, why=str(error))

        return tuple(await asyncio.gather(*map(one, context.agents, members)))

    async def _ask(self) -> ReadContext:
        now, before = _now(), self._context
        committee = await self._chain.committee()
        if before is None or committee != before.committee:
            if before is None or _nodes(committee) != _nodes(before.committee):
                self._reputation = Reputation()
            self._context = before = ReadContext(committee, self._agents_of(committee), self._reputation)
        self._time = now
        return before

    def _agents_of(self, committee: Committee) -> tuple[AgentClient, ...]:
        members = (*committee.members, *committee.leaving)
        return tuple(self._agents.at(member.url, member.name) for member in members)


def held_by(blob_id: BlobId) -> Callable[[AgentClient, Member], Awaitable[NodeReport]]:
    """Asks an agent what it holds of a blob."""

    async def ask(agent: AgentClient, member: Member) -> NodeReport:
        begun = _now()
        held = await agent.blob(blob_id)
        return NodeReport(member, held=held, seconds=_now() - begun)

    return ask


async def health_of(agent: AgentClient, member: Member) -> NodeReport:
    """Asks an agent how it is."""
    begun = _now()
    health = await agent.health()
    return NodeReport(member, health=health, seconds=_now() - begun)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _nodes(committee: Committee) -> list[int]:
    """Who stands at which place of a context."""
    return [member.node_id for member in (*committee.members, *committee.leaving)]
