"""`walrus compute trigger`: jobs that the network requests by itself, paid from a balance."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render_compute as render
from walrus_chain.cli import session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName
from walrus_chain.types import Wei, format_amount, parse_amount

if TYPE_CHECKING:
    from walrus_chain.client.client import Client
    from walrus_chain.client.compute import TriggerReport

triggers = typer.Typer(help="Jobs that the network requests by itself, paid from a balance.", no_args_is_help=True)

TriggerNumber = Annotated[str, typer.Argument(metavar="TRIGGER", help="Number of the trigger.")]


class Reason(StrEnum):
    """What fires a trigger."""

    ON_CERTIFY = "on-certify"
    EVERY_EPOCHS = "every-epochs"
    ON_PAYMENT = "on-payment"


@triggers.command()
def create(
    reason: Annotated[Reason, typer.Argument(help="What fires it: an object of yours, time, or who buys reads.")],
    program: Annotated[str, typer.Argument(metavar="PROGRAM", help="Blob id of the program.")],
    fee: Annotated[str, typer.Option(metavar="AMOUNT", help="What the nodes that agree get together.")],
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="OBJECT...", help="What it reads; none for on-certify.")
    ] = None,
    maximum: Annotated[
        str | None, typer.Option("--max", metavar="AMOUNT", help="What one job may cost; the fee if not named.")
    ] = None,
    fund: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Put this into it at once.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="From one job to the next, for every-epochs.")] = 1,
    per_epoch: Annotated[int, typer.Option(min=1, help="The most jobs in an epoch, for on-certify.")] = 1,
    argument: Annotated[str, typer.Option("--argument", "-a", help="The argument, a text.")] = "",
    fuel: Annotated[int, typer.Option(min=1, help="Fuel that a job may use.")] = 10**9,
    output_bytes: Annotated[int, typer.Option(min=0, help="The longest output.")] = 2**20,
    replicas: Annotated[int, typer.Option("--replicas", "-k", help="How many nodes run a job: 1, 3, 5 or 7.")] = 3,
    sealed: Annotated[
        bool | None,
        typer.Option(
            "--sealed/--clear", help="Seal outputs to this computer; done if not named, unless all is public."
        ),
    ] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Make a trigger: agents request its jobs in your name, none above --max and none beyond its balance."""
    module, objects, offered = (
        session.blob_ref(program),
        [session.blob_ref(one) for one in inputs or ()],
        parse_amount(fee),
    )
    limit, amount = parse_amount(maximum) if maximum else offered, parse_amount(fund) if fund else None

    async def work(client: Client) -> TriggerReport:
        from walrus_chain.chain.compute_views import TriggerKind, TriggerTerms

        kind = TriggerKind[reason.name]
        order = await client.compute.order(
            module,
            objects,
            fee=offered,
            argument=argument.encode(),
            fuel=fuel,
            output_limit=output_bytes,
            replicas=replicas,
            sealed=sealed,
        )
        every = epochs if kind is TriggerKind.EVERY_EPOCHS else 0
        most = per_epoch if kind is TriggerKind.ON_CERTIFY else 1
        made = await client.compute.create_trigger(TriggerTerms(kind, order, limit, every, most), amount=amount)
        return await client.compute.show_trigger(made.trigger)

    made = session.signing(network, wallet, password_file, work)
    session.output(json).result(render.trigger(made), render.trigger_text(made))


@triggers.command("fund")
def fund_(
    trigger: TriggerNumber,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 0.5 or '0.5 WAL'.")],
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Put something into a trigger, anybody's; it belongs to the trigger's owner then."""
    number, wanted = session.parse_trigger(trigger), parse_amount(amount)

    async def work(client: Client) -> TriggerReport:
        return await client.compute.fund_trigger(number, wanted)

    funded = session.signing(network, wallet, password_file, work)
    session.output(json).result(render.trigger(funded), render.trigger_text(funded))


@triggers.command()
def show(
    trigger: TriggerNumber,
    network: NetworkName = None,
    json: Json = False,
) -> None:
    """What a trigger does, and what is in it."""
    number = session.parse_trigger(trigger)
    found = session.reading(network, lambda client: client.compute.show_trigger(number))
    session.output(json).result(render.trigger(found), render.trigger_text(found))


@triggers.command()
def withdraw(
    trigger: TriggerNumber,
    amount: Annotated[str | None, typer.Argument(metavar="AMOUNT", help="All of it if not named.")] = None,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who gets it; you if not named.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Take something out of a trigger of yours; a trigger that is empty fires no more."""
    number, wanted = session.parse_trigger(trigger), parse_amount(amount) if amount else None
    receiver = session.parse_address(to) if to else None

    async def work(client: Client) -> Wei:
        return await client.compute.withdraw_trigger(number, wanted, to=receiver)

    taken = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"trigger": number, "amount": str(taken)}, f"{format_amount(taken)} were taken out of trigger {number}"
    )
