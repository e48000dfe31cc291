"""A grant or request counts for one network, node, object and time, for its keys, and in one form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import (
    GrantExpired,
    MalformedMessage,
    MalformedSignature,
    OutsideScope,
    RequestExpired,
    WrongGrant,
    WrongNode,
    WrongSigner,
)
from walrus_chain.messages.access import (
    FREE,
    MAXIMUM_GRANT_OBJECTS,
    MAXIMUM_GRANT_SECONDS,
    MAXIMUM_REQUEST_SECONDS,
    NO_PROGRAM,
    PURCHASE,
    AccessRequest,
    Action,
    SessionGrant,
    Use,
)
from walrus_chain.messages.domain import access_domain, channels_domain, registry_domain
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.messages.typed import TypedMessage
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Address, BlobObjectId, NodeId, Wei

POLICIES = Address("0x1000000000000000000000000000000000000001")
OTHER = Address("0x2000000000000000000000000000000000000002")
DOMAIN = access_domain(31337, POLICIES)
REQUESTER, SESSION, STRANGER = (LocalSigner(bytes([number]) * 32) for number in (1, 2, 3))
NOW, NODE = 1_800_000_000, NodeId(3)
GRANT = SessionGrant(
    REQUESTER.address, SESSION.address, b"\5" * 32, (BlobObjectId(7),), 1, Wei(0), NOW - 10, NOW + 3600
)
REQUEST = AccessRequest(
    GRANT.digest(DOMAIN),
    NODE,
    BlobObjectId(7),
    Action.READ,
    NO_PROGRAM,
    1,
    0,
    b"\6" * 32,
    b"\7" * 32,
    b"\x08" * 32,
    NOW + 60,
    FREE,
)
USE = REQUEST.use(REQUESTER.address)
RECEIPT = Receipt(
    NODE,
    0,
    USE.digest(DOMAIN),
    REQUESTER.address,
    BlobObjectId(7),
    Action.READ,
    NO_PROGRAM,
    1,
    0,
    b"\7" * 32,
    1234,
    REQUEST.digest(DOMAIN),
    PaidBy.FREE,
    Wei(0),
    0,
    0,
    Wei(0),
    NOW,
)
MESSAGES: tuple[TypedMessage, ...] = (
    GRANT,
    REQUEST,
    USE,
    RECEIPT,
    ErasableKey(NODE, BlobObjectId(7), bytes(96)),
    Voucher(1, Wei(2), Wei(1), bytes(32)),
)


def test_request__all_as_it_should_be__passes() -> None:
    GRANT.verify(GRANT.sign(REQUESTER, DOMAIN), DOMAIN)
    REQUEST.verify(REQUEST.sign(SESSION, DOMAIN), GRANT, DOMAIN)
    REQUEST.check(GRANT, DOMAIN, NODE, NOW)


@pytest.mark.parametrize(
    "elsewhere",
    [access_domain(1, POLICIES), access_domain(31337, OTHER), registry_domain(31337, POLICIES)],
    ids=["chain", "contract", "purpose"],
)
def test_request__replayed_in_another_network__refused(elsewhere: Any) -> None:
    signature = GRANT.sign(REQUESTER, DOMAIN)
    with pytest.raises(WrongSigner):
        GRANT.verify(signature, elsewhere)
    with pytest.raises(WrongSigner):
        REQUEST.verify(REQUEST.sign(SESSION, DOMAIN), GRANT, elsewhere)
    with pytest.raises(WrongGrant):
        REQUEST.check(GRANT, elsewhere, NODE, NOW)


def test_request__replayed_at_another_node__refused() -> None:
    with pytest.raises(WrongNode, match="for node 3, this is node 4"):
        REQUEST.check(GRANT, DOMAIN, NodeId(4), NOW)
    forged = replace(REQUEST, node=NodeId(4))
    with pytest.raises(WrongSigner):
        forged.verify(REQUEST.sign(SESSION, DOMAIN), GRANT, DOMAIN)


def test_request__replayed_for_another_object_or_action__refused() -> None:
    other = replace(REQUEST, blob_object=BlobObjectId(8))
    with pytest.raises(WrongSigner):
        other.verify(REQUEST.sign(SESSION, DOMAIN), GRANT, DOMAIN)
    with pytest.raises(OutsideScope, match="object 8"):
        other.check(GRANT, DOMAIN, NODE, NOW)
    computing = replace(REQUEST, action=Action.COMPUTE, program=b"\1" * 32)
    with pytest.raises(OutsideScope, match="compute"):
        computing.check(GRANT, DOMAIN, NODE, NOW)


@pytest.mark.parametrize("expires_at", [0, NOW - 1, NOW, NOW + MAXIMUM_REQUEST_SECONDS + 1, 2**64 - 1])
def test_request__expired_or_too_far_ahead__refused(expires_at: int) -> None:
    with pytest.raises(RequestExpired):
        replace(REQUEST, expires_at=expires_at).check(GRANT, DOMAIN, NODE, NOW)


@pytest.mark.parametrize(("now", "holds"), [(-11, False), (-10, True), (3599, True), (3600, False)])
def test_grant__time__from_the_first_second_to_before_the_last(now: int, holds: bool) -> None:
    if holds:
        GRANT.check_time(NOW + now)
    else:
        with pytest.raises(GrantExpired):
            GRANT.check_time(NOW + now)


def test_request__under_an_expired_grant__refused() -> None:
    old = replace(GRANT, valid_until=NOW)
    with pytest.raises(GrantExpired):
        replace(REQUEST, grant=old.digest(DOMAIN)).check(old, DOMAIN, NODE, NOW)


def test_request__with_another_grant_of_the_same_requester__refused() -> None:
    wider = replace(GRANT, blob_objects=(), encryption_key=b"\x09" * 32)
    with pytest.raises(WrongGrant):
        REQUEST.check(wider, DOMAIN, NODE, NOW)


def test_request__signed_with_anothers_key__refused() -> None:
    for signer in (STRANGER, REQUESTER):
        with pytest.raises(WrongSigner):
            REQUEST.verify(REQUEST.sign(signer, DOMAIN), GRANT, DOMAIN)
    with pytest.raises(WrongSigner):
        GRANT.verify(GRANT.sign(SESSION, DOMAIN), DOMAIN)
    with pytest.raises(MalformedSignature):
        GRANT.verify(bytes(65), DOMAIN)


def test_grant__anothers_session_or_encryption_key_put_in__refused() -> None:
    """Who could put their own key in would have the answers sealed to it."""
    signature = GRANT.sign(REQUESTER, DOMAIN)
    for forged in (
        replace(GRANT, session_key=STRANGER.address),
        replace(GRANT, encryption_key=b"\x0a" * 32),
        replace(GRANT, spend_limit=Wei(1)),
        replace(GRANT, valid_until=NOW + 3601),
        replace(GRANT, blob_objects=()),
    ):
        with pytest.raises(WrongSigner):
            forged.verify(signature, DOMAIN)


def test_grant__no_object_named__covers_any() -> None:
    anything = replace(GRANT, blob_objects=(), actions=3)
    anything.check_scope(BlobObjectId(10**30), Action.COMPUTE)
    anything.check_scope(BlobObjectId(1), Action.READ)


@pytest.mark.parametrize(
    "changes",
    [
        {"actions": 0},
        {"actions": 4},
        {"blob_objects": (BlobObjectId(2), BlobObjectId(1))},
        {"blob_objects": (BlobObjectId(2), BlobObjectId(2))},
        {"blob_objects": tuple(map(BlobObjectId, range(MAXIMUM_GRANT_OBJECTS + 1)))},
        {"blob_objects": [BlobObjectId(1)]},
        {"blob_objects": (BlobObjectId(2**256),)},
        {"valid_until": NOW - 10},
        {"valid_until": NOW - 11},
        {"valid_until": NOW - 10 + MAXIMUM_GRANT_SECONDS + 1},
        {"spend_limit": Wei(2**128)},
        {"spend_limit": Wei(-1)},
        {"encryption_key": bytes(31)},
        {"requester": Address(REQUESTER.address.lower())},
        {"requester": Address("0x12")},
        {"valid_from": True},
    ],
)
def test_grant__value_that_cannot_be__refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedMessage):
        replace(GRANT, **changes)


def test_request__program_where_none_is_run__refused() -> None:
    with pytest.raises(MalformedMessage):
        replace(REQUEST, program=b"\1" * 32)
    with pytest.raises(MalformedMessage):
        replace(REQUEST, action=Action.COMPUTE)


def test_payments__names_of_ways_to_pay__distinct() -> None:
    assert len({FREE, PURCHASE}) == 2
    assert len(PURCHASE) == 32


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_messages__every_field__changes_the_digest(message: Any) -> None:
    digests = {
        message.digest(DOMAIN),
        message.digest(access_domain(1, POLICIES)),
        message.digest(channels_domain(31337, POLICIES)),
    }
    for field in fields(message):
        digests.add(with_another(message, field.name).digest(DOMAIN))
    assert len(digests) == 3 + len(fields(message))


def with_another(message: Any, name: str) -> Any:
    """The message with another value in one field, as far as it may stand alone."""
    value = getattr(message, name)
    changed: Any
    match value:
        case Action():
            return replace(message, action=Action.COMPUTE, program=b"\x0b" * 32)
        case PaidBy():
            changed = PaidBy.VOUCHER
        case tuple():
            changed = (*value, BlobObjectId(100))
        case bytes() if name == "program" and isinstance(message, AccessRequest):
            return replace(message, action=Action.COMPUTE, program=b"\x0c" * 32)
        case bytes():
            changed = bytes([value[0] ^ 1]) + value[1:]
        case str():
            changed = OTHER
        case _:
            changed = value + 1
    return replace(message, **{name: changed})


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_messages__as_data__there_and_back(message: TypedMessage) -> None:
    assert type(message).from_data(message.as_data()) == message


Damage = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("nonce"),
        lambda data: data.update(more=1),
        lambda data: data.update(node="3"),
        lambda data: data.update(node=True),
        lambda data: data.update(node=3.0),
        lambda data: data.update(node=-1),
        lambda data: data.update(node=2**32),
        lambda data: data.update(blobObject=7),
        lambda data: data.update(blobObject="07"),
        lambda data: data.update(blobObject="+7"),
        lambda data: data.update(blobObject="7 "),
        lambda data: data.update(blobObject="٧"),
        lambda data: data.update(blobObject=str(2**256)),
        lambda data: data.update(blobObject="9" * 100_000),
        lambda data: data.update(sequence=str(2**64)),
        lambda data: data.update(action=0),
        lambda data: data.update(action=3),
        lambda data: data.update(nonce="0x" + "0A" * 32),
        lambda data: data.update(nonce="0x00"),
        lambda data: data.update(nonce="00" * 32),
        lambda data: data.update(nonce=None),
        lambda data: data.update(nonce=["0x"]),
    ],
)
def test_request__data_in_another_form__refused(damage: Damage) -> None:
    data = REQUEST.as_data()
    damage(data)
    with pytest.raises(MalformedMessage):
        AccessRequest.from_data(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.update(requester=REQUESTER.address.upper()),
        lambda data: data.update(requester=REQUESTER.address.swapcase().replace("X", "x")),
        lambda data: data.update(requester=REQUESTER.address[:-1]),
        lambda data: data.update(requester=None),
        lambda data: data.update(blobObjects="7"),
        lambda data: data.update(blobObjects=[7]),
        lambda data: data.update(blobObjects=["8", "7"]),
        lambda data: data.update(blobObjects=None),
        lambda data: data.update(validFrom=NOW),
    ],
)
def test_grant__data_in_another_form__refused(damage: Damage) -> None:
    data = GRANT.as_data()
    damage(data)
    with pytest.raises(MalformedMessage):
        SessionGrant.from_data(data)


def test_grant__address_without_capitals__the_same_grant() -> None:
    assert SessionGrant.from_data(GRANT.as_data() | {"requester": REQUESTER.address.lower()}) == GRANT


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=_JSON)
def test_messages__any_json__refused_and_never_fails(data: object) -> None:
    for message in MESSAGES:
        with pytest.raises(MalformedMessage):
            type(message).from_data(data)


@given(name=st.sampled_from(sorted(RECEIPT.as_data())), value=_JSON)
def test_receipt__any_json_in_a_field__a_receipt_or_refused(name: str, value: object) -> None:
    data = RECEIPT.as_data() | {name: value}
    try:
        receipt = Receipt.from_data(data)
    except MalformedMessage:
        return
    assert receipt.as_data() == data


def test_use__of_the_same_request_at_other_nodes__is_the_same() -> None:
    """So one voucher pays all nodes, and a use that was paid is served again under a new nonce."""
    again = replace(REQUEST, node=NodeId(9), nonce=bytes(32), block_hash=bytes(32), expires_at=NOW + 9)
    assert again.use(REQUESTER.address) == USE == Use(REQUESTER.address, BlobObjectId(7), Action.READ, NO_PROGRAM, 1, 0)
