"""Agents on a real chain with epochs of 20 seconds keep it going, prove what they hold, and tell on who does not."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from storage_agent.daemon import RunningAgent, run_agent
from tests.fakes.agents import Blob, make_blob
from tests.integration.agent.network import AgentNetwork, agent_network
from walrus_chain.chain.economy import Economy
from walrus_chain.types import Epoch

pytestmark = [pytest.mark.integration, pytest.mark.slow]

EPOCH_SECONDS = 20


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[AgentNetwork]:
    """Three nodes with ten shards, not running."""
    async with agent_network(tmp_path, nodes=3, shards=10, epoch_seconds=EPOCH_SECONDS, block_seconds=1) as made:
        yield made


class Watch:
    """What the chain says of windows."""

    def __init__(self, network: AgentNetwork) -> None:
        self.network = network
        self.economy = Economy(network.chain)

    async def until_epoch(self, epoch: int, part: float = 0.0) -> None:
        """Until a part of an epoch is over."""
        parameters = await self.network.chain.parameters()
        end = parameters.start_of(Epoch(epoch)) + part * EPOCH_SECONDS
        while True:
            left = end - (await self.network.chain.head()).timestamp
            if left <= 0:
                return
            await asyncio.sleep(min(1.0, left))

    async def epoch(self) -> int:
        """The present epoch."""
        return (await self.network.chain.parameters()).current_epoch

    async def passed(self, epoch: int) -> list[int]:
        """How many shards each node proved."""
        call = self.network.chain.call
        members = self.network.committee.members
        return [await call("CustodyChallenges", "passedShards", epoch, member.node_id) for member in members]


async def metric(agent: RunningAgent, series: str) -> float:
    """A series as Prometheus reads it."""
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{agent.url}/metrics")).text
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found is not None, series
    return float(found[1])


async def store(network: AgentNetwork, *blobs: Blob) -> None:
    """Have blobs certified, on all nodes."""
    for member in network.committee.members:
        await network.wait_ready(member)
    for blob in blobs:
        await network.certify(blob, network.committee.members)


async def test_agents__three_epochs__proved_advanced_settled_and_one_that_lost_its_disk_heals_and_proves(
    network: AgentNetwork, tmp_path: Path
) -> None:
    watch = Watch(network)
    async with AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(run_agent(settings)) for settings in network.settings]
        await store(network, make_blob(5000, 10), make_blob(300_000, 10, seed=1))
        first = await watch.epoch() + 1
        # Behind the agent's back: its rows say that it has everything.
        shutil.rmtree(tmp_path / "node-0" / "data" / "slivers" / "packs")
        await watch.until_epoch(first + 3, 0.2)

        weights = [member.weight for member in network.committee.members]
        assert [await watch.passed(first + number) for number in range(3)] == [weights] * 3
        parameters = await network.chain.parameters()
        assert parameters.selected_epoch >= first + 2
        for agent in agents:
            assert await metric(agent, 'walrus_agent_custody_windows_total{result="missed"}') == 0
            assert await metric(agent, 'walrus_agent_custody_windows_total{result="proved"}') >= 3
            assert await metric(agent, "walrus_agent_rewards_wal_total") > 0
            assert await metric(agent, "walrus_agent_active_stake_wal") > 0
            assert await metric(agent, 'walrus_agent_shards{state="served"}') > 0
        async with httpx.AsyncClient(trust_env=False) as http:
            health = (await http.get(f"{agents[0].url}/v1/health")).json()
        assert health["status"] == "ok", health
        assert health["epoch"] >= first + 3
        assert health["syncing"] == []


async def test_agent__stopped_for_an_epoch__others_report_it(network: AgentNetwork) -> None:
    watch = Watch(network)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(run_agent(network.settings[0]))
        await stack.enter_async_context(run_agent(network.settings[1]))
        async with run_agent(network.settings[2]):
            await store(network, make_blob(5000, 10))
        missed = await watch.epoch() + 1
        await watch.until_epoch(missed + 1, 0.2)

        silent = network.committee.members[2]
        assert await watch.passed(missed) == [
            network.committee.members[0].weight,
            network.committee.members[1].weight,
            0,
        ]
        node = await network.chain.node(silent.node_id)
        assert node.pool.misses >= 1
        assert node.stake < (await network.chain.parameters()).minimum_stake
