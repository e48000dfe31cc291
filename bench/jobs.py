"""Jobs on a local network of ten agents: what the chain and the agents add to the run of a program.

    python -m bench.jobs [--quick] [--json]

overhead   from the request to the checked output of a settled job of three agents, less the run of the same program on
           the same input here; the median of 20. Beside it what the chain alone takes, in the same run: a plain
           transaction, the blocks until the panel can be drawn, and four more, each after the one before, since a
           job is requested, drawn, committed to, revealed and settled.
queue      50 jobs of one agent each, requested at once, until the last is settled.

Nothing else may use the machine meanwhile: agents, chain and programs share its processors.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_account import Account

from bench.local_network import local_network, machine
from bench.report import Comparison, as_json, table
from walrus_chain.chain.compute_views import JobOrder
from walrus_chain.chain.sender import Sender
from walrus_chain.client.client import Client
from walrus_chain.compute.run import Ending, Run
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program
from walrus_chain.types import WAL_DECIMALS, Address, JobId, Wei

CHAIN: Final = "the chain alone"
_PROGRAM: Final = Path(__file__).parents[1] / "examples" / "programs" / "word_count.wasm"
_INPUT: Final = b"The quick brown fox jumps over the lazy dog, and again.\n" * 20_000
_FEE: Final = Wei(3 * 10**WAL_DECIMALS)
_AFTER_DRAWING: Final = 4
_LOOK_SECONDS: Final = 0.05
_EPOCHS: Final = 5


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    jobs: int
    queued: int


FULL = Extent(jobs=20, queued=50)
QUICK = Extent(jobs=5, queued=10)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description="Jobs on a local network.")
    parser.add_argument("--quick", action="store_true", help="fewer jobs")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-jobs-") as folder:
        lines = asyncio.run(run(QUICK if options.quick else FULL, Path(folder)))
    if options.json:
        print(as_json({CHAIN: lines}))
    else:
        print(machine())
        print(table("jobs of three agents out of ten", lines, theirs=CHAIN))
    return 0


async def run(extent: Extent, folder: Path) -> list[Comparison]:
    """All figures."""
    async with local_network(folder / "network") as grid, grid.client() as client:
        program = await client.compute.publish(_PROGRAM, epochs=_EPOCHS)
        stored = await client.store(_INPUT, epochs=_EPOCHS)
        three, one = [
            await client.compute.order(program.blob_id, [stored.blob_object], fee=_FEE, replicas=replicas)
            for replicas in (3, 1)
        ]
        # The first job approves the vault; every agent fetches and opens for the first time.
        await whole_job(client, three)
        return [*await overhead(client, three, extent.jobs), *await queue(client, one, extent.queued)]


async def overhead(client: Client, order: JobOrder, jobs: int) -> list[Comparison]:
    """Jobs one after the other, in turns with the bare run and with the chain alone."""
    totals, runs, alone = [], [], []
    for _ in range(jobs):
        totals.append(await whole_job(client, order))
        runs.append(await bare_run(order))
        alone.append(await chain_alone(client))
    over = [total - run for total, run in zip(totals, runs, strict=True)]
    note = f"median of {jobs}; slowest {max(over):.1f} s"
    beside = statistics.median(alone)
    return [
        Comparison("overhead of a job", statistics.median(over), beside, "s", "less", note),
        Comparison("the run alone", statistics.median(runs), None, "s", "less", "sandbox and all, on this machine"),
    ]


async def queue(client: Client, order: JobOrder, jobs: int) -> list[Comparison]:
    """Many jobs at once."""
    begun = time.perf_counter()
    receipts = await asyncio.gather(*(client.compute.request(order) for _ in range(jobs)))
    requested = time.perf_counter() - begun
    for receipt in receipts:
        await settled(client, receipt.job)
    seconds = time.perf_counter() - begun
    note = f"{jobs} jobs in {seconds:.1f} s, {requested:.1f} s of that to request them"
    return [Comparison("jobs queued at once", jobs / seconds, None, "jobs/s", "more", note)]


async def whole_job(client: Client, order: JobOrder) -> float:
    """Seconds from the request to the output."""
    begun = time.perf_counter()
    job = (await client.compute.request(order)).job
    await settled(client, job)
    result = await client.compute.result(job)
    seconds = time.perf_counter() - begun
    if result.ending is not Ending.FINISHED:
        raise RuntimeError(f"job {job} ended {result.ending.words}")
    return seconds


async def settled(client: Client, job: JobId) -> None:
    """Returns once a job's nodes are paid."""
    report = await client.compute.watch(job, poll_seconds=_LOOK_SECONDS)
    if not report.agreeing:
        raise RuntimeError(f"nobody was paid for job {job}: {report}")


async def chain_alone(client: Client) -> float:
    """Seconds that a job's transactions would take without anybody who computes."""
    hand = client._writer
    if not isinstance(hand, Sender):
        raise TypeError("the client does not send transactions")
    stranger = Address(Account.create().address)
    [delay] = await hand._chain.calls([("BlockHashRandomness", "delayBlocks", ())])
    begun = time.perf_counter()
    ticket = (await hand.send_native(stranger, Wei(1))).block + delay
    while True:
        if (await client.chain.head()).number >= ticket:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    for _ in range(_AFTER_DRAWING):
        await hand.send_native(stranger, Wei(1))
    return time.perf_counter() - begun


async def bare_run(order: JobOrder) -> float:
    """Seconds of the same run on this machine."""
    begun = time.perf_counter()
    outcome = await run_program(
        Run(_PROGRAM.read_bytes(), order.arguments, order.fuel, order.output_limit), [BytesInput(_INPUT)]
    )
    if outcome.ending is not Ending.FINISHED:
        raise RuntimeError(f"the program ended {outcome.ending.words}")
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
