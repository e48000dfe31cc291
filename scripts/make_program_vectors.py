"""Write tests/vectors/programs.json: programs, what they are run with, and how they end.

    python scripts/make_program_vectors.py

Endings and outputs are written here by hand and compared; fuel is what the pinned engine counts, so a difference after
running this means that results of the two versions must not be compared: the engine's name changes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from walrus_chain.compute.abi import ENGINE
from walrus_chain.compute.run import Run
from walrus_chain.sandbox.engine import assemble
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "programs.json"
HOST = {
    "input_count": "(result i32)",
    "input_size": "(param i32) (result i64)",
    "read": "(param i32 i64 i32 i32) (result i32)",
    "argument_size": "(result i32)",
    "read_argument": "(param i32 i32 i32) (result i32)",
    "write": "(param i32 i32)",
    "log": "(param i32 i32)",
    "abort": "(param i32 i32)",
}
FUEL, OUTPUT_BYTES = 10_000_000, 64
INPUTS = (b"first input", b"", bytes(70_000))
ARGUMENT = b"argument"
#: Name, body of `run`, number of the ending, output.
CASES = (
    ("nothing", "", 0, b""),
    (
        "counts",
        """(i32.store (i32.const 0) (call $input_count))
        (i64.store (i32.const 4) (call $input_size (i32.const 2)))
        (i32.store (i32.const 12) (call $argument_size))
        (call $write (i32.const 0) (i32.const 16))""",
        0,
        (3).to_bytes(4, "little") + (70_000).to_bytes(8, "little") + (8).to_bytes(4, "little"),
    ),
    (
        "copy of input and argument",
        """(call $write (i32.const 0) (call $read (i32.const 0) (i64.const 6) (i32.const 0) (i32.const 64)))
        (call $write (i32.const 0) (call $read_argument (i32.const 2) (i32.const 0) (i32.const 3)))""",
        0,
        b"inputgum",
    ),
    (
        "read over two windows",
        """(i32.store (i32.const 0)
          (call $read (i32.const 2) (i64.const 65530) (i32.const 8) (i32.const 100)))
        (call $write (i32.const 0) (i32.const 4))""",
        0,
        (100).to_bytes(4, "little"),
    ),
    (
        "read on from the window that the last read ended in",
        """(drop (call $read (i32.const 2) (i64.const 65530) (i32.const 0) (i32.const 100)))
        (drop (call $read (i32.const 2) (i64.const 65630) (i32.const 0) (i32.const 100)))""",
        0,
        b"",
    ),
    (
        # Pays for both windows again: it does not begin in the one that the last read ended in.
        "read into the window that the last read ended in",
        """(drop (call $read (i32.const 2) (i64.const 65530) (i32.const 0) (i32.const 100)))
        (drop (call $read (i32.const 2) (i64.const 65530) (i32.const 0) (i32.const 100)))""",
        0,
        b"",
    ),
    (
        "not a number",
        """(f64.store (i32.const 0) (f64.div (f64.const 0) (f64.const -0)))
        (call $write (i32.const 0) (i32.const 8))""",
        0,
        bytes.fromhex("000000000000f87f"),
    ),
    (
        "growth above the limit",
        """(i32.store (i32.const 0) (memory.grow (i32.const 4096)))
        (call $write (i32.const 0) (i32.const 4))""",
        0,
        b"\xff\xff\xff\xff",
    ),
    ("endless loop", "(loop $again (br $again))", 1, b""),
    ("unreachable after writing", "(call $write (i32.const 0) (i32.const 1)) unreachable", 2, b""),
    (
        "read behind an input",
        "(drop (call $read (i32.const 1) (i64.const 1) (i32.const 0) (i32.const 1)))",
        2,
        b"",
    ),
    ("endless recursion", "(call $deep)", 3, b""),
    ("too much output", "(call $write (i32.const 0) (i32.const 65))", 4, b""),
    ("abort", "(call $abort (i32.const 0) (i32.const 3))", 5, b""),
)
UNFIT = (("empty", b""), ("no exports", b"\0asm\x01\0\0\0"))


def main() -> None:
    """Write the vectors."""
    imports = "".join(f'(import "walrus" "{name}" (func ${name} {types}))' for name, types in HOST.items())
    cases = []
    for name, body, ending, output in CASES:
        text = (
            f'(module {imports} (func (export "walrus_abi_1")) (memory (export "memory") 1)'
            f'(func $deep (call $deep)) (func (export "run") {body}))'
        )
        cases.append(case(name, assemble(text, name), ending, output))
    cases += [case(name, program, 6, b"") for name, program in UNFIT]
    document = {
        "engine": ENGINE,
        "fuel": FUEL,
        "outputBytes": OUTPUT_BYTES,
        "argument": ARGUMENT.hex(),
        "inputs": [data.hex() if any(data) else {"zeros": len(data)} for data in INPUTS],
        "cases": cases,
    }
    VECTORS.write_text(json.dumps(document, indent=2) + "\n")


def case(name: str, program: bytes, ending: int, output: bytes) -> dict[str, Any]:
    """One vector."""
    run = Run(program, ARGUMENT, FUEL, OUTPUT_BYTES)
    outcome = asyncio.run(run_program(run, [BytesInput(data) for data in INPUTS]))
    if (outcome.ending, outcome.output) != (ending, output):
        raise SystemExit(f"{name}: {outcome}")
    return {
        "name": name,
        "program": program.hex(),
        "ending": ending,
        "output": output.hex(),
        "fuelUsed": outcome.fuel_used,
        "resultHash": hashlib.sha256(b"\x05" + bytes([ending]) + output).hexdigest(),
    }


if __name__ == "__main__":
    main()
