"""Signatures over 32-byte digests: 65 bytes r ‖ s ‖ v, low s, v 27 or 28, as the contracts take them."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from coincurve import PrivateKey, PublicKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from walrus_chain.errors import MalformedPrivateKey, MalformedSignature
from walrus_chain.types import Address

SIGNATURE_BYTES = 65
CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Order of secp256k1; an s above half of it would make a second valid signature of the same message."""


class Signer(Protocol):
    """Whoever holds a key: here in memory, later perhaps a remote signer."""

    @property
    def address(self) -> Address:
        """The account that the signatures recover to."""

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v over a 32-byte digest."""


class LocalSigner:
    """A signer whose private key is in this process's memory. It never prints the key."""

    __slots__ = ("_address", "_key")

    def __init__(self, private_key: bytes) -> None:
        """
        Args:
            private_key: 32 bytes, a number from 1 to below the curve's order.
        Raises: MalformedPrivateKey: anything else.
        """
        if len(private_key) != 32:
            raise MalformedPrivateKey(f"it has {len(private_key)} bytes, 32 are needed")
        if not 0 < int.from_bytes(private_key, "big") < CURVE_ORDER:
            raise MalformedPrivateKey("it is outside the curve's order")
        self._key = PrivateKey(private_key)
        self._address = _address_of(self._key.public_key.format(compressed=False))

    @property
    def address(self) -> Address:
        """The account of this key."""
        return self._address

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v over a 32-byte digest; deterministic (RFC 6979), low s."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])

    def __repr__(self) -> str:
        return f"LocalSigner({self._address})"


def recover(digest: bytes, signature: bytes) -> Address:
    """The account whose key made `signature` over the 32-byte `digest`.

    Accepts exactly what the contracts accept: 65 bytes, v 27 or 28, s in the lower half.

    Raises: MalformedSignature: any other form, or no key could have made it.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedSignature(f"it has {len(signature)} bytes, {SIGNATURE_BYTES} are needed")
    v = signature[64]
    if v not in (27, 28):
        raise MalformedSignature(f"its recovery byte is {v}, not 27 or 28")
    if int.from_bytes(signature[32:64], "big") > CURVE_ORDER // 2:
        raise MalformedSignature("its s is in the upper half, so it could be a copy made by somebody else")
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([v - 27]), digest, hasher=None)
    except ValueError:
        raise MalformedSignature("no key could have made it") from None
    return _address_of(key.format(compressed=False))


@lru_cache(maxsize=4096)
def checksummed(account: bytes) -> Address:
    """The text of the 20 bytes of an account, with the EIP-55 checksum."""
    return Address(to_checksum_address(account))


# The same few nodes sign all the time.
@lru_cache(maxsize=4096)
def _address_of(public_key: bytes) -> Address:
    """The account of an uncompressed public key, 65 bytes."""
    return checksummed(keccak(public_key[1:])[-20:])
