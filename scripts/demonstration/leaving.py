"""An agent leaves: its shards move to the others while somebody reads all the time."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from scripts.demonstration.stage import Stage
from scripts.demonstration.words import ClaimFailed, chapter, claim, say
from walrus_chain.chain.events import EpochChangeDone, EpochChangeStarted, ShardsSynced
from walrus_chain.types import BlobId

_PATIENCE: Final = 6
_LEAVES: Final = 9
_PIECE: Final = 2**20
_SYNC_SECONDS: Final = 120.0


async def an_agent_leaves(stage: Stage, blob_id: BlobId) -> None:
    """Its operator takes its stake out; the next committee does without it."""
    agent = stage.devnet.agents[_LEAVES]
    chapter(f"{agent.name} leaves: its shards move to the others, and nobody who reads notices")
    shards = (await stage.chain.nodes())[agent.node_id - 1].shards
    known = {event.epoch for event in await stage.events(EpochChangeStarted)}
    reader = Reader(stage, blob_id)
    reading = asyncio.create_task(reader.run())
    await stage.devnet.retire_agent(agent.name)
    say(f"its operator took all stake out; it serves shards {', '.join(map(str, shards))} until it is relieved")
    change = await stage.wait_for(
        EpochChangeStarted, lambda event: event.epoch not in known, _PATIENCE, "a change of committee"
    )
    began = time.monotonic()
    await stage.wait_for(EpochChangeDone, lambda event: event.epoch == change.epoch, _PATIENCE, "the end of the change")
    while (await stage.chain.parameters()).pending_shards:
        if time.monotonic() > began + _SYNC_SECONDS:
            raise ClaimFailed("some shards did not arrive at their new nodes")
        await asyncio.sleep(0.2)
    arrivals = [event for event in await stage.events(ShardsSynced) if event.epoch == change.epoch]
    moved, seconds = change.moved.bit_count(), max(event.block.timestamp for event in arrivals) - change.block.timestamp
    say(f"epoch {change.epoch}: {moved} shards moved, all signalled as there {seconds} s later by the chain's clock")
    committee = await stage.chain.committee()
    claim(committee.by_node(agent.node_id) is None, f"{agent.name} serves no more; {len(committee.members)} agents do")
    claim(moved >= len(shards), f"its {len(shards)} shards have other nodes")
    stage.devnet.kill_agent(agent.name)
    say(f"killed {agent.name} for good")
    await asyncio.sleep(2)
    reading.cancel()
    [ended] = await asyncio.gather(reading, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended
    claim(reader.reads > 0, f"{reader.reads} reads meanwhile, and none failed")


class Reader:
    """Reads a piece of a blob after the other all the time, like somebody who watches a film."""

    def __init__(self, stage: Stage, blob_id: BlobId) -> None:
        self._stage = stage
        self._blob_id = blob_id
        self.reads = 0
        """How many pieces were read."""

    async def run(self) -> None:
        """Read until cancelled; ends with the first read that fails."""
        size = (await self._stage.client.status(self._blob_id, ask_nodes=False)).size
        start = 0
        while True:
            stop = min(start + _PIECE, size)
            await self._stage.client.read_bytes(self._blob_id, start, stop)
            self.reads += 1
            start = stop if stop < size else 0
