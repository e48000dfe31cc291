"""What is to do about a job, from how it stands and what is on the disk."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from storage_agent.state.jobs import Finding, NodeRules, Step, next_step
from storage_agent.state.terms import request_from_bytes, request_to_bytes, terms_of
from tests.fakes.job_chain import INPUT, REQUESTER, order
from walrus_chain.chain.compute_views import Answer, Job, JobCharge, JobRequest, JobStatus
from walrus_chain.errors import MalformedMessage
from walrus_chain.types import Epoch, JobId, NodeId, PoolId, Wei

ME, DRAWN = NodeId(2), 1000
RULES = NodeRules(ME, draw_seconds=60, commit_seconds=80, turn_seconds=0.0)
MEMBERS = (NodeId(1), ME, NodeId(3))
REQUEST = JobRequest(REQUESTER, order(), (JobCharge(INPUT, PoolId(7), Wei(10)),), 9, Epoch(3), DRAWN)


def job(status: JobStatus, answer: Answer = Answer.NONE, *, me: NodeId = ME) -> Job:
    """A job with this node at place 1."""
    return Job(JobId(5), status, bytes(32), DRAWN, 7, (NodeId(1), me, NodeId(3)), (Answer.NONE, answer, Answer.NONE))


@pytest.mark.parametrize(
    ("status", "answer", "found", "step"),
    [
        (JobStatus.UNKNOWN, Answer.NONE, Finding.NOTHING, Step.WAIT),
        (JobStatus.OVER, Answer.NONE, Finding.RESULT, Step.WAIT),
        (JobStatus.REQUESTED, Answer.NONE, Finding.NOTHING, Step.DRAW),
        (JobStatus.COMMITTING, Answer.NONE, Finding.NOTHING, Step.RUN),
        (JobStatus.COMMITTING, Answer.NONE, Finding.RESULT, Step.COMMIT),
        (JobStatus.COMMITTING, Answer.NONE, Finding.GIVEN_UP, Step.DECLINE),
        (JobStatus.COMMITTING, Answer.COMMITTED, Finding.RESULT, Step.WAIT),
        (JobStatus.COMMITTING, Answer.DECLINED, Finding.RESULT, Step.WAIT),
        (JobStatus.REVEALING, Answer.COMMITTED, Finding.RESULT, Step.REVEAL),
        (JobStatus.REVEALING, Answer.COMMITTED, Finding.NOTHING, Step.WAIT),
        (JobStatus.REVEALING, Answer.REVEALED, Finding.RESULT, Step.WAIT),
        (JobStatus.REVEALING, Answer.NONE, Finding.RESULT, Step.WAIT),
        (JobStatus.SETTLEABLE, Answer.REVEALED, Finding.RESULT, Step.SETTLE),
    ],
)
def test_next_step__on_the_panel(status: JobStatus, answer: Answer, found: Finding, step: Step) -> None:
    assert next_step(job(status, answer), REQUEST, found, RULES, MEMBERS, DRAWN, DRAWN + 1) is step


@pytest.mark.parametrize("status", [JobStatus.COMMITTING, JobStatus.REVEALING])
def test_next_step__not_on_the_panel__waits(status: JobStatus) -> None:
    view = job(status, me=NodeId(9))

    assert next_step(view, REQUEST, Finding.NOTHING, RULES, MEMBERS, DRAWN, DRAWN + 1) is Step.WAIT


def test_next_step__time_to_draw_is_over__cancels() -> None:
    view = job(JobStatus.REQUESTED)

    assert next_step(view, REQUEST, Finding.NOTHING, RULES, MEMBERS, DRAWN, DRAWN + 59) is Step.DRAW
    assert next_step(view, REQUEST, Finding.NOTHING, RULES, MEMBERS, DRAWN, DRAWN + 60) is Step.CANCEL


@pytest.mark.parametrize("status", [JobStatus.REQUESTED, JobStatus.SETTLEABLE])
def test_next_step__request_unknown__waits_with_what_needs_it(status: JobStatus) -> None:
    assert next_step(job(status), None, Finding.NOTHING, RULES, MEMBERS, DRAWN, DRAWN + 1) is Step.WAIT


def wait(node: int, panel: Sequence[int], members: Collection[int]) -> int:
    """Seconds that a node waits before it settles."""
    rules = NodeRules(NodeId(node), 60, 80, turn_seconds=4.0)
    nodes = tuple(map(NodeId, panel))
    view = Job(JobId(5), JobStatus.SETTLEABLE, bytes(32), DRAWN, 7, nodes, (Answer.REVEALED,) * len(nodes))
    return next(
        seconds
        for seconds in range(100)
        if next_step(view, REQUEST, Finding.NOTHING, rules, list(map(NodeId, members)), DRAWN, DRAWN + seconds)
        is Step.SETTLE
    )


def test_next_step__anybody_may__one_after_the_other_and_the_panel_first() -> None:
    members, panel = range(10, 20), (12, 17, 25)  # 25 has left the committee since

    waits = {node: wait(node, panel, members) for node in (*members, 25)}

    assert sorted(waits.values()) == [4 * turn for turn in range(11)]
    assert {node for node, seconds in waits.items() if seconds < 12} == set(panel)
    # Whoever is neither comes after all of them; and where no committee is known, at once.
    assert wait(99, panel, members) == 44
    assert wait(99, (), ()) == 0


def test_next_step__anybody_may__another_order_for_each_job() -> None:
    rules = [NodeRules(NodeId(node), 60, 80, turn_seconds=1.0) for node in range(10)]
    members = [one.node_id for one in rules]

    first = {job: next(one.node_id for one in rules if not one.wait_for(f"draw:{job}", members)) for job in range(50)}

    assert len(set(first.values())) > 5


def test_terms__encoded_and_back__the_same() -> None:
    assert request_from_bytes(request_to_bytes(REQUEST)) == REQUEST
    assert len(terms_of(REQUEST)) == 32


@pytest.mark.parametrize(
    "data", [b"", bytes(64), request_to_bytes(REQUEST) + bytes(32), request_to_bytes(REQUEST)[:-1]]
)
def test_terms__not_the_encoding__refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        request_from_bytes(data)
