"""The command as it is called, on a network in memory that it is led to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from typer.testing import CliRunner

from storage_agent.cli import operator as operating
from storage_agent.cli.main import app
from storage_agent.cli.operator import Operator
from storage_agent.config import Settings
from storage_agent.keys import files
from tests.fakes.agents import REGISTRY
from tests.fakes.economy import ONE_WAL
from tests.fakes.network import FakeChain, FakeNetwork
from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.chain.stakes import Tell
from walrus_chain.types import Address, NodeId

OPERATOR_KEY = bytes([7]) * 32
OTHER_KEY = bytes([8]) * 32
OPERATOR = Address(Account.from_key(OPERATOR_KEY).address)
OTHER = Address(Account.from_key(OTHER_KEY).address)
#: The node of the agent's settings.
OWN = NodeId(2)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The result, as JSON."""
        data: dict[str, Any] = json.loads(self.out)
        return data

    @property
    def error(self) -> dict[str, str]:
        """The error, as JSON."""
        error: dict[str, str] = json.loads(self.err)["error"]
        return error


Agent = Callable[..., Ended]


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    """A deployment file."""
    path = tmp_path / "network.json"
    Deployment("test", 31337, 1, dict.fromkeys(CONTRACTS, REGISTRY)).save(path)
    return path


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    """Five nodes with 100 WAL of their operators' own; `OPERATOR` operates node 2 and has a thousand WAL more."""
    net = FakeNetwork(epoch=5)
    for node in range(1, net.nodes + 1):
        net.economy.pool(node)
    net.economy.pools[OWN].operator = OPERATOR
    for node, pool in net.economy.pools.items():
        net.economy.put(node, pool.operator, 100 * ONE_WAL)
    net.economy.selected_epoch = 5
    net.fund(OPERATOR)
    net.fund(OTHER)

    @asynccontextmanager
    async def connect(
        settings: Settings, account: LocalAccount, node_id: NodeId | None, tell: Tell
    ) -> AsyncIterator[Operator]:
        yield Operator(FakeChain(net), net.writer(Address(account.address)), node_id or OWN, tell)

    monkeypatch.setattr(operating, "connect", connect)
    return net


@pytest.fixture
def agent(tmp_path: Path, deployment: Path) -> Agent:
    """Runs `walrus-agent` with an agent's settings and an operator's key; `code` is how it must end."""
    home = tmp_path / "agent"
    made = ["--name", "n", "--rpc", "http://127.0.0.1:1", "--deployment", str(deployment)]
    assert CliRunner().invoke(app, ["init", str(home), *made]).exit_code == 0
    for name, key in (("operator", OPERATOR_KEY), ("other", OTHER_KEY)):
        files.write_signer(tmp_path / f"{name}.json", key, "word", scrypt_n=2)
    word = tmp_path / "word"
    word.write_text("word\n")
    word.chmod(0o600)

    def call(*arguments: object, code: int = 0, key: str = "operator", password: str = "word") -> Ended:
        options = ["--config", home / "agent.toml", "--operator", tmp_path / f"{key}.json"]
        options += ["--operator-password-file", tmp_path / password]
        result = CliRunner().invoke(app, [str(argument) for argument in (*arguments, *options)])
        assert result.exit_code == code, result.output
        return Ended(result.stdout, result.stderr)

    return call
