"""Drives reads: asks agents by the plans of `plan_read`, verifies before decoding, hands the bytes out in order.

A segment's rows go out as soon as they and all before them verified, so the first bytes are there long before the
segment is; while one segment goes out the next is fetched. Slow agents are overtaken, lying ones named and avoided.

Shards may move to other nodes while a read goes on. When agents say so, or too few have what is asked for, the chain is
asked for the committee, and the read goes on with that.

Source: docs/guides/reading.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

from walrus_chain.client.plan_read import (
    Fetch,
    PartOfSegment,
    Quota,
    SegmentPlan,
    WholeSegment,
    others_for_run,
    plan_blob,
    sliver_for_run,
)
from walrus_chain.client.plan_store import MISDIRECTED
from walrus_chain.client.reputation import Reputation, Suspect
from walrus_chain.client.results import Check, ReadSummary
from walrus_chain.client.threads import INLINE_BYTES, in_coder, in_thread
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.decoder import SegmentDecoder
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.ranges import RowRun, extract, rebuild_run, verify_row_run
from walrus_chain.codec.verify import check_strict
from walrus_chain.errors import (
    AgentRefused,
    BlobUnreachable,
    Bug,
    MalformedMetadata,
    Rejected,
    Retryable,
    Untrusted,
    WalrusError,
)
from walrus_chain.rules.committee import Committee
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Axis, BlobId, PairIndex

#: Pauses between the rounds in which all agents are asked again before a read is given up, in seconds.
_ROUNDS = (0.1, 0.4, 1.0)

#: With these an agent says that it does not have what it is asked for.
_NOT_HERE = frozenset({404, 421})
#: The first row of a read is asked for alone, where rows are longer than this, and for at most so many seconds.
_LEAD_BYTES = 256 * 1024
_LEAD_SECONDS = 0.05
#: How often the patience with slow agents doubles at most.
_MOST_DOUBLINGS = 6

T = TypeVar("T")


class Plan(Protocol):
    """What `_Reading.pursue` drives: `Quota` and `SegmentPlan`."""

    @property
    def complete(self) -> bool:
        """Whether enough arrived."""

    def next(self) -> list[Fetch]:
        """What to ask for now."""

    def overtake(self, fetch: Fetch) -> None:
        """An answer is slow; ask somebody else too."""

    def arrived(self, fetch: Fetch) -> None:
        """An answer came and verified."""

    def failed(self, fetch: Fetch) -> None:
        """No answer will come."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadContext:
    """Whom a read can ask, and what is thought of them."""

    committee: Committee
    agents: Sequence[AgentClient]
    """By member index; after the members those that are leaving (`Committee.leaving`)."""
    reputation: Reputation
    """Of agents by their place in `agents`."""

    def holders(self, blob_id: BlobId) -> list[tuple[int, ...]]:
        """For each pair of a blob the places of the agents that may have it, who serves its shard first."""
        committee = self.committee
        places = {member.node_id: place for place, member in enumerate((*committee.members, *committee.leaving))}
        return [
            tuple(places[member.node_id] for member in committee.holders_of_pair(blob_id, PairIndex(pair)))
            for pair in range(committee.shards)
        ]


#: The context after the one given turned out to be stale; the same one when the chain says that nothing changed.
Renew: TypeAlias = "Callable[[ReadContext], Awaitable[ReadContext]]"


class BlobReader:
    """The bytes `[start, stop)` of a blob, as an asynchronous iterator of pieces.

    Use it in `async with`, or iterate to the end: leaving it half-way without closing keeps requests open.
    """

    def __init__(
        self,
        resolve: Callable[[], Awaitable[BlobId]],
        context: Callable[[], Awaitable[ReadContext]],
        renew: Renew,
        explain: Callable[[BlobUnreachable], Awaitable[WalrusError]],
        start: int = 0,
        stop: int | None = None,
        check: Check = Check.DEFAULT,
    ) -> None:
        """
        Args:
            resolve: which blob is meant.
            explain: what to raise when no agent has the blob; may ask the chain.
            stop: one past the last byte; None for the blob's end.
        """
        self.blob_id: BlobId | None = None
        """None until the first piece is there."""
        self.size: int | None = None
        """Bytes of the whole blob; None until the first piece is there."""
        self.read = 0
        """Bytes handed out so far."""
        self._resolve, self._make_context, self._renew, self._explain = resolve, context, renew, explain
        self._start, self._stop, self._check = start, stop, check
        self._suspects: dict[str, Suspect] = {}
        self._pieces = self._iterate()

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """Agents that sent something that does not verify during this read."""
        return tuple(self._suspects.values())

    @property
    def summary(self) -> ReadSummary:
        """What can be said of the read when it is over."""
        if self.blob_id is None:
            raise Bug("a read was asked for its summary before it began")
        return ReadSummary(self.blob_id, self.read, self.suspects)

    def __aiter__(self) -> AsyncIterator[Buffer]:
        return self

    async def __anext__(self) -> Buffer:
        piece = await anext(self._pieces)
        self.read += len(piece)
        return piece

    async def __aenter__(self) -> BlobReader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the read; requests under way are dropped."""
        await self._pieces.aclose()

    async def _iterate(self) -> AsyncGenerator[Buffer, None]:
        self.blob_id = await self._resolve()
        context = await self._make_context()
        reading = _Reading(context, self._renew, self.blob_id, self._check, self._suspects)
        try:
            metadata = await reading.metadata()
        except BlobUnreachable as error:
            raise await self._explain(error) from error
        self.size = metadata.size
        stop = metadata.size if self._stop is None else self._stop
        steps = plan_blob(metadata.geometry, self._start, stop, only_whole=self._check is Check.STRICT)
        feed = _Feed()
        fetching = asyncio.create_task(feed.run(partial(reading.step, metadata, step, feed.put) for step in steps))
        try:
            async with aclosing(feed.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await _cancel([fetching])


class _Feed:
    """Pieces from the task that fetches segments to the one that hands them out."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Buffer | _Mark | Exception] = asyncio.Queue()
        # While one segment goes out the next is fetched; more than that would only take memory.
        self._room = asyncio.Semaphore(2)

    def put(self, piece: Buffer) -> None:
        """The next piece."""
        if len(piece):
            self._queue.put_nowait(piece)

    async def run(self, steps: Iterable[Callable[[], Awaitable[None]]]) -> None:
        """Fetches segment after segment, and passes the end, or the error, on."""
        try:
            for step in steps:
                await self._room.acquire()
                await step()
                self._queue.put_nowait(_Mark.SEGMENT)
        except Exception as error:  # noqa: BLE001 # raised again by the reader
            self._queue.put_nowait(error)
        else:
            self._queue.put_nowait(_Mark.END)

    async def pieces(self) -> AsyncGenerator[Buffer, None]:
        """The pieces, up to the end."""
        while (item := await self._queue.get()) is not _Mark.END:
            if isinstance(item, Exception):
                raise item
            if isinstance(item, _Mark):
                self._room.release()
            else:
                yield item


class _Mark(Enum):
    """What stands between pieces."""

    SEGMENT = "all of a segment was handed out"
    END = "all of the blob was handed out"


class _Reading:
    """One read of one blob."""

    def __init__(
        self, context: ReadContext, renew: Renew, blob_id: BlobId, check: Check, suspects: dict[str, Suspect]
    ) -> None:
        self._renew = renew
        self._blob_id = blob_id
        self._check = check
        self._suspects = suspects
        self._begun = False
        self._misdirected = False
        self._use(context)

    def _use(self, context: ReadContext) -> None:
        self._context = context
        self._holders = context.holders(self._blob_id)

    async def _changed(self) -> bool:
        """Whether the chain knows of other places than this read did so far; it uses those from then on.

        Not while questions are under way: they say whom they are for by the place in the context.
        """
        self._misdirected = False
        before = self._context
        try:
            self._use(await self._renew(before))
        except (Retryable, Rejected, Untrusted):
            return False  # without the chain the read goes on as it was
        return self._context is not before

    # -- metadata ----------------------------------------------------------------------------------------------------

    async def metadata(self) -> BlobMetadata:
        """The blob's metadata, from any agent that has it.

        Raises: BlobUnreachable: none has it; the reasons are the agents' own.
        """
        found: list[BlobMetadata] = []

        async def ask(fetch: Fetch) -> int:
            data = await self._agent(fetch).metadata(self._blob_id)
            metadata = await in_thread(len(data), lambda: BlobMetadata.from_bytes(data, self._blob_id))
            if metadata.shards != self._context.committee.shards:
                raise MalformedMetadata(f"it is for {metadata.shards} shards")
            found.append(metadata)
            return len(data)

        failures: dict[str, WalrusError] = {}
        renewed = False
        for pause in (*_ROUNDS, None):
            standing = self._context.reputation.standing
            members = sorted(range(len(self._context.agents)), key=standing)
            plan = Quota(1, [Fetch(Axis.PRIMARY, PairIndex(0), member) for member in members])
            failures = await self._pursue(plan, ask, INLINE_BYTES, 1)
            if found:
                return found[0]
            if not renewed:
                renewed = True
                if await self._changed():
                    continue
            if pause is None or _all_say_unknown(failures):
                break
            await asyncio.sleep(pause)
        raise BlobUnreachable(self._blob_id, None, 0, 1, _words(failures))

    # -- segments ----------------------------------------------------------------------------------------------------

    async def step(
        self, metadata: BlobMetadata, step: WholeSegment | PartOfSegment, put: Callable[[Buffer], None]
    ) -> None:
        """Reads one step of the plan; pieces go to `put` in order."""
        if self._misdirected:
            await self._changed()
        if isinstance(step, PartOfSegment):
            if await self._part(metadata, step, put):
                return
            # A row is lost. Only the whole segment shows that what is decoded means the same to everybody.
            step = WholeSegment(step.segment, step.start, step.stop)
        await self._whole(metadata, step, put)

    async def _whole(self, metadata: BlobMetadata, step: WholeSegment, put: Callable[[Buffer], None]) -> None:
        geometry = metadata.geometry.segment(step.segment)
        decoder = SegmentDecoder(metadata, step.segment)
        width = geometry.sliver_bytes(Axis.PRIMARY)
        rows: dict[int, bytes] = {}
        held: set[tuple[Axis, PairIndex]] = set()
        given = step.start

        def give(data: Buffer, at: int) -> None:
            nonlocal given
            piece = memoryview(data)[given - at : step.stop - at]
            put(piece)
            given += len(piece)

        def give_rows() -> None:
            while given < step.stop and (row := rows.pop(given // width, None)) is not None:
                give(row, given // width * width)

        async def ask(fetch: Fetch) -> int:
            length = geometry.sliver_bytes(fetch.axis)
            sliver = await self._agent(fetch).sliver(self._blob_id, step.segment, fetch.axis, fetch.pair, length=length)
            await in_thread(length, lambda: decoder.add(fetch.axis, fetch.pair, sliver))
            held.add((fetch.axis, fetch.pair))
            if fetch.axis is Axis.PRIMARY and fetch.pair < geometry.rows and self._check is not Check.STRICT:
                rows[fetch.pair] = sliver
                give_rows()
            return length

        failures: dict[str, WalrusError] = {}
        renewed = False
        for pause in (*_ROUNDS, None):
            plan = SegmentPlan(geometry, self._holders, self._context.reputation.standing, frozenset(held))
            lead = not self._begun and step.start < width and width > _LEAD_BYTES
            self._begun = True
            failures |= await self._pursue(plan, ask, width, geometry.rows, lead=lead)
            if plan.complete:
                break
            if not renewed:
                renewed = True
                if await self._changed():
                    continue
            if pause is None:
                have, needed = plan.nearest
                raise BlobUnreachable(self._blob_id, step.segment, have, needed, _words(failures))
            await asyncio.sleep(pause)
        if given >= step.stop:
            return
        data = await in_coder(geometry.length, decoder.decode)
        if self._check is Check.STRICT:
            roots = metadata.segments[step.segment]
            await in_coder(geometry.length, lambda: check_strict(self._blob_id, data, roots, geometry))
        give(data, 0)

    async def _part(self, metadata: BlobMetadata, step: PartOfSegment, put: Callable[[Buffer], None]) -> bool:
        """Reads a part by runs of chunks; False when a row is lost and nothing was given to `put`."""
        runs = [asyncio.create_task(self._run(metadata, run)) for run in step.runs]
        try:
            parts = [part for part in await asyncio.gather(*runs) if part is not None]
        finally:
            await _cancel(runs)
        if len(parts) < len(runs):
            return False
        for run, part in zip(step.runs, parts, strict=True):
            put(extract(run, part))
        return True

    async def _run(self, metadata: BlobMetadata, run: RowRun) -> Buffer | None:
        """The verified bytes of a run; None where its row is lost and may not be rebuilt from the run alone."""
        geometry = metadata.geometry.segment(run.segment)
        roots = metadata.segments[run.segment]
        length = geometry.chunk_bytes(Axis.PRIMARY, run.first_chunk, run.chunks)
        held: dict[PairIndex, Buffer] = {}

        async def ask(fetch: Fetch) -> int:
            answer = await self._agent(fetch).chunks(
                self._blob_id,
                run.segment,
                Axis.PRIMARY,
                fetch.pair,
                first=run.first_chunk,
                count=run.chunks,
                length=length,
            )
            await in_thread(length, lambda: verify_row_run(run, fetch.pair, answer.data, answer.path, roots, geometry))
            held[fetch.pair] = answer.data
            return length

        await self._pursue(sliver_for_run(run.row, self._holders), ask, length, 1)
        if run.row in held:
            return held[run.row]
        if self._check is not Check.NONE:
            return None
        others = others_for_run(run.row, geometry, self._holders, self._context.reputation.standing)
        await self._pursue(others, ask, length, others.needed)
        return rebuild_run(run.row, held, geometry) if others.complete else None

    # -- asking ------------------------------------------------------------------------------------------------------

    def _agent(self, fetch: Fetch) -> AgentClient:
        return self._context.agents[fetch.member]

    async def _pursue(
        self,
        plan: Plan,
        ask: Callable[[Fetch], Coroutine[Any, Any, int]],
        size: int,
        needed: int,
        *,
        lead: bool = False,
    ) -> dict[str, WalrusError]:
        """Asks until the plan is complete or nobody is left to ask; why agents failed, by their label.

        Args:
            ask: asks and verifies; returns how many bytes came.
            size: bytes of a usual answer.
            needed: how many answers of the same kind are waited for.
            lead: give the first answer the line for itself for a moment, as somebody waits for the first bytes.
        """
        reputation, clock = self._context.reputation, asyncio.get_running_loop().time
        under_way: dict[asyncio.Task[int], tuple[Fetch, float]] = {}
        overtaken: set[Fetch] = set()
        rounds = 0
        durations: list[float] = []
        failures: dict[str, WalrusError] = {}

        def launch(fetches: Iterable[Fetch]) -> None:
            for fetch in fetches:
                under_way[asyncio.create_task(ask(fetch))] = fetch, clock()

        first = plan.next()
        try:
            if lead:
                launch(first[:1])
                await asyncio.wait(under_way, timeout=_LEAD_SECONDS)
                first = first[1:]
            launch(first)
            while under_way and not plan.complete:
                # Each round of overtaking waits twice as long as the one before.
                patience = reputation.hedge_after(size, durations, needed) * 2 ** min(rounds, _MOST_DOUBLINGS)
                waited_for = [begun for fetch, begun in under_way.values() if fetch not in overtaken]
                wait = min(waited_for) + patience - clock() if waited_for else None
                done, _ = await asyncio.wait(
                    under_way, timeout=None if wait is None else max(wait, 0.0), return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    fetch, begun = under_way.pop(task)
                    error = self._judge(task, fetch, clock() - begun, durations)
                    if error is None:
                        plan.arrived(fetch)
                    else:
                        plan.failed(fetch)
                        failures[self._agent(fetch).label] = error
                if not done:
                    rounds += 1
                    late = [fetch for fetch, begun in under_way.values() if clock() - begun >= patience]
                    late = [fetch for fetch in late if fetch not in overtaken]
                    # At most half of them at once: where all are slow, the line is, and more requests would not help.
                    for fetch in late[: (len(under_way) + 1) // 2]:
                        overtaken.add(fetch)
                        plan.overtake(fetch)
                        reputation.stalled(fetch.member)
                if not plan.complete:
                    launch(plan.next())
        finally:
            await _cancel(under_way)
        return failures

    def _judge(
        self, task: asyncio.Task[int], fetch: Fetch, seconds: float, durations: list[float]
    ) -> WalrusError | None:
        """What was wrong with an answer, if anything; what it says of the agent is remembered."""
        agent, reputation = self._agent(fetch).label, self._context.reputation
        try:
            size = task.result()
        except Untrusted as error:
            reputation.lied(fetch.member, agent, str(error))
            self._suspects.setdefault(agent, Suspect(agent, str(error)))
            return error
        except Retryable as error:
            if isinstance(error, AgentRefused) and error.status in _NOT_HERE:
                self._misdirected |= error.code in MISDIRECTED
                if len(self._holders[fetch.pair]) > 1:
                    return error  # one of the two has it; it is no fault of the other
            reputation.failed(fetch.member, str(error))
            return error
        durations.append(seconds)
        reputation.answered(fetch.member, seconds, size)
        return None


def _all_say_unknown(failures: Mapping[str, WalrusError]) -> bool:
    """Whether every agent answered, and none has the blob."""
    return all(isinstance(error, AgentRefused) and error.status == 404 for error in failures.values())


def _words(failures: Mapping[str, WalrusError]) -> dict[str, str]:
    """Why agents failed, by their label."""
    return {
        agent: error.message if isinstance(error, AgentRefused) else str(error) for agent, error in failures.items()
    }


async def _cancel(tasks: Iterable[asyncio.Task[T]]) -> None:
    """Cancels tasks and waits until they are gone."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
