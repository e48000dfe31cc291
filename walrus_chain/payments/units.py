"""The tree of units: who the members of a revenue pool are, committed to in 32 bytes.

Numbers are big-endian:

    leaf = keccak256(10 ‖ account 20 ‖ units 8)
    node = keccak256(11 ‖ left 32 ‖ left units 8 ‖ right 32 ‖ right units 8)
    root = keccak256(12 ‖ top 32 ‖ units 8 ‖ places 8)

A level with an odd number of nodes, more than one, is filled up with a missing one: hash zero, units zero.

Pure; tests/vectors/units.json holds Python and Solidity (`UnitsTree`) to the same bytes.
Source: docs/spec/14-revenue-pools.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eth_utils.address import is_checksum_formatted_address, is_hex_address, to_checksum_address
from eth_utils.crypto import keccak

from walrus_chain.errors import MalformedUnits, NotInUnits, UnitsMismatch, UnitsOutOfBounds
from walrus_chain.types import NOBODY, Address

MAXIMUM_UNITS: Final = 2**40 - 1
"""What all members of a pool may hold together."""
HEADER: Final = ("account", "units")
"""The first line of a list; it may be left out."""

_LEAF, _NODE, _ROOT = b"\x10", b"\x11", b"\x12"


@dataclass(frozen=True, slots=True)
class Member:
    """An account and what it holds in a pool."""

    account: Address
    units: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree: its hash, and the units of all places below it."""

    hash: bytes
    units: int

    def __bytes__(self) -> bytes:
        """The 40 bytes that stand for the node in its parent and in proofs."""
        return self.hash + self.units.to_bytes(8, "big")


MISSING: Final = Node(bytes(32), 0)
"""Fills a level up."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member stands, as the contract wants to be shown it."""

    index: int
    """Its place in the list, from 0."""
    member: Member
    proof: bytes
    """How many places there are (8 bytes), then for each level from the leaves up the sibling (40 bytes)."""


class UnitsTree:
    """The whole tree over a list of members, for its root and for proofs of places."""

    __slots__ = ("_index", "_levels", "members")

    def __init__(self, members: Sequence[Member]) -> None:
        """Build the tree. Lists that `parse_units` made have no account twice, and none without units.

        Raises: UnitsOutOfBounds: together no unit, or more than `MAXIMUM_UNITS`.
        """
        self.members: Final = tuple(members)
        units = sum(member.units for member in self.members)
        if not 0 < units <= MAXIMUM_UNITS:
            raise UnitsOutOfBounds(units, MAXIMUM_UNITS)
        self._levels = [[_leaf(member) for member in self.members]]
        while len(level := self._levels[-1]) > 1:
            filled = level if len(level) % 2 == 0 else [*level, MISSING]
            self._levels.append([_parent(*filled[i : i + 2]) for i in range(0, len(filled), 2)])
        self._index = {member.account: index for index, member in enumerate(self.members)}

    @property
    def units(self) -> int:
        """The units of all members."""
        return self._levels[-1][0].units

    @property
    def root(self) -> bytes:
        """What a pool is made from."""
        return _root(self._levels[-1][0], len(self.members))

    def place_of(self, account: Address) -> Place:
        """Where `account` stands, with its proof.

        Raises: NotInUnits: the list does not name it.
        """
        index = self._index.get(account)
        if index is None:
            raise NotInUnits(account)
        return Place(index, self.members[index], self._proof(index))

    def check_root(self, expected: bytes) -> None:
        """See that this list is the one a pool was made from.

        Raises: UnitsMismatch: its root is another one.
        """
        if self.root != expected:
            raise UnitsMismatch(expected, self.root)

    def _proof(self, index: int) -> bytes:
        steps = [len(self.members).to_bytes(8, "big")]
        for level in self._levels[:-1]:
            sibling = index ^ 1
            steps.append(bytes(level[sibling] if sibling < len(level) else MISSING))
            index >>= 1
        return b"".join(steps)


def holds(root: bytes, total: int, place: Place) -> bool:
    """Whether `root` commits to the member at this place, and to `total` units in all; what the contract decides."""
    proof = place.proof
    places = int.from_bytes(proof[:8], "big")
    if len(proof) < 8 or place.index >= places:
        return False
    if len(proof) != 8 + 40 * (places - 1).bit_length():
        return False
    node, index = _leaf(place.member), place.index
    for start in range(8, len(proof), 40):
        sibling = Node(proof[start : start + 32], int.from_bytes(proof[start + 32 : start + 40], "big"))
        if node.units + sibling.units >= 2**64:
            return False
        node = _parent(sibling, node) if index & 1 else _parent(node, sibling)
        index >>= 1
    return node.units == total and _root(node, places) == root


def parse_units(lines: Iterable[str]) -> list[Member]:
    """The members that the lines of a CSV file name, in order: `account,units`, with that as first line or without.

    Empty lines are passed over. Accounts are hex addresses; one in mixed case must have the right checksum.

    Raises:
        MalformedUnits: a line that is no account and a number from 1 on, or names an account again; with `.line`.
        UnitsOutOfBounds: together no unit, or more than `MAXIMUM_UNITS`.
    """
    members: list[Member] = []
    lines_of: dict[Address, int] = {}
    reader = csv.reader(lines)
    for cells in reader:
        fields = [cell.strip() for cell in cells]
        if not any(fields) or (not members and tuple(field.lower() for field in fields) == HEADER):
            continue
        member = _member(fields, reader.line_num)
        if (before := lines_of.setdefault(member.account, reader.line_num)) != reader.line_num:
            raise MalformedUnits(reader.line_num, f"{member.account} is named in line {before} already")
        members.append(member)
    if not 0 < (units := sum(member.units for member in members)) <= MAXIMUM_UNITS:
        raise UnitsOutOfBounds(units, MAXIMUM_UNITS)
    return members


def format_units(members: Iterable[Member]) -> str:
    """The CSV file that `parse_units` reads back, with its first line."""
    rows = [HEADER, *((member.account, str(member.units)) for member in members)]
    return "".join(f"{account},{units}\n" for account, units in rows)


def _member(fields: Sequence[str], line: int) -> Member:
    if len(fields) != len(HEADER):
        raise MalformedUnits(line, f"{len(fields)} fields where account and units are expected")
    account, units = fields
    if not is_hex_address(account) or not account.startswith("0x"):
        raise MalformedUnits(line, f"{account!r} is no account: write 0x and 40 hex digits")
    checksummed = Address(to_checksum_address(account))
    if is_checksum_formatted_address(account) and account != checksummed:
        raise MalformedUnits(line, f"{account} is mistyped: its upper and lower case letters do not fit its digits")
    if checksummed == NOBODY:
        raise MalformedUnits(line, "the zero account is nobody's")
    if not (units.isascii() and units.isdigit()) or not 0 < int(units) <= MAXIMUM_UNITS:
        raise MalformedUnits(line, f"{units!r} is no number of units: write 1 to {MAXIMUM_UNITS}")
    return Member(checksummed, int(units))


def _leaf(member: Member) -> Node:
    units = member.units.to_bytes(8, "big")
    return Node(keccak(_LEAF + bytes.fromhex(member.account.removeprefix("0x")) + units), member.units)


def _parent(left: Node, right: Node) -> Node:
    return Node(keccak(_NODE + bytes(left) + bytes(right)), left.units + right.units)


def _root(top: Node, places: int) -> bytes:
    return keccak(_ROOT + bytes(top) + places.to_bytes(8, "big"))
