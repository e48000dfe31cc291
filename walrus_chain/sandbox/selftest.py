"""Runs a known program as jobs' programs are run, to see that this machine comes to what all agents come to.

What an agent may do is often limited by whoever started it, in ways that show in a child process only: no executable
memory, no filters of system calls, little memory. A node that finds out by a job may lose stake, one that finds out
here declines. Source of the program: selftest.wat, built into selftest.wasm. Source: docs/adr/0030-sandbox.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.errors import SelfTestFailed
from walrus_chain.sandbox.runner import run_program

_PROGRAM: Final = Path(__file__).with_name("selftest.wasm")
_FUEL: Final = 10**9
_OUTPUT_BYTES: Final = 64
#: Many times what it takes on a machine that has other things to do as well.
_WALL_SECONDS: Final = 60.0
#: Of what the child said, from the end, where it says why.
_LAST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A run of the program, and what it comes to."""

    what: str
    """Is tested, for people."""
    argument: bytes
    ending: Ending
    result_hash: bytes
    fuel_used: int


KNOWN: Final = (
    Known(
        "arithmetic and memory",
        b"",
        Ending.FINISHED,
        bytes.fromhex("833a6f6c937345d0903d46bdeedef887e9edde585512ab44a8132b698a03c807"),
        3_659_707,
    ),
    # The fuel says how deep it went.
    Known(
        "recursion",
        b"deep",
        Ending.STACK_EXHAUSTED,
        bytes.fromhex("88a570240d07fd1ed883b7b9088e175a70b2ea0dd11295678c248edcbeadea5e"),
        3_162_329,
    ),
)


async def check_results() -> None:
    """Checks that the known program comes to the known here, each time in a process of its own. Some 0.2 s in all.

    Raises: SelfTestFailed: another result, or none. EngineMissing, OtherEngine.
    """
    program = _PROGRAM.read_bytes()
    for known in KNOWN:
        expected = _shown(known.ending, known.result_hash, known.fuel_used)
        try:
            run = Run(program, known.argument, _FUEL, _OUTPUT_BYTES)
            actual = _came_to(await run_program(run, wall_seconds=_WALL_SECONDS))
        except OSError as error:
            actual = f"no process: {error}"
        if actual != expected:
            raise SelfTestFailed(known.what, expected, actual)


def _came_to(outcome: Outcome) -> str:
    if outcome.ending.is_binding:
        return _shown(outcome.ending, outcome.result_hash, outcome.fuel_used)
    return f"{outcome.ending.words}: {outcome.message[-_LAST_WORDS:]}"


def _shown(ending: Ending, result_hash: bytes, fuel_used: int) -> str:
    return f"{ending.words}, result {result_hash.hex()}, {fuel_used:,} fuel"
