"""The S3 back end against a real S3 server (moto's)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from storage_agent.store import cloud
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.contents import Contents
from storage_agent.store.open import open_store
from storage_agent.store.slivers import SliverStore
from tests.integration.store.contract import check_contract
from walrus_chain.errors import StoreUnavailable
from walrus_chain.types import NodeId

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Contents]:
    opened = Catalogue.open(tmp_path / "c.db", network="1:x", node_id=NodeId(1), clock=lambda: 0.0)
    yield opened.contents
    opened.close()


@pytest.fixture
def store(endpoint: str, index: Contents, monkeypatch: pytest.MonkeyPatch) -> SliverStore:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    httpx.put(f"{endpoint}/slivers").raise_for_status()
    return open_store(f"s3://slivers/node-1?region=us-east-1&endpoint={endpoint}", index)


async def test_s3__keeps_the_contract(store: SliverStore) -> None:
    await check_contract(store)
    assert await store.free_bytes() is None
    assert store.name == "s3://slivers/node-1"


async def test_s3__no_such_bucket__unavailable_rather_than_every_sliver_missing(
    endpoint: str, store: SliverStore, index: Contents
) -> None:
    lost = open_store(f"s3://nowhere?region=us-east-1&endpoint={endpoint}", index)
    key = "packs/000000/0000000001"
    for call in (
        lost.put(key, [b"x"]),
        lost.get(key),
        lost.get(key, 2, 3),
        lost.delete(key),
        anext(aiter(lost.keys("packs"))),
    ):
        with pytest.raises(StoreUnavailable, match="s3://nowhere"):
            await call


async def test_s3__nobody_answers__unavailable(index: Contents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "_RETRIES", 0)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    dead = open_store("s3://slivers?region=us-east-1&endpoint=http://127.0.0.1:1", index)
    with pytest.raises(StoreUnavailable, match="s3://slivers"):
        await dead.put("packs/000000/0000000001", [b"x"])
