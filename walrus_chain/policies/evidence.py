"""What a reader shows to a policy, as the bytes that it expects.

A credential's id, or a proof that an account is on a list, is `abi.encode`d. A policy that asks others takes a list
with an entry for each of them, in their order; so evidence has the form of the tree of policies. Below a `Not` nothing
is shown.

Source: docs/spec/15-policies.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from walrus_chain.errors import EvidenceTooLong, MalformedEvidence
from walrus_chain.policies.kinds import EvidenceForm, Kind
from walrus_chain.types import Address

#: Bytes of evidence that the network hands to a policy.
MAXIMUM_EVIDENCE: Final = 4096


@dataclass(frozen=True, slots=True)
class PolicyTree:
    """A policy and those that it asks.

    Args:
        kind: None for a policy of somebody's own; what it expects is not known.
        arguments: as `Kind.decode` gives them.
    """

    address: Address
    kind: Kind | None
    arguments: Mapping[str, Any]
    operands: tuple[PolicyTree, ...] = ()


def wanted(tree: PolicyTree) -> Iterator[PolicyTree]:
    """Every policy of a tree to which something may have to be shown; what that is, kind and arguments say."""
    if tree.kind is None:
        yield tree
        return
    match tree.kind.evidence:
        case EvidenceForm.CREDENTIAL | EvidenceForm.PROOF:
            yield tree
        case EvidenceForm.PARTS:
            for operand in tree.operands:
                yield from wanted(operand)
        case EvidenceForm.NONE:
            return


def evidence_for(tree: PolicyTree, shown: Mapping[Address, bytes]) -> bytes:
    """The evidence for a whole tree.

    Args:
        shown: for policies that `wanted` names, what is shown to each, encoded; none to those that are missing.
    Returns: empty when nothing is shown to any policy of the tree.
    Raises: EvidenceTooLong: it is more than the network hands on.
    """
    evidence = _evidence_for(tree, shown)
    if len(evidence) > MAXIMUM_EVIDENCE:
        raise EvidenceTooLong(MAXIMUM_EVIDENCE, len(evidence))
    return evidence


def credential_evidence(uid: bytes) -> bytes:
    """What is shown to a policy of the kind `Credential`: the id of a credential, 32 bytes."""
    return encode(("bytes32",), (uid,))


def proof_evidence(proof: Sequence[bytes]) -> bytes:
    """What is shown to a policy of the kind `MerkleAllowList`: nodes of 32 bytes, from the leaf up."""
    return encode(("bytes32[]",), (list(proof),))


def join_parts(parts: Sequence[bytes]) -> bytes:
    """What is shown to a policy that asks others: an entry for each of them. Empty when all entries are."""
    return encode(("bytes[]",), (list(parts),)) if any(parts) else b""


def split_parts(evidence: bytes, count: int) -> list[bytes]:
    """The entries for `count` policies.

    Raises: MalformedEvidence: it is no such list, so that the policy denies `WrongEvidence`.
    """
    if not evidence:
        return [b""] * count
    try:
        [parts] = decode(("bytes[]",), evidence, strict=False)
    except (DecodingError, OverflowError):
        raise MalformedEvidence(count) from None
    if len(parts) != count:
        raise MalformedEvidence(count)
    return list(parts)


def _evidence_for(tree: PolicyTree, shown: Mapping[Address, bytes]) -> bytes:
    if tree.kind is not None and tree.kind.evidence is EvidenceForm.PARTS:
        return join_parts([_evidence_for(operand, shown) for operand in tree.operands])
    if tree.kind is not None and tree.kind.evidence is EvidenceForm.NONE:
        return b""
    return shown.get(tree.address, b"")
