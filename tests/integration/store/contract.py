"""What every sliver store must do, whatever is behind it; each back end's test runs it against the real thing."""

from __future__ import annotations

import pytest

from storage_agent.store.slivers import SliverStore
from walrus_chain.errors import SliverMissing

LARGE = bytes(range(256)) * 8192


async def check_contract(store: SliverStore) -> None:
    """Puts, reads, lists and deletes; leaves the store as it was."""
    await store.put("packs/000000/0000000001", [b"hello ", memoryview(b"world")])
    await store.put("packs/000001/0000000400", [LARGE])
    assert await store.get("packs/000000/0000000001") == b"hello world"
    assert await store.get("packs/000000/0000000001", 6, 3) == b"wor"
    assert await store.get("packs/000000/0000000001", 6) == b"world"
    assert await store.get("packs/000001/0000000400", 1_000_001, 4096) == LARGE[1_000_001 : 1_000_001 + 4096]
    assert await store.get("packs/000001/0000000400") == LARGE
    assert await store.get("packs/000001/0000000400", 5, 0) == b""

    await store.put("packs/000000/0000000002", [b"hello world"])
    assert {key async for key in store.keys("packs")} == {
        "packs/000000/0000000001",
        "packs/000000/0000000002",
        "packs/000001/0000000400",
    }
    assert [key async for key in store.keys("others")] == []

    await store.delete("packs/000000/0000000001")
    await store.delete("packs/000000/0000000001")
    with pytest.raises(SliverMissing):
        await store.get("packs/000000/0000000001")
    with pytest.raises(SliverMissing):
        await store.get("packs/000000/0000000001", 2, 3)
    assert await store.get("packs/000000/0000000002") == b"hello world", "equal bytes under another key stay"
    await store.delete("packs/000000/0000000002")
    await store.delete("packs/000001/0000000400")
    assert [key async for key in store.keys("packs")] == []
