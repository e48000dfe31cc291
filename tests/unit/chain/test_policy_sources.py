"""The Solidity that the package carries for policies: what belongs to it, and what makes it stale."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from walrus_chain.chain import policy_sources
from walrus_chain.chain.policy_sources import policy_settings, stale_sources, write_sources

ROOT = Path(__file__).parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small contracts project whose interface imports a type and the library, with its sources in `sources/`."""
    for name in ("foundry.toml", "package.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    library = "@openzeppelin/contracts/utils/A.sol"
    for path, text in {
        "contracts/interfaces/I.sol": f'import {{T}} from "../types/T.sol";\nimport {{A}} from "{library}";\n',
        "contracts/types/T.sol": "type T is uint256;\n",
        "contracts/types/Unused.sol": "type U is uint256;\n",
        "contracts/policies/kinds/DataPolicy.sol": "// import nothing;\n",
        f"node_modules/{library}": 'import {B} from "./B.sol";\n',
        "node_modules/@openzeppelin/contracts/utils/B.sol": "\n",
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    write_sources(tmp_path, tmp_path / "sources")
    return tmp_path


def test_sources__are_what_policies_reach__and_nothing_else(project: Path) -> None:
    assert sorted(policy_sources.sources_of(project)) == [
        "@openzeppelin/contracts/utils/A.sol",
        "@openzeppelin/contracts/utils/B.sol",
        "walrus/interfaces/I.sol",
        "walrus/policies/kinds/DataPolicy.sol",
        "walrus/types/T.sol",
    ]


def test_stale_sources__just_written__are_none(project: Path) -> None:
    assert stale_sources(project, project / "sources") == []


def test_stale_sources__each_difference__is_said(project: Path) -> None:
    (project / "contracts" / "types" / "T.sol").write_text("type T is uint128;\n")
    (project / "contracts" / "interfaces" / "J.sol").write_text("interface J {}\n")
    (project / "sources" / "walrus" / "Mine.sol").write_text("\n")
    settings = project / "foundry.toml"
    settings.write_text(settings.read_text().replace("optimizer_runs = 1000", "optimizer_runs = 200"))

    assert stale_sources(project, project / "sources") == [
        "walrus/interfaces/J.sol is missing",
        "walrus/Mine.sol is not needed",
        "walrus/types/T.sol differs",
        "a compiler setting changed",
    ]


def test_write_sources__files_that_are_not_needed_any_more__are_gone(project: Path) -> None:
    (project / "contracts" / "interfaces" / "I.sol").write_text("interface I {}\n")
    write_sources(project, project / "sources")
    assert not (project / "sources" / "walrus" / "types").exists()


def test_policy_settings__are_those_of_the_networks_contracts() -> None:
    settings = policy_settings()
    assert settings.remappings == ()
    assert (settings.release, settings.evm_version, settings.via_ir) == ("0.8.37", "prague", True)
