"""Agents have one version of the engine, and say so when they have not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from walrus_chain.compute.abi import ENGINE, ENGINE_MAJOR, ENGINE_VERSION
from walrus_chain.errors import OtherEngine
from walrus_chain.sandbox import runner

ROOT = Path(__file__).parents[3]


def test_engine_version__is_the_one_that_is_installed_with_us() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    assert extras["compute"] == [f"wasmtime=={ENGINE_VERSION}"]
    assert f"wasmtime=={ENGINE_VERSION}" in (ROOT / "constraints.txt").read_text().splitlines()
    assert ENGINE_VERSION.startswith(f"{ENGINE_MAJOR}.")
    assert f"wasmtime-{ENGINE_MAJOR}/abi-1" == ENGINE


@pytest.mark.parametrize("installed", [f"{ENGINE_MAJOR}.0.0", f"{ENGINE_MAJOR}.1.0", f"{ENGINE_MAJOR + 1}.0.1"])
def test_check_installation__another_version__is_refused(installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.check_installation()
    monkeypatch.setattr(runner, "version", lambda _: installed)

    with pytest.raises(OtherEngine) as refused:
        runner.check_installation()

    assert (refused.value.expected, refused.value.actual) == (f"wasmtime {ENGINE_VERSION}", f"wasmtime {installed}")
