"""2 GiB through the command line and a network of ten agents, within 600 MiB of memory.

Takes a minute or more and 12 GB of disk, so it runs only when asked for:

    WALRUS_LARGE=1 make test-python PYTEST="-s tests/e2e/test_large.py"
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.shell import Shell
from walrus_chain.devnet.ports import free_run

SIZE = 2 * 2**30
MEMORY_KIB = 600 * 1024
_PIECE = 2**20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif("WALRUS_LARGE" not in os.environ, reason="takes 12 GB of disk; set WALRUS_LARGE=1"),
]


def test_store_and_read__two_gib__within_600_mib(shell: Shell) -> None:
    large = shell.folder / "large"
    with large.open("wb") as file:
        for _ in range(SIZE // _PIECE):
            file.write(os.urandom(_PIECE))
    port = free_run(11)
    shell.ok(f"walrus devnet up --rpc-port {port} --agent-port {port + 1}")

    stored = _peak_kib(shell, "walrus", "store", "large", "--epochs", "2")
    read = _peak_kib(shell, "walrus", "read", "1", "-o", "copy")
    agents = [_peak_of(agent["pid"]) for agent in shell.ok("walrus devnet status --json").data["agents"]]

    shell.ok("cmp large copy")
    print(f"peak memory: store {stored // 1024} MiB, read {read // 1024} MiB, agents {max(agents) // 1024} MiB at most")  # noqa: T201
    assert max(stored, read, *agents) <= MEMORY_KIB


def _peak_kib(shell: Shell, *command: str) -> int:
    """Runs a command that must succeed; the most memory it had."""
    began = time.monotonic()
    process = shell.begin(*command)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = process.communicate()[1].decode()
    assert process.returncode == 0, said
    print(f"{subprocess.list2cmdline(command)}: {time.monotonic() - began:.1f} s")  # noqa: T201
    return usage.ru_maxrss


def _peak_of(pid: int) -> int:
    """The most memory that a running process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
