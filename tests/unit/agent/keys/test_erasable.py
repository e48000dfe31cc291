"""Keys that can be destroyed: there whole or not at all, found after crashes, and once gone never made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage_agent.node.access_refusals import KeysDestroyed
from tests.fakes.key_desk import Bench
from walrus_chain.types import BlobObjectId

OBJECT = BlobObjectId(5)


def file_of(bench: Bench) -> Path:
    """Where the secret lies."""
    return bench.folder / "keys1" / "erasable" / str(OBJECT)


async def test_make__again_and_after_a_restart__the_same(bench: Bench) -> None:
    first = await bench.desk.erasable.make(OBJECT)
    again = await bench.desk.erasable.make(OBJECT)
    bench.restart()
    found = await bench.desk.erasable.find(OBJECT)

    assert found is not None
    assert first.public == again.public == found.public


async def test_make__file__only_the_owner_may_read_and_its_name_is_its_number(bench: Bench) -> None:
    await bench.desk.erasable.make(OBJECT)

    assert file_of(bench).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file_of(bench).parent.iterdir()] == [str(OBJECT)]


async def test_make__killed_before_the_row_was_written__file_is_taken_up(bench: Bench) -> None:
    key = await bench.desk.erasable.make(OBJECT)
    bench.stop()
    for path in bench.folder.glob("c1.db*"):
        path.unlink()
    bench.start()

    found = await bench.desk.erasable.find(OBJECT)
    assert found is not None
    assert found.public == key.public
    row = bench.ledger.erasable(OBJECT)
    assert row is not None
    assert row.public_key == key.public.data


async def test_make__killed_while_the_file_was_written__made_anew(bench: Bench) -> None:
    file_of(bench).parent.mkdir(parents=True)
    file_of(bench).with_suffix(".new").write_bytes(b"half")

    assert (await bench.desk.erasable.make(OBJECT)).public.data


async def test_destroy__overwritten_and_gone_and_never_made_again(bench: Bench) -> None:
    key = await bench.desk.erasable.make(OBJECT)
    with file_of(bench).open("rb") as held:
        await bench.desk.erasable.destroy(OBJECT)
        left = held.read()

    assert len(left) == 32
    assert left != key.to_bytes()
    assert not file_of(bench).exists()
    for attempt in (bench.desk.erasable.make, bench.desk.erasable.find):
        with pytest.raises(KeysDestroyed):
            await attempt(OBJECT)


async def test_destroy__killed_before_the_file_was_unlinked__used_no_more_and_wiped_the_next_time(bench: Bench) -> None:
    await bench.desk.erasable.make(OBJECT)
    await bench.ledger.note_destroyed(OBJECT, 1.0)
    bench.restart()
    with pytest.raises(KeysDestroyed):
        await bench.desk.erasable.find(OBJECT)

    await bench.desk.erasable.destroy(OBJECT)
    await bench.desk.erasable.destroy(OBJECT)
    assert not file_of(bench).exists()


async def test_find__file_lost__said_to_be_gone(bench: Bench) -> None:
    await bench.desk.erasable.make(OBJECT)
    file_of(bench).unlink()

    with pytest.raises(KeysDestroyed):
        await bench.desk.erasable.find(OBJECT)
