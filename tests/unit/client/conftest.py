"""Client tests run on a clock that jumps, against a network in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.fakes.loop import JumpingLoop
from tests.fakes.network import ALICE, FakeChain, FakeNetwork
from walrus_chain.client.client import Client
from walrus_chain.codec import geometry, stream


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"jumping": JumpingLoop}


@pytest.fixture
def network() -> FakeNetwork:
    """Ten shards on five nodes: three shards, so one node, may fail; seven make a quorum."""
    return FakeNetwork()


@pytest.fixture
async def client(network: FakeNetwork) -> AsyncIterator[Client]:
    """Alice's client."""
    async with Client(FakeChain(network), network, network.writer(ALICE)) as client:
        yield client


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes of a segment, made small where only the number of segments matters."""
    size = 4096
    monkeypatch.setattr(geometry, "SEGMENT_BYTES", size)
    monkeypatch.setattr(stream, "SEGMENT_BYTES", size)
    return size
