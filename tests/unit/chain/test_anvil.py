"""Finding anvil, and the command line that starts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from walrus_chain.chain.anvil import AnvilOptions, anvil_command, find_anvil
from walrus_chain.errors import AnvilMissing


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_find_anvil__named_but_absent__says_where_and_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(AnvilMissing, match=r"npm install @foundry-rs/anvil") as caught:
        find_anvil(tmp_path / "anvil")
    assert str(tmp_path / "anvil") in str(caught.value)


def test_find_anvil__named__taken_as_it_is(tmp_path: Path) -> None:
    binary = executable(tmp_path / "bin" / "my-anvil")
    assert find_anvil(binary) == binary


def test_find_anvil__on_the_path__before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = executable(tmp_path / "bin" / "anvil")
    monkeypatch.setenv("PATH", str(binary.parent))
    assert find_anvil(start=tmp_path) == binary


def test_find_anvil__in_node_modules_above__found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    binary = executable(tmp_path / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil")
    (tmp_path / "deep" / "folder").mkdir(parents=True)
    assert find_anvil(start=tmp_path / "deep" / "folder") == binary


def test_find_anvil__the_script_of_npm_on_the_path__passed_over_for_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = executable(tmp_path / "node_modules" / "@foundry-rs" / "anvil" / "bin.mjs")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "anvil").symlink_to(script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    binary = executable(tmp_path / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil")
    assert find_anvil(start=tmp_path) == binary


def test_anvil_command__all_options(tmp_path: Path) -> None:
    options = AnvilOptions(
        port=8545, chain_id=7, block_time=2, accounts=3, balance=5, state=tmp_path / "state.json", state_interval=9
    )
    command = anvil_command(options, Path("anvil"))
    pairs = dict(zip(command[1::2], command[2::2], strict=True))
    assert command[0] == "anvil"
    assert pairs == {
        "--host": "127.0.0.1",
        "--port": "8545",
        "--chain-id": "7",
        "--hardfork": "prague",
        "--accounts": "3",
        "--balance": "5",
        "--mnemonic": "test test test test test test test test test test test junk",
        "--block-time": "2",
        "--state": str(tmp_path / "state.json"),
        "--state-interval": "9",
    }
    assert "--no-mining" in anvil_command(AnvilOptions(mining=False), Path("anvil"))
