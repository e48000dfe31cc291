"""An agent that is killed at any moment of an upload never leaves an attestation without its bytes."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from storage_agent.store.catalogue import Catalogue
from storage_agent.store.local import LocalStore
from storage_agent.store.packs import Packs
from tests.fakes.agents import Blob, make_blob
from tests.integration.agent.network import AgentNetwork, agent_network, agent_process
from walrus_chain.codec.verify import verify_pair
from walrus_chain.errors import AgentIncomplete, AgentRefused, WalrusError
from walrus_chain.types import Axis, BlobObjectId

KILLS = 50
SHARDS = 10
# Kept in the catalogue, kept in the sliver store, and large enough to be caught in the middle.
SIZES = (10_000, 300_000, 4_000_000)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


async def test_kill_9__at_random_moments_of_an_upload__no_attestation_without_its_bytes(tmp_path: Path) -> None:
    chance = random.Random(20_241)
    async with agent_network(tmp_path, nodes=1, shards=SHARDS) as network:
        [member] = network.committee.members
        attested: list[tuple[Blob, BlobObjectId]] = []
        interrupted: list[tuple[Blob, BlobObjectId]] = []
        typical = dict.fromkeys(SIZES, 0.1)
        async with agent_process(network.settings[0], tmp_path) as agent:
            for kill in range(KILLS):
                await agent.start()
                await network.wait_ready(member)
                size = SIZES[kill % len(SIZES)]
                blob = make_blob(size, SHARDS, seed=kill)
                number = await network.register(blob)
                started = time.monotonic()
                upload = asyncio.ensure_future(network.upload(member, blob, number))
                if kill < len(SIZES):
                    await upload  # how long it takes when nobody interferes
                    typical[size] = time.monotonic() - started
                else:
                    await asyncio.wait([upload], timeout=chance.uniform(0, 1.3 * typical[size]))
                agent.kill()
                try:
                    await upload
                except WalrusError:
                    interrupted.append((blob, number))
                else:
                    attested.append((blob, number))
                await _check_what_is_noted(network, [blob for blob, _ in (*attested, *interrupted)])

            await agent.start()
            await network.wait_ready(member)
            for blob, number in attested:
                await network.client(member).attest(blob.blob_id, number)
            for blob, number in interrupted:
                # Whatever was left half done can be finished.
                try:
                    await network.client(member).attest(blob.blob_id, number)
                except (AgentIncomplete, AgentRefused):
                    await network.upload(member, blob, number)
            await _check_served(network, [blob for blob, _ in (*attested, *interrupted)])
    assert len(attested) + len(interrupted) == KILLS
    assert len(interrupted) >= KILLS // 5, "the kills came too late to interrupt anything"
    assert len(attested) >= KILLS // 10, "the kills came too early to let anything through"


async def _check_what_is_noted(network: AgentNetwork, blobs: list[Blob]) -> None:
    """On the disk of a dead agent: every pair that is noted has its bytes, every attestation all its pairs."""
    storage = network.settings[0].storage
    [member] = network.committee.members
    catalogue = await _opened(network, storage.catalogue)
    try:
        packs = Packs(catalogue, LocalStore.open(Path(storage.store_url)))
        for blob in blobs[-4:]:
            for pair in catalogue.held(blob.blob_id, 0):
                data = await packs.read(blob.blob_id, 0, pair)
                verify_pair(data, pair, blob.metadata.segments[0], blob.encoded.geometry)
            if catalogue.attestations.of(blob.blob_id):
                assert catalogue.held(blob.blob_id, 0) == set(network.committee.pairs_of(member, blob.blob_id))
    finally:
        catalogue.close()


async def _opened(network: AgentNetwork, path: Path) -> Catalogue:
    """The catalogue of an agent that was just killed, as soon as the system has let go of it."""
    deployment = network.chain.deployment
    name = f"{deployment.chain_id}:{deployment.address('BlobRegistry')}"
    async with asyncio.timeout(10):
        while True:
            try:
                return Catalogue.open(path, network=name, node_id=network.committee.members[0].node_id, clock=time.time)
            except WalrusError:
                await asyncio.sleep(0.02)


async def _check_served(network: AgentNetwork, blobs: list[Blob]) -> None:
    [member] = network.committee.members
    for blob in blobs:
        geometry = blob.encoded.geometry
        known = await network.client(member).blob(blob.blob_id)
        assert (known.missing, len(known.pairs)) == (0, SHARDS)
        for pair in known.pairs:
            for axis in Axis:
                sliver = await network.client(member).sliver(
                    blob.blob_id, 0, axis, pair, length=geometry.sliver_bytes(axis)
                )
                assert sliver == bytes(blob.encoded.sliver(axis, pair))
