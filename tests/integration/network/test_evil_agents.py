"""Agents that lie, stall, hang up or break: within f shards nobody notices, beyond that everybody is told.

One network serves all these tests; each uses blobs of its own, and clients that have met nobody yet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import evil_agent
from tests.fakes.evil_agent import Fault
from tests.integration.network.evil_network import EvilNetwork
from walrus_chain.client.results import Outcome
from walrus_chain.errors import BlobUnreachable, QuorumUnreachable
from walrus_chain.types import Axis, BlobStatus

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

# Larger than what agents keep in their catalogue, and than what fits into one piece of an answer.
SIZE = 300_000

BREAKS = [evil_agent.answers_500, evil_agent.stalls, evil_agent.drops]
BREAKS_MIDWAY = [evil_agent.drops_midway, evil_agent.stalls_midway]
LIES = [evil_agent.flips_a_bit, evil_agent.cuts_short, evil_agent.never_ends]
LIES_ABOUT_ATTESTATIONS = [
    evil_agent.attests_by_a_stranger,
    evil_agent.attests_in_anothers_name,
    evil_agent.replays_attestations,
    evil_agent.attests_garbage,
]


def _name(fault: Fault) -> str:
    return fault.__name__


def _files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.parametrize("fault", [*BREAKS, *BREAKS_MIDWAY, *LIES_ABOUT_ATTESTATIONS], ids=_name)
async def test_store__one_agent_goes_wrong__the_others_certify(evil: EvilNetwork, fault: Fault) -> None:
    culprit = evil.large[0]
    async with evil.client() as client:
        await client.store(evil.new_blob(SIZE).content)  # an attestation that could be replayed
        await client.finish()
    evil.proxy(culprit).go_wrong(fault)
    blob = evil.new_blob(SIZE)

    async with evil.client() as client:
        stored = await client.store(blob.content, epochs=2)

    assert evil.proxy(culprit).harmed
    assert (stored.outcome, stored.weight) == (Outcome.STORED, 10 - culprit.weight)
    evil.behave()
    async with evil.client() as client:
        assert await client.read_bytes(blob.blob_id) == blob.content


@pytest.mark.parametrize("fault", LIES_ABOUT_ATTESTATIONS, ids=_name)
async def test_store__attestations_that_do_not_count__are_told_with_the_node(evil: EvilNetwork, fault: Fault) -> None:
    first, second = evil.large
    blob = evil.new_blob(SIZE)
    async with evil.client() as client:
        await client.store(evil.new_blob(SIZE).content)
        await client.finish()
    evil.proxy(first).go_wrong(fault)
    evil.proxy(second).go_wrong(fault)

    async with evil.client() as client:
        with pytest.raises(QuorumUnreachable) as caught:
            await client.store(blob.content, epochs=2)

    assert first.name in str(caught.value)
    assert second.name in str(caught.value)
    assert "sign" in str(caught.value)


async def test_store__too_many_agents_break__goes_on_later_without_paying_twice(evil: EvilNetwork) -> None:
    blob = evil.new_blob(SIZE)
    evil.proxy(evil.large[0]).go_wrong(evil_agent.answers_500)
    evil.proxy(evil.small[0]).go_wrong(evil_agent.drops)
    async with evil.client() as client:
        before = await evil.network.chain.balances(evil.network.owner.address)
        with pytest.raises(QuorumUnreachable) as caught:
            await client.store(blob.content, epochs=2)
        paid = before.wal - (await evil.network.chain.balances(evil.network.owner.address)).wal
    assert paid > 0
    assert evil.large[0].name in str(caught.value)
    assert evil.small[0].name in str(caught.value)

    evil.behave()
    async with evil.client() as client:
        stored = await client.store(blob.content, epochs=2)

        assert (stored.outcome, stored.paid) == (Outcome.RESUMED, 0)
        assert before.wal - (await evil.network.chain.balances(evil.network.owner.address)).wal == paid
        assert await client.read_bytes(blob.blob_id) == blob.content


@pytest.mark.parametrize("fault", [*BREAKS, *BREAKS_MIDWAY, *LIES], ids=_name)
async def test_read__one_agent_goes_wrong__same_bytes_and_liars_are_named(evil: EvilNetwork, fault: Fault) -> None:
    culprit = evil.large[0]
    blob = evil.new_blob(SIZE, first_row_at=culprit)
    async with evil.client() as client:
        await client.store(blob.content, epochs=2)
        await client.finish()
    evil.proxy(culprit).go_wrong(fault)

    async with evil.client() as client, client.read(blob.blob_id) as reader:
        assert b"".join([piece async for piece in reader]) == blob.content

    assert evil.proxy(culprit).harmed
    named = [suspect.agent for suspect in reader.summary.suspects]
    assert all(culprit.name in agent for agent in named), "an honest agent was blamed"
    if fault in LIES:
        assert named


@pytest.mark.parametrize("fault", [*BREAKS, *LIES, evil_agent.spoils_paths], ids=_name)
async def test_read_range__one_agent_goes_wrong__same_bytes(evil: EvilNetwork, fault: Fault) -> None:
    culprit = evil.large[1]
    blob = evil.new_blob(SIZE, first_row_at=culprit)
    async with evil.client() as client:
        await client.store(blob.content, epochs=2)
        await client.finish()
    evil.proxy(culprit).go_wrong(fault)

    async with evil.client() as client, client.read(blob.blob_id, 100, 3000) as reader:
        assert b"".join([piece async for piece in reader]) == blob.content[100:3000]

    assert evil.proxy(culprit).harmed
    if fault in LIES or fault is evil_agent.spoils_paths:
        assert [culprit.name in suspect.agent for suspect in reader.summary.suspects] == [True]


@pytest.mark.parametrize("fault", [evil_agent.flips_a_bit, evil_agent.drops], ids=_name)
async def test_read__all_agents_go_wrong__nothing_is_handed_out(
    evil: EvilNetwork, fault: Fault, tmp_path: Path
) -> None:
    blob = evil.new_blob(SIZE)
    async with evil.client() as client:
        await client.store(blob.content, epochs=2)
        await client.finish()
    for proxy in evil.proxies.values():
        proxy.go_wrong(fault)

    async with evil.client() as client:
        with pytest.raises(BlobUnreachable) as caught:
            await client.read_to(blob.blob_id, tmp_path / "copy")

    assert _files_in(tmp_path) == []
    for member in evil.network.committee.members:
        assert member.name in str(caught.value)


@pytest.mark.parametrize("fault", [*BREAKS, *BREAKS_MIDWAY, *LIES], ids=_name)
async def test_heal__one_peer_goes_wrong__all_slivers_come_back(evil: EvilNetwork, fault: Fault) -> None:
    absent, culprit = evil.small
    blob = evil.new_blob(SIZE)
    evil.proxy(absent).go_wrong(evil_agent.answers_500, "PUT")
    evil.proxy(culprit).go_wrong(fault, "GET")

    async with evil.client() as client:
        await client.store(blob.content, epochs=2)
    await evil.network.wait_healed(absent, blob)

    agent, geometry = evil.network.client(absent), blob.encoded.geometry
    for pair in evil.network.committee.pairs_of(absent, blob.blob_id):
        for axis in Axis:
            sliver = await agent.sliver(blob.blob_id, 0, axis, pair, length=geometry.sliver_bytes(axis))
            assert sliver == bytes(blob.encoded.sliver(axis, pair))


async def test_disks_full__store_says_so_and_goes_on_when_there_is_room(evil: EvilNetwork) -> None:
    blob = evil.new_blob(SIZE)
    for member in evil.large:
        await evil.restart(member, reserve_bytes=2**60)
    try:
        async with evil.client() as client:
            with pytest.raises(QuorumUnreachable) as caught:
                await client.store(blob.content, epochs=2)
            health = {node.member.name: node.health for node in await client.health()}
    finally:
        for member in evil.large:
            await evil.restart(member)
    for member in evil.large:
        assert member.name in str(caught.value)
        assert (report := health[member.name]) is not None
        assert report.status == "degraded"
    assert "no room" in str(caught.value)

    async with evil.client() as client:
        stored = await client.store(blob.content, epochs=2)

        assert (stored.outcome, stored.paid) == (Outcome.RESUMED, 0)
        assert (await client.status(blob.blob_id)).objects[0].status is BlobStatus.CERTIFIED
        assert await client.read_bytes(blob.blob_id) == blob.content
