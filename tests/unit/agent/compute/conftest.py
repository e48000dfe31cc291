"""A chain with three members, and computers for its nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.computing import Computer
from tests.fakes.job_chain import FakeJobChain

MakeComputer = Callable[..., Computer]


@pytest.fixture
def chain() -> FakeJobChain:
    """A chain whose committee are nodes 1, 2 and 3."""
    return FakeJobChain()


@pytest.fixture
async def computer(chain: FakeJobChain, tmp_path: Path) -> AsyncIterator[MakeComputer]:
    """Makes computers, and ends them."""
    made: list[Computer] = []

    def make(node_id: int = 1, **values: Any) -> Computer:
        made.append(Computer(chain, tmp_path, node_id, **values))
        return made[-1]

    yield make
    for one in made:
        await one.close()
