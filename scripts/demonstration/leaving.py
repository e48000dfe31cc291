"""An agent leaves: its shards move to the others while somebody reads all the time."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from scripts.demonstration.stage import Stage
from scripts.demonstration.words import ClaimFailed, chapter, claim, say
from walrus_chain.chain.events import EpochChangeDone, EpochChangeStarted
from walrus_chain.types import BlobId

_PATIENCE: Final = 6
_LEAVES: Final = 9
_RANGE: Final = 2**20
_SYNC_SECONDS: Final = 120.0


async def an_agent_leaves(stage: Stage, blob_id: BlobId) -> None:
    """Its operator takes its stake out; the next committee does without it."""
    agent = stage.devnet.agents[_LEAVES]
    chapter(f"{agent.name} leaves: its shards move to the others, and nobody who reads notices")
    shards = (await stage.chain.nodes())[agent.node_id - 1].shards
    known = {event.epoch for event in await stage.events(EpochChangeStarted)}
    reads = asyncio.create_task(read_all_the_time(stage, blob_id))
    await stage.devnet.retire_agent(agent.name)
    say(f"its operator took all stake out; it serves shards {', '.join(map(str, shards))} until it is relieved")
    change = await stage.wait_for(
        EpochChangeStarted, lambda event: event.epoch not in known, _PATIENCE, "a change of committee"
    )
    began = time.monotonic()
    await stage.wait_for(
        EpochChangeDone, lambda event: event.epoch == change.epoch, _PATIENCE, "the end of the change"
    )
    while (await stage.chain.parameters()).pending_shards:
        if time.monotonic() > began + _SYNC_SECONDS:
            raise ClaimFailed("some shards did not arrive at their new nodes")
        await asyncio.sleep(0.2)
    say(f"epoch {change.epoch}: {change.moved.bit_count()} shards moved, all there {time.monotonic() - began:.1f} s later")
    committee = await stage.chain.committee()
    claim(committee.by_node(agent.node_id) is None, f"{agent.name} serves no more; {len(committee.members)} agents do")
    claim(change.moved.bit_count() == len(shards), "no shard moved but its own")
    stage.devnet.kill_agent(agent.name)
    say(f"killed {agent.name} for good")
    await asyncio.sleep(2)
    reads.cancel()
    done = (await asyncio.gather(reads, return_exceptions=True))[0]
    if isinstance(done, Exception):
        raise done
    claim(READS[0] > 0, f"{READS[0]} reads meanwhile, and none failed")


#: How many reads were done.
READS = [0]


async def read_all_the_time(stage: Stage, blob_id: BlobId) -> None:
    """Read a piece of a blob again and again, as somebody who watches a film."""
    start = 0
    while True:
        piece = await stage.client.read_bytes(blob_id, start, start + _RANGE)
        claim_length(piece)
        READS[0] += 1
        start = (start + _RANGE) % (8 * _RANGE)
