"""Runs many programs in one fresh process, without the child's limits: `python batch.py FILE`, outcomes on stdout."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from walrus_chain.compute.run import Run
from walrus_chain.sandbox.engine import Sandbox

INPUT = bytes(range(256)) * 4
FUEL = 50_000_000


def main() -> None:
    """Run the programs that the file lists, in hex."""
    sandbox = Sandbox()
    outcomes = []
    for text in json.loads(Path(sys.argv[1]).read_text()):
        run = Run(bytes.fromhex(text), fuel=FUEL)
        outcome = sandbox.run(run, (len(INPUT),), lambda _, offset, length: INPUT[offset : offset + length], _ready)
        outcomes.append(
            (outcome.ending.name, outcome.fuel_used, outcome.memory_bytes, outcome.result_hash.hex(), outcome.message)
        )
    print(json.dumps(outcomes))  # noqa: T201


def _ready() -> None:
    """Nothing to prepare here."""


if __name__ == "__main__":
    main()
