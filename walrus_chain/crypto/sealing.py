"""Answers sealed to whoever asked (HPKE, RFC 9180), and the key of a session that they are sealed to.

Base mode with X25519, HKDF-SHA256 and AES-128-GCM. The request's digest is bound in, so a share that was sealed for one
request does not open as the answer to another.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from walrus_chain.crypto.curve import Chance
from walrus_chain.crypto.threshold import SHARE_BYTES
from walrus_chain.errors import MalformedKey, MalformedPrivateKey, SealNotOpened

ENCRYPTION_KEY_BYTES: Final = 32
#: One-time public key ‖ encrypted share ‖ tag.
SEALED_SHARE_BYTES: Final = 32 + SHARE_BYTES + 16

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_PURPOSE: Final = b"walrus share v1"
_OUTPUT_PURPOSE: Final = b"walrus output v1"


def seal_share(encryption_key: bytes, share: bytes, request_digest: bytes) -> bytes:
    """The share for the holder of a session's encryption key, 96 bytes. The library draws the one-time key.

    Args:
        encryption_key: 32 bytes, of the session grant.
        request_digest: of the request that is answered.
    Raises: MalformedKey: nothing can be sealed to such a key.
    """
    return _sealed(encryption_key, share, _PURPOSE + request_digest)


def seal_data_key(encryption_key: bytes, data_key: bytes, bound: bytes) -> bytes:
    """The key of a job's output for the holder of the order's encryption key.

    Args:
        encryption_key: 32 bytes.
        data_key: 32 bytes.
        bound: which job and node it is of.
    Raises: MalformedKey: nothing can be sealed to such a key.
    """
    return _sealed(encryption_key, data_key, _OUTPUT_PURPOSE + bound)


def _sealed(encryption_key: bytes, secret: bytes, purpose: bytes) -> bytes:
    try:
        public = X25519PublicKey.from_public_bytes(encryption_key)
        return _SUITE.encrypt(secret, public, purpose)
    except ValueError:
        raise MalformedKey("encryption key", "nothing can be sealed to it") from None


class SealingKey:
    """What a session's answers are sealed to: a private key of X25519. It never prints itself."""

    __slots__ = ("_private",)

    def __init__(self, private_key: bytes) -> None:
        """
        Args:
            private_key: 32 bytes by chance.
        Raises: MalformedPrivateKey: of another length.
        """
        if len(private_key) != ENCRYPTION_KEY_BYTES:
            raise MalformedPrivateKey(f"it has {len(private_key)} bytes, {ENCRYPTION_KEY_BYTES} are needed")
        self._private: Final = X25519PrivateKey.from_private_bytes(private_key)

    @classmethod
    def generate(cls, random: Chance) -> SealingKey:
        """A new key."""
        return cls(random(ENCRYPTION_KEY_BYTES))

    @property
    def public(self) -> bytes:
        """The 32 bytes that a session grant names as its encryption key."""
        return self._private.public_key().public_bytes_raw()

    def to_bytes(self) -> bytes:
        """The 32 secret bytes, for keeping them."""
        return self._private.private_bytes_raw()

    def open_share(self, sealed: bytes, request_digest: bytes) -> bytes:
        """The share that a node sealed; not verified (`KeyEnvelope.verify_share`).

        Raises: SealNotOpened: not made for this key and this request, or changed.
        """
        if len(sealed) != SEALED_SHARE_BYTES:
            raise SealNotOpened
        try:
            return _SUITE.decrypt(sealed, self._private, _PURPOSE + request_digest)
        except (InvalidTag, ValueError):
            raise SealNotOpened from None

    def open_data_key(self, sealed: bytes, bound: bytes) -> bytes:
        """The key of a job's output.

        Args:
            bound: which job and node it is of.
        Raises: SealNotOpened: not made for this key, job and node, or changed.
        """
        try:
            return _SUITE.decrypt(sealed, self._private, _OUTPUT_PURPOSE + bound)
        except (InvalidTag, ValueError):
            raise SealNotOpened from None

    def __repr__(self) -> str:
        return f"SealingKey({self.public.hex()})"
