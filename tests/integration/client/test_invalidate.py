"""A lying uploader on a real network: readers are refused, nodes find it out by themselves, the chain marks it."""

from __future__ import annotations

import os

import pytest

from tests.integration.client.lying_uploader import certify_bad_blob, until_dropped
from walrus_chain.client.results import Check
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import BlobIsConsistent, BlobNotFound, InconsistentEncoding
from walrus_chain.types import BlobStatus

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("size", [5000, 3_000_000])
async def test_bad_blob__certified__refused_to_readers_then_invalid_then_dropped(
    walrus_network: WalrusNetwork, size: int
) -> None:
    blob, number = await certify_bad_blob(walrus_network, size)
    async with walrus_network.client() as client:
        for check in (Check.DEFAULT, Check.STRICT):
            with pytest.raises(InconsistentEncoding, match="walrus invalidate"):
                await client.read_bytes(blob.blob_id, check=check)

        result = await client.invalidate(blob.blob_id)

        assert result.objects == (number,)
        assert result.weight > 3
        [item] = (await client.status(blob.blob_id, ask_nodes=False)).objects
        assert item.status is BlobStatus.INVALID
        assert (await client.invalidate(number)).transaction is None
        await until_dropped(walrus_network, blob)
        with pytest.raises(BlobNotFound, match="do not encode to its id"):
            await client.read_bytes(blob.blob_id)


async def test_good_blob__nobody_signs_and_the_chain_is_not_touched(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(50_000)
    async with walrus_network.client() as client:
        stored = await client.store(data, epochs=2)
        await client.finish(60)
        before = (await client.info()).balances

        with pytest.raises(BlobIsConsistent):
            await client.invalidate(stored.blob_id)

        assert (await client.info()).balances == before
        [item] = (await client.status(stored.blob_id, ask_nodes=False)).objects
        assert item.status is BlobStatus.CERTIFIED
        assert await client.read_bytes(stored.blob_id) == data
