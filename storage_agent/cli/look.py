"""Commands that look and change nothing: status, doctor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import typer

from storage_agent.cli.options import DEFAULT_CONFIG, ConfigFile, Json, settings_in, tried
from storage_agent.cli.output import exit_code_of, print_error, print_result
from walrus_chain.errors import Misuse, WalrusError
from walrus_chain.types import printable

if TYPE_CHECKING:
    from storage_agent.config import Settings

app = typer.Typer()


class NotRunning(Misuse):
    """No agent answers at the address in the settings."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(f"no agent answers at {address} ({why}); start it with `walrus-agent run`")
        self.address, self.why = address, why


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Ask the running agent how it is, and the chain what it says of the node."""
    from storage_agent.cli.standing import standing_of

    settings = tried(lambda: settings_in(config), as_json)
    answer = tried(lambda: _ask_agent(settings), as_json)
    failure: WalrusError | None = None
    try:
        answer["onChain"] = asyncio.run(standing_of(settings, answer["node"]))
    except WalrusError as error:
        failure = error
    print_result(answer, as_json=as_json)
    if failure is not None:
        print_error(failure, as_json=as_json)
        raise typer.Exit(exit_code_of(failure))


@app.command()
def doctor(config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Look for what keeps the agent from serving and earning, and say how to put it right."""
    from storage_agent.cli.doctor import examine
    from storage_agent.cli.findings import Finding

    async def findings() -> list[Finding]:
        settings, found = settings_in(config), []
        async for finding in examine(settings):
            found.append(finding)
            if not as_json:
                typer.echo(f"{'ok  ' if finding.fine else 'BAD '}  {finding.what:<14}  {printable(finding.says)}")
        return found

    found = tried(lambda: asyncio.run(findings()), as_json)
    if as_json:
        print_result({finding.what: {"fine": finding.fine, "says": finding.says} for finding in found}, as_json=True)
    if not all(finding.fine for finding in found):
        raise typer.Exit(1)


def _ask_agent(settings: Settings) -> dict[str, Any]:
    import httpx

    server = settings.server
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(server.host, server.host)
    address = f"http://{host}:{server.port}"
    try:
        answer: dict[str, Any] = httpx.get(f"{address}/v1/status", timeout=10, trust_env=False).json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotRunning(address, str(error)) from error
    return answer
