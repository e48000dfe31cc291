"""`walrus stake`: WAL that stands behind nodes, earns with them and is slashed with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render_economy, session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName
from walrus_chain.types import parse_amount

if TYPE_CHECKING:
    from walrus_chain.chain.stakes import Leaving, Payout, Settled, Staked
    from walrus_chain.client.client import Client

stakes = typer.Typer(
    help="WAL that stands behind nodes, earns with them and is slashed with them.", no_args_is_help=True
)
app = typer.Typer()
app.add_typer(stakes, name="stake")

NodeNumber = Annotated[
    str, typer.Argument(metavar="NODE", help="A node's number, as `walrus info committee` shows it.")
]
AnyNode = Annotated[
    str | None, typer.Argument(metavar="NODE", help="A node's number; all of yours when none is named.")
]


@stakes.command("list")
def list_(
    owner: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="Whose; yours when none is named.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """What an account has staked, by node: what is active, gained, waiting and on its way out."""
    account = session.parse_address(owner) if owner else session.home().wallet(wallet).address
    found = session.reading(network, lambda client: client.stake.list(account))
    session.output(json).table(
        {"account": account, "stakes": [render_economy.stake(item) for item in found]},
        ("Node", "Name", "Active", "Gain", "Waiting", "On its way out", "Due now", "Notes"),
        [render_economy.stake_row(item) for item in found],
        f"{account} has no stake here; `walrus stake add NODE AMOUNT` stakes some",
    )


@stakes.command()
def add(
    node: NodeNumber,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 1000 or '12.5 WAL'.")],
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Stake WAL with a node. It counts from the next epoch on, or the one after, and is slashed with the node."""
    out, node_id, wanted = session.output(json), session.parse_node(node), parse_amount(amount)

    async def work(client: Client) -> Staked:
        return await client.stake.add(node_id, wanted, out.note)

    staked = session.signing(network, wallet, password_file, work)
    out.result(render_economy.staked(staked), render_economy.staked_text(staked))


@stakes.command()
def remove(
    node: NodeNumber,
    amount: Annotated[str | None, typer.Argument(metavar="AMOUNT", help="Such as 12.5; see --all.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of your active stake there.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Begin to take stake out. It earns nothing from then on, and can still be slashed until it is withdrawn."""
    out, node_id = session.output(json), session.parse_node(node)
    wanted = None if amount is None else parse_amount(amount)
    if (wanted is None) is not every:
        raise typer.BadParameter("name an amount, or --all", param_hint="AMOUNT")

    async def work(client: Client) -> Leaving:
        return await client.stake.remove(node_id, wanted, out.note)

    leaving = session.signing(network, wallet, password_file, work)
    out.result(render_economy.leaving(leaving), render_economy.leaving_text(leaving))


@stakes.command()
def withdraw(
    node: AnyNode = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Get stake paid out that was taken out and is due, and what else the vault owes you."""
    out, node_id = session.output(json), None if node is None else session.parse_node(node)

    async def work(client: Client) -> Payout:
        return await client.stake.withdraw(node_id, out.note)

    payout = session.signing(network, wallet, password_file, work)
    out.result(render_economy.payout(payout), render_economy.payout_text(payout))


@stakes.command()
def claim(
    node: AnyNode = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Get what your stake gained paid out, and what else the vault owes you. What you leave goes on earning."""
    out, node_id = session.output(json), None if node is None else session.parse_node(node)

    async def work(client: Client) -> Payout:
        return await client.stake.claim(node_id, out.note)

    payout = session.signing(network, wallet, password_file, work)
    out.result(render_economy.payout(payout), render_economy.payout_text(payout))


@stakes.command()
def settle(
    node: NodeNumber,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Bring a node's rewards up to date. Anybody may; stake and rewards are shown as of the last time."""
    out, node_id = session.output(json), session.parse_node(node)

    async def work(client: Client) -> Settled:
        return await client.stake.settle(node_id, out.note)

    settled = session.signing(network, wallet, password_file, work)
    out.result(render_economy.settled(settled), render_economy.settled_text(settled))
