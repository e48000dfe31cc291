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
from importlib import import_module
from pathlib import Path
from typing import NoReturn


def main() -> None:
    """Fork an agent for each line of standard input."""
    import_module("storage_agent.daemon")
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _be_agent(order["settings"], Path(order["log"]))
        sys.stdout.write(json.dumps({"pid": pid}) + "\n")
        sys.stdout.flush()


def _be_agent(settings: str, log: Path) -> NoReturn:
    """Be an agent from here on: a session of its own, no input, output to its log."""
    os.setsid()
    log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in ((0, nothing), (1, output), (2, output)):
        os.dup2(file, number)
    from storage_agent.cli.main import main as walrus_agent

    sys.argv = ["walrus-agent", "run", "--config", settings]
    try:
        walrus_agent()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    os._exit(0)


if __name__ == "__main__":
    main()
