"""Allow lists as Merkle trees: a policy holds only the root, and each account on the list can prove that it is there.

The tree is that of OpenZeppelin's `StandardMerkleTree.of(accounts, ["address"])`: a leaf is keccak256(keccak256(account
in 32 bytes)), leaves are sorted, the nodes are an array whose last entries are the leaves from the end on, and the node
above two is keccak256 of both, the smaller one first.

Source: docs/spec/15-policies.md; vectors in tests/vectors/allow_list.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from eth_utils.address import is_address, is_checksum_address
from eth_utils.crypto import keccak

from walrus_chain.errors import EmptyAllowList, NotOnAllowList, WrongAccountLine
from walrus_chain.messages.signing import checksummed
from walrus_chain.policies.evidence import proof_evidence
from walrus_chain.types import Address


class StandardTree:
    """A tree over leaves of 32 bytes, as OpenZeppelin's library makes it."""

    __slots__ = ("_nodes", "_place")

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """Args: leaves: at least one, in any order."""
        ordered = sorted(leaves)
        nodes = [b""] * (len(ordered) - 1) + ordered[::-1]
        for place in range(len(ordered) - 2, -1, -1):
            nodes[place] = _above(nodes[2 * place + 1], nodes[2 * place + 2])
        self._nodes: Final = nodes
        self._place: Final = {leaf: place for place, leaf in enumerate(nodes) if place >= len(ordered) - 1}

    @property
    def root(self) -> bytes:
        """Commits to all leaves."""
        return self._nodes[0]

    def __contains__(self, leaf: bytes) -> bool:
        return leaf in self._place

    def proof(self, leaf: bytes) -> list[bytes]:
        """The nodes beside the way from a leaf of the tree to the root, from the leaf on."""
        place, proof = self._place[leaf], []
        while place:
            proof.append(self._nodes[place + 1 if place % 2 else place - 1])
            place = (place - 1) // 2
        return proof


class AllowList:
    """Accounts, and the root and proofs that stand for them. Takes some 200 bytes for each."""

    __slots__ = ("_tree", "accounts")

    def __init__(self, accounts: Sequence[Address]) -> None:
        """Args: accounts: at least one, in any order; one that is named twice counts once.

        Raises: EmptyAllowList: there is none.
        """
        if not accounts:
            raise EmptyAllowList
        self.accounts: Final = tuple(dict.fromkeys(accounts))
        self._tree: Final = StandardTree(leaf_of(account) for account in self.accounts)

    @classmethod
    def parse(cls, text: str) -> AllowList:
        """The list that a text names: an account a line; empty lines and what follows a `#` do not count.

        Raises:
            EmptyAllowList: it names none.
            WrongAccountLine: a line names none, or one that was named before.
        """
        return cls(list(_accounts_in(text)))

    @property
    def root(self) -> bytes:
        """What the policy holds: 32 bytes."""
        return self._tree.root

    def proof(self, account: Address) -> list[bytes]:
        """That an account is on the list.

        Raises: NotOnAllowList: it is not.
        """
        leaf = leaf_of(account)
        if leaf not in self._tree:
            raise NotOnAllowList(account)
        return self._tree.proof(leaf)

    def evidence(self, account: Address) -> bytes:
        """What an account shows to a policy of the kind `MerkleAllowList`.

        Raises: NotOnAllowList: it is not on the list.
        """
        return proof_evidence(self.proof(account))


def leaf_of(account: Address) -> bytes:
    """The leaf of an account. Hashed twice, so that no inner node can pass for one."""
    return keccak(keccak(bytes.fromhex(account[2:]).rjust(32, b"\0")))


def _above(left: bytes, right: bytes) -> bytes:
    return keccak(left + right if left < right else right + left)


def _accounts_in(text: str) -> Iterable[Address]:
    seen: dict[Address, int] = {}
    for line, whole in enumerate(text.splitlines(), 1):
        entry = whole.split("#", 1)[0].strip()
        if not entry:
            continue
        digits = entry.removeprefix("0x")
        if not is_address(entry):
            raise WrongAccountLine(line, entry, "that is no address; it is 40 hex digits after 0x")
        if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(entry):
            raise WrongAccountLine(line, entry, "it has a typing error, its checksum is wrong")
        account = checksummed(bytes.fromhex(digits))
        if account in seen:
            raise WrongAccountLine(line, entry, f"line {seen[account]} names it already")
        seen[account] = line
        yield account
