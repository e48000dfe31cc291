"""Keys from keys: HKDF with SHA-256 and a purpose, so that no key serves two."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DATA_KEY_BYTES: Final = 32


def derive(key: bytes, purpose: bytes, length: int = 32, salt: bytes | None = None) -> bytes:
    """`length` bytes that only who has `key` can know.

    Args:
        purpose: HKDF's info: what they are for, and whatever else they are bound to.
    """
    return HKDF(SHA256(), length, salt, purpose).derive(key)
