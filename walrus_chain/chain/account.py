"""Any key that signs digests as an account that sends transactions (EIP-1559 envelopes, EIP-2718).

An agent signs with whatever holds its key, and does not load a wallet's software for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_utils.crypto import keccak

from walrus_chain.messages.signing import Signer
from walrus_chain.types import Address

_TYPE: Final = b"\x02"
_STRING, _LIST = 0x80, 0xC0
_SHORT: Final = 55

RlpItem = bytes | int | Sequence["RlpItem"]


@dataclass(frozen=True, slots=True)
class SignedEnvelope:
    """A transaction ready to be sent."""

    raw_transaction: bytes
    hash: bytes
    """32 bytes."""


class SigningAccount:
    """A `TransactionSigner` over a `Signer`."""

    def __init__(self, signer: Signer) -> None:
        """
        Args:
            signer: holds the key.
        """
        self._signer = signer

    @property
    def address(self) -> Address:
        """The account that sends and pays."""
        return self._signer.address

    def sign_transaction(self, transaction_dict: dict[str, Any]) -> SignedEnvelope:
        """A transaction of type 2, signed.

        Args:
            transaction_dict: chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gas, value: numbers; data: bytes; to:
                an address, left out to create a contract.
        """
        order = ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas")
        to = transaction_dict.get("to")
        fields: list[RlpItem] = [
            *(transaction_dict[name] for name in order),
            b"" if to is None else bytes.fromhex(to[2:]),
            transaction_dict["value"],
            transaction_dict["data"],
            [],
        ]
        signature = self._signer.sign_digest(keccak(_TYPE + rlp(fields)))
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:64]))
        raw = _TYPE + rlp([*fields, signature[64] - 27, r, s])
        return SignedEnvelope(raw, keccak(raw))


def rlp(item: RlpItem) -> bytes:
    """An item in Ethereum's recursive length prefix; numbers without leading zeros."""
    if isinstance(item, int):
        return rlp(item.to_bytes((item.bit_length() + 7) // 8, "big"))
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < _STRING else _prefixed(_STRING, item)
    return _prefixed(_LIST, b"".join(map(rlp, item)))


def _prefixed(kind: int, content: bytes) -> bytes:
    if len(content) <= _SHORT:
        return bytes([kind + len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([kind + _SHORT + len(length)]) + length + content
