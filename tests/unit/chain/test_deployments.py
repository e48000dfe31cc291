"""Deployment files: what is written is read again, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.errors import ContractMissing, MalformedDeployment
from walrus_chain.types import Address

GOOD: dict[str, Any] = {
    "name": "local",
    "chainId": 31337,
    "block": 1,
    "contracts": {contract: f"0x{place + 1:040x}" for place, contract in enumerate(CONTRACTS)},
}


def test_save_and_load__the_same_deployment(tmp_path: Path) -> None:
    deployment = Deployment.from_data(GOOD)
    file = tmp_path / "networks" / "local.json"
    deployment.save(file)
    assert Deployment.load(file) == deployment
    assert [path.name for path in file.parent.iterdir()] == ["local.json"]


def test_addresses__get_their_checksum() -> None:
    contracts = {**GOOD["contracts"], "WAL": "0x52908400098527886e0f7030069857d2e4169ee7"}
    deployment = Deployment.from_data({**GOOD, "contracts": contracts})
    assert deployment.address("WAL") == "0x52908400098527886E0F7030069857D2E4169EE7"


def test_address__not_in_the_deployment__names_contract_and_network() -> None:
    with pytest.raises(ContractMissing, match="network local has no Custody"):
        Deployment.from_data(GOOD).address("Custody")


def test_contracts__cannot_be_changed() -> None:
    deployment = Deployment.from_data(GOOD)
    with pytest.raises(TypeError):
        deployment.contracts["WAL"] = Address("0x")  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chainId": "31337"}, "chainId"),
        ({"chainId": True}, "chainId"),
        ({"block": None}, "block"),
        ({"name": 5}, "name"),
        ({"contracts": []}, "contracts"),
        ({"contracts": {}}, "it names no WAL"),
        ({"contracts": {**GOOD["contracts"], "WAL": "0x1234"}}, "address of WAL"),
        ({"contracts": {**GOOD["contracts"], "WAL": None}}, "address of WAL"),
        ({"contracts": {**GOOD["contracts"], "WAL": "0x52908400098527886E0F7030069857D2E4169Ee7"}}, "checksum"),
    ],
)
def test_from_data__a_wrong_field__is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(MalformedDeployment, match=words):
        Deployment.from_data({**GOOD, **change}, "local.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "5"])
def test_from_json__something_else__is_refused(text: str) -> None:
    with pytest.raises(MalformedDeployment):
        Deployment.from_json(text)


def test_load__no_file__names_it_and_says_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(MalformedDeployment, match=r"nowhere\.json.*walrus network deploy"):
        Deployment.load(tmp_path / "nowhere.json")


def test_from_json__names_the_source_in_errors() -> None:
    with pytest.raises(MalformedDeployment, match=r"^mine is not"):
        Deployment.from_json(json.dumps({**GOOD, "block": "1"}), "mine")
