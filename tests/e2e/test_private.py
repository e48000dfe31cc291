"""Private data from the command line: stored under a policy, read by whom it allows, paid, audited, earned."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from typing import Any

import pytest

from tests.e2e.shell import Shell
from walrus_chain.client.home import WalrusHome
from walrus_chain.types import Address, Wei

ONE_WAL = 10**18


@pytest.fixture(scope="module")
def reader(user: Shell) -> str:
    """Options for the commands of another person, who has a hundred WAL."""
    user.write("reader.password", b"a password\n")
    made = user.ok("walrus wallet new reader --password-file reader.password --json").data
    asyncio.run(_fund(user, made["address"]))
    return "--wallet reader --password-file reader.password"


@pytest.fixture(scope="module")
def stranger(user: Shell) -> str:
    """Options for the commands of somebody who has nothing but a key."""
    user.write("stranger.password", b"a password\n")
    user.ok("walrus wallet new stranger --password-file stranger.password")
    return "--wallet stranger --password-file stranger.password"


async def _fund(user: Shell, address: str) -> None:
    from walrus_chain.chain.network import Chain
    from walrus_chain.chain.sender import Sender

    home = WalrusHome(user.home)
    network, wallet = home.network("devnet"), home.wallet("devnet")
    assert wallet.password_file is not None
    account = wallet.unlock(wallet.password_file.read_text().strip())
    async with Chain.connect(network.rpc, network.deployment) as chain:
        sender = Sender(chain, account)
        await sender.send_native(Address(address), Wei(ONE_WAL))
        await sender.send_wal(Address(address), Wei(100 * ONE_WAL))


def _address(user: Shell, wallet: str) -> str:
    for item in user.ok("walrus wallet list --json").data:
        if item["name"] == wallet:
            return str(item["address"])
    raise AssertionError(f"there is no wallet {wallet}")


def _content(seed: str, size: int = 100_000) -> bytes:
    return hashlib.shake_256(seed.encode()).digest(size)


def _store(user: Shell, name: str, options: str) -> dict[str, Any]:
    user.write(name, _content(name))
    [blob] = user.ok(f"walrus store {name} --private {options} --json").data["blobs"]
    assert isinstance(blob, dict)
    return blob


def _deploy(user: Shell, arguments: str) -> str:
    return str(user.ok(f"walrus policy deploy {arguments} --json").data["policy"])


# -- who may read ----------------------------------------------------------------------------------------------------


def test_private__without_a_policy__is_the_owners_alone(user: Shell, stranger: str) -> None:
    stored = _store(user, "mine", "")
    assert stored["sealed"]["threshold"] == 3
    user.ok(f"walrus read {stored['blobId']} | cmp - mine")
    user.ok(f"walrus read {stored['blobId']} --range 70000-70009 | wc -c | grep -qx 10")
    assert user.run(f"walrus read {stored['blobId']} --raw | cmp - mine").code != 0

    refused = user.run(f"walrus read {stored['blobId']} {stranger}")
    assert refused.code == 3
    assert "only the owner may use it" in refused.said
    assert refused.output == b""


def test_private__policy_without_private__is_a_wrong_command_line(user: Shell) -> None:
    user.write("public", b"public")
    ran = user.run("walrus store public --policy 0x0000000000000000000000000000000000000001")
    assert ran.code == 2
    assert "--private" in ran.said


def test_private__credential__issued_shown_revoked(user: Shell, stranger: str) -> None:
    board, student = _address(user, "devnet"), _address(user, "stranger")
    schema = "0x" + "07" * 32
    registry = WalrusHome(user.home).network("devnet").deployment.address("CredentialRegistry")
    policy = _deploy(user, f"Credential registry={registry} schema={schema} attester={board}")
    stored = _store(user, "genome", f"--policy {policy}")
    blob = stored["object"]

    refused = user.run(f"walrus read {blob} {stranger} --json")
    assert refused.code == 3
    assert (refused.error["code"], refused.error["reason"], refused.error["policy"]) == (
        "AccessDenied",
        "NoCredential",
        policy,
    )

    issued = user.ok(f"walrus credential issue {schema} {student} --days 30 --json").data
    assert issued["recipient"] == student
    user.ok(f"walrus read {blob} {stranger} | cmp - genome")
    user.ok(f"walrus read {blob} --credential {issued['uid']} {stranger} | cmp - genome")
    assert "Expires" in user.ok(f"walrus credential show {issued['uid']}").text
    assert len(user.ok(f"walrus credential list {student} --json").data["credentials"]) == 1

    user.ok(f"walrus credential revoke {issued['uid']}")
    refused = user.run(f"walrus read {blob} {stranger}")
    assert refused.code == 3
    assert "the credential was revoked" in refused.said


def test_read__session_is_kept__needs_the_password_once(user: Shell, stranger: str) -> None:
    policy = _deploy(user, "TimeWindow from=0 until=4000000000")
    stored = _store(user, "open", f"--policy {policy}")
    user.ok(f"walrus read {stored['object']} {stranger} | cmp - open")
    user.ok(f"walrus read {stored['object']} --wallet stranger | cmp - open")


# -- what it costs and who earns it ----------------------------------------------------------------------------------


def test_private__pay_per_read__channel_purchase_audit_and_statement(user: Shell, reader: str) -> None:
    owner, other = _address(user, "devnet"), _address(user, "reader")
    made = user.ok(f"walrus pool create --share {owner}=3 --share {other}=1 --nodes-share 10% --json").data
    pool = made["pool"]
    policy = _deploy(user, f"PayPerRead price=0.5 pool={pool}")
    blob = _store(user, "dear", f"--policy {policy}")["object"]

    refused = user.run(f"walrus read {blob} {reader} --json")
    assert (refused.code, refused.error["code"], refused.error["price"]) == (3, "PriceAboveLimit", ONE_WAL // 2)
    refused = user.run(f"walrus read {blob} --spend-limit 0.5 {reader}")
    assert refused.code == 3
    assert f"walrus channel open {pool} AMOUNT" in refused.said

    channel = user.ok(f"walrus channel open {pool} 1 {reader} --json").data["channel"]
    read = user.ok(f"walrus read {blob} --spend-limit 0.5 -o copy {reader} --json").data
    assert (read["use"]["paidBy"], read["use"]["channel"], len(read["use"]["nodes"])) == ("voucher", channel, 3)
    user.ok("cmp copy dear")
    paid = user.ok(f"walrus read {blob} --spend-limit 0.5 -o copy {reader}")
    assert "0.5 WAL were paid from channel" in paid.said
    refused = user.run(f"walrus read {blob} --spend-limit 0.5 -o copy {reader}")
    assert refused.code == 3
    assert f"walrus channel top-up {channel} AMOUNT" in refused.said
    [listed] = user.ok(f"walrus channel list {other} --json").data["channels"]
    assert (listed["left"], listed["promised"]) == ("0", str(ONE_WAL))
    assert user.ok(f"walrus channel top-up {channel} 0.5 {reader} --json").data["left"] == str(ONE_WAL // 2)
    user.ok(f"walrus channel close {channel} {reader}")

    bought = user.ok(f"walrus buy {blob} --reads 2 {reader} --json").data
    assert (bought["paid"], bought["bought"]) == (str(ONE_WAL), 2)
    user.ok(f"walrus read {blob} {reader} | cmp - dear")

    audit = user.ok(f"walrus audit {blob} --json").data
    assert [use["paidBy"] for use in audit["uses"]] == ["voucher", "voucher", "purchase"]
    assert audit["clean"]
    assert other in user.ok(f"walrus audit {blob}").text

    # The channel is closing, so agents redeem its vouchers now: between two commands as well.
    while True:
        before = user.ok(f"walrus pool show {pool} --account {other} --json").data
        rows = list(csv.DictReader(io.StringIO(user.ok(f"walrus pool statement {pool} --account {other} --csv").text)))
        shown = user.ok(f"walrus pool show {pool} --account {other} --json").data
        if before["claimable"] == shown["claimable"]:
            break
    assert rows[0]["direction"] == "in"
    assert rows[0]["object"] == str(blob)
    earned = sum(int(row["amount_atomic"]) for row in rows)
    assert shown["claimable"] == str(earned)
    claimed = user.ok(f"walrus pool claim {pool} {reader} --json").data
    assert int(claimed["amount"]) >= earned > 0
    user.ok(f"walrus pool pay {pool} 4")
    user.ok(f"walrus pool settle {pool}")


def test_subscribe__opens_what_was_closed(user: Shell, reader: str) -> None:
    pool = user.ok(f"walrus pool create --share {_address(user, 'devnet')}=1 --json").data["pool"]
    policy = _deploy(user, f"Subscription price=1 periodSeconds=1h pool={pool}")
    blob = _store(user, "series", f"--policy {policy}")["object"]
    refused = user.run(f"walrus read {blob} {reader}")
    assert "walrus subscribe" in refused.said
    user.ok(f"walrus subscribe {policy} --periods 2 {reader}")
    user.ok(f"walrus read {blob} {reader} | cmp - series")


# -- rules that change, and terms that go on -------------------------------------------------------------------------


def test_rewrap__for_fewer_nodes__reads_on(user: Shell) -> None:
    stored = _store(user, "rewrapped", "--threshold 2")
    sealed = user.ok(f"walrus rewrap {stored['object']} --nodes 1,2 --threshold 1 --next-key-epoch --json").data
    assert (sealed["nodes"], sealed["threshold"], sealed["keyEpoch"]) == ([1, 2], 1, 2)
    user.ok(f"walrus read {stored['object']} | cmp - rewrapped")


def test_evergreen__terms_fund_renew_show_withdraw(user: Shell, reader: str) -> None:
    user.write("evergreen", _content("evergreen"))
    [stored] = user.ok("walrus store evergreen --json").data["blobs"]
    blob = stored["object"]
    user.ok(f"walrus evergreen terms {blob} --epochs 2 --lead 1 --tip 0.01")
    funded = user.ok(f"walrus evergreen fund {blob} 1 {reader} --json").data
    assert (funded["balance"], funded["due"]) == (str(ONE_WAL), True)
    renewed = user.ok(f"walrus evergreen renew {blob} {reader} --json").data
    assert renewed["endEpoch"] == stored["endEpoch"] + 2
    assert user.ok(f"walrus evergreen show {blob} --json").data["due"] is False
    again = user.run(f"walrus evergreen renew {blob} {reader}")
    assert again.code == 4
    left = int(user.ok(f"walrus evergreen withdraw {blob} --json").data["withdrawn"])
    assert 0 < left < ONE_WAL
