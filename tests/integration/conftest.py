"""A real local chain for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from walrus_chain.chain.anvil import Anvil, running_anvil


@pytest.fixture
async def anvil() -> AsyncIterator[Anvil]:
    """An anvil of this test's own, on a free port, with a block for every transaction."""
    async with running_anvil() as chain:
        yield chain
