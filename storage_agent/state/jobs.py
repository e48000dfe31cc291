"""Jobs as an agent sees them, and what it does next about each: pure, from what the chain says and what is on the disk.

What is only this node's to do, it does at once: run, commit, reveal. What anybody may do - draw, settle, cancel, fire -
is done by one: each agent waits a while of its own, the nodes of the panel less than the others.

Nothing here is remembered but what the disk has: a result, once it is there, never changes, so an agent that was killed
goes on where the chain says it stands.

Source: contracts/interfaces/IComputeJobs.sol; docs/adr/0032-agents-that-compute.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from storage_agent.state.collecting import share_of
from storage_agent.state.keeping import backed_off
from walrus_chain.chain.compute_views import Answer, Job, JobStatus
from walrus_chain.types import NodeId

#: What is left of the time to commit for the transaction, as a part of it.
_LAST_PART: Final = 8
#: A node that is on the panel waits so much less with what anybody may do.
_PANEL_HASTE: Final = 4


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What an agent goes by."""

    node_id: NodeId
    draw_seconds: int
    """In which a job must be drawn, from its request on."""
    commit_seconds: int
    """That a node has to commit, from the draw on."""
    span: float
    """Seconds over which agents spread what anybody may do."""

    def commit_until(self, job: Job) -> float:
        """When a run must have ended, so that the commitment comes in time."""
        return job.drawn_at + self.commit_seconds - self.commit_seconds / _LAST_PART

    def wait_for(self, what: str) -> float:
        """Seconds that this node waits with what others may do as well."""
        return backed_off(share_of(self.node_id, what)) * self.span


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


def next_step(job: Job, requested_at: int | None, found: Finding, rules: NodeRules, since: float, now: float) -> Step:
    """What to do about a job.

    Args:
        requested_at: seconds since 1970; none while the request is not known: then only what needs none of it is done.
        found: on the disk, for just these terms.
        since: when this agent first saw the job stand where it does, by the chain's time.
        now: the chain's time, seconds since 1970.
    """
    place = job.place_of(rules.node_id)
    answer = Answer.NONE if place is None else job.answers[place]
    match job.status:
        case JobStatus.REQUESTED | JobStatus.SETTLEABLE if requested_at is None:
            return Step.WAIT
        case JobStatus.REQUESTED if requested_at is not None and now >= requested_at + rules.draw_seconds:
            return _if_due(Step.CANCEL, job, rules, requested_at + rules.draw_seconds, now)
        case JobStatus.REQUESTED:
            return _if_due(Step.DRAW, job, rules, since, now)
        case JobStatus.SETTLEABLE:
            return _if_due(Step.SETTLE, job, rules, since, now)
        case JobStatus.COMMITTING if place is not None and answer is Answer.NONE:
            return {Finding.NOTHING: Step.RUN, Finding.RESULT: Step.COMMIT, Finding.GIVEN_UP: Step.DECLINE}[found]
        case JobStatus.REVEALING if answer is Answer.COMMITTED and found is Finding.RESULT:
            return Step.REVEAL
    return Step.WAIT


def _if_due(step: Step, job: Job, rules: NodeRules, since: float, now: float) -> Step:
    """What anybody may do, once this node has waited."""
    wait = rules.wait_for(f"{step}:{job.job}")
    if job.place_of(rules.node_id) is not None:
        wait /= _PANEL_HASTE
    return step if now >= since + wait else Step.WAIT
