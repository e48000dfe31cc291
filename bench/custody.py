"""How fast a node proves custody when it holds many blobs: from the seed to the bytes of the proof, without the chain.

    python -m bench.custody [--blobs 100000] [--windows 200] [--json]

proof       what a window asks for (5 places), from knowing the places to the checked bytes: look-ups, reads, trees,
            paths; beside SHA-256 over the same slivers and metadata
catalogue   bytes of the catalogue, which holds small slivers too, beside the slivers and metadata alone
memory      of the process while it proves, beside what it has with an empty catalogue
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.local_network import machine
from bench.report import Comparison, as_json, table
from storage_agent.custody.prover import Prover
from storage_agent.node.holdings import Holdings
from storage_agent.state.facts import Certified, CommitteeFormed, Fact, Located, Place, Registered
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.local import LocalStore
from storage_agent.store.packs import Packs
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.views import CustodySample
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry, shard_of_pair
from walrus_chain.codec.stream import commit_blob
from walrus_chain.errors import Bug
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, NodeId

SHARDS, NODES, SAMPLES = 30, 10, 5
SMALL_BYTES = 1000
LIMIT_SECONDS = 2.0
YARDSTICK = "sha256"
_NODE, _EPOCH = NodeId(1), Epoch(1)
_BATCH = 500
_PATTERN = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """What the chain would ask; drawn evenly, with the seed known."""

    samples: tuple[CustodySample, ...]

    async def samples_of(self, epoch: Epoch, node_id: NodeId) -> tuple[CustodySample, ...]:
        """The places."""
        return self.samples


@dataclass(frozen=True, slots=True)
class Shelf:
    """A node with a catalogue and a store."""

    catalogue: Catalogue
    packs: Packs
    holdings: Holdings
    file: Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 when a proof took longer than the limit."""
    parser = argparse.ArgumentParser(prog="python -m bench.custody", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--blobs", type=int, default=100_000, help="blobs of 1,000 bytes (default 100,000)")
    parser.add_argument("--windows", type=int, default=200, help="proofs that are timed (default 200)")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-custody-") as folder:
        comparisons = asyncio.run(run(options.blobs, options.windows, Path(folder)))
    title = f"custody proofs of {SAMPLES} places among {options.blobs:,} blobs, {SHARDS} shards ({machine()})"
    print(as_json({YARDSTICK: comparisons}) if options.json else table(title, comparisons, theirs="yardstick"))
    return 1 if any("worst" in row.what and row.ours > LIMIT_SECONDS * 1000 for row in comparisons) else 0


async def run(blobs: int, windows: int, folder: Path) -> list[Comparison]:
    """All figures."""
    chance = random.Random(1)
    async with open_shelf(folder) as shelf:
        empty = resident()
        begun = time.perf_counter()
        small, kept = await fill(shelf, blobs, SMALL_BYTES)
        seconds = time.perf_counter() - begun
        [large], _ = await fill(shelf, 1, SEGMENT_BYTES, first=blobs)
        ours, theirs = await time_proofs(shelf, small, SMALL_BYTES, windows, chance)
        full = resident()
        ours_large, theirs_large = await time_proofs(shelf, [large], SEGMENT_BYTES, max(5, windows // 20), chance)
        size = sum(file.stat().st_size for file in shelf.file.parent.glob("catalogue.db*"))
    what = f"{blobs:,} blobs: "
    return [
        Comparison(what + "proof, median", statistics.median(ours), statistics.median(theirs), "ms", "less"),
        Comparison(what + "proof, worst", max(ours), max(theirs), "ms", "less", f"limit {LIMIT_SECONDS:.0f} s"),
        Comparison(
            "blob of 32 MiB: proof, median",
            statistics.median(ours_large),
            statistics.median(theirs_large),
            "ms",
            "less",
            "whole slivers are hashed",
        ),
        Comparison("blob of 32 MiB: proof, worst", max(ours_large), max(theirs_large), "ms", "less"),
        Comparison(what + "catalogue", size / 2**20, kept / 2**20, "MiB", "less", f"{size / blobs:,.0f} bytes a blob"),
        Comparison(what + "memory", full / 2**20, empty / 2**20, "MiB", "less", "beside an empty catalogue"),
        Comparison(what + "filled in", seconds, None, "s", "less", "encoding included"),
    ]


async def time_proofs(
    shelf: Shelf, blobs: Sequence[BlobId], size: int, windows: int, chance: random.Random
) -> tuple[list[float], list[float]]:
    """Milliseconds of each proof, and of SHA-256 over the slivers and metadata that it read."""
    ours, theirs = [], []
    for _ in range(windows):
        samples = tuple(draw(shelf, chance.choice(blobs), size, chance) for _ in range(SAMPLES))
        prover = Prover(_NODE, Asked(samples), shelf.holdings, no_healing)
        begun = time.perf_counter()
        await prover.prove(_EPOCH)
        ours.append((time.perf_counter() - begun) * 1000)
        read = [await sliver_of(shelf, sample) for sample in samples]
        read += [shelf.catalogue.metadata(sample.blob_id) or b"" for sample in samples]
        begun = time.perf_counter()
        for data in read:
            hashlib.sha256(data).digest()
        theirs.append((time.perf_counter() - begun) * 1000)
    return ours, theirs


def draw(shelf: Shelf, blob_id: BlobId, size: int, chance: random.Random) -> CustodySample:
    """A place of a blob on one of the node's shards."""
    pair = chance.choice(shelf.catalogue.duties.pairs(blob_id))
    axis = chance.choice(list(Axis))
    chunk = chance.randrange(Geometry(SHARDS).blob(size).segment(0).chunks(axis))
    shard = shard_of_pair(blob_id, pair, SHARDS)
    return CustodySample(BlobObjectId(1), blob_id, size, shard, pair, segment=0, axis=axis, chunk=chunk)


async def sliver_of(shelf: Shelf, sample: CustodySample) -> bytes:
    """The sliver that a sample is about."""
    segment = Geometry(SHARDS).blob(sample.size).segment(sample.segment)
    length = segment.sliver_bytes(sample.axis)
    place = (sample.blob_id, sample.segment, sample.axis, sample.pair)
    return await shelf.holdings.sliver(*place, geometry=segment, start=0, length=length)


async def no_healing(blob_id: BlobId) -> None:
    """Everything is there."""
    raise Bug(f"blob {blob_id} is not where it was put")


@asynccontextmanager
async def open_shelf(folder: Path) -> AsyncIterator[Shelf]:
    """An empty node, in a committee."""
    file = folder / "catalogue.db"
    catalogue = Catalogue.open(file, network="bench", node_id=_NODE, clock=time.time)
    store = LocalStore.open(folder / "slivers", reserve_bytes=0)
    packs = Packs(catalogue, store)
    await catalogue.start_at(_block(0))
    members = tuple(NodeId(number) for number in range(1, NODES + 1))
    await take(catalogue, CommitteeFormed(_EPOCH, members, bytes(shard % NODES for shard in range(SHARDS))))
    yield Shelf(catalogue, packs, Holdings(_NODE, catalogue, packs, time.time), file)
    catalogue.close()
    await store.close()


async def fill(shelf: Shelf, blobs: int, size: int, first: int = 0) -> tuple[list[BlobId], int]:
    """Certified blobs that the node holds, and the bytes of their slivers and metadata."""
    made: list[BlobId] = []
    kept = 0
    for start in range(first, first + blobs, _BATCH):
        facts: list[Fact] = []
        writes = []
        for number in range(start, min(start + _BATCH, first + blobs)):
            content = hashlib.shake_256(b"%d" % number).digest(min(size, _PATTERN)) * -(-size // _PATTERN)
            committed = commit_blob([content[:size]], SHARDS)
            assert committed.encoded is not None
            metadata, blob_object = committed.metadata, BlobObjectId(number + 1)
            facts.append(Registered(blob_object, metadata.blob_id, size, _EPOCH, Epoch(100), deletable=False))
            facts.append(Certified(blob_object))
            own = shelf.catalogue.duties.pairs(metadata.blob_id)
            pairs = {pair: committed.encoded.pair(pair) for pair in own}
            writes.append(shelf.packs.put(metadata.blob_id, 0, pairs, (metadata, metadata.to_bytes())))
            kept += sum(map(len, pairs.values())) + len(metadata.to_bytes())
            made.append(metadata.blob_id)
        await take(shelf.catalogue, *facts)
        await asyncio.gather(*writes)
    return made, kept


async def take(catalogue: Catalogue, *facts: Fact) -> None:
    """One more block."""
    cursor = catalogue.cursor
    assert cursor is not None
    number = cursor.block.number + 1
    located = [Located(Place(number, index), fact) for index, fact in enumerate(facts)]
    await catalogue.take(cursor, located, _block(number), _EPOCH)


def resident() -> int:
    """Bytes of memory that this process has now."""
    return psutil.Process(os.getpid()).memory_info().rss


def _block(number: int) -> BlockRef:
    return BlockRef(number, hashlib.sha256(b"%d" % number).digest(), number)


if __name__ == "__main__":
    sys.exit(main())
