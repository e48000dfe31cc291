"""People in a real network: accounts with money, and agents that stand between them and the truth."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Sender
from walrus_chain.client.accounts import signer_of
from walrus_chain.client.client import Client
from walrus_chain.client.keep import Keep
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.crypto.sealing import seal_share
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import AgentUnreachable
from walrus_chain.transport.access import KeyAnswer, KeyQuestion
from walrus_chain.transport.agent import AgentClient
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import Address, Wei

ONE_WAL = 10**18


async def newcomer(network: WalrusNetwork, wal: int = 100 * ONE_WAL) -> LocalAccount:
    """An account with WAL and money for transactions."""
    account: LocalAccount = Account.create()
    async with network.chain() as chain:
        rich = Sender(chain, network.account)
        await rich.send_native(Address(account.address), Wei(10**18))
        if wal:
            await rich.send_wal(Address(account.address), Wei(wal))
    return account


@dataclass(slots=True)
class Spoiled:
    """An agent of which some calls go wrong; all others are its own."""

    agent: AgentClient
    release: Callable[[AgentClient, KeyQuestion], Any] | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The agent's own."""
        return self.agent.label

    def __getattr__(self, name: str) -> Any:
        return getattr(self.agent, name)

    async def release_key(self, question: KeyQuestion) -> KeyAnswer:
        """Its share, or what goes wrong instead."""
        self.asked.append(self.label)
        if self.release is None:
            return await self.agent.release_key(question)
        answer: KeyAnswer = await self.release(self.agent, question)
        return answer


class SpoiledAgents(HttpAgents):
    """Agents some of which are spoiled, by name."""

    def __init__(self, spoils: dict[str, Callable[[AgentClient, KeyQuestion], Any]]) -> None:
        super().__init__()
        self.spoils = spoils
        self.asked: list[str] = []

    def at(self, url: str, name: str = "agent") -> Any:
        """The agent, spoiled or not."""
        return Spoiled(super().at(url, name), self.spoils.get(name), self.asked)


async def unreachable(agent: AgentClient, question: KeyQuestion) -> KeyAnswer:
    """An agent that is down."""
    raise AgentUnreachable(agent.label, "connection refused")


def bad_share(domain: Any) -> Callable[[AgentClient, KeyQuestion], Any]:
    """An agent whose share is a point that has nothing to do with its key."""

    async def lie(agent: AgentClient, question: KeyQuestion) -> KeyAnswer:
        answer = await agent.release_key(question)
        share = os.urandom(48)
        sealed = seal_share(question.grant.encryption_key, share, question.request.digest(domain))
        return KeyAnswer(sealed, MasterKey.generate(os.urandom).public.key_id, answer.receipt, answer.receipt_signature)

    return lie


@asynccontextmanager
async def client_with(
    network: WalrusNetwork, account: LocalAccount, agents: HttpAgents, keep: Keep | None = None
) -> AsyncIterator[Client]:
    """A client that talks to the given agents."""
    chain = Chain.connect([network.rpc_url], network.devnet.deployment)
    async with chain, Client(chain, agents, Sender(chain, account), requester=signer_of(account), keep=keep) as client:
        yield client
