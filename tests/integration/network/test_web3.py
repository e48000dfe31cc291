"""A network's contracts through web3.py, as dApp developers use them."""

from __future__ import annotations

import pytest
from web3.exceptions import ContractCustomError

from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import ContractMissing
from walrus_chain.types import BlobStatus

pytestmark = pytest.mark.integration


async def test_contract__of_a_chain__reads_and_tells_events(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.client() as client, walrus_network.chain() as chain:
        registry = chain.contract("BlobRegistry")
        begin = (await chain.head()).number + 1
        stored = await client.store(b"seen by web3", epochs=2)

        status = await registry.functions.statusOf(stored.blob_object).call()
        events = await registry.events.BlobCertified().get_logs(from_block=begin)

    assert BlobStatus(status) is BlobStatus.CERTIFIED
    assert [event["args"]["blobObject"] for event in events] == [stored.blob_object]


async def test_contract__that_refuses__raises_the_errors_of_web3(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.chain() as chain:
        with pytest.raises(ContractCustomError):
            await chain.contract("BlobRegistry").functions.ownerOf(10**9).call()


def test_contract__without_async__reads(walrus_network: WalrusNetwork) -> None:
    wal = walrus_network.contract("WAL")

    assert wal.functions.balanceOf(walrus_network.account.address).call() > 0
    assert wal.functions.symbol().call() == "WAL"


def test_contract__unknown_name__says_so(walrus_network: WalrusNetwork) -> None:
    with pytest.raises(ContractMissing, match="Registrar"):
        walrus_network.contract("Registrar")
