"""Outlines of modules, byte by byte and by chance."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.sandbox.modules import RandomProgram, leb, program, section
from walrus_chain.compute.abi import MAXIMUM_FUNCTION_BYTES, MAXIMUM_FUNCTIONS, MAXIMUM_PROGRAM_BYTES
from walrus_chain.compute.module import examine
from walrus_chain.errors import UnfitProgram

HEADER = b"\0asm\x01\0\0\0"
TYPES = section(1, b"\x01\x60\0\0")
FUNCTIONS = section(3, b"\x01\0")
MEMORIES = section(5, b"\x01\0\x01")
EXPORTS = section(7, b"\x03\x03run\0\0\x0cwalrus_abi_1\0\0\x06memory\x02\0")
CODE = section(10, b"\x01\x02\0\x0b")
WHOLE = HEADER + TYPES + FUNCTIONS + MEMORIES + EXPORTS + CODE


def test_examine__smallest_program__is_fit() -> None:
    examine(WHOLE)
    examine(WHOLE + section(0, b"\x04name" + bytes(100)))


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (b"", "begin like"),
        (b"(module)", "begin like"),
        (b"\0asm\x02\0\0\0", "begin like"),
        (b"\0asm\x0d\0\x01\0", "begin like"),
        (HEADER, "does not export walrus_abi_1"),
        (HEADER + TYPES + FUNCTIONS + EXPORTS + CODE, "does not export its memory"),
        (HEADER + FUNCTIONS + MEMORIES + EXPORTS + CODE, "takes and gives nothing"),
        (HEADER + section(1, b"\x01\x60\x01\x7f\0") + FUNCTIONS + MEMORIES + EXPORTS + CODE, "takes and gives nothing"),
        (HEADER + TYPES + MEMORIES + EXPORTS, "takes and gives nothing"),
        (HEADER + TYPES + FUNCTIONS + MEMORIES + section(7, b"\x01\x0cwalrus_abi_1\0\0") + CODE, "a function run"),
        (HEADER + TYPES + FUNCTIONS + MEMORIES + section(7, b"\x01\x0cwalrus_abi_9\0\0") + CODE, "for walrus_abi_9"),
        (HEADER + section(5, b"\x02\0\x01\0\x01"), "2 memories"),
        (HEADER + section(5, b"\x01\x03\x01\x02"), "kind that is not allowed"),
        (HEADER + section(5, b"\x01\x04\x01"), "kind that is not allowed"),
        (HEADER + section(3, leb(MAXIMUM_FUNCTIONS + 1)), "20,001 functions"),
        (HEADER + section(8, b"\0"), "start function"),
        (HEADER + section(2, b"\x01\x01\xff\x01a\0\0"), "no UTF-8"),
        (HEADER + section(1, b"\x01\x5f\0\0"), "no function"),
        (HEADER + section(3, b"\xff\xff\xff\xff\x7f"), "number that is too long"),
        (HEADER + section(3, b"\x80\x80\x80\x80\x80\x00"), "number that is too long"),
        (HEADER + b"\0\0" * 1001, "more than 1,000 sections"),
        (HEADER + b"\x01\x05\x01", "cut off"),
        (HEADER + b"\x01", "cut off"),
        (HEADER + section(3, b"\x05\0"), "cut off"),
    ],
)
def test_examine__no_program__says_why(module: bytes, why: str) -> None:
    with pytest.raises(UnfitProgram, match=why):
        examine(module)


def test_examine__sizes_at_and_above_their_limits() -> None:
    def with_function(size: int) -> bytes:
        code = leb(1) + leb(size) + b"\0" + b"\x01" * (size - 2) + b"\x0b"
        return HEADER + TYPES + FUNCTIONS + MEMORIES + EXPORTS + section(10, code)

    examine(with_function(MAXIMUM_FUNCTION_BYTES))
    with pytest.raises(UnfitProgram, match="a function has 65,537 bytes"):
        examine(with_function(MAXIMUM_FUNCTION_BYTES + 1))

    filling = MAXIMUM_PROGRAM_BYTES - len(WHOLE) - 5
    examine(WHOLE + section(0, b"\0" + bytes(filling - 1)))
    with pytest.raises(UnfitProgram, match="8,388,609 bytes"):
        examine(WHOLE + section(0, b"\0" + bytes(filling)))


def test_examine__every_beginning_of_a_program__is_refused_and_nothing_else_happens() -> None:
    module = program("(call $write (i32.const 0) (i32.const 0))", more="(table 5 funcref)")
    examine(module)

    for length in range(len(module)):
        with suppress(UnfitProgram):
            examine(module[:length])


@given(st.binary(max_size=300))
def test_examine__bytes_by_chance__are_refused(data: bytes) -> None:
    for module in (data, HEADER + data):
        with pytest.raises(UnfitProgram):
            examine(module)


@given(st.integers(0, 10**6))
def test_examine__programs_by_chance__are_fit(seed: int) -> None:
    examine(RandomProgram(seed).build())
