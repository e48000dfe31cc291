"""Shards come and go: what is to be fetched, what is kept for others, what is dropped, and when."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage_agent.state.facts import (
    Certified,
    CommitteeFormed,
    Deleted,
    EpochChangeDone,
    EpochChangeStarted,
    Fact,
    ShardsSynced,
)
from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import DEFAULT_TRIM_DELAY, Catalogue
from storage_agent.store.database import Database, migrate
from storage_agent.store.local import LocalStore
from storage_agent.store.packs import Packs
from tests.unit.agent.store.conftest import ASSIGNMENT, MEMBERS, NODE, Clock, Feed, open_catalogue
from walrus_chain.codec.geometry import pair_on_shard
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.errors import FactsMissing
from walrus_chain.types import BlobId, Epoch, NodeId, PairIndex, ShardIndex

METADATA = BlobMetadata(1000, 10, (SegmentMetadata(bytes(range(64)) * 10),))
BLOB = METADATA.blob_id
OTHER = BlobId(bytes(32))
LATER = 10**6
#: Larger than what is kept inside the catalogue.
LARGE = b"x" * 20
#: Node 2 gives shard 1 to node 1, and takes shard 2 from node 3. It goes on serving shard 6.
SECOND = bytes({1: 0, 2: 1}.get(shard, member) for shard, member in enumerate(ASSIGNMENT))
MOVED = 0b110
#: Node 2 has no part any more: shards 2 and 6 go to node 1.
WITHOUT = bytes(0 if member == 1 else member for member in SECOND)


def change(assignment: bytes, moved: int, epoch: int = 2, previous: int = 1) -> list[Fact]:
    """The facts of the transaction with which a committee takes office."""
    return [
        CommitteeFormed(Epoch(epoch), MEMBERS, assignment),
        EpochChangeStarted(Epoch(epoch), Epoch(previous), moved),
    ]


def arrived(node: int, *shards: int, epoch: int = 2) -> ShardsSynced:
    """A node has its shards."""
    return ShardsSynced(Epoch(epoch), NodeId(node), sum(1 << shard for shard in shards))


def pair(shard: int, blob_id: BlobId = BLOB) -> PairIndex:
    """The pair of a blob on a shard."""
    return pair_on_shard(blob_id, ShardIndex(shard), 10)


def due(catalogue: Catalogue, kind: WorkKind, now: float = LATER) -> list[BlobId | None]:
    return [work.blob_id for work in catalogue.due(kind, now, 100)]


@pytest.fixture
def packs(catalogue: Catalogue, tmp_path: Path) -> Packs:
    """Packs of which those of more than 15 bytes are files."""
    return Packs(catalogue, LocalStore.open(tmp_path / "slivers", reserve_bytes=0), inline_bytes=15)


async def hold(packs: Packs, *shards: int, data: bytes = b"pair", blob_id: BlobId = BLOB) -> None:
    """Keeps pairs that came together."""
    pairs = {pair(shard, blob_id): data + b"%d" % shard for shard in shards}
    metadata = (METADATA, METADATA.to_bytes()) if blob_id == BLOB else None
    await packs.put(blob_id, 0, pairs, metadata)


async def certified(feed: Feed, epochs: int = 50) -> None:
    await feed.block(Certified(await feed.register(BLOB, epochs)))


async def test_change__at_once__new_shard_is_fetched_and_old_one_kept(
    feed: Feed, catalogue: Catalogue, packs: Packs, clock: Clock
) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    told: list[Epoch] = []
    catalogue.on_duties(lambda: told.append(catalogue.duties.epoch))

    await feed.block(*change(SECOND, MOVED))

    assert told == [2]
    assert due(catalogue, WorkKind.HEAL, clock.now) == [BLOB]  # nobody will send it, so nothing is waited for
    assert catalogue.missing(BLOB) == [(0, pair(2))]
    assert due(catalogue, WorkKind.TRIM) == []
    assert not catalogue.syncing_complete()


async def test_change__healing_that_failed_before__is_tried_at_once(
    feed: Feed, catalogue: Catalogue, packs: Packs, clock: Clock
) -> None:
    await certified(feed)
    [work] = catalogue.due(WorkKind.HEAL, LATER, 9)
    await catalogue.postpone(work, 3600.0, "all peers are down")

    await feed.block(*change(SECOND, MOVED))

    assert due(catalogue, WorkKind.HEAL, clock.now) == [BLOB]


async def test_syncing_complete__all_here__until_something_is_lost_again(
    feed: Feed, catalogue: Catalogue, packs: Packs, clock: Clock
) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    await feed.block(*change(SECOND, MOVED))
    await hold(packs, 2)
    assert catalogue.syncing_complete()

    await packs.forget(BLOB, [(0, pair(6))])
    assert due(catalogue, WorkKind.HEAL) == [BLOB]
    assert catalogue.syncing_complete()  # what is lost now did not come with the change

    await packs.forget(BLOB, [(0, pair(2))])
    assert not catalogue.syncing_complete()


async def test_syncing_complete__certified_a_moment_ago__does_not_count_until_healing_is_due(
    feed: Feed, catalogue: Catalogue, clock: Clock
) -> None:
    await feed.block(*change(SECOND, MOVED))
    assert catalogue.syncing_complete()
    await certified(feed)
    assert catalogue.syncing_complete()
    clock.now += 10
    assert not catalogue.syncing_complete()


async def test_syncing_complete__not_certified_or_found_unsound__does_not_count(
    feed: Feed, catalogue: Catalogue, packs: Packs
) -> None:
    await feed.register(OTHER)
    await certified(feed)
    await feed.block(*change(SECOND, MOVED))
    assert not catalogue.syncing_complete()
    await catalogue.note_verdict(BLOB, sound=False)
    assert catalogue.syncing_complete()


async def test_syncing_complete__chain_is_read_again__not_known(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await feed.block(*change(SECOND, MOVED))
    for _ in range(3):
        await feed.block()
    await catalogue.rewind(catalogue.trail[1])
    assert not catalogue.syncing_complete()


@pytest.mark.parametrize("size", [1, 20])
async def test_trim__last_shard_arrived__given_pairs_go_and_others_stay(
    feed: Feed, catalogue: Catalogue, packs: Packs, clock: Clock, size: int
) -> None:
    await certified(feed)
    await hold(packs, 1, 6, data=b"x" * size)
    await feed.block(*change(SECOND, MOVED))
    await hold(packs, 2, data=b"x" * size)
    await feed.block(arrived(2, 2), EpochChangeDone(Epoch(2)))
    assert due(catalogue, WorkKind.TRIM) == []  # shard 1 is not with node 1 yet

    await feed.block(arrived(1, 1))

    assert due(catalogue, WorkKind.TRIM, clock.now + DEFAULT_TRIM_DELAY - 1) == []
    assert due(catalogue, WorkKind.TRIM, clock.now + DEFAULT_TRIM_DELAY) == [BLOB]
    await packs.trim(BLOB)
    assert catalogue.held(BLOB, 0) == {pair(2), pair(6)}
    assert [await packs.read(BLOB, 0, pair(shard)) for shard in (2, 6)] == [b"x" * size + b"2", b"x" * size + b"6"]
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.complete
    assert row.bytes == 2 * (size + 1) + len(METADATA.to_bytes())
    assert due(catalogue, WorkKind.TRIM) == []
    assert await packs.collect() == (1 if size == 20 else 0)  # what was divided
    assert await packs.sweep() == 0
    assert catalogue.totals().trim == 0


@pytest.mark.parametrize("left", [None, 0, 30])
async def test_trim__bytes_of_what_stays_are_lost__healed(
    feed: Feed, catalogue: Catalogue, packs: Packs, tmp_path: Path, left: int | None
) -> None:
    """The file is gone, or cut short."""
    await certified(feed)
    await hold(packs, 1, 6, data=LARGE)
    [file] = (tmp_path / "slivers").rglob("packs/*/*")
    await feed.block(*change(SECOND, MOVED))
    await hold(packs, 2)
    await feed.block(arrived(1, 1))
    if left is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:left])

    await packs.trim(BLOB)

    assert catalogue.missing(BLOB) == [(0, pair(6))]
    assert due(catalogue, WorkKind.HEAL) == [BLOB]


async def test_trim__before_it_is_due__nothing_happens(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    await feed.block(*change(SECOND, MOVED))

    await packs.trim(BLOB)

    assert catalogue.held(BLOB, 0) == {pair(1), pair(6)}


async def test_trim__something_is_missing__healed_first(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    await feed.block(*change(SECOND, MOVED), arrived(1, 1))
    assert (due(catalogue, WorkKind.HEAL), due(catalogue, WorkKind.TRIM)) == ([BLOB], [])

    await hold(packs, 2)

    assert (due(catalogue, WorkKind.HEAL), due(catalogue, WorkKind.TRIM)) == ([], [BLOB])


async def test_trim__next_change_starts__what_was_given_away_before_goes(
    feed: Feed, catalogue: Catalogue, packs: Packs
) -> None:
    """Node 1 never said that it has shard 1."""
    await certified(feed)
    await hold(packs, 1, 6)
    await feed.block(*change(SECOND, MOVED))
    await hold(packs, 2)
    third = bytes(2 if shard == 1 else member for shard, member in enumerate(SECOND))

    await feed.block(*change(third, 0b10, epoch=3, previous=2))

    assert due(catalogue, WorkKind.TRIM) == [BLOB]


async def test_trim__chain_is_read_again__not_done_meanwhile(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    await feed.block(*change(SECOND, MOVED), arrived(1, 1))
    await hold(packs, 2)
    formed = catalogue.trail[-1]
    told: list[int] = []
    catalogue.on_work(lambda: told.append(1))
    await feed.block()

    await catalogue.rewind(formed)
    assert due(catalogue, WorkKind.TRIM) == []
    await packs.trim(BLOB)
    assert catalogue.held(BLOB, 0) == {pair(1), pair(2), pair(6)}

    told.clear()
    await feed.block()
    assert due(catalogue, WorkKind.TRIM) == [BLOB]
    assert told  # whoever trims looks again


async def test_node_leaves__others_have_everything__all_goes(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await feed.register(OTHER, epochs=50)
    await feed.block(*change(SECOND, MOVED))
    await hold(packs, 2, 6)
    await hold(packs, 6, blob_id=OTHER)
    await feed.block(*change(WITHOUT, 0b1000100, epoch=3, previous=2))
    assert (catalogue.duties.own, catalogue.duties.keeping) == ((), (2, 6))
    assert due(catalogue, WorkKind.TRIM) == []
    assert due(catalogue, WorkKind.HEAL) == []

    await feed.block(arrived(1, 2, 6, epoch=3))

    assert set(due(catalogue, WorkKind.TRIM)) == {BLOB, OTHER}
    for blob_id in (BLOB, OTHER):
        await packs.trim(blob_id)
    totals = catalogue.totals()
    assert (totals.pairs, totals.bytes, totals.trim) == (0, 0, 0)
    assert catalogue.metadata(BLOB) is None


async def test_node_leaves_with_metadata_only__it_goes_too(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await catalogue.add_metadata(METADATA, METADATA.to_bytes())
    gone = bytes(0 if member == 1 else member for member in ASSIGNMENT)
    await feed.block(*change(gone, 0b1000010), arrived(1, 1, 6))
    assert due(catalogue, WorkKind.TRIM) == [BLOB]
    await packs.trim(BLOB)
    assert catalogue.totals().bytes == 0


async def test_down_across_two_changes__both_read_at_once__keeps_and_fetches_what_counts_now(
    feed: Feed, catalogue: Catalogue, packs: Packs, tmp_path: Path, clock: Clock
) -> None:
    """It served shards 1 and 6; then 2 and 6; then 2 and 3, while shard 6 went to node 5."""
    await certified(feed)
    await hold(packs, 1, 6)
    third = bytes({3: 1, 6: 4}.get(shard, member) for shard, member in enumerate(SECOND))

    await feed.block(
        *change(SECOND, MOVED),
        EpochChangeDone(Epoch(2)),
        *change(third, 0b1001000, epoch=7, previous=2),
    )

    duties = catalogue.duties
    assert (duties.own, duties.keeping, duties.syncing) == ((2, 3), (6,), (3,))
    assert set(catalogue.missing(BLOB) or ()) == {(0, pair(2)), (0, pair(3))}
    assert due(catalogue, WorkKind.HEAL, clock.now) == [BLOB]
    await hold(packs, 3)
    assert catalogue.syncing_complete()  # shard 2 came with a change that is over
    await hold(packs, 2)
    await packs.trim(BLOB)
    assert catalogue.held(BLOB, 0) == {pair(2), pair(3), pair(6)}
    catalogue.close()

    again = open_catalogue(tmp_path, clock)
    assert again.duties == duties
    assert due(again, WorkKind.TRIM) == []
    again.close()


async def test_change_undone__everything_as_before(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    before, duties = catalogue.trail[-1], catalogue.duties
    await feed.block(*change(SECOND, MOVED), arrived(1, 1))
    await hold(packs, 2)
    assert due(catalogue, WorkKind.TRIM) == [BLOB]

    await catalogue.rewind(before)
    await feed.block()

    assert catalogue.duties == duties
    assert due(catalogue, WorkKind.HEAL) == []
    assert due(catalogue, WorkKind.TRIM) == [BLOB]  # now it is shard 2 that is somebody else's
    await packs.trim(BLOB)
    assert catalogue.held(BLOB, 0) == {pair(1), pair(6)}


async def test_arrival_undone__kept_again(feed: Feed, catalogue: Catalogue, packs: Packs) -> None:
    await certified(feed)
    await hold(packs, 1, 6)
    await feed.block(*change(SECOND, MOVED))
    await hold(packs, 2)
    before = catalogue.trail[-1]
    await feed.block(arrived(1, 1))
    assert due(catalogue, WorkKind.TRIM) == [BLOB]

    await catalogue.rewind(before)
    await feed.block()

    assert catalogue.duties.keeping == (1,)
    assert due(catalogue, WorkKind.TRIM) == []


async def test_take__committee_was_left_out__facts_are_missing_and_nothing_changed(
    feed: Feed, catalogue: Catalogue
) -> None:
    before = (catalogue.cursor, catalogue.duties)
    with pytest.raises(FactsMissing):
        await feed.block(*change(SECOND, MOVED, epoch=5, previous=3))
    assert (catalogue.cursor, catalogue.duties) == before


async def test_deleted__kept_and_healed_to_the_end_of_the_epoch_but_not_taken(
    feed: Feed, catalogue: Catalogue, packs: Packs
) -> None:
    number = await feed.register(BLOB, epochs=50)
    await feed.block(Certified(number))
    await hold(packs, 1)
    await feed.block(Deleted(number, feed.epoch))
    row = catalogue.blob(BLOB)
    assert row is not None
    assert (row.standing.is_live(feed.epoch), row.standing.is_certified(feed.epoch)) == (False, True)
    assert catalogue.live_sizes(BLOB) == []
    assert due(catalogue, WorkKind.HEAL) == [BLOB]
    assert due(catalogue, WorkKind.FREE) == []

    await feed.next_epoch()

    assert due(catalogue, WorkKind.HEAL) == []
    assert due(catalogue, WorkKind.FREE) == [BLOB]


def test_migrate__catalogue_of_the_second_schema__deletions_and_standings_stay(tmp_path: Path) -> None:
    path = tmp_path / "c.db"
    old = sqlite3.connect(path, isolation_level=None)
    migrate(old, path, upto=2)
    old.execute("INSERT INTO identity (only, network, node) VALUES (1, '1:x', ?)", (NODE,))
    old.execute("INSERT INTO blobs (id, blob_id, live_until, certified_until) VALUES (1, ?, 5, 5)", (BLOB.digest,))
    for number, deleted in ((1, 0), (2, 1)):
        old.execute("INSERT INTO objects VALUES (?, 1, 9, 1, 5, 1, 1, ?)", (number, deleted))
    old.close()

    database = Database.open(path, lambda _: None)
    with database.read() as connection:
        assert connection.execute("SELECT deleted_in FROM objects ORDER BY id").fetchall() == [(None,), (0,)]
        assert connection.execute("SELECT due_until, surplus FROM blobs").fetchall() == [(5, 0)]
    database.close()
