"""The `walrus` command: its parts, its errors and its exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from walrus_chain import __version__
from walrus_chain.cli.output import BROKEN_PIPE, EXIT_CODES_HELP, INTERRUPTED, Output, ReaderGone
from walrus_chain.errors import Bug, MalformedBlobId, WalrusError
from walrus_chain.types import BlobId

#: Modules with an `app` each; those of extras that are not installed are left out.
_PARTS = ("blobs", "info", "network", "wallet", "stake", "policy", "payments", "access", "compute", "devnet")
_BLOB_ID_LENGTH = 43


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"walrus {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """The whole command."""
    app = typer.Typer(
        name="walrus",
        help="Store data on a network that keeps it alive, and read it back verified.",
        epilog=EXIT_CODES_HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def walrus(
        version: Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        """Store data on a network that keeps it alive, and read it back verified."""

    for part in _PARTS:
        if find_spec(f"walrus_chain.cli.{part}") is not None:
            app.add_typer(import_module(f"walrus_chain.cli.{part}").app)
    return app


def _unlike_an_option(argument: str) -> str:
    """The argument; a blob id that begins with a hyphen, as one in 64 does, in its other form."""
    if not argument.startswith("-") or len(argument) != _BLOB_ID_LENGTH:
        return argument
    try:
        return BlobId.parse(argument).hex
    except MalformedBlobId:
        return argument


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command and ends the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs the command; the exit code."""
    output = Output(as_json="--json" in arguments)
    command = typer.main.get_command(build())
    try:
        code = command.main(list(map(_unlike_an_option, arguments)), prog_name="walrus", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except (ReaderGone, BrokenPipeError):
        # Whoever read the output has enough; what is left in the buffer is of no use.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except WalrusError as error:
        return output.error(error)
    except Exception as error:  # whatever it is, people get words and an exit code
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            return output.usage(error)
        if os.environ.get("WALRUS_TRACEBACK"):
            raise
        return output.error(Bug(f"{type(error).__name__}: {error}; set WALRUS_TRACEBACK=1 to see where, and report it"))
    if code == INTERRUPTED:
        output.note("Stopped. A store that was interrupted goes on when you store the same file again.")
    return code if isinstance(code, int) else 0
