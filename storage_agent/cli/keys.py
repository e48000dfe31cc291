"""Commands about the node's master keys: show, rotate."""

from __future__ import annotations

import asyncio
from typing import Any

import typer

from storage_agent.cli.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Json,
    OperatorKeystore,
    OperatorPassword,
    settings_in,
    tried,
)
from storage_agent.cli.output import print_result

app = typer.Typer(help="The keys with which the node makes shares of keys to private data.", no_args_is_help=True)


@app.command()
def show(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Name the keys that the agent has, the newest first; no secret is shown."""
    from storage_agent.keys import files
    from walrus_chain.crypto.node_key import node_key

    def run() -> dict[str, Any]:
        settings = settings_in(config)
        password = files.read_password(settings.keys.password_file)
        signer = files.load_signer(settings.keys.signer, password)
        masters = files.load_master_keys(settings.keys.encryption, password)
        erasable = settings.keys.erasable
        return {
            "signer": signer.address,
            "keys": ["0x" + master.public.key_id.hex() for master in masters],
            "encryptionKey": "0x" + node_key(masters[0], signer.address).hex(),
            "erasableKeys": len(list(erasable.iterdir())) if erasable.is_dir() else 0,
        }

    print_result(tried(run, as_json), as_json=as_json)


@app.command()
def rotate(
    operator: OperatorKeystore,
    operator_password_file: OperatorPassword,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Register a new master key. Older ones stay in the file: they open what was sealed to them."""
    from storage_agent.cli.setup import load_operator, rotate_master_key

    def run() -> dict[str, Any]:
        settings, account = settings_in(config), load_operator(operator, operator_password_file)
        rotated = asyncio.run(rotate_master_key(settings, account))
        return {
            "node": rotated.node_id,
            "encryptionKey": "0x" + rotated.encryption_key.hex(),
            "keys": rotated.keys,
            "next": "restart the agent: it reads its keys when it starts",
        }

    print_result(tried(run, as_json), as_json=as_json)
