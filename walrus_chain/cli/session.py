"""The client that a command works with: network and wallet by name, the wallet opened only when something is signed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from walrus_chain.cli.output import Output
from walrus_chain.client.home import WalrusHome
from walrus_chain.errors import (
    HomeUnreadable,
    MalformedArgument,
    Misuse,
    NameTaken,
    PasswordMissing,
    TargetUnwritable,
    UnknownWallet,
)
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, JobId, NodeId, PoolId, TriggerId

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from walrus_chain.client.client import Client
    from walrus_chain.client.home import Wallet
    from walrus_chain.messages.signing import Signer

T = TypeVar("T")
#: Numbers of nodes are below this, on chain.
_NODES = 2**32
_WORD_BYTES = 32
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def home() -> WalrusHome:
    """The person's networks and wallets."""
    return WalrusHome.locate(os.environ)


def output(as_json: bool) -> Output:
    """Where the command prints."""
    return Output(as_json=as_json)


def reading(network: str | None, use: Callable[[Client], Awaitable[T]]) -> T:
    """Runs `use` with a client that signs nothing."""
    return _run(network, None, None, use)


def reading_as(
    network: str | None,
    wallet: str | None,
    password_file: Path | None,
    use: Callable[[Client], Awaitable[T]],
) -> T:
    """Runs `use` with a client that reads as a wallet's account; the wallet is opened only when it has to sign."""
    home().network(network)
    try:
        chosen = home().wallet(wallet)
    except UnknownWallet:
        if wallet is not None:
            raise
        return reading(network, use)
    return _run(network, None, _ClosedWallet(chosen, password_file), use)


def signing(
    network: str | None,
    wallet: str | None,
    password_file: Path | None,
    use: Callable[[Client], Awaitable[T]],
) -> T:
    """Runs `use` with a client that signs with a wallet."""
    chosen = home().network(network)  # first, so that nobody types a password for nothing
    return _run(chosen.name, unlock(home().wallet(wallet), password_file), None, use)


def address_of(wallet: str | None) -> Address | None:
    """The address of the named or chosen wallet, without opening it; None where none is named nor chosen."""
    try:
        return home().wallet(wallet).address
    except UnknownWallet:
        if wallet is not None:
            raise
        return None


def unlock(wallet: Wallet, password_file: Path | None) -> LocalAccount:
    """The wallet's account, its password from a file or from the person at the terminal.

    Raises:
        PasswordMissing: no file, and nobody at a terminal.
        WrongPassword: it does not open the wallet.
    """
    return wallet.unlock(password_for(wallet.name, password_file or wallet.password_file))


def password_for(wallet: str, password_file: Path | None, *, twice: bool = False) -> str:
    """A wallet's password, from a file or from the person at the terminal.

    Args:
        twice: ask again to be sure, where it is a new one.
    Raises: PasswordMissing: no file, and nobody at a terminal.
    """
    if password_file is not None:
        try:
            return password_file.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise HomeUnreadable(password_file, str(error)) from error
    if not sys.stdin.isatty():
        raise PasswordMissing(wallet)
    import getpass

    password = getpass.getpass(f"Password of wallet {wallet}: ")
    if twice and getpass.getpass("The same again: ") != password:
        raise Misuse("these were two different passwords; nothing was changed, try again")
    return password


def blob_ref(text: str) -> BlobId | BlobObjectId:
    """What a person means by BLOB: decimal digits are an object's number, everything else a blob id.

    Raises: MalformedBlobId: neither.
    """
    stripped = text.strip().removeprefix("#")
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 43:
        return BlobObjectId(int(stripped))
    return BlobId.parse(text)


def parse_address(text: str) -> Address:
    """An account that a person typed.

    Raises: MalformedArgument: no address, or one with a typing error.
    """
    from eth_utils.address import is_address, is_checksum_address, to_checksum_address

    digits = text.removeprefix("0x")
    if not is_address(text):
        raise MalformedArgument("an account's address", text, "it is 40 hex digits after 0x")
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        raise MalformedArgument("an account's address", text, "it has a typing error, its checksum is wrong")
    return Address(to_checksum_address(text))


def parse_node(text: str) -> NodeId:
    """A node that a person named by its number.

    Raises: MalformedArgument: no number of a node.
    """
    digits = text.strip().removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits) < _NODES:
        raise MalformedArgument(
            "a node", text, "nodes are numbered from 1; `walrus info committee` lists those that serve"
        )
    return NodeId(int(digits))


def parse_hex(what: str, text: str | None) -> bytes | None:
    """Bytes that a person typed in hex, with or without 0x; None where nothing was typed.

    Raises: MalformedArgument: something else.
    """
    if text is None:
        return None
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise MalformedArgument(what, text, "write hex digits, two for each byte") from None


def parse_pairs(pairs: Iterable[str], what: str = "an attribute", form: str = "write KEY=VALUE") -> dict[str, str]:
    """What a person typed as KEY=VALUE.

    Raises: MalformedArgument: one has no `=`, or no key.
    """
    parsed = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not key or not separator:
            raise MalformedArgument(what, pair, form)
        parsed[key] = value
    return parsed


def write_new(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files into a folder, which is made where there is none.

    Raises:
        NameTaken: one of them is there already; nothing was written.
        TargetUnwritable: the folder cannot be made or written to.
    """
    for name in files:
        if (folder / name).exists():
            raise NameTaken("file", str(folder / name))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text)
    except OSError as error:
        raise TargetUnwritable(str(folder), error.strerror or str(error)) from error


def parse_range(text: str) -> tuple[int, int | None]:
    """A byte range that a person typed, as in HTTP: `0-99` is the first hundred bytes, `100-` all from byte 100 on.

    Returns: the first byte, and one past the last; None for the blob's end.
    Raises: MalformedArgument: another form, or it ends before it begins.
    """
    first, separator, last = text.partition("-")
    if not separator or not first.isdigit() or not (last.isdigit() or not last):
        raise MalformedArgument("a range of bytes", text, "write FIRST-LAST or FIRST-, both counted from 0")
    if last and int(last) < int(first):
        raise MalformedArgument("a range of bytes", text, "it ends before it begins")
    return int(first), int(last) + 1 if last else None


def parse_pool(text: str) -> PoolId:
    """A revenue pool that a person named by its number.

    Raises: MalformedArgument.
    """
    return PoolId(_number("a revenue pool", text))


def parse_channel(text: str) -> ChannelId:
    """A channel that a person named by its number.

    Raises: MalformedArgument.
    """
    return ChannelId(_number("a channel", text))


def parse_job(text: str) -> JobId:
    """A job that a person named by its number.

    Raises: MalformedArgument.
    """
    return JobId(_number("a job", text))


def parse_trigger(text: str) -> TriggerId:
    """A trigger that a person named by its number.

    Raises: MalformedArgument.
    """
    return TriggerId(_number("a trigger", text))


def parse_nodes(text: str | None) -> list[NodeId] | None:
    """Nodes that a person named by their numbers, with commas between.

    Raises: MalformedArgument.
    """
    return None if text is None else [parse_node(part) for part in text.split(",")]


def parse_word(what: str, text: str) -> bytes:
    """32 bytes that a person typed in hex.

    Raises: MalformedArgument.
    """
    word = parse_hex(what, text) or b""
    if len(word) != _WORD_BYTES:
        raise MalformedArgument(what, text, f"it is {2 * _WORD_BYTES} hex digits")
    return word


def parse_seconds(text: str) -> int:
    """A length of time that a person typed: seconds, or a number with s, m, h or d.

    Raises: MalformedArgument.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    if not number.isascii() or not number.isdigit():
        raise MalformedArgument("a length of time", text, "write seconds, or a number with m, h or d, such as 2d")
    return int(number) * _UNITS[unit]


def write_text(path: Path, text: str) -> None:
    """Writes a file that a person named; it appears only when it is complete.

    Raises: TargetUnwritable.
    """
    from walrus_chain.client.targets import writing_to

    with writing_to(path) as file:
        file.write(text.encode())


@dataclass(frozen=True, slots=True)
class _ClosedWallet:
    """A wallet that is opened, its password asked for, only when something is to be signed."""

    wallet: Wallet
    password_file: Path | None

    @property
    def address(self) -> Address:
        """Its account."""
        return self.wallet.address

    def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r ‖ s ‖ v."""
        from walrus_chain.client.accounts import AccountSigner

        return AccountSigner(unlock(self.wallet, self.password_file)).sign_digest(digest)


def _number(what: str, text: str) -> int:
    digits = text.strip().removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or not 0 < int(digits) < 2**63:
        raise MalformedArgument(what, text, "it has a number from 1")
    return int(digits)


def _run(
    network: str | None,
    account: LocalAccount | None,
    requester: Signer | None,
    use: Callable[[Client], Awaitable[T]],
) -> T:
    from walrus_chain.client.client import Client

    chosen = home().network(network)

    async def work() -> T:
        async with Client.connect(
            chosen.rpc, chosen.deployment, account=account, requester=requester, home=home()
        ) as client:
            return await use(client)

    return asyncio.run(work())
