"""`walrus policy`: the rules that data carries, from a first draft to the object that they hold for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render_policy, session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName
from walrus_chain.cli.output import FAILURE
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId

if TYPE_CHECKING:
    from walrus_chain.chain.policy_writer import PolicyReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.client.client import Client
    from walrus_chain.client.policies import DryRun, ObjectPolicies

policies = typer.Typer(
    help="The rules that data carries: who may use it, at what price, and what must stay.", no_args_is_help=True
)
app = typer.Typer()
app.add_typer(policies, name="policy")

#: Stands for no policy where one may be named.
_NONE = "none"
#: Stands for the address of the wallet in use.
_ME = "me"
_ADDRESS = re.compile(r"0x[0-9A-Fa-f]{40}")

YourObject = Annotated[str, typer.Argument(metavar="OBJECT", help="Number of an object, or id of a blob, of yours.")]
ContractName = Annotated[
    str | None, typer.Option("--contract", help="Which contract of the file, where it holds several policies.")
]
Evidence = Annotated[
    str | None,
    typer.Option(metavar="HEX", help="What the reader shows, as the policy expects it; found when not given."),
]
Credential = Annotated[
    str | None,
    typer.Option(metavar="UID", help="Credential to show; the reader's newest that fits when not given."),
]


@policies.command("list")
def list_(json: Json = False) -> None:
    """Ready-made policies: what each does, and the arguments that `walrus policy deploy` takes for it."""
    from walrus_chain.policies.kinds import KINDS

    session.output(json).table(
        [render_policy.kind(kind) for kind in KINDS.values()],
        ("Kind", "For", "Arguments", "What it does"),
        [render_policy.kind_row(kind) for kind in KINDS.values()],
        "",
    )


@policies.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the contract, such as MembersOnly.")],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Folder to make; one with the policy's name when not given.")
    ] = None,
    json: Json = False,
) -> None:
    """Write a policy that works, and its test: a folder with two files to go on from."""
    from walrus_chain.chain.policy_sources import policy_settings
    from walrus_chain.policies.skeleton import skeleton

    place = folder or Path(name)
    files = skeleton(name, policy_settings().release)
    session.write_new(place, files)
    session.output(json).result(
        {"policy": name, "folder": str(place), "files": [str(place / file) for file in files]},
        "\n".join([*(str(place / file) for file in files), f"Next: walrus policy test {place}"]),
    )


@policies.command("test")
def run_tests(
    folder: Annotated[Path, typer.Argument(help="Where the tests are.")] = Path(),
    json: Json = False,
) -> None:
    """Run tests of policies on a chain of their own, which is gone afterwards. Exit code 1 when one fails."""
    from walrus_chain.devnet.policy_tests import run_policy_tests

    ran = run_policy_tests(folder, quiet=json)
    session.output(json).result({"passed": ran.passed, "failed": ran.failed})
    if ran.failed:
        raise typer.Exit(FAILURE)


@policies.command()
def deploy(
    what: Annotated[str, typer.Argument(metavar="KIND|FILE.sol", help="A ready-made kind, or a policy of your own.")],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help="Its arguments; lists with commas. For an address, `me` is your wallet, and a name is another wallet "
            "or, as in `token=WAL`, a contract of the network.",
        ),
    ] = None,
    contract: ContractName = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Create a policy: of a ready-made kind, or from Solidity, which is compiled first."""
    from walrus_chain.policies.kinds import kind_named
    from walrus_chain.policies.values import parse_arguments

    out, pairs = session.output(json), session.parse_pairs(arguments or (), "an argument", "write NAME=VALUE")
    if what.endswith(".sol"):
        from walrus_chain.chain.policy_code import compile_policy

        code = compile_policy(Path(what), contract)
        for warning in code.warnings:
            out.note(warning)
        named = _addresses(pairs, code.parameters, network, wallet)
        name, values = code.name, parse_arguments(code.name, code.parameters, named)

        async def work(client: Client) -> PolicyReceipt:
            return await client.policies.deploy(code, values)
    else:
        kind = kind_named(what)
        name, values = kind.name, kind.parse(_addresses(pairs, kind.parameters, network, wallet))

        async def work(client: Client) -> PolicyReceipt:
            return await client.policies.create(name, values)

    made = session.signing(network, wallet, password_file, work)
    out.result(render_policy.made(name, made), render_policy.made_text(name, made))


@policies.command()
def show(
    target: Annotated[str, typer.Argument(metavar="POLICY|OBJECT", help="A policy's address, or an object or blob.")],
    network: NetworkName = None,
    json: Json = False,
) -> None:
    """What a policy is, down to the policies that it asks; or the policies of an object, those announced included."""
    out, wanted = session.output(json), _target(target)
    if isinstance(wanted, str):
        policy = session.reading(network, lambda client: client.policies.describe(wanted))
        out.result(render_policy.policy(policy), render_policy.policy_text(policy))
    else:
        found = session.reading(network, lambda client: client.policies.show(wanted))
        out.result(render_policy.object_policies(found), render_policy.object_policies_text(found))


@policies.command("dry-run")
def dry_run(
    target: Annotated[str, typer.Argument(metavar="OBJECT|POLICY", help="An object or blob, or a policy's address.")],
    reader: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who would use the data; your wallet when none is named.")
    ] = None,
    compute: Annotated[bool, typer.Option("--compute", help="To compute on it; to read when not given.")] = False,
    sequence: Annotated[int, typer.Option(min=0, help="Which use by this reader it is, counted from 0.")] = 0,
    evidence: Evidence = None,
    credential: Credential = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """What the network would decide, which clause decides it, and the price. Exit code 1 when it would deny."""
    from walrus_chain.messages.access import Action

    out, wanted = session.output(json), _target(target)
    account = session.parse_address(reader) if reader else session.home().wallet(wallet).address
    action = Action.COMPUTE if compute else Action.READ
    shown, uid = session.parse_hex("evidence", evidence), session.parse_hex("a credential's uid", credential)

    async def work(client: Client) -> DryRun:
        return await client.policies.dry_run(
            wanted, account, action=action, sequence=sequence, evidence=shown, credential=uid
        )

    ran = session.reading(network, work)
    out.result(render_policy.dry_run(ran), render_policy.dry_run_text(ran))
    if not ran.allowed:
        raise typer.Exit(FAILURE)


@policies.command()
def attach(
    blob_object: YourObject,
    access: Annotated[str | None, typer.Option(metavar="POLICY", help="Decides who may use the data.")] = None,
    retention: Annotated[str | None, typer.Option(metavar="POLICY", help="Decides what must stay.")] = None,
    notice: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How long changes are announced; as short as may be if none.")
    ] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Give an object its first policies. The data stay readable by all: `walrus store --private` encrypts them."""
    out, ref = session.output(json), session.blob_ref(blob_object)
    chosen = _policy(access) or NOBODY, _policy(retention) or NOBODY

    async def work(client: Client) -> ObjectPolicies:
        return await client.policies.attach(ref, access=chosen[0], retention=chosen[1], notice_seconds=notice)

    found = session.signing(network, wallet, password_file, work)
    out.result(render_policy.object_policies(found), render_policy.object_policies_text(found))


@policies.command()
def announce(
    blob_object: YourObject,
    access: Annotated[
        str | None, typer.Option(metavar="POLICY", help="The next access policy, or `none`: the owner alone.")
    ] = None,
    retention: Annotated[str | None, typer.Option(metavar="POLICY", help="The next one, or `none`.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Announce other policies for an object; they hold when the notice is over. What is not named stays as it is."""
    out, ref = session.output(json), session.blob_ref(blob_object)
    chosen = _policy(access), _policy(retention)

    async def work(client: Client) -> ObjectPolicies:
        return await client.policies.announce(ref, access=chosen[0], retention=chosen[1])

    found = session.signing(network, wallet, password_file, work)
    out.result(render_policy.object_policies(found), render_policy.announced_text(found))


@policies.command()
def enlist(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="An AllowList or DenyList that you keep.")],
    accounts: Annotated[list[str], typer.Argument(metavar="ADDRESS...", help="Accounts.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take them off the list.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Put accounts on the list of an AllowList or DenyList policy, or take them off."""
    address, listed = session.parse_address(policy), [session.parse_address(account) for account in accounts]

    async def work(client: Client) -> Receipt:
        return await client.policies.set_listed(address, listed, listed=not remove)

    receipt = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"policy": address, "accounts": listed, "listed": not remove, **render_policy.sent(receipt)},
        f"{len(listed)} accounts are {'off' if remove else 'on'} the list of {address}",
    )


@policies.command()
def hold(
    blob_object: Annotated[str, typer.Argument(metavar="OBJECT", help="Number of an object, or id of a blob.")],
    release: Annotated[bool, typer.Option("--release", help="Let go of it.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Put a legal hold on an object, if its retention policy names you: until you let go it is not deleted."""
    ref = session.blob_ref(blob_object)

    async def work(client: Client) -> Receipt:
        return await client.policies.set_hold(ref, held=not release)

    receipt = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"object": blob_object, "held": not release, **render_policy.sent(receipt)},
        f"You {'let go of' if release else 'hold'} {blob_object}",
    )


# -- parts -----------------------------------------------------------------------------------------------------------


def _target(text: str) -> Address | BlobId | BlobObjectId:
    """A policy by its address, or what `session.blob_ref` takes."""
    return session.parse_address(text) if _ADDRESS.fullmatch(text.strip()) else session.blob_ref(text)


def _addresses(
    pairs: Mapping[str, str], parameters: Sequence[tuple[str, str]], network: str | None, wallet: str | None
) -> dict[str, str]:
    """The arguments, with names of wallets and of the network's contracts in place of addresses written as such."""
    home = session.home()
    known: dict[str, str] = dict(home.network(network).deployment.contracts)
    known |= {known_wallet.name: known_wallet.address for known_wallet in home.wallets()}
    if (mine := session.address_of(wallet)) is not None:
        known[_ME] = mine
    types = dict(parameters)
    return {
        name: ",".join(known.get(part.strip(), part) for part in value.split(","))
        if types.get(name, "").startswith("address")
        else value
        for name, value in pairs.items()
    }


def _policy(text: str | None) -> Address | None:
    """A policy that a person named, nobody for `none`; None when there is nothing."""
    if text is None:
        return None
    return NOBODY if text == _NONE else session.parse_address(text)
