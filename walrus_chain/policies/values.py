"""Arguments of contracts as people type them, by their ABI types. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_utils.address import is_address, is_checksum_address, to_checksum_address

from walrus_chain.errors import MalformedAmount, MalformedArgument, WrongArguments
from walrus_chain.types import parse_amount

_WHOLE: Final = re.compile(r"(-?)([0-9][0-9_]*)")
_NUMBER: Final = re.compile(r"(u?)int([0-9]*)")
_FIXED_BYTES: Final = re.compile(r"bytes([0-9]+)")
_UNITS: Final = ("wal", "wei")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_arguments(name: str, parameters: Sequence[tuple[str, str]], pairs: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `name` that a person typed as NAME=VALUE, in the order of the parameters.

    Args:
        parameters: name and ABI type of each.
    Raises:
        WrongArguments: one is missing, or unknown.
        MalformedArgument: one is not of its type.
    """
    known = [parameter for parameter, _ in parameters]
    if missing := [parameter for parameter in known if parameter not in pairs]:
        raise WrongArguments(name, parameters, f"{', '.join(missing)} is missing")
    if unknown := [given for given in pairs if given not in known]:
        raise WrongArguments(name, parameters, f"{', '.join(unknown)} is unknown")
    return {parameter: parse_value(parameter, kind, pairs[parameter]) for parameter, kind in parameters}


def parse_value(name: str, kind: str, text: str) -> Any:
    """The value of an ABI type that a person typed; lists have commas.

    Numbers are whole; with a unit they are amounts, such as `0.5 WAL`.

    Raises: MalformedArgument: it is none of that type.
    """
    text = text.strip()
    if kind.endswith("[]"):
        return [parse_value(name, kind[:-2], entry) for entry in text.split(",")] if text else []
    if kind == "address":
        return _address(name, text)
    if kind == "bool":
        if text.lower() not in _TRUTH:
            raise MalformedArgument(f"{name}, a bool", text, "write true or false")
        return _TRUTH[text.lower()]
    if kind == "string":
        return text
    if number := _NUMBER.fullmatch(kind):
        return _number(name, kind, signed=not number[1], bits=int(number[2] or 256), text=text)
    if kind == "bytes" or (_FIXED_BYTES.fullmatch(kind)):
        return _bytes(name, kind, text)
    raise MalformedArgument(f"{name}, a {kind}", text, "values of that type cannot be typed here; use Python")


def _address(name: str, text: str) -> str:
    digits = text.removeprefix("0x")
    if not is_address(text):
        raise MalformedArgument(f"{name}, an address", text, "it is 40 hex digits after 0x")
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        raise MalformedArgument(f"{name}, an address", text, "it has a typing error, its checksum is wrong")
    return str(to_checksum_address(text))


def _number(name: str, kind: str, *, signed: bool, bits: int, text: str) -> int:
    if whole := _WHOLE.fullmatch(text):
        value = int(whole[1] + whole[2])
    else:
        try:
            # A bare `0.5` is none: whoever writes that means WAL, and `1` beside it is the number 1.
            value = parse_amount(text if text.lower().endswith(_UNITS) else "")
        except MalformedAmount:
            raise MalformedArgument(
                f"{name}, a {kind}", text, "write a whole number, or an amount with its unit like '0.5 WAL'"
            ) from None
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if not lowest <= value <= highest:
        raise MalformedArgument(f"{name}, a {kind}", text, f"it must be {lowest} to {highest}")
    return value


def _bytes(name: str, kind: str, text: str) -> bytes:
    try:
        if not text.startswith("0x"):
            raise ValueError(text)
        value = bytes.fromhex(text[2:])
    except ValueError:
        raise MalformedArgument(f"{name}, {kind}", text, "write hex digits after 0x") from None
    size = _FIXED_BYTES.fullmatch(kind)
    if size is not None and len(value) != int(size[1]):
        raise MalformedArgument(f"{name}, {kind}", text, f"it has {len(value)} bytes, {size[1]} are needed")
    return value
