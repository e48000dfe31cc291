"""Programs for tests: WAT around a body, raw sections, and random ones."""

from __future__ import annotations

import random
from typing import Final

from walrus_chain.compute.abi import HOST_FUNCTIONS
from walrus_chain.sandbox.engine import assemble

IMPORTS: Final = "".join(
    f'(import "walrus" "{name}" (func ${name} (param {" ".join(types.parameters)}) (result {" ".join(types.results)})))'
    for name, types in HOST_FUNCTIONS.items()
)
MARK: Final = '(func (export "walrus_abi_1"))'
MEMORY: Final = '(memory (export "memory") 1)'


def program(
    body: str = "", *, locals_: str = "", more: str = "", imports: str = IMPORTS, mark: str = MARK, memory: str = MEMORY
) -> bytes:
    """A program whose `run` is `body`; all host functions are imported by their names."""
    return assemble(f'(module {imports} {mark} {memory} {more} (func (export "run") {locals_} {body}))', "test")


def showing(kind: str, value: str) -> str:
    """A body that writes a value: `i32`, `i64`, `f32` or `f64`."""
    size = 4 if kind.endswith("32") else 8
    return f"({kind}.store (i32.const 0) {value}) (call $write (i32.const 0) (i32.const {size}))"


def leb(number: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def section(kind: int, body: bytes) -> bytes:
    """A section of a module."""
    return bytes([kind]) + leb(len(body)) + body


class RandomProgram:
    """A valid program by chance: arithmetic, loops, calls, memory, floats, growth and host calls, all typed."""

    _BINARY: Final = {
        "i32": ("add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_u", "rotl"),
        "i64": ("add", "sub", "mul", "div_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "rotr"),
        "f32": ("add", "sub", "mul", "div", "min", "max", "copysign"),
        "f64": ("add", "sub", "mul", "div", "min", "max", "copysign"),
    }
    _UNARY: Final = {
        "i32": ("clz", "ctz", "popcnt", "eqz", "extend8_s"),
        "i64": ("clz", "ctz", "popcnt", "extend32_s"),
        "f32": ("abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest"),
        "f64": ("abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest"),
    }
    _CONVERSIONS: Final = {
        "i32": (("i32.wrap_i64", "i64"), ("i32.trunc_sat_f32_s", "f32"), ("i32.trunc_f64_s", "f64")),
        "i64": (("i64.extend_i32_s", "i32"), ("i64.reinterpret_f64", "f64"), ("i64.trunc_sat_f64_u", "f64")),
        "f32": (("f32.convert_i32_s", "i32"), ("f32.demote_f64", "f64"), ("f32.reinterpret_i32", "i32")),
        "f64": (("f64.convert_i64_u", "i64"), ("f64.promote_f32", "f32"), ("f64.reinterpret_i64", "i64")),
    }
    _KINDS: Final = ("i32", "i64", "f32", "f64")

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._labels = 0

    def build(self) -> bytes:
        """The module."""
        locals_ = " ".join(f"(local ${kind} {kind})" for kind in self._KINDS)
        body = " ".join(self._statement(3) for _ in range(self._random.randint(2, 8)))
        deep = f"(func $deep (param $i i32) (result i32) {locals_} "
        deep += f"(if (i32.eqz (local.get $i)) (then (return {self._value('i32', 1)}))) "
        deep += "(i32.add (i32.const 1) (call $deep (i32.sub (local.get $i) (i32.const 1)))))"
        shown = " ".join(showing(kind, f"(local.get ${kind})") for kind in self._KINDS)
        return program(f"{body} {shown}", locals_=locals_, more=deep)

    def _statement(self, depth: int) -> str:
        kind = self._random.choice(self._KINDS)
        match self._random.randrange(10 if depth else 4):
            case 0 | 1:
                return f"(local.set ${kind} {self._value(kind, depth)})"
            case 2:
                return f"({kind}.store {self._address()} {self._value(kind, depth)})"
            case 3:
                return f"(local.set $i32 (memory.grow (i32.const {self._random.choice((0, 1, 100, 5000))})))"
            case 4 | 5:
                other = self._statement(depth - 1)
                return f"(if {self._value('i32', 1)} (then {self._statement(depth - 1)}) (else {other}))"
            case 6:
                return self._loop(depth)
            case 7:
                return f"(local.set $i32 (call $deep (i32.const {self._random.choice((0, 3, 500, 100_000))})))"
            case 8:
                offset, length = self._random.choice((0, 5, 900)), self._random.choice((0, 1, 64, 70_000))
                place = f"(i32.const 0) (i64.const {offset}) {self._address()} (i32.const {length})"
                return f"(local.set $i32 (call $read {place}))"
            case _:
                length = self._random.randrange(999)
                return f"(memory.fill {self._address()} {self._value('i32', 1)} (i32.const {length}))"

    def _loop(self, depth: int) -> str:
        self._labels += 1
        label, counter = f"$loop{self._labels}", 60_000 + 4 * (self._labels % 1000)
        times = self._random.choice((3, 50, 2_000_000))
        return (
            f"(i32.store (i32.const {counter}) (i32.const 0)) (loop {label} {self._statement(depth - 1)} "
            f"(i32.store (i32.const {counter}) (i32.add (i32.load (i32.const {counter})) (i32.const 1))) "
            f"(br_if {label} (i32.lt_u (i32.load (i32.const {counter})) (i32.const {times}))))"
        )

    def _address(self) -> str:
        if self._random.random() < 0.05:
            return self._value("i32", 1)
        return f"(i32.const {self._random.choice((0, 1, 8, 4096, 59_000))})"

    def _value(self, kind: str, depth: int) -> str:
        choice = self._random.randrange(6) if depth else self._random.randrange(2)
        match choice:
            case 0:
                return f"({kind}.const {self._constant(kind)})"
            case 1:
                return f"(local.get ${kind})"
            case 2:
                operator = self._random.choice(self._UNARY[kind])
                return f"({kind}.{operator} {self._value(kind, depth - 1)})"
            case 3:
                operator, source = self._random.choice(self._CONVERSIONS[kind])
                return f"({operator} {self._value(source, depth - 1)})"
            case 4:
                return f"({kind}.load {self._address()})"
            case _:
                operator = self._random.choice(self._BINARY[kind])
                return f"({kind}.{operator} {self._value(kind, depth - 1)} {self._value(kind, depth - 1)})"

    def _constant(self, kind: str) -> str:
        if kind in {"i32", "i64"}:
            return str(self._random.choice((0, 1, -1, 7, 2**31 - 1, -(2**31), self._random.randrange(2**31))))
        return self._random.choice(("0", "-0", "1", "nan", "-nan", "inf", "-inf", "1e-40", "3.5", "nan:0x200001"))
