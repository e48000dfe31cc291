"""What a run is given and how it can end. Two agents with the same run come to the same, bit for bit.

Source: docs/spec/17-programs.md; vectors in tests/vectors/programs.json.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from walrus_chain.compute.abi import (
    ENGINE,
    MAXIMUM_ARGUMENT_BYTES,
    MAXIMUM_FUEL,
    MAXIMUM_INPUTS,
    MAXIMUM_OUTPUT_BYTES,
    MEBIBYTE,
)
from walrus_chain.errors import MalformedRun, NoResult, OtherEngine

#: Sets results apart from everything else that is hashed.
RESULT_TAG: Final = b"\x05"
_FIRST_LOCAL: Final = 128


class Ending(IntEnum):
    """How a run ended. Those below 128 are binding: the same on every machine, so agents commit to them."""

    FINISHED = 0
    """`run` returned."""
    OUT_OF_FUEL = 1
    TRAP = 2
    """A trap of WASM, or a host call with what is not there."""
    STACK_EXHAUSTED = 3
    OUTPUT_TOO_LARGE = 4
    ABORTED = 5
    """The program gave up by itself."""
    UNFIT_PROGRAM = 6
    """No program of this ABI."""

    TIMED_OUT = 128
    """This machine gave it no more time."""
    CRASHED = 129
    """The process that ran it died, or said what makes no sense."""
    INPUT_UNAVAILABLE = 130
    """An input could not be read."""

    @property
    def is_binding(self) -> bool:
        """Whether every machine must come to it."""
        return self < _FIRST_LOCAL

    @property
    def words(self) -> str:
        """For people."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program; its inputs are beside it, for they may be larger than memory."""

    program: bytes
    """The module. Whether it is fit is found out by running it, so that agents agree on that too."""
    argument: bytes = b""
    fuel: int = 10**9
    """Units that it may use."""
    output_bytes: int = MEBIBYTE
    """The longest output."""

    def __post_init__(self) -> None:
        """Raises: MalformedRun."""
        _check("the fuel", self.fuel, 1, MAXIMUM_FUEL)
        _check("the longest output", self.output_bytes, 0, MAXIMUM_OUTPUT_BYTES)
        _check("the argument's length", len(self.argument), 0, MAXIMUM_ARGUMENT_BYTES)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    ending: Ending
    output: bytes = b""
    """What it wrote; empty unless it finished."""
    fuel_used: int = 0
    """The same on every machine when the ending is binding."""
    memory_bytes: int = 0
    """Its memory at the end, which never shrinks."""
    message: str = ""
    """What went wrong, for people."""
    log: bytes = b""
    """For the program's author; never part of a result."""

    @property
    def result_hash(self) -> bytes:
        """What agents commit to and compare: SHA-256 of `0x05 ‖ ending u8 ‖ output`.

        Raises: NoResult: the ending is not binding.
        """
        if not self.ending.is_binding:
            raise NoResult(self.ending.words)
        return hashlib.sha256(RESULT_TAG + bytes([self.ending]) + self.output).digest()


def check_inputs(count: int) -> None:
    """Checks that a run can have so many inputs.

    Raises: MalformedRun.
    """
    _check("the number of inputs", count, 0, MAXIMUM_INPUTS)


def check_engine(engine: str) -> None:
    """Checks that a job names the engine of this version.

    Raises: OtherEngine.
    """
    if engine != ENGINE:
        raise OtherEngine(ENGINE, engine)


def _check(what: str, actual: int, minimum: int, maximum: int) -> None:
    if not minimum <= actual <= maximum:
        raise MalformedRun(what, actual, minimum, maximum)
