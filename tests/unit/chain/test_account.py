"""Transactions signed by any signer are, byte for byte, those of a wallet."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from walrus_chain.chain.account import SigningAccount, rlp
from walrus_chain.messages.signing import LocalSigner

KEY = bytes(range(1, 33))
PLAIN: dict[str, Any] = {
    "type": 2,
    "chainId": 31337,
    "nonce": 0,
    "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "value": 0,
    "data": b"",
    "gas": 21_000,
    "maxFeePerGas": 3 * 10**9,
    "maxPriorityFeePerGas": 10**9,
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"nonce": 127},
        {"nonce": 128, "value": 10**18},
        {"data": b"\x7f"},
        {"data": b"\x80"},
        {"data": bytes(55)},
        {"data": bytes(56)},
        {"data": bytes(range(256)) * 300, "gas": 30_000_000},
        {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0},
    ],
    ids=repr,
)
def test_sign_transaction__as_eth_account_signs_it(change: dict[str, Any]) -> None:
    transaction = PLAIN | change

    ours = SigningAccount(LocalSigner(KEY)).sign_transaction(transaction)

    theirs = Account.from_key(KEY).sign_transaction(transaction)
    assert ours.raw_transaction == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)


def test_sign_transaction__no_receiver__creates_a_contract() -> None:
    transaction = {name: value for name, value in PLAIN.items() if name != "to"} | {"data": b"\x60\x00"}

    ours = SigningAccount(LocalSigner(KEY)).sign_transaction(transaction)

    assert ours.raw_transaction == bytes(Account.from_key(KEY).sign_transaction(transaction).raw_transaction)


def test_rlp__examples_of_the_standard() -> None:
    assert rlp(b"dog") == b"\x83dog"
    assert rlp([b"cat", b"dog"]) == b"\xc8\x83cat\x83dog"
    assert (rlp(b""), rlp(0), rlp(15), rlp(1024)) == (b"\x80", b"\x80", b"\x0f", b"\x82\x04\x00")
    assert rlp([[], [[]], [[], [[]]]]) == bytes.fromhex("c7c0c1c0c3c0c1c0")
