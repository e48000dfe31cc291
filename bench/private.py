"""Private data on a local network of ten agents: how long a key takes, and what encryption costs a store and a read.

    python -m bench.private [--quick] [--json]

key release   for one reader, 5 of 10 nodes: from asking the chain to the key in the clear, the medians of many. Beside
              it a plain HTTP round trip to one of the same agents, and five of them at the same time, in the same run.
store, read   of encrypted data, beside the same bytes stored and read as they are. At least 0.8 of that is wanted.

Exit code 1 when a limit is missed: a median of 150 ms, 0.8 of the throughput.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.local_network import Grid, local_network, machine
from bench.network import MIB, read_to_the_end, write_random
from bench.report import Comparison, as_json, table
from walrus_chain.client.client import Client
from walrus_chain.client.keys import ReadTerms
from walrus_chain.client.sealing import Privacy
from walrus_chain.types import BlobObjectId, format_bytes

THRESHOLD: Final = 5
KEY_LIMIT_MS: Final = 150.0
THROUGHPUT_LIMIT: Final = 0.8
ONE, FIVE, PUBLIC = "plain HTTP, one", "plain HTTP, five at once", "public"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    keys: int
    size: int
    repeats: int


FULL = Extent(keys=100, size=256 * MIB, repeats=3)
QUICK = Extent(keys=20, size=64 * MIB, repeats=1)


def main() -> int:
    """Measure and print; 1 when a limit was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.private", description="Private data on a local network.")
    parser.add_argument("--quick", action="store_true", help="fewer keys, smaller blobs")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-private-") as folder:
        keys, throughput = asyncio.run(run(QUICK if options.quick else FULL, Path(folder)))
    missed = keys[0].ours > KEY_LIMIT_MS or any((row.ratio or 0) < THROUGHPUT_LIMIT for row in throughput)
    if options.json:
        print(as_json({ONE: keys[:1], FIVE: keys[1:], PUBLIC: throughput}))
    else:
        print(table(f"keys ({machine()})", keys, theirs="plain HTTP"))
        print()
        print(table("encrypted beside public", throughput, theirs=PUBLIC))
        print(f"\nlimits: {KEY_LIMIT_MS:.0f} ms, {THROUGHPUT_LIMIT}x; {'MISSED' if missed else 'met'}")
    return 1 if missed else 0


async def run(extent: Extent, folder: Path) -> tuple[list[Comparison], list[Comparison]]:
    """Figures of keys, and of throughput."""
    async with local_network(folder / "network") as grid, grid.client() as client:
        # The first store approves the vault, opens connections and fills caches.
        warm = await client.store(b"warm", private=Privacy(threshold=THRESHOLD))
        await client.finish()
        keys = await measure_keys(grid, client, warm.blob_object, extent)
        throughput = await measure_throughput(client, folder / "blob", extent)
    return keys, throughput


async def measure_keys(grid: Grid, client: Client, blob_object: BlobObjectId, extent: Extent) -> list[Comparison]:
    """How long a key takes, beside plain round trips to the same agents, taken in turns."""
    agents = [client._agents.at(agent.url, agent.name) for agent in grid.devnet.agents]
    found = await client.chain.blob(blob_object)
    ours, one, five = [], [], []

    async def key() -> None:
        await client._private._desk.open([found], ReadTerms())

    async def all_five() -> None:
        await asyncio.gather(*(agent.health() for agent in agents[:THRESHOLD]))

    for _ in range(3):
        await key()
        await all_five()
    for _ in range(extent.keys):
        ours.append(await _seconds(key))
        one.append(await _seconds(agents[0].health))
        five.append(await _seconds(all_five))
    slowest = f"slowest of {len(ours)}: {max(ours) * 1000:.0f} ms"
    what, median = f"key of {THRESHOLD} of 10 nodes", statistics.median(ours) * 1000
    return [
        Comparison(f"{what}, beside one request", median, statistics.median(one) * 1000, "ms", "less", slowest),
        Comparison(f"{what}, beside five at once", median, statistics.median(five) * 1000, "ms", "less"),
    ]


async def measure_throughput(client: Client, file: Path, extent: Extent) -> list[Comparison]:
    """Storing and reading encrypted, beside the same as it is, in turns; the best of each."""
    privacy = Privacy(threshold=THRESHOLD)
    stores: dict[bool, list[float]] = {True: [], False: []}
    reads: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(extent.repeats):
        for private in (True, False):
            write_random(file, extent.size)
            begun = time.perf_counter()
            stored = await client.store(file, private=privacy if private else None)
            stores[private].append(time.perf_counter() - begun)
            await client.finish()
            begun = time.perf_counter()
            await read_to_the_end(client, stored.blob_id)
            reads[private].append(time.perf_counter() - begun)
    name, mebibytes = format_bytes(extent.size), extent.size / MIB
    return [
        Comparison(f"{what} {name}", mebibytes / min(times[True]), mebibytes / min(times[False]), "MiB/s", "more")
        for what, times in (("store", stores), ("read", reads))
    ]


async def _seconds(call: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await call()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
