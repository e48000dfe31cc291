"""Keys of a local network: made fresh for it, kept in keystores of its home, worth nothing anywhere else."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from walrus_chain.types import Address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

#: Rounds of key derivation. Few on purpose: these keys guard nothing, and ten agents start at once.
_ROUNDS = 1_000
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A keystore (Web3 Secret Storage, version 3) with its password beside it."""

    path: Path
    password_file: Path

    @property
    def address(self) -> Address:
        """The account, read without the password."""
        from eth_utils.address import to_checksum_address

        return Address(to_checksum_address(json.loads(self.path.read_text())["address"]))

    def open(self) -> LocalAccount:
        """The account with its key."""
        from eth_account import Account

        key = Account.decrypt(json.loads(self.path.read_text()), self.password_file.read_text().strip())
        account: LocalAccount = Account.from_key(key)
        return account

    @classmethod
    def at(cls, path: Path) -> KeyFile:
        """The keystore at `path`, whether there is one or not."""
        return cls(path, path.with_suffix(".password"))

    @classmethod
    def create(cls, path: Path) -> KeyFile:
        """A new account in a new keystore at `path`; an existing one is kept."""
        key_file = cls.at(path)
        if not path.exists():
            from eth_account import Account

            path.parent.mkdir(parents=True, exist_ok=True)
            password = secrets.token_urlsafe(16)
            account = Account.create()
            keystore = Account.encrypt(account.key, password, kdf="pbkdf2", iterations=_ROUNDS)
            _write_private(key_file.password_file, password + "\n")
            _write_private(path, json.dumps({**keystore, "address": account.address}, indent=2) + "\n")
        return key_file


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=_PRIVATE)
    path.chmod(_PRIVATE)
    path.write_text(text)
