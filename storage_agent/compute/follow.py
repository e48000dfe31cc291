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
from typing import Final, Protocol, TypeVar

from storage_agent.compute.runs import Runs
from storage_agent.observe import Metrics
from storage_agent.state.jobs import Finding, NodeRules, Step, next_step
from storage_agent.state.terms import request_from_bytes, request_to_bytes
from storage_agent.store.jobs import JobResult, JobStore, OpenJob
from storage_agent.store.outputs import Outputs
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import Job, JobRequest, JobStatus
from walrus_chain.chain.compute_writer import commitment
from walrus_chain.chain.economy_rejections import SeedTooEarly
from walrus_chain.errors import Bug, NotEnoughGasMoney, Rejected, Retryable, WalrusError
from walrus_chain.types import Address, NodeId

_log = logging.getLogger(__name__)

K = TypeVar("K")

#: Open jobs that are taken from the disk, and asked about, at once.
JOBS_A_PAGE: Final = 500
#: Things that are done about jobs at once, beyond which only those begin that have their time. Runs are not counted.
_AT_ONCE: Final = 16
#: Jobs that run elsewhere are looked at so often while they may be committed to.
_RESTS: Final = 10
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

    async def agreeing(self, job: int, first_block: int) -> frozenset[NodeId] | None:
        """The nodes whose result of a job counts, requested near that block or later; empty where no result does, none
        while no endpoint shows how it ended."""


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
        self._acting: dict[tuple[int, Step], asyncio.Task[None]] = {}
        self._rests: dict[int, float] = {}
        """Jobs of others, and when they are looked at again."""
        self._failed: set[tuple[int, bytes]] = set()
        """Jobs, with the hash of their terms, that this node gives up, whether or not that could be written down."""
        self._uncounted: set[int] = set()
        """Jobs that are over and have another result than this node's."""
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
        now = float(head.timestamp)
        await self._note_seen(await self._source.counts(head.hash), head)
        here, mine, after = set(), 0, 0
        while page := self._store.open_jobs(JOBS_A_PAGE, after):
            after = page[-1].job
            rows = [row for row in page if self._rests.get(row.job, 0.0) <= now]
            views = await self._source.jobs([row.job for row in rows], head.hash) if rows else ()
            for row, view in zip(rows, views, strict=True):
                here.add((view.job, view.status))
                self._since.setdefault((view.job, view.status), now)
                mine += view.place_of(self._rules.node_id) is not None
                await self._try_considering(row, view, now)
            await self._forget([row for row, view in zip(rows, views, strict=True) if view.status is JobStatus.OVER])
        self._since = {key: since for key, since in self._since.items() if key in here}
        self._rests = {job: until for job, until in self._rests.items() if until > now}
        self._metrics.jobs_open.set(mine)
        await self._drop_outputs(now)

    async def _note_seen(self, counts: Counts, head: BlockRef) -> None:
        """Note which jobs there are. Those that are known are seen to also when nothing can be written any more."""
        try:
            await self._store.note_seen(counts.jobs, counts.triggers, head.number)
        except WalrusError as error:
            _log.error("new jobs cannot be noted: %s", error)

    @property
    def _rules(self) -> NodeRules:
        return self._settings.rules

    async def _try_considering(self, row: OpenJob, view: Job, now: float) -> None:
        """Begin what is to do about a job. Trouble with one does not keep others from being done."""
        if view.status is JobStatus.UNKNOWN:
            # An endpoint may count a job at a block and not find it there, when its chain grows meanwhile.
            return
        try:
            if view.status is JobStatus.OVER:
                await self._note_counted(row)
            else:
                await self._consider(row, view, now)
        except (WalrusError, TimeoutError) as error:
            _log.warning("job %d cannot be followed: %s", view.job, error, extra={"job": view.job})

    async def _consider(self, row: OpenJob, view: Job, now: float) -> None:
        """Begin what is to do about a job."""
        if view.nodes and view.place_of(self._rules.node_id) is None and view.status is not JobStatus.SETTLEABLE:
            # Others are at work; a reorganisation may draw this node after all.
            self._rests[view.job] = now + self._rules.commit_seconds / _RESTS
            return
        result = self._store.result(view.job, view.terms)
        terms = await self._terms_of(row, view)
        since = self._since[view.job, view.status]
        step = next_step(view, terms, self._finding(view, result), self._rules, self._members(), since, now)
        if step is Step.RUN:
            await self._begin_run(view, terms, now)
            return
        pause, is_urgent = self._pauses.get((view.job, step)), step in _IN_TIME
        if step is Step.WAIT or (view.job, step) in self._acting or (pause is not None and now < pause.until):
            return
        if not is_urgent and (self._quiet() or len(self._acting) >= _AT_ONCE):
            return
        self._start(self._acting, (view.job, step), self._act(step, view, terms, result, now))

    def _finding(self, view: Job, result: JobResult | None) -> Finding:
        if result is None:
            return Finding.GIVEN_UP if (view.job, view.terms) in self._failed else Finding.NOTHING
        return Finding.GIVEN_UP if result.result is None else Finding.RESULT

    def _start(self, tasks: dict[K, asyncio.Task[None]], key: K, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        tasks[key] = task
        task.add_done_callback(lambda _: tasks.pop(key, None))

    # -- running -----------------------------------------------------------------------------------------------------

    async def _begin_run(self, view: Job, terms: JobRequest | None, now: float) -> None:
        """Run a job now, or leave it for later; give up what comes too late, or is too much."""
        if view.job in self._running:
            return
        until = self._rules.commit_until(view)
        if now >= until:
            await self._give_up(view, "there was no time left to run it")
        elif len(self._running) >= self._settings.at_once + self._settings.waiting:
            await self._give_up(view, "too many jobs wait for this node")
        elif terms is not None:
            self._start(self._running, view.job, self._run(view, terms, until))

    async def _run(self, view: Job, terms: JobRequest, until: float) -> None:
        try:
            await self._runs.find(view, terms, until)
        except WalrusError as error:
            _log.warning("job %d could not be run: %s", view.job, error, extra={"job": view.job})
            self._failed.add((view.job, view.terms))
        except Exception as error:  # noqa: BLE001 - the trace is kept; one job must not end the others
            _log.exception("job %d failed unexpectedly", view.job, extra={"job": view.job})
            await self._give_up(view, f"{type(error).__name__}: {error}")

    async def _give_up(self, view: Job, why: str) -> None:
        """Have a job declined; also when that cannot be written down."""
        self._failed.add((view.job, view.terms))
        try:
            await self._runs.give_up(view, why)
        except WalrusError as error:
            _log.error("that job %d is given up cannot be noted: %s", view.job, error, extra={"job": view.job})

    async def _terms_of(self, row: OpenJob, view: Job) -> JobRequest | None:
        """The terms of a job; none while no endpoint shows them."""
        if row.terms is not None and row.digest == view.terms:
            return request_from_bytes(row.terms)
        terms = await self._source.terms(view.job, view.terms, row.first_block)
        if terms is None:
            _log.warning("the terms of job %d are not found; looking again", view.job, extra={"job": view.job})
            return None
        try:
            await self._store.note_terms(view.job, request_to_bytes(terms), view.terms)
        except WalrusError as error:
            _log.error("the terms of job %d cannot be noted: %s", view.job, error, extra={"job": view.job})
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
            case _:
                raise Bug(f"{step} of job {view.job} with {result}")

    async def _note_counted(self, row: OpenJob) -> None:
        """Have the output of a job served that is over, if this node's result counts."""
        if row.digest is None or row.job in self._uncounted:
            return
        result = self._store.result(row.job, row.digest)
        if result is None or result.result is None or result.counted:
            return
        agreeing = await self._source.agreeing(row.job, row.first_block)
        if agreeing is None:
            return
        if self._rules.node_id in agreeing:
            await self._store.note_counted(row.job, row.digest)
        else:
            self._uncounted.add(row.job)

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

    async def _forget(self, over: Sequence[OpenJob]) -> None:
        """Forget jobs that are over, once they are for good."""
        if not over:
            return
        sure = await self._source.head(self._settings.confirmations)
        views = await self._source.jobs([row.job for row in over], sure.hash)
        for job in [view.job for view in views if view.status is JobStatus.OVER]:
            await self._store.forget(job)
            self._uncounted.discard(job)
            self._failed = {key for key in self._failed if key[0] != job}
            self._pauses = {key: pause for key, pause in self._pauses.items() if key[0] != job}

    async def _drop_outputs(self, now: float) -> None:
        for old in self._store.results_before(now - self._settings.keep_seconds, _DROPPED_A_LOOK):
            await asyncio.to_thread(self._outputs.drop, old.job, old.digest)
            await self._store.note_gone(old.job, old.digest)


#: What has its time, and so does not wait for a proof of custody.
_IN_TIME: Final = frozenset({Step.COMMIT, Step.DECLINE, Step.REVEAL})
