"""Epochs pass: every agent proves that it holds what it should, and one that cannot is told off on chain."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from scripts.demonstration.stage import Stage, disk_bytes, wait_until_whole
from scripts.demonstration.words import ClaimFailed, chapter, claim, say
from walrus_chain.chain.economy_events import CustodyMissed, CustodyProved, Slashed
from walrus_chain.devnet.network import DevnetAgent
from walrus_chain.types import BlobId, format_amount, format_bytes

_WHOLE_EPOCHS: Final = 2
_PATIENCE: Final = 6
_CHEAT: Final = 7
#: Space that is to stay free: more than any disk has, so nothing fits any more.
_NO_ROOM: Final = str(10**18)


async def two_epochs(stage: Stage) -> None:
    """Wait until all members proved in two epochs."""
    chapter("Two epochs pass: the chain asks every agent for random bytes, and every agent proves")
    members = len((await stage.chain.committee()).members)
    last = await stage.epoch() + _PATIENCE
    complete: list[int] = []
    while len(complete) < _WHOLE_EPOCHS:
        if await stage.epoch() > last:
            raise ClaimFailed(f"not all {members} agents proved custody in two epochs: {await stage.proofs()}")
        await asyncio.sleep(1.0)
        complete = [epoch for epoch, proofs in (await stage.proofs()).items() if proofs == members]
    rules = await stage.economy.custody_rules()
    proofs = await stage.events(CustodyProved)
    gas = [await stage.gas_of(proof) for proof in proofs]
    say(f"{len(proofs)} proofs so far, each of {rules.samples} places, {min(gas):,} to {max(gas):,} gas")
    first, second = complete[:_WHOLE_EPOCHS]
    provers = {epoch: {proof.node_id for proof in proofs if proof.epoch == epoch} for epoch in (first, second)}
    serving = {member.node_id for member in (await stage.chain.committee()).members}
    claim(
        provers[first] == provers[second] == serving,
        f"in epochs {first} and {second} all {members} agents proved custody",
    )
    claim(not await stage.events(Slashed), "nobody was slashed, though three agents were killed and one lost its disk")


async def a_cheat(stage: Stage, blob_id: BlobId) -> None:
    """One agent's slivers are gone and cannot come back in time; then it is mended."""
    agent = stage.devnet.agents[_CHEAT]
    chapter(f"{agent.name} comes back without its slivers and has no room to heal: the chain finds out")
    before = (await stage.chain.nodes())[agent.node_id - 1].stake
    used = disk_bytes(stage.devnet, agent)
    stage.devnet.wipe_agent(agent.name)
    say(f"killed, {format_bytes(used)} deleted, started again on a disk that takes nothing")
    with running_without_room(stage, agent):
        missed = await stage.wait_for(
            CustodyMissed, lambda event: event.node_id == agent.node_id, _PATIENCE, f"a report of {agent.name}'s miss"
        )
    [slashed] = [event for event in await stage.events(Slashed) if event.transaction == missed.transaction]
    reporters = {node.signer: node.name for node in await stage.chain.nodes()}
    taken = slashed.active + slashed.unbonding
    say(f"epoch {missed.epoch}: no proof; {reporters.get(missed.reporter, missed.reporter)} reported it")
    say(
        f"{format_amount(missed.slashed)} of {format_amount(before)} slashed ({missed.slash_bps / 100:g} %): "
        f"{format_amount(slashed.bounty)} to the reporter, the rest burned; {await stage.gas_of(missed):,} gas"
    )
    claim(missed.slashed == taken > 0, "the slash is what left the pool")
    claim({event.node_id for event in await stage.events(Slashed)} == {agent.node_id}, "nobody else was slashed")
    await stage.devnet.start_agents(agent.name)
    [member] = [member for member in (await stage.chain.committee()).members if member.node_id == agent.node_id]
    await wait_until_whole(agent, blob_id, member)
    healed = disk_bytes(stage.devnet, agent)
    claim(healed > used // 2, f"with room again, {agent.name} healed: {format_bytes(healed)} on its disk")
    proof = await stage.wait_for(
        CustodyProved,
        lambda event: event.node_id == agent.node_id and event.epoch > missed.epoch,
        _PATIENCE,
        f"a proof of {agent.name}",
    )
    [record] = [node.pool for node in await stage.chain.nodes() if node.node_id == agent.node_id]
    claim(
        record.misses == 1 and record.jailed_until == 0,
        f"and proved custody in epoch {proof.epoch}: one miss, not jailed",
    )


@contextmanager
def running_without_room(stage: Stage, agent: DevnetAgent) -> Iterator[None]:
    """The agent runs while the block does, on a disk that takes nothing."""
    home = stage.devnet.home
    command = [sys.executable, "-m", "storage_agent.cli.main", "run", "--config", str(home.agent_settings(agent.name))]
    full = {"WALRUS_AGENT_STORAGE_RESERVE_BYTES": _NO_ROOM, "WALRUS_AGENT_STORAGE_INLINE_BYTES": "0"}
    with home.log(agent.name).open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | full, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()
