"""The network with agents that can go wrong, once for each module; honest again after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.integration.network.evil_network import EvilNetwork, evil_network


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EvilNetwork]:
    """A network for all tests of a module."""
    async with evil_network(tmp_path_factory.mktemp("evil")) as network:
        yield network


@pytest.fixture
def evil(shared_network: EvilNetwork) -> Iterator[EvilNetwork]:
    """The network, in which everybody is honest at first."""
    yield shared_network
    shared_network.behave()
