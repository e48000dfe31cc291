"""A job in which one agent lies: whoever holds its key shows a false result, and its stake pays for that."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Final

from eth_utils.crypto import keccak

from examples.genomics.cast import Cast
from examples.genomics.computing import check_result, ended, order
from examples.genomics.library import Library
from scripts.demonstration.stage import Stage
from scripts.demonstration.words import ClaimFailed, chapter, claim, say
from walrus_chain.chain.compute_events import JobDrawn, NodeFaulted, ResultCommitted
from walrus_chain.chain.compute_views import Answer
from walrus_chain.chain.compute_writer import JobReceipt, commitment
from walrus_chain.chain.sender import Sender
from walrus_chain.devnet.network import DevnetAgent
from walrus_chain.messages.domain import number_word
from walrus_chain.types import BlobId, BlobObjectId, JobId, format_amount

_ATTEMPTS: Final = 3
_PATIENCE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05
_FALSE_BYTES: Final = 5


async def one_lies(cast: Cast, library: Library, program: BlobId) -> None:
    """The analyst's program again, on the files that are left; one of the agents drawn is made to lie."""
    chapter("The same program again, and one of the three agents is made to lie")
    stage = Stage(cast.devnet, cast.chain, cast.analyst.client)
    left = library.objects[1:]
    job, panel, liar = await _with_a_victim(cast, stage, program, left)
    place = panel.nodes.index(liar.node_id)
    before = (await cast.chain.node(liar.node_id)).stake
    say(f"job {job.job} drew {', '.join(stage.agent_of(node).name for node in panel.nodes)}")
    say(f"killed {liar.name} before it committed; what it commits and shows now is made up, with its own key")
    try:
        hand = Sender(cast.chain, cast.devnet.home.agent_signer(liar.name).open())
        lie, salt = keccak(text="what nobody computed"), secrets.token_bytes(32)
        false = commitment(job.job, liar.node_id, lie, _FALSE_BYTES, salt)
        await hand.compute.commit(job.job, place, job.terms, false)
        await _until_revealing(cast, job.job)
        await hand.compute.reveal(job.job, place, lie, _FALSE_BYTES, salt)
        report = await ended(cast, job.job)
    finally:
        await cast.devnet.start_agents(liar.name)
    end = report.settlement
    if end is None:
        raise ClaimFailed(f"job {job.job} was cancelled")
    honest = {node for node in panel.nodes if node != liar.node_id}
    claim(report.lying == (liar.node_id,), f"the chain says who lied: {liar.name}")
    claim(set(report.agreeing) == honest, f"the two others agree, and got {format_amount(end.fee_each)} each")
    [fault] = await cast.chain.logged(NodeFaulted, number_word(job.job))
    after = (await cast.chain.node(liar.node_id)).stake
    claim((fault.node_id, fault.lied) == (liar.node_id, True), f"{liar.name} is slashed by {fault.bps / 100:g} %")
    claim(after < before, f"of {format_amount(before)} that were staked with it, {format_amount(after)} are left")
    await check_result(cast, job.job, [library.files[blob_object] for blob_object in left])
    say(f"started {liar.name} again")


async def _with_a_victim(
    cast: Cast, stage: Stage, program: BlobId, objects: tuple[BlobObjectId, ...]
) -> tuple[JobReceipt, JobDrawn, DevnetAgent]:
    """A job of whose panel one agent was killed before it committed.

    Raises: ClaimFailed: agents were quicker each time.
    """
    for _ in range(_ATTEMPTS):
        job = await cast.analyst.client.compute.request(await order(cast, program, objects))
        panel = await _drawn(cast, job.job)
        victim = stage.agent_of(panel.nodes[-1])
        cast.devnet.kill_agent(victim.name)
        if not await cast.chain.logged(ResultCommitted, number_word(job.job), number_word(victim.node_id)):
            return job, panel, victim
        say(f"{victim.name} had committed before it was killed; once more with another job")
        await cast.devnet.start_agents(victim.name)
        await ended(cast, job.job)
    raise ClaimFailed(f"in {_ATTEMPTS} jobs, no agent could be killed before it committed")


async def _drawn(cast: Cast, job: JobId) -> JobDrawn:
    """Who runs a job, as soon as that is known."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (panel := await cast.chain.compute.panel_of(job)) is None:
        if time.monotonic() > deadline:
            raise ClaimFailed(f"nobody drew job {job} within {_PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)
    return panel


async def _until_revealing(cast: Cast, job: JobId) -> None:
    """Wait until all nodes of a job have committed."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while Answer.NONE in (await cast.chain.compute.job(job)).answers:
        if time.monotonic() > deadline:
            raise ClaimFailed(f"the other agents did not commit to a result of job {job}")
        await asyncio.sleep(_LOOK_SECONDS)
