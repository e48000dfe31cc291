"""The `walrus` command against a real network: what it prints for programs, and its exit codes."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.client.lying_uploader import certify_bad_blob
from walrus_chain.cli.main import run
from walrus_chain.client.home import Network, WalrusHome
from walrus_chain.devnet.pytest_plugin import WalrusNetwork

pytestmark = pytest.mark.integration
Walrus = Callable[..., tuple[int, bytes, str]]
WORD_COUNT = Path(__file__).parents[3] / "examples" / "programs" / "word_count.wasm"


@pytest.fixture
def walrus(
    walrus_network: WalrusNetwork,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Walrus:
    """Runs `walrus`, with a wallet and a network of its own: exit code, standard output, standard error."""
    home = WalrusHome(tmp_path / "home")
    home.add_network(Network("test", (walrus_network.rpc_url,), walrus_network.devnet.deployment))
    home.add_wallet("test", walrus_network.account, "secret", keep_password=True)
    monkeypatch.setenv("WALRUS_HOME", str(home.folder))

    def call(*arguments: object, stdin: bytes = b"") -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return call


def data_of(ended: tuple[int, bytes, str]) -> Any:
    code, out, err = ended
    assert (code, err) == (0, "")
    return json.loads(out)


def test_store_read_status_list_delete(walrus: Walrus, walrus_network: WalrusNetwork, tmp_path: Path) -> None:
    first, second = os.urandom(20_000), os.urandom(7)
    (tmp_path / "first").write_bytes(first)
    store = walrus("store", tmp_path / "first", "-", "--epochs", "3", "-a", "kind=test", "--json", stdin=second)
    [one, two] = data_of(store)["blobs"]
    assert (one["size"], two["size"], two["name"]) == (20_000, 7, "standard input")
    assert one["endEpoch"] == two["endEpoch"]
    assert int(one["paid"]) > 0

    assert walrus("read", one["blobId"]) == (0, first, "")
    assert walrus("read", one["hex"], "--range", "5-9") == (0, first[5:10], "")
    assert walrus("read", two["object"]) == (0, second, "")
    read = data_of(walrus("read", one["blobId"], "-o", tmp_path / "copy", "--check", "strict", "--json"))
    assert (tmp_path / "copy").read_bytes() == first
    assert (read["size"], read["suspects"]) == (20_000, [])

    status = data_of(walrus("status", one["blobId"], "--json"))
    assert status["objects"][0]["status"] == "certified"
    assert status["objects"][0]["attributes"] == {"kind": "test"}
    assert status["healthyShards"] >= status["shards"] * 2 // 3

    listed = data_of(walrus("list", "--json"))
    assert {one["object"], two["object"]} <= {item["object"] for item in listed["objects"]}
    assert listed["owner"] == walrus_network.account.address

    assert int(data_of(walrus("delete", one["object"], "--yes", "--json"))["refunded"]) > 0
    code, _, err = walrus("status", one["object"], "--json")
    assert (code, json.loads(err)["error"]["code"]) == (3, "BlobNotFound")


def test_dry_run__pays_nothing_and_says_what_it_would(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1000))
    before = data_of(walrus("wallet", "balance", "--json"))
    [quote] = data_of(walrus("store", tmp_path / "file", "--epochs", "5", "--dry-run", "--json"))["blobs"]
    assert data_of(walrus("wallet", "balance", "--json")) == before
    [stored] = data_of(walrus("store", tmp_path / "file", "--epochs", "5", "--json"))["blobs"]
    assert (stored["paid"], stored["blobId"]) == (quote["total"], quote["blobId"])
    assert walrus("blob-id", tmp_path / "file", "--shards", "10")[1].decode().strip() == stored["blobId"]


def test_store__one_of_two_unreadable__stores_the_other_and_fails(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1000))
    code, out, _ = walrus("store", tmp_path / "nothing", tmp_path / "file", "--json")
    missing, stored = json.loads(out)["blobs"]
    assert code == 3
    assert missing["error"]["code"] == "SourceUnreadable"
    assert stored["outcome"] == "stored"


def test_refused_by_the_chain__has_its_own_exit_code(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1000))
    code, _, err = walrus("store", tmp_path / "file", "--epochs", "100000", "--json")
    assert (code, json.loads(err)["error"]["kind"]) == (4, "Rejected")


def test_wrong_password__stores_nothing(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "wrong").write_text("not it")
    code, _, err = walrus("store", tmp_path / "file", "--password-file", tmp_path / "wrong", "--json")
    assert (code, json.loads(err)["error"]["code"]) == (3, "WrongPassword")


def test_info_and_health(walrus: Walrus) -> None:
    info = data_of(walrus("info", "--json"))
    health = data_of(walrus("health", "--json"))
    assert info["shards"] == health["shards"] == health["shardsUp"] == 10
    assert info["members"] == len(health["nodes"])


def test_extend_transfer_attributes(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(500))
    [stored] = data_of(walrus("store", tmp_path / "file", "--json"))["blobs"]
    assert data_of(walrus("extend", stored["blobId"], "-e", "2", "--json"))["endEpoch"] == stored["endEpoch"] + 2
    assert data_of(walrus("attributes", stored["object"], "a=1", "b=2", "--json")) == {"a": "1", "b": "2"}
    assert data_of(walrus("attributes", stored["object"], "--remove", "a", "--json")) == {"b": "2"}
    assert data_of(walrus("attributes", stored["blobId"], "--json")) == {"b": "2"}
    other = "0x00000000000000000000000000000000000000A1"
    assert data_of(walrus("transfer", stored["object"], other, "--json"))["to"] == other
    assert data_of(walrus("list", other, "--json"))["objects"][0]["object"] == stored["object"]


def test_network_deploy__makes_a_new_network_known(
    walrus: Walrus, walrus_network: WalrusNetwork, tmp_path: Path
) -> None:
    options = ("--rpc", walrus_network.rpc_url, "--shards", "7", "--epoch-seconds", "60", "--supply", "5000 WAL")
    deployed = data_of(walrus("network", "deploy", "mine", *options, "--save", tmp_path / "mine.json", "--json"))
    assert deployed["contracts"] == json.loads((tmp_path / "mine.json").read_text())["contracts"]
    info = data_of(walrus("info", "--network", "mine", "--json"))
    assert (info["shards"], info["epochSeconds"], info["members"]) == (7, 60, 0)
    assert info["balances"]["wal"] == str(5000 * 10**18)
    added = data_of(walrus("network", "add", "again", *options[:2], "--deployment", tmp_path / "mine.json", "--json"))
    assert added["contracts"] == deployed["contracts"]
    code, _, err = walrus("store", tmp_path / "mine.json", "--network", "mine", "--json")
    assert (code, json.loads(err)["error"]["code"]) == (4, "CommitteeNotFormed")


def test_rejection__as_json__carries_its_evidence(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(100))
    _, _, err = walrus("store", tmp_path / "file", "--epochs", "100000", "--json")
    error = json.loads(err)["error"]
    assert (error["code"], error["epochs"]) == ("WrongTerm", 100_000)


def test_invalidate__bad_blob_is_marked_good_one_is_not(
    walrus: Walrus, walrus_network: WalrusNetwork, tmp_path: Path
) -> None:
    blob, number = asyncio.run(certify_bad_blob(walrus_network, 4000))
    marked = data_of(walrus("invalidate", blob.blob_id, "--json"))
    assert (marked["blobId"], marked["objects"]) == (str(blob.blob_id), [number])
    assert marked["transaction"].startswith("0x")
    assert walrus("invalidate", number) == (0, f"Blob {blob.blob_id} was invalid already\n".encode(), "")

    (tmp_path / "file").write_bytes(os.urandom(500))
    [stored] = data_of(walrus("store", tmp_path / "file", "--json"))["blobs"]
    code, _, err = walrus("invalidate", stored["blobId"], "--json")
    assert (code, json.loads(err)["error"]["code"]) == (3, "BlobIsConsistent")


def test_compute__from_the_program_to_the_result_and_the_trigger(walrus: Walrus, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"one two\n" + os.urandom(8).hex().encode())
    program = data_of(walrus("compute", "publish", WORD_COUNT, "--json"))["blobId"]
    policy = data_of(walrus("compute", "allow", program, "--json"))["policy"]
    store = ("store", tmp_path / "text", "--json")
    [private] = data_of(walrus(*store, "--private", "--policy", policy))["blobs"]
    [public] = data_of(walrus(*store))["blobs"]
    request = ("compute", "request", program)

    code, _, err = walrus(*request, public["object"], "--fee", "3", "--max", "2", "--json")
    assert (code, json.loads(err)["error"]["code"]) == (3, "JobAboveLimit")
    code, _, err = walrus(*request, private["object"], "--fee", "3", "--json")
    assert (code, json.loads(err)["error"]["code"]) == (3, "InputsUnreadable")
    quote = data_of(walrus(*request, public["object"], "--fee", "3", "--dry-run", "--json"))
    assert (int(quote["total"]), quote["sealed"]) == (3 * 10**18, False)

    job = data_of(walrus(*request, private["object"], "--fee", "3", "--fuel", quote["fuel"], "--json"))["job"]
    ended = data_of(walrus("compute", "watch", job, "--json"))
    assert (ended["status"], len(ended["agreeing"])) == ("settled", 3)
    result = data_of(walrus("compute", "result", job, "-o", tmp_path / "answer", "--json"))
    assert (result["ending"], result["sealed"]) == ("finished", True)
    assert (tmp_path / "answer").read_bytes().split()[-2] == str((tmp_path / "text").stat().st_size).encode()

    short = data_of(walrus(*request, public["object"], "--fee", "3", "--fuel", "1", "--json"))["job"]
    data_of(walrus("compute", "watch", short, "--json"))
    code, out, _ = walrus("compute", "result", short, "--json")
    assert (code, json.loads(out)["ending"]) == (1, "out of fuel")

    create = ("compute", "trigger", "create", "every-epochs", program, public["object"], "--fee", "3")
    number = data_of(walrus(*create, "--epochs", "2", "--json"))["trigger"]
    assert data_of(walrus("compute", "trigger", "fund", number, "5wei", "--json"))["balance"] == "5"
    assert data_of(walrus("compute", "trigger", "withdraw", number, "--json"))["amount"] == "5"
    assert data_of(walrus("compute", "trigger", "show", number, "--json"))["kind"] == "every-epochs"
