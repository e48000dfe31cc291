"""The tree of units: what the specification promises, hostile proofs, lists as people write them, and the vectors."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from scripts import make_units_vectors
from walrus_chain.errors import MalformedUnits, NotInUnits, UnitsMismatch, UnitsOutOfBounds
from walrus_chain.payments.units import (
    MAXIMUM_UNITS,
    Member,
    Place,
    UnitsTree,
    format_units,
    holds,
    parse_units,
)
from walrus_chain.types import NOBODY, Address

ALICE = Address(to_checksum_address("0x" + "a1" * 20))
BOB = Address(to_checksum_address("0x" + "b0" * 20))

accounts = st.binary(min_size=20, max_size=20).filter(any).map(lambda raw: Address(to_checksum_address(raw)))
members = st.lists(
    st.builds(Member, accounts, st.integers(1, 2**30)), min_size=1, max_size=40, unique_by=lambda member: member.account
)


def tree_of(count: int) -> UnitsTree:
    """Members with 1, 2, 3 ... units."""
    return UnitsTree([Member(make_units_vectors.account_at(i), i + 1) for i in range(count)])


def test_committed_vectors__equal_what_the_rules_make() -> None:
    assert make_units_vectors.UNITS.read_text() == make_units_vectors.units_text()


def test_shared_vectors__every_place_holds() -> None:
    trees = json.loads(make_units_vectors.UNITS.read_text())["trees"]
    assert [tree["places"] for tree in trees] == list(make_units_vectors.SIZES)
    for tree in trees:
        columns = (tree["accounts"], tree["heldUnits"], tree["indices"], tree["proofs"])
        for account, units, index, proof in zip(*columns, strict=True):
            place = Place(int(index), Member(account, int(units)), bytes.fromhex(proof[2:]))
            assert holds(bytes.fromhex(tree["root"][2:]), int(tree["units"]), place)


@given(members)
def test_any_list__every_member_can_show_its_place(listed: list[Member]) -> None:
    tree = UnitsTree(listed)
    assert tree.units == sum(member.units for member in listed)
    for index, member in enumerate(listed):
        place = tree.place_of(member.account)
        assert (place.index, place.member) == (index, member)
        assert holds(tree.root, tree.units, place)


@given(members, st.data())
def test_any_list__a_changed_proof_holds_nothing(listed: list[Member], data: st.DataObject) -> None:
    tree = UnitsTree(listed)
    place = tree.place_of(data.draw(st.sampled_from(listed)).account)
    at = data.draw(st.integers(0, len(place.proof) - 1))
    flipped = bytearray(place.proof)
    flipped[at] ^= data.draw(st.integers(1, 255))
    for proof in (bytes(flipped), place.proof[:-1], place.proof + bytes(40), place.proof[:8] + place.proof[48:], b""):
        if proof != place.proof:
            assert not holds(tree.root, tree.units, replace(place, proof=proof))
    assert not holds(tree.root, tree.units + 1, place)
    assert not holds(tree.root, tree.units, replace(place, index=len(listed)))
    assert not holds(tree.root, tree.units, replace(place, member=replace(place.member, units=place.member.units + 1)))


def test_another_place__does_not_hold() -> None:
    tree = tree_of(5)
    place = tree.place_of(make_units_vectors.account_at(2))
    for index in (0, 1, 3, 4, 5, 10):
        assert not holds(tree.root, tree.units, replace(place, index=index))


def test_sums_that_leave_64_bits__do_not_hold() -> None:
    place = Place(1, Member(ALICE, 2), (2).to_bytes(8, "big") + bytes(32) + b"\xff" * 8)
    assert not holds(bytes(32), 1, place)


def test_check_root__of_another_list__says_both() -> None:
    tree = tree_of(3)
    tree.check_root(tree.root)
    with pytest.raises(UnitsMismatch) as error:
        tree.check_root(bytes(32))
    assert (error.value.expected, error.value.actual) == (bytes(32), tree.root)


def test_place_of__who_is_not_in_the_list__is_refused() -> None:
    with pytest.raises(NotInUnits) as error:
        tree_of(3).place_of(ALICE)
    assert error.value.account == ALICE


@pytest.mark.parametrize("listed", [[], [Member(ALICE, MAXIMUM_UNITS), Member(BOB, 1)]])
def test_tree__without_units_or_with_too_many__is_refused(listed: list[Member]) -> None:
    with pytest.raises(UnitsOutOfBounds) as error:
        UnitsTree(listed)
    assert error.value.units == sum(member.units for member in listed)


# Lists


@given(members)
def test_lists__come_back_as_they_were_written(listed: list[Member]) -> None:
    assert parse_units(format_units(listed).splitlines(keepends=True)) == listed


def test_parse__takes_any_case_blanks_and_no_header() -> None:
    assert parse_units([f"{ALICE.lower()} , 5\n", "\n", f" {BOB},3\n"]) == [Member(ALICE, 5), Member(BOB, 3)]
    assert parse_units(["Account,Units\r\n", f"{ALICE},{MAXIMUM_UNITS}\r\n"]) == [Member(ALICE, MAXIMUM_UNITS)]


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        ([f"{ALICE},0"], 1, "no number of units"),
        ([f"{ALICE},-1"], 1, "no number of units"),
        ([f"{ALICE},1.5"], 1, "no number of units"),
        ([f"{ALICE},²"], 1, "no number of units"),
        ([f"{ALICE},{MAXIMUM_UNITS + 1}"], 1, "no number of units"),
        ([f"{ALICE},1", f"{BOB},2", f"{ALICE.lower()},3"], 3, "named in line 1 already"),
        ([f"{ALICE},1", f"{NOBODY},2"], 2, "nobody's"),
        ([ALICE], 1, "1 fields"),
        ([f"{ALICE},1,2"], 1, "3 fields"),
        (["account,units", "alice,1"], 2, "no account"),
        ([f"{ALICE[2:]},1"], 1, "no account"),
        ([f"{ALICE[:-1]},1"], 1, "no account"),
        ([f"{ALICE},1", "account,units"], 2, "no account"),
        (["0xA1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1,1"], 1, "mistyped"),
    ],
)
def test_parse__a_bad_line__is_named(lines: list[str], line: int, why: str) -> None:
    with pytest.raises(MalformedUnits, match=f"line {line}: .*{why}") as error:
        parse_units(lines)
    assert error.value.line == line


@pytest.mark.parametrize("lines", [[], ["account,units"], [f"{ALICE},{MAXIMUM_UNITS}", f"{BOB},1"]])
def test_parse__without_units_or_with_too_many__is_refused(lines: list[str]) -> None:
    with pytest.raises(UnitsOutOfBounds):
        parse_units(lines)
