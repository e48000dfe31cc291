"""Terminals, and one small network that the tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.shell import Shell
from walrus_chain.devnet.ports import free_run

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is `e2e`."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A new user's terminal; what they started is gone afterwards."""
    shell = Shell(tmp_path)
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The terminal of somebody with a running network of four agents, ten shards, two regions."""
    shell = Shell(tmp_path_factory.mktemp("user"))
    port = free_run(5)
    try:
        shell.ok(f"walrus devnet up --agents 4 --shards 10 --regions 2 --rpc-port {port} --agent-port {port + 1}")
        yield shell
    finally:
        shell.close()
