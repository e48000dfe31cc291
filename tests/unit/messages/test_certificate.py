"""Collecting attestations: weight is counted once a member, and only for what was asked."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import AttestationMismatch, NotAMember, QuorumNotReached, WrongSigner
from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation, StorageAttestation
from walrus_chain.messages.certificate import CertificateCollector
from walrus_chain.messages.domain import registry_domain
from walrus_chain.messages.signing import LocalSigner, recover
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, ShardIndex

DOMAIN = registry_domain(31337, Address("0x" + "11" * 20))
SIGNERS = [LocalSigner(bytes([number]) * 32) for number in range(1, 8)]
ATTESTATION = StorageAttestation(BlobId(b"\x07" * 32), BlobObjectId(3), Epoch(1), True)


def committee_of(*weights: int) -> Committee:
    """A committee whose members serve that many shards each, one after the other."""
    first = [0, *accumulate(weights)]
    return Committee(
        epoch=Epoch(1),
        shards=sum(weights),
        members=tuple(
            Member(
                index=index,
                node_id=NodeId(index + 1),
                name=f"node {index}",
                url=f"http://node-{index}",
                region="r",
                signer=SIGNERS[index].address,
                weight=weight,
                shards=tuple(ShardIndex(shard) for shard in range(first[index], first[index] + weight)),
            )
            for index, weight in enumerate(weights)
        ),
    )


COMMITTEE = committee_of(4, 1, 2, 3)  # n = 10, f = 3, quorum 7


def collector() -> CertificateCollector[StorageAttestation]:
    return CertificateCollector(ATTESTATION, DOMAIN, COMMITTEE, COMMITTEE.quorum)


def test_certificate__one_shard_short__says_how_many_are_missing() -> None:
    collecting = collector()
    for member in (0, 2):
        assert collecting.add(ATTESTATION.sign(SIGNERS[member], DOMAIN))
    assert not collecting.reached
    with pytest.raises(QuorumNotReached) as caught:
        collecting.certificate()
    assert (caught.value.required, caught.value.weight) == (7, 6)


def test_certificate__at_quorum__signatures_in_member_order() -> None:
    collecting = collector()
    for member in (3, 0):
        collecting.add(ATTESTATION.sign(SIGNERS[member], DOMAIN))
    certificate = collecting.certificate()
    assert (certificate.signers, certificate.weight) == (0b1001, 7)
    digest = ATTESTATION.digest(DOMAIN)
    signatures = [certificate.signatures[start : start + 65] for start in range(0, len(certificate.signatures), 65)]
    assert [recover(digest, signature) for signature in signatures] == [SIGNERS[0].address, SIGNERS[3].address]


def test_add__the_same_member_twice__counts_once() -> None:
    collecting = collector()
    assert collecting.add(ATTESTATION.sign(SIGNERS[0], DOMAIN))
    assert not collecting.add(ATTESTATION.sign(SIGNERS[0], DOMAIN))
    assert (collecting.weight, len(collecting.signatures), collecting.signers) == (4, 65, 1)


def test_add__a_stranger__refuses() -> None:
    with pytest.raises(NotAMember):
        collector().add(ATTESTATION.sign(SIGNERS[6], DOMAIN))


def test_add__a_members_name_on_anothers_signature__refuses_and_counts_nothing() -> None:
    collecting = collector()
    forged = SignedAttestation(ATTESTATION, SIGNERS[0].address, ATTESTATION.sign(SIGNERS[1], DOMAIN).signature)
    with pytest.raises(WrongSigner):
        collecting.add(forged)
    assert (collecting.weight, collecting.signers) == (0, 0)
    assert collecting.add(ATTESTATION.sign(SIGNERS[0], DOMAIN))


@pytest.mark.parametrize(
    "other",
    [
        StorageAttestation(BlobId(b"\x08" * 32), BlobObjectId(3), Epoch(1), True),
        StorageAttestation(BlobId(b"\x07" * 32), BlobObjectId(4), Epoch(1), True),
        StorageAttestation(BlobId(b"\x07" * 32), BlobObjectId(3), Epoch(2), True),
        StorageAttestation(BlobId(b"\x07" * 32), BlobObjectId(3), Epoch(1), False),
        InvalidityAttestation(BlobId(b"\x07" * 32), Epoch(1)),
    ],
)
def test_add__other_words_well_signed__refuses(other: StorageAttestation | InvalidityAttestation) -> None:
    collecting = collector()
    with pytest.raises(AttestationMismatch):
        collecting.add(other.sign(SIGNERS[0], DOMAIN))
    assert collecting.weight == 0


@given(st.permutations(range(4)), st.integers(1, 4))
def test_add__members_in_any_order__weight_bitmap_and_signatures_agree(order: list[int], count: int) -> None:
    collecting = collector()
    chosen = order[:count]
    for member in chosen:
        collecting.add(ATTESTATION.sign(SIGNERS[member], DOMAIN))
    assert collecting.weight == sum(COMMITTEE.members[member].weight for member in chosen)
    assert collecting.signers == sum(1 << member for member in chosen)
    assert list(collecting.collected) == chosen
    assert collecting.reached == (collecting.weight >= 7)
    assert collecting.signatures == b"".join(
        ATTESTATION.sign(SIGNERS[member], DOMAIN).signature for member in sorted(chosen)
    )
