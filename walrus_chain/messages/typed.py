"""Messages that are signed, and that travel as JSON: both forms follow from the EIP-712 type.

As data a message is an object with the names of its type: numbers of up to 32 bits are numbers, wider ones decimal
texts without sign or leading zeros, bytes and `bytes32` are 0x and lowercase hex digits, addresses have their EIP-55
checksum or no capitals at all. Nothing may be missing, and nothing else be there.

Source: docs/spec/13-access.md; vectors in tests/vectors/access.json.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from eth_utils.crypto import keccak

from walrus_chain.errors import MalformedMessage, WrongSigner
from walrus_chain.messages.domain import Domain, address_word, number_word, type_hash
from walrus_chain.messages.signing import Signer, checksummed, recover
from walrus_chain.types import Address

_PLAIN_BITS: Final = 32
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,77}")
_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_BIG_LETTER: Final = re.compile(r"[A-Z]")


class TypedMessage:
    """A frozen dataclass with one attribute for each field of its type, in the same order."""

    __slots__ = ()

    TYPE: ClassVar[str]
    """The EIP-712 encoded type."""
    MEANINGS: ClassVar[Mapping[str, Callable[[int], int]]] = MappingProxyType({})
    """What the numbers of a field stand for, by attribute."""

    def __post_init__(self) -> None:
        """Raises: MalformedMessage: a value that does not fit its field."""
        for attribute, name, kind in _fields(self.TYPE):
            if not _fits(getattr(self, attribute), kind):
                raise MalformedMessage(_title(self.TYPE), f"{name} does not fit {kind}")

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes to sign."""
        words = [_word(getattr(self, attribute), kind) for attribute, _, kind in _fields(self.TYPE)]
        return domain.digest(keccak(type_hash(self.TYPE) + b"".join(words)))

    def sign(self, signer: Signer, domain: Domain) -> bytes:
        """65 bytes r ‖ s ‖ v."""
        return signer.sign_digest(self.digest(domain))

    def recover(self, signature: bytes, domain: Domain) -> Address:
        """Whose key made the signature.

        Raises: MalformedSignature.
        """
        return recover(self.digest(domain), signature)

    def verify_by(self, signer: Address, signature: bytes, domain: Domain) -> None:
        """Checks that the key of `signer` made the signature.

        Raises: MalformedSignature, WrongSigner.
        """
        recovered = self.recover(signature, domain)
        if recovered != signer:
            raise WrongSigner(signer, recovered)

    def as_data(self) -> dict[str, Any]:
        """What travels as JSON."""
        return {name: _datum(getattr(self, attribute), kind) for attribute, name, kind in _fields(self.TYPE)}

    @classmethod
    def from_data(cls, data: object) -> Self:
        """The message that came as JSON.

        Raises: MalformedMessage: another form, a field missing or one too many, a value that cannot be.
        """
        fields, title = _fields(cls.TYPE), _title(cls.TYPE)
        if not isinstance(data, dict) or set(data) != {name for _, name, _ in fields}:
            raise MalformedMessage(title, f"it must have {', '.join(name for _, name, _ in fields)} and nothing else")
        values = {}
        for attribute, name, kind in fields:
            value = _parsed(data[name], kind)
            if value is None:
                raise MalformedMessage(title, f"{name} is not written as {kind} is")
            if attribute in cls.MEANINGS:
                try:
                    value = cls.MEANINGS[attribute](value)
                except ValueError:
                    raise MalformedMessage(title, f"{name} means nothing") from None
            values[attribute] = value
        return cls(**values)


@lru_cache
def _fields(encoded: str) -> tuple[tuple[str, str, str], ...]:
    """Attribute, name and kind of each field of an encoded type."""
    fields = []
    for field in encoded.partition("(")[2].removesuffix(")").split(","):
        kind, _, name = field.partition(" ")
        fields.append((_BIG_LETTER.sub(lambda letter: "_" + letter[0].lower(), name), name, kind))
    return tuple(fields)


def _title(encoded: str) -> str:
    return encoded.partition("(")[0]


def _bits(kind: str) -> int:
    return int(kind.removeprefix("uint"))


def _fits(value: Any, kind: str) -> bool:
    match kind:
        case "bytes":
            return isinstance(value, bytes)
        case "bytes32":
            return isinstance(value, bytes) and len(value) == 32
        case "address":
            return isinstance(value, str) and _parsed(value, kind) == value
        case "uint256[]":
            return isinstance(value, tuple) and all(_fits(item, "uint256") for item in value)
        case _:
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << _bits(kind)


def _word(value: Any, kind: str) -> bytes:
    match kind:
        case "bytes":
            return keccak(value)
        case "bytes32":
            return bytes(value)
        case "address":
            return address_word(value)
        case "uint256[]":
            return keccak(b"".join(map(number_word, value)))
        case _:
            return number_word(value)


def _datum(value: Any, kind: str) -> Any:
    match kind:
        case "bytes" | "bytes32":
            return "0x" + value.hex()
        case "address":
            return value
        case "uint256[]":
            return [str(item) for item in value]
        case _:
            return int(value) if _bits(kind) <= _PLAIN_BITS else str(int(value))


def _parsed(value: Any, kind: str) -> Any:
    """The value that a datum stands for; None when it is not written as it should be. Whether it fits is seen later."""
    match kind:
        case "bytes" | "bytes32":
            return bytes.fromhex(value[2:]) if isinstance(value, str) and _HEX.fullmatch(value) else None
        case "address":
            if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
                return None
            address = checksummed(bytes.fromhex(value[2:]))
            return address if value in (address, address.lower()) else None
        case "uint256[]":
            if not isinstance(value, list):
                return None
            items = tuple(_parsed(item, "uint256") for item in value)
            return None if None in items else items
        case _ if _bits(kind) <= _PLAIN_BITS:
            return value if isinstance(value, int) and not isinstance(value, bool) else None
        case _:
            return int(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None
