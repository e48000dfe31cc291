"""Programs that mean harm, each in a real child process: they get an ending, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.sandbox import machines
from tests.integration.sandbox.modules import RandomProgram, leb, program, section, showing
from walrus_chain.compute.abi import (
    CALL_FUEL,
    MAXIMUM_FUNCTION_BYTES,
    MAXIMUM_LOG_BYTES,
    MAXIMUM_MEMORY_BYTES,
    MAXIMUM_MESSAGE_BYTES,
    PROGRAM_BYTE_FUEL,
    WINDOW_BYTES,
    WINDOW_FUEL,
)
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.sandbox import runner
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program

pytestmark = pytest.mark.integration
BATCH = Path(__file__).parent / "batch.py"
PAGES = MAXIMUM_MEMORY_BYTES // 65536


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


# -- brakes ----------------------------------------------------------------------------------------------------------


async def test_infinite_loop__fuel_runs_out__is_binding_with_all_fuel_used() -> None:
    outcome = await outcome_of(program("(loop $again (br $again))"), fuel=10**8)

    assert outcome.ending is Ending.OUT_OF_FUEL
    assert outcome.fuel_used == 10**8


async def test_infinite_loop__time_runs_out__is_not_binding() -> None:
    run = Run(program("(loop $again (br $again))"), fuel=10**13)

    outcome = await run_program(run, wall_seconds=0.3)

    assert outcome.ending is Ending.TIMED_OUT
    assert not outcome.ending.is_binding


async def test_infinite_loop_of_host_calls__fuel_runs_out__is_binding() -> None:
    outcome = await outcome_of(program("(loop $again (drop (call $input_count)) (br $again))"), fuel=5 * 10**7)

    assert outcome.ending is Ending.OUT_OF_FUEL


async def test_compiling__longer_than_the_time_there_is__is_killed() -> None:
    nested = b"\x03\x40" * 21_000 + b"\x0b" * 21_000
    assert len(nested) < MAXIMUM_FUNCTION_BYTES - 2
    module = module_of(nested, 100)
    before = time.monotonic()

    outcome = await run_program(Run(module, fuel=10**11), wall_seconds=0.5)

    assert outcome.ending is Ending.TIMED_OUT
    assert time.monotonic() - before < 20


async def test_compiling__costs_fuel_by_the_byte() -> None:
    module = program()

    short = await outcome_of(module, fuel=PROGRAM_BYTE_FUEL * len(module) - 1)
    enough = await outcome_of(module, fuel=PROGRAM_BYTE_FUEL * len(module) + 10)

    assert short.ending is Ending.OUT_OF_FUEL
    assert enough.ending is Ending.FINISHED
    assert enough.fuel_used == PROGRAM_BYTE_FUEL * len(module) + 1


async def test_memory_bomb__grows_and_touches_all__stays_at_the_limit() -> None:
    body = f"""(loop $again
        (memory.fill (i32.const 0) (i32.const 255) (i32.mul (memory.size) (i32.const 65536)))
        (br_if $again (i32.ne (memory.grow (i32.const 1365)) (i32.const -1))))
        {showing("i32", "(memory.size)")}"""

    outcome = await outcome_of(program(body), fuel=10**10)

    assert outcome.ending is Ending.FINISHED
    assert struct.unpack("<I", outcome.output)[0] == outcome.memory_bytes // 65536 == PAGES


async def test_memory_bomb__begins_above_the_limit__is_unfit() -> None:
    outcome = await outcome_of(program(memory=f'(memory (export "memory") {PAGES + 1})'))

    assert outcome.ending is Ending.UNFIT_PROGRAM
    assert "memory" in outcome.message


async def test_memory_grow__above_the_limit__is_minus_one_and_changes_nothing() -> None:
    grown = f"(memory.grow (i32.const {PAGES}))"

    outcome = await outcome_of(program(f"{showing('i32', grown)} {showing('i32', '(memory.size)')}"))

    assert struct.unpack("<iI", outcome.output) == (-1, 1)


async def test_memory_fill__is_paid_by_the_byte() -> None:
    module = program(f"(memory.fill (i32.const 0) (i32.const 1) (i32.const {65536}))")

    outcome = await outcome_of(module)

    assert outcome.fuel_used - PROGRAM_BYTE_FUEL * len(module) > 65536


async def test_memory_without_pages__moving_nothing_is_fine_and_a_byte_is_a_trap() -> None:
    memory = '(memory (export "memory") 0)'
    nothing = "(call $write (i32.const 0) (i32.const 0)) (call $log (i32.const 0) (i32.const 0))"
    nothing += "(drop (call $read (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))"

    calm = await outcome_of(program(nothing, memory=memory), b"input")
    wild = await outcome_of(program("(call $write (i32.const 0) (i32.const 1))", memory=memory))

    assert (calm.ending, calm.output, calm.log) == (Ending.FINISHED, b"", b"")
    assert wild.ending is Ending.TRAP


async def test_table_bomb__more_entries_than_allowed__is_unfit() -> None:
    outcome = await outcome_of(program(more="(table 10001 funcref)"))

    assert outcome.ending is Ending.UNFIT_PROGRAM
    assert "table" in outcome.message


async def test_table_grow__above_the_limit__is_minus_one() -> None:
    grown = "(table.grow (ref.null func) (i32.const 10000))"

    outcome = await outcome_of(program(showing("i32", grown), more="(table 1 funcref)"))

    assert struct.unpack("<i", outcome.output) == (-1,)


async def test_output_bomb__above_the_limit__ends_and_nothing_is_kept() -> None:
    body = "(loop $again (call $write (i32.const 0) (i32.const 65536)) (br $again))"

    outcome = await outcome_of(program(body), output_bytes=2**20)

    assert outcome.ending is Ending.OUTPUT_TOO_LARGE
    assert outcome.output == b""


async def test_output__of_exactly_the_limit__is_kept() -> None:
    outcome = await outcome_of(program("(call $write (i32.const 0) (i32.const 65536))"), output_bytes=65536)

    assert outcome.output == bytes(65536)


async def test_log_bomb__above_the_limit__is_cut_and_does_not_end_the_run() -> None:
    body = "(call $log (i32.const 0) (i32.const 65000)) (call $log (i32.const 0) (i32.const 65000))"

    outcome = await outcome_of(program(body))

    assert outcome.ending is Ending.FINISHED
    assert len(outcome.log) == MAXIMUM_LOG_BYTES


async def test_abort__with_a_message_that_is_too_long_and_no_text__is_cut() -> None:
    whole = "(i32.const 0) (i32.const 65536)"
    body = f"(memory.fill (i32.const 0) (i32.const 255) (i32.const 65536)) (call $abort {whole})"

    outcome = await outcome_of(program(body))

    assert outcome.ending is Ending.ABORTED
    assert outcome.message == "\N{REPLACEMENT CHARACTER}" * MAXIMUM_MESSAGE_BYTES


async def test_deep_recursion__exhausts_the_stack_at_the_same_depth_each_time() -> None:
    deep = "(func $deep (param f64 i64) (result i64) (call $deep (local.get 0) (i64.add (i64.const 1) (local.get 1))))"
    module = program("(drop (call $deep (f64.const 1) (i64.const 0)))", more=deep)

    outcomes = [await outcome_of(module) for _ in range(3)]

    assert {outcome.ending for outcome in outcomes} == {Ending.STACK_EXHAUSTED}
    assert len({outcome.fuel_used for outcome in outcomes}) == 1


# -- what is no program ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "imports",
    [
        '(import "walrus" "clock" (func))',
        '(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))',
        '(import "env" "read" (func (param i32 i64 i32 i32) (result i32)))',
        '(import "walrus" "write" (func (param i32 i64)))',
        '(import "walrus" "write" (func (param f32 i32)))',
        '(import "walrus" "write" (global i32))',
        '(import "walrus" "memory" (memory 1))',
    ],
)
async def test_absent_import__is_unfit(imports: str) -> None:
    memory = "" if "memory" in imports else '(memory (export "memory") 1)'
    outcome = await outcome_of(program(imports=imports, memory=memory))

    assert outcome.ending is Ending.UNFIT_PROGRAM
    assert "import" in outcome.message


async def test_other_abi__is_unfit_and_named() -> None:
    outcome = await outcome_of(program(mark='(func (export "walrus_abi_2"))'))

    assert outcome.ending is Ending.UNFIT_PROGRAM
    assert "walrus_abi_2" in outcome.message


@pytest.mark.parametrize(
    ("what", "module"),
    [
        ("SIMD", lambda: program("(drop (v128.const i32x4 1 2 3 4))")),
        ("threads", lambda: program(memory='(memory (export "memory") 1 2 shared)')),
        ("atomics", lambda: program("(drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))")),
        ("relaxed SIMD", lambda: program("(drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 1 2 3 4)))")),
        ("tail calls", lambda: program("(return_call $deep)", more="(func $deep)")),
        ("memory64", lambda: program(memory='(memory (export "memory") i64 1)')),
        ("two memories", lambda: program(more="(memory 1)")),
        ("exceptions", lambda: program("(throw $tag)", more="(tag $tag)")),
        ("garbage collection", lambda: program("(drop (ref.i31 (i32.const 1)))")),
        ("a start function", lambda: program(more="(func $begin) (start $begin)")),
        ("two tables", lambda: program(more="(table 1 funcref) (table 1 funcref)")),
        ("references to what the host has", lambda: program(more="(func (param externref))")),
        ("references to any", lambda: program("(drop (ref.null any))")),
        ("typed references", lambda: program(more="(type $none (func)) (func (param (ref null $none)))")),
        ("64-bit tables", lambda: program(more="(table i64 1 funcref)")),
        ("wide arithmetic", lambda: program("(i64.mul_wide_u (i64.const 1) (i64.const 1)) drop drop")),
        ("stack switching", lambda: program(more="(type $none (func)) (type $goes_on (cont $none))")),
        ("small pages", lambda: program(memory='(memory (export "memory") 1 (pagesize 1))')),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_forbidden_feature__is_unfit(what: str, module: object) -> None:
    assert callable(module)
    outcome = await outcome_of(module())

    assert outcome.ending is Ending.UNFIT_PROGRAM, what


async def test_extended_constant_expression__is_fit() -> None:
    outcome = await outcome_of(program(more="(global i32 (i32.mul (i32.const 6) (i32.const 7)))"))

    assert outcome.ending is Ending.FINISHED


async def test_custom_section_that_a_proposal_gives_a_meaning__is_skipped() -> None:
    hint = b"\x19metadata.code.branch_hint\xff\xff\xff"

    outcome = await outcome_of(program() + section(0, hint))

    assert outcome.ending is Ending.FINISHED


# -- machines that refuse what others give ---------------------------------------------------------------------------

UNFIT = program("(drop (v128.const i32x4 1 2 3 4))")


@pytest.mark.parametrize(
    ("child", "module", "words"),
    [
        (machines.NO_MACHINE_CODE, program(), "unable to make memory executable"),
        (machines.NO_FILTERS, program(), "seccomp"),
        (machines.OTHER_MACHINE, program(), "not compatible with the native host"),
        (machines.LITTLE_MEMORY, module_of(b"\x10\0" * 32_000, 8), "the process ended with"),
    ],
    ids=[
        "no executable memory",
        "no filters of system calls",
        "code for another machine",
        "more memory to compile than there is",
    ],
)
async def test_fit_program__cannot_be_compiled_or_run_here__is_not_binding(
    child: str, module: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = await outcome_of(module, fuel=10**11)
    monkeypatch.setattr(runner, "_CHILD", child)

    outcome = await outcome_of(module, fuel=10**11)

    assert elsewhere.ending is Ending.FINISHED
    assert outcome.ending is Ending.CRASHED
    assert words in outcome.message


@pytest.mark.parametrize("child", [machines.NO_MACHINE_CODE, machines.OTHER_MACHINE, machines.LITTLE_MEMORY])
async def test_unfit_program__where_nothing_can_be_compiled__comes_to_what_it_does_elsewhere(
    child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = await outcome_of(UNFIT)
    monkeypatch.setattr(runner, "_CHILD", child)

    outcome = await outcome_of(UNFIT)

    assert elsewhere.ending is Ending.UNFIT_PROGRAM
    assert outcome == elsewhere


async def test_module_of_100_mib__is_unfit_before_any_process_starts() -> None:
    outcome = await outcome_of(b"\0asm\x01\0\0\0" + bytes(100 * 2**20))

    assert outcome.ending is Ending.UNFIT_PROGRAM
    assert outcome.fuel_used == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("unreachable", "unreachable"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "divide by zero"),
        ("(drop (i32.trunc_f32_s (f32.const nan)))", "invalid conversion"),
        ("(drop (i32.load (i32.const 70000)))", "out of bounds"),
        ("(call_indirect (i32.const 0))", "uninitialized element"),
    ],
)
async def test_trap__is_binding(body: str, words: str) -> None:
    outcome = await outcome_of(program(body, more="(table 1 funcref)"))

    assert outcome.ending is Ending.TRAP
    assert words in outcome.message


async def test_trap__while_the_memory_is_filled_at_first__is_binding() -> None:
    outcome = await outcome_of(program(more='(data (i32.const 70000) "a")'))

    assert outcome.ending is Ending.TRAP


# -- what could differ between machines ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "bits"),
    [
        ("f32", "(f32.div (f32.const 0) (f32.const 0))", 0x7FC00000),
        ("f32", "(f32.div (f32.const -0) (f32.const 0))", 0x7FC00000),
        ("f32", "(f32.add (f32.const -nan:0x200001) (f32.const 1))", 0x7FC00000),
        ("f32", "(f32.min (f32.const 1) (f32.const nan:0x7fffff))", 0x7FC00000),
        ("f32", "(f32.demote_f64 (f64.const -nan:0x4000000000001))", 0x7FC00000),
        ("f64", "(f64.sqrt (f64.const -1))", 0x7FF8000000000000),
        ("f64", "(f64.sub (f64.const inf) (f64.const inf))", 0x7FF8000000000000),
        ("f64", "(f64.nearest (f64.const -nan:0x4000000000001))", 0x7FF8000000000000),
        ("f64", "(f64.promote_f32 (f32.const nan:0x200001))", 0x7FF8000000000000),
    ],
)
async def test_nan_bits__of_arithmetic__are_canonical(kind: str, value: str, bits: int) -> None:
    outcome = await outcome_of(program(showing(kind, value)))

    assert int.from_bytes(outcome.output, "little") == bits


def test_random_programs__twice_in_fresh_processes__come_to_the_same(tmp_path: Path) -> None:
    modules = [RandomProgram(seed).build() for seed in range(300)]

    first, second = (batch(tmp_path, modules, hash_seed) for hash_seed in ("1", "2"))

    assert first == second
    endings = Counter(ending for ending, *_ in first)
    assert all(endings[kind] > 10 for kind in ("FINISHED", "TRAP", "OUT_OF_FUEL", "STACK_EXHAUSTED")), endings


def test_random_programs__in_another_order__come_to_the_same(tmp_path: Path) -> None:
    modules = [RandomProgram(seed).build() for seed in range(1000, 1060)]

    assert batch(tmp_path, modules, "1") == batch(tmp_path, modules[::-1], "1")[::-1]


async def test_random_programs__in_the_child__come_to_what_a_plain_process_says(tmp_path: Path) -> None:
    modules = [RandomProgram(seed).build() for seed in range(2000, 2012)]
    plain = batch(tmp_path, modules, "1")

    for module, (ending, fuel, memory, result, _) in zip(modules, plain, strict=True):
        outcome = await outcome_of(module, bytes(range(256)) * 4, fuel=50_000_000)

        assert (outcome.ending.name, outcome.fuel_used, outcome.memory_bytes) == (ending, fuel, memory)
        assert outcome.result_hash.hex() == result


# -- host calls with what is not there -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "(call $read (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 1))",
        "(call $read (i32.const -1) (i64.const 0) (i32.const 0) (i32.const 1))",
        "(call $read (i32.const 0) (i64.const 11) (i32.const 0) (i32.const 1))",
        "(call $read (i32.const 0) (i64.const -1) (i32.const 0) (i32.const 1))",
        "(call $read (i32.const 0) (i64.const 0) (i32.const 65536) (i32.const 1))",
        "(call $read (i32.const 0) (i64.const 0) (i32.const -1) (i32.const 2))",
        "(call $read (i32.const 0) (i64.const 0) (i32.const 0) (i32.const -1))",
        "(call $read (i32.const 0) (i64.const 0) (i32.const 2) (i32.const -2))",
        "(call $read_argument (i32.const 1) (i32.const 0) (i32.const 1))",
        "(call $read_argument (i32.const 0) (i32.const 65530) (i32.const 7))",
        "(i32.wrap_i64 (call $input_size (i32.const 1)))",
    ],
)
async def test_malicious_read__out_of_bounds__is_a_trap(call: str) -> None:
    outcome = await outcome_of(program(f"(drop {call})"), b"0123456789")

    assert outcome.ending is Ending.TRAP


@pytest.mark.parametrize("name", ["write", "log", "abort"])
@pytest.mark.parametrize(("pointer", "length"), [(65536, 1), (0, -1), (-1, 1), (65535, 2)])
async def test_malicious_write__out_of_bounds__is_a_trap(name: str, pointer: int, length: int) -> None:
    outcome = await outcome_of(program(f"(call ${name} (i32.const {pointer}) (i32.const {length}))"))

    assert outcome.ending is Ending.TRAP


async def test_read__at_the_end_or_of_nothing__is_short() -> None:
    reads = ("(i64.const 4) (i32.const 8) (i32.const 100)", "(i64.const 10) (i32.const 8) (i32.const 1)")
    shown = " ".join(showing("i32", f"(call $read (i32.const 0) {read})") for read in reads)

    outcome = await outcome_of(program(shown), b"0123456789")

    assert struct.unpack("<II", outcome.output) == (6, 0)


async def test_read__jumping_between_windows__pays_for_each_jump() -> None:
    def reading(*offsets: int) -> bytes:
        places = [f"(i32.const 0) (i64.const {at}) (i32.const 0) (i32.const 1)" for at in offsets]
        return program(" ".join(f"(drop (call $read {place}))" for place in places))

    data = bytes(3 * WINDOW_BYTES)
    staying, jumping = reading(70000, 70001, 70002), reading(70000, 10001, 70002)
    assert len(staying) == len(jumping)

    calm, wild = await outcome_of(staying, data), await outcome_of(jumping, data)

    assert wild.fuel_used - calm.fuel_used == 2 * WINDOW_FUEL
    assert calm.fuel_used > WINDOW_FUEL + 3 * CALL_FUEL


# -- a child that dies or lies ---------------------------------------------------------------------------------------


def sandboxes() -> list[psutil.Process]:
    """Children of ours that run programs; other tests may have others."""
    return [child for child in psutil.Process().children() if child.cmdline()[1:4] == ["-I", "-S", "-c"]]


class KillingSource:
    """An input that, when it is read, kills whoever asked."""

    size = 10

    async def read(self, offset: int, length: int) -> bytes:
        for child in sandboxes():
            child.kill()
        return bytes(length)


class BrokenSource:
    """An input that cannot be read, or is shorter than it said."""

    size = 10

    def __init__(self, short: bool) -> None:
        self._short = short

    async def read(self, offset: int, length: int) -> bytes:
        if self._short:
            return bytes(length - 1)
        raise OSError("the disk is gone")


class WaitingSource:
    """An input that never comes."""

    size = 10

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def read(self, offset: int, length: int) -> bytes:
        self.asked.set()
        await asyncio.Event().wait()
        return bytes(length)


READING = "(drop (call $read (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 10)))"


async def test_child__killed_in_the_middle__is_an_ending_of_its_own() -> None:
    outcome = await run_program(Run(program(READING)), [KillingSource()])

    assert outcome.ending is Ending.CRASHED
    assert str(-signal.SIGKILL) in outcome.message


@pytest.mark.parametrize("short", [True, False])
async def test_input__cannot_be_read__is_an_ending_of_its_own(short: bool) -> None:
    outcome = await run_program(Run(program(READING)), [BrokenSource(short)])

    assert outcome.ending is Ending.INPUT_UNAVAILABLE
    assert "input 0" in outcome.message


async def test_run__cancelled__leaves_no_process() -> None:
    source = WaitingSource()
    running = asyncio.create_task(run_program(Run(program(READING)), [source]))
    await source.asked.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert sandboxes() == []


EVIL = "import os, sys, time\nsend = lambda data: os.write(1, data)\nheader = os.read(0, 1000000)\n"


@pytest.mark.parametrize(
    ("code", "ending", "words"),
    [
        ("send(b'\\x07')", Ending.CRASHED, "a message of kind 07"),
        ("send(b'\\x01' + bytes([9, 0]) + bytes(8) + bytes([1, 0, 0, 0]))", Ending.CRASHED, "input 9"),
        ("send(b'\\x01' + bytes([0, 0]) + b'\\xff' * 8 + bytes([1, 0, 0, 0]))", Ending.CRASHED, "input 0"),
        ("send(b'\\x01' + bytes(2) + bytes(8) + bytes([11, 0, 0, 0]))", Ending.CRASHED, "wants 11 bytes"),
        ("send(b'\\x01' + bytes(14))", Ending.CRASHED, "wants 0 bytes"),
        ("send(b'\\x02' + bytes([77]) + bytes(28))", Ending.CRASHED, "77"),
        ("send(b'\\x02' + bytes(25) + b'\\xff' * 4)", Ending.CRASHED, "limits"),
        ("send(b'\\x02' + bytes([1]) + bytes(24) + bytes([1, 0, 0, 0]))", Ending.CRASHED, "limits"),
        ("send(b'\\x02' + bytes([0]) + b'\\xff' * 8 + bytes(20))", Ending.CRASHED, "limits"),
        ("send(b'\\x02' + bytes(3))", Ending.CRASHED, "ended with 0"),
        ("os.write(2, b'alas ' * 100000); sys.exit(3)", Ending.CRASHED, "ended with 3: "),
        ("os.abort()", Ending.CRASHED, str(-signal.SIGABRT)),
        ("os.close(0); os.close(1); time.sleep(60)", Ending.CRASHED, str(-signal.SIGKILL)),
        ("os.fork() or (os.setsid(), time.sleep(4))", Ending.TIMED_OUT, ""),
        ("time.sleep(60)", Ending.TIMED_OUT, ""),
    ],
)
async def test_child__taken_over__cannot_deceive_its_parent(
    code: str, ending: Ending, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_CHILD", EVIL + code)
    monkeypatch.setattr(runner, "_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(runner, "_LAST_SECONDS", 0.3)
    before = time.monotonic()

    seconds = 0.8 if ending is Ending.TIMED_OUT else 30.0
    outcome = await run_program(Run(program()), [BytesInput(b"0123456789")], wall_seconds=seconds)

    assert outcome.ending is ending
    assert words in outcome.message
    assert sandboxes() == []
    assert time.monotonic() - before < 10


CONFINED = """
import mmap, os, resource, signal, socket, sys
sys.path[:] = __import__("json").loads(sys.argv[1])
found = [f"environment {dict(os.environ)}", f"folder {os.getcwd()}", f"descriptors {os.listdir('/proc/self/fd')[:-1]}"]
found.append(f"session {os.getsid(0) == os.getpid()}")
status, niceness, badness = (
    os.open(f"/proc/self/{name}", os.O_RDONLY) for name in ("status", "stat", "oom_score_adj")
)
from walrus_chain.sandbox import child
child._give_up(5)
for name, attempt in (
    ("file", lambda: open("/etc/passwd")),
    ("socket", socket.socket),
    ("pipe", os.pipe),
    ("process", os.fork),
    ("signal", lambda: os.kill(os.getpid(), signal.SIGURG)),
    ("another's limits", lambda: resource.prlimit(1, resource.RLIMIT_CORE)),
    ("memory", lambda: bytearray(2 << 30)),
    ("shared memory", lambda: mmap.mmap(-1, 8 << 30)),
):
    try:
        attempt()
        found.append(f"{name} had")
    except (OSError, MemoryError) as error:
        found.append(f"{name} refused")
lines = os.read(status, 4096).decode().splitlines()
found += [line for line in lines if line.startswith(("NoNewPrivs:", "Seccomp:"))]
found.append(f"root {any(line.startswith('Uid:') and '0' in line.split() for line in lines)}")
found.append(f"nice {os.read(niceness, 4096).decode().rpartition(')')[2].split()[16]}")
found.append(f"first to go {os.read(badness, 99).decode().strip()}")
sys.exit("; ".join(found))
"""


async def test_child__has_nothing_and_can_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_CHILD", CONFINED)
    monkeypatch.setenv("SECRET", "hush")
    ours = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(ours, True)

    outcome = await run_program(Run(program()))

    os.close(ours)

    assert outcome.message.endswith(
        "environment {'LC_CTYPE': 'C.UTF-8'}; folder /; descriptors ['0', '1', '2']; session True; "
        "file refused; socket refused; pipe refused; process refused; signal refused; another's limits refused; "
        "memory refused; shared memory refused; NoNewPrivs: 1; Seccomp: 2; root False; "
        f"nice {min(19, os.nice(0) + 5)}; first to go 1000"
    ), outcome.message


# -- by chance -------------------------------------------------------------------------------------------------------

BY_CHANCE = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
VALID = [RandomProgram(seed).build() for seed in range(20)]


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """Valid modules with some bytes changed, cut out or put in."""
    module = bytearray(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(module) - 1))
        match draw(st.integers(0, 2)):
            case 0:
                module[at] = draw(st.integers(0, 255))
            case 1:
                del module[at : at + draw(st.integers(1, 8))]
            case _:
                module[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(module)


@BY_CHANCE
@given(st.binary(max_size=200).map(lambda rest: b"\0asm\x01\0\0\0" + rest) | st.binary(max_size=200))
def test_random_bytes__are_unfit(module: bytes) -> None:
    assert asyncio.run(outcome_of(module, fuel=5 * 10**7)).ending is Ending.UNFIT_PROGRAM


@BY_CHANCE
@given(mutants())
def test_mutated_programs__in_the_child__end_in_what_binds(module: bytes) -> None:
    assert asyncio.run(outcome_of(module, b"input", fuel=5 * 10**7)).ending.is_binding


def test_mutated_programs__many__end_in_the_same_twice(tmp_path: Path) -> None:
    chance = random.Random(5)
    modules = []
    for _ in range(400):
        module = bytearray(chance.choice(VALID))
        for _ in range(chance.randint(1, 3)):
            module[chance.randrange(8, len(module))] = chance.randrange(256)
        modules.append(bytes(module))

    first, second = (batch(tmp_path, modules, hash_seed) for hash_seed in ("1", "2"))

    assert first == second
    assert len({ending for ending, *_ in first}) >= 3


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
