"""Starts many agents from one process that has loaded their code once.

Loading the code costs an agent about a second of processor time; ten agents on two cores would take five seconds. This
program loads it, then forks an agent for each line of standard input, and says its process id on standard output:

    {"settings": "/.../agent.toml", "log": "/.../agent-01.log"}   ->   {"pid": 4711}

It ends with its input. The agents live on.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from storage_agent.cli.main import main as walrus_agent


def main() -> None:
    """Fork an agent for each line of standard input."""
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(_agent(Path(order["settings"]), Path(order["log"])))
        print(json.dumps({"pid": pid}), flush=True)


def _agent(settings: Path, log: Path) -> int:
    """Be an agent from here on: a session of its own, no input, output to its log."""
    os.setsid()
    log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", buffering=1), open(2, "w", buffering=1)  # noqa: SIM115
    return walrus_agent(["run", "--settings", str(settings)])


if __name__ == "__main__":
    main()
