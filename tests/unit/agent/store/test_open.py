"""From addresses to stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage_agent.store.catalogue import Catalogue
from storage_agent.store.cloud import CloudStore
from storage_agent.store.contents import Contents
from storage_agent.store.ipfs import IpfsStore
from storage_agent.store.local import LocalStore
from storage_agent.store.open import inline_bytes_for, open_store
from storage_agent.store.packs import DEFAULT_INLINE_BYTES
from walrus_chain.errors import UnknownStore
from walrus_chain.types import NodeId


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Contents]:
    opened = Catalogue.open(tmp_path / "c.db", network="1:x", node_id=NodeId(1), clock=lambda: 0.0)
    yield opened.contents
    opened.close()


def test_open__folder_or_file_address__local(index: Contents, tmp_path: Path) -> None:
    for url in (str(tmp_path / "a b"), (tmp_path / "a b").as_uri()):
        store = open_store(url, index)
        assert isinstance(store, LocalStore)
        assert store.name == str(tmp_path / "a b")


@pytest.mark.parametrize("url", ["s3://bucket/slivers?region=eu-west-1", "gs://bucket", "az://container/slivers"])
def test_open__cloud_addresses(index: Contents, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    store = open_store(url, index)
    assert isinstance(store, CloudStore)
    assert store.name == url.partition("?")[0]


def test_open__cloud_address_with_secrets__name_has_none(index: Contents) -> None:
    store = open_store("s3://bucket?access_key_id=me&secret_access_key=hush", index)
    assert "hush" not in store.name


@pytest.mark.parametrize("url", ["ipfs+http://127.0.0.1:5001", "ipfs+https://ipfs.example:443"])
def test_open__ipfs_address(index: Contents, url: str) -> None:
    store = open_store(url, index)
    assert isinstance(store, IpfsStore)
    assert store.name == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host/slivers", "ftp"),
        ("file://host/slivers", "three slashes"),
        ("s3://bucket?colour=blue", "colour"),
        ("ipfs+http://nowhere", "not the address of an IPFS daemon"),
    ],
)
def test_open__anything_else__refused_in_words(index: Contents, url: str, words: str) -> None:
    with pytest.raises(UnknownStore, match=words):
        open_store(url, index)


def test_inline_bytes__small_packs_stay_here_only_when_slivers_do() -> None:
    assert inline_bytes_for("/srv/slivers", -1) == DEFAULT_INLINE_BYTES
    assert inline_bytes_for("file:///srv/slivers", -1) == DEFAULT_INLINE_BYTES
    assert inline_bytes_for("s3://bucket", -1) == 0
    assert inline_bytes_for("s3://bucket", 100) == 100
