"""Commands on a running network: for people, for programs, in pipes, interrupted, refused."""

from __future__ import annotations

import asyncio
import hashlib
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.shell import Shell

_WEI = re.compile(r"\d+")
_HEX = re.compile(r"0x[0-9a-f]+")
_BLOB_ID = re.compile(r"[\w-]{43}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_UNKNOWN_BLOB = "A" * 43


def _content(size: int, seed: str) -> bytes:
    return hashlib.shake_256(seed.encode()).digest(size)


def _store(user: Shell, name: str, content: bytes, options: str = "") -> dict[str, Any]:
    user.write(name, content)
    [blob] = user.ok(f"walrus store {name} {options} --json").data["blobs"]
    assert isinstance(blob, dict)
    return blob


def _wal(user: Shell, wallet: str = "devnet") -> int:
    return int(user.ok(f"walrus wallet balance --wallet {wallet} --json").data["wal"])


# -- what programs read ----------------------------------------------------------------------------------------------


def test_json__of_a_blobs_life__has_the_documented_fields(user: Shell) -> None:
    user.write("life", _content(3000, "life"))

    [quote] = user.ok("walrus store life --epochs 3 --dry-run --json").data["blobs"]
    _matches(quote, {"name": "life", "blobId": _BLOB_ID, "size": 3000, "total": _WEI, "already": None})

    [stored] = user.ok("walrus store life --epochs 3 --attribute type=text --json").data["blobs"]
    blob_object = stored["object"]
    _matches(
        stored,
        {
            "name": "life",
            "blobId": quote["blobId"],
            "hex": _HEX,
            "object": int,
            "size": 3000,
            "endEpoch": int,
            "deletable": True,
            "outcome": "stored",
            "paid": quote["total"],
            "shardsAttested": int,
            "transaction": _HEX,
            "skipped": dict,
        },
    )

    status = user.ok(f"walrus status {blob_object} --json").data
    [item] = status["objects"]
    _matches(status, {"blobId": quote["blobId"], "size": 3000, "shards": 10})
    _matches(item, {"object": blob_object, "status": "certified", "owner": _ADDRESS, "attributes": {"type": "text"}})

    listed = user.ok("walrus list --json").data["objects"]
    assert [row["status"] for row in listed if row["object"] == blob_object] == ["certified"]

    extended = user.ok(f"walrus extend {blob_object} --epochs 2 --json").data
    assert extended["endEpoch"] == stored["endEpoch"] + 2

    read = user.ok(f"walrus read {blob_object} -o copy --json").data
    _matches(read, {"blobId": quote["blobId"], "size": 3000, "output": "copy", "suspects": []})

    deleted = user.ok(f"walrus delete {blob_object} --json").data
    assert int(deleted["refunded"]) > 0
    gone = user.run(f"walrus status {blob_object} --json")
    assert (gone.code, gone.output) == (3, b"")
    _matches(gone.error, {"code": "BlobNotFound", "kind": "Misuse", "message": str})


def test_json__of_the_network__has_the_documented_fields(user: Shell) -> None:
    status = user.ok("walrus devnet status --json").data
    assert [agent["running"] for agent in status["agents"]] == [True] * 4
    assert len(user.ok("walrus health --json").data["nodes"]) == 4
    info = user.ok("walrus info --json").data
    _matches(info, {"network": "devnet", "shards": 10, "faults": 3, "quorum": 7, "members": 4, "account": _ADDRESS})
    _matches(info["balances"], {"wal": _WEI, "native": _WEI, "claim": _WEI})
    [network] = user.ok("walrus network list --json").data
    _matches(network, {"name": "devnet", "chainId": 31337, "used": True})


def test_json__of_stake_and_of_the_economy__has_the_documented_fields(user: Shell) -> None:
    user.ok("walrus wallet withdraw")  # what other tests left in the vault
    before = _wal(user)
    added = user.ok("walrus stake add 2 50 --json").data
    _matches(added, {"node": 2, "staked": str(50 * 10**18), "activeFrom": int, "transaction": _HEX})
    assert before - _wal(user) == 50 * 10**18

    [stake] = user.ok("walrus stake list --json").data["stakes"]
    _matches(stake, {"node": 2, "serving": True, "active": "0", "waiting": str(50 * 10**18), "due": "0"})
    assert stake["waitingUntil"] == added["activeFrom"]
    early = user.run("walrus stake remove 2 --all --json")
    _matches(early.error, {"code": "NothingStaked", "kind": "Misuse", "waiting": 50 * 10**18})
    _matches(user.run("walrus stake claim --json").error, {"code": "NothingOwed", "kind": "Misuse"})
    _matches(user.run("walrus stake add 5 1 --json").error, {"code": "NoSuchNode", "kind": "Misuse"})
    _matches(user.run("walrus stake withdraw 2 --json").error, {"code": "NothingDue", "kind": "Rejected"})
    assert user.ok("walrus stake settle 2 --json").data["node"] == 2

    committee = user.ok("walrus info committee --json").data
    _matches(committee, {"shards": 10, "faults": 3, "pendingShards": [], "officeEpoch": int})
    assert sum(len(member["shards"]) for member in committee["members"]) == 10
    epoch = user.ok("walrus info epoch --json").data
    assert epoch["begins"] < epoch["custody"]["opens"] < epoch["cut"] <= epoch["custody"]["until"] < epoch["ends"]
    price = user.ok("walrus info price --json").data
    _matches(price["today"], {"unitPrice": _WEI, "writeFee": _WEI})
    assert [vote["vote"] for vote in price["votes"]] == [None] * 4
    for part in ("committee", "epoch", "price"):
        assert user.ok(f"walrus info {part}").text.strip()


def _matches(data: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each field is there, and equal, of the type, or of the form that is expected."""
    for name, value in expected.items():
        actual = data[name]
        if isinstance(value, re.Pattern):
            assert value.fullmatch(actual), f"{name} is {actual!r}"
        elif isinstance(value, type):
            assert isinstance(actual, value), f"{name} is {actual!r}"
        else:
            assert actual == value, f"{name} is {actual!r}"


# -- sizes and pipes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_pipes__in_and_out__give_the_same_bytes(user: Shell, size: int) -> None:
    user.write("piped", _content(size, f"piped {size}"))

    [stored] = user.ok("cat piped | walrus store - --json").data["blobs"]
    assert stored["size"] == size
    user.ok(f"walrus read {stored['blobId']} | cmp - piped")


def test_store__several_files__one_that_is_missing_does_not_hold_the_others_up(user: Shell) -> None:
    user.write("first", b"first")
    user.write("third", b"third")

    ran = user.run("walrus store first second third --json")

    assert ran.code == 3
    first, second, third = ran.data["blobs"]
    assert (first["outcome"], third["outcome"]) == ("stored", "stored")
    assert "second" in second["error"]["message"]


def test_read__a_reader_that_has_enough__ends_quietly(user: Shell) -> None:
    stored = _store(user, "long", _content(2_000_000, "long"))

    ran = user.run(f"walrus read {stored['object']} | head -c 10 | wc -c")

    assert (ran.text.strip(), ran.said) == ("10", "")
    assert ran.code == 141


# -- interrupted -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("options", [(), ("--private",)])
def test_store__interrupted_half_way__goes_on_without_paying_twice(
    user: Shell, number: signal.Signals, options: tuple[str, ...]
) -> None:
    content = _content(200_000, f"interrupted by {number} {options}")
    user.write("interrupted", content)
    store = " ".join(("walrus store interrupted", *options))
    [quote] = user.ok(f"{store} --dry-run --json").data["blobs"]
    blob_id, price = quote["blobId"], int(quote["total"])
    agents = user.ok("walrus devnet status --json").data["agents"]
    before = _wal(user)

    # With two of four agents asleep there is no quorum, so it cannot end before it is interrupted.
    with _asleep(agents[0]["pid"], agents[1]["pid"]):
        storing = user.begin("walrus", "store", "interrupted", *options)
        _until(lambda: all(_holds(agent["url"], blob_id) for agent in agents[2:]))
        storing.send_signal(number)
        _, said = storing.communicate(timeout=30)
    if number == signal.SIGINT:
        assert storing.returncode == 130
        assert b"goes on when you store the same file again" in said
        assert b"Traceback" not in said

    [stored] = user.ok(f"{store} --json").data["blobs"]
    assert (stored["outcome"], stored["paid"]) == ("resumed", "0")
    assert before - _wal(user) == price
    user.ok(f"walrus read {blob_id} | cmp - interrupted")


@contextmanager
def _asleep(*pids: int) -> Iterator[None]:
    """Processes that hold still while the block runs."""
    for pid in pids:
        psutil.Process(pid).suspend()
    try:
        yield
    finally:
        for pid in pids:
            psutil.Process(pid).resume()


def _holds(url: str, blob_id: str) -> bool:
    known = httpx.get(f"{url}/v1/blobs/{blob_id}", trust_env=False).json()
    return bool(known["known"] and known["pairs"] and not known["missing"])


def _until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds:.0f} s"
        time.sleep(0.02)


# -- refused ---------------------------------------------------------------------------------------------------------


def test_read__blob_that_does_not_exist__says_so_and_writes_nothing(user: Shell) -> None:
    ran = user.run(f"walrus read {_UNKNOWN_BLOB} -o nothing")

    assert ran.code == 3
    assert "never registered in this network" in ran.said
    assert not (user.folder / "nothing").exists()


def test_store__wrong_password__says_which_wallet_and_pays_nothing(user: Shell) -> None:
    user.write("wrong-password", b"not the password\n")
    user.write("secret", b"secret")
    before = _wal(user)

    ran = user.run("walrus store secret --password-file wrong-password")

    assert ran.code == 3
    assert "that password does not open wallet 'devnet'" in ran.said
    assert _wal(user) == before


def test_store__no_wal__says_how_much_is_missing_and_how_to_get_it(user: Shell) -> None:
    address = _wallet_without_wal(user, "poor", native=10**18)
    user.write("dear", _content(1000, "dear"))
    price = int(user.ok("walrus store dear --dry-run --json").data["blobs"][0]["total"])

    ran = user.run("walrus store dear --wallet poor --password-file poor.password --json")

    assert ran.code == 4
    _matches(ran.error, {"code": "NotEnoughWal", "kind": "Rejected", "missing": price, "have": 0, "needed": price})
    assert "missing" in ran.error["message"]
    assert address in ran.error["message"]
    assert user.run("walrus store dear --wallet poor --password-file poor.password").said.startswith("Error: ")


def test_store__no_money_for_gas__says_so(user: Shell) -> None:
    address = _wallet_without_wal(user, "broke", native=0)
    user.write("dear", _content(1000, "dear"))

    ran = user.run("walrus store dear --wallet broke --password-file broke.password --json")

    assert ran.code == 3
    _matches(ran.error, {"code": "NotEnoughGasMoney", "account": address})
    assert "gas" in ran.error["message"]


def _wallet_without_wal(user: Shell, name: str, *, native: int) -> str:
    user.write(f"{name}.password", b"a password\n")
    address = user.ok(f"walrus wallet new {name} --password-file {name}.password --json").data["address"]
    assert isinstance(address, str)
    rpc = user.ok("walrus devnet status --json").data["chain"]["url"]
    asyncio.run(_set_balance(rpc, address, native))
    return address


async def _set_balance(rpc: str, address: str, native: int) -> None:
    from walrus_chain.chain.provider import ChainProvider

    async with ChainProvider([rpc]) as provider:
        await provider.request("anvil_setBalance", address, hex(native))
