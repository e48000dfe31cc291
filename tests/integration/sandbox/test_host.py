"""The host ABI beside a model of it: calls by chance, with what is there and what is not."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.sandbox.modules import program
from walrus_chain.compute.abi import (
    CALL_FUEL,
    MAXIMUM_LOG_BYTES,
    MAXIMUM_MESSAGE_BYTES,
    PROGRAM_BYTE_FUEL,
    WINDOW_BYTES,
    WINDOW_FUEL,
)
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.sandbox.engine import Sandbox
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program

pytestmark = pytest.mark.integration
PAGE = 65536
INPUTS = (b"", bytes(range(256)), b"walrus" * 40_000)
ARGUMENT = b"an argument"
OUTPUT_BYTES = 3 * PAGE
#: More than a call and the constants before it cost by themselves.
INSTRUCTIONS = 12

Call = tuple[str, tuple[int, ...]]
POINTERS = st.sampled_from([0, 1, 5000, PAGE - 1, PAGE, 2**31, 2**32 - 1]) | st.integers(0, PAGE)
LENGTHS = st.sampled_from([0, 1, 9, 300, PAGE, PAGE + 1, 2**31, 2**32 - 1]) | st.integers(0, 2000)
OFFSETS = st.sampled_from([0, 11, 12, 255, 256, 257, 65535, 240_000, 240_001, 2**32, 2**63, 2**64 - 1])
OFFSETS |= st.integers(0, 250_000)
INDICES = st.sampled_from([0, 1, 2, 2, 2, 3, 2**32 - 1])
CALLS: st.SearchStrategy[Call] = st.one_of(
    st.tuples(st.just("read"), st.tuples(INDICES, OFFSETS, POINTERS, LENGTHS)),
    st.tuples(st.just("read_argument"), st.tuples(st.integers(0, 13), POINTERS, LENGTHS)),
    st.tuples(st.sampled_from(["write", "write", "log", "abort"]), st.tuples(POINTERS, LENGTHS)),
    st.tuples(st.just("input_size"), st.tuples(INDICES)),
)


class Ended(Exception):
    """The model's run is over."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass
class Model:
    """The host as the specification has it."""

    memory: bytearray = field(default_factory=lambda: bytearray(PAGE))
    output: bytearray = field(default_factory=bytearray)
    log: bytearray = field(default_factory=bytearray)
    last: dict[int, int] = field(default_factory=dict)
    fuel: int = 0
    ending: Ending = Ending.FINISHED

    def run(self, calls: list[Call]) -> None:
        try:
            for name, arguments in calls:
                getattr(self, name)(*arguments)
        except Ended as ended:
            self.ending = ended.ending

    def read(self, index: int, offset: int, pointer: int, length: int) -> None:
        self.check(index < len(INPUTS) and pointer + length <= PAGE and offset <= len(INPUTS[index]))
        data = INPUTS[index][offset : offset + length]
        windows = [place // WINDOW_BYTES for place in range(offset, offset + len(data))]
        if windows[:1] == [self.last.get(index)]:
            windows = [window for window in windows if window != windows[0]]
        self.fuel += WINDOW_FUEL * len(set(windows))
        if data:
            self.last[index] = (offset + len(data) - 1) // WINDOW_BYTES
        self.move(pointer, data)

    def read_argument(self, offset: int, pointer: int, length: int) -> None:
        self.check(pointer + length <= PAGE and offset <= len(ARGUMENT))
        self.move(pointer, ARGUMENT[offset : offset + length])

    def write(self, pointer: int, length: int) -> None:
        self.check(pointer + length <= PAGE)
        if len(self.output) + length > OUTPUT_BYTES:
            raise Ended(Ending.OUTPUT_TOO_LARGE)
        self.pay(length)
        self.output += self.memory[pointer : pointer + length]

    def log_(self, pointer: int, length: int) -> None:
        self.check(pointer + length <= PAGE)
        self.pay(length)
        self.log = (self.log + self.memory[pointer : pointer + length])[:MAXIMUM_LOG_BYTES]

    def abort(self, pointer: int, length: int) -> None:
        self.check(pointer + length <= PAGE)
        self.pay(length)
        raise Ended(Ending.ABORTED)

    def input_size(self, index: int) -> None:
        self.check(index < len(INPUTS))
        self.pay(0)

    def check(self, there: bool) -> None:
        if not there:
            raise Ended(Ending.TRAP)

    def move(self, pointer: int, data: bytes) -> None:
        self.pay(len(data))
        self.memory[pointer : pointer + len(data)] = data

    def pay(self, length: int) -> None:
        self.fuel += CALL_FUEL + (length + 7) // 8


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def outcome_of(sandbox: Sandbox, calls: list[Call], fuel: int) -> Outcome:
    run = Run(program(" ".join(map(_written, calls))), ARGUMENT, fuel, OUTPUT_BYTES)
    return sandbox.run(run, [len(data) for data in INPUTS], _read, lambda: None)


@settings(max_examples=300, deadline=None)
@given(st.lists(CALLS, max_size=12))
def test_host__calls_by_chance__agree_with_the_model(sandbox: Sandbox, calls: list[Call]) -> None:
    model = Model()
    model.run([("log_" if name == "log" else name, arguments) for name, arguments in calls])
    module_fuel = PROGRAM_BYTE_FUEL * len(program(" ".join(map(_written, calls))))

    outcome = outcome_of(sandbox, calls, 10**10)

    assert outcome.ending is model.ending, outcome.message
    assert outcome.output == (model.output if model.ending is Ending.FINISHED else b"")
    assert outcome.log == model.log
    assert 0 <= outcome.fuel_used - module_fuel - model.fuel <= INSTRUCTIONS * (len(calls) + 1)
    assert len(outcome.message) <= MAXIMUM_MESSAGE_BYTES


@settings(max_examples=100, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=6), st.floats(0, 1))
def test_host__less_fuel_than_it_takes__ends_out_of_fuel_with_all_used(
    sandbox: Sandbox, calls: list[Call], part: float
) -> None:
    whole = outcome_of(sandbox, calls, 10**10)
    fuel = max(1, int(whole.fuel_used * part))

    outcome = outcome_of(sandbox, calls, fuel)

    if outcome.ending is Ending.OUT_OF_FUEL:
        assert outcome.fuel_used == fuel
    else:
        # Instructions are counted a stretch at a time, so the last of them may go a little over.
        assert whole.fuel_used - fuel <= INSTRUCTIONS * (len(calls) + 1)
        assert outcome.ending is whole.ending


def _read(index: int, offset: int, length: int) -> bytes:
    return INPUTS[index][offset : offset + length]


def _written(call: Call) -> str:
    name, arguments = call
    kinds = ("i32", "i64", "i32", "i32") if name == "read" else ("i32",) * len(arguments)
    values = " ".join(f"({kind}.const {value})" for kind, value in zip(kinds, arguments, strict=True))
    return f"(call ${name} {values})" if name in {"write", "log", "abort"} else f"(drop (call ${name} {values}))"


async def test_host__ranges_by_chance_in_a_child__are_those_of_the_inputs() -> None:
    chance = random.Random(7)
    inputs = [chance.randbytes(size) for size in (3_000_000, 70_000, 200_001)]
    ranges: list[tuple[int, int, int]] = []
    for _ in range(100):
        index = chance.randrange(3)
        offset = chance.randrange(len(inputs[index]) + 1)
        ranges.append((index, offset, chance.choice((0, 1, 100, 65_536, 150_000, 1_200_000))))
        ranges += [(index, offset + place, 5) for place in range(0, 50, 5) if offset + place <= len(inputs[index])]
    body = " ".join(
        f"(local.set $read (call $read (i32.const {index}) (i64.const {offset}) (i32.const 8) (i32.const {length})))"
        "(i32.store (i32.const 0) (local.get $read)) (call $write (i32.const 0) (i32.const 16))"
        "(call $write (local.get $read) (i32.const 8))"
        for index, offset, length in ranges
    )
    module = program(body, locals_="(local $read i32)", memory='(memory (export "memory") 20)')

    outcome = await run_program(Run(module, fuel=10**11, output_bytes=2**20), [BytesInput(data) for data in inputs])

    memory, expected = bytearray(20 * PAGE), bytearray()
    for index, offset, length in ranges:
        data = inputs[index][offset : offset + length]
        memory[8 : 8 + len(data)] = data
        memory[:4] = len(data).to_bytes(4, "little")
        expected += memory[:16] + memory[len(data) : len(data) + 8]
    assert outcome.ending is Ending.FINISHED, outcome.message
    assert outcome.output == expected
