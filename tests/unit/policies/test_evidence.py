"""What is shown to a tree of policies."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import EvidenceTooLong, MalformedEvidence
from walrus_chain.messages.signing import checksummed
from walrus_chain.policies.evidence import (
    MAXIMUM_EVIDENCE,
    PolicyTree,
    credential_evidence,
    evidence_for,
    join_parts,
    proof_evidence,
    split_parts,
    wanted,
)
from walrus_chain.policies.kinds import KINDS

UID = b"\x11" * 32
PROOF = (b"\x22" * 32, b"\x33" * 32)


def tree(number: int, kind: str | None, *operands: PolicyTree) -> PolicyTree:
    return PolicyTree(
        checksummed(number.to_bytes(20, "big")), None if kind is None else KINDS[kind], {}, tuple(operands)
    )


CREDENTIAL, LISTED, OWNER, CUSTOM = (
    tree(1, "Credential"),
    tree(2, "MerkleAllowList"),
    tree(3, "Owner"),
    tree(4, None),
)


def test_evidence__of_a_single_policy__is_what_is_shown_to_it() -> None:
    shown = {CREDENTIAL.address: credential_evidence(UID), OWNER.address: b"nothing of interest"}
    assert evidence_for(CREDENTIAL, shown) == UID
    assert evidence_for(OWNER, shown) == b""
    assert evidence_for(LISTED, shown) == b""
    assert evidence_for(CUSTOM, {CUSTOM.address: b"anything"}) == b"anything"


def test_evidence__of_a_tree__has_an_entry_for_each_policy_at_its_place() -> None:
    inner = tree(5, "AnyOf", LISTED, OWNER)
    outer = tree(6, "KOfN", CREDENTIAL, inner, CUSTOM)
    proof = proof_evidence(PROOF)
    evidence = evidence_for(outer, {CREDENTIAL.address: UID, LISTED.address: proof})
    assert split_parts(evidence, 3) == [UID, encode(("bytes[]",), ([proof, b""],)), b""]
    assert split_parts(split_parts(evidence, 3)[1], 2) == [proof, b""]


def test_evidence__when_nothing_is_shown__is_empty() -> None:
    assert evidence_for(tree(5, "AllOf", CREDENTIAL, tree(6, "AnyOf", LISTED)), {}) == b""


def test_evidence__below_a_not__is_none() -> None:
    negated = tree(5, "Not", CREDENTIAL)
    assert list(wanted(tree(6, "AllOf", negated, LISTED))) == [LISTED]
    assert evidence_for(negated, {CREDENTIAL.address: UID, negated.address: UID}) == b""


def test_wanted__names_all_to_which_something_may_be_shown() -> None:
    assert list(wanted(OWNER)) == []
    assert list(wanted(CUSTOM)) == [CUSTOM]
    outer = tree(6, "AllOf", CREDENTIAL, OWNER, tree(5, "AnyOf", LISTED, CUSTOM))
    assert list(wanted(outer)) == [CREDENTIAL, LISTED, CUSTOM]


def test_evidence__that_is_too_long__is_refused() -> None:
    assert evidence_for(CUSTOM, {CUSTOM.address: bytes(MAXIMUM_EVIDENCE)}) == bytes(MAXIMUM_EVIDENCE)
    with pytest.raises(EvidenceTooLong) as error:
        evidence_for(CUSTOM, {CUSTOM.address: bytes(MAXIMUM_EVIDENCE + 1)})
    assert (error.value.maximum, error.value.actual) == (MAXIMUM_EVIDENCE, MAXIMUM_EVIDENCE + 1)


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=8))
def test_split_parts__of_joined_ones__are_the_same(parts: list[bytes]) -> None:
    assert split_parts(join_parts(parts), len(parts)) == parts


@pytest.mark.parametrize("evidence", [b"x", bytes(64), UID, join_parts([b"a"]), join_parts([b"a", b"b", b"c"])])
def test_split_parts__of_something_else__is_refused(evidence: bytes) -> None:
    with pytest.raises(MalformedEvidence):
        split_parts(evidence, 2)
