"""Build the example programs, and say in examples/programs/built.json what they were built from and with.

    python scripts/build_programs.py

The programs are committed, so that whoever has no compiler can run them; tests see when a source changed since.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from walrus_chain.sandbox.toolchain import SDK, build_program, compiler_version

PROGRAMS = Path(__file__).parents[1] / "examples" / "programs"
RECORD = PROGRAMS / "built.json"


def digest_of_source(source: Path) -> str:
    """SHA-256 over everything that a program is made from: source, header, runtime."""
    parts = [file.read_bytes() for file in (source, SDK / "walrus.h", SDK / "runtime.c")]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def main() -> None:
    """Build all."""
    record = {}
    for source in sorted(PROGRAMS.glob("*.c")):
        program = build_program(source)
        source.with_suffix(".wasm").write_bytes(program)
        record[source.stem] = {"source": digest_of_source(source), "program": hashlib.sha256(program).hexdigest()}
        print(f"{source.stem}: {len(program)} bytes")
    RECORD.write_text(json.dumps({"compiler": compiler_version(), "programs": record}, indent=2) + "\n")


if __name__ == "__main__":
    main()
