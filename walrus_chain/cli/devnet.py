"""`walrus devnet`: a whole network on this computer, for trying things out and for development."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from walrus_chain.cli import session
from walrus_chain.cli.options import Json
from walrus_chain.cli.output import FAILURE, Output
from walrus_chain.types import format_amount, format_bytes

if TYPE_CHECKING:
    from walrus_chain.client.home import Wallet
    from walrus_chain.devnet.network import Devnet
    from walrus_chain.devnet.plan import DevnetParameters

#: The name of the local network, and of its wallet, among a person's networks and wallets.
NAME = "devnet"
_FOLLOW_SECONDS = 0.2

app = typer.Typer()
devnet = typer.Typer(help="A whole network on this computer: chain, contracts and agents.", no_args_is_help=True)
app.add_typer(devnet, name="devnet")

Folder = Annotated[
    Path | None,
    typer.Option("--dir", help="Where the network is kept; 'devnet' in walrus's own folder when not given."),
]


@devnet.command()
def up(
    agents: Annotated[int | None, typer.Option(help="How many agents; 10 in a new network.")] = None,
    shards: Annotated[int | None, typer.Option(help="How many shards they share; 30 in a new network.")] = None,
    regions: Annotated[int | None, typer.Option(help="How many regions they stand in; 4 in a new network.")] = None,
    epoch_seconds: Annotated[int | None, typer.Option(help="How long an epoch lasts; a day in a new network.")] = None,
    rpc_port: Annotated[int | None, typer.Option(help="Port of the chain; 8545 in a new network.")] = None,
    agent_port: Annotated[int | None, typer.Option(help="Port of the first agent; 9101 in a new network.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the network that is there, and make a new one.")
    ] = False,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Run the agents in this process until Ctrl-C, for debugging.")
    ] = False,
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Start the network, or go on with the one that was stopped."""
    out, wallet = session.output(json), _wallet()
    home = _home(folder)
    if fresh:
        _stop_and_forget(folder)
    options: dict[str, Any] = {
        "agents": agents,
        "shards": shards,
        "regions": regions,
        "epoch_seconds": epoch_seconds,
        "rpc_port": rpc_port,
        "first_agent_port": agent_port,
    }
    given = {name: value for name, value in options.items() if value is not None}
    record = home.load()
    parameters = _parameters(given, None if record is None else record.parameters)
    if in_process:
        asyncio.run(_run_in_process(out, folder, parameters, wallet))
        return
    started = time.monotonic()
    network = asyncio.run(_up(out, folder, parameters, wallet))
    _introduce(network)
    _say_up(out, network, wallet, time.monotonic() - started)


@devnet.command()
def down(folder: Folder = None, json: Json = False) -> None:
    """Stop the network; everything it keeps stays for the next `up`."""
    out, network = session.output(json), _network(folder)
    was_running = asyncio.run(network.down())
    out.result(
        {"stopped": was_running, "folder": str(network.home.folder)},
        f"The local network is stopped; `walrus devnet up` goes on with it.\nIt is kept in {network.home.folder}."
        if was_running
        else "The local network was not running.",
    )


@devnet.command()
def status(folder: Folder = None, json: Json = False) -> None:
    """What runs, and how it is. Exit code 1 when something that should run does not."""
    out, network = session.output(json), _network(folder)
    chain = network.chain_process
    chain_alive = chain is not None and chain.alive
    block = asyncio.run(_block(network)) if chain_alive else None
    rows = [("chain", "", network.rpc_url, _state(chain_alive), _memory(chain))]
    rows += [
        (agent.name, agent.region, agent.url, _state(agent.alive), _memory(agent.process)) for agent in network.agents
    ]
    data = {
        "folder": str(network.home.folder),
        "chain": {"url": network.rpc_url, "running": chain_alive, "block": block},
        "agents": [
            {
                "name": agent.name,
                "node": agent.node_id,
                "region": agent.region,
                "url": agent.url,
                "running": agent.alive,
                "pid": agent.process.pid if agent.process is not None and agent.alive else None,
            }
            for agent in network.agents
        ],
    }
    out.table(data, ("Process", "Region", "URL", "State", "Memory"), rows, "")
    if not (chain_alive and all(agent.alive for agent in network.agents)):
        out.note("\n`walrus devnet up` starts what is stopped.")
        raise typer.Exit(FAILURE)


@devnet.command()
def logs(
    name: Annotated[str, typer.Argument(help="`chain`, `agent-01`, ...")] = "agent-01",
    lines: Annotated[int, typer.Option("--lines", "-l", help="How many of the last lines.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes next, until Ctrl-C.")] = False,
    folder: Folder = None,
) -> None:
    """What a process wrote."""
    network = _network(folder)
    known = ["chain", *(agent.name for agent in network.agents)]
    if name not in known:
        raise typer.BadParameter(f"there is no process {name!r}; there are {', '.join(known)}")
    log = network.home.log(name)
    if not log.exists():
        session.output(False).note(f"{name} has written nothing yet")
        return
    with log.open(errors="replace") as file:
        for line in deque(file, maxlen=lines):
            typer.echo(line, nl=False)
        while follow:
            if text := file.read():
                typer.echo(text, nl=False)
            else:
                time.sleep(_FOLLOW_SECONDS)


def _home(folder: Path | None) -> Any:
    from walrus_chain.devnet.home import DevnetHome

    return DevnetHome((folder or session.home().folder / NAME).absolute())


def _network(folder: Path | None) -> Devnet:
    from walrus_chain.devnet.network import Devnet

    return Devnet.load(_home(folder))


def _parameters(given: dict[str, Any], there: DevnetParameters | None) -> DevnetParameters | None:
    """What was asked for: of a new network, or of the one that is there, with the rest as it is."""
    from dataclasses import replace

    from walrus_chain.devnet.plan import DevnetParameters

    if there is not None:
        return replace(there, **given) if given else None
    if "agents" in given:
        given.setdefault("regions", min(DevnetParameters().regions, given["agents"]))
    return DevnetParameters(**given)


def _stop_and_forget(folder: Path | None) -> None:
    from walrus_chain.devnet.network import Devnet, DevnetMissing

    home = _home(folder)
    try:
        asyncio.run(Devnet.load(home).down())
    except DevnetMissing:
        return
    home.forget()


def _wallet() -> Wallet:
    """The developer's wallet; a new one the first time, with its password beside it."""
    import secrets

    home = session.home()
    if NAME not in {wallet.name for wallet in home.wallets()}:
        from eth_account import Account

        home.add_wallet(NAME, Account.create(), secrets.token_urlsafe(16), keep_password=True)
    return home.wallet(NAME)


async def _up(out: Output, folder: Path | None, parameters: DevnetParameters | None, wallet: Wallet) -> Devnet:
    from walrus_chain.devnet.network import Devnet

    return await Devnet.up(
        _home(folder), parameters, developer=wallet.address, on_step=lambda words: out.note(f"  {words} ...")
    )


async def _run_in_process(
    out: Output, folder: Path | None, parameters: DevnetParameters | None, wallet: Wallet
) -> None:
    from walrus_chain.devnet.in_process import devnet_in_process

    started = time.monotonic()
    async with devnet_in_process(
        _home(folder), parameters, developer=wallet.address, on_step=lambda words: out.note(f"  {words} ...")
    ) as network:
        _introduce(network)
        _say_up(out, network, wallet, time.monotonic() - started)
        await asyncio.Event().wait()


def _introduce(network: Devnet) -> None:
    """Make the network known under its name."""
    from walrus_chain.client.home import Network

    session.home().add_network(Network(NAME, (network.rpc_url,), network.deployment), replace=True)


def _say_up(out: Output, network: Devnet, wallet: Wallet, seconds: float) -> None:
    parameters, home = network.parameters, session.home()
    data = {
        "rpc": network.rpc_url,
        "chainId": parameters.chain_id,
        "agents": [{"name": agent.name, "url": agent.url, "region": agent.region} for agent in network.agents],
        "shards": parameters.shards,
        "network": NAME,
        "wallet": {"name": wallet.name, "address": wallet.address, "keystore": str(wallet.path)},
        "deployment": str(network.home.deployment_file),
        "folder": str(network.home.folder),
    }
    spread = f"{parameters.agents} in {parameters.regions} regions, {parameters.shards} shards"
    first, last = network.agents[0].url, network.agents[-1].url
    lines = [
        f"The local network is up, after {seconds:.1f} s.",
        "",
        f"  chain    {network.rpc_url}   chain id {parameters.chain_id}, epochs of {parameters.epoch_seconds} s",
        f"  agents   {first} to {last.rsplit(':', 1)[1]}   {spread}",
        f"  wallet   {wallet.name}   {wallet.address}, started with {format_amount(parameters.purse)}",
        f"  folder   {network.home.folder}",
        "",
    ]
    unused = [
        f"`walrus {kind} use {NAME}`"
        for kind, current in (("network", home.current_network), ("wallet", home.current_wallet))
        if current != NAME
    ]
    if unused:
        lines.append(f"You work with another one now; {' and '.join(unused)} changes to this.")
    else:
        lines.append("Try it: `walrus store FILE`, `walrus list`, `walrus health`. Stop it: `walrus devnet down`.")
    out.result(data, "\n".join(lines))


async def _block(network: Devnet) -> int | None:
    from walrus_chain.chain.network import Chain
    from walrus_chain.errors import Retryable

    try:
        async with Chain.connect([network.rpc_url], network.deployment) as chain:
            return (await chain.head()).number
    except Retryable:
        return None


def _state(alive: bool) -> str:
    return "running" if alive else "stopped"


def _memory(process: Any) -> str:
    return "" if process is None or not process.alive else format_bytes(process.memory_bytes)
