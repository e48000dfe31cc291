"""`walrus-agent`: for node operators."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from storage_agent.cli.output import EXIT_CODES_HELP, exit_code_of, print_error, print_result
from walrus_chain.errors import Misuse, WalrusError

if TYPE_CHECKING:
    from storage_agent.config import Settings

T = TypeVar("T")

app = typer.Typer(
    help="Run a storage node of a Walrus Chain network.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[
    Path,
    typer.Option("--config", "-c", help="The agent's settings.", envvar="WALRUS_AGENT_CONFIG", show_default=True),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
DEFAULT_CONFIG = Path("agent.toml")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for settings, keys and data.")],
    name: Annotated[str, typer.Option(help="The node's name, for people.")],
    rpc: Annotated[list[str], typer.Option(help="RPC endpoint of the chain; may be given several times.")],
    deployment: Annotated[Path, typer.Option(help="The network's deployment file.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 9185,
    store: Annotated[
        str, typer.Option(help="Where slivers are kept: a folder, s3://, gs://, az://, ipfs+http://host:port.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make a folder with settings and new keys."""
    from storage_agent.cli.setup import make_agent

    made = _tried(
        lambda: make_agent(folder, name=name, rpc=tuple(rpc), deployment=deployment, host=host, port=port, store=store),
        as_json,
    )
    print_result(
        {
            "settings": str(made.settings_file),
            "signer": made.signer,
            "encryptionKey": "0x" + made.encryption_key.hex(),
            "next": f"walrus-agent register --config {made.settings_file} --url ... --region ... --operator ...",
        },
        as_json=as_json,
    )


@app.command()
def register(
    url: Annotated[str, typer.Option(help="Where others reach this agent, like https://node.example.org.")],
    region: Annotated[str, typer.Option(help="Where its disks stand: a-z, 0-9 and hyphen.")],
    operator: Annotated[Path, typer.Option(help="Keystore of the account that pays and stakes.")],
    operator_password_file: Annotated[Path, typer.Option(help="File that holds that keystore's password.")],
    stake: Annotated[str, typer.Option(help="WAL to stake, like '1000' or '1000 WAL'.")] = "0",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Register the node with the network, stake for it, and stand for the committee."""
    from storage_agent.cli.setup import load_operator, register_node
    from walrus_chain.types import format_amount, parse_amount

    def run() -> dict[str, Any]:
        settings = _settings(config)
        account, amount = load_operator(operator, operator_password_file), parse_amount(stake)
        node_id = asyncio.run(register_node(settings, account, url=url, region=region, stake=amount))
        return {"node": node_id, "operator": str(account.address), "staked": format_amount(amount)}

    print_result(_tried(run, as_json), as_json=as_json)


@app.command()
def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the agent until it is told to stop (SIGTERM or Ctrl-C)."""
    from storage_agent.daemon import run_until_stopped
    from storage_agent.observe import set_up_logging

    def serve() -> None:
        settings = _settings(config)
        set_up_logging(settings.log.level, settings.log.format)
        asyncio.run(run_until_stopped(settings))

    _tried(serve, as_json=False)


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Ask the running agent how it is."""

    def ask() -> dict[str, Any]:
        import httpx

        server = _settings(config).server
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)
        address = f"http://{host}:{server.port}"
        try:
            answer: dict[str, Any] = httpx.get(f"{address}/v1/status", timeout=10, trust_env=False).json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotRunning(address, str(error)) from error
        return answer

    print_result(_tried(ask, as_json), as_json=as_json)


@app.command()
def doctor(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Look for what keeps the agent from serving, and say how to put it right."""
    from storage_agent.cli.doctor import Finding, examine

    async def findings() -> list[Finding]:
        return [finding async for finding in examine(_settings(config))]

    found = _tried(lambda: asyncio.run(findings()), as_json)
    if as_json:
        print_result({finding.what: {"fine": finding.fine, "says": finding.says} for finding in found}, as_json=True)
    else:
        for finding in found:
            typer.echo(f"{'ok  ' if finding.fine else 'BAD '}  {finding.what:<14}  {finding.says}")
    if not all(finding.fine for finding in found):
        raise typer.Exit(1)


class NotRunning(Misuse):
    """No agent answers at the address in the settings."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"no agent answers at {address} ({why}); start it with `walrus-agent run`")
        self.address, self.why = address, why


def _settings(config: Path) -> Settings:
    from storage_agent.config import load_settings

    return load_settings(config, os.environ)


def _tried(call: Callable[[], T], as_json: bool) -> T:
    """What `call` returns; an error of ours is said in words, and ends the process with its exit code."""
    try:
        return call()
    except WalrusError as error:
        print_error(error, as_json=as_json)
        raise typer.Exit(exit_code_of(error)) from None


def main() -> None:
    """The console script."""
    sys.exit(app())


if __name__ == "__main__":
    main()
