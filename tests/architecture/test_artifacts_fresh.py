"""The ABI, bytecode and Solidity that the package carries belong to the contracts beside it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from walrus_chain.chain import build, policy_sources

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small contracts project with artifacts written for it by hand, in `artifacts/`."""
    for name in ("foundry.toml", "package.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    for path, text in {"token/A.sol": "contract A {}", "mocks/M.sol": "contract M {}"}.items():
        file = tmp_path / "contracts" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    artifact = build.Artifact(name="A", abi=[{"type": "fallback"}], bytecode="0x00", source_hash="ab")
    build.write_artifacts(tmp_path, [artifact], tmp_path / "artifacts")
    return tmp_path


def test_artifacts__in_the_package__are_fresh() -> None:
    assert build.stale_parts(ROOT) == [], "run `make contracts`"


def test_policy_sources__in_the_package__are_fresh() -> None:
    assert policy_sources.stale_sources(ROOT) == [], "run `make contracts`"


def test_artifacts__in_the_package__hold_no_mock() -> None:
    mocks = {path.stem for path in (ROOT / "contracts" / "mocks").rglob("*.sol")}
    artifacts = {path.stem for path in build.ARTIFACTS.glob("*.json")}
    assert artifacts
    assert artifacts & mocks == set()


def test_stale_parts__just_written__are_none(project: Path) -> None:
    assert build.stale_parts(project, project / "artifacts") == []


def test_stale_parts__changed_contract__is_said(project: Path) -> None:
    (project / "contracts" / "token" / "A.sol").write_text("contract A { }")
    assert build.stale_parts(project, project / "artifacts") == ["a contract or a compiler setting changed"]


def test_stale_parts__changed_setting__is_said(project: Path) -> None:
    settings = project / "foundry.toml"
    settings.write_text(settings.read_text().replace("via_ir = true", "via_ir = false"))
    assert build.stale_parts(project, project / "artifacts") == ["a contract or a compiler setting changed"]


def test_stale_parts__changed_library_version__is_said(project: Path) -> None:
    packages = json.loads((project / "package.json").read_text())
    packages["devDependencies"]["@openzeppelin/contracts"] = "5.6.0"
    (project / "package.json").write_text(json.dumps(packages))
    assert build.stale_parts(project, project / "artifacts") == ["the compiler or the contract library changed version"]


def test_stale_parts__changed_mock__is_no_matter(project: Path) -> None:
    (project / "contracts" / "mocks" / "M.sol").write_text("contract M { }")
    assert build.stale_parts(project, project / "artifacts") == []


def test_stale_parts__edited_artifact__is_named(project: Path) -> None:
    artifact = project / "artifacts" / "A.json"
    artifact.write_text(artifact.read_text().replace("0x00", "0x01"))
    assert build.stale_parts(project, project / "artifacts") == ["A.json was edited by hand"]


def test_stale_parts__missing_and_foreign_artifacts__are_named(project: Path) -> None:
    (project / "artifacts" / "A.json").rename(project / "artifacts" / "B.json")
    assert build.stale_parts(project, project / "artifacts") == ["A.json is missing", "B.json is not in the manifest"]


def test_write_artifacts__removes_those_of_contracts_that_are_gone(project: Path) -> None:
    build.write_artifacts(project, [], project / "artifacts")
    assert [path.name for path in (project / "artifacts").iterdir()] == [build.MANIFEST]


def test_artifact__file__is_json_with_the_documented_fields(project: Path) -> None:
    assert json.loads((project / "artifacts" / "A.json").read_text()) == {
        "contractName": "A",
        "abi": [{"type": "fallback"}],
        "bytecode": "0x00",
        "sourceHash": "ab",
    }
