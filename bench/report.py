"""What benchmarks share: measuring, and tables of ratios for people and for programs."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of ours beside the same figure of somebody else's."""

    what: str
    ours: float
    theirs: float | None
    """None where there is nothing to compare with; `note` says why."""
    unit: str
    better: Literal["less", "more"]
    """Whether a smaller or a larger figure is the better one."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better ours is: above 1.0 is ahead."""
        if self.theirs is None:
            return None
        return self.theirs / self.ours if self.better == "less" else self.ours / self.theirs


def best_of(call: Callable[[], object], repeats: int = 3) -> float:
    """The shortest of `repeats` runs of `call`, in seconds: the one with the least noise of the machine in it."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory() -> int:
    """The most bytes of memory that this process has had resident so far.

    Read from the kernel's own mark where there is one, because `ru_maxrss` of a new process starts at its parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        mark = re.search(r"^VmHWM:\s*(\d+) kB$", status.read_text(), re.MULTILINE)
        if mark is not None:
            return int(mark[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_own_process(module: str, *arguments: str) -> str:
    """What `python -m module arguments` prints; a process of its own keeps its peak of memory apart."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def table(title: str, comparisons: Sequence[Comparison], ours: str = "ours", theirs: str = "theirs") -> str:
    """The comparisons for people."""
    head = ("", ours, theirs, "ratio", "")
    lines = [head, *(_cells(comparison) for comparison in comparisons)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    rows = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:4], widths[1:]), line[4]]) for line in lines]
    return "\n".join([title, *map(str.rstrip, rows)])


def as_json(peers: Mapping[str, Sequence[Comparison]]) -> str:
    """The comparisons for programs, each with the name of whose figure `theirs` is."""
    rows = [
        asdict(comparison) | {"peer": peer, "ratio": comparison.ratio}
        for peer, comparisons in peers.items()
        for comparison in comparisons
    ]
    return json.dumps(rows, indent=2)


def _cells(comparison: Comparison) -> tuple[str, str, str, str, str]:
    theirs = "-" if comparison.theirs is None else _figure(comparison.theirs, comparison.unit)
    ratio = "-" if comparison.ratio is None else f"{comparison.ratio:.2f}x"
    return (comparison.what, _figure(comparison.ours, comparison.unit), theirs, ratio, comparison.note)


def _figure(value: float, unit: str) -> str:
    return f"{value:,.{1 if value >= 1 else 3}f} {unit}".rstrip()
