"""What could differ between machines, between runs or by chance, and does not; or binds nobody."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.sandbox import machines
from tests.integration.sandbox.modules import RandomProgram, program, showing
from tests.integration.sandbox.runs import batch, module_of, outcome_of
from walrus_chain.compute.run import Ending
from walrus_chain.sandbox import runner

pytestmark = pytest.mark.integration


# -- machines that refuse what others give -----------------------------------------------------------------------------


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


# -- what could differ between machines --------------------------------------------------------------------------------


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


# -- by chance ---------------------------------------------------------------------------------------------------------


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
