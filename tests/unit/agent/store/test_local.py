"""Slivers in a directory: durable before `put` returns, whole or not there."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage_agent.store.local import LocalStore
from walrus_chain.errors import SliverMissing, StoreFull, StoreUnavailable


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore.open(tmp_path / "slivers", reserve_bytes=0)


async def test_put__parts__come_back_joined_and_in_ranges(store: LocalStore) -> None:
    await store.put("packs/a/1", [b"hello", memoryview(b" "), bytearray(b"world"), b""])
    assert await store.get("packs/a/1") == b"hello world"
    assert await store.get("packs/a/1", 6) == b"world"
    assert await store.get("packs/a/1", 4, 3) == b"o w"
    assert await store.get("packs/a/1", 9, 100) == b"ld"
    assert await store.get("packs/a/1", 100, 5) == b""


async def test_put__folders_were_deleted_behind_its_back__made_again(store: LocalStore, tmp_path: Path) -> None:
    await store.put("packs/a/1", [b"one"])
    shutil.rmtree(tmp_path / "slivers" / "packs")
    await store.put("packs/a/2", [b"two"])
    assert await store.get("packs/a/2") == b"two"


async def test_put__root_is_gone__unavailable_and_not_made_again(store: LocalStore, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "slivers")
    with pytest.raises(StoreUnavailable):
        await store.put("packs/a/1", [b"one"])
    assert not (tmp_path / "slivers").exists()


async def test_put__thousands_of_parts__all_written(store: LocalStore) -> None:
    parts = [bytes([index % 251]) * (index % 7) for index in range(3000)]
    await store.put("packs/a/1", parts)
    assert await store.get("packs/a/1") == b"".join(parts)


async def test_put__short_writes__all_written(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "writev", lambda handle, parts: os.write(handle, bytes(parts[0])[:2]))
    await store.put("packs/a/1", [b"abcde", b"fg"])
    assert await store.get("packs/a/1") == b"abcdefg"


async def test_put__syncs_file_then_renames_then_syncs_folder(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def watched_fsync(handle: int) -> None:
        happened.append("sync " + Path(f"/proc/self/fd/{handle}").resolve().name.rpartition(".")[2])
        fsync(handle)

    def watched_rename(path: Path, target: Path) -> Path:
        happened.append(f"rename to {target.name}")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    await store.put("packs/a/1", [b"x"])
    assert happened == ["sync slivers", "sync packs", "sync tmp", "rename to 1", "sync a"]
    happened.clear()
    await store.put("packs/a/2", [b"x"])
    assert happened == ["sync tmp", "rename to 2", "sync a"]


async def test_put__fails_in_the_middle__nothing_under_the_key_and_no_draft(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_handle: int) -> None:
        raise OSError(errno.EIO, "the disk is sick")

    monkeypatch.setattr(os, "fsync", fail)
    await _make_folder(store, monkeypatch, fail)
    with pytest.raises(StoreUnavailable, match="the disk is sick"):
        await store.put("packs/a/1", [b"x"])
    assert _files(tmp_path) == []


async def _make_folder(store: LocalStore, monkeypatch: pytest.MonkeyPatch, fail: Callable[[int], None]) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _handle: None)
        await store.put("packs/a/0", [b""])
        await store.delete("packs/a/0")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_put__disk_full__store_full_and_no_draft(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*_arguments: Any) -> int:
        raise OSError(code, "full")

    monkeypatch.setattr(os, "writev", fail)
    with pytest.raises(StoreFull) as caught:
        await store.put("packs/a/1", [b"four"])
    assert caught.value.needed == 4
    assert _files(tmp_path) == []


async def test_put__into_the_reserve__refused_before_writing(tmp_path: Path) -> None:
    store = LocalStore.open(tmp_path, reserve_bytes=2**60)
    with pytest.raises(StoreFull, match="no room for 1 bytes, 0 are free"):
        await store.put("packs/a/1", [b"x"])
    assert await store.free_bytes() == 0


async def test_get__never_put__missing(store: LocalStore) -> None:
    with pytest.raises(SliverMissing, match="packs/a/1"):
        await store.get("packs/a/1")


async def test_delete__twice__gone(store: LocalStore) -> None:
    await store.put("packs/a/1", [b"x"])
    await store.delete("packs/a/1")
    await store.delete("packs/a/1")
    with pytest.raises(SliverMissing):
        await store.get("packs/a/1")


async def test_keys__those_below_the_folder_without_drafts(store: LocalStore, tmp_path: Path) -> None:
    for key in ("packs/a/1", "packs/b/2", "other/3"):
        await store.put(key, [b"x"])
    (tmp_path / "slivers" / "9-9.tmp").touch()
    assert {key async for key in store.keys("packs")} == {"packs/a/1", "packs/b/2"}
    assert [key async for key in store.keys("nothing")] == []


async def test_open__again__keeps_bytes_and_removes_drafts(store: LocalStore, tmp_path: Path) -> None:
    await store.put("packs/a/1", [b"x"])
    draft = tmp_path / "slivers" / "9-9.tmp"
    draft.touch()
    again = LocalStore.open(tmp_path / "slivers")
    assert await again.get("packs/a/1") == b"x"
    assert not draft.exists()
    await again.put("packs/a/2", [b"y"])


def test_open__a_file_is_in_the_way__unavailable(tmp_path: Path) -> None:
    (tmp_path / "slivers").touch()
    with pytest.raises(StoreUnavailable, match="slivers"):
        LocalStore.open(tmp_path / "slivers")
