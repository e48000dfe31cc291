"""The catalogue: facts and what follows from them, what is durable, what is to be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage_agent.state.duties import Duties
from storage_agent.state.facts import Certified, CommitteeFormed, Deleted, Extended, Invalidated
from storage_agent.state.objects import Standing
from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.rows import GivenAttestation
from tests.unit.agent.store.conftest import ASSIGNMENT, MEMBERS, Clock, Feed, open_catalogue
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.errors import Bug, CatalogueOfOtherNetwork
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, PairIndex, ShardIndex

METADATA = BlobMetadata(1000, 10, (SegmentMetadata(bytes(range(64)) * 10),))
BLOB = METADATA.blob_id
OTHER = BlobId(bytes(32))
LATER = 10**6


async def _hold(catalogue: Catalogue, pairs: int = 2, metadata: bool = True) -> None:
    """Keeps the first of the node's two pairs of `BLOB`, or both."""
    own = catalogue.duties.pairs(BLOB)[:pairs]
    places = [(pair, 4 * index, 4) for index, pair in enumerate(own)]
    data = b"abcdefgh"[: 4 * len(own)]
    with_metadata = (METADATA, METADATA.to_bytes()) if metadata else None
    await catalogue.add_pack(catalogue.next_pack(), BLOB, 0, places, data, with_metadata)


def _due(catalogue: Catalogue, kind: WorkKind, now: float = LATER) -> list[BlobId | None]:
    return [work.blob_id for work in catalogue.due(kind, now, 100)]


async def test_open__again__everything_is_still_there(feed: Feed, catalogue: Catalogue, tmp_path: Path) -> None:
    number = await feed.register(BLOB)
    await _hold(catalogue)
    before = (catalogue.cursor, catalogue.duties, catalogue.blob(BLOB), catalogue.object(number))
    catalogue.close()
    again = open_catalogue(tmp_path, Clock())
    assert (again.cursor, again.duties, again.blob(BLOB), again.object(number)) == before
    assert again.next_pack() == 2
    again.close()


@pytest.mark.parametrize(("network", "node"), [("2:x", 2), ("1:y", 2), ("1:x", 3)])
def test_open__other_network_or_node__refused(tmp_path: Path, network: str, node: int) -> None:
    open_catalogue(tmp_path, Clock()).close()
    with pytest.raises(CatalogueOfOtherNetwork, match=f"node {node} on {network}"):
        Catalogue.open(tmp_path / "c.db", network=network, node_id=NodeId(node), clock=Clock())
    open_catalogue(tmp_path, Clock()).close()


async def test_start_at__twice__bug(catalogue: Catalogue) -> None:
    with pytest.raises(Bug):
        await catalogue.start_at(BlockRef(8, bytes(32), 0))


async def test_take__not_after_the_cursor__bug_and_nothing_changed(feed: Feed, catalogue: Catalogue) -> None:
    stale = catalogue.trail[0]
    before = catalogue.cursor
    with pytest.raises(Bug):
        await catalogue.take(stale, [], BlockRef(99, bytes(32), 0), Epoch(1))
    assert catalogue.cursor == before


async def test_blob__never_named__unknown(feed: Feed, catalogue: Catalogue) -> None:
    assert catalogue.blob(BLOB) is None
    assert catalogue.object(BlobObjectId(1)) is None
    assert catalogue.objects_of(BLOB) == []
    assert catalogue.metadata(BLOB) is None
    assert catalogue.held(BLOB, 0) == set()
    assert catalogue.missing(BLOB) is None
    assert catalogue.place_of(BLOB, 0, PairIndex(0)) is None


async def test_blob__standing_is_that_of_its_longest_objects(feed: Feed, catalogue: Catalogue) -> None:
    first = await feed.register(BLOB, epochs=2)
    second = await feed.register(BLOB, epochs=5)
    await feed.block(Certified(first), Extended(first, Epoch(4)))
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.standing == Standing(Epoch(6), Epoch(4), Epoch(6))
    assert [record.blob_object for record in catalogue.objects_of(BLOB)] == [second, first]
    assert [record.blob_object for record in catalogue.objects_of(BLOB, limit=1)] == [second]
    await feed.block(Invalidated(BLOB))
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.standing == Standing(invalid=True)


async def test_verdict__bad_blob__needs_no_healing_until_it_is_freed(feed: Feed, catalogue: Catalogue) -> None:
    blob_object = await feed.register(BLOB)
    await feed.block(Certified(blob_object))
    await _hold(catalogue, pairs=1)
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.sound is None
    assert catalogue.totals().heal == 1

    await catalogue.note_verdict(BLOB, sound=False)
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.sound is False
    assert catalogue.totals().heal == 0

    await catalogue.drop_pairs(BLOB, [(0, catalogue.duties.pairs(BLOB)[0])])
    assert catalogue.totals().heal == 0
    await feed.block(Invalidated(BLOB))
    assert catalogue.totals().free == 1


async def test_verdict__good_blob__is_healed_as_ever(feed: Feed, catalogue: Catalogue) -> None:
    blob_object = await feed.register(BLOB)
    await feed.block(Certified(blob_object))
    await catalogue.note_verdict(BLOB, sound=True)
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.sound is True
    assert catalogue.totals().heal == 1


async def test_pack__incomplete_then_complete(feed: Feed, catalogue: Catalogue) -> None:
    await feed.register(BLOB)
    own = catalogue.duties.pairs(BLOB)
    await _hold(catalogue, pairs=1, metadata=False)
    row = catalogue.blob(BLOB)
    assert row is not None
    assert (row.held, row.required, row.missing, row.complete, row.bytes) == (1, None, None, False, 4)
    assert catalogue.missing(BLOB) is None

    await catalogue.add_metadata(METADATA, METADATA.to_bytes())
    row = catalogue.blob(BLOB)
    assert row is not None
    assert (row.size, row.segments, row.required, row.missing) == (1000, 1, 2, 1)
    assert catalogue.missing(BLOB) == [(0, own[1])]
    assert catalogue.missing(BLOB, limit=0) == []

    await _hold(catalogue)
    row = catalogue.blob(BLOB)
    assert row is not None
    assert row.complete
    assert row.bytes == 4 + 8 + len(METADATA.to_bytes())
    assert catalogue.missing(BLOB) == []
    assert catalogue.metadata(BLOB) == METADATA.to_bytes()
    assert catalogue.held(BLOB, 0) == set(own)


async def test_pack__pair_twice__first_one_stays(feed: Feed, catalogue: Catalogue) -> None:
    await feed.register(BLOB)
    pair = catalogue.duties.pairs(BLOB)[0]
    await catalogue.add_pack(1, BLOB, 0, [(pair, 0, 4)], b"once")
    await catalogue.add_pack(2, BLOB, 0, [(pair, 0, 5)], b"twice")
    place = catalogue.place_of(BLOB, 0, pair)
    assert place is not None
    assert (place.pack, place.data) == (1, b"once")
    assert catalogue.pack_data(2) is None


async def test_pack__outside_and_useless__becomes_garbage(feed: Feed, catalogue: Catalogue) -> None:
    await feed.register(BLOB)
    pair = catalogue.duties.pairs(BLOB)[0]
    await catalogue.add_pack(1, BLOB, 0, [(pair, 0, 4)])
    await catalogue.add_pack(2, BLOB, 0, [(pair, 0, 4)])
    assert catalogue.garbage(9) == [2]
    assert _due(catalogue, WorkKind.COLLECT) == [None]
    await catalogue.forget_garbage([2])
    assert _due(catalogue, WorkKind.COLLECT) == []


async def test_pack__of_a_blob_that_was_never_registered__bug(feed: Feed, catalogue: Catalogue) -> None:
    with pytest.raises(Bug, match="never registered"):
        await catalogue.add_pack(1, BLOB, 0, [(PairIndex(1), 0, 4)], b"data")


async def test_place_of__ranges_of_an_inline_pack(feed: Feed, catalogue: Catalogue) -> None:
    await feed.register(BLOB)
    await _hold(catalogue)
    second = catalogue.duties.pairs(BLOB)[1]
    for start, length, expected in [(0, None, b"efgh"), (1, 2, b"fg"), (3, 9, b"h"), (9, 1, b""), (0, 0, b"")]:
        place = catalogue.place_of(BLOB, 0, second, start, length)
        assert place is not None
        assert (place.data, place.length) == (expected, len(expected))


async def test_drop_pairs__heals_at_once_and_frees_the_bytes(feed: Feed, catalogue: Catalogue) -> None:
    number = await feed.register(BLOB)
    await feed.block(Certified(number))
    await _hold(catalogue)
    first, second = catalogue.duties.pairs(BLOB)
    assert _due(catalogue, WorkKind.HEAL) == []

    await catalogue.drop_pairs(BLOB, [(0, first), (0, PairIndex(99)), (7, first)])
    assert _due(catalogue, WorkKind.HEAL, now=1000.0) == [BLOB]
    assert catalogue.missing(BLOB) == [(0, first)]
    await catalogue.drop_pairs(BLOB, [(0, second)])
    row = catalogue.blob(BLOB)
    assert row is not None
    assert (row.held, row.bytes) == (0, len(METADATA.to_bytes()))
    await _hold(catalogue)
    assert _due(catalogue, WorkKind.HEAL) == []


async def test_drop_and_free__of_an_unknown_blob__nothing_happens(feed: Feed, catalogue: Catalogue) -> None:
    await catalogue.drop_pairs(BLOB, [(0, PairIndex(0))])
    await catalogue.free_blob(BLOB)


async def test_heal__after_the_delay_and_only_when_certified(feed: Feed, catalogue: Catalogue) -> None:
    number = await feed.register(BLOB)
    assert _due(catalogue, WorkKind.HEAL) == []
    await feed.block(Certified(number))
    assert _due(catalogue, WorkKind.HEAL, now=1009.0) == []
    assert catalogue.next_work_after(WorkKind.HEAL, 1000.0) == 1010.0
    assert _due(catalogue, WorkKind.HEAL, now=1010.0) == [BLOB]
    await feed.block(Deleted(number, feed.epoch))
    assert _due(catalogue, WorkKind.HEAL) == [BLOB]  # custody may be asked for to the end of the epoch
    await feed.next_epoch()
    assert _due(catalogue, WorkKind.HEAL) == []


async def test_heal__certificate_expires_unhealed__no_longer_wanted(feed: Feed, catalogue: Catalogue) -> None:
    number = await feed.register(BLOB, epochs=1)
    await feed.block(Certified(number))
    feed.epoch = Epoch(2)
    await feed.block()
    assert _due(catalogue, WorkKind.HEAL) == []
    assert _due(catalogue, WorkKind.FREE) == []


async def test_free__only_what_nobody_pays_for(feed: Feed, catalogue: Catalogue) -> None:
    first = await feed.register(BLOB)
    second = await feed.register(BLOB)
    await _hold(catalogue)
    await catalogue.free_blob(BLOB)
    assert catalogue.held(BLOB, 0) != set()
    await feed.block(Deleted(first, feed.epoch))
    assert _due(catalogue, WorkKind.FREE) == []
    await feed.block(Deleted(second, feed.epoch))
    assert _due(catalogue, WorkKind.FREE) == []
    await catalogue.free_blob(BLOB)
    assert catalogue.held(BLOB, 0) != set()
    await feed.next_epoch()
    assert _due(catalogue, WorkKind.FREE) == [BLOB]
    await catalogue.free_blob(BLOB)
    assert _due(catalogue, WorkKind.FREE) == []
    row = catalogue.blob(BLOB)
    assert row is not None
    assert (row.bytes, row.size) == (0, None)


async def test_free__registered_again_in_time__kept(feed: Feed, catalogue: Catalogue) -> None:
    first = await feed.register(BLOB)
    await _hold(catalogue)
    await feed.block(Deleted(first, feed.epoch))
    await feed.register(BLOB)
    assert _due(catalogue, WorkKind.FREE) == []
    await catalogue.free_blob(BLOB)
    assert catalogue.held(BLOB, 0) != set()


async def test_free__while_facts_are_replayed__nothing_until_all_are_in(feed: Feed, catalogue: Catalogue) -> None:
    await feed.register(BLOB, epochs=9)
    await _hold(catalogue)
    for _ in range(3):
        await feed.block()
    await catalogue.rewind(catalogue.trail[0])
    feed.objects = 0
    assert _due(catalogue, WorkKind.FREE) == []
    for _ in range(4):
        await feed.block()
    assert _due(catalogue, WorkKind.FREE) == []
    await feed.block()  # as high as before, and on this fork nobody registered the blob
    assert _due(catalogue, WorkKind.FREE) == [BLOB]


async def test_clock_turned_back_by_a_reorganisation__blob_is_certified_again(feed: Feed, catalogue: Catalogue) -> None:
    number = await feed.register(BLOB, epochs=1)
    await feed.block(Certified(number))
    before = catalogue.cursor
    assert before is not None
    feed.epoch = Epoch(2)
    await feed.block()
    assert _due(catalogue, WorkKind.HEAL) == []
    await catalogue.rewind(before)
    assert _due(catalogue, WorkKind.HEAL) == [BLOB]


async def test_new_committee__duties_and_completeness_change(feed: Feed, catalogue: Catalogue) -> None:
    number = await feed.register(BLOB, epochs=9)
    await feed.block(Certified(number))
    await _hold(catalogue)
    before = catalogue.cursor
    assert before is not None
    turned = bytes(4 - member for member in ASSIGNMENT)
    await feed.block(CommitteeFormed(Epoch(3), MEMBERS, turned))
    gone, come = (ShardIndex(1), ShardIndex(6)), (ShardIndex(3), ShardIndex(8))
    assert catalogue.duties == Duties(Epoch(3), 10, come, gone, keeping=gone, syncing=come, changing=True)
    assert _due(catalogue, WorkKind.HEAL) == [BLOB]
    row = catalogue.blob(BLOB)
    assert row is not None
    assert (row.held, row.required) == (0, 2)
    await catalogue.rewind(before)
    assert _due(catalogue, WorkKind.HEAL) == []


async def test_history__deleted_objects_are_forgotten_when_nothing_can_bring_them_back(
    feed: Feed, catalogue: Catalogue
) -> None:
    deleted, kept = await feed.register(BLOB, epochs=9), await feed.register(OTHER, epochs=9)
    await feed.block(Deleted(deleted, feed.epoch))
    for _ in range(40):
        await feed.block()
    assert catalogue.object(deleted) is not None  # the epoch in which it was deleted is not over
    await feed.next_epoch()
    for _ in range(15):
        await feed.block()
        assert catalogue.object(deleted) is not None
    await feed.block()
    assert catalogue.object(deleted) is None
    assert catalogue.blob(BLOB) is None
    assert catalogue.object(kept) is not None


async def test_history__expired_objects_are_kept_while_the_clock_can_be_turned_back(
    feed: Feed, catalogue: Catalogue
) -> None:
    number = await feed.register(BLOB, epochs=1)
    for _ in range(40):
        await feed.block()
    before = catalogue.cursor
    feed.epoch = Epoch(9)
    for _ in range(16):
        await feed.block()
        assert catalogue.object(number) is not None
    assert before in catalogue.trail
    await feed.block()
    assert catalogue.object(number) is None


async def test_history__trail_reaches_just_over_it(feed: Feed, catalogue: Catalogue) -> None:
    for _ in range(60):
        await feed.block()
    anchor, *kept = [cursor.block.number for cursor in catalogue.trail]
    assert anchor == 9
    assert kept == list(range(70 - 16, 71))


async def test_postpone__counts_and_waits(feed: Feed, catalogue: Catalogue) -> None:
    number = await feed.register(BLOB)
    await feed.block(Certified(number))
    (work,) = catalogue.due(WorkKind.HEAL, LATER, 9)
    await catalogue.postpone(work, 50.0, "peers are asleep")
    assert _due(catalogue, WorkKind.HEAL, now=1049.0) == []
    (again,) = catalogue.due(WorkKind.HEAL, 1050.0, 9)
    assert (again.attempts, again.problem) == (1, "peers are asleep")
    await _hold(catalogue)
    await catalogue.postpone(again, 50.0, "too late")
    assert _due(catalogue, WorkKind.HEAL) == []


async def test_due__longest_waiting_first_and_no_more_than_asked_for(
    feed: Feed, catalogue: Catalogue, clock: Clock
) -> None:
    for blob_id in (OTHER, BLOB):
        await feed.block(Certified(await feed.register(blob_id)))
        clock.now += 5
    assert _due(catalogue, WorkKind.HEAL) == [OTHER, BLOB]
    assert [work.blob_id for work in catalogue.due(WorkKind.HEAL, LATER, 1)] == [OTHER]


async def test_on_work__told_of_new_work_only(feed: Feed, catalogue: Catalogue) -> None:
    told: list[int] = []
    catalogue.on_work(lambda: told.append(1))
    number = await feed.register(BLOB)
    assert told == []
    await feed.block(Certified(number))
    assert told == [1]
    await feed.block()
    await _hold(catalogue)
    assert told == [1]


async def test_checks__oldest_first_and_marked(feed: Feed, catalogue: Catalogue, clock: Clock) -> None:
    await feed.register(BLOB)
    own = catalogue.duties.pairs(BLOB)
    for pack, pair in enumerate(own, start=1):
        await catalogue.add_pack(pack, BLOB, 0, [(pair, 0, 4)], b"data")
        clock.now += 1
    packs = catalogue.packs_to_check(clock.now, 9)
    assert [(row.pack, row.pairs) for row in packs] == [(1, ((own[0], 0, 4),)), (2, ((own[1], 0, 4),))]
    assert [row.pack for row in catalogue.packs_to_check(1001.0, 9)] == [1]
    clock.now = 2000.0
    catalogue.mark_checked([1])
    await feed.block()
    assert [row.pack for row in catalogue.packs_to_check(2001.0, 9)] == [2, 1]


async def test_attestations__noted_newest_first_and_replaced(feed: Feed, catalogue: Catalogue) -> None:
    signer = Address("0x00000000000000000000000000000000000000A1")
    given = [
        GivenAttestation(StorageAttestation(BLOB, await feed.register(BLOB), Epoch(1), True), signer, bytes(65), at)
        for at in (1.0, 2.0)
    ]
    for signed in [*given, given[0]]:
        catalogue.attestations.note(signed)
    await feed.block()
    assert catalogue.attestations.of(BLOB) == given[::-1]
    assert catalogue.attestations.of(OTHER) == []


async def test_totals(feed: Feed, catalogue: Catalogue) -> None:
    await feed.block(Certified(await feed.register(BLOB)))
    await feed.block(Certified(await feed.register(OTHER)))
    await _hold(catalogue)
    totals = catalogue.totals()
    assert (totals.blobs, totals.certified, totals.pairs, totals.heal, totals.free) == (1, 2, 2, 1, 0)
    assert totals.bytes == 8 + len(METADATA.to_bytes())
    assert totals.facts == 5
