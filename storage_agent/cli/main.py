"""`walrus-agent`: for node operators. Here is what brings an agent up; `stake`, `look` and `keys` have the others."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from storage_agent.cli import keys, look, stake
from storage_agent.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Json,
    OperatorKeystore,
    OperatorPassword,
    settings_in,
    tried,
)
from storage_agent.cli.output import EXIT_CODES_HELP, Amount, print_result

app = typer.Typer(
    help="Run a storage node of a Walrus Chain network.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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

    made = tried(
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
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    own_stake: Annotated[str, typer.Option("--stake", help="WAL to stake, like '1000' or '1000 WAL'.")] = "0",
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Register the node with the network, stake for it, and stand for the committee."""
    from storage_agent.cli.setup import load_operator, register_node
    from walrus_chain.types import parse_amount

    def run() -> dict[str, Any]:
        settings = settings_in(config)
        account, amount = load_operator(operator, operator_password_file), parse_amount(own_stake)
        node_id = asyncio.run(register_node(settings, account, url=url, region=region, stake=amount))
        return {"node": node_id, "operator": str(account.address), "staked": Amount(amount)}

    print_result(tried(run, as_json), as_json=as_json)


@app.command()
def run(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the agent until it is told to stop (SIGTERM or Ctrl-C)."""
    from storage_agent.daemon import run_until_stopped
    from storage_agent.observe import set_up_logging

    def serve() -> None:
        settings = settings_in(config)
        set_up_logging(settings.log.level, settings.log.format)
        asyncio.run(run_until_stopped(settings))

    tried(serve, as_json=False)


app.add_typer(stake.app)
app.add_typer(look.app)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """The console script."""
    sys.exit(app())


if __name__ == "__main__":
    main()
