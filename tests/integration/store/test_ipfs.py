"""The IPFS back end against a real daemon, started by the test."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage_agent.store.catalogue import Catalogue
from storage_agent.store.contents import Contents
from storage_agent.store.open import open_store
from tests.integration.store.contract import check_contract
from walrus_chain.errors import StoreUnavailable
from walrus_chain.types import NodeId

DAEMON = Path(__file__).parents[1] / "ipfs"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.ipfs,
    pytest.mark.skipif(
        not (DAEMON / "node_modules").is_dir() or shutil.which("node") is None,
        reason="the IPFS daemon is not installed; run `make setup-ipfs`",
    ),
]


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[str]:
    """The host and port of a daemon that lives as long as the test."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(DAEMON / "daemon.mjs"),
        str(tmp_path / "repo"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            parts = json.loads(await process.stdout.readline())["api"].split("/")
        yield f"{parts[2]}:{parts[4]}"
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Contents]:
    opened = Catalogue.open(tmp_path / "c.db", network="1:x", node_id=NodeId(1), clock=lambda: 0.0)
    yield opened.contents
    opened.close()


async def test_ipfs__keeps_the_contract(daemon: str, index: Contents) -> None:
    store = open_store(f"ipfs+http://{daemon}", index)
    await check_contract(store)
    assert await store.free_bytes() is None
    await store.close()


async def test_ipfs__equal_packs__share_content_until_the_last_is_deleted(daemon: str, index: Contents) -> None:
    store = open_store(f"ipfs+http://{daemon}", index)
    await store.put("packs/1", [b"same"])
    await store.put("packs/2", [b"same"])
    content = index.content_of("packs/1")
    assert content is not None
    assert content == index.content_of("packs/2")
    await store.delete("packs/1")
    assert await store.get("packs/2") == b"same"
    await store.delete("packs/2")
    assert not index.content_is_used(content)
    await store.close()


async def test_ipfs__no_daemon__unavailable_and_nothing_forgotten(index: Contents) -> None:
    store = open_store("ipfs+http://127.0.0.1:1", index)
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1"):
        await store.put("packs/1", [b"x"])
    await index.set_content("packs/1", "bafkqaaa")
    with pytest.raises(StoreUnavailable):
        await store.get("packs/1")
    with pytest.raises(StoreUnavailable):
        await store.delete("packs/1")
    assert index.content_of("packs/1") == "bafkqaaa"
    await store.close()
