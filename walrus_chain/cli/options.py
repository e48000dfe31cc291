"""Options that several commands share, as annotated types."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
NetworkName = Annotated[
    str | None,
    typer.Option("--network", "-n", help="Network to use instead of the chosen one.", envvar="WALRUS_NETWORK"),
]
WalletName = Annotated[
    str | None,
    typer.Option("--wallet", "-w", help="Wallet to use instead of the chosen one.", envvar="WALRUS_WALLET"),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="File that holds the wallet's password.", envvar="WALRUS_PASSWORD_FILE", show_default=False),
]
BlobOrObject = Annotated[
    str, typer.Argument(metavar="BLOB", help="Blob id (43 characters or 64 hex digits), or the number of an object.")
]
