"""Reverts: a class and helpful words for each custom error that a contract can throw."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.chain.abi_values import values_of
from walrus_chain.chain.abi import abi_types, signature_of
from walrus_chain.chain.library_rejections import LIBRARY_REJECTIONS, NotEnoughWal
from walrus_chain.chain.money_rejections import FeeParameterOutOfBounds
from walrus_chain.chain.rejection import ContractRejection, evidence_of
from walrus_chain.chain.rejections import WrongStatus
from walrus_chain.chain.reverts import (
    OUR_REJECTIONS,
    ContractPanicked,
    RevertedWithReason,
    UnknownRevert,
    custom_errors,
    decode_revert,
)
from walrus_chain.chain.values import snake_case
from walrus_chain.errors import Rejected
from walrus_chain.types import BlobStatus

ALL = (*OUR_REJECTIONS, *LIBRARY_REJECTIONS)
ERRORS = custom_errors()


def selector(entry: dict[str, Any]) -> bytes:
    return keccak(text=signature_of(entry))[:4]


def test_every_custom_error_of_every_contract_has_a_class() -> None:
    declared = {entry["name"] for entry in ERRORS}
    ours = {rejection.solidity_name for rejection in OUR_REJECTIONS}
    library = {rejection.solidity_name for rejection in LIBRARY_REJECTIONS}
    assert declared - library == ours
    assert len(ours) + len(library) == len(ALL)


def test_evidence__of_our_errors__carries_the_names_of_the_solidity_error() -> None:
    by_name = {entry["name"]: entry for entry in ERRORS}
    for rejection in OUR_REJECTIONS:
        parameters = [
            snake_case(parameter["name"]).rstrip("_") for parameter in by_name[rejection.solidity_name]["inputs"]
        ]
        assert [name.rstrip("_") for name in evidence_of(rejection)] == parameters


@pytest.mark.parametrize("entry", ERRORS, ids=[entry["name"] for entry in ERRORS])
@settings(max_examples=10)
@given(data=st.data())
def test_decode__any_evidence__an_error_of_that_class_in_words(entry: dict[str, Any], data: st.DataObject) -> None:
    types = abi_types(entry["inputs"])
    values = data.draw(values_of(types))
    error = decode_revert(selector(entry) + encode(types, values))
    assert isinstance(error, ContractRejection)
    assert error.solidity_name == entry["name"]
    assert "{" not in type(error).text.format_map(dict.fromkeys([*evidence_of(type(error)), "missing"], ""))
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy)) == (type(error), str(error))


def test_decode__too_little_wal__says_how_much_is_missing_and_how_to_get_it() -> None:
    entry = next(entry for entry in ERRORS if entry["name"] == "ERC20InsufficientBalance")
    payer = "0x52908400098527886E0F7030069857D2E4169EE7"
    error = decode_revert(selector(entry) + encode(abi_types(entry["inputs"]), (payer, 15 * 10**17, 4 * 10**18)))
    assert isinstance(error, NotEnoughWal)
    assert (error.payer, error.have, error.needed, error.missing) == (payer, 15 * 10**17, 4 * 10**18, 25 * 10**17)
    assert f"{payer} needs 4 WAL but has 1.5 WAL: 2.5 WAL are missing" in str(error)
    assert "walrus wallet balance" in str(error)


def test_decode__a_status__by_its_name() -> None:
    error = decode_revert(
        keccak(text="BlobRegistry_WrongStatus(uint256,uint8,uint8)")[:4] + encode(["uint256"] * 3, [5, 1, 3])
    )
    assert isinstance(error, WrongStatus)
    assert (error.blob_object, error.expected, error.actual) == (5, BlobStatus.REGISTERED, BlobStatus.EXPIRED)
    assert str(error) == "blob object 5 is expired; the call needs one that is registered"


def test_decode__a_name_in_a_word__as_text() -> None:
    name = b"unitBytes".ljust(32, b"\0")
    data = encode(["bytes32", "uint256", "uint256", "uint256"], [name, 1, 9, 10])
    error = decode_revert(keccak(text="StorageFees_ParameterOutOfBounds(bytes32,uint256,uint256,uint256)")[:4] + data)
    assert isinstance(error, FeeParameterOutOfBounds)
    assert error.parameter == "unitBytes"


def test_decode__text_panic_and_nothing() -> None:
    text = decode_revert(keccak(text="Error(string)")[:4] + encode(["string"], ["no way"]))
    assert isinstance(text, RevertedWithReason)
    assert text.reason == "no way"
    panic = decode_revert(keccak(text="Panic(uint256)")[:4] + encode(["uint256"], [0x12]))
    assert isinstance(panic, ContractPanicked)
    assert "division by zero" in str(panic)
    assert isinstance(decode_revert(b""), UnknownRevert)


@given(st.binary(max_size=200))
def test_decode__any_bytes__always_an_error_for_people(data: bytes) -> None:
    error = decode_revert(data)
    assert isinstance(error, Rejected)
    assert str(error)


@pytest.mark.parametrize("entry", [entry for entry in ERRORS if entry["inputs"]], ids=lambda entry: str(entry["name"]))
def test_decode__cut_short__keeps_the_bytes(entry: dict[str, Any]) -> None:
    error = decode_revert(selector(entry) + b"\x00" * 7)
    assert isinstance(error, UnknownRevert)
    assert error.data == selector(entry) + b"\x00" * 7
