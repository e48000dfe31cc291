"""Values for ABI types, as hypothesis strategies: for tests that go through every event and error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_utils.address import to_checksum_address
from hypothesis import strategies as st

_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "address": st.binary(min_size=20, max_size=20).map(to_checksum_address),
    "bool": st.booleans(),
    "bytes": st.binary(max_size=300),
    "bytes32": st.binary(min_size=32, max_size=32),
    "string": st.text(max_size=100),
    "uint8": st.integers(0, 4),  # in our ABIs a status, or another small number
}


def values_of(types: Sequence[str]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Any values of these ABI types."""
    return st.tuples(*map(_value_of, types))


def _value_of(abi_type: str) -> st.SearchStrategy[Any]:
    if abi_type.endswith("[]"):
        return st.lists(_value_of(abi_type[:-2]), max_size=20).map(tuple)
    if abi_type.startswith("("):
        return values_of(_parts_of(abi_type[1:-1]))
    if abi_type in _SCALARS:
        return _SCALARS[abi_type]
    if abi_type.startswith("uint"):
        return st.integers(0, 2 ** int(abi_type[4:]) - 1)
    bits = int(abi_type.removeprefix("int"))
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _parts_of(types: str) -> list[str]:
    """The types of a struct, which may hold others: at commas outside of brackets."""
    parts, depth = [""], 0
    for character in types:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
