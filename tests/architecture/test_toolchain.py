"""The pinned tools agree with each other, and the compiler's stand-in answers as the tools expect."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from walrus_chain.chain.compiler import CompilerSettings

ROOT = Path(__file__).parents[2]
SOLC = ROOT / "scripts" / "bin" / "solc"
SETTINGS = CompilerSettings.of_project(ROOT)


@pytest.fixture(scope="module")
def ape_config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "ape-config.yaml").read_text())
    return config


def run_solc(*arguments: str, task: object = None) -> subprocess.CompletedProcess[str]:
    text = None if task is None else json.dumps(task)
    return subprocess.run([SOLC, *arguments], input=text, text=True, capture_output=True, timeout=60, check=False)


def compile_source(source: dict[str, Any], *arguments: str) -> dict[str, Any]:
    task = {
        "language": "Solidity",
        "sources": {"A.sol": source},
        "settings": {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}},
    }
    output: dict[str, Any] = json.loads(run_solc("--standard-json", *arguments, task=task).stdout)
    return output


def test_ape__compiles_with_the_settings_of_foundry(ape_config: dict[str, Any]) -> None:
    solidity = ape_config["solidity"]
    assert solidity["version"] == SETTINGS.release
    assert solidity["evm_version"] == SETTINGS.evm_version
    assert solidity["via_ir"] == SETTINGS.via_ir
    assert solidity["optimization_runs"] == SETTINGS.optimizer_runs


def test_ape__takes_the_pinned_contract_library(ape_config: dict[str, Any]) -> None:
    assert [str(entry["version"]) for entry in ape_config["dependencies"]] == [SETTINGS.openzeppelin]
    assert ape_config["solidity"]["import_remapping"] == [
        f"@openzeppelin/contracts=openzeppelin/{SETTINGS.openzeppelin}"
    ]


def test_ape__names_the_pinned_plugins(ape_config: dict[str, Any]) -> None:
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    for plugin in ape_config["plugins"]:
        assert f"ape-{plugin['name']}=={plugin['version']}" in pinned


@pytest.mark.parametrize("file", ["constraints.txt", "package-lock.json", "tests/integration/ipfs/package-lock.json"])
def test_lock_file__names_no_download_address(file: str) -> None:
    text = (ROOT / file).read_text()
    assert "resolved" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_package_lock__holds_the_native_tools_of_every_platform() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = {
        f"node_modules/{name}"
        for package, entry in packages.items()
        if package.startswith("node_modules/@foundry-rs/")
        for name in entry.get("optionalDependencies", {})
    }
    assert len(wanted) >= 15
    assert wanted <= packages.keys()


def test_solc__version__is_the_pinned_release() -> None:
    assert f"Version: {SETTINGS.release}+commit." in run_solc("--version").stdout


def test_solc__import__is_read_below_the_base_path(tmp_path: Path) -> None:
    (tmp_path / "B.sol").write_text("contract B {}")
    output = compile_source({"content": 'import {B} from "B.sol"; contract A is B {}'}, "--base-path", str(tmp_path))
    assert output["contracts"]["A.sol"]["A"]["evm"]["bytecode"]["object"]


def test_solc__import_that_is_missing__is_an_error_of_the_compilation(tmp_path: Path) -> None:
    output = compile_source({"content": 'import {B} from "B.sol"; contract A is B {}'}, "--base-path", str(tmp_path))
    assert [entry["severity"] for entry in output["errors"] if entry["type"] == "ParserError"] == ["error"]


def test_solc__source_by_url__is_read(tmp_path: Path) -> None:
    (tmp_path / "A.sol").write_text("contract A {}")
    output = compile_source({"urls": ["A.sol"]}, "--base-path", str(tmp_path), "--allow-paths", str(tmp_path))
    assert "A" in output["contracts"]["A.sol"]


def test_solc__output_larger_than_a_pipe__arrives_whole(tmp_path: Path) -> None:
    data = "ab" * 40_000
    source = f'contract A {{ function f() external pure returns (bytes memory) {{ return hex"{data}"; }} }}'
    output = compile_source({"content": source}, "--base-path", str(tmp_path))
    assert data in output["contracts"]["A.sol"]["A"]["evm"]["bytecode"]["object"]
