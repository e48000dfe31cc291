"""Storage nodes for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from storage_agent.serve.services import ServeLimits
from tests.fakes.agents import ChainOfFacts, Node

StartNode = Callable[..., Awaitable[Node]]


@pytest.fixture
def chain() -> ChainOfFacts:
    """A network of 10 shards over 5 nodes: f = 3, 2 shards a node."""
    return ChainOfFacts(shards=10, nodes=5)


@pytest.fixture
async def start_node(chain: ChainOfFacts, tmp_path: Path) -> AsyncIterator[StartNode]:
    """Starts nodes of `chain` by index; the same index again finds the same disk."""
    started: list[Node] = []

    async def start(index: int = 0, limits: ServeLimits | None = None, inline_bytes: int = 1024) -> Node:
        node = Node(chain, index, tmp_path / f"node-{index}", limits or ServeLimits(), inline_bytes)
        started.append(node)
        await node.start()
        return node

    yield start
    for node in started:
        await node.close()


@pytest.fixture
async def node(start_node: StartNode) -> Node:
    """One node, on which small and large packs take different ways."""
    return await start_node()
