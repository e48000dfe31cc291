"""Runs, outcomes, what agents commit to, prices of host calls."""

from __future__ import annotations

import hashlib

import pytest

from walrus_chain.compute.abi import (
    ENGINE,
    MAXIMUM_ARGUMENT_BYTES,
    MAXIMUM_FUEL,
    MAXIMUM_INPUTS,
    MAXIMUM_OUTPUT_BYTES,
    WINDOW_BYTES,
    transfer_fuel,
    windows_touched,
)
from walrus_chain.compute.run import Ending, Outcome, Run, check_engine, check_inputs
from walrus_chain.errors import MalformedRun, NoResult, OtherEngine


@pytest.mark.parametrize(
    ("fuel", "output_bytes", "argument"),
    [
        (0, 1, 0),
        (MAXIMUM_FUEL + 1, 1, 0),
        (1, -1, 0),
        (1, MAXIMUM_OUTPUT_BYTES + 1, 0),
        (1, 1, MAXIMUM_ARGUMENT_BYTES + 1),
    ],
)
def test_run__limit_out_of_bounds__is_refused(fuel: int, output_bytes: int, argument: int) -> None:
    with pytest.raises(MalformedRun):
        Run(b"", bytes(argument), fuel, output_bytes)


def test_run__limits_at_their_bounds__are_taken() -> None:
    Run(b"", bytes(MAXIMUM_ARGUMENT_BYTES), MAXIMUM_FUEL, MAXIMUM_OUTPUT_BYTES)
    Run(b"", b"", 1, 0)
    check_inputs(MAXIMUM_INPUTS)
    with pytest.raises(MalformedRun):
        check_inputs(MAXIMUM_INPUTS + 1)


@pytest.mark.parametrize("ending", [ending for ending in Ending if ending.is_binding])
def test_result_hash__of_a_binding_ending__holds_ending_and_output(ending: Ending) -> None:
    outcome = Outcome(ending, b"output", fuel_used=5, message="for people", log=b"for authors")

    assert outcome.result_hash == hashlib.sha256(b"\x05" + bytes([ending]) + b"output").digest()


@pytest.mark.parametrize("ending", [Ending.TIMED_OUT, Ending.CRASHED, Ending.INPUT_UNAVAILABLE])
def test_result_hash__of_what_only_this_machine_saw__is_refused(ending: Ending) -> None:
    with pytest.raises(NoResult):
        _ = Outcome(ending).result_hash


def test_engine__of_another_job__is_refused() -> None:
    check_engine(ENGINE)
    with pytest.raises(OtherEngine):
        check_engine("wasmtime-50/abi-2")


@pytest.mark.parametrize(("length", "fuel"), [(0, 20_000), (1, 20_001), (8, 20_001), (9, 20_002), (65536, 28_192)])
def test_transfer_fuel__is_rounded_up(length: int, fuel: int) -> None:
    assert transfer_fuel(length) == fuel


@pytest.mark.parametrize(
    ("offset", "length", "last", "expected"),
    [
        (0, 0, None, (0, None)),
        (5, 0, 3, (0, 3)),
        (0, 1, None, (1, 0)),
        (0, WINDOW_BYTES, None, (1, 0)),
        (0, WINDOW_BYTES + 1, None, (2, 1)),
        (WINDOW_BYTES - 1, 2, 0, (1, 1)),
        (WINDOW_BYTES - 1, 2, 1, (2, 1)),
        (WINDOW_BYTES, 1, 1, (0, 1)),
        (3 * WINDOW_BYTES, 4 * WINDOW_BYTES, 5, (4, 6)),
        (2**63, 1, None, (1, 2**47)),
    ],
)
def test_windows_touched(offset: int, length: int, last: int | None, expected: tuple[int, int | None]) -> None:
    assert windows_touched(offset, length, last) == expected
