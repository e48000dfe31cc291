"""`walrus wallet`: accounts whose keys are kept, encrypted, on this computer. No key is taken from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render, session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName
from walrus_chain.client.home import open_keystore
from walrus_chain.errors import HomeUnreadable, MalformedPrivateKey
from walrus_chain.types import format_amount, parse_amount

if TYPE_CHECKING:
    from walrus_chain.client.client import Client
    from walrus_chain.types import Wei

wallets = typer.Typer(help="Accounts whose keys are kept, encrypted, on this computer.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(wallets, name="wallet")

Name = Annotated[str, typer.Argument(help="What to call it.")]


@wallets.command()
def new(name: Name = "main", password_file: PasswordFile = None, json: Json = False) -> None:
    """Make a new account."""
    from eth_account import Account

    home = session.home()
    home.check_free(name)
    password = session.password_for(name, password_file, twice=True)
    wallet = home.add_wallet(name, Account.create(), password)
    session.output(json).result(
        {"wallet": name, "address": wallet.address, "keystore": str(wallet.path)},
        render.lines(
            f"Wallet {name} is made",
            [
                ("Address", wallet.address),
                ("Keystore", f"{wallet.path}: keep a copy of it, and its password; nobody can restore them"),
            ],
        ),
    )


@wallets.command("import")
def import_(
    name: Name = "main",
    key_file: Annotated[
        Path | None, typer.Option(help="File with the private key in hex, or a keystore; - reads standard input.")
    ] = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Keep an account that exists already. Its key is typed, or read from a file; never put it on the command line."""
    from eth_account import Account

    home = session.home()
    home.check_free(name)
    key = _private_key(key_file, password_file)
    password = session.password_for(name, password_file, twice=True)
    wallet = home.add_wallet(name, Account.from_key(key), password)
    session.output(json).result({"wallet": name, "address": wallet.address}, f"Wallet {name} is {wallet.address}")


@wallets.command("list")
def list_(json: Json = False) -> None:
    """Wallets on this computer."""
    home = session.home()
    known, current = home.wallets(), home.current_wallet
    session.output(json).table(
        [{"name": item.name, "address": item.address, "used": item.name == current} for item in known],
        ("", "Name", "Address"),
        [("*" if item.name == current else "", item.name, item.address) for item in known],
        "there is no wallet; `walrus wallet new` makes one",
    )


@wallets.command()
def use(name: Annotated[str, typer.Argument(help="A wallet on this computer.")], json: Json = False) -> None:
    """Use a wallet from now on."""
    session.home().use_wallet(name)
    session.output(json).result({"wallet": name}, f"{name} is used from now on")


@wallets.command()
def balance(
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="Whose; yours when none is named.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """What an account has: WAL, the chain's own currency, and what the vault owes it."""
    account = session.parse_address(address) if address else session.home().wallet(wallet).address
    has = session.reading(network, lambda client: client.chain.balances(account))
    facts = [
        ("Account", account),
        ("WAL", format_amount(has.wal)),
        ("For chain fees", f"{format_amount(has.native).removesuffix(' WAL')} of the chain's own currency"),
        ("Claim", f"{format_amount(has.claim)}, `walrus wallet withdraw` takes it out"),
    ]
    data = {"account": account, "wal": str(has.wal), "native": str(has.native), "claim": str(has.claim)}
    session.output(json).facts(data, facts if has.claim else facts[:-1])


@wallets.command()
def withdraw(
    amount: Annotated[
        str | None, typer.Argument(metavar="AMOUNT", help="Such as 12.5; all when none is named.")
    ] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Take what the vault owes you out of it: refunds of deleted blobs, earnings."""
    wanted = None if amount is None else parse_amount(amount)

    async def work(client: Client) -> Wei:
        return await client.withdraw(wanted)

    taken = session.signing(network, wallet, password_file, work)
    text = f"{format_amount(taken)} are yours now" if taken else "the vault owes you nothing"
    session.output(json).result({"withdrawn": str(taken)}, text)


def _private_key(key_file: Path | None, password_file: Path | None) -> bytes:
    """The key to import: typed, in hex in a file, or in another program's keystore.

    Raises:
        MalformedPrivateKey: not 64 hex digits, or nobody is at a terminal to type them.
        WrongPassword: the keystore does not open.
    """
    from walrus_chain.messages.signing import LocalSigner

    if key_file is None:
        if not sys.stdin.isatty():
            raise MalformedPrivateKey("nobody is at a terminal to type it; name a file that holds it by --key-file")
        import getpass

        text = getpass.getpass("Private key (64 hex digits, not shown): ")
    elif str(key_file) == "-":
        text = sys.stdin.read()
    else:
        try:
            text = key_file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise HomeUnreadable(key_file, str(error)) from error
        if text.lstrip().startswith("{"):
            return open_keystore(key_file, session.password_for(key_file.name, password_file), key_file.name)
    try:
        key = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise MalformedPrivateKey("it is not written in hex digits") from None
    LocalSigner(key)  # which refuses what is no key
    return key
