"""The worker: each piece once at a time, failures later again, stopped at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from storage_agent.act.worker import Job, Worker, pause_after, standard_jobs
from storage_agent.state.facts import (
    Certified,
    CommitteeFormed,
    Deleted,
    Fact,
    Located,
    Place,
    Registered,
    ShardsSynced,
)
from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import DEFAULT_TRIM_DELAY, Catalogue
from storage_agent.store.local import LocalStore
from storage_agent.store.packs import Packs
from storage_agent.store.rows import Work
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.errors import NotEnoughSymbols, StoreFull
from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId

BLOBS = [BlobMetadata(size, 10, (SegmentMetadata(bytes(640)),)) for size in range(1, 6)]


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[Catalogue]:
    """Five certified blobs, of which nothing is held; heal work is due."""
    opened = Catalogue.open(tmp_path / "c.db", network="1:x", node_id=NodeId(1), clock=lambda: 0.0, heal_delay=0.0)
    await opened.start_at(BlockRef(0, bytes(32), 0))
    facts: list[Located] = [Located(Place(1, 0), CommitteeFormed(Epoch(1), (NodeId(1),), bytes(10)))]
    for index, metadata in enumerate(BLOBS):
        number = BlobObjectId(index + 1)
        registered = Registered(number, metadata.blob_id, metadata.size, Epoch(1), Epoch(9), True)
        facts += [Located(Place(1, 2 * index + 1), registered), Located(Place(1, 2 * index + 2), Certified(number))]
    assert opened.cursor is not None
    await opened.take(opened.cursor, facts, BlockRef(1, bytes(32), 0), Epoch(1))
    yield opened
    opened.close()


@asynccontextmanager
async def _running(worker: Worker) -> AsyncIterator[None]:
    task = asyncio.ensure_future(worker.run())
    try:
        async with asyncio.timeout(20):
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _complete(catalogue: Catalogue, blob_id: BlobId) -> None:
    metadata = next(blob for blob in BLOBS if blob.blob_id == blob_id)
    places = [(pair, pair, 1) for pair in catalogue.duties.pairs(blob_id)]
    data = (metadata, metadata.to_bytes())
    await catalogue.add_pack(catalogue.next_pack(), blob_id, 0, places, bytes(len(places)), data)


def _worker(catalogue: Catalogue, handler: Callable[[Work], Awaitable[object]], at_once: int = 2) -> Worker:
    return Worker(catalogue, {WorkKind.HEAL: Job(handler, at_once)}, clock=lambda: 0.0)


async def test_run__does_all_that_is_due__no_more_at_once_than_allowed(catalogue: Catalogue) -> None:
    done: list[BlobId] = []
    under_way, most, finished = 0, 0, asyncio.Event()

    async def heal(work: Work) -> None:
        nonlocal under_way, most
        assert work.blob_id is not None
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        await _complete(catalogue, work.blob_id)
        under_way -= 1
        done.append(work.blob_id)
        if len(done) == len(BLOBS):
            finished.set()

    async with _running(_worker(catalogue, heal)):
        await finished.wait()
    assert sorted(done) == sorted(metadata.blob_id for metadata in BLOBS)
    assert most == 2
    assert catalogue.due(WorkKind.HEAL, 1e9, 9) == []


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (NotEnoughSymbols(1, 3), "ask more nodes"),
        (ZeroDivisionError("oops"), "ZeroDivisionError: oops"),
        (None, "suffice"),
    ],
)
async def test_run__work_stays_undone__waits_for_its_turn_with_the_reason(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, error: Exception | None, problem: str
) -> None:
    tries: list[BlobId | None] = []
    postponed_all = asyncio.Event()
    postpone = catalogue.postpone

    async def heal(work: Work) -> None:
        tries.append(work.blob_id)
        if error is not None:
            raise error

    async def watched_postpone(work: Work, seconds: float, problem: str) -> None:
        await postpone(work, seconds, problem)
        if not catalogue.due(WorkKind.HEAL, 0.0, 9):
            postponed_all.set()

    monkeypatch.setattr(catalogue, "postpone", watched_postpone)
    async with _running(_worker(catalogue, heal)):
        await postponed_all.wait()
    assert len(set(tries)) == len(tries) == len(BLOBS)
    postponed = catalogue.due(WorkKind.HEAL, pause_after(0), 9)
    assert [(work.attempts, problem in work.problem) for work in postponed] == [(1, True)] * len(BLOBS)


async def test_run__new_work_comes_up__done_without_being_asked(catalogue: Catalogue) -> None:
    healed = asyncio.Event()
    for metadata in BLOBS:
        await _complete(catalogue, metadata.blob_id)

    async def heal(work: Work) -> None:
        assert work.blob_id == BLOBS[0].blob_id
        healed.set()

    async with _running(_worker(catalogue, heal)):
        await asyncio.sleep(0)
        await catalogue.drop_pairs(BLOBS[0].blob_id, [(0, catalogue.duties.pairs(BLOBS[0].blob_id)[0])])
        await healed.wait()


async def test_run__cannot_even_postpone__waits_instead_of_spinning(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    waited = asyncio.Event()

    async def full(*_arguments: object) -> None:
        raise StoreFull("c.db", 0, None)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        waited.set()
        await asyncio.Event().wait()

    async def heal(_work: Work) -> None:
        return

    monkeypatch.setattr(catalogue, "postpone", full)
    worker = Worker(catalogue, {WorkKind.HEAL: Job(heal, 1)}, clock=lambda: 0.0, sleep=sleep)
    async with _running(worker):
        await waited.wait()
    assert pauses == [pause_after(0)]


async def test_standard_jobs__free_and_collect__bytes_are_gone(catalogue: Catalogue, tmp_path: Path) -> None:
    store = LocalStore.open(tmp_path / "slivers", reserve_bytes=0)
    packs = Packs(catalogue, store, inline_bytes=0)
    blob_id = BLOBS[0].blob_id
    await packs.put(blob_id, 0, {catalogue.duties.pairs(blob_id)[0]: b"bytes"})
    deleted = asyncio.Event()
    delete = store.delete

    async def watched_delete(key: str) -> None:
        await delete(key)
        deleted.set()

    async def heal(_blob_id: BlobId) -> None:
        return

    store.delete = watched_delete  # type: ignore[method-assign]
    async with _running(Worker(catalogue, standard_jobs(packs, heal, 2), clock=lambda: 0.0)):
        cursor = catalogue.cursor
        assert cursor is not None
        gone = Located(Place(2, 0), Deleted(BlobObjectId(1), Epoch(1)))
        cursor = await catalogue.take(cursor, [gone], BlockRef(2, bytes(32), 0), Epoch(1))
        await catalogue.take(cursor, [], BlockRef(3, bytes(32), 0), Epoch(2))
        await deleted.wait()
    assert catalogue.held(blob_id, 0) == set()
    assert [key async for key in store.keys("packs")] == []


def test_pause_after__doubles_up_to_an_hour() -> None:
    assert [pause_after(failures) for failures in (0, 1, 2, 10, 11, 500)] == [2, 4, 8, 2048, 3600, 3600]


async def test_standard_jobs__trim__pairs_that_moved_on_are_gone(catalogue: Catalogue, tmp_path: Path) -> None:
    """All shards go to node 2, and have arrived there."""
    store = LocalStore.open(tmp_path / "slivers", reserve_bytes=0)
    packs = Packs(catalogue, store, inline_bytes=0)
    blob_id = BLOBS[0].blob_id
    await packs.put(blob_id, 0, {catalogue.duties.pairs(blob_id)[0]: b"bytes"})
    deleted = asyncio.Event()
    delete = store.delete

    async def watched_delete(key: str) -> None:
        await delete(key)
        deleted.set()

    async def heal(_blob_id: BlobId) -> None:
        return

    store.delete = watched_delete  # type: ignore[method-assign]
    async with _running(Worker(catalogue, standard_jobs(packs, heal, 2), clock=lambda: 2 * DEFAULT_TRIM_DELAY)):
        cursor, node = catalogue.cursor, NodeId(2)
        assert cursor is not None
        facts: list[Fact] = [
            CommitteeFormed(Epoch(2), (node,), bytes(10)),
            ShardsSynced(Epoch(2), node, (1 << 10) - 1),
        ]
        located = [Located(Place(2, index), fact) for index, fact in enumerate(facts)]
        await catalogue.take(cursor, located, BlockRef(2, bytes(32), 0), Epoch(1))
        await deleted.wait()
    assert catalogue.totals().bytes == 0
