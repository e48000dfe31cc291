"""From a job to its result: fetches program and inputs, runs, and keeps what came of it before anybody hears of it.

A result is on the disk, with its salt and its output, before the node commits to it. Whoever asks again for the same
job with the same terms is answered from the disk, so a node that is killed commits to nothing else afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from storage_agent.compute.inputs import Inputs
from storage_agent.observe import Metrics
from storage_agent.store.jobs import JobResult, JobStore
from storage_agent.store.outputs import Outputs
from walrus_chain.chain.compute_views import ENGINE as ENGINE_NUMBER
from walrus_chain.chain.compute_views import OUTPUT_IN_CLEAR, Job, JobOrder, JobRequest
from walrus_chain.compute.abi import ENGINE
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.crypto.outputs import seal_output
from walrus_chain.errors import (
    BlockUnknown,
    MalformedKey,
    Retryable,
    RpcRefused,
    RpcUnavailable,
    RunnerBusy,
    WalrusError,
)
from walrus_chain.sandbox.runner import InputSource
from walrus_chain.types import NodeId, Wei

T = TypeVar("T")

_log = logging.getLogger(__name__)

_SALT_BYTES: Final = 32
#: Between two attempts, when this machine or the chain's endpoints failed.
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 15.0
#: Runs of one job that may come to no binding end.
_CRASHES: Final = 3
#: That the program of one job may take to come, and each input, and no more than this part of the time there is. Orders
#: may name what does not exist, and while such a job is tried, others wait.
_PATIENCE_SECONDS: Final = 30.0
_PATIENCE_PART: Final = 10
#: Between two attempts to get them, as parts of it; after the last they are not to be had.
_PATIENCE_PAUSES: Final = (1 / 8, 1 / 4, 1 / 2)
#: What tells nothing about a job: it is tried again as long as there is time.
_OUTAGES: Final = (RpcUnavailable, RpcRefused, BlockUnknown, RunnerBusy, TimeoutError)


class Machine(Protocol):
    """Whoever runs programs; `storage_agent.compute.places.Places` does."""

    async def run(self, engine: str, run: Run, inputs: Sequence[InputSource]) -> Outcome:
        """How a run ended here."""


class NotRun(Retryable):
    """A run came to no end here that binds anybody."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"the run came to no binding end here: {outcome.ending.words}: {outcome.message}")
        self.outcome = outcome


class _Declined(Exception):
    """The node does not run a job; says why."""


@dataclass(slots=True)
class _Fetching:
    """How long program and inputs of one job are waited for."""

    patience: float
    """In seconds, for each."""
    seconds: float = field(init=False)
    """What is left of it for the program, in all attempts together."""
    failures: int = 0

    def __post_init__(self) -> None:
        self.seconds = self.patience

    def next_pause(self) -> float | None:
        """Seconds until the next attempt, after one that failed; none when it was the last."""
        self.failures += 1
        if self.seconds <= 0 or self.failures > len(_PATIENCE_PAUSES):
            return None
        return self.patience * _PATIENCE_PAUSES[self.failures - 1]


@dataclass(frozen=True, slots=True)
class RunRules:
    """What a node takes on."""

    node_id: NodeId
    minimum_fee: Wei
    """For one node; jobs that pay less are declined."""
    at_once: int
    """Runs at once, and inputs that are opened for them."""
    most_fuel: int
    """Jobs that may use more are declined."""
    fuel_per_second: float
    """What this machine burns; jobs that may use more than there is time for are declined."""
    output_bytes: int
    """Of all outputs that are kept; what would go beyond is declined."""


class Runs:
    """Finds the results of jobs. One an agent."""

    def __init__(
        self,
        rules: RunRules,
        machine: Machine | None,
        inputs: Inputs,
        store: JobStore,
        outputs: Outputs,
        metrics: Metrics,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            machine: none where this node computes for nobody: then every job is declined.
            clock: seconds since 1970, not before the newest block that was seen.
            random: gives as many unpredictable bytes as it is asked for.
        """
        self._rules = rules
        self._machine = machine
        self._inputs = inputs
        self._store = store
        self._outputs = outputs
        self._metrics = metrics
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self._places = asyncio.Semaphore(rules.at_once)
        self._promised: dict[int, int] = {}
        """The longest outputs that jobs under way may have, by job."""

    async def find(self, view: Job, terms: JobRequest, until: float) -> JobResult:
        """What this node has to say about a job; durable on return, and the same whenever it is asked.

        Args:
            until: when it must be known, by `clock`; a run that takes longer is given up.
        """
        known = self._store.result(view.job, view.terms)
        if known is not None:
            return known
        if (why := self._refusal(terms, until)) is not None:
            return await self.give_up(view, why)
        began = self._clock()
        try:
            outcome = await self._ending(view, terms, until)
            if isinstance(outcome, str):
                return await self.give_up(view, outcome)
            self._metrics.job_seconds.observe(self._clock() - began)
            return await self._keep(view, terms, outcome)
        finally:
            self._promised.pop(view.job, None)

    async def _ending(self, view: Job, terms: JobRequest, until: float) -> Outcome | str:
        """How the run ended, binding for all; or why it did not.

        Places are held while something is fetched or run, not between attempts.
        """
        fetching = _Fetching(min(_PATIENCE_SECONDS, (until - self._clock()) / _PATIENCE_PART))
        pause, crashes = _FIRST_PAUSE_SECONDS, 0
        while True:
            limit = asyncio.timeout(max(0.0, until - self._clock()))
            try:
                async with limit, self._places:
                    return await self._run(view, terms, fetching, until)
            except _Declined as error:
                return str(error)
            except _OUTAGES as error:
                if limit.expired():
                    return "it takes longer than there is time"
                why, wait = str(error) or type(error).__name__, pause
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            except (NotRun, OSError) as error:
                # An OSError: the machine is short of memory or processes now, or cannot start any at all.
                crashes += 1
                timed_out = isinstance(error, NotRun) and error.outcome.ending is Ending.TIMED_OUT
                if timed_out or crashes == _CRASHES:
                    return str(error)
                why, wait = str(error), pause
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            except Retryable as error:
                if (soon := fetching.next_pause()) is None:
                    return str(error)
                why, wait = str(error), soon
            except WalrusError as error:
                return str(error)
            _log.warning("job %d cannot be run yet: %s", view.job, why, extra={"job": view.job})
            self._promised.pop(view.job, None)
            if self._clock() + wait >= until:
                return why
            await self._sleep(wait)

    async def give_up(self, view: Job, why: str) -> JobResult:
        """Note that this node has no result, unless it has one; durable on return."""
        _log.warning("job %d is declined: %s", view.job, why, extra={"job": view.job})
        found = JobResult(view.job, view.terms, None, 0, b"", why, False, self._clock(), gone=True)
        return await self._store.add_result(found)

    def _refusal(self, terms: JobRequest, until: float) -> str | None:
        """Why the node does not take a job on; none when it does."""
        order = terms.order
        if self._machine is None:
            return "this node computes for nobody (compute.enabled)"
        if order.engine != ENGINE_NUMBER:
            return f"it is for engine {order.engine}, this is {ENGINE_NUMBER} ({ENGINE})"
        if order.fee // order.replicas < self._rules.minimum_fee:
            return f"it pays {order.fee // order.replicas} wei, {self._rules.minimum_fee} are wanted"
        if order.fuel > self._rules.most_fuel:
            return f"it may use {order.fuel} units of fuel, {self._rules.most_fuel} are the most (compute.most_fuel)"
        try:
            self._check_time(order, until)
        except _Declined as error:
            return str(error)
        return None

    async def _run(self, view: Job, terms: JobRequest, fetching: _Fetching, until: float) -> Outcome:
        """How the run ended, binding for all.

        Raises: NotRun, _Declined; and what `Inputs` raises.
        """
        assert self._machine is not None
        order = terms.order
        self._check_time(order, until)
        await self._make_room(view, order)
        program, inputs = await self._fetch(view, terms, fetching)
        if program is None:
            return Outcome(Ending.UNFIT_PROGRAM, message="it is too long")
        self._check_time(order, until)
        run = Run(program, order.arguments, order.fuel, order.output_limit)
        outcome = await self._machine.run(ENGINE, run, inputs)
        if not outcome.ending.is_binding:
            raise NotRun(outcome)
        return outcome

    def _check_time(self, order: JobOrder, until: float) -> None:
        """Accept a job that can end in time, whatever its program does.

        Raises: _Declined.
        """
        needed, left = order.fuel / self._rules.fuel_per_second, until - self._clock()
        if needed > left:
            raise _Declined(f"it may take {needed:.0f} seconds, there are {max(0.0, left):.0f}")

    async def _fetch(self, view: Job, terms: JobRequest, fetching: _Fetching) -> tuple[bytes | None, list[InputSource]]:
        """Program and inputs; no program when it is too long.

        Raises: _Declined: they take too long; and what `Inputs` raises.
        """
        began = self._clock()
        try:
            program = await _within(fetching.seconds, self._inputs.program(terms.order.program))
        finally:
            fetching.seconds -= self._clock() - began
        if program is None:
            return None, []
        patience = fetching.patience * len(terms.order.inputs)
        return program, await _within(patience, self._inputs.open(view, terms))

    async def _make_room(self, view: Job, order: JobOrder) -> None:
        """See to it that the output can be kept, whatever its length; older outputs of jobs that are over go for it.

        Raises: _Declined.
        """
        self._promised[view.job] = order.output_limit
        promised = sum(self._promised.values())
        while True:
            free = await asyncio.to_thread(self._outputs.free_bytes)
            missing = max(self._store.kept_bytes() + promised - self._rules.output_bytes, promised - free)
            if missing <= 0:
                return
            dropped = self._store.droppable(missing)
            if not dropped:
                raise _Declined(f"there is no room for its output, {missing} bytes are missing (compute.output_bytes)")
            for old in dropped:
                await asyncio.to_thread(self._outputs.drop, old.job, old.digest)
                await self._store.note_gone(old.job, old.digest)

    async def _keep(self, view: Job, terms: JobRequest, outcome: Outcome) -> JobResult:
        """Keep a result: its output first, then the row that counts."""
        output, order = outcome.output, terms.order
        if _is_sealed(order):
            try:
                output = await asyncio.to_thread(
                    seal_output, order.encryption_key, view.job, self._rules.node_id, output, self._random
                )
            except MalformedKey as error:
                return await self.give_up(view, str(error))
        try:
            await asyncio.to_thread(self._outputs.keep, view.job, view.terms, output)
        except OSError as error:
            return await self.give_up(view, f"the output cannot be kept: {error}")
        found = JobResult(
            job=view.job,
            digest=view.terms,
            result=outcome.result_hash,
            size=len(outcome.output),
            salt=self._random(_SALT_BYTES),
            why=outcome.ending.words,
            sealed=_is_sealed(order),
            found_at=self._clock(),
        )
        kept = await self._store.add_result(found)
        fields = {"job": view.job, "ending": outcome.ending.words, "fuel": outcome.fuel_used}
        _log.info("a job was run", extra=fields)
        self._metrics.jobs_run.labels(outcome.ending.words).inc()
        return kept


async def _within(seconds: float, fetched: Awaitable[T]) -> T:
    """What is fetched.

    Raises: _Declined: it takes longer.
    """
    limit = asyncio.timeout(max(0.0, seconds))
    try:
        async with limit:
            return await fetched
    except TimeoutError:
        if not limit.expired():
            raise
        raise _Declined(f"program or inputs did not come within {max(0.0, seconds):.1f} seconds") from None


def _is_sealed(order: JobOrder) -> bool:
    """Whether the output is for the requester alone."""
    return order.encryption_key != OUTPUT_IN_CLEAR
