"""What healing fetches, and what storing takes of disks: a local network of ten agents, one of which loses its disk.

    python -m bench.healing [--size MIB] [--json]

fetched   bytes that came to the agent while it healed, by its own count / blob size, beside (r + c) / (r * c) of the
          blob for each sliver pair it lost: the least that the code can do with
disks     bytes of all agents' files / blob size, beside n * (r + c) / (r * c), the expansion of the code
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from bench.local_network import SHARDS, Grid, local_network, machine
from bench.report import Comparison, as_json, table
from walrus_chain.client.client import Client
from walrus_chain.codec.geometry import Geometry
from walrus_chain.devnet.network import DevnetAgent
from walrus_chain.errors import Bug
from walrus_chain.types import BlobId, format_bytes

MIB = 2**20
LIMIT = "the least"
_WAIT_SECONDS = 600.0
_POLL_SECONDS = 0.1
_JOURNAL = ("-wal", "-shm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.healing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="size of the blob (default 64)")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-healing-") as folder:
        comparisons = asyncio.run(run(options.size * MIB, Path(folder)))
    title = f"healing, beside what the code makes necessary ({machine()})"
    print(as_json({LIMIT: comparisons}) if options.json else table(title, comparisons, theirs=LIMIT))
    return 0


async def run(size: int, folder: Path) -> list[Comparison]:
    """All figures."""
    async with local_network(folder) as grid, grid.client() as client:
        stored = await client.store(os.urandom(size))
        await client.finish()
        kept = sum(kept_by(grid.devnet.home.agent_data(agent.name)) for agent in grid.devnet.agents)
        patient = grid.devnet.agents[0]
        fetched, pairs, seconds = await heal(grid, client, patient, stored.blob_id)
    code = Geometry(SHARDS)
    pair = (code.rows + code.columns) / (code.rows * code.columns)
    what = f"one agent of ten, {format_bytes(size)}: "
    return [
        Comparison(
            what + "fetched / blob", fetched / size, pairs * pair, "", "less", f"{pairs} pairs, {format_bytes(fetched)}"
        ),
        Comparison(what + "fetched / blob, a pair", fetched / size / pairs, pair, "", "less", "(r + c) / (r * c)"),
        Comparison(what + "on disks / blob", kept / size, SHARDS * pair, "", "less", "metadata included"),
        Comparison(what + "seconds", seconds, None, "s", "less", f"{size / MIB / seconds:,.0f} MiB of blob a second"),
    ]


async def heal(grid: Grid, client: Client, patient: DevnetAgent, blob_id: BlobId) -> tuple[int, int, float]:
    """Lose the disk of an agent and start it again; bytes it fetched, pairs it lost, and seconds until it was well."""
    grid.devnet.wipe_agent(patient.name)
    begun = time.perf_counter()
    await grid.devnet.start_agents(patient.name)
    while True:
        report = await client.status(blob_id)
        [node] = [node for node in report.nodes if node.member.name == patient.name]
        if node.held is not None and node.held.known and not node.held.missing:
            break
        if time.perf_counter() - begun > _WAIT_SECONDS:
            raise Bug(f"{patient.name} did not heal within {_WAIT_SECONDS:.0f} s")
        await asyncio.sleep(_POLL_SECONDS)
    seconds = time.perf_counter() - begun
    return int(await metric(patient, "walrus_agent_healing_bytes_total")), len(node.held.pairs), seconds


def kept_by(folder: Path) -> int:
    """Bytes of all files of an agent, but for the catalogue's journal, which begins anew again and again."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(_JOURNAL)]
    return sum(path.stat().st_size for path in files)


async def metric(agent: DevnetAgent, name: str) -> float:
    """A counter of an agent, summed over its labels."""
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{agent.url}/metrics")).text
    values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
    if not values:
        raise Bug(f"the agent counts no {name}")
    return sum(map(float, values))


if __name__ == "__main__":
    sys.exit(main())
