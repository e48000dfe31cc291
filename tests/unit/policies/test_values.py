"""Arguments of contracts as people type them."""

from __future__ import annotations

from typing import Any

import pytest

from walrus_chain.errors import MalformedArgument, WrongArguments
from walrus_chain.policies.values import parse_arguments, parse_value

ACCOUNT = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
PARAMETERS = (("price", "uint128"), ("pool", "uint64"))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("address", ACCOUNT, ACCOUNT),
        ("address", ACCOUNT.lower(), ACCOUNT),
        ("uint128", "5", 5),
        ("uint128", "1_000", 1000),
        ("uint128", "0.5 WAL", 5 * 10**17),
        ("uint128", "7 wei", 7),
        ("uint128", "0.5wal", 5 * 10**17),
        ("uint8", "255", 255),
        ("int8", "-128", -128),
        ("bool", "True", True),
        ("bool", "no", False),
        ("string", "a, b", "a, b"),
        ("bytes", "0x", b""),
        ("bytes2", "0xBEEF", b"\xbe\xef"),
        ("uint8[]", "1, 2,3", [1, 2, 3]),
        ("uint8[]", "", []),
        ("address[]", f"{ACCOUNT},{ACCOUNT}", [ACCOUNT, ACCOUNT]),
    ],
)
def test_parse_value__of_its_type__is_taken(kind: str, text: str, value: Any) -> None:
    assert parse_value("it", kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "form"),
    [
        ("address", "me", "40 hex digits"),
        ("address", ACCOUNT.replace("B", "b"), "checksum"),
        ("uint8", "256", "0 to 255"),
        ("uint8", "-1", "0 to 255"),
        ("uint128", "much", "whole number"),
        ("uint128", "0.5", "with its unit"),
        ("int8", "128", "-128 to 127"),
        ("bool", "maybe", "true or false"),
        ("bytes", "beef", "hex digits after 0x"),
        ("bytes2", "0xbe", "1 bytes, 2 are needed"),
        ("uint8[]", "1,,2", "whole number"),
        ("(uint8,uint8)", "1", "use Python"),
    ],
)
def test_parse_value__of_another__says_how_to_write_it(kind: str, text: str, form: str) -> None:
    with pytest.raises(MalformedArgument, match=form):
        parse_value("it", kind, text)


def test_parse_arguments__in_any_order__come_in_the_order_of_the_parameters() -> None:
    parsed = parse_arguments("PayPerRead", PARAMETERS, {"pool": "2", "price": "1 WAL"})
    assert list(parsed.items()) == [("price", 10**18), ("pool", 2)]


@pytest.mark.parametrize(
    ("pairs", "why"), [({"price": "1"}, "pool is missing"), ({"price": "1", "pool": "1", "tip": "1"}, "tip is unknown")]
)
def test_parse_arguments__missing_or_unknown__is_named_with_what_is_taken(pairs: dict[str, str], why: str) -> None:
    with pytest.raises(WrongArguments, match=rf"PayPerRead takes \(price: uint128, pool: uint64\); {why}"):
        parse_arguments("PayPerRead", PARAMETERS, pairs)
