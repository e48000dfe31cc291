"""All that computes in one agent, put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from storage_agent.compute.blobs import Pairs, Rows, Segments
from storage_agent.compute.chain import JobChain
from storage_agent.compute.follow import FollowSettings, JobFollower
from storage_agent.compute.hands import JobSender
from storage_agent.compute.inputs import Inputs
from storage_agent.compute.places import ComputeLimits, Places, unfit_to_compute
from storage_agent.compute.runs import RunRules, Runs
from storage_agent.compute.shares import ShareAsker
from storage_agent.compute.triggers import TriggerFirer
from storage_agent.config import ComputeSettings
from storage_agent.keys.desk import access_wei
from storage_agent.observe import Metrics
from storage_agent.state.jobs import NodeRules
from storage_agent.store.jobs import JobStore
from storage_agent.store.outputs import Outputs
from walrus_chain.chain.compute_views import JobRules
from walrus_chain.chain.sender import Sender
from walrus_chain.chain.views import NetworkParameters
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import Signer
from walrus_chain.types import NodeId

_log = logging.getLogger(__name__)

_DAY: Final = 86400.0
#: A turn for what anybody may do takes this part of the time to commit, and no more seconds than that.
_TURN_PART: Final = 60
_LONGEST_TURN: Final = 12.0


class Computing:
    """Follows jobs and fires triggers, until cancelled."""

    def __init__(self, follower: JobFollower | None, firer: TriggerFirer | None, problem: str | None) -> None:
        """
        Args:
            follower, firer: none where nobody acts on chain for the node.
            problem: what keeps this machine from running programs, in words.
        """
        self._follower = follower
        self._firer = firer
        self._problem = problem

    @property
    def problems(self) -> list[str]:
        """What is wrong and what to do about it, in words."""
        own = [] if self._follower is None else self._follower.problems
        return own if self._problem is None else [f"all jobs are declined: {self._problem}", *own]

    async def run(self) -> None:
        """Compute until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._follower is not None:
                group.create_task(self._follower.run())
            if self._firer is not None:
                group.create_task(self._firer.run())


@dataclass(frozen=True, slots=True)
class Bytes:
    """Where the bytes of blobs come from."""

    pairs: Pairs
    rows: Rows


async def make_computing(
    settings: ComputeSettings,
    chain: JobChain,
    sender: Sender | None,
    members: Callable[[], Collection[NodeId]],
    proving: Callable[[], bool],
    parameters: NetworkParameters,
    job_rules: JobRules,
    node_id: NodeId,
    signer: Signer,
    domain: Domain,
    confirmations: int,
    data: Bytes,
    store: JobStore,
    outputs: Outputs,
    metrics: Metrics,
    poll_seconds: float,
    clock: Callable[[], float],
    random: Callable[[int], bytes],
) -> Computing:
    """What computes for one node; first it is seen whether this machine can.

    Args:
        sender: sends the node's transactions; none where the operator does without a keeper.
        members: of the committee, as this node knows it.
        proving: whether a proof of custody is due, before which nothing is sent that can wait.
        job_rules: what holds for all jobs.
        signer: the node's key.
        domain: of access.
        confirmations: blocks behind the newest at which other nodes are asked for keys.
        clock: seconds since 1970, not before the newest block that was seen.
        random: gives as many unpredictable bytes as it is asked for.
    """
    problem = await unfit_to_compute() if settings.enabled else None
    if problem is not None:
        _log.error("this node declines all jobs: %s", problem)
    if sender is None:
        return Computing(None, None, problem)
    runs_here = settings.enabled and problem is None
    limits = ComputeLimits(settings.at_once, settings.queue, settings.wall_seconds)
    turn = min(_LONGEST_TURN, job_rules.commit_seconds / _TURN_PART)
    rules = NodeRules(node_id, job_rules.draw_seconds, job_rules.commit_seconds, turn)
    asker = ShareAsker(node_id, signer, domain, chain, confirmations, clock, random)
    runs = Runs(
        RunRules(
            node_id=node_id,
            minimum_fee=access_wei(settings.minimum_fee),
            at_once=settings.at_once,
            most_fuel=settings.most_fuel,
            fuel_per_second=settings.fuel_per_second,
            output_bytes=settings.output_bytes,
        ),
        Places(limits) if runs_here else None,
        Inputs(lambda: Segments(data.pairs, data.rows), asker),
        store,
        outputs,
        metrics,
        clock,
        random,
    )
    hands = JobSender(sender)
    follower = JobFollower(
        FollowSettings(
            rules=rules,
            at_once=settings.at_once,
            waiting=settings.queue,
            keep_seconds=settings.keep_days * _DAY,
            confirmations=settings.confirmations,
            poll_seconds=poll_seconds,
        ),
        chain,
        hands,
        runs,
        store,
        outputs,
        members,
        proving,
        metrics,
    )
    pace = min(300.0, max(poll_seconds, parameters.epoch_seconds / 20))
    firer = TriggerFirer(rules, chain, hands, store, parameters.epoch_at, members, proving, metrics, pace)
    return Computing(follower, firer, problem)
