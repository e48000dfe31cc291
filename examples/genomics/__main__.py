"""`python -m examples.genomics`: the story on a network of its own, which is gone afterwards."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Final

from eth_account import Account

from examples.genomics.cast import cast
from examples.genomics.story import story
from scripts.demonstration.words import ClaimFailed, chapter, say, stop
from walrus_chain.devnet.home import DevnetHome
from walrus_chain.devnet.in_process import devnet_in_process
from walrus_chain.devnet.plan import DevnetParameters
from walrus_chain.devnet.ports import free_run
from walrus_chain.errors import WalrusError
from walrus_chain.types import Address

AGENTS, SHARDS, REGIONS = 4, 10, 2
EPOCH_SECONDS: Final = 20


def main() -> None:
    """Tell it; exit code 1 when a claim fails."""
    with tempfile.TemporaryDirectory(prefix="walrus-genomics-") as folder:
        try:
            asyncio.run(told(Path(folder)))
        except (ClaimFailed, WalrusError) as error:
            stop(str(error))


async def told(folder: Path) -> None:
    """The story, on a network whose agents run in this process."""
    began = time.monotonic()
    chapter(f"A network comes up: a chain, its contracts, {AGENTS} storage agents")
    port = free_run(AGENTS + 1)
    parameters = DevnetParameters(
        agents=AGENTS,
        shards=SHARDS,
        regions=REGIONS,
        epoch_seconds=EPOCH_SECONDS,
        rpc_port=port,
        first_agent_port=port + 1,
    )
    consortium = Account.create()
    home = DevnetHome(folder / "network")
    async with devnet_in_process(home, parameters, developer=Address(consortium.address)) as devnet:
        say(f"up after {time.monotonic() - began:.1f} s; chain at {devnet.rpc_url}")
        async with cast(devnet, consortium) as everybody:
            await story(everybody, folder, to_the_end=True)
    say(f"\nDone, in {time.monotonic() - began:.0f} s. How it works: examples/genomics/README.md.")


if __name__ == "__main__":
    main()
