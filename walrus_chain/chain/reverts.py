"""From the bytes with which a call reverted to an error that says what happened and what to do next."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from walrus_chain.chain.abi import abi_types, signature_of
from walrus_chain.chain.abi_codec import decode
from walrus_chain.chain.artifacts import artifact, artifact_names
from walrus_chain.chain.compute_rejections import COMPUTE_REJECTIONS
from walrus_chain.chain.economy_rejections import ECONOMY_REJECTIONS
from walrus_chain.chain.kind_rejections import KIND_REJECTIONS
from walrus_chain.chain.library_rejections import LIBRARY_REJECTIONS
from walrus_chain.chain.money_rejections import MONEY_REJECTIONS
from walrus_chain.chain.payment_rejections import PAYMENT_REJECTIONS
from walrus_chain.chain.policy_rejections import POLICY_REJECTIONS
from walrus_chain.chain.rejection import ContractRejection, names_of
from walrus_chain.chain.rejections import REJECTIONS
from walrus_chain.errors import Rejected

_ERROR_STRING = keccak(text="Error(string)")[:4]
_PANIC = keccak(text="Panic(uint256)")[:4]
_PANICS = {
    0x01: "an assertion failed",
    0x11: "a number became too large or negative",
    0x12: "a division by zero",
    0x21: "a number that names no choice",
    0x22: "a damaged text in storage",
    0x31: "an element was taken from an empty list",
    0x32: "a place outside a list",
    0x41: "too much memory was asked for",
    0x51: "a function that was never set",
}


class RevertedWithReason(Rejected):
    """A contract that is not ours refused with a text."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a contract refused the call: {reason}")
        self.reason = reason


class ContractPanicked(Rejected):
    """A contract broke off: a bug in it, or a number far outside what is sensible."""

    def __init__(self, code: int) -> None:
        why = _PANICS.get(code, "an unknown reason")
        super().__init__(f"a contract broke off: {why} (panic 0x{code:02x}); check the numbers, or report this")
        self.code = code


class UnknownRevert(Rejected):
    """A contract refused with words that this software does not know."""

    def __init__(self, data: bytes) -> None:
        what = f"with 0x{data.hex()}, which this software does not know" if data else "without a reason"
        super().__init__(
            f"a contract refused the call {what}; check that the deployment file belongs to this chain, and update "
            "walrus-chain"
        )
        self.data = data


OUR_REJECTIONS: Final = (
    *REJECTIONS,
    *MONEY_REJECTIONS,
    *ECONOMY_REJECTIONS,
    *POLICY_REJECTIONS,
    *KIND_REJECTIONS,
    *PAYMENT_REJECTIONS,
    *COMPUTE_REJECTIONS,
)
"""What our own contracts refuse; the rest is the library's."""


def decode_revert(data: bytes) -> Rejected:
    """The error that revert data spells; always one, at worst `UnknownRevert`."""
    selector, arguments = data[:4], data[4:]
    try:
        if selector == _ERROR_STRING:
            return RevertedWithReason(decode(("string",), arguments)[0])
        if selector == _PANIC:
            return ContractPanicked(decode(("uint256",), arguments)[0])
        if (known := known_errors().get(selector)) is not None:
            rejection, types = known
            return rejection(*decode(types, arguments))
    except (DecodingError, ValueError):
        return UnknownRevert(data)
    return UnknownRevert(data)


@cache
def known_errors() -> dict[bytes, tuple[type[ContractRejection], tuple[str, ...]]]:
    """Every custom error of the package's contracts by selector: its class and its parameters' types."""
    classes = names_of((*OUR_REJECTIONS, *LIBRARY_REJECTIONS))
    return {
        keccak(text=signature_of(entry))[:4]: (classes[entry["name"]], abi_types(entry["inputs"]))
        for entry in custom_errors()
        if entry["name"] in classes
    }


@cache
def custom_errors() -> tuple[dict[str, Any], ...]:
    """The ABI entries of every custom error of the package's contracts, each once."""
    found = {
        signature_of(entry): entry
        for contract in artifact_names()
        for entry in artifact(contract).abi
        if entry["type"] == "error"
    }
    return tuple(found.values())
