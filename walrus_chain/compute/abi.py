"""What programs and agents agree on: names, types, sizes and prices of the host ABI, version 1.

Source: docs/spec/17-programs.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

ABI_VERSION: Final = 1
#: Major version of wasmtime that runs the programs.
ENGINE_MAJOR: Final = 50
#: The one version of it that agents have: another could make code whose recursions end elsewhere.
ENGINE_VERSION: Final = f"{ENGINE_MAJOR}.0.1"
#: What a job names, so that only results of the same engine are compared.
ENGINE: Final = f"wasmtime-{ENGINE_MAJOR}/abi-{ABI_VERSION}"
#: The machine that the engine makes code for; any agent's processor has these.
TARGET: Final = "x86_64-unknown-linux-gnu"
TARGET_FEATURES: Final = ("has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt")

#: The only module that programs import from.
HOST_MODULE: Final = "walrus"
#: Function that a program exports, never called: it says for which version of the ABI it was made.
ABI_MARK: Final = "walrus_abi_"
#: Function that is the program.
ENTRY: Final = "run"
#: The program's memory.
MEMORY: Final = "memory"

MEBIBYTE: Final = 2**20
MAXIMUM_PROGRAM_BYTES: Final = 8 * MEBIBYTE
#: Of one function's body: so compiling takes time that grows with the program's size, not with its square.
MAXIMUM_FUNCTION_BYTES: Final = 64 * 1024
MAXIMUM_FUNCTIONS: Final = 20_000
MAXIMUM_TYPES: Final = 10_000
MAXIMUM_SECTIONS: Final = 1_000
MAXIMUM_EXPORTS: Final = 1_000
MAXIMUM_IMPORTS: Final = 64
PAGE_BYTES: Final = 64 * 1024
MAXIMUM_MEMORY_BYTES: Final = 256 * MEBIBYTE
MAXIMUM_TABLE_ENTRIES: Final = 10_000
#: Of the engine's own stack, in bytes. The stack that C compilers keep in the memory is the program's affair.
STACK_BYTES: Final = 512 * 1024

MAXIMUM_FUEL: Final = 10**13
MAXIMUM_OUTPUT_BYTES: Final = 64 * MEBIBYTE
MAXIMUM_ARGUMENT_BYTES: Final = 64 * 1024
MAXIMUM_INPUTS: Final = 256
MAXIMUM_LOG_BYTES: Final = 64 * 1024
MAXIMUM_MESSAGE_BYTES: Final = 1024

#: Fuel for each byte of the program, for looking at it and compiling it; taken before anything else.
PROGRAM_BYTE_FUEL: Final = 5_000
#: Fuel for each call of a host function.
CALL_FUEL: Final = 20_000
#: Bytes that go between host and program for one unit of fuel, rounded up for each call.
BYTES_PER_FUEL: Final = 8
#: Inputs are fetched by aligned windows of so many bytes.
WINDOW_BYTES: Final = 64 * 1024
#: Fuel for each window of an input that a read touches; but the first is free where the last read of that input ended.
WINDOW_FUEL: Final = 500_000


@dataclass(frozen=True, slots=True)
class Signature:
    """Types of a function: `i32` or `i64`."""

    parameters: tuple[str, ...]
    results: tuple[str, ...]

    def __str__(self) -> str:
        return f"({', '.join(self.parameters)}) -> ({', '.join(self.results)})"


NOTHING: Final = Signature((), ())
HOST_FUNCTIONS: Final = MappingProxyType(
    {
        "input_count": Signature((), ("i32",)),
        "input_size": Signature(("i32",), ("i64",)),
        "read": Signature(("i32", "i64", "i32", "i32"), ("i32",)),
        "argument_size": Signature((), ("i32",)),
        "read_argument": Signature(("i32", "i32", "i32"), ("i32",)),
        "write": Signature(("i32", "i32"), ()),
        "log": Signature(("i32", "i32"), ()),
        "abort": Signature(("i32", "i32"), ()),
    }
)


def transfer_fuel(length: int) -> int:
    """Fuel for one host call that moves `length` bytes."""
    return CALL_FUEL + -(-length // BYTES_PER_FUEL)


def windows_touched(offset: int, length: int, last: int | None) -> tuple[int, int | None]:
    """How many windows a read of an input is charged for, and the window that it ends in.

    Args:
        offset: first byte.
        length: bytes that are read, the end of the input considered; nothing is charged for none.
        last: the window that the read before ended in; free for a read that begins in it, not for one that comes to it.
    """
    if length == 0:
        return 0, last
    first, end = offset // WINDOW_BYTES, (offset + length - 1) // WINDOW_BYTES
    return end - first + 1 - (first == last), end
