"""The network that chain tests start from."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.chain.local import LocalNetwork, local_network
from walrus_chain.chain.anvil import Anvil


@pytest.fixture
async def network(anvil: Anvil) -> AsyncIterator[LocalNetwork]:
    """A network of ten nodes on a chain of this test's own."""
    async with local_network(anvil.url) as network:
        yield network
