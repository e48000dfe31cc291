"""From a job to its result: fetches program and inputs, runs, and keeps what came of it before anybody hears of it.

A result is on the disk, with its salt and its output, before the node commits to it. Whoever asks again for the same
job with the same terms is answered from the disk, so a node that is killed commits to nothing else afterwards.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from storage_agent.compute.inputs import Inputs
from storage_agent.observe import Metrics
from storage_agent.store.jobs import JobResult, JobStore
from storage_agent.store.outputs import Outputs
from walrus_chain.chain.compute_views import ENGINE as ENGINE_NUMBER
from walrus_chain.chain.compute_views import OUTPUT_IN_CLEAR, Job, JobOrder, JobRequest
from walrus_chain.compute.abi import ENGINE
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.crypto.outputs import seal_output
from walrus_chain.errors import MalformedKey, Retryable, WalrusError
from walrus_chain.sandbox.runner import InputSource
from walrus_chain.types import NodeId, Wei

_log = logging.getLogger(__name__)

_SALT_BYTES: Final = 32
#: Between two attempts to get what a run needs.
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 15.0
#: Runs of one job that may come to no binding end.
_CRASHES: Final = 3


class Machine(Protocol):
    """Whoever runs programs; `storage_agent.compute.places.Places` does."""

    async def run(self, engine: str, run: Run, inputs: Sequence[InputSource]) -> Outcome:
        """How a run ended here."""


class NotRun(Retryable):
    """A run came to no end here that binds anybody."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"the run came to no binding end here: {outcome.ending.words}: {outcome.message}")
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class RunRules:
    """What a node takes on."""

    node_id: NodeId
    minimum_fee: Wei
    """For one node; jobs that pay less are declined."""
    at_once: int
    """Runs at once, and inputs that are opened for them."""


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

    async def find(self, view: Job, terms: JobRequest, until: float) -> JobResult:
        """What this node has to say about a job; durable on return, and the same whenever it is asked.

        Args:
            until: when it must be known, by `clock`; a run that takes longer is given up.
        """
        known = self._store.result(view.job, view.terms)
        if known is not None:
            return known
        if (why := self._refusal(terms)) is not None:
            return await self.give_up(view, why)
        began = self._clock()
        outcome = await self._ending(view, terms, until)
        if isinstance(outcome, str):
            return await self.give_up(view, outcome)
        self._metrics.job_seconds.observe(self._clock() - began)
        return await self._keep(view, terms, outcome)

    async def _ending(self, view: Job, terms: JobRequest, until: float) -> Outcome | str:
        """How the run ended, binding for all; or why it did not."""
        pause, crashes = _FIRST_PAUSE_SECONDS, 0
        while True:
            try:
                async with asyncio.timeout(max(0.0, until - self._clock())), self._places:
                    return await self._run(view, terms)
            except TimeoutError:
                return "it takes longer than there is time"
            except NotRun as error:
                crashes += 1
                if error.outcome.ending is Ending.TIMED_OUT or crashes == _CRASHES:
                    return str(error)
                why = str(error)
            except Retryable as error:
                why = str(error)
            except (WalrusError, OSError) as error:
                return str(error)
            _log.warning("job %d cannot be run yet: %s", view.job, why, extra={"job": view.job})
            if self._clock() + pause >= until:
                return why
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def give_up(self, view: Job, why: str) -> JobResult:
        """Note that this node has no result, unless it has one; durable on return."""
        _log.warning("job %d is declined: %s", view.job, why, extra={"job": view.job})
        found = JobResult(view.job, view.terms, None, 0, b"", why, False, self._clock(), gone=True)
        return await self._store.add_result(found)

    def _refusal(self, terms: JobRequest) -> str | None:
        """Why the node does not take a job on; none when it does."""
        order = terms.order
        if self._machine is None:
            return "this node computes for nobody (compute.enabled)"
        if order.engine != ENGINE_NUMBER:
            return f"it is for engine {order.engine}, this is {ENGINE_NUMBER} ({ENGINE})"
        if order.fee // order.replicas < self._rules.minimum_fee:
            return f"it pays {order.fee // order.replicas} wei, {self._rules.minimum_fee} are wanted"
        return None

    async def _run(self, view: Job, terms: JobRequest) -> Outcome:
        """How the run ended, binding for all.

        Raises: NotRun; and what `Inputs` raises.
        """
        assert self._machine is not None
        order = terms.order
        program = await self._inputs.program(order.program)
        if program is None:
            return Outcome(Ending.UNFIT_PROGRAM, message="it is too long")
        inputs = await self._inputs.open(view, terms)
        run = Run(program, order.arguments, order.fuel, order.output_limit)
        outcome = await self._machine.run(ENGINE, run, inputs)
        if not outcome.ending.is_binding:
            raise NotRun(outcome)
        return outcome

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


def _is_sealed(order: JobOrder) -> bool:
    """Whether the output is for the requester alone."""
    return order.encryption_key != OUTPUT_IN_CLEAR
