"""`status` and `doctor` where the chain, or the agent, is down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from storage_agent.cli.main import app


class Answering(BaseHTTPRequestHandler):
    """An agent that says how it is."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "ok", "node": 2, "name": "n"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    """Where an agent answers."""
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def make(folder: Path, deployment: Path, port: int) -> Path:
    """The settings of an agent whose chain is down."""
    options = ["--name", "n", "--rpc", "http://127.0.0.1:1", "--rpc", "http://127.0.0.1:2"]
    options += ["--deployment", str(deployment), "--port", str(port)]
    assert CliRunner().invoke(app, ["init", str(folder), *options]).exit_code == 0
    return folder / "agent.toml"


def test_status__chain_down__shows_what_the_agent_says_and_may_work_later(
    tmp_path: Path, deployment: Path, port: int
) -> None:
    settings = make(tmp_path / "agent", deployment, port)

    ended = CliRunner().invoke(app, ["status", "--config", str(settings), "--json"])

    assert ended.exit_code == 6
    assert json.loads(ended.stdout) == {"status": "ok", "node": 2, "name": "n"}
    assert json.loads(ended.stderr)["error"]["code"] == "RpcUnavailable"


def test_doctor__chain_down__names_each_endpoint_and_looks_at_the_rest(tmp_path: Path, deployment: Path) -> None:
    settings = make(tmp_path / "agent", deployment, 9185)

    ended = CliRunner().invoke(app, ["doctor", "--config", str(settings), "--json"])
    text = CliRunner().invoke(app, ["doctor", "--config", str(settings)])

    findings = json.loads(ended.stdout)
    assert ended.exit_code == text.exit_code == 1
    assert [name for name, finding in findings.items() if not finding["fine"]] == ["rpc 1", "rpc 2", "chain"]
    assert "127.0.0.1:1" in findings["rpc 1"]["says"]
    assert "127.0.0.1:2" in findings["rpc 2"]["says"]
    assert [line[:4] for line in text.stdout.splitlines()] == ["ok  "] * 5 + ["BAD "] * 3


def test_doctor__keys_and_disk_unusable__says_what_to_do(tmp_path: Path, deployment: Path) -> None:
    settings = make(tmp_path / "agent", deployment, 9185)
    (tmp_path / "agent" / "keys" / "password").chmod(0o644)

    ended = CliRunner().invoke(app, ["doctor", "--config", str(settings), "--json"])

    keys = json.loads(ended.stdout)["keys"]
    assert not keys["fine"]
    assert "chmod 600" in keys["says"]
