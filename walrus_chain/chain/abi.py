"""Calls and answers as bytes: one contract's functions, encoded and decoded by its ABI.

Kept apart from web3's contract objects because it is on the hot path: encoding a call here costs tens of microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from walrus_chain.chain.abi_codec import decode, encode
from walrus_chain.chain.artifacts import artifact


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a contract."""

    name: str
    selector: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def call(self, *arguments: Any) -> bytes:
        """The calldata for these arguments."""
        return self.selector + encode(self.inputs, arguments)

    def result(self, data: bytes) -> Any:
        """What returned `data` says: one value, or a tuple when the function returns several."""
        values = decode(self.outputs, data)
        return values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True)
class Interface:
    """The functions of one contract. An overloaded function is found by its whole signature."""

    contract: str
    functions: dict[str, Function]
    constructor: tuple[str, ...]

    def __getitem__(self, name: str) -> Function:
        return self.functions[name]


def abi_types(parameters: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The types of ABI parameters as text, structs written out: `(bytes32,uint64)[]`."""
    return tuple(collapse_if_tuple(parameter) for parameter in parameters)


def signature_of(entry: dict[str, Any]) -> str:
    """The signature of an ABI function, event or error, such as `withdraw(uint128,address)`."""
    return f"{entry['name']}({','.join(abi_types(entry['inputs']))})"


@cache
def interface(contract: str) -> Interface:
    """The functions of a contract, from the package's artifacts.

    Raises: ArtifactMissing: the package has no such contract.
    """
    return interface_of(contract, artifact(contract).abi)


def interface_of(contract: str, abi: Sequence[dict[str, Any]]) -> Interface:
    """The functions in the ABI of a contract."""
    functions: dict[str, Function] = {}
    constructor: tuple[str, ...] = ()
    overloaded: set[str] = set()
    for entry in abi:
        if entry["type"] == "constructor":
            constructor = abi_types(entry["inputs"])
        if entry["type"] != "function":
            continue
        signature = signature_of(entry)
        function = Function(
            name=entry["name"],
            selector=keccak(text=signature)[:4],
            inputs=abi_types(entry["inputs"]),
            outputs=abi_types(entry["outputs"]),
        )
        functions[signature] = function
        if entry["name"] in functions:
            overloaded.add(entry["name"])
        functions[entry["name"]] = function
    for name in overloaded:
        del functions[name]
    return Interface(contract, functions, constructor)
