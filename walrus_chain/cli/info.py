"""`walrus info`: the network as a whole, and its committee, epoch and prices."""

from __future__ import annotations

import typer

from walrus_chain.cli import render, render_economy, session
from walrus_chain.cli.options import Json, NetworkName, WalletName

app = typer.Typer()
#: The bare command answers, too.
info = typer.Typer(invoke_without_command=True)
app.add_typer(info, name="info")


@info.callback()
def overview(
    context: typer.Context, network: NetworkName = None, wallet: WalletName = None, json: Json = False
) -> None:
    """The network: its clock, prices and nodes, and what your account has in it."""
    if context.invoked_subcommand is not None:
        context.obj = network, json
        return
    out, chosen = session.output(json), session.home().network(network)
    account = session.address_of(wallet)
    report = session.reading(network, lambda client: client.info(account))
    out.result(render.network(chosen.name, report), render.network_text(chosen.name, report))


@info.command()
def committee(context: typer.Context, network: NetworkName = None, json: Json = False) -> None:
    """Who serves: nodes with their regions, shards and stake, and shards that are on their way."""
    network, json = _given(context, network, json)
    out = session.output(json)
    report = session.reading(network, lambda client: client.committee())
    out.table(
        render_economy.committee(report),
        ("Node", "Name", "Region", "Shards", "On their way", "Stake", "Commission", "Missed"),
        [render_economy.member_row(report, node) for node in report.members],
        "this network has no committee yet",
    )
    if report.members and not json:
        typer.echo("\n" + render_economy.committee_text(report))


@info.command()
def epoch(context: typer.Context, network: NetworkName = None, json: Json = False) -> None:
    """The clock, the next committee, and the custody window of this epoch."""
    network, json = _given(context, network, json)
    report = session.reading(network, lambda client: client.epoch())
    session.output(json).result(render_economy.epoch(report), render_economy.epoch_text(report))


@info.command()
def price(context: typer.Context, network: NetworkName = None, json: Json = False) -> None:
    """What storage costs today and in the next epoch, and what the nodes vote for."""
    network, json = _given(context, network, json)
    report = session.reading(network, lambda client: client.prices())
    session.output(json).result(render_economy.prices(report), render_economy.prices_text(report))


def _given(context: typer.Context, network: str | None, as_json: bool) -> tuple[str | None, bool]:
    """Network and form of output, also where they stand before the name of the command."""
    before, json_before = context.obj
    return network or before, as_json or json_before
