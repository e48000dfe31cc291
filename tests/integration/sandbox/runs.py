"""Runs of modules in child processes, one or many, and modules that are large."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.sandbox.modules import leb, section
from walrus_chain.compute.run import Outcome, Run
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program

BATCH = Path(__file__).parent / "batch.py"


async def outcome_of(module: bytes, *inputs: bytes, fuel: int = 10**9, output_bytes: int = 2**20) -> Outcome:
    return await run_program(Run(module, fuel=fuel, output_bytes=output_bytes), [BytesInput(data) for data in inputs])


def module_of(instructions: bytes, functions: int) -> bytes:
    """A program of functions that are all alike, before them one that does nothing and is `run`."""
    body = b"\0" + instructions + b"\x0b"
    return (
        b"\0asm\x01\0\0\0"
        + section(1, b"\x01\x60\0\0")
        + section(3, leb(functions + 1) + b"\0" * (functions + 1))
        + section(5, b"\x01\0\x01")
        + section(7, b"\x03\x03run\0\0\x0cwalrus_abi_1\0\0\x06memory\x02\0")
        + section(10, leb(functions + 1) + b"\x02\0\x0b" + (leb(len(body)) + body) * functions)
    )


def batch(folder: Path, modules: list[bytes], hash_seed: str) -> list[list[object]]:
    """Outcomes of all, in one fresh process."""
    listed = folder / "programs.json"
    listed.write_text(json.dumps([module.hex() for module in modules]))
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, str(BATCH), str(listed)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=250, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    outcomes: list[list[object]] = json.loads(ended.stdout)
    return outcomes
