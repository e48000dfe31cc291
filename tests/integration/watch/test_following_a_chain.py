"""The watcher and the catalogue on a real chain: its events, its clock, its reorganisations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import Catalogue
from storage_agent.watch.watcher import Watcher
from tests.integration.chain.local import ALICE, BLOB, LocalNetwork, local_network
from walrus_chain.chain.anvil import Anvil, running_anvil
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.chain.sender import Registration, Sender
from walrus_chain.errors import OtherChain
from walrus_chain.types import BlobId, Epoch, NodeId

pytestmark = pytest.mark.integration
OTHER = BlobId(b"\x2b" * 32)
FAR = 1e12


@pytest.fixture
async def network(anvil: Anvil) -> AsyncIterator[LocalNetwork]:
    async with local_network(anvil.url) as network:
        yield network


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[Catalogue]:
    opened = Catalogue.open(tmp_path / "c.db", network="test", node_id=NodeId(4), clock=lambda: 0.0)
    yield opened
    opened.close()


async def _watcher(network: LocalNetwork, catalogue: Catalogue) -> Watcher:
    parameters = await network.chain.parameters()
    anchor = network.chain.deployment.block - 1
    return Watcher(network.chain, catalogue, epoch_at=parameters.epoch_at, anchor_block=anchor)


async def test_follow__whole_life_of_a_blob(network: LocalNetwork, catalogue: Catalogue) -> None:
    watcher = await _watcher(network, catalogue)
    await watcher.catch_up()
    member = next(member for member in network.committee.members if member.node_id == 4)
    assert catalogue.duties.own == member.shards
    assert catalogue.duties.pairs(BLOB) == network.committee.pairs_of(member, BLOB)

    (blob_object,) = (await network.register()).objects
    certificate = network.certificate(network.attestation(blob_object))
    await network.alice.certify(blob_object, certificate.signers, certificate.signatures)
    await network.alice.extend(blob_object, 3)
    await watcher.catch_up()
    on_chain, record = await network.chain.blob(blob_object), catalogue.object(blob_object)
    assert record is not None
    assert (record.blob_id, record.size, record.start, record.end) == (BLOB, 10_000, on_chain.start, on_chain.end)
    assert record.certified
    assert [work.blob_id for work in catalogue.due(WorkKind.HEAL, FAR, 9)] == [BLOB]

    await network.alice.delete(blob_object)
    await watcher.catch_up()
    row = catalogue.blob(BLOB)
    assert row is not None
    assert not row.standing.is_live(catalogue.epoch)
    assert row.standing.is_due(catalogue.epoch)
    assert not row.standing.is_due(Epoch(catalogue.epoch + 1))


async def test_follow__time_passes__blob_expires_without_a_transaction(
    network: LocalNetwork, catalogue: Catalogue
) -> None:
    watcher = await _watcher(network, catalogue)
    await network.register(epochs=2)
    await watcher.catch_up()
    pair = catalogue.duties.pairs(BLOB)[0]
    await catalogue.add_pack(catalogue.next_pack(), BLOB, 0, [(pair, 0, 4)], b"data")
    await network.rpc("evm_increaseTime", 2_000)
    await network.rpc("evm_mine")
    await watcher.catch_up()
    assert catalogue.epoch == Epoch(3)
    assert [work.blob_id for work in catalogue.due(WorkKind.FREE, FAR, 9)] == [BLOB]


async def test_follow__reorganisation__registration_is_undone_and_another_taken(
    network: LocalNetwork, catalogue: Catalogue
) -> None:
    watcher = await _watcher(network, catalogue)
    await watcher.catch_up()
    before = catalogue.cursor
    snapshot = await network.rpc("evm_snapshot")
    (first,) = (await network.register(BLOB)).objects
    await watcher.catch_up()
    assert catalogue.object(first) is not None

    await network.rpc("evm_revert", snapshot)
    await network.rpc("evm_increaseTime", 5)
    for _ in range(2):
        await network.rpc("evm_mine")
    cursor = await watcher.catch_up()
    assert cursor.block == await network.chain.head()
    assert before is not None
    assert cursor.block.number == before.block.number + 2
    assert catalogue.object(first) is None

    (again,) = (await Sender(network.chain, ALICE).register([Registration(OTHER, 10_000, 5, True)])).objects
    await watcher.catch_up()
    assert again == first
    record = catalogue.object(again)
    assert record is not None
    assert record.blob_id == OTHER


async def test_follow__chain_started_afresh__refused(anvil: Anvil, catalogue: Catalogue) -> None:
    await _mine_after(anvil.url, seconds=10)
    async with local_network(anvil.url) as network:
        await (await _watcher(network, catalogue)).catch_up()
    async with running_anvil() as fresh:
        await _mine_after(fresh.url, seconds=20)
        async with local_network(fresh.url) as other:
            watcher = await _watcher(other, catalogue)
            with pytest.raises(OtherChain, match="another chain"):
                await watcher.catch_up()


async def _mine_after(url: str, seconds: int) -> None:
    """A block before the contracts by which chains that were started in the same second differ."""
    async with ChainProvider([url]) as provider:
        await provider.request("evm_increaseTime", seconds)
        await provider.request("evm_mine")
