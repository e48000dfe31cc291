"""All benchmarks, one after the other, each in a process of its own: `python -m bench`.

python -m bench [--quick]
"""

from __future__ import annotations

import argparse
import subprocess
import sys

BENCHMARKS = (
    ("codec", ("bench.codec",), ("bench.codec", "--sizes", "1", "14")),
    ("memory of the codec", ("bench.codec", "--memory"), None),
    ("network", ("bench.network",), ("bench.network", "--quick")),
    ("memory of a store and a read", ("bench.network", "--memory"), None),
    ("healing", ("bench.healing",), ("bench.healing", "--size", "16")),
    ("custody", ("bench.custody",), ("bench.custody", "--blobs", "10000")),
    ("keys", ("bench.keys",), ("bench.keys", "--quick")),
    ("private data", ("bench.private",), ("bench.private", "--quick")),
    ("compute", ("bench.compute",), ("bench.compute", "--quick")),
    ("jobs", ("bench.jobs",), ("bench.jobs", "--quick")),
)
"""What it is called, the command, and the quick one if there is one."""


def main() -> int:
    """Run all; 1 when one of them failed or missed a limit."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="All benchmarks.")
    parser.add_argument("--quick", action="store_true", help="smaller blobs, fewer runs")
    quick = parser.parse_args().quick
    failed = []
    for name, full, short in BENCHMARKS:
        command = short if quick else full
        if command is None:
            continue
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", *command], check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"failed, or missed a limit: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
