"""The network that the pytest plugin gives to dApp developers: as its documentation shows it."""

from __future__ import annotations

from eth_account import Account

from walrus_chain.client.results import Outcome
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.types import BlobStatus


async def test_walrus_network__a_stored_blob__reads_back(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.client() as client:
        stored = await client.store(b"stored by nobody else", epochs=2)

        assert stored.outcome is Outcome.STORED
        assert await client.read_bytes(stored.blob_id) == b"stored by nobody else"


async def test_walrus_network__somebody_without_a_wallet__reads_what_was_stored(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.client() as owner:
        stored = await owner.store(b"for everybody", epochs=2)

    async with walrus_network.client(Account.create()) as stranger:
        assert await stranger.read_bytes(stored.blob_id) == b"for everybody"
        report = await stranger.status(stored.blob_id)
        assert [item.status for item in report.objects] == [BlobStatus.CERTIFIED]
