"""`walrus policy` on a real chain, from the command line to what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from walrus_chain.cli.main import run
from walrus_chain.client.home import Network, WalrusHome
from walrus_chain.devnet.policy_tester import PolicyTester
from walrus_chain.policies.skeleton import skeleton
from walrus_chain.types import Address, BlobObjectId

pytestmark = pytest.mark.integration

ME = Account.from_key(bytes([7]) * 32)
MINE = Address(ME.address)
FRIEND = "0x000000000000000000000000000000000000bEEF"
NOBODY = "0x0000000000000000000000000000000000000000"


class Walrus:
    """The command, in the home of somebody with a wallet and a network."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        code = run([str(argument) for argument in arguments])
        out, err = self._capfd.readouterr()
        return code, out, err

    def data(self, *arguments: object) -> Any:
        """The result of a command that must succeed."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    def error(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        """Exit code and error of a command that must fail."""
        code, out, err = self(*arguments, "--json")
        assert code != 0, out
        return code, json.loads(err)["error"]


@pytest.fixture
def walrus(
    policy_tester: PolicyTester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Walrus:
    home = WalrusHome(tmp_path / "home")
    home.add_network(Network("here", (policy_tester.chain.url,), policy_tester.chain.deployment))
    home.add_wallet("me", ME, "word", keep_password=True)
    monkeypatch.setenv("WALRUS_HOME", str(home.folder))
    monkeypatch.chdir(tmp_path)
    policy_tester.chain.rpc("anvil_setBalance", MINE, hex(10**20))
    return Walrus(capfd)


@pytest.fixture
def mine(policy_tester: PolicyTester, walrus: Walrus) -> BlobObjectId:
    """An object of mine."""
    return policy_tester.chain.certified_object(MINE)


@pytest.fixture
def paid_list(policy_tester: PolicyTester, walrus: Walrus) -> dict[str, str]:
    """Addresses of a list that I keep, a price of half a WAL, and of both together."""
    pool = policy_tester.pool(policy_tester.account("alice"))
    allowed = walrus.data("policy", "deploy", "AllowList", f"administrator={MINE}")["policy"]
    price = walrus.data("policy", "deploy", "PayPerRead", "price=0.5 WAL", f"pool={pool}")["policy"]
    both = walrus.data("policy", "deploy", "AllOf", f"operands={allowed},{price}")["policy"]
    return {"list": allowed, "price": price, "both": both}


# -- drafting --------------------------------------------------------------------------------------------------------


def test_new__then_test__passes_and_says_what_comes_next(walrus: Walrus, tmp_path: Path) -> None:
    code, out, _ = walrus("policy", "new", "MembersOnly")
    assert code == 0
    assert out.splitlines() == [
        "MembersOnly/MembersOnly.sol",
        "MembersOnly/test_members_only.py",
        "Next: walrus policy test MembersOnly",
    ]
    assert {file.name for file in (tmp_path / "MembersOnly").iterdir()} == set(skeleton("MembersOnly", "0.8.37"))


def test_new__again__overwrites_nothing(walrus: Walrus, tmp_path: Path) -> None:
    walrus("policy", "new", "MembersOnly")
    (tmp_path / "MembersOnly" / "MembersOnly.sol").write_text("mine")
    code, error = walrus.error("policy", "new", "MembersOnly")
    assert (code, error["code"]) == (3, "NameTaken")
    assert (tmp_path / "MembersOnly" / "MembersOnly.sol").read_text() == "mine"


@pytest.mark.parametrize("name", ["membersOnly", "Members-Only", "1Member", "M" * 33, ""])
def test_new__no_name_for_a_contract__is_refused(walrus: Walrus, tmp_path: Path, name: str) -> None:
    code, error = walrus.error("policy", "new", name)
    assert (code, error["code"]) == (3, "MalformedArgument")


def test_list__names_every_kind_with_its_arguments(walrus: Walrus, policy_tester: PolicyTester) -> None:
    kinds = {entry["kind"]: entry for entry in walrus.data("policy", "list")}
    deployed = [word.rstrip(b"\0").decode() for word in policy_tester.chain.call("PolicyFactory", "kinds")]
    assert list(kinds) == deployed
    names = [(argument["name"], argument["form"]) for argument in kinds["PayPerRead"]["arguments"]]
    assert names == [("price", "AMOUNT"), ("pool", "NUMBER")]


# -- deploying and looking -------------------------------------------------------------------------------------------


def test_deploy__file__is_compiled_and_shown_as_somebodys_own(walrus: Walrus) -> None:
    walrus("policy", "new", "MembersOnly")
    made = walrus.data("policy", "deploy", "MembersOnly/MembersOnly.sol", f"reader={FRIEND}")
    assert made["kind"] == "MembersOnly"
    shown = walrus.data("policy", "show", made["policy"])
    assert (shown["kind"], shown["readyMade"], shown["arguments"]) == ("MembersOnly", False, {})
    assert walrus.data("policy", "dry-run", made["policy"], "--reader", FRIEND)["allowed"] is True


def test_deploy__names_for_addresses__are_my_wallet_and_the_networks_contracts(
    walrus: Walrus, policy_tester: PolicyTester
) -> None:
    policy = walrus.data("policy", "deploy", "LegalHold", f"holders=me,{FRIEND}")["policy"]
    assert walrus.data("policy", "show", policy)["arguments"] == {"holders": [MINE, FRIEND]}
    policy = walrus.data("policy", "deploy", "Erc20Holder", "token=WAL", "minimum=1")["policy"]
    assert walrus.data("policy", "show", policy)["arguments"]["token"] == policy_tester.chain.address("WAL")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["AllowList"], 3, "WrongArguments"),
        (["AllowList", "administrator=you"], 3, "MalformedArgument"),
        (["AllowList", f"administrator={FRIEND}", "more=1"], 3, "WrongArguments"),
        (["AllowList", FRIEND], 3, "MalformedArgument"),
        (["AllowList", f"administrator={NOBODY}"], 4, "ArgumentOutOfBounds"),
        (["PayPerRead", "price=1 WAL", "pool=99"], 4, "ArgumentPoolUnknown"),
        (["Nothing"], 3, "NoSuchKind"),
        (["Nothing.sol"], 3, "SourceUnreadable"),
    ],
)
def test_deploy__what_cannot_be__is_refused(walrus: Walrus, arguments: list[str], code: int, error: str) -> None:
    ended, found = walrus.error("policy", "deploy", *arguments)
    assert (ended, found["code"]) == (code, error)


def test_show__tree__decodes_arguments_and_operands(walrus: Walrus, paid_list: dict[str, str]) -> None:
    shown = walrus.data("policy", "show", paid_list["both"])
    assert shown["kind"] == "AllOf"
    assert [operand["kind"] for operand in shown["operands"]] == ["AllowList", "PayPerRead"]
    assert shown["operands"][0]["arguments"] == {"administrator": MINE}
    assert shown["operands"][1]["arguments"]["price"] == str(10**18 // 2)

    _, text, _ = walrus("policy", "show", paid_list["both"])
    assert text.splitlines() == [
        f"AllOf  {paid_list['both']}",
        f"    AllowList  {paid_list['list']}",
        f"        administrator  {MINE}",
        f"    PayPerRead  {paid_list['price']}",
        "        price  0.5 WAL",
        "        pool   1",
    ]


@pytest.mark.parametrize("address", [FRIEND, MINE])
def test_show__no_policy__is_said(walrus: Walrus, address: str) -> None:
    code, error = walrus.error("policy", "show", address)
    assert (code, error["code"]) == (3, "NoPolicyThere")


# -- attaching, deciding, announcing ---------------------------------------------------------------------------------


def test_attach__then_dry_run__names_the_clause_that_denies(
    walrus: Walrus, mine: BlobObjectId, paid_list: dict[str, str]
) -> None:
    walrus.data("policy", "attach", mine, "--access", paid_list["both"])
    code, text, _ = walrus("policy", "dry-run", mine, "--reader", FRIEND)
    assert code == 1
    assert text.splitlines() == [
        f"Denied: NotListed: read by {FRIEND}",
        f"  AllOf  {paid_list['both']}  denies: NotListed",
        f"    AllowList  {paid_list['list']}  denies: NotListed",
        f"    PayPerRead  {paid_list['price']}  allows for 0.5 WAL",
    ]


def test_dry_run__allowed__names_price_and_pool(
    walrus: Walrus, policy_tester: PolicyTester, mine: BlobObjectId, paid_list: dict[str, str]
) -> None:
    walrus.data("policy", "attach", mine, "--access", paid_list["price"])
    ran = walrus.data("policy", "dry-run", mine, "--reader", FRIEND)
    assert (ran["allowed"], ran["price"], ran["pool"]) == (True, str(10**18 // 2), 1)
    assert ran["clause"]["kind"] == "PayPerRead"


def test_dry_run__object_without_policies__is_the_owners_alone(walrus: Walrus, mine: BlobObjectId) -> None:
    assert walrus.data("policy", "dry-run", mine)["allowed"] is True
    code, text, _ = walrus("policy", "dry-run", mine, "--reader", FRIEND)
    assert (code, text) == (1, f"Denied: NotOwner: read by {FRIEND}\n")


@pytest.mark.parametrize("command", [["dry-run", "99", "--reader", MINE], ["show", "99"]])
def test_object__that_is_not_there__is_said(walrus: Walrus, command: list[str]) -> None:
    code, error = walrus.error("policy", *command)
    assert (code, error["code"]) == (3, "BlobNotFound")


def test_attach__nothing_named__is_refused(walrus: Walrus, mine: BlobObjectId) -> None:
    code, error = walrus.error("policy", "attach", mine)
    assert (code, error["code"]) == (3, "NothingToChange")


def test_attach__no_policy__is_refused_by_the_chain(walrus: Walrus, mine: BlobObjectId) -> None:
    code, error = walrus.error("policy", "attach", mine, "--access", FRIEND)
    assert (code, error["code"]) == (4, "NotAPolicy")


def test_announce__one_of_two__leaves_the_other_and_says_when(
    walrus: Walrus, policy_tester: PolicyTester, mine: BlobObjectId, paid_list: dict[str, str]
) -> None:
    hold = walrus.data("policy", "deploy", "LegalHold", f"holders={MINE}")["policy"]
    notice = policy_tester.chain.call("BlobPolicies", "minimumNotice") + 1000
    walrus.data("policy", "attach", mine, "--access", paid_list["list"], "--retention", hold, "--notice", notice)

    told = walrus.data("policy", "announce", mine, "--access", paid_list["both"])

    assert told["next"] == {"access": paid_list["both"], "retention": hold, "from": policy_tester.now + notice}
    shown = walrus.data("policy", "show", mine)
    assert shown == told
    assert (shown["access"]["kind"], shown["retention"]["kind"]) == ("AllowList", "LegalHold")
    assert shown["rules"] == {"canDelete": True, "canReplace": True, "minimumEndEpoch": 0, "destroyAt": 0}
    policy_tester.wait(notice)
    assert walrus.data("policy", "show", mine)["access"]["kind"] == "AllOf"


def test_announce__none__leaves_the_owner_alone(walrus: Walrus, mine: BlobObjectId, paid_list: dict[str, str]) -> None:
    walrus.data("policy", "attach", mine, "--access", paid_list["list"])
    code, text, _ = walrus("policy", "announce", mine, "--access", "none")
    assert code == 0
    assert text.splitlines()[:3] == [
        f"Announced for object {mine}",
        "  Access     none",
        "  Retention  none",
    ]
    code, error = walrus.error("policy", "announce", mine, "--access", paid_list["list"])
    assert (code, error["code"]) == (3, "NothingToChange")


# -- keeping lists and holds -----------------------------------------------------------------------------------------


def test_enlist__and_remove__change_who_is_let_in(walrus: Walrus, mine: BlobObjectId) -> None:
    policy = walrus.data("policy", "deploy", "AllowList", "administrator=me")["policy"]
    walrus.data("policy", "attach", mine, "--access", policy)
    assert walrus.data("policy", "enlist", policy, FRIEND, MINE)["accounts"] == [FRIEND, MINE]
    assert walrus.data("policy", "dry-run", mine, "--reader", FRIEND)["allowed"] is True
    walrus.data("policy", "enlist", policy, FRIEND, "--remove")
    assert walrus("policy", "dry-run", mine, "--reader", FRIEND)[0] == 1


def test_enlist__list_of_somebody_else__is_refused(walrus: Walrus) -> None:
    policy = walrus.data("policy", "deploy", "DenyList", f"administrator={FRIEND}")["policy"]
    code, error = walrus.error("policy", "enlist", policy, MINE)
    assert (code, error["code"]) == (4, "NotAdministrator")


def test_hold__below_a_combinator__is_found_and_stops_the_owner(walrus: Walrus, mine: BlobObjectId) -> None:
    hold = walrus.data("policy", "deploy", "LegalHold", "holders=me")["policy"]
    theirs = walrus.data("policy", "deploy", "LegalHold", f"holders={FRIEND}")["policy"]
    both = walrus.data("policy", "deploy", "AllOf", f"operands={theirs},{hold}")["policy"]
    walrus.data("policy", "attach", mine, "--retention", both)

    walrus.data("policy", "hold", mine)
    assert walrus.error("delete", mine, "--yes")[1]["code"] == "ForbiddenByPolicy"
    assert walrus.data("policy", "show", mine)["rules"]["canDelete"] is False
    walrus.data("policy", "hold", mine, "--release")
    assert walrus("delete", mine, "--yes")[0] == 0


def test_hold__without_a_right_to_it__is_refused(walrus: Walrus, mine: BlobObjectId) -> None:
    assert walrus.error("policy", "hold", mine)[1]["code"] == "NoHoldThere"
    hold = walrus.data("policy", "deploy", "LegalHold", f"holders={FRIEND}")["policy"]
    walrus.data("policy", "attach", mine, "--retention", hold)
    assert walrus.error("policy", "hold", mine)[1]["code"] == "NoHoldThere"
