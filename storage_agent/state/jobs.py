"""Jobs as an agent sees them, and what it does next about each: pure, from what the chain says and what is on the disk.

What is only this node's to do, it does at once: run, commit, reveal. What anybody may do - draw, settle, cancel, fire -
is done by one: agents take turns, in an order that is drawn for each thing to do, the nodes of the panel first.

Nothing here is remembered but what the disk has: a result, once it is there, never changes, so an agent that was killed
goes on where the chain says it stands.

Source: contracts/interfaces/IComputeJobs.sol; docs/adr/0032-agents-that-compute.md.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storage_agent.state.collecting import share_of
from walrus_chain.chain.compute_views import Answer, Job, JobRequest, JobStatus
from walrus_chain.types import NodeId

#: What is left of the time to commit for the transaction, as a part of it.
_LAST_PART: Final = 8


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What an agent goes by."""

    node_id: NodeId
    draw_seconds: int
    """In which a job must be drawn, from its request on."""
    commit_seconds: int
    """That a node has to commit, from the draw on."""
    turn_seconds: float
    """That whoever's turn it is has for what anybody may do, before it is the next one's."""

    def commit_until(self, job: Job) -> float:
        """When a run must have ended, so that the commitment comes in time."""
        return job.drawn_at + self.commit_seconds - self.commit_seconds / _LAST_PART

    def wait_for(self, what: str, members: Collection[NodeId], first: Collection[NodeId] = ()) -> float:
        """Seconds that this node waits with what others may do as well.

        Args:
            members: of the committee. Whoever else is there comes after them.
            first: whose turns come before all others'.
        """
        in_turn = sorted({*members, *first}, key=lambda node_id: (node_id not in first, share_of(node_id, what)))
        turn = in_turn.index(self.node_id) if self.node_id in in_turn else len(in_turn)
        return turn * self.turn_seconds


class Step(StrEnum):
    """What is to do about a job."""

    DRAW = "draw"
    RUN = "run"
    """Find the result; it is not on the disk."""
    DECLINE = "decline"
    COMMIT = "commit"
    REVEAL = "reveal"
    SETTLE = "settle-job"
    CANCEL = "cancel-job"
    WAIT = "wait"


class Finding(StrEnum):
    """What this node has of a job's result."""

    NOTHING = "nothing"
    RESULT = "result"
    GIVEN_UP = "given-up"
    """It cannot or will not run it."""


def next_step(
    job: Job,
    terms: JobRequest | None,
    found: Finding,
    rules: NodeRules,
    members: Collection[NodeId],
    since: float,
    now: float,
) -> Step:
    """What to do about a job.

    Args:
        terms: none while the request is not known: then only what needs none of it is done.
        found: on the disk, for just these terms.
        members: of the committee, as this node knows it.
        since: when this agent first saw the job stand where it does, by the chain's time.
        now: the chain's time, seconds since 1970.
    """
    place = job.place_of(rules.node_id)
    answer = Answer.NONE if place is None else job.answers[place]
    match job.status:
        case JobStatus.REQUESTED if terms is not None:
            draw_until = terms.since + rules.draw_seconds
            if now >= draw_until:
                return _if_due(Step.CANCEL, job, rules, members, draw_until, now)
            return _if_due(Step.DRAW, job, rules, members, since, now)
        case JobStatus.SETTLEABLE if terms is not None:
            return _if_due(Step.SETTLE, job, rules, members, since, now)
        case JobStatus.COMMITTING if place is not None and answer is Answer.NONE:
            return {Finding.NOTHING: Step.RUN, Finding.RESULT: Step.COMMIT, Finding.GIVEN_UP: Step.DECLINE}[found]
        case JobStatus.REVEALING if answer is Answer.COMMITTED and found is Finding.RESULT and _can_count(job):
            return Step.REVEAL
    return Step.WAIT


def _can_count(job: Job) -> bool:
    """Whether any result can have a majority. Where none can, who shows one works for nothing and who keeps still is
    not absent."""
    return 2 * job.answers.count(Answer.DECLINED) < len(job.answers)


def _if_due(step: Step, job: Job, rules: NodeRules, members: Collection[NodeId], since: float, now: float) -> Step:
    """What anybody may do, once it is this node's turn."""
    wait = rules.wait_for(f"{step}:{job.job}", members, job.nodes)
    return step if now >= since + wait else Step.WAIT
