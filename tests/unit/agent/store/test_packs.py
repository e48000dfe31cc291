"""Packs: small ones in the catalogue, large ones in the store; nothing half there, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage_agent.state.facts import Certified, Deleted
from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.local import LocalStore
from storage_agent.store.packs import Packs, key_of
from tests.unit.agent.store.conftest import Clock, Feed, open_catalogue
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.errors import PairNotHeld, SliverMissing, StoreFull, StoreUnavailable
from walrus_chain.types import PairIndex

METADATA = BlobMetadata(1000, 10, (SegmentMetadata(bytes(range(64)) * 10),))
WITH_METADATA = (METADATA, METADATA.to_bytes())
BLOB = METADATA.blob_id
SMALL, LARGE = b"small", b"rather large " * 4
INLINE = 20


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore.open(tmp_path / "slivers", reserve_bytes=0)


@pytest.fixture
async def packs(feed: Feed, catalogue: Catalogue, store: LocalStore) -> Packs:
    await feed.block(Certified(await feed.register(BLOB)))
    return Packs(catalogue, store, INLINE)


async def _stored(store: LocalStore) -> list[str]:
    return sorted([key async for key in store.keys("packs")])


def _own(catalogue: Catalogue) -> tuple[PairIndex, ...]:
    return catalogue.duties.pairs(BLOB)


@pytest.mark.parametrize(("data", "files"), [(SMALL, 0), (LARGE, 1)])
async def test_put__pairs_of_a_request__one_pack_and_all_readable(
    packs: Packs, catalogue: Catalogue, store: LocalStore, data: bytes, files: int
) -> None:
    own = _own(catalogue)
    await packs.put(BLOB, 0, {own[0]: data, own[1]: memoryview(data[::-1])}, WITH_METADATA)
    assert len(await _stored(store)) == files
    assert await packs.read(BLOB, 0, own[0]) == data
    assert await packs.read(BLOB, 0, own[1]) == data[::-1]
    assert await packs.read(BLOB, 0, own[1], 1, 3) == data[::-1][1:4]
    assert await packs.read(BLOB, 0, own[1], len(data) - 1, 3) == data[:1]
    (row,) = catalogue.packs_to_check(10**6, 9)
    assert dict(await packs.read_pack(row)) == {own[0]: data, own[1]: data[::-1]}
    blob = catalogue.blob(BLOB)
    assert blob is not None
    assert blob.complete


async def test_put__again__nothing_written(packs: Packs, catalogue: Catalogue, store: LocalStore) -> None:
    first, second = _own(catalogue)
    await packs.put(BLOB, 0, {first: LARGE})
    await packs.put(BLOB, 0, {first: LARGE}, WITH_METADATA)
    assert len(await _stored(store)) == 1
    assert catalogue.metadata(BLOB) is not None
    await packs.put(BLOB, 0, {first: LARGE, second: LARGE})
    assert await packs.read(BLOB, 0, first) == await packs.read(BLOB, 0, second) == LARGE
    assert sum(row.bytes for row in catalogue.packs_to_check(10**6, 9)) == 2 * len(LARGE)


async def test_put__no_room__nothing_is_held(packs: Packs, catalogue: Catalogue, tmp_path: Path) -> None:
    full = Packs(catalogue, LocalStore.open(tmp_path / "full", reserve_bytes=2**60), INLINE)
    pair = _own(catalogue)[0]
    with pytest.raises(StoreFull):
        await full.put(BLOB, 0, {pair: LARGE}, WITH_METADATA)
    assert catalogue.held(BLOB, 0) == set()
    assert catalogue.metadata(BLOB) is None


async def test_read__not_held(packs: Packs) -> None:
    with pytest.raises(PairNotHeld, match="pair 3 of segment 0"):
        await packs.read(BLOB, 0, PairIndex(3))


@pytest.mark.parametrize("damage", ["gone", "cut short"])
async def test_read__file_lost__forgotten_so_that_it_is_healed(
    packs: Packs, catalogue: Catalogue, store: LocalStore, tmp_path: Path, damage: str
) -> None:
    first, second = _own(catalogue)
    await packs.put(BLOB, 0, {first: LARGE, second: LARGE}, WITH_METADATA)
    file = tmp_path / "slivers" / (await _stored(store))[0]
    file.unlink() if damage == "gone" else file.write_bytes(LARGE + LARGE[:5])
    with pytest.raises(PairNotHeld):
        await packs.read(BLOB, 0, second)
    assert catalogue.held(BLOB, 0) == {first}
    assert [work.blob_id for work in catalogue.due(WorkKind.HEAL, 1000.0, 9)] == [BLOB]
    await packs.put(BLOB, 0, {second: LARGE})
    assert await packs.read(BLOB, 0, second) == LARGE


async def test_read__store_fails__says_so_and_forgets_nothing(
    packs: Packs, catalogue: Catalogue, store: LocalStore, tmp_path: Path
) -> None:
    pair = _own(catalogue)[0]
    await packs.put(BLOB, 0, {pair: LARGE})
    file = tmp_path / "slivers" / (await _stored(store))[0]
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreUnavailable):
        await packs.read(BLOB, 0, pair)
    assert catalogue.held(BLOB, 0) == {pair}


async def test_free_then_collect__bytes_are_gone(
    packs: Packs, feed: Feed, catalogue: Catalogue, store: LocalStore
) -> None:
    first, second = _own(catalogue)
    await packs.put(BLOB, 0, {first: LARGE}, WITH_METADATA)
    await packs.put(BLOB, 0, {second: SMALL})
    await feed.block(*[Deleted(record.blob_object, feed.epoch) for record in catalogue.objects_of(BLOB)])
    await feed.next_epoch()
    await packs.free(BLOB)
    assert catalogue.held(BLOB, 0) == set()
    assert await packs.collect() == 1
    assert await _stored(store) == []
    assert catalogue.due(WorkKind.COLLECT, 10**6, 9) == []
    assert await packs.collect() == 0


async def test_collect__store_fails_in_the_middle__rest_stays_on_the_list(
    packs: Packs, catalogue: Catalogue, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = _own(catalogue)[0]
    await packs.put(BLOB, 0, {pair: LARGE})
    await packs.forget(BLOB, [(0, pair)])

    async def fail(_key: str) -> None:
        raise StoreUnavailable(store.name, "unplugged")

    with monkeypatch.context() as patched:
        patched.setattr(store, "delete", fail)
        with pytest.raises(StoreUnavailable):
            await packs.collect()
    assert catalogue.garbage(9) == [1]
    assert [work.kind for work in catalogue.due(WorkKind.COLLECT, 1000.0, 9)] == [WorkKind.COLLECT]
    assert await packs.collect() == 1


async def test_sweep__after_a_crash__store_and_rows_agree_again(
    packs: Packs, catalogue: Catalogue, store: LocalStore, tmp_path: Path
) -> None:
    first, second = _own(catalogue)
    await packs.put(BLOB, 0, {first: LARGE}, WITH_METADATA)
    await packs.put(BLOB, 0, {second: LARGE})
    await store.delete(key_of(1))
    await packs.forget(BLOB, [(0, second)])
    await packs.put(BLOB, 0, {second: LARGE})
    await store.put("packs/readme", [b"not ours"])
    catalogue.close()

    again = open_catalogue(tmp_path, Clock())
    under_way = key_of(again.next_pack())
    await store.put(under_way, [b"stored, its row is about to be written"])
    swept = Packs(again, store, INLINE)
    assert await swept.sweep() == 2  # pack 1 is gone, pack 2 is garbage that no crash may resurrect
    assert again.held(BLOB, 0) == {second}
    assert await swept.read(BLOB, 0, second) == LARGE
    assert [work.blob_id for work in again.due(WorkKind.HEAL, 1000.0, 9)] == [BLOB]
    assert await _stored(store) == sorted([key_of(3), under_way, "packs/readme"])
    assert await swept.sweep() == 0
    again.close()


async def test_read_pack__gone__missing(packs: Packs, catalogue: Catalogue, store: LocalStore) -> None:
    await packs.put(BLOB, 0, {_own(catalogue)[0]: LARGE})
    (row,) = catalogue.packs_to_check(10**6, 9)
    await store.delete(key_of(row.pack))
    with pytest.raises(SliverMissing):
        await packs.read_pack(row)
