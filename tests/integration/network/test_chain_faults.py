"""An agent whose chain endpoint fails, lags or reorganises while it follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from storage_agent.daemon import RunningAgent, run_agent
from tests.fakes.agents import Blob, make_blob
from tests.integration.agent.network import AgentNetwork, agent_network
from tests.integration.chain.local import DEPLOYER
from tests.integration.chain.rpc_server import RpcServer, rpc_server
from walrus_chain.chain.sender import Sender
from walrus_chain.errors import AgentRefused, WalrusError
from walrus_chain.rules.committee import Member
from walrus_chain.transport.agent import AgentHealth
from walrus_chain.types import Axis, BlobObjectId, PairIndex

pytestmark = pytest.mark.integration

SHARDS = 4
SIZE = 10_000


@dataclass(frozen=True, slots=True)
class Following:
    """The only agent of a network, and the endpoint through which it sees the chain."""

    network: AgentNetwork
    agent: RunningAgent
    endpoint: RpcServer

    @property
    def member(self) -> Member:
        """The agent's place in the committee."""
        return self.network.committee.members[0]

    async def health(self) -> AgentHealth:
        """What the agent says of itself."""
        return await self.network.client(self.member).health()

    async def sliver(self, blob: Blob) -> bytes:
        """A sliver that the agent holds."""
        length = blob.encoded.geometry.sliver_bytes(Axis.PRIMARY)
        return await self.network.client(self.member).sliver(blob.blob_id, 0, Axis.PRIMARY, PairIndex(0), length=length)


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[Following]:
    """A network of one node, whose agent asks an endpoint that can go wrong."""
    async with agent_network(folder, nodes=1, shards=SHARDS) as network:
        [settings] = network.settings
        async with rpc_server(settings.chain.rpc[0]) as endpoint:
            settings = replace(settings, chain=replace(settings.chain, rpc=(endpoint.url,)))
            async with run_agent(settings) as agent:
                [member] = network.committee.members
                await network.wait_ready(member)
                yield Following(network, agent, endpoint)
                assert not agent.failed.done(), "the agent gave up"


async def _until(holds: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def test_reorganisation__registration_is_gone__nothing_is_attested_until_it_is_back(tmp_path: Path) -> None:
    async with following(tmp_path) as node:
        network, member, blob = node.network, node.member, make_blob(SIZE, SHARDS)
        number = await network.register(blob)
        await network.upload(member, blob, number)

        await network.chain.provider.request("anvil_reorg", 1, [])
        assert (await network.chain.parameters()).objects == 0
        await _until(lambda: _follows_the_fork(node))
        with pytest.raises(AgentRefused) as caught:
            await network.client(member).attest(blob.blob_id, number)
        assert (caught.value.code, caught.value.retryable) == ("NotRegisteredYet", True)
        pairs = network.committee.pairs_of(member, blob.blob_id)
        with pytest.raises(AgentRefused) as caught:
            await network.client(member).put_segment(blob.blob_id, 0, pairs, blob.parts(pairs))
        assert (caught.value.code, caught.value.retryable) == ("NotRegisteredYet", True)

        # Paid once more on the new fork, what the agent holds counts again without being sent again.
        network = replace(network, owner=Sender(network.chain, DEPLOYER))
        number = await network.register(blob)
        attestation = await network.client(member).attest(blob.blob_id, number)
        await network.owner.certify(number, 1 << member.index, attestation.signature)


async def _follows_the_fork(node: Following) -> bool:
    cursor = node.agent.catalogue.cursor
    return cursor is not None and cursor.block == await node.network.chain.head()


async def test_endpoint_fails__agent_serves_on_says_so_and_recovers(tmp_path: Path) -> None:
    async with following(tmp_path) as node:
        network, member, blob = node.network, node.member, make_blob(SIZE, SHARDS)
        await network.upload(member, blob, await network.register(blob))
        later = make_blob(SIZE, SHARDS, seed=1)

        node.endpoint.status = 500
        number = await network.register(later)
        await _until(lambda: _is(node, "degraded"))
        assert await node.sliver(blob) == bytes(blob.encoded.sliver(Axis.PRIMARY, PairIndex(0)))
        with pytest.raises(WalrusError) as caught:
            await network.upload(member, later, number)
        assert isinstance(caught.value, AgentRefused)
        assert caught.value.retryable
        assert "secret" not in str(caught.value)

        node.endpoint.status = 200
        await _until(lambda: _is(node, "ok"))
        await network.upload(member, later, number)


async def _is(node: Following, status: str) -> bool:
    return (await node.health()).status == status


async def test_endpoint_lags__agent_says_not_yet_and_takes_it_later(tmp_path: Path) -> None:
    async with following(tmp_path) as node:
        network, member, blob = node.network, node.member, make_blob(SIZE, SHARDS)
        node.endpoint.newest = (await network.chain.head()).number
        number = await network.register(blob)

        with pytest.raises(AgentRefused) as caught:
            await network.upload(member, blob, number)
        assert caught.value.retryable

        node.endpoint.newest = None
        await network.upload(member, blob, number)


async def test_endpoint_drops_connections__agent_follows_on(tmp_path: Path) -> None:
    async with following(tmp_path) as node:
        blob = make_blob(SIZE, SHARDS)
        node.endpoint.drops = 5
        number = await node.network.register(blob)

        await _until(lambda: _takes(node, blob, number))


async def _takes(node: Following, blob: Blob, number: BlobObjectId) -> bool:
    try:
        await node.network.upload(node.member, blob, number)
    except AgentRefused as refusal:
        if not refusal.retryable:
            raise
        return False
    return True
