"""Anvil as the library runs it."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.integration.chain.local import local_network
from walrus_chain.chain.anvil import Anvil, AnvilOptions, running_anvil, start_anvil
from walrus_chain.chain.network import Chain
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.errors import AnvilFailed, RpcUnavailable
from walrus_chain.types import BlobStatus

pytestmark = pytest.mark.integration


async def test_state__survives_a_restart(tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "chain.json")
    async with running_anvil(options) as anvil, local_network(anvil.url) as network:
        await network.register()
        deployment, head = network.chain.deployment, await network.chain.head()
    async with running_anvil(options) as anvil, Chain.connect([anvil.url], deployment) as chain:
        assert (await chain.head()).number >= head.number
        assert [blob.status for blob in await chain.blobs_of(network.alice.address)] == [BlobStatus.REGISTERED]
        assert (await chain.committee()) == network.committee


async def test_stop__leaves_no_process_and_can_be_repeated() -> None:
    anvil = await start_anvil()
    assert psutil.pid_exists(anvil.pid)
    await anvil.stop()
    await anvil.stop()
    assert not anvil.running
    assert not psutil.pid_exists(anvil.pid)
    async with ChainProvider([anvil.url]) as provider:
        with pytest.raises(RpcUnavailable):
            await provider.chain_id()


async def test_start__port_taken__fails_with_what_anvil_said(anvil: Anvil) -> None:
    port = int(anvil.url.rsplit(":", 1)[1])
    with pytest.raises(AnvilFailed, match=r"(?s)ended at once.*in use") as caught:
        await start_anvil(AnvilOptions(port=port))
    assert "in use" in caught.value.output


async def test_options__chain_id_accounts_and_block_time() -> None:
    options = AnvilOptions(chain_id=4242, accounts=2, balance=7, block_time=1)
    async with running_anvil(options) as anvil, ChainProvider([anvil.url]) as provider:
        assert await provider.chain_id() == 4242
        accounts = await provider.request("eth_accounts")
        assert len(accounts) == 2
        assert int(await provider.request("eth_getBalance", accounts[0], "latest"), 16) == 7 * 10**18
        assert await provider.request("anvil_getIntervalMining") == 1
        assert await provider.request("anvil_getAutomine") is False
