"""How many programs this node runs at once, and how long each may take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from walrus_chain.compute.run import Outcome, Run, check_engine
from walrus_chain.errors import Misuse, RunnerBusy
from walrus_chain.sandbox.runner import InputSource, check_installation, check_machine, run_program
from walrus_chain.sandbox.selftest import check_results


@dataclass(frozen=True, slots=True)
class ComputeLimits:
    """How much this node computes for others."""

    at_once: int = 1
    """Programs that run at the same time; each takes one core and up to 1.5 GiB, beside what its inputs take."""
    waiting: int = 64
    """Runs that wait for a place; more are turned away."""
    wall_seconds: float = 900.0
    """The longest run, its inputs' fetching included."""


async def unfit_to_compute() -> str | None:
    """Why this machine cannot answer jobs; none when it can. Runs a program to see that it does."""
    try:
        check_installation()
        check_machine()
        await check_results()
    except Misuse as error:
        return str(error)
    return None


class Places:
    """Where runs wait for their turn. A run that is cancelled gives its place back, and its process is killed."""

    def __init__(self, limits: ComputeLimits) -> None:
        """Raises: EngineMissing, OtherEngine, UnfitMachine: this node cannot answer jobs."""
        check_installation()
        check_machine()
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)
        self._running = self._waiting = 0

    async def run(self, engine: str, run: Run, inputs: Sequence[InputSource]) -> Outcome:
        """How a job's run ended here.

        Args:
            engine: what the job names.
        Raises: OtherEngine: another one than ours. RunnerBusy: too many wait. MalformedRun: too many inputs.
        """
        check_engine(engine)
        if self._waiting >= self._limits.waiting:
            raise RunnerBusy(self._running, self._waiting)
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        self._running += 1
        try:
            return await run_program(run, inputs, wall_seconds=self._limits.wall_seconds)
        finally:
            self._running -= 1
            self._places.release()
