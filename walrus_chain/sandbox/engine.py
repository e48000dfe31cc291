"""Runs a program with wasmtime, in this very process. The only place that knows wasmtime.

Everything that could make two machines differ is fixed here: code for one processor, NaNs of one kind, limits of
memory, table and stack, fuel for every instruction and host call. What still can go wrong on one machine alone is
either an ending that is not binding or an exception. Source: docs/spec/17-programs.md and docs/adr/0030-sandbox.md.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable, Sequence
from typing import Final

from wasmtime import (
    Config,
    Engine,
    Func,
    FuncType,
    Linker,
    Memory,
    Module,
    Store,
    Trap,
    TrapCode,
    ValType,
    WasmtimeError,
    wat2wasm,
)

from walrus_chain.compute.abi import (
    ENTRY,
    HOST_FUNCTIONS,
    HOST_MODULE,
    MAXIMUM_LOG_BYTES,
    MAXIMUM_MEMORY_BYTES,
    MAXIMUM_MESSAGE_BYTES,
    MAXIMUM_TABLE_ENTRIES,
    MEMORY,
    PROGRAM_BYTE_FUEL,
    STACK_BYTES,
    TARGET,
    TARGET_FEATURES,
    WINDOW_FUEL,
    Signature,
    transfer_fuel,
    windows_touched,
)
from walrus_chain.compute.module import check_size, examine
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.errors import BuildFailed, UnfitProgram

#: Gives `length` bytes of input number `index` from `offset`; asked only for what is there.
ReadInput = Callable[[int, int, int], bytes]
_U32: Final = 0xFFFF_FFFF
_U64: Final = 0xFFFF_FFFF_FFFF_FFFF
#: Bytes moved between an input and a program's memory at once.
_PIECE_BYTES: Final = 2**20
_ENDINGS: Final = {
    TrapCode.OUT_OF_FUEL: Ending.OUT_OF_FUEL,
    TrapCode.STACK_OVERFLOW: Ending.STACK_EXHAUSTED,
    TrapCode.INTERRUPT: Ending.TIMED_OUT,
}


class _Stop(Exception):
    """Ends a run from inside a host call."""

    def __init__(self, ending: Ending, message: str) -> None:
        super().__init__(message)
        self.ending, self.message = ending, message


class Sandbox:
    """An engine; `stop` ends what it runs."""

    def __init__(self) -> None:
        self._engine = Engine(_config())

    def stop(self) -> None:
        """Ends the run under way, if any, as timed out. Any thread may call it."""
        self._engine.increment_epoch()

    def run(self, run: Run, sizes: Sequence[int], read: ReadInput, ready: Callable[[], None]) -> Outcome:
        """Compiles and runs a program.

        Args:
            sizes: bytes of each input.
            read: gives ranges of inputs; what it raises goes through to the caller.
            ready: called when the machine code is made, before it runs.
        Raises: WasmtimeError: this machine makes no code of a program that is fit, or does not run it; binds nobody.
        """
        fuel_left = run.fuel
        try:
            check_size(len(run.program))
            fuel_left -= len(run.program) * PROGRAM_BYTE_FUEL
            if fuel_left < 0:
                return Outcome(Ending.OUT_OF_FUEL, fuel_used=run.fuel, message="all fuel consumed by compiling")
            examine(run.program)
            self._validate(run.program)
        except UnfitProgram as error:
            return Outcome(Ending.UNFIT_PROGRAM, fuel_used=run.fuel - fuel_left, message=error.why)
        # The program is fit. Where no code is made of it, this machine is not: it has too little memory, say.
        module = Module(self._engine, run.program)
        ready()
        store = Store(self._engine)
        store.set_limits(
            memory_size=MAXIMUM_MEMORY_BYTES, table_elements=MAXIMUM_TABLE_ENTRIES, instances=1, tables=1, memories=1
        )
        store.set_fuel(fuel_left)
        store.set_epoch_deadline(1)
        host = _Host(store, run, sizes, read)
        linker = Linker(self._engine)
        for name, signature in HOST_FUNCTIONS.items():
            linker.define_func(HOST_MODULE, name, _function_type(signature), getattr(host, name))
        ending, message = Ending.FINISHED, ""
        try:
            exports = linker.instantiate(store, module).exports(store)
            memory, entry = exports[MEMORY], exports[ENTRY]
            if not isinstance(memory, Memory) or not isinstance(entry, Func):
                raise TypeError("exports of a module that was examined have other kinds")
            host.memory = memory
            entry(store)
        except _Stop as stop:
            ending, message = stop.ending, stop.message
        except Trap as trap:
            if trap.trap_code is None:
                raise  # no instruction of the program says so
            ending = _ENDINGS.get(trap.trap_code, Ending.TRAP)
            message = _first_line(trap.message.partition("wasm trap:")[2] or trap.message)
        left = 0 if ending is Ending.OUT_OF_FUEL else store.get_fuel()
        return Outcome(
            ending=ending,
            output=bytes(host.output) if ending is Ending.FINISHED else b"",
            fuel_used=run.fuel - left,
            memory_bytes=0 if host.memory is None else host.memory.data_len(store),
            message=message,
            log=bytes(host.logged),
        )

    def _validate(self, program: bytes) -> None:
        """Checks what is inside of functions: by the bytes alone, no machine has a say.

        Raises: UnfitProgram.
        """
        try:
            Module.validate(self._engine, program)
        except WasmtimeError as error:
            raise UnfitProgram(_first_line(error)) from None


class _Host:
    """The functions that a program may call. Numbers come signed from the engine and are taken as unsigned."""

    def __init__(self, store: Store, run: Run, sizes: Sequence[int], read: ReadInput) -> None:
        self._store, self._run, self._sizes, self._read = store, run, sizes, read
        self._last_window: dict[int, int | None] = {}
        self.memory: Memory | None = None
        self.output = bytearray()
        self.logged = bytearray()

    def input_count(self) -> int:
        self._charge(transfer_fuel(0))
        return len(self._sizes)

    def input_size(self, index: int) -> int:
        size = self._size(index & _U32)
        self._charge(transfer_fuel(0))
        return size

    def read(self, index: int, offset: int, pointer: int, length: int) -> int:
        index, offset, pointer, length = index & _U32, offset & _U64, pointer & _U32, length & _U32
        size = self._size(index)
        place = self._place(pointer, length)
        if offset > size:
            raise _Stop(Ending.TRAP, f"read from byte {offset} of input {index}, which has {size}")
        length = min(length, size - offset)
        windows, last = windows_touched(offset, length, self._last_window.get(index))
        self._charge(transfer_fuel(length) + windows * WINDOW_FUEL)
        self._last_window[index] = last
        for start in range(0, length, _PIECE_BYTES):
            piece = self._read(index, offset + start, min(_PIECE_BYTES, length - start))
            ctypes.memmove(place + start, piece, len(piece))
        return length

    def argument_size(self) -> int:
        self._charge(transfer_fuel(0))
        return len(self._run.argument)

    def read_argument(self, offset: int, pointer: int, length: int) -> int:
        offset, pointer, length = offset & _U32, pointer & _U32, length & _U32
        place = self._place(pointer, length)
        if offset > len(self._run.argument):
            raise _Stop(Ending.TRAP, f"read from byte {offset} of the argument, which has {len(self._run.argument)}")
        piece = self._run.argument[offset : offset + length]
        self._charge(transfer_fuel(len(piece)))
        ctypes.memmove(place, piece, len(piece))
        return len(piece)

    def write(self, pointer: int, length: int) -> None:
        pointer, length = pointer & _U32, length & _U32
        place = self._place(pointer, length)
        if len(self.output) + length > self._run.output_bytes:
            raise _Stop(Ending.OUTPUT_TOO_LARGE, f"the output may have {self._run.output_bytes:,} bytes")
        self._charge(transfer_fuel(length))
        self.output += _bytes_at(place, length)

    def log(self, pointer: int, length: int) -> None:
        pointer, length = pointer & _U32, length & _U32
        place = self._place(pointer, length)
        self._charge(transfer_fuel(length))
        self.logged += _bytes_at(place, min(length, MAXIMUM_LOG_BYTES - len(self.logged)))

    def abort(self, pointer: int, length: int) -> None:
        pointer, length = pointer & _U32, length & _U32
        place = self._place(pointer, length)
        self._charge(transfer_fuel(length))
        said = _bytes_at(place, min(length, MAXIMUM_MESSAGE_BYTES))
        raise _Stop(Ending.ABORTED, said.decode(errors="replace"))

    def _charge(self, fuel: int) -> None:
        left = self._store.get_fuel()
        if fuel > left:
            raise _Stop(Ending.OUT_OF_FUEL, "all fuel consumed by a host call")
        self._store.set_fuel(left - fuel)

    def _size(self, index: int) -> int:
        if index >= len(self._sizes):
            raise _Stop(Ending.TRAP, f"there is no input {index}, there are {len(self._sizes)}")
        return self._sizes[index]

    def _place(self, pointer: int, length: int) -> int:
        """Where a stretch of the program's memory lies in ours; valid until the program goes on, 0 for nothing."""
        if self.memory is None:
            raise RuntimeError("a host function was called before the program began")
        size = self.memory.data_len(self._store)
        if pointer + length > size:
            raise _Stop(Ending.TRAP, f"bytes {pointer} to {pointer + length} of a memory that has {size}")
        # A memory without pages is nowhere.
        return ctypes.addressof(self.memory.data_ptr(self._store).contents) + pointer if length else 0


def assemble(text: str, name: str) -> bytes:
    """A module from its text format.

    Raises: BuildFailed: with what the assembler says of `name`.
    """
    try:
        return bytes(wat2wasm(text))
    except WasmtimeError as error:
        raise BuildFailed(name, str(error)) from None


def _config() -> Config:
    config = Config()
    config.consume_fuel = True
    config.epoch_interruption = True
    config.cranelift_nan_canonicalization = True
    # What a program's memory begins with needs no file descriptor, and a child may have none.
    config.memory_init_cow = False
    config.cranelift_opt_level = "speed"
    config.max_wasm_stack = STACK_BYTES
    # Compiling takes one core and the same memory everywhere.
    config.parallel_compilation = False
    if sys.platform == "linux" and platform.machine() == "x86_64":
        # The depth at which a recursion ends depends on the code's frames, hence on the processor it is made for.
        config.target = TARGET
        for feature in TARGET_FEATURES:
            config.cranelift_flag_enable(feature)
    # Extended constant expressions are on too: the engine has no switch for them.
    config.wasm_bulk_memory = True
    config.wasm_multi_value = True
    config.wasm_reference_types = True
    config.wasm_component_model = False
    config.wasm_custom_page_sizes = False
    config.wasm_exceptions = False
    config.wasm_function_references = False
    config.wasm_gc = False
    config.gc_support = False
    config.wasm_memory64 = False
    config.wasm_multi_memory = False
    config.wasm_relaxed_simd = False
    config.wasm_simd = False
    config.wasm_stack_switching = False
    config.wasm_tail_call = False
    config.wasm_threads = False
    config.wasm_wide_arithmetic = False
    return config


def _function_type(signature: Signature) -> FuncType:
    types = {"i32": ValType.i32, "i64": ValType.i64}
    return FuncType([types[name]() for name in signature.parameters], [types[name]() for name in signature.results])


def _bytes_at(place: int, length: int) -> bytes:
    return ctypes.string_at(place, length) if length else b""


def _first_line(what: object) -> str:
    return " ".join(str(what).split())[:MAXIMUM_MESSAGE_BYTES]
