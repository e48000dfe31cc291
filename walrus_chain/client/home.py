"""What a person has on this computer: networks they know, wallets they own, and which of them they use.

    config.json                  {"network": "local", "wallet": "me"}
    networks/local.json          RPC endpoints and the deployment
    wallets/me.json              keystore (Web3 Secret Storage, version 3), readable by its owner only
    private/CHAIN-CONTRACT/      secrets, sessions and promises of private data: `walrus_chain.client.keep`
    wallets/me.password          only where a network made for tests put it: the password, so that nobody is asked

The folder is $WALRUS_HOME, else $XDG_CONFIG_HOME/walrus, else ~/.config/walrus.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from walrus_chain.client.keep import FolderKeep
from walrus_chain.errors import (
    HomeUnreadable,
    MalformedName,
    NameTaken,
    UnknownNetwork,
    UnknownWallet,
    WrongPassword,
)
from walrus_chain.types import Address

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from walrus_chain.chain.deployments import Deployment
    from walrus_chain.messages.domain import Domain

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FEW_ROUNDS = 1_000
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be talked to."""

    name: str
    rpc: tuple[str, ...]
    """Endpoints of the chain, the preferred one first."""
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class Wallet:
    """An account whose key is on this computer, encrypted."""

    name: str
    address: Address
    path: Path

    @property
    def password_file(self) -> Path | None:
        """Where the password lies, if a network made for tests put it there."""
        path = self.path.with_suffix(".password")
        return path if path.exists() else None

    def unlock(self, password: str) -> LocalAccount:
        """The account, ready to sign.

        Raises: WrongPassword: it does not open the keystore.
        """
        from eth_account import Account

        account: LocalAccount = Account.from_key(open_keystore(self.path, password, self.name))
        return account


def open_keystore(path: Path, password: str, name: str) -> bytes:
    """The private key in a keystore, called `name` in messages.

    Raises:
        WrongPassword: it does not open the keystore.
        HomeUnreadable: it is no keystore.
    """
    from eth_account import Account

    try:
        return bytes(Account.decrypt(json.loads(path.read_text()), password))
    except ValueError as error:
        if "MAC" in str(error):
            raise WrongPassword(name) from None
        raise HomeUnreadable(path, f"it is no keystore ({error})") from error
    except (KeyError, TypeError, OSError) as error:
        raise HomeUnreadable(path, f"it is no keystore ({error})") from error


class WalrusHome:
    """The folder with a person's networks and wallets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def locate(cls, environment: Mapping[str, str]) -> WalrusHome:
        """The folder that the environment says."""
        if home := environment.get("WALRUS_HOME"):
            return cls(Path(home))
        config = environment.get("XDG_CONFIG_HOME")
        return cls((Path(config) if config else Path.home() / ".config") / "walrus")

    # -- networks ----------------------------------------------------------------------------------------------------

    def networks(self) -> tuple[str, ...]:
        """Names of the networks that are known."""
        return self._names("networks")

    def network(self, name: str | None = None) -> Network:
        """A network; the one in use when none is named.

        Raises: UnknownNetwork: there is no such network, or none is in use.
        """
        from walrus_chain.chain.deployments import Deployment

        chosen = name or self._config().get("network")
        if chosen is None or not (path := self._path("networks", "network", chosen)).exists():
            raise UnknownNetwork(chosen, self.networks())
        data = _load(path)
        rpc = data.get("rpc")
        if not isinstance(rpc, list) or not all(isinstance(url, str) for url in rpc) or not rpc:
            raise HomeUnreadable(path, "'rpc' is no list of URLs")
        return Network(chosen, tuple(rpc), Deployment.from_data(data.get("deployment"), path))

    def add_network(self, network: Network, *, replace: bool = False) -> None:
        """Makes a network known; the first one is used from then on.

        Raises: NameTaken: there is one of that name, and it is not to be replaced.
        """
        path = self._path("networks", "network", network.name)
        if path.exists() and not replace:
            raise NameTaken("network", network.name)
        _save(path, {"name": network.name, "rpc": list(network.rpc), "deployment": network.deployment.as_data()})
        if self._config().get("network") is None:
            self.use_network(network.name)

    def remove_network(self, name: str) -> None:
        """Forgets a network."""
        self._path("networks", "network", name).unlink(missing_ok=True)
        if self._config().get("network") == name:
            self._configure("network", None)

    def use_network(self, name: str) -> None:
        """Uses a network from now on.

        Raises: UnknownNetwork: there is no such network.
        """
        if name not in self.networks():
            raise UnknownNetwork(name, self.networks())
        self._configure("network", name)

    @property
    def current_network(self) -> str | None:
        """The name of the network in use."""
        return self._config().get("network")

    # -- wallets -----------------------------------------------------------------------------------------------------

    def wallets(self) -> tuple[Wallet, ...]:
        """The wallets on this computer."""
        return tuple(self.wallet(name) for name in self._names("wallets"))

    def wallet(self, name: str | None = None) -> Wallet:
        """A wallet; the one in use when none is named.

        Raises: UnknownWallet: there is no such wallet, or none is in use.
        """
        from eth_utils.address import is_address, to_checksum_address

        chosen = name or self._config().get("wallet")
        if chosen is None or not (path := self._path("wallets", "wallet", chosen)).exists():
            raise UnknownWallet(chosen, self._names("wallets"))
        address = _load(path).get("address")
        if not isinstance(address, str) or not is_address(address):
            raise HomeUnreadable(path, "it is a keystore without its address")
        return Wallet(chosen, Address(to_checksum_address(address)), path)

    def check_free(self, wallet: str) -> None:
        """Checks that there is no wallet of that name, before anybody types a password for it.

        Raises: NameTaken: there is one.
        """
        if self._path("wallets", "wallet", wallet).exists():
            raise NameTaken("wallet", wallet)

    def add_wallet(self, name: str, account: LocalAccount, password: str, *, keep_password: bool = False) -> Wallet:
        """Keeps an account's key, encrypted; the first wallet is used from then on.

        Args:
            keep_password: lay the password beside it, for networks made for tests only.
        Raises: NameTaken: there is a wallet of that name.
        """
        from eth_account import Account

        self.check_free(name)
        path = self._path("wallets", "wallet", name)
        # A password that lies beside its keystore makes deriving the key slowly pointless.
        options: dict[str, Any] = {"kdf": "pbkdf2", "iterations": _FEW_ROUNDS} if keep_password else {}
        keystore = {**Account.encrypt(account.key, password, **options), "address": account.address}
        _save(path, keystore)
        if keep_password:
            _write_private(path.with_suffix(".password"), password + "\n")
        if self._config().get("wallet") is None:
            self._configure("wallet", name)
        return Wallet(name, Address(account.address), path)

    def use_wallet(self, name: str) -> None:
        """Uses a wallet from now on.

        Raises: UnknownWallet: there is no such wallet.
        """
        self._configure("wallet", self.wallet(name).name)

    @property
    def current_wallet(self) -> str | None:
        """The name of the wallet in use."""
        return self._config().get("wallet")

    # -- private data ------------------------------------------------------------------------------------------------

    def keep(self, domain: Domain) -> FolderKeep:
        """Where what must not be forgotten about private data of a network is kept.

        Args:
            domain: of access: it names the network's chain and contract.
        """
        return FolderKeep(self.folder / "private" / f"{domain.chain_id}-{domain.verifying_contract}")

    # -- files -------------------------------------------------------------------------------------------------------

    def _names(self, kind: str) -> tuple[str, ...]:
        folder = self.folder / kind
        return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder.is_dir() else ()

    def _path(self, folder: str, kind: str, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise MalformedName(kind, name)
        return self.folder / folder / f"{name}.json"

    def _config(self) -> dict[str, str | None]:
        path = self.folder / "config.json"
        return _load(path) if path.exists() else {}

    def _configure(self, key: str, value: str | None) -> None:
        _save(self.folder / "config.json", {**self._config(), key: value})


def _load(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise HomeUnreadable(path, str(error)) from error
    if not isinstance(data, dict):
        raise HomeUnreadable(path, "it holds no JSON object")
    return data


def _save(path: Path, data: Mapping[str, Any]) -> None:
    _write_private(path, json.dumps(data, indent=2) + "\n")


def _write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner may read; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    draft.replace(path)
