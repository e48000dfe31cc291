"""Follows jobs on chain and does what is to do about each: draws, runs, commits, reveals, settles, cancels.

Every look begins with what the chain says now, so a crash, a lost race or a reorganisation needs no care: what is not
on chain is done again, with the same result. What to do is decided by `storage_agent.state.jobs`.

Transactions and runs go on beside each other, one a job; looking never waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from storage_agent.compute.runs import Runs
from storage_agent.observe import Metrics
from storage_agent.state.jobs import Finding, NodeRules, Step, next_step
from storage_agent.state.terms import request_from_bytes, request_to_bytes
from storage_agent.store.jobs import JobResult, JobStore, OpenJob
from storage_agent.store.outputs import Outputs
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import Answer, Job, JobRequest, JobStatus
from walrus_chain.chain.compute_writer import commitment
from walrus_chain.chain.economy_rejections import SeedTooEarly
from walrus_chain.errors import Bug, NotEnoughGasMoney, Rejected, Retryable, WalrusError
from walrus_chain.types import Address, NodeId

_log = logging.getLogger(__name__)

#: Open jobs that are asked about in one look.
JOBS_A_LOOK: Final = 500
#: Jobs that something is done about at once, runs not counted.
_AT_ONCE: Final = 16
_DOUBLINGS: Final = 5
_FIRST_PAUSE: Final = 2.0
#: Failures in a row after which the operator should know.
_WORRY: Final = 3
_DROPPED_A_LOOK: Final = 16


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there ever were."""

    jobs: int
    triggers: int


class JobSource(Protocol):
    """Whoever knows jobs; `storage_agent.watch.jobs.JobChain` does. All raise what endpoints raise."""

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""

    async def counts(self, at: bytes) -> Counts:
        """How many jobs and triggers there are as of a block."""

    async def jobs(self, numbers: Sequence[int], at: bytes) -> tuple[Job, ...]:
        """Jobs as a block has them, in the order asked."""

    async def terms(self, job: int, digest: bytes, first_block: int) -> JobRequest | None:
        """The terms of a job with that hash, requested near that block or later; none when they are not found."""


class JobHands(Protocol):
    """Whoever sends transactions. What it raises is said in `walrus_chain.chain.sender`."""

    @property
    def address(self) -> Address:
        """The account that pays."""

    async def draw(self, job: int, terms: JobRequest) -> object:
        """Draws the panel."""

    async def commit(self, job: int, place: int, terms: bytes, commitment: bytes) -> object:
        """Commits this node to a result."""

    async def decline(self, job: int, place: int) -> object:
        """Tells that this node does not run a job."""

    async def reveal(self, job: int, place: int, result: bytes, size: int, salt: bytes) -> object:
        """Shows this node's result."""

    async def settle(self, job: int, terms: JobRequest) -> object:
        """Ends a job whose panel is done."""

    async def cancel(self, job: int, terms: JobRequest) -> object:
        """Pays back a job that was not drawn."""


@dataclass(slots=True)
class _Pause:
    """After a failure: how often it failed in a row, and when to try again."""

    attempts: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class FollowSettings:
    """How an agent follows jobs."""

    rules: NodeRules
    at_once: int
    """Runs at once."""
    waiting: int
    """Jobs that wait for a run; more are declined."""
    keep_seconds: float
    """Outputs are kept so long."""
    confirmations: int
    """Blocks after which a job counts as over."""
    poll_seconds: float


class JobFollower:
    """Follows jobs. One an agent."""

    def __init__(
        self,
        settings: FollowSettings,
        source: JobSource,
        hands: JobHands,
        runs: Runs,
        store: JobStore,
        outputs: Outputs,
        members: Callable[[], Collection[NodeId]],
        quiet: Callable[[], bool],
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            members: of the committee, as this node knows it.
            quiet: whether a proof of custody is due, before which nothing is sent that can wait.
        """
        self._settings = settings
        self._source = source
        self._hands = hands
        self._runs = runs
        self._store = store
        self._outputs = outputs
        self._members = members
        self._quiet = quiet
        self._metrics = metrics
        self._sleep = sleep
        self._since: dict[tuple[int, JobStatus], float] = {}
        """When a job was first seen to stand where it does, by the chain's time."""
        self._running: dict[int, asyncio.Task[None]] = {}
        self._acting: dict[int, asyncio.Task[None]] = {}
        self._pauses: dict[tuple[int, Step], _Pause] = {}
        self._problems: dict[Step, str] = {}
        for step in Step:
            metrics.job_steps.labels(step)

    @property
    def problems(self) -> list[str]:
        """What keeps the agent from doing its part, in words."""
        return [f"{step}: {problem}" for step, problem in self._problems.items()]

    async def run(self) -> None:
        """Follow jobs until cancelled."""
        try:
            while True:
                try:
                    await self.look()
                except (WalrusError, TimeoutError) as error:
                    _log.warning("jobs cannot be followed: %s", error)
                await self._sleep(self._settings.poll_seconds)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """End what is under way; it begins anew at the next start."""
        tasks = [*self._running.values(), *self._acting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def wait_idle(self) -> None:
        """Return once nothing is under way that was begun by looks so far."""
        while tasks := [*self._running.values(), *self._acting.values()]:
            await asyncio.gather(*tasks)

    async def look(self) -> None:
        """Look once, and begin what is due.

        Raises: what endpoints raise.
        """
        head = await self._source.head(0)
        counts = await self._source.counts(head.hash)
        await self._store.note_seen(counts.jobs, counts.triggers, head.number)
        rows = self._store.open_jobs(JOBS_A_LOOK)
        views = await self._source.jobs([row.job for row in rows], head.hash) if rows else ()
        self._since = {
            (view.job, view.status): self._since.get((view.job, view.status), float(head.timestamp)) for view in views
        }
        self._metrics.jobs_open.set(sum(view.place_of(self._rules.node_id) is not None for view in views))
        for row, view in zip(rows, views, strict=True):
            # An endpoint may count a job at a block and not find it there, when its chain grows meanwhile.
            if view.status not in (JobStatus.UNKNOWN, JobStatus.OVER):
                await self._consider(row, view, float(head.timestamp))
        await self._forget([view.job for view in views if view.status is JobStatus.OVER])
        await self._drop_outputs(float(head.timestamp))

    @property
    def _rules(self) -> NodeRules:
        return self._settings.rules

    async def _consider(self, row: OpenJob, view: Job, now: float) -> None:
        """Begin what is to do about a job."""
        result = self._store.result(view.job, view.terms)
        await self._note_revealed(view, result)
        terms = await self._terms_of(row, view)
        since = self._since[view.job, view.status]
        requested_at = None if terms is None else terms.since
        step = next_step(view, requested_at, _finding(result), self._rules, self._members(), since, now)
        if step is Step.RUN:
            await self._begin_run(view, terms, now)
            return
        pause = self._pauses.get((view.job, step))
        if step is Step.WAIT or view.job in self._acting or len(self._acting) >= _AT_ONCE:
            return
        if (pause is not None and now < pause.until) or (self._quiet() and step not in _IN_TIME):
            return
        self._start(self._acting, view.job, self._act(step, view, terms, result, now))

    def _start(self, tasks: dict[int, asyncio.Task[None]], job: int, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        tasks[job] = task
        task.add_done_callback(lambda _: tasks.pop(job, None))

    # -- running -----------------------------------------------------------------------------------------------------

    async def _begin_run(self, view: Job, terms: JobRequest | None, now: float) -> None:
        """Run a job now, or leave it for later; give up what comes too late, or is too much."""
        if view.job in self._running:
            return
        until = self._rules.commit_until(view)
        if now >= until:
            await self._runs.give_up(view, "there was no time left to run it")
        elif len(self._running) >= self._settings.at_once + self._settings.waiting:
            await self._runs.give_up(view, "too many jobs wait for this node")
        elif terms is not None:
            self._start(self._running, view.job, self._run(view, terms, until))

    async def _run(self, view: Job, terms: JobRequest, until: float) -> None:
        try:
            await self._runs.find(view, terms, until)
        except WalrusError as error:
            _log.warning("job %d could not be run: %s", view.job, error, extra={"job": view.job})
        except Exception as error:  # noqa: BLE001 - the trace is kept; one job must not end the others
            _log.exception("job %d failed unexpectedly", view.job, extra={"job": view.job})
            await self._runs.give_up(view, f"{type(error).__name__}: {error}")

    async def _terms_of(self, row: OpenJob, view: Job) -> JobRequest | None:
        """The terms of a job; none while no endpoint shows them."""
        if row.terms is not None and row.digest == view.terms:
            return request_from_bytes(row.terms)
        terms = await self._source.terms(view.job, view.terms, row.first_block)
        if terms is None:
            _log.warning("the terms of job %d are not found; looking again", view.job, extra={"job": view.job})
            return None
        await self._store.note_terms(view.job, request_to_bytes(terms), view.terms)
        return terms

    # -- acting ------------------------------------------------------------------------------------------------------

    async def _act(self, step: Step, view: Job, terms: JobRequest | None, result: JobResult | None, now: float) -> None:
        key = (view.job, step)
        try:
            await self._take(step, view, terms, result)
        except SeedTooEarly as error:
            # Who comes first tries at every look; the others' turns count from when it was seen to be too early.
            self._since[view.job, view.status] = now
            _log.debug("%s of job %d: %s", step, view.job, error, extra={"action": step, "job": view.job})
            return
        except Exception as error:  # noqa: BLE001 - logged; one job must not keep others from being done
            pause = self._pauses.setdefault(key, _Pause())
            pause.until = now + _FIRST_PAUSE * 2 ** min(pause.attempts, _DOUBLINGS)
            pause.attempts += 1
            self._note_failure(step, view, pause, error)
            return
        self._pauses.pop(key, None)
        self._problems.pop(step, None)
        self._metrics.job_steps.labels(step).inc()
        _log.info("done on chain", extra={"action": step, "job": view.job})

    async def _take(self, step: Step, view: Job, terms: JobRequest | None, result: JobResult | None) -> None:
        hands, place = self._hands, view.place_of(self._rules.node_id)
        match step:
            case Step.DRAW if terms is not None:
                await hands.draw(view.job, terms)
            case Step.SETTLE if terms is not None:
                await hands.settle(view.job, terms)
            case Step.CANCEL if terms is not None:
                await hands.cancel(view.job, terms)
            case Step.DECLINE if place is not None:
                await hands.decline(view.job, place)
            case Step.COMMIT if place is not None and result is not None and result.result is not None:
                word = commitment(view.job, self._rules.node_id, result.result, result.size, result.salt)
                await hands.commit(view.job, place, view.terms, word)
            case Step.REVEAL if place is not None and result is not None and result.result is not None:
                await hands.reveal(view.job, place, result.result, result.size, result.salt)
                await self._store.note_revealed(view.job, view.terms)
            case _:
                raise Bug(f"{step} of job {view.job} with {result}")

    async def _note_revealed(self, view: Job, result: JobResult | None) -> None:
        """Notice a result that is on chain though the agent was stopped before it could note so."""
        place = view.place_of(self._rules.node_id)
        if place is None or view.answers[place] is not Answer.REVEALED or result is None or result.revealed:
            return
        await self._store.note_revealed(view.job, view.terms)

    def _note_failure(self, step: Step, view: Job, pause: _Pause, error: Exception) -> None:
        fields = {"action": step, "job": view.job}
        if isinstance(error, Rejected | Retryable) and pause.attempts < _WORRY:
            # Another one was first.
            _log.debug("%s of job %d: %s", step, view.job, error, extra=fields)
            return
        self._metrics.job_failures.labels(step).inc()
        if isinstance(error, NotEnoughGasMoney):
            words = f"send the chain's own currency to {self._hands.address}, the node's signing key: {error}"
        else:
            words = str(error) if isinstance(error, WalrusError) else f"{type(error).__name__}: {error}"
        self._problems[step] = words
        trace = None if isinstance(error, WalrusError) else error
        _log.warning("%s of job %d failed: %s", step, view.job, words, extra=fields, exc_info=trace)

    # -- tidying -----------------------------------------------------------------------------------------------------

    async def _forget(self, over: Sequence[int]) -> None:
        """Forget jobs that are over, once they are for good."""
        if not over:
            return
        sure = await self._source.head(self._settings.confirmations)
        views = await self._source.jobs(over, sure.hash)
        for job in [view.job for view in views if view.status is JobStatus.OVER]:
            await self._store.forget(job)
            for key in [key for key in self._pauses if key[0] == job]:
                del self._pauses[key]

    async def _drop_outputs(self, now: float) -> None:
        for old in self._store.results_before(now - self._settings.keep_seconds, _DROPPED_A_LOOK):
            await asyncio.to_thread(self._outputs.drop, old.job, old.digest)
            await self._store.note_gone(old.job, old.digest)


#: What has its time, and so does not wait for a proof of custody.
_IN_TIME: Final = frozenset({Step.COMMIT, Step.DECLINE, Step.REVEAL})


def _finding(result: JobResult | None) -> Finding:
    if result is None:
        return Finding.NOTHING
    return Finding.GIVEN_UP if result.result is None else Finding.RESULT
