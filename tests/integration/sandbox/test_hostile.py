"""Programs that mean harm, each in a real child process: they get an ending, and nobody else notices."""

from __future__ import annotations

import struct
import time

import pytest

from tests.integration.sandbox.modules import program, section, showing
from tests.integration.sandbox.runs import module_of, outcome_of
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
from walrus_chain.compute.run import Ending, Run
from walrus_chain.sandbox.runner import run_program

pytestmark = pytest.mark.integration
PAGES = MAXIMUM_MEMORY_BYTES // 65536


# -- brakes ------------------------------------------------------------------------------------------------------------


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


# -- what is no program ------------------------------------------------------------------------------------------------


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


# -- host calls with what is not there ---------------------------------------------------------------------------------


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
