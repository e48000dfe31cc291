"""The local network: stopped, cut off from power, in the way of others, asked for twice."""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.e2e.shell import ROOT, Shell
from walrus_chain.devnet.ports import free_run

#: The smallest network there is, so that these tests are quick.
_SMALL = "--agents 1 --shards 4 --regions 1"


def _up(shell: Shell, options: str = _SMALL) -> None:
    port = free_run(2)
    shell.ok(f"walrus devnet up {options} --rpc-port {port} --agent-port {port + 1}")


def _store(shell: Shell, content: bytes = b"keep me") -> None:
    shell.write("kept", content)
    shell.ok("walrus store kept --epochs 5")


@pytest.mark.slow
def test_devnet__from_up_to_fresh(shell: Shell) -> None:
    missing = shell.run("walrus devnet status")
    assert missing.code == 3
    assert "`walrus devnet up` makes one" in missing.said

    _up(shell)
    _store(shell)
    before = shell.ok("walrus devnet status --json").data
    assert shell.ok("walrus devnet up --json").data["rpc"] == before["chain"]["url"]
    assert shell.ok("walrus devnet status --json").data["agents"] == before["agents"], "what runs was started again"
    assert "agent started" in shell.ok("walrus devnet logs agent-01").text

    differs = shell.run("walrus devnet up --agents 2")
    assert differs.code == 3
    assert "1 agents, 4 shards" in differs.said
    assert "--fresh" in differs.said

    psutil.Process(before["agents"][0]["pid"]).kill()
    _until_gone(before["agents"][0]["pid"])
    broken = shell.run("walrus devnet status")
    assert broken.code == 1
    assert "stopped" in broken.text
    assert "`walrus devnet up` starts what is stopped" in broken.said

    shell.ok("walrus devnet down")
    assert shell.processes() == []
    assert shell.ok("walrus devnet down").text == "The local network was not running.\n"

    shell.ok("walrus devnet up")
    shell.ok("walrus read 1 | cmp - kept")

    shell.ok("walrus devnet up --fresh " + _ports(before))
    assert shell.run("walrus read 1").code == 3
    assert shell.ok("walrus info --json").data["objects"] == 0


def _ports(status: dict[str, dict[str, str]]) -> str:
    port = int(status["chain"]["url"].rsplit(":", 1)[1])
    return f"{_SMALL} --rpc-port {port} --agent-port {port + 1}"


def _until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_devnet__power_cut__keeps_what_the_chain_had_written_down(shell: Shell) -> None:
    _up(shell)
    _store(shell)
    _until_chain_is_written(shell)
    shell.write("late", b"the agent knows of this, the chain may not have written it down")
    shell.ok("walrus store late")

    shell.kill_everything()
    assert shell.run("walrus devnet status").code == 1
    shell.ok("walrus devnet up")

    shell.ok("walrus read 1 | cmp - kept")
    # The agent followed a chain that may have been longer; it follows this one, too.
    shell.ok("walrus store late")
    shell.ok("walrus read 2 | cmp - late")


def _until_chain_is_written(shell: Shell) -> None:
    """Until anvil has written its state after this moment, which it does every ten seconds."""
    state, now = shell.home / "devnet" / "chain.json", time.time()
    deadline = time.monotonic() + 40
    while not state.exists() or state.stat().st_mtime < now:
        assert time.monotonic() < deadline, "the chain's state was not written"
        time.sleep(0.1)


@pytest.mark.slow
def test_devnet__power_cut_right_after_it_was_made__goes_on(shell: Shell) -> None:
    _up(shell)
    shell.kill_everything()

    shell.ok("walrus devnet up")

    _store(shell)
    shell.ok("walrus read 1 | cmp - kept")


@pytest.mark.parametrize("option", ["--rpc-port", "--agent-port"])
def test_up__port_taken__says_which_and_leaves_nothing(shell: Shell, option: str) -> None:
    first = free_run(2)
    ports = {"--rpc-port": first, "--agent-port": first + 1}
    with socket.create_server(("127.0.0.1", ports[option])):
        ran = shell.run(f"walrus devnet up {_SMALL} " + " ".join(f"{name} {port}" for name, port in ports.items()))

    assert ran.code == 6
    assert f"port {ports[option]} " in ran.said
    assert option in ran.said
    assert shell.processes() == []
    assert "there is no local network" in shell.run("walrus devnet status").said


def test_up__interrupted__leaves_nothing(shell: Shell) -> None:
    port = free_run(2)
    starting = shell.begin(
        "walrus", "devnet", "up", *_SMALL.split(), "--rpc-port", str(port), "--agent-port", str(port + 1)
    )
    assert starting.stderr is not None
    while b"starting" not in starting.stderr.readline():
        assert starting.poll() is None
    starting.send_signal(signal.SIGINT)
    starting.communicate(timeout=60)

    assert starting.returncode == 130
    assert shell.processes() == []


def test_up__no_anvil__says_what_to_install(shell: Shell, tmp_path: Path) -> None:
    # A copy of the package outside this checkout, which has an anvil in its node_modules.
    for package in ("walrus_chain", "storage_agent"):
        shutil.copytree(ROOT / package, shell.folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    program = "from walrus_chain.cli.main import main; main(['devnet', 'up'])"

    ran = shell.run(f'{sys.executable} -c "{program}"', PATH="", HOME=str(tmp_path))

    assert ran.code == 3
    assert "anvil" in ran.said
    assert "npm install" in ran.said
    assert not (shell.home / "devnet").exists()
