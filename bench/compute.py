"""How fast programs run in the sandbox, child process and pipes included: no network, no chain.

    python -m bench.compute [--quick] [--json]

streaming   example programs over one large input, beside the same in Python (`bytes.split`, `hashlib`)
overhead    a program that does nothing, from call to outcome, beside a Python process that does nothing
host calls  reads of one byte, in sequence and jumping between windows
fuel        units per second: of a bare loop, of the streaming programs
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from bench.local_network import machine
from bench.report import Comparison, as_json, best_of, table
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program
from walrus_chain.sandbox.toolchain import build_program

MIB = 2**20
PYTHON = "Python"
_PROGRAMS = Path(__file__).parents[1] / "examples" / "programs"
_WINDOW = 2**16
_LOOP = """(module (func (export "walrus_abi_1")) (memory (export "memory") 1) (func (export "run") (local $i i32)
  (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const {times}))))))"""
_READS = """(module (import "walrus" "read" (func $read (param i32 i64 i32 i32) (result i32)))
  (func (export "walrus_abi_1")) (memory (export "memory") 1) (func (export "run") (local $i i32)
  (loop $again
    (drop (call $read (i32.const 0) (i64.mul (i64.extend_i32_u (local.get $i)) (i64.const {step}))
      (i32.const 0) (i32.const 1)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (i32.const {times}))))))"""
_NOTHING = '(module (func (export "walrus_abi_1")) (memory (export "memory") 1) (func (export "run")))'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.compute", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs, a smaller input")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    options = parser.parse_args(arguments)
    size = (16 if options.quick else 256) * MIB
    lines = [*streaming(size), *overhead(5 if options.quick else 20), *host_calls(200), *bare_fuel()]
    if options.json:
        print(as_json({PYTHON: lines}))
        return 0
    print(machine())
    print(table(f"programs, input of {size // MIB} MiB", lines, theirs=PYTHON))
    return 0


def streaming(size: int) -> Iterator[Comparison]:
    """Example programs over one input of text."""
    text = (b"The quick brown fox jumps over the lazy dog, and again.\n" * (size // 56 + 1))[:size]
    for name, native in (("word_count", _words), ("checksum", _sum)):
        run = Run(_PROGRAMS.joinpath(f"{name}.wasm").read_bytes(), fuel=10**12)
        outcome, seconds = _timed(run, text)
        beside = best_of(partial(native, text), 2)
        yield Comparison(name, size / MIB / seconds, size / MIB / beside, "MiB/s", "more")
        yield Comparison(f"{name}, fuel per second", outcome.fuel_used / seconds / 1e9, None, "G", "more")


def overhead(times: int) -> Iterator[Comparison]:
    """A program that does nothing."""
    run = Run(_assembled("nothing", _NOTHING))
    ours = statistics.median(_timed(run)[1] for _ in range(times))
    beside = statistics.median(_python_alone() for _ in range(times))
    yield Comparison("overhead of a run", ours * 1000, beside * 1000, "ms", "less", f"median of {times}")


def host_calls(windows: int) -> Iterator[Comparison]:
    """Reads of one byte each."""
    for what, step, times in (("in sequence", 1, 100_000), ("jumping", _WINDOW, windows)):
        run = Run(_assembled("reads", _READS.format(step=step, times=times)), fuel=10**11)
        outcome, seconds = _timed(run, bytes(_WINDOW * windows))
        note = f"{outcome.fuel_used / times:,.0f} fuel each"
        yield Comparison(f"reads of a byte, {what}", seconds / times * 1e6, None, "us", "less", note)


def bare_fuel() -> Iterator[Comparison]:
    """A loop that only counts."""
    outcome, seconds = _timed(Run(_assembled("loop", _LOOP.format(times=500_000_000)), fuel=10**11))
    yield Comparison("bare loop, fuel per second", outcome.fuel_used / seconds / 1e9, None, "G", "more")


def _words(data: bytes) -> int:
    return sum(len(data[start : start + MIB].split()) for start in range(0, len(data), MIB))


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _python_alone() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
    return time.perf_counter() - began


def _assembled(name: str, text: str) -> bytes:
    """A program from its text, by way of the tool that authors use."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"{name}.wat")
        source.write_text(text)
        return build_program(source)


def _timed(run: Run, *inputs: bytes) -> tuple[Outcome, float]:
    began = time.perf_counter()
    outcome = asyncio.run(run_program(run, [BytesInput(data) for data in inputs]))
    seconds = time.perf_counter() - began
    if outcome.ending is not Ending.FINISHED:
        raise RuntimeError(f"the program ended {outcome.ending.words}: {outcome.message}")
    return outcome, seconds


if __name__ == "__main__":
    sys.exit(main())
