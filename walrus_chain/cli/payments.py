"""`walrus pool`, `walrus channel`, `walrus buy`, `walrus subscribe`: what uses of data cost, and who earns it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render_payments as render
from walrus_chain.cli import session
from walrus_chain.cli.options import BlobOrObject, Json, NetworkName, PasswordFile, WalletName
from walrus_chain.cli.output import to_stdout
from walrus_chain.errors import MalformedArgument
from walrus_chain.types import Address, format_amount, parse_amount, parse_bps

if TYPE_CHECKING:
    from walrus_chain.chain.payment_writer import PaymentReceipt, SettlementReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.client.channels import Channel, Closing
    from walrus_chain.client.client import Client
    from walrus_chain.client.pools import CreatedPool
    from walrus_chain.client.purchases import BoughtReads, Subscription

pools = typer.Typer(help="Revenue pools, which divide income among contributors.", no_args_is_help=True)
channels = typer.Typer(help="Deposits that uses of data are paid from.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(pools, name="pool")
app.add_typer(channels, name="channel")

PoolNumber = Annotated[str, typer.Argument(metavar="POOL", help="Number of a revenue pool.")]
ChannelNumber = Annotated[str, typer.Argument(metavar="CHANNEL", help="Number of a channel.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 0.5 or '0.5 WAL'.")]
MembersFile = Annotated[
    Path | None,
    typer.Option(
        "--members", metavar="FILE", help="CSV file account,units of a pool with a tree, where it is not published."
    ),
]
Reader = Annotated[str | None, typer.Option("--for", metavar="ADDRESS", help="Who may use it; you if not named.")]
Maximum = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="The most that all of it may cost; today's price if not named.")
]


# -- pools -----------------------------------------------------------------------------------------------------------


@pools.command("create")
def create_pool(
    share: Annotated[
        list[str] | None, typer.Option("--share", metavar="ADDRESS=UNITS", help="A member; may be repeated.")
    ] = None,
    members: Annotated[Path | None, typer.Option(metavar="FILE", help="CSV file: account,units.")] = None,
    nodes_share: Annotated[str, typer.Option(help="What storage nodes get of each income, up to 50%.")] = "10%",
    publish: Annotated[bool, typer.Option(help="Store the list of more than 100 members publicly.")] = True,
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="For how long.")] = 1,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Make a pool. Nobody can change it; members may hand units on."""
    if (share is None) is (members is None):
        raise typer.BadParameter("name members by --share or --members", param_hint="--share")
    chosen = members if members is not None else _shares(share or [])
    nodes_bps = parse_bps(nodes_share)

    async def work(client: Client) -> CreatedPool:
        return await client.pools.create(chosen, nodes_bps=nodes_bps, publish=publish, epochs=epochs)

    made = session.signing(network, wallet, password_file, work)
    session.output(json).result(render.created_pool(made), render.created_pool_text(made))


@pools.command("show")
def show_pool(
    pool: PoolNumber,
    account: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Whose part; yours if not named.")] = None,
    members: MembersFile = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """A pool, and what an account has in it."""
    number, whose = session.parse_pool(pool), session.parse_address(account) if account else session.address_of(wallet)
    report = session.reading(network, lambda client: client.pools.show(number, whose, members))
    session.output(json).result(render.pool(report), render.pool_text(report))


@pools.command("claim")
def claim(
    pool: PoolNumber,
    to: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Who is paid; you if not named.")] = None,
    members: MembersFile = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Take out what you earned in a pool."""
    number, receiver = session.parse_pool(pool), session.parse_address(to) if to else None

    async def work(client: Client) -> PaymentReceipt:
        return await client.pools.claim(number, to=receiver, members=members)

    paid = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"pool": number, **render.payment(paid)}, f"{format_amount(paid.amount)} of pool {number} were paid out"
    )


@pools.command("pay")
def pay_into(
    pool: PoolNumber,
    amount: Amount,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Pay an income into a pool; it is divided at once, at the same cost however many members there are."""
    number, wanted = session.parse_pool(pool), parse_amount(amount)

    async def work(client: Client) -> Receipt:
        return await client.pools.distribute(number, wanted)

    receipt = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"pool": number, "amount": str(wanted), "transaction": receipt.transaction, "gasUsed": receipt.gas_used},
        f"{format_amount(wanted)} were divided in pool {number}",
    )


@pools.command("transfer")
def transfer_units(
    pool: PoolNumber,
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="The account that gets them.")],
    units: Annotated[int, typer.Argument(min=1, metavar="UNITS", help="How many.")],
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Hand units on. What they earned until now stays yours."""
    number, receiver = session.parse_pool(pool), session.parse_address(to)

    async def work(client: Client) -> Receipt:
        return await client.pools.transfer_units(number, receiver, units)

    receipt = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {"pool": number, "to": receiver, "units": units, "transaction": receipt.transaction},
        f"{units} units of pool {number} belong to {receiver} now",
    )


@pools.command("settle")
def settle(
    pool: PoolNumber,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Pass on what a pool's storage nodes earned, and burn the protocol's part. Anybody may."""
    number = session.parse_pool(pool)

    async def work(client: Client) -> SettlementReceipt:
        return await client.pools.settle(number)

    done = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        {
            "pool": number,
            "toNodes": str(done.to_nodes),
            "burned": str(done.burned),
            "transaction": done.transaction,
        },
        f"{format_amount(done.to_nodes)} went to the nodes, {format_amount(done.burned)} were burned",
    )


@pools.command("statement")
def statement(
    pool: PoolNumber,
    account: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only this member's part; the whole pool's if not named.")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print a CSV file, for accounting.")] = False,
    to: Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead.")] = None,
    no_nodes: Annotated[
        bool, typer.Option("--no-nodes", help="Ask the chain only: what vouchers paid for is left empty.")
    ] = False,
    members: MembersFile = None,
    network: NetworkName = None,
    json: Json = False,
) -> None:
    """What came in and went out: every income and every payment, with time, transaction and object."""
    from walrus_chain.payments.statement import balance, statement_csv
    from walrus_chain.types import Wei

    number, whose = session.parse_pool(pool), session.parse_address(account) if account else None
    rows = session.reading(
        network, lambda client: client.pools.statement(number, whose, members, ask_nodes=not no_nodes)
    )
    out = session.output(json)
    if to is not None:
        session.write_text(to, statement_csv(rows))
        out.result({"pool": number, "rows": len(rows), "output": str(to)}, f"{to}: {len(rows)} rows")
        return
    if csv and not json:
        with to_stdout():
            sys.stdout.write(statement_csv(rows))
        return
    out.table(
        {
            "pool": number,
            "account": whose,
            "balance": str(balance(rows)),
            "rows": list(map(render.statement_row, rows)),
        },
        ("Time", "Event", "", "Amount", "Counterparty", "Object", "Transaction"),
        [
            (
                render.moment(row.timestamp),
                row.event,
                row.direction.value,
                format_amount(row.amount),
                row.counterparty,
                row.blob_object or "",
                "0x" + row.transaction.hex(),
            )
            for row in rows
        ],
        f"nothing came in or went out of pool {number} yet",
    )
    if rows and not json:
        out.note(f"Left: {format_amount(Wei(balance(rows)))}")


# -- channels --------------------------------------------------------------------------------------------------------


@channels.command("open")
def open_channel(
    pool: PoolNumber,
    amount: Amount,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Open a channel to a pool with a deposit. `walrus read` pays from it, within its spend limit."""
    number, deposit = session.parse_pool(pool), parse_amount(amount)

    async def work(client: Client) -> Channel:
        return await client.channels.open(number, deposit)

    opened = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render.channel(opened),
        f"Channel {opened.facts.channel} pays pool {number}; {format_amount(deposit)} are in it",
    )


@channels.command("top-up")
def top_up(
    channel: ChannelNumber,
    amount: Amount,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Add to a channel's deposit."""
    number, more = session.parse_channel(channel), parse_amount(amount)

    async def work(client: Client) -> Channel:
        return await client.channels.top_up(number, more)

    topped = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render.channel(topped), f"Channel {number} has {format_amount(topped.facts.deposit)} in all now"
    )


@channels.command("close")
def close_channel(
    channel: ChannelNumber,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Begin to close a channel; called again when its delay is over, pay the rest of the deposit back."""
    number = session.parse_channel(channel)

    async def work(client: Client) -> Closing:
        return await client.channels.close(number)

    closing = session.signing(network, wallet, password_file, work)
    session.output(json).result(render.closing(closing), render.closing_text(closing))


@channels.command("list")
def list_channels(
    owner: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="Whose; yours when none is named.")] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    json: Json = False,
) -> None:
    """Channels of an account: what is in them, what was promised from them and what is left."""
    account = session.parse_address(owner) if owner else session.home().wallet(wallet).address
    found = session.reading(network, lambda client: client.channels.list(account))
    session.output(json).table(
        {"account": account, "channels": list(map(render.channel, found))},
        ("Channel", "Pool", "Deposit", "Redeemed", "Promised", "Left", "Notes"),
        list(map(render.channel_row, found)),
        f"{account} has no channel here; `walrus channel open POOL AMOUNT` opens one",
    )


# -- purchases -------------------------------------------------------------------------------------------------------


@app.command()
def buy(
    blob: BlobOrObject,
    reads: Annotated[int, typer.Option("--reads", "-r", min=1, help="How many.")] = 1,
    reader: Reader = None,
    maximum: Maximum = None,
    evidence: Annotated[
        str | None, typer.Option(metavar="HEX", help="What is shown to the policy; found by itself if not named.")
    ] = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Buy reads of private data on chain, at the price that its policy names now."""
    ref, most = session.blob_ref(blob), parse_amount(maximum) if maximum else None
    whom, shown = session.parse_address(reader) if reader else None, session.parse_hex("evidence", evidence)

    async def work(client: Client) -> BoughtReads:
        return await client.purchases.buy(ref, reads, reader=whom, maximum=most, evidence=shown)

    bought = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render.bought(bought),
        f"{reads} reads of object {bought.blob_object} for {format_amount(bought.paid)}; {bought.reader} has bought "
        f"{bought.bought} in all",
    )


@app.command()
def subscribe(
    policy: Annotated[str, typer.Argument(metavar="POLICY", help="Address of a policy that sells time.")],
    periods: Annotated[int, typer.Option("--periods", "-p", min=1, help="How many of its periods.")] = 1,
    reader: Reader = None,
    maximum: Maximum = None,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Buy time under a policy, from now or from the end of what was bought."""
    address, most = session.parse_address(policy), parse_amount(maximum) if maximum else None
    whom = session.parse_address(reader) if reader else None

    async def work(client: Client) -> Subscription:
        return await client.purchases.subscribe(address, periods, reader=whom, maximum=most)

    bought = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render.subscription(bought),
        f"{bought.reader} is subscribed until {render.moment(bought.until)}, for {format_amount(bought.paid)}",
    )


def _shares(texts: list[str]) -> dict[Address, int]:
    shares: dict[Address, int] = {}
    for text in texts:
        account, separator, units = text.partition("=")
        if not separator or not units.isascii() or not units.isdigit():
            raise MalformedArgument("a share", text, "write ADDRESS=UNITS")
        shares[session.parse_address(account)] = int(units)
    return shares
