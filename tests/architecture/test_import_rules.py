"""The house keeps its shape: rooms know only what they may."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture import python_rules, solidity_rules

ROOT = Path(__file__).parents[2]


def test_python__no_import_breaks_a_rule() -> None:
    assert [str(violation) for violation in python_rules.violations(ROOT)] == []


def test_solidity__no_import_or_transfer_breaks_a_rule() -> None:
    assert [str(violation) for violation in solidity_rules.violations(ROOT / "contracts")] == []


@pytest.mark.parametrize("package", sorted(python_rules.FLOORS))
def test_python__checker_sees_imports_of_every_package(package: str) -> None:
    assert any(found.target.startswith("walrus_chain") for found in python_rules.imports_of(ROOT, package))


@pytest.mark.parametrize(
    ("file", "code", "rule"),
    [
        ("walrus_chain/codec/a.py", "from walrus_chain.chain import sender", "lower floors"),
        ("walrus_chain/codec/a.py", "def f():\n    import walrus_chain.client", "lower floors"),
        ("walrus_chain/chain/a.py", "from walrus_chain.transport.http import X", "lower floors"),
        ("walrus_chain/transport/a.py", "from walrus_chain import chain", "lower floors"),
        ("walrus_chain/client/a.py", "from walrus_chain import Client", "lower floors"),
        ("walrus_chain/errors.py", "from walrus_chain.types import BlobId", "lower floors"),
        ("walrus_chain/novelty/a.py", "import json", "no floor"),
        ("walrus_chain/messages/a.py", "import web3", "pure"),
        ("walrus_chain/rules/a.py", "from time import monotonic", "pure"),
        ("walrus_chain/codec/a.py", "import os.path", "pure"),
        ("walrus_chain/codec/a.py", "import urllib.request", "pure"),
        ("storage_agent/state/a.py", "import asyncio", "pure"),
        ("walrus_chain/codec/redstuff.py", "import pyeclib.ec_iface", "only walrus_chain.codec.erasure"),
        ("walrus_chain/client/a.py", "import ape", "for tests and scripts"),
        ("storage_agent/serve/a.py", "from storage_agent.sync import heal", "lower floors"),
        ("storage_agent/store/a.py", "from storage_agent.serve import app", "lower floors"),
        ("storage_agent/store/a.py", "from storage_agent import daemon", "lower floors"),
        ("storage_agent/sync/a.py", "from walrus_chain.client import read", "lower floors, not on its client"),
        ("walrus_chain/client/a.py", "def f():\n    import storage_agent.daemon", "starts agents"),
        ("walrus_chain/devnet/a.py", "from storage_agent.daemon import run", "where it is started"),
    ],
)
def test_python__planted_violation__is_found(tmp_path: Path, file: str, code: str, rule: str) -> None:
    for package in ("walrus_chain/chain", "walrus_chain/transport", "storage_agent/store"):
        (tmp_path / package).mkdir(parents=True)
    (tmp_path / "storage_agent" / "daemon.py").touch()
    planted = tmp_path / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(code)

    found = python_rules.violations(tmp_path)

    assert len(found) == 1
    assert rule in str(found[0])
    assert f"{file}:{code.count(chr(10)) + 1}:" in str(found[0])


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("walrus_chain/chain/a.py", "import asyncio\nfrom walrus_chain.codec.geometry import Geometry"),
        ("walrus_chain/transport/a.py", "from walrus_chain import __version__"),
        ("walrus_chain/codec/a.py", "from urllib.parse import quote\nfrom walrus_chain.codec import hashing"),
        ("walrus_chain/devnet/a.py", "def f():\n    from storage_agent.daemon import run"),
        ("storage_agent/serve/a.py", "from walrus_chain.transport.agent import Agent\nimport starlette"),
        ("storage_agent/daemon.py", "from storage_agent.store import catalogue\nfrom storage_agent.serve import app"),
    ],
)
def test_python__allowed_import__is_not_reported(tmp_path: Path, file: str, code: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(code)

    assert python_rules.violations(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "code", "rule"),
    [
        ("types/A.sol", 'import {B} from "../libraries/B.sol";', "types may not import libraries"),
        ("libraries/A.sol", 'import {B} from "../interfaces/B.sol";', "libraries may not import interfaces"),
        ("interfaces/A.sol", 'import {B} from "../libraries/B.sol";', "interfaces may not import libraries"),
        ("blobs/A.sol", 'import {B} from "../committee/B.sol";', "blobs may not import committee"),
        ("blobs/A.sol", 'import {B} from "../lens/B.sol";', "blobs may not import lens"),
        ("blobs/A.sol", 'import {\n    B,\n    C\n} from "../mocks/B.sol";', "blobs may not import mocks"),
        ("lens/A.sol", 'import {B} from "../blobs/B.sol";', "lens may not import blobs"),
        ("blobs/A.sol", 'import "../types/B.sol";', "name what is used"),
        ("blobs/A.sol", 'import {B} from "contracts/types/B.sol";', "by a relative path"),
        ("novelty/A.sol", "contract A {}", "no place yet"),
        ("blobs/A.sol", "token.transfer(to, 1);", "only vault/TokenVault.sol moves tokens"),
        ("staking/A.sol", "token.safeTransferFrom(a, b, 1);", "only vault/TokenVault.sol moves tokens"),
        ("blobs/A.sol", "wal.receiveWithAuthorization(a);", "only vault/TokenVault.sol moves tokens"),
    ],
)
def test_solidity__planted_violation__is_found(tmp_path: Path, file: str, code: str, rule: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir()
    planted.write_text(f"/* a comment\n   of two lines */\n{code}\n" if "novelty" not in file else code)

    found = solidity_rules.violations(tmp_path)

    assert len(found) == 1
    assert rule in str(found[0])
    assert found[0].line == (1 if "novelty" in file else 3)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("vault/TokenVault.sol", "token.safeTransfer(to, 1);"),
        ("mocks/A.sol", 'import {B} from "../blobs/B.sol";\ntoken.transferFrom(a, b, 1);'),
        ("blobs/A.sol", 'import {B} from "./B.sol";\nimport {C} from "../interfaces/C.sol";'),
        ("blobs/A.sol", '// token.transfer(to, 1); import {B} from "../lens/B.sol";'),
        ("token/A.sol", 'import {B} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";\n_transfer(a, b, 1);'),
    ],
)
def test_solidity__allowed_code__is_not_reported(tmp_path: Path, file: str, code: str) -> None:
    planted = tmp_path / file
    planted.parent.mkdir()
    planted.write_text(code)

    assert solidity_rules.violations(tmp_path) == []
