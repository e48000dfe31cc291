"""The files that hold a node's secrets: the signer's keystore, the master keys, and the password of both.

The signer's key signs attestations; it is kept as an Ethereum keystore (version 3), so any wallet can read it. Master
keys are what others seal to for this node: the newest is registered, older ones still open what was sealed to them.
They are kept together, encrypted by AES-256-GCM under a key that scrypt derives from the password. Files are readable
by their owner only. No error or log line ever holds a key or a password.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from walrus_chain.crypto.curve import SCALAR_BYTES
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.errors import MalformedPrivateKey, Misuse
from walrus_chain.messages.signing import LocalSigner

#: Work to derive the keystore's key from a password that a person thought of: a second or so.
DEFAULT_SCRYPT_N: Final = 2**17
#: The same for a password of chance bytes, which nobody guesses however fast they try.
SCRYPT_N_FOR_CHANCE: Final = 2**10
_PASSWORD_BYTES: Final = 32

_MASTER_KEYS: Final = "walrus master keys"
_MASTER_KEYS_VERSION: Final = 1
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
#: More would need gigabytes to open a file.
_LARGEST_SCRYPT_N: Final = 2**20
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1


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


def load_master_keys(path: Path, password: str) -> tuple[MasterKey, ...]:
    """The node's master keys, newest first; at least one.

    Raises: UnusableKey: missing, readable by others, no such file, changed, or another password.
    """
    return _open_master_keys(path, password)[0]


def write_master_keys(path: Path, password: str, scrypt_n: int = DEFAULT_SCRYPT_N) -> tuple[MasterKey, ...]:
    """A new master key, kept in a new file.

    Args:
        scrypt_n: work to open it, a power of 2, as of `write_signer`.
    Raises: KeyExists: there is a file already.
    """
    keys = (MasterKey.generate(os.urandom),)
    _write_secret(path, _sealed_master_keys(keys, password, scrypt_n))
    return keys


def add_master_key(path: Path, password: str) -> tuple[MasterKey, ...]:
    """All master keys with a new one in front, kept in place of the file; register the new one.

    Raises: UnusableKey: as `load_master_keys`.
    """
    older, scrypt_n = _open_master_keys(path, password)
    keys = (MasterKey.generate(os.urandom), *older)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    _write_secret(beside, _sealed_master_keys(keys, password, scrypt_n))
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return keys


def _sealed_master_keys(keys: tuple[MasterKey, ...], password: str, scrypt_n: int) -> bytes:
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    plaintext = b"".join(key.to_bytes() for key in keys)
    ciphertext = AESGCM(_file_key(password, salt, scrypt_n)).encrypt(nonce, plaintext, _MASTER_KEYS.encode())
    document = {
        "kind": _MASTER_KEYS,
        "version": _MASTER_KEYS_VERSION,
        "scrypt": {"n": scrypt_n, "r": _SCRYPT_R, "p": _SCRYPT_P, "salt": salt.hex()},
        "nonce": nonce.hex(),
        "ciphertext": ciphertext.hex(),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _open_master_keys(path: Path, password: str) -> tuple[tuple[MasterKey, ...], int]:
    """The keys, and the work that their file takes to open."""
    data = _read_secret(path)
    try:
        document = json.loads(data)
        if not _is_known(document):
            raise UnusableKey(path, "it holds no master keys that this version knows")
        scrypt_n: int = document["scrypt"]["n"]
        salt = bytes.fromhex(document["scrypt"]["salt"])
        nonce, ciphertext = bytes.fromhex(document["nonce"]), bytes.fromhex(document["ciphertext"])
        plaintext = AESGCM(_file_key(password, salt, scrypt_n)).decrypt(nonce, ciphertext, _MASTER_KEYS.encode())
    except InvalidTag:
        raise UnusableKey(path, "the password is wrong, or the file was changed") from None
    except (ValueError, KeyError, TypeError):
        raise UnusableKey(path, "it holds no master keys") from None
    try:
        parts = range(0, len(plaintext), SCALAR_BYTES)
        keys = tuple(MasterKey(plaintext[start : start + SCALAR_BYTES]) for start in parts)
    except MalformedPrivateKey:
        raise UnusableKey(path, "one of its keys is none") from None
    if not keys:
        raise UnusableKey(path, "it holds no key")
    return keys, scrypt_n


def _is_known(document: dict[str, Any]) -> bool:
    work = document["scrypt"]
    return (
        (document["kind"], document["version"]) == (_MASTER_KEYS, _MASTER_KEYS_VERSION)
        and (work["r"], work["p"]) == (_SCRYPT_R, _SCRYPT_P)
        and isinstance(work["n"], int)
        and 1 < work["n"] <= _LARGEST_SCRYPT_N
    )


def _file_key(password: str, salt: bytes, scrypt_n: int) -> bytes:
    return Scrypt(salt, length=32, n=scrypt_n, r=_SCRYPT_R, p=_SCRYPT_P).derive(password.encode())


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
