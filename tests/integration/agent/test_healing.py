"""What a node should hold comes to it by itself: it was absent, its disk was wiped, its disk rotted."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from storage_agent.config import Settings
from storage_agent.daemon import RunningAgent, run_agent
from tests.fakes.agents import Blob, make_bad_blob, make_blob
from tests.integration.agent.network import AgentNetwork, agent_network
from walrus_chain.codec.verify import verify_sliver
from walrus_chain.rules.committee import Member
from walrus_chain.types import Axis, PairIndex

NODES, SHARDS = 5, 10
SIZES = (1, 10_000, 3_000_000)

pytestmark = pytest.mark.integration


@asynccontextmanager
async def agents(settings: list[Settings]) -> AsyncIterator[list[RunningAgent]]:
    """Running agents with these settings."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(run_agent(each)) for each in settings]


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[AgentNetwork]:
    """Five nodes with two shards each (f = 3); none runs."""
    async with agent_network(tmp_path, nodes=NODES, shards=SHARDS) as made:
        yield made


async def check_whole(network: AgentNetwork, member: Member, blob: Blob) -> None:
    """The member comes to hold all it must of a blob, and what it serves verifies."""
    geometry = blob.encoded.geometry
    for pair in await network.wait_healed(member, blob):
        for axis in Axis:
            sliver = await network.client(member).sliver(
                blob.blob_id, 0, axis, pair, length=geometry.sliver_bytes(axis)
            )
            verify_sliver(sliver, axis, pair, blob.metadata.segments[0], geometry)


async def test_heal__absent_during_the_upload__holds_it_afterwards(network: AgentNetwork) -> None:
    absent, *present = network.committee.members
    blobs = [make_blob(size, SHARDS) for size in SIZES]
    async with agents(network.settings[1:]):
        for member in present:
            await network.wait_ready(member)
        for blob in blobs:
            await network.certify(blob, present)
        async with agents(network.settings[:1]):
            for blob in blobs:
                await check_whole(network, absent, blob)


async def test_heal__disk_wiped__fills_again(network: AgentNetwork) -> None:
    wiped, *_ = network.committee.members
    blobs = [make_blob(size, SHARDS) for size in SIZES]
    async with agents(network.settings[1:]):
        async with agents(network.settings[:1]):
            for member in network.committee.members:
                await network.wait_ready(member)
            for blob in blobs:
                await network.certify(blob, network.committee.members)
        shutil.rmtree(network.settings[0].storage.data_dir)
        async with agents(network.settings[:1]) as [agent]:
            for blob in blobs:
                await check_whole(network, wiped, blob)
            fetched = {kind: agent.metrics.healing_bytes.labels(kind)._value.get() for kind in ("symbols", "slivers")}
    assert fetched["symbols"] > 0
    assert sum(fetched.values()) < 1.2 * sum(SIZES)


async def test_heal__only_slivers_wiped__found_at_start_and_filled_again(network: AgentNetwork) -> None:
    wiped, *_ = network.committee.members
    blob = make_blob(SIZES[-1], SHARDS)
    async with agents(network.settings[1:]):
        async with agents(network.settings[:1]):
            for member in network.committee.members:
                await network.wait_ready(member)
            await network.certify(blob, network.committee.members)
        shutil.rmtree(Path(network.settings[0].storage.store_url))
        async with agents(network.settings[:1]) as [agent]:
            await until_healed(network, wiped, agent, pairs=2)
            await check_whole(network, wiped, blob)


async def test_heal__blob_is_encoded_wrongly__found_out_left_alone_and_still_known_after_a_restart(
    network: AgentNetwork,
) -> None:
    bad = make_bad_blob(SIZES[1], SHARDS, PairIndex(0))
    victim = network.committee.member_of_pair(bad.blob_id, PairIndex(0))
    present = [member for member in network.committee.members if member is not victim]
    mine = network.settings[victim.index : victim.index + 1]
    async with agents([settings for settings in network.settings if settings is not mine[0]]):
        for member in present:
            await network.wait_ready(member)
        await network.certify(bad, present)
        async with agents(mine) as [agent], asyncio.timeout(20):
            while (known := agent.catalogue.blob(bad.blob_id)) is None or known.sound is None:
                await network.client(victim).health()
            assert known.sound is False
            assert agent.catalogue.totals().heal == 0
    async with agents(mine) as [agent]:
        await network.wait_ready(victim)
        signed = await network.client(victim).invalidity(bad.blob_id)  # all others are down
        signed.verify(network.chain.registry_domain)
        assert signed.signer == victim.signer
        assert agent.catalogue.totals().heal == 0


async def test_scrub__a_bit_rotted__found_and_healed_while_running(network: AgentNetwork) -> None:
    rotten, *_ = network.committee.members
    blob = make_blob(SIZES[-1], SHARDS)
    settings = network.settings[0]
    always = replace(settings, work=replace(settings.work, scrub_days=0.0, scrub_bytes_per_second=50e6))
    async with agents([*network.settings[1:], always]) as [*_, agent]:
        for member in network.committee.members:
            await network.wait_ready(member)
        await network.certify(blob, network.committee.members)
        flip_last_bit(Path(settings.storage.store_url))
        await until_healed(network, rotten, agent, pairs=1)
        await check_whole(network, rotten, blob)
        assert agent.metrics.rotted_pairs._value.get() == 1


async def until_healed(network: AgentNetwork, member: Member, agent: RunningAgent, pairs: int) -> None:
    """Asks the agent how it is until it healed so many pairs from symbols."""
    async with asyncio.timeout(20):
        while agent.metrics.healed_pairs.labels("symbols")._value.get() < pairs:
            await network.client(member).health()


def flip_last_bit(store: Path) -> None:
    """What a disk does, behind the agent's back."""
    [pack] = store.rglob("packs/*/*")
    data = bytearray(pack.read_bytes())
    data[-1] ^= 1
    pack.write_bytes(data)
