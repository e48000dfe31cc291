"""`walrus policy`: the rules that data carries, from a first draft to the object that they hold for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render_policy, session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName

if TYPE_CHECKING:
    from walrus_chain.client.client import Client

policies = typer.Typer(help="The rules that data carries: who may use it, at what price, and what must stay.")
app = typer.Typer()
app.add_typer(policies, name="policy", no_args_is_help=True)
