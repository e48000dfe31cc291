"""The files that hold a node's secrets: the signer's keystore, the encryption key, and the password of both.

The signer's key signs attestations; it is kept as an Ethereum keystore (version 3), so any wallet can read it. The
encryption key (X25519) is what others encrypt to for this node; it is kept as encrypted PKCS #8. Files are readable by
their owner only. No error or log line ever holds a key or a password.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from walrus_chain.errors import Misuse
from walrus_chain.messages.signing import LocalSigner

#: Work to derive the keystore's key from a password that a person thought of: a second or so.
DEFAULT_SCRYPT_N: Final = 2**17
#: The same for a password of chance bytes, which nobody guesses however fast they try.
SCRYPT_N_FOR_CHANCE: Final = 2**10
_PASSWORD_BYTES: Final = 32


class UnusableKey(Misuse):
    """A file with a secret is missing, unreadable by us, readable by others, or does not open."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} cannot be used: {why}")
        self.path, self.why = path, why


class KeyExists(Misuse):
    """A secret is not written over another one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already; a key that is lost cannot be had again, so move it away yourself")
        self.path = path


def read_password(path: Path) -> str:
    """The password in a file, without the line end.

    Raises: UnusableKey: missing, empty, or readable by others.
    """
    password = _read_secret(path).decode(errors="strict").rstrip("\r\n")
    if not password:
        raise UnusableKey(path, "it is empty; write the keystore's password into it")
    return password


def load_key(path: Path, password: str) -> bytes:
    """The 32-byte key that a keystore holds.

    Raises: UnusableKey: missing, readable by others, no keystore, or another password.
    """
    from eth_keyfile.keyfile import decode_keyfile_json

    data = _read_secret(path)
    try:
        document = json.loads(data)
        # eth_keyfile says `str`, but derives by PBKDF2 from bytes only; by scrypt from both.
        key: bytes = decode_keyfile_json(document, password.encode())  # type: ignore[arg-type]
    except ValueError as error:
        wrong_password = "mac" in str(error).lower()
        raise UnusableKey(path, "the password is wrong" if wrong_password else "it is no keystore") from None
    except (AttributeError, KeyError, TypeError, NotImplementedError) as error:
        # What eth_keyfile makes of other documents, of versions and of ciphers that it does not know.
        raise UnusableKey(path, "it is no keystore (version 3)") from error
    return key


def load_signer(path: Path, password: str) -> LocalSigner:
    """The signer whose key a keystore holds.

    Raises: UnusableKey: as `load_key`.
    """
    return LocalSigner(load_key(path, password))


def write_signer(path: Path, key: bytes, password: str, scrypt_n: int = DEFAULT_SCRYPT_N) -> LocalSigner:
    """Keeps a 32-byte key in a new keystore.

    Args:
        scrypt_n: work to open it, a power of 2; less makes starting faster and guessing the password cheaper.
    Raises:
        KeyExists: there is a file already.
        MalformedPrivateKey: `key` is none.
    """
    from eth_keyfile.keyfile import create_keyfile_json

    signer = LocalSigner(key)
    document = create_keyfile_json(key, password, kdf="scrypt", iterations=scrypt_n)
    _write_secret(path, json.dumps(document).encode())
    return signer


def load_encryption_key(path: Path, password: str) -> X25519PrivateKey:
    """The node's encryption key.

    Raises: UnusableKey: missing, readable by others, no X25519 key, or another password.
    """
    try:
        key = load_pem_private_key(_read_secret(path), password.encode())
    except (ValueError, TypeError):
        raise UnusableKey(path, "it is no encrypted key, or the password is wrong") from None
    if not isinstance(key, X25519PrivateKey):
        raise UnusableKey(path, "it holds a key, but no X25519 key")
    return key


def write_encryption_key(path: Path, password: str) -> X25519PrivateKey:
    """A new encryption key, kept in a new file.

    Raises: KeyExists: there is a file already.
    """
    key = X25519PrivateKey.generate()
    _write_secret(
        path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    )
    return key


def public_bytes(key: X25519PrivateKey) -> bytes:
    """The 32 bytes that others encrypt to."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def write_password(path: Path) -> str:
    """A new password nobody can guess, kept in a new file.

    Raises: KeyExists: there is a file already.
    """
    password = os.urandom(_PASSWORD_BYTES).hex()
    _write_secret(path, password.encode() + b"\n")
    return password


def _read_secret(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read()
    except OSError as error:
        raise UnusableKey(path, error.strerror or str(error)) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UnusableKey(path, f"others may read or write it; run `chmod 600 {path}`")
    return data


def _write_secret(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise KeyExists(path) from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
