"""The known program that tells a machine from one whose results would not be those of the others."""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from storage_agent.compute.places import unfit_to_compute
from tests.integration.sandbox import machines
from walrus_chain.compute.abi import MAXIMUM_MEMORY_BYTES
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.errors import SelfTestFailed, UnfitMachine
from walrus_chain.sandbox import runner, selftest
from walrus_chain.sandbox.engine import assemble
from walrus_chain.sandbox.selftest import KNOWN, check_results

pytestmark = pytest.mark.integration
SOURCE = Path(selftest.__file__).with_name("selftest.wat")
NOT_A_NUMBER = struct.pack("<QQII", 0x7FF8000000000000, 0x7FF8000000000000, 0x7FC00000, 0x7FC00000)


def test_program__is_built_from_its_source() -> None:
    assert SOURCE.with_suffix(".wasm").read_bytes() == assemble(SOURCE.read_text(), str(SOURCE))


async def test_check_results__here__passes_in_well_under_what_it_may_take() -> None:
    before = time.monotonic()

    await check_results()

    assert time.monotonic() - before < 10
    assert await unfit_to_compute() is None


def test_check_results__started_in_another_folder__passes(tmp_path: Path) -> None:
    code = "import asyncio; from walrus_chain.sandbox.selftest import check_results; asyncio.run(check_results())"
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=kept)


def test_known_results__are_what_the_program_must_come_to() -> None:
    arithmetic, recursion = KNOWN
    pages = MAXIMUM_MEMORY_BYTES // 65536
    output = numbers() + NOT_A_NUMBER + struct.pack("<iiI", 1, -1, pages) + b"\xa5" * 4

    assert arithmetic.result_hash == Outcome(Ending.FINISHED, output).result_hash
    assert recursion.result_hash == Outcome(Ending.STACK_EXHAUSTED).result_hash


def numbers() -> bytes:
    """What the source's function of this name stores first, by Python's floats."""
    mask = 2**64 - 1
    n, x = -7046029254386353131 & mask, 0.1
    for i in range(10_000):
        x = math.sqrt(x * 1.7 + i)
        single = struct.unpack("<f", struct.pack("<f", x))[0]
        (third,) = struct.unpack("<i", struct.pack("<f", single / 3))
        count = n.bit_count() % 64
        mixed = n ^ struct.unpack("<Q", struct.pack("<d", x))[0]
        n = ((mixed << count | mixed >> (64 - count)) + third) & mask
        signed = math.copysign(x, n - 2**64 if n >> 63 else n)
        n += int(signed) if i % 2 else struct.unpack("<Q", struct.pack("<d", float(round(signed))))[0]
        n &= mask
    return struct.pack("<Qd", n, x)


@pytest.mark.parametrize(
    ("child", "what", "words"),
    [
        (machines.NO_MACHINE_CODE, "arithmetic and memory", "unable to make memory executable"),
        (machines.NO_FILTERS, "arithmetic and memory", "seccomp"),
        (machines.OTHER_MACHINE, "arithmetic and memory", "not compatible with the native host"),
        (machines.NO_GROWTH, "arithmetic and memory", "trap"),
        (machines.OTHER_STACK, "recursion", "stack exhausted"),
        ("import os; os.abort()", "arithmetic and memory", "crashed"),
    ],
    ids=[
        "no executable memory",
        "no filters of system calls",
        "code for another machine",
        "memory refused",
        "another stack",
        "no engine",
    ],
)
async def test_check_results__machine_that_differs__is_refused_with_the_reason(
    child: str, what: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_CHILD", child)

    with pytest.raises(SelfTestFailed) as refused:
        await check_results()

    assert refused.value.what == what
    assert words in refused.value.actual
    problem = await unfit_to_compute()
    assert problem is not None
    assert words in problem
    assert "start the agent again" in problem


async def test_check_results__no_process_can_be_started__is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    with pytest.raises(SelfTestFailed) as refused:
        await check_results()

    assert "no process" in refused.value.actual


@pytest.mark.parametrize(("setting", "fit"), [("0\n", True), ("1\n", True), ("2\n", False), (None, True)])
async def test_unfit_to_compute__memory_promised_only_when_all_is_there__is_refused(
    setting: str | None, fit: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    overcommit = tmp_path / "overcommit_memory"
    if setting is not None:
        overcommit.write_text(setting)
    monkeypatch.setattr(runner, "_OVERCOMMIT", overcommit)

    problem = await unfit_to_compute()

    assert (problem is None) is fit
    if not fit:
        assert "vm.overcommit_memory" in str(problem)
        with pytest.raises(UnfitMachine):
            runner.check_machine()


async def test_grown_memory__that_the_machine_refuses__would_have_been_a_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Why the self-test grows: the run itself cannot tell."""
    monkeypatch.setattr(runner, "_CHILD", machines.NO_GROWTH)

    outcome = await runner.run_program(Run(SOURCE.with_suffix(".wasm").read_bytes(), output_bytes=64))

    assert outcome.ending.is_binding
    assert outcome.result_hash != KNOWN[0].result_hash
