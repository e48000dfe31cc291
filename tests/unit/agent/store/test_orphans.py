"""A blob whose registration a reorganisation undid is kept for a while: it may be in a block again soon."""

from __future__ import annotations

from storage_agent.state.facts import Certified, Deleted
from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.work_rows import ORPHAN_SECONDS
from tests.unit.agent.store.conftest import Clock, Feed
from walrus_chain.types import BlobId

BLOB = BlobId(b"\x07" * 32)


async def _hold(catalogue: Catalogue) -> None:
    places = [(pair, 4 * index, 4) for index, pair in enumerate(catalogue.duties.pairs(BLOB))]
    await catalogue.add_pack(catalogue.next_pack(), BLOB, 0, places, b"abcdefgh", None)


def _to_free(catalogue: Catalogue, now: float) -> list[BlobId | None]:
    return [work.blob_id for work in catalogue.due(WorkKind.FREE, now, 100)]


async def test_registration_undone__bytes_are_kept_for_a_while(feed: Feed, catalogue: Catalogue, clock: Clock) -> None:
    before = catalogue.cursor
    assert before is not None
    await feed.register(BLOB)
    await _hold(catalogue)

    await catalogue.rewind(before)
    await feed.block()

    assert _to_free(catalogue, clock.now + ORPHAN_SECONDS - 1) == []
    assert _to_free(catalogue, clock.now + ORPHAN_SECONDS) == [BLOB]


async def test_registration_undone_and_redone__nothing_is_freed(feed: Feed, catalogue: Catalogue, clock: Clock) -> None:
    before = catalogue.cursor
    assert before is not None
    await feed.block(Certified(await feed.register(BLOB)))
    await _hold(catalogue)
    await catalogue.rewind(before)
    await feed.block()
    feed.objects = 0  # the new fork counts afresh

    await feed.block(Certified(await feed.register(BLOB)))

    assert _to_free(catalogue, clock.now + 2 * ORPHAN_SECONDS) == []
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.held == 2


async def test_deleted_by_its_owner__freed_when_the_epoch_is_over(
    feed: Feed, catalogue: Catalogue, clock: Clock
) -> None:
    number = await feed.register(BLOB)
    await _hold(catalogue)

    await feed.block(Deleted(number, feed.epoch))
    assert _to_free(catalogue, clock.now) == []
    await feed.next_epoch()

    assert _to_free(catalogue, clock.now) == [BLOB]
