"""The command as it is called, in a home of its own, where nobody is at a terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from tests.fakes.network import VAULT, FakeChain, FakeNetwork
from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.cli.main import run
from walrus_chain.client.client import Client
from walrus_chain.client.home import Network, WalrusHome
from walrus_chain.types import Address


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The result, as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error, as JSON."""
        error: dict[str, Any] = json.loads(self.err)["error"]
        return error


Walrus = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command keeps networks and wallets."""
    folder = tmp_path / "home"
    for name in ("WALRUS_NETWORK", "WALRUS_WALLET", "WALRUS_PASSWORD_FILE", "WALRUS_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WALRUS_HOME", str(folder))
    return folder


@pytest.fixture
def walrus(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Walrus:
    """Runs `walrus` with arguments, and `stdin` as its standard input."""

    def call(*arguments: str | Path, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Ended(code, out, err)

    return call


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """A file with a password."""
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    return path


#: Whose wallet `lead_to` makes.
ME = Account.from_key(bytes([9]) * 32)
MINE = Address(ME.address)


def lead_to(network: FakeNetwork, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the command find a network in memory, and a wallet on it."""
    known = WalrusHome(home)
    deployment = Deployment("memory", 31337, 1, dict.fromkeys(CONTRACTS, VAULT))
    known.add_network(Network("memory", ("http://127.0.0.1:1",), deployment))
    known.add_wallet("me", ME, "word", keep_password=True)

    def connect(urls: object, deployment: object, *, account: Any = None, **_: object) -> Client:
        writer = None if account is None else network.writer(Address(account.address))
        return Client(FakeChain(network), network, writer)

    monkeypatch.setattr(Client, "connect", connect)
