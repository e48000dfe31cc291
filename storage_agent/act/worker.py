"""Does the catalogue's work: each piece once at a time, failures later again, nothing forgotten.

Work is a list in the catalogue that is derived from how things are, so doing a piece twice, or stopping in the middle,
does no harm: what was done does not come up again, what was not done does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.packs import Packs
from storage_agent.store.rows import Work
from walrus_chain.errors import Retryable, WalrusError
from walrus_chain.types import BlobId

_log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 3600.0

#: Does a piece of work; raises when it could not.
Handler = Callable[[Work], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Job:
    """How one kind of work is done."""

    handler: Handler
    at_once: int
    """Most pieces under way at the same time."""


def standard_jobs(packs: Packs, heal: Callable[[BlobId], Awaitable[object]], heal_at_once: int) -> dict[WorkKind, Job]:
    """How each kind of work is done: healing by `heal`, the rest by the packs themselves."""

    async def heal_blob(work: Work) -> None:
        assert work.blob_id is not None
        await heal(work.blob_id)

    async def free_blob(work: Work) -> None:
        assert work.blob_id is not None
        await packs.free(work.blob_id)

    async def trim_blob(work: Work) -> None:
        assert work.blob_id is not None
        await packs.trim(work.blob_id)

    async def collect(_work: Work) -> None:
        await packs.collect()

    return {
        WorkKind.HEAL: Job(heal_blob, heal_at_once),
        WorkKind.FREE: Job(free_blob, 1),
        WorkKind.TRIM: Job(trim_blob, 1),
        WorkKind.COLLECT: Job(collect, 1),
    }


class Worker:
    """Does work as it becomes due."""

    def __init__(
        self,
        catalogue: Catalogue,
        jobs: Mapping[WorkKind, Job],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            jobs: how each kind of work is done; other kinds stay on the list.
            clock: the catalogue's clock, seconds since 1970.
        """
        self._catalogue = catalogue
        self._jobs = jobs
        self._clock = clock
        self._sleep = sleep
        self._wake = {kind: asyncio.Event() for kind in jobs}
        self._under_way: dict[WorkKind, set[BlobId | None]] = {kind: set() for kind in jobs}
        catalogue.on_work(self._wake_all)

    async def run(self) -> None:
        """Do work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for kind in self._jobs:
                group.create_task(self._dispatch(kind))

    async def _dispatch(self, kind: WorkKind) -> None:
        wake, under_way, at_once = self._wake[kind], self._under_way[kind], self._jobs[kind].at_once
        async with asyncio.TaskGroup() as group:
            while True:
                wake.clear()
                now = self._clock()
                due = self._catalogue.due(kind, now, limit=at_once + len(under_way))
                fresh = [work for work in due if work.blob_id not in under_way]
                for work in fresh[: at_once - len(under_way)]:
                    under_way.add(work.blob_id)
                    group.create_task(self._perform(work))
                if len(under_way) < at_once:
                    await self._wait(wake, self._catalogue.next_work_after(kind, now))
                else:
                    await wake.wait()

    async def _wait(self, wake: asyncio.Event, until: float | None) -> None:
        try:
            async with asyncio.timeout(None if until is None else max(0.0, until - self._clock())):
                await wake.wait()
        except TimeoutError:
            return

    async def _perform(self, work: Work) -> None:
        """Does one piece. It leaves the list by its effect; what is still on the list afterwards waits for its turn."""
        try:
            problem = await self._attempt(work)
            pause = pause_after(work.attempts)
            try:
                await self._catalogue.postpone(work, pause, problem)
            except Retryable as error:
                _log.warning("%s cannot be postponed, waiting %.0f s: %s", _name(work), pause, error)
                await self._sleep(pause)
        finally:
            self._under_way[work.kind].discard(work.blob_id)
            self._wake[work.kind].set()

    async def _attempt(self, work: Work) -> str:
        """Does the work; what to say of it, should it still be to do."""
        try:
            await self._jobs[work.kind].handler(work)
        except WalrusError as error:
            _log.warning("%s failed (attempt %d): %s", _name(work), work.attempts + 1, error)
            return str(error)
        except Exception as error:  # noqa: BLE001 - the trace is kept; one blob must not keep others from being healed
            _log.exception("%s failed unexpectedly", _name(work))
            return f"{type(error).__name__}: {error}"
        return "what was done did not suffice"

    def _wake_all(self) -> None:
        for wake in self._wake.values():
            wake.set()


def _name(work: Work) -> str:
    return work.kind.value if work.blob_id is None else f"{work.kind.value} {work.blob_id}"


def pause_after(failures: int) -> float:
    """Seconds until work that failed `failures` times before is tried again."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(failures, 16)))
