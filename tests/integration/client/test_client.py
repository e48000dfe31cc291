"""The client against real agents and real contracts."""

from __future__ import annotations

import asyncio
import os

import pytest

from walrus_chain.chain.money_rejections import WrongTerm
from walrus_chain.client.results import Check, Outcome
from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import BlobNotFound
from walrus_chain.types import BlobId

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("size", [0, 1, 100_000, SEGMENT_BYTES, SEGMENT_BYTES + 1])
async def test_store_and_read__edge_sizes__every_node_holds_them(walrus_network: WalrusNetwork, size: int) -> None:
    data = os.urandom(size)
    async with walrus_network.client() as client:
        stored = await client.store(data, epochs=2)
        assert await client.read_bytes(stored.blob_id, check=Check.STRICT) == data
        assert await client.finish(60)
        report = await client.status(stored.blob_id)
    assert report.healthy_shards == report.shards


async def test_read__ranges__are_those_bytes(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(SEGMENT_BYTES + 1000)
    async with walrus_network.client() as client:
        stored = await client.store(data)
        for start, stop in [
            (0, 1),
            (12_345, 67_890),
            (SEGMENT_BYTES - 5, SEGMENT_BYTES + 5),
            (len(data) - 1, len(data)),
        ]:
            assert await client.read_bytes(stored.blob_id, start, stop) == data[start:stop]


async def test_store__eight_at_once__all_are_certified_and_readable(walrus_network: WalrusNetwork) -> None:
    blobs = [os.urandom(10_240) for _ in range(8)]
    async with walrus_network.client() as client:
        stored = await asyncio.gather(*(client.store(blob, epochs=2) for blob in blobs))
        assert await asyncio.gather(*(client.read_bytes(item.blob_id) for item in stored)) == blobs


async def test_life_of_an_object__extend_attributes_delete_withdraw(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.client() as client:
        stored = await client.store(os.urandom(5000), epochs=3, attributes={"name": "x"})
        quote = await client.quote_extension(stored.blob_id, 4)
        before = (await client.info()).balances
        assert (await client.extend(stored.blob_id, 4)).end == stored.end + 4
        after = (await client.info()).balances
        assert before is not None
        assert after is not None
        assert before.wal - after.wal == quote.total
        assert await client.attributes(stored.blob_object) == {"name": "x"}
        assert [item.id for item in await client.list()].count(stored.blob_object) == 1
        refunded = await client.delete(stored.blob_id)
        assert refunded > 0
        assert await client.withdraw() == refunded
        with pytest.raises(BlobNotFound):
            await client.status(stored.blob_object)


async def test_store__again__costs_nothing(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(5000)
    async with walrus_network.client() as client:
        await client.store(data)
        assert (await client.store(data)).outcome is Outcome.ALREADY_STORED


async def test_refusals__are_decoded(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.client() as client:
        with pytest.raises(WrongTerm):
            await client.store(os.urandom(100), epochs=100_000)
        with pytest.raises(BlobNotFound, match="never registered"):
            await client.read_bytes(BlobId(os.urandom(32)))
