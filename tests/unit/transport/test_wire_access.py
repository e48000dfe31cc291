"""Answers about keys: exactly of the promised form, or the agent misbehaves; refusals carry their evidence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from walrus_chain.errors import (
    AgentAtKeyEpoch,
    AgentDenied,
    AgentMisbehaved,
    AgentRefused,
    AgentRefusedVoucher,
    AgentWantsPayment,
)
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.transport.wire import parse_refusal
from walrus_chain.transport.wire_access import parse_erasable_key, parse_key_answer, parse_receipts, receipts_path
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, Wei

RECEIPT = Receipt(
    node=NodeId(1),
    index=0,
    use=bytes(32),
    requester=Address("0x0000000000000000000000000000000000000001"),
    blob_object=BlobObjectId(7),
    action=Action.READ,
    program=NO_PROGRAM,
    key_epoch=1,
    sequence=0,
    block_hash=bytes(32),
    block_number=9,
    request=bytes(32),
    paid_by=PaidBy.FREE,
    amount=Wei(0),
    pool=0,
    channel=0,
    cumulative=Wei(0),
    time=1,
)
ANSWER: dict[str, Any] = {
    "share": "0x" + "ab" * 96,
    "keyId": "0x" + "01" * 8,
    "receipt": RECEIPT.as_data(),
    "receiptSignature": "0x" + "02" * 65,
}
PAGE: dict[str, Any] = {
    "node": 1,
    "receipts": [
        {
            "number": 1,
            "epoch": 3,
            "receipt": RECEIPT.as_data(),
            "signature": "0x" + "02" * 65,
            "anchor": {"root": "0x" + "03" * 32, "count": 2, "path": ["0x" + "04" * 32], "anchored": True},
        }
    ],
    "next": None,
}


def test_key_answer__well_formed__is_parsed() -> None:
    answer = parse_key_answer("agent", json.dumps(ANSWER).encode())
    assert (answer.receipt, len(answer.share), answer.key_id) == (RECEIPT, 96, b"\x01" * 8)


@pytest.mark.parametrize(
    "change",
    [
        {"share": "ab"},
        {"share": "0x" + "ab" * 5000},
        {"keyId": "0x01"},
        {"receipt": None},
        {"receipt": {**RECEIPT.as_data(), "more": 1}},
        {"receipt": {**RECEIPT.as_data(), "action": 9}},
        {"receiptSignature": 5},
    ],
)
def test_key_answer__anything_else__is_misbehaviour(change: dict[str, Any]) -> None:
    with pytest.raises(AgentMisbehaved):
        parse_key_answer("agent", json.dumps(ANSWER | change).encode())


def test_receipts__with_and_without_anchor__are_parsed() -> None:
    page = parse_receipts("agent", json.dumps(PAGE).encode())
    [filed] = page.receipts
    assert filed.anchor is not None
    assert (filed.epoch, filed.anchor.count, page.next) == (3, 2, None)
    bare = {**PAGE, "receipts": [{**PAGE["receipts"][0], "anchor": None}], "next": 5}
    assert parse_receipts("agent", json.dumps(bare).encode()).receipts[0].anchor is None


def test_receipts__path_that_is_none__is_misbehaviour() -> None:
    broken = json.loads(json.dumps(PAGE))
    broken["receipts"][0]["anchor"]["path"] = ["0x04"]
    with pytest.raises(AgentMisbehaved):
        parse_receipts("agent", json.dumps(broken).encode())


def test_erasable_key__wrong_length__is_misbehaviour() -> None:
    good = {"publicKey": "0x" + "05" * 96, "signature": "0x" + "06" * 65}
    assert parse_erasable_key("agent", json.dumps(good).encode()).public_key == b"\x05" * 96
    with pytest.raises(AgentMisbehaved):
        parse_erasable_key("agent", json.dumps({**good, "publicKey": "0x05"}).encode())


def test_receipts_path__filters__only_those_that_are_named() -> None:
    assert receipts_path(None, None, 0) == "/v1/receipts"
    assert receipts_path(BlobObjectId(3), Epoch(2), 7) == "/v1/receipts?object=3&epoch=2&after=7"


@pytest.mark.parametrize(
    ("status", "evidence", "kind"),
    [
        (403, {"code": "Denied", "reason": "NotListed", "policy": "0xabc"}, AgentDenied),
        (402, {"code": "PaymentRequired", "price": "500000000000000000", "pool": 3}, AgentWantsPayment),
        (
            402,
            {"code": "VoucherRefused", "why": "AboveDeposit", "voucher": None, "signature": "0x"},
            AgentRefusedVoucher,
        ),
        (409, {"code": "StaleKeyEpoch", "keyEpoch": 4}, AgentAtKeyEpoch),
        (410, {"code": "KeysDestroyed"}, AgentRefused),
    ],
)
def test_refusal__of_a_key__is_told_apart(status: int, evidence: dict[str, Any], kind: type[AgentRefused]) -> None:
    body = json.dumps({"error": {"message": "no", "retryable": False, **evidence}}).encode()
    refusal = parse_refusal("agent", status, body, None)
    assert type(refusal) is kind
    assert isinstance(refusal, AgentRefused)
    assert (refusal.code, refusal.status) == (evidence["code"], status)


def test_refusal__voucher_whose_stretch_is_taken__shows_what_proves_it() -> None:
    voucher = {"channel": "1", "cumulative": "5", "amount": "5", "purpose": "0x" + "00" * 32}
    evidence = {"code": "VoucherRefused", "why": "StretchTaken", "voucher": voucher, "signature": "0x" + "07" * 65}
    body = json.dumps({"error": {"message": "no", "retryable": False, **evidence}}).encode()
    refusal = parse_refusal("agent", 402, body, None)
    assert isinstance(refusal, AgentRefusedVoucher)
    assert refusal.shown == ((voucher, b"\x07" * 65),)
