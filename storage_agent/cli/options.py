"""What the commands share: options as annotated types, the settings, and errors in words."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from storage_agent.cli.output import exit_code_of, print_error
from walrus_chain.errors import WalrusError

if TYPE_CHECKING:
    from storage_agent.config import Settings

T = TypeVar("T")

ConfigFile = Annotated[
    Path,
    typer.Option("--config", "-c", help="The agent's settings.", envvar="WALRUS_AGENT_CONFIG", show_default=True),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
OperatorKeystore = Annotated[Path, typer.Option(help="Keystore of the account that pays and stakes.")]
OperatorPassword = Annotated[Path, typer.Option(help="File that holds that keystore's password.")]
OtherNode = Annotated[
    int | None, typer.Option("--node", min=1, help="Number of the node; the agent's own when none is named.")
]
DEFAULT_CONFIG = Path("agent.toml")


def settings_in(config: Path) -> Settings:
    """The agent's settings.

    Raises: WrongSetting.
    """
    from storage_agent.config import load_settings

    return load_settings(config, os.environ)


def tried(call: Callable[[], T], as_json: bool) -> T:
    """What `call` returns; an error of ours is said in words, and ends the process with its exit code."""
    try:
        return call()
    except WalrusError as error:
        print_error(error, as_json=as_json)
        raise typer.Exit(exit_code_of(error)) from None
