"""The Python of the guide for developers runs: programs against a network with a wallet, tests with the fixture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, CodeBlock, code_blocks, documents
from walrus_chain.client.home import Network, WalrusHome
from walrus_chain.devnet.pytest_plugin import WalrusNetwork

_GUIDE = ROOT / "docs" / "guides" / "developers.md"
_BLOCKS = code_blocks(_GUIDE, "python")
_PROGRAMS = [block for block in _BLOCKS if "asyncio.run(main())" in block.code]
_TESTS = [block for block in _BLOCKS if "walrus_network)" in block.code]
_POLICY_TESTS = [block for block in _BLOCKS if "policy_tester)" in block.code]
_PARTS_OF_A_CONFTEST = [block for block in _BLOCKS if "@pytest.fixture" in block.code]


def _name(block: CodeBlock) -> str:
    return f"{block.file.name}:{block.line}"


@pytest.fixture(scope="module")
def home(walrus_network: WalrusNetwork, tmp_path_factory: pytest.TempPathFactory) -> WalrusHome:
    """What `walrus devnet up` leaves: a network and a wallet, both named devnet, the wallet's password beside it."""
    home = WalrusHome(tmp_path_factory.mktemp("config") / "walrus")
    home.add_network(Network("devnet", (walrus_network.rpc_url,), walrus_network.devnet.deployment))
    home.add_wallet("devnet", walrus_network.account, "a password", keep_password=True)
    return home


def test_examples__of_the_guide__are_all_of_a_known_kind() -> None:
    kinds = (_PROGRAMS, _TESTS, _POLICY_TESTS, _PARTS_OF_A_CONFTEST)
    assert sorted(map(_name, _BLOCKS)) == sorted(_name(block) for kind in kinds for block in kind)
    assert all(kinds)


@pytest.mark.parametrize("block", _PROGRAMS, ids=_name)
async def test_program__as_in_the_guide__runs(
    block: CodeBlock, home: WalrusHome, walrus_network: WalrusNetwork
) -> None:
    async with walrus_network.client() as client:
        await client.store(b"so that there is an event to find", epochs=2)

    ran = _run([sys.executable, "-c", block.code], home.folder.parent)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip(), "it printed nothing"


@pytest.mark.parametrize("block", _TESTS, ids=_name)
def test_test__as_in_the_guide__passes(
    block: CodeBlock, home: WalrusHome, walrus_network: WalrusNetwork, tmp_path: Path
) -> None:
    (tmp_path / "test_dapp.py").write_text(block.code)
    # The network that is there serves these tests as well; how the fixture makes one, tests of its own show.
    (tmp_path / "conftest.py").write_text(_REUSING_CONFTEST.format(folder=str(walrus_network.devnet.home.folder)))
    account = {"WALRUS_TEST_KEY": walrus_network.account.key.hex()}

    ran = _run(
        [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "-p", "no:ape_test", "test_dapp.py"],
        home.folder.parent,
        cwd=tmp_path,
        **account,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize("block", _POLICY_TESTS, ids=_name)
def test_policy_test__as_in_the_guide__passes(block: CodeBlock, tmp_path: Path) -> None:
    (tmp_path / "test_policy.py").write_text(block.code)

    ran = _run([sys.executable, "-m", "pytest", "-q", "-p", "no:ape_test", "test_policy.py"], tmp_path, cwd=tmp_path)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


@pytest.mark.parametrize("block", _PARTS_OF_A_CONFTEST, ids=_name)
def test_conftest__as_in_the_guide__makes_parameters(block: CodeBlock, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(block.code)
    (tmp_path / "test_parameters.py").write_text(
        "def test_parameters(walrus_parameters):\n"
        "    assert (walrus_parameters.agents, walrus_parameters.shards) == (10, 30)\n"
    )

    ran = _run([sys.executable, "-m", "pytest", "-q", "-p", "no:ape_test"], tmp_path, cwd=tmp_path)

    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("block", [block for file in documents() for block in code_blocks(file, "json")], ids=_name)
def test_json__in_documents__parses(block: CodeBlock) -> None:
    json.loads(block.code)


_REUSING_CONFTEST = """\
import os
from pathlib import Path

import pytest
from eth_account import Account

from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.network import Devnet
from walrus_chain.devnet.pytest_plugin import WalrusNetwork


@pytest.fixture(scope="session")
def walrus_network():
    account = Account.from_key(os.environ["WALRUS_TEST_KEY"])
    return WalrusNetwork(Devnet.load(DevnetHome(Path({folder!r}))), account)
"""


def _run(
    command: list[str], config: Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WALRUS", "PYTEST"))}
    return subprocess.run(
        command,
        cwd=cwd or config,
        env={**kept, "XDG_CONFIG_HOME": str(config), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
