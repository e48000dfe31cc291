"""Storing and reading on a local network of ten agents, each a process, with a chain and everything.

    python -m bench.network [--quick] [--json]
    python -m bench.network --memory      a 2 GiB file, stored and read within 600 MiB of memory

Each figure stands twice: beside plain HTTP, which is the same bytes spread over ten programs that only write and read
files (`bench.sinks`, measured in the same run), and beside what a Tahoe-LAFS 1.20 grid did (10 nodes, 3 of 10,
one-dimensional code, no chain) on a machine like the one this was written on: for orientation only, it is not run here.

store          until the certificate is on chain: a quorum of agents has everything durably and signed for it
read           from the first request to the last verified byte, which is thrown away
first byte     of a read, until the first verified bytes are handed out
range          1 MiB in the middle
small stores   blobs of 10 KiB, until all agents have all of them
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.local_network import Grid, Usage, local_network, machine, measured
from bench.report import Comparison, as_json, table
from bench.sinks import Plain, running_sinks
from walrus_chain.client.client import Client
from walrus_chain.errors import Bug
from walrus_chain.types import BlobId, format_bytes

KIB, MIB = 2**10, 2**20
LIMIT, PEER = "plain HTTP", "Tahoe-LAFS 1.20"
MEMORY_FILE_BYTES = 2048 * MIB
MEMORY_LIMIT_BYTES = 600 * MIB
#: "Tahoe-LAFS 1.20 grid, for orientation": what to compare, to the figure.
ORIENTATION = {
    "store 256 MiB": 33.0,
    "read 256 MiB": 64.0,
    "first byte of 256 MiB": 50.0,
    "range of 1 MiB in 256 MiB": 75.0,
    "small stores in sequence": 15.0,
    "small stores, 8 at once": 23.0,
}
_SMALL_BYTES = 10 * KIB
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    sizes: tuple[int, ...]
    repeats: int
    small_stores: int


FULL = Extent((10 * KIB, MIB, 32 * MIB, 256 * MIB), repeats=3, small_stores=200)
QUICK = Extent((10 * KIB, MIB, 32 * MIB), repeats=1, small_stores=40)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement of ours beside plain HTTP's."""

    what: str
    ours: float
    plain: float
    unit: str
    better_is_more: bool
    note: str

    def beside(self, theirs: float | None) -> Comparison:
        """The same beside somebody else's."""
        return Comparison(self.what, self.ours, theirs, self.unit, "more" if self.better_is_more else "less", self.note)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 when a process took more memory than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.network", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print data instead of tables")
    parser.add_argument("--quick", action="store_true", help="smaller blobs, fewer runs")
    parser.add_argument("--memory", action="store_true", help="check the memory of a 2 GiB file instead")
    options = parser.parse_args(arguments)
    if options.memory:
        with tempfile.TemporaryDirectory(prefix="bench-network-") as folder:
            peak = asyncio.run(run_memory(Path(folder)))
        print(f"a file of {format_bytes(MEMORY_FILE_BYTES)}, stored and read: {in_limit(peak)}")
        return 0 if peak <= MEMORY_LIMIT_BYTES else 1
    with tempfile.TemporaryDirectory(prefix="bench-network-") as folder:
        figures, peak = asyncio.run(run(QUICK if options.quick else FULL, Path(folder)))
    plain = [figure.beside(figure.plain) for figure in figures]
    other = [figure.beside(ORIENTATION[figure.what]) for figure in figures if figure.what in ORIENTATION]
    if options.json:
        print(as_json({LIMIT: plain, PEER: other}))
    else:
        print(table(f"network, beside plain HTTP of the same bytes ({machine()})", plain, theirs=LIMIT))
        if other:
            print()
            print(table("the same, for orientation", other, theirs=PEER))
        print(f"\n{in_limit(peak)}")
    return 0 if peak <= MEMORY_LIMIT_BYTES else 1


def in_limit(peak: int) -> str:
    """The peak of memory beside the limit."""
    within = "within" if peak <= MEMORY_LIMIT_BYTES else "ABOVE"
    return f"most memory of any process {format_bytes(peak)}, {within} {format_bytes(MEMORY_LIMIT_BYTES)}"


async def run_memory(folder: Path) -> int:
    """Store a large file, read it back and compare; the most bytes of memory that a process had."""
    async with local_network(folder / "network") as grid, grid.client() as client:
        bench, usage = Bench(grid, client, Plain([]), folder / "blob", FULL), Usage()
        write_random(folder / "blob", MEMORY_FILE_BYTES)
        with measured(grid, usage):
            await bench.store_and_verify()
    return usage.peak


async def run(extent: Extent, folder: Path) -> tuple[list[Figure], int]:
    """All figures, and the most bytes of memory that a process had."""
    bench: Bench
    with running_sinks(folder / "sinks") as ports:
        async with local_network(folder / "network") as grid, grid.client() as client:
            bench = Bench(grid, client, Plain(ports), folder / "blob", extent)
            # The first store approves the vault, opens connections and fills caches.
            await client.store(b"warm")
            await client.finish()
            figures = [figure for size in extent.sizes for figure in await bench.blob(size)]
            figures += await bench.small_stores()
            bench.plain.close()
    return figures, bench.peak


class Bench:
    """Measures one network."""

    def __init__(self, grid: Grid, client: Client, plain: Plain, file: Path, extent: Extent) -> None:
        """
        Args:
            file: where blobs lie before they are stored.
        """
        self._grid, self._client, self.plain = grid, client, plain
        self._file, self._extent = file, extent
        self.peak = 0
        """The most bytes of memory that a process had so far."""

    async def blob(self, size: int) -> list[Figure]:
        """Storing and reading a blob of `size` bytes."""
        return [await self._store(size), *await self._read(size)]

    async def _store(self, size: int) -> Figure:
        repeats, usage = self._extent.repeats, Usage()
        everywhere, times, stored = [], [], []
        for _ in range(repeats):
            write_random(self._file, size)
            with measured(self._grid, usage):
                begun = time.perf_counter()
                stored.append(await self._client.store(self._file))
                times.append(time.perf_counter() - begun)
                await self._client.finish()
                everywhere.append(time.perf_counter() - begun)
        self.peak = max(self.peak, usage.peak)
        self._stored, encoded = stored[-1].blob_id, stored[-1].encoded_bytes
        plain = await best(repeats, lambda: self.plain.put("blob", encoded))
        note = (
            f"{format_bytes(encoded)} sent; everywhere after {min(everywhere):.2f} s; {usage.in_words(repeats)}; "
            f"{usage.memory_in_words()}"
        )
        mebibytes = size / MIB
        return Figure(f"store {format_bytes(size)}", mebibytes / min(times), mebibytes / plain, "MiB/s", True, note)

    async def _read(self, size: int) -> list[Figure]:
        name, mebibytes, repeats, usage = format_bytes(size), size / MIB, self._extent.repeats, Usage()
        await self._verify()
        firsts: list[float] = []

        async def read() -> None:
            firsts.append(await read_to_the_end(self._client, self._stored))

        with measured(self._grid, usage):
            seconds = await best(repeats, read)
        self.peak = max(self.peak, usage.peak)
        plain = await best(repeats, lambda: self.plain.get("blob", size))
        plain_first = await best(repeats, lambda: self.plain.get_from_one("blob", 1))
        note = f"{usage.in_words(repeats)}; {usage.memory_in_words()}"
        figures = [
            Figure(f"read {name}", mebibytes / seconds, mebibytes / plain, "MiB/s", True, note),
            Figure(f"first byte of {name}", min(firsts) * 1000, plain_first * 1000, "ms", False, ""),
        ]
        if size > 2 * MIB:
            figures.append(await self._range(size))
        return figures

    async def store_and_verify(self) -> None:
        """Store the file as it is, and read it back."""
        self._stored = (await self._client.store(self._file)).blob_id
        await self._client.finish()
        await self._verify()

    async def _verify(self) -> None:
        """Read the blob once, before time counts, and compare it with the file."""
        with self._file.open("rb") as file:
            expected = hashlib.file_digest(file, "sha256").digest()
        came = hashlib.sha256()
        async for piece in self._client.read(self._stored):
            came.update(piece)
        if came.digest() != expected:
            raise Bug("a blob came back as another one")

    async def _range(self, size: int) -> Figure:
        middle, places = size // 2, iter(range(10**6))

        async def read() -> None:
            # A new place each time: agents remember the trees of slivers they were asked for.
            start = middle + next(places) * MIB
            await self._client.read_bytes(self._stored, start, start + MIB)

        usage = Usage()
        with measured(self._grid, usage):
            seconds = await best(self._extent.repeats, read)
        plain = await best(self._extent.repeats, lambda: self.plain.get_from_one("blob", MIB))
        note = usage.in_words(self._extent.repeats)
        return Figure(f"range of 1 MiB in {format_bytes(size)}", seconds * 1000, plain * 1000, "ms", False, note)

    async def small_stores(self) -> list[Figure]:
        """Many blobs of 10 KiB, one after the other and several at once."""
        encoded = (await self._client.store(os.urandom(_SMALL_BYTES))).encoded_bytes
        await self._client.finish()
        return [
            await self._small_stores("small stores in sequence", 1, encoded),
            await self._small_stores(f"small stores, {_AT_ONCE} at once", _AT_ONCE, encoded),
        ]

    async def _small_stores(self, what: str, at_once: int, encoded: int) -> Figure:
        count = self._extent.small_stores

        async def ours() -> None:
            await in_parallel(at_once, count, lambda _: self._client.store(os.urandom(_SMALL_BYTES)))
            await self._client.finish()

        usage = Usage()
        with measured(self._grid, usage):
            seconds = await best(1, ours)
        self.peak = max(self.peak, usage.peak)
        plain = await best(1, lambda: in_parallel(at_once, count, lambda number: self.plain.put(f"{number}", encoded)))
        return Figure(what, count / seconds, count / plain, "a second", True, f"each: {usage.in_words(count)}")


async def read_to_the_end(client: Client, blob_id: BlobId) -> float:
    """Read a blob; seconds until its first bytes were there."""
    begun, first = time.perf_counter(), 0.0
    async with client.read(blob_id) as reader:
        async for _ in reader:
            first = first or time.perf_counter() - begun
    return first


def write_random(file: Path, size: int) -> None:
    """Fill a file with random bytes, piece by piece: what the client needs of memory is measured in this process."""
    with file.open("wb", buffering=0) as out:
        for start in range(0, size, MIB):
            out.write(os.urandom(min(MIB, size - start)))


async def in_parallel(at_once: int, count: int, call: Callable[[int], Awaitable[object]]) -> None:
    """Make `count` calls, `at_once` at the same time; each is told its number."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await call(number)

    await asyncio.gather(*[work() for _ in range(at_once)])


async def best(repeats: int, call: Callable[[], Awaitable[object]]) -> float:
    """The shortest of `repeats` runs of `call`, in seconds: the one with the least noise of the machine in it."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        await call()
        times.append(time.perf_counter() - begun)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
