"""The files that `walrus policy new` writes; that they work, tests/integration/policies shows."""

from __future__ import annotations

import ast

import pytest

from walrus_chain.errors import MalformedArgument
from walrus_chain.policies.skeleton import skeleton


def test_skeleton__of_a_name__is_a_contract_of_it_and_its_test() -> None:
    files = skeleton("OnlyOnSundays2", "0.8.37")
    assert list(files) == ["OnlyOnSundays2.sol", "test_only_on_sundays2.py"]
    assert "contract OnlyOnSundays2 is DataPolicy" in files["OnlyOnSundays2.sol"]
    assert "pragma solidity 0.8.37;" in files["OnlyOnSundays2.sol"]
    assert 'deploy("OnlyOnSundays2.sol"' in files["test_only_on_sundays2.py"]


def test_skeleton__test__is_python() -> None:
    tree = ast.parse(skeleton("A", "0.8.37")["test_a.py"])
    assert sum(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body) == 3


@pytest.mark.parametrize("name", ["", "a", "lower", "Two Words", "Dash-ed", "Ünicode", "M" * 33, "../Up"])
def test_skeleton__no_name_for_a_contract__is_refused(name: str) -> None:
    with pytest.raises(MalformedArgument, match="capital letter"):
        skeleton(name, "0.8.37")
