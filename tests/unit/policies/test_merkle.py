"""Allow lists as trees of OpenZeppelin's standard format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import EmptyAllowList, NotOnAllowList, WrongAccountLine
from walrus_chain.messages.signing import checksummed
from walrus_chain.policies.merkle import AllowList, StandardTree, leaf_of
from walrus_chain.types import Address

VECTORS = Path(__file__).parents[2] / "vectors" / "allow_list.json"
ALICE, BOB = checksummed(b"\xa1" * 20), checksummed(b"\xb0" * 20)
accounts = st.binary(min_size=20, max_size=20).map(checksummed)


def above(leaf: bytes, proof: list[bytes]) -> bytes:
    """The root that a proof leads to, as OpenZeppelin's MerkleProof computes it."""
    for sibling in proof:
        leaf = keccak(min(leaf, sibling) + max(leaf, sibling))
    return leaf


def test_root__of_the_example_in_the_manual_of_OpenZeppelin__is_the_one_printed_there() -> None:
    rows = [("0x" + "11" * 20, 5 * 10**18), ("0x" + "22" * 20, 25 * 10**17)]
    leaves = [keccak(keccak(encode(("address", "uint256"), row))) for row in rows]
    assert StandardTree(leaves).root.hex() == "d4dee0beab2d53f2cc83e567171bd2820e49898130a22622b10ead383e90bd77"


def test_shared_vectors_hold() -> None:
    lists = json.loads(VECTORS.read_text(encoding="utf-8"))["lists"]
    assert len(lists) == 7
    for case in lists:
        allowed = AllowList([Address(member["account"]) for member in case["members"]])
        assert "0x" + allowed.root.hex() == case["root"]
        for member in case["members"]:
            assert "0x" + allowed.evidence(Address(member["account"])).hex() == member["evidence"]


@given(st.lists(accounts, min_size=1, max_size=40))
def test_proof__of_each_member__leads_to_the_root(members: list[Address]) -> None:
    allowed = AllowList(members)
    for account in members:
        assert above(leaf_of(account), allowed.proof(account)) == allowed.root
        [proof] = decode(("bytes32[]",), allowed.evidence(account))
        assert list(proof) == allowed.proof(account)


@given(st.lists(accounts, min_size=1, max_size=10, unique=True), st.randoms())
def test_root__in_any_order__is_the_same(members: list[Address], dice: object) -> None:
    assert AllowList(members).root == AllowList(members[::-1]).root


def test_proof__of_a_stranger__is_refused() -> None:
    with pytest.raises(NotOnAllowList, match=BOB):
        AllowList([ALICE]).proof(BOB)


def test_list__without_accounts__is_refused() -> None:
    with pytest.raises(EmptyAllowList):
        AllowList([])
    with pytest.raises(EmptyAllowList):
        AllowList.parse("# nobody yet\n\n")


def test_parse__given_accounts_and_remarks__takes_the_accounts() -> None:
    assert AllowList.parse(f"# friends\n{ALICE}  # the first\n\n{BOB.lower()}\n").accounts == (ALICE, BOB)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (f"{ALICE}\nbob\n", 2, "that is no address"),
        (f"{ALICE}\n\n{ALICE.lower()}", 3, "line 1 names it already"),
        (ALICE.swapcase().replace("0X", "0x"), 1, "its checksum is wrong"),
    ],
)
def test_parse__given_a_line_that_cannot_be_taken__names_it(text: str, line: int, why: str) -> None:
    with pytest.raises(WrongAccountLine, match=why) as error:
        AllowList.parse(text)
    assert error.value.line == line
