"""Calldata: the same as web3.py makes, for every function of every contract."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import function_abi_to_4byte_selector
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3

from walrus_chain.chain.abi import abi_types, interface, signature_of
from walrus_chain.chain.artifacts import artifact, artifact_names
from walrus_chain.chain.deployments import CONTRACTS
from walrus_chain.errors import ArtifactMissing

FUNCTIONS = [
    (contract, entry)
    for contract in artifact_names()
    for entry in artifact(contract).abi
    if entry["type"] == "function"
]

ROW = st.tuples(
    st.binary(min_size=32, max_size=32), st.integers(0, 2**40 - 1), st.integers(1, 2**32 - 1), st.booleans()
)


def test_artifacts__hold_every_contract_of_a_network() -> None:
    assert set(artifact_names()) >= set(CONTRACTS)
    assert all(artifact(contract).name == contract and artifact(contract).bytecode for contract in CONTRACTS)


@pytest.mark.parametrize(
    ("contract", "entry"), FUNCTIONS, ids=[f"{contract}.{entry['name']}" for contract, entry in FUNCTIONS]
)
def test_selector__equals_that_of_the_ethereum_library(contract: str, entry: dict[str, Any]) -> None:
    function = interface(contract)[signature_of(entry)]
    assert function.selector == function_abi_to_4byte_selector(entry)  # type: ignore[arg-type]
    assert function.inputs == abi_types(entry["inputs"])


@settings(max_examples=25)
@given(st.lists(ROW, max_size=5))
def test_call__with_structs__equals_web3(rows: list[tuple[bytes, int, int, bool]]) -> None:
    contract = Web3().eth.contract(abi=artifact("BlobRegistry").abi)
    assert "0x" + interface("BlobRegistry")["registerBatch"].call(rows).hex() == contract.encode_abi(
        "registerBatch", args=[rows]
    )


def test_overloaded__by_signature_only() -> None:
    functions = interface("BlobRegistry").functions
    assert "safeTransferFrom" not in functions
    assert functions["safeTransferFrom(address,address,uint256)"].inputs == ("address", "address", "uint256")


def test_result__one_value_or_several() -> None:
    fees = interface("StorageFees")
    assert fees["unitsOf"].result(encode(["uint128"], [7])) == 7
    assert fees["quote"].result(encode(["uint128"] * 3, [7, 8, 9])) == (7, 8, 9)


def test_interface__of_no_contract__says_what_writes_artifacts() -> None:
    with pytest.raises(ArtifactMissing, match="make contracts"):
        interface("Nonsense")


def test_sender__imported__does_not_load_web3() -> None:
    program = "import sys, walrus_chain.chain.sender, walrus_chain.chain.deploy; sys.exit('web3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
