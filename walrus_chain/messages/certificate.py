"""Collecting attestations until they make a certificate: a pure machine, driven by whoever talks to the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

from walrus_chain.errors import AttestationMismatch, NotAMember, QuorumNotReached
from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation, StorageAttestation
from walrus_chain.messages.domain import Domain
from walrus_chain.types import Address

A = TypeVar("A", StorageAttestation, InvalidityAttestation)


class Seat(Protocol):
    """A member's place in the committee."""

    @property
    def index(self) -> int:
        """Place 0..m-1 in the member list: the bit of the signer bitmap."""

    @property
    def weight(self) -> int:
        """How many shards the member serves."""


class Electorate(Protocol):
    """What has to be known of a committee to count its signatures; `walrus_chain.rules.committee.Committee` is one."""

    def by_signer(self, address: Address) -> Seat | None:
        """The member whose key this is; none when nobody's."""


@dataclass(frozen=True, slots=True)
class Certificate(Generic[A]):
    """What the registry takes: who signed, and their signatures in member order."""

    attestation: A
    signers: int
    """Bit i is set when committee member i signed."""
    signatures: bytes
    """65 bytes for each bit, lowest bit first."""
    weight: int
    """The shards of those who signed."""


class CertificateCollector(Generic[A]):
    """Counts verified signatures over one attestation until they hold `required` shards.

    Members that sign after that still count: a certificate may carry more than a quorum.
    """

    def __init__(self, attestation: A, domain: Domain, committee: Electorate, required: int) -> None:
        """
        Args:
            attestation: the words that every member must have signed.
            domain: the blob registry's domain.
            committee: the committee that took office in `attestation.epoch`.
            required: shards; `committee.quorum` to certify, `committee.faults + 1` to invalidate.
        """
        self._attestation: A = attestation
        self._digest = attestation.digest(domain)
        self._committee = committee
        self._required = required
        self._signatures: dict[int, bytes] = {}
        self._weight = 0

    @property
    def attestation(self) -> A:
        """The words that are collected for."""
        return self._attestation

    @property
    def required(self) -> int:
        """How many shards make it."""
        return self._required

    @property
    def weight(self) -> int:
        """The shards of those whose signatures were counted."""
        return self._weight

    @property
    def reached(self) -> bool:
        """Whether the signatures suffice."""
        return self._weight >= self._required

    @property
    def signers(self) -> int:
        """Bitmap of the members counted."""
        return sum(1 << index for index in self._signatures)

    @property
    def signatures(self) -> bytes:
        """The signatures counted, in member order."""
        return b"".join(self._signatures[index] for index in sorted(self._signatures))

    @property
    def collected(self) -> Mapping[int, bytes]:
        """The signatures counted, by member index; a live view."""
        return MappingProxyType(self._signatures)

    def add(self, signed: SignedAttestation) -> bool:
        """Verifies one signature and counts it.

        Returns: whether it added weight; False when this member was counted already.
        Raises:
            AttestationMismatch: it says other words than those collected for.
            NotAMember: the signer has no place in the committee.
            MalformedSignature, WrongSigner: the signature is not the signer's.
        """
        if signed.attestation != self._attestation:
            raise AttestationMismatch(signed.signer, self._attestation, signed.attestation)
        seat = self._committee.by_signer(signed.signer)
        if seat is None:
            raise NotAMember(signed.signer)
        if seat.index in self._signatures:
            return False
        signed.verify_over(self._digest)
        self._signatures[seat.index] = signed.signature
        self._weight += seat.weight
        return True

    def certificate(self) -> Certificate[A]:
        """The certificate.

        Raises: QuorumNotReached: not enough shards yet; collect more.
        """
        if not self.reached:
            raise QuorumNotReached(self._attestation.blob_id, self._required, self._weight)
        return Certificate(self._attestation, self.signers, self.signatures, self._weight)
