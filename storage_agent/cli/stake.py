"""What an operator does on chain, from `stake` to `exit`: parse, call `Operator`, print."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from storage_agent.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Json,
    OperatorKeystore,
    OperatorPassword,
    OtherNode,
    settings_in,
    tried,
)
from storage_agent.cli.output import Amount, Steps, print_note, print_result
from walrus_chain.types import NodeId, Wei, format_amount, format_bps, parse_amount, parse_bps

if TYPE_CHECKING:
    from storage_agent.cli.operator import Operator
    from walrus_chain.chain.stakes import Leaving, Payout

app = typer.Typer()

AmountToStake = Annotated[str, typer.Argument(metavar="AMOUNT", help="WAL, like 1000 or '1000 WAL'.")]


@app.command()
def stake(
    amount: AmountToStake,
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Add to the operator's own stake, and stand for the committee as soon as it is enough."""
    wanted = tried(lambda: parse_amount(amount), as_json)

    async def act(operator: Operator) -> dict[str, Any]:
        done = await operator.stake(wanted)
        return {
            "node": done.staked.node_id,
            "staked": Amount(done.staked.amount),
            "activeFrom": done.staked.active_from,
            "ownStake": Amount(done.own_stake),
            "minimumStake": Amount(done.minimum),
            "candidate": done.candidate,
            **_reason("notStanding", done.why_not),
            "transaction": done.staked.transaction,
        }

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def delegate(
    to: Annotated[int, typer.Argument(metavar="NODE", min=1, help="Number of the node.")],
    amount: AmountToStake,
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Stake with any node, for the account of the keystore: the operator's or somebody else's."""
    wanted = tried(lambda: parse_amount(amount), as_json)

    async def act(operator: Operator) -> dict[str, Any]:
        staked = await operator.delegate(wanted)
        return {
            "node": staked.node_id,
            "staked": Amount(staked.amount),
            "activeFrom": staked.active_from,
            "transaction": staked.transaction,
        }

    _run(act, operator, operator_password_file, to, config, as_json)


@app.command()
def unstake(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    amount: Annotated[str | None, typer.Argument(metavar="AMOUNT", help="WAL, like 250; see --all.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of the account's active stake.")] = False,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Begin to take stake out. It earns nothing from then on, and can be slashed until it is withdrawn."""
    if (amount is None) is not every:
        raise typer.BadParameter("name an amount, or --all", param_hint="AMOUNT")
    wanted = _amount(amount, as_json)

    async def act(operator: Operator) -> dict[str, Any]:
        done = await operator.unstake(wanted)
        facts = _leaving(done.leaving)
        if done.own_stake is not None:
            facts["ownStake"] = Amount(done.own_stake)
            if done.own_stake < done.minimum:
                facts["warning"] = (
                    f"own stake is below the minimum of {format_amount(done.minimum)}: committees that are selected "
                    "from now on do without this node, and its operator gets nothing out while it serves"
                )
        return facts

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def withdraw(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Get stake that was taken out and is due paid to the account, and what else the vault owes it."""

    async def act(operator: Operator) -> dict[str, Any]:
        return _payout(await operator.withdraw())

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def claim(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Get rewards and commission paid to the account, and what else the vault owes it."""

    async def act(operator: Operator) -> dict[str, Any]:
        return _payout(await operator.claim())

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def commission(
    share: Annotated[str, typer.Argument(metavar="SHARE", help="Like 5%, or 500 hundredths of a percent.")],
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Change what the operator keeps of rewards. It counts two epochs later, so that delegators can leave before."""
    wanted = tried(lambda: parse_bps(share), as_json)

    async def act(operator: Operator) -> dict[str, Any]:
        done = await operator.commission(wanted)
        return {
            "node": operator.node_id,
            "commissionBps": done.commission_bps,
            "commission": format_bps(done.commission_bps),
            "from": done.since,
            "before": format_bps(done.before_bps),
            "transaction": done.transaction,
        }

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def vote(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    unit_price: Annotated[
        str | None, typer.Option(help="The least for a unit of storage and an epoch, like '0.00001 WAL'.")
    ] = None,
    write_fee: Annotated[str | None, typer.Option(help="The least for each registration.")] = None,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Vote what storage should cost. The vote stands until it is replaced; what is not named stays as it is."""
    price, fee = _amount(unit_price, as_json), _amount(write_fee, as_json)

    async def act(operator: Operator) -> dict[str, Any]:
        cast, transaction = await operator.vote(price, fee)
        return {
            "node": operator.node_id,
            "unitPrice": Amount(cast.unit_price),
            "writeFee": Amount(cast.write_fee),
            "transaction": transaction,
        }

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def update(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    url: Annotated[str | None, typer.Option(help="Where others reach the agent.")] = None,
    region: Annotated[str | None, typer.Option(help="Where its disks stand: a-z, 0-9 and hyphen.")] = None,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Change the node's entry: its name, its address, its region. A new region counts at the next selection."""
    from storage_agent.cli.setup import parse_url

    address = None if url is None else tried(lambda: parse_url(url), as_json)

    async def act(operator: Operator) -> dict[str, Any]:
        entry, transaction = await operator.update(name, address, region)
        return {
            "node": entry.node_id,
            "name": entry.name,
            "url": entry.url,
            "region": entry.region,
            "transaction": transaction,
        }

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command("exit")
def exit_(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Leave the network: take all own stake out, hand the shards over, and get the money when it is due."""
    if not yes and not as_json and sys.stdin.isatty():
        print_note(
            "All own stake begins to leave. The node serves on until a committee without it takes office: keep the "
            "agent running until then, a miss still costs stake."
        )
        typer.confirm("Leave", abort=True, err=True)

    async def act(operator: Operator) -> dict[str, Any]:
        done = await operator.exit()
        facts: dict[str, Any] = {**_leaving(done.leaving), "commission": Amount(done.commission)}
        steps = []
        if done.serves_until:
            facts["leavesCommitteeIn"] = done.serves_until
            steps.append(
                f"keep the agent running until epoch {done.serves_until} has begun and its shards have moved "
                "(`walrus-agent status` shows none then)"
            )
        if done.leaving.waiting:
            steps.append(
                f"run `walrus-agent exit` again in epoch {done.leaving.waiting_until}: "
                f"{format_amount(done.leaving.waiting)} that do not count yet could not be taken out"
                + (", and are enough to be selected again" if done.leaving.waiting >= done.minimum else "")
            )
        if done.commission:
            steps.append(f"claim {format_amount(done.commission)} of commission: `walrus-agent claim`")
        facts["withdrawFrom"] = done.withdraw_from
        steps.append(f"from epoch {done.withdraw_from} on: `walrus-agent withdraw`")
        return {**facts, "next": Steps(steps)}

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def unjail(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Let a node that was jailed long enough out, and stand for the committee again."""

    async def act(operator: Operator) -> dict[str, Any]:
        transaction, why_not = await operator.unjail()
        return {
            "node": operator.node_id,
            "candidate": why_not is None,
            **_reason("notStanding", why_not),
            "transaction": transaction,
        }

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def stand(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Make the node a candidate for the committee. `walrus-agent stake` does so by itself."""

    async def act(operator: Operator) -> dict[str, Any]:
        transaction = await operator.stand()
        return {"node": operator.node_id, "candidate": True, "transaction": transaction}

    _run(act, operator, operator_password_file, node, config, as_json)


@app.command()
def settle(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    node: OtherNode = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Bring the node's rewards up to date. Anybody may, and a running agent does."""

    async def act(operator: Operator) -> dict[str, Any]:
        done = await operator.settle()
        return {"node": done.node_id, "settledBefore": done.before, "settled": done.now}

    _run(act, operator, operator_password_file, node, config, as_json)


def _run(
    act: Callable[[Operator], Awaitable[Mapping[str, Any]]],
    keystore: Path,
    password_file: Path,
    node: int | None,
    config: Path,
    as_json: bool,
) -> None:
    """Opens the keystore, does it, prints what came of it."""
    from storage_agent.cli import operator
    from storage_agent.cli.setup import load_operator

    def tell(words: str) -> None:
        if not as_json:
            print_note(words)

    async def work() -> Mapping[str, Any]:
        settings, account = settings_in(config), load_operator(keystore, password_file)
        node_id = None if node is None else NodeId(node)
        async with operator.connect(settings, account, node_id, tell) as connected:
            return await act(connected)

    print_result(tried(lambda: asyncio.run(work()), as_json), as_json=as_json)


def _amount(text: str | None, as_json: bool) -> Wei | None:
    return None if text is None else tried(lambda: parse_amount(text), as_json)


def _leaving(leaving: Leaving) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "node": leaving.node_id,
        "leaving": Amount(leaving.amount),
        "release": leaving.release,
        "transaction": leaving.transaction,
    }
    if leaving.waiting:
        facts |= {"waiting": Amount(leaving.waiting), "waitingUntil": leaving.waiting_until}
    return facts


def _payout(payout: Payout) -> dict[str, Any]:
    found = {credit.source.value: Amount(payout.total(credit.source)) for credit in payout.credits}
    notes = Steps(credit.why for credit in payout.credits if credit.why is not None)
    return {
        **found,
        **({"notes": notes} if notes else {}),
        "owedBefore": Amount(payout.owed_before),
        "paid": Amount(payout.paid),
        "transaction": payout.transaction,
    }


def _reason(name: str, why: str | None) -> dict[str, str]:
    return {} if why is None else {name: why}
