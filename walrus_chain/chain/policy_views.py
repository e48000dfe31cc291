"""What the chain answers about policies, sealed keys and credentials, as frozen values. Pure.

The zero address (`walrus_chain.types.NOBODY`) stands for no policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, PoolId, Wei


@dataclass(frozen=True, slots=True)
class PolicyRules:
    """What holds for all policies of a network; fixed when it was deployed."""

    maximum_request_age: int
    """The oldest block, in seconds before now, at which agents decide a request: the latency of revocations."""
    minimum_notice: int
    """The shortest notice, in seconds, with which policies change."""
    maximum_notice: int
    evaluation_gas: int
    """What a policy gets to decide, and again to quote."""
    hook_gas: int
    """What a hook gets."""


@dataclass(frozen=True, slots=True)
class Policies:
    """Who decides about an object."""

    access: Address = NOBODY
    """Decides uses of the data; nobody: only the owner may use them, for free."""
    retention: Address = NOBODY
    """Decides what the owner may not do; nobody: no restriction but the registry's own."""

    @property
    def none(self) -> bool:
        """Whether there is neither."""
        return self.access == self.retention == NOBODY


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """All that is known of an object's policies; of one that has none, all of it is empty."""

    current: Policies
    """In force as of the block that was asked."""
    next: Policies
    """Announced; both nobody while nothing is."""
    next_from: int
    """When they take effect, seconds since 1970; 0 while nothing is announced."""
    notice_seconds: int
    """Between an announcement and its effect."""
    frozen: bool
    """Whether they can never change."""
    key_epoch: int
    """Of the sealed key; keys of other epochs are not released. 0 when no policies were ever attached."""
    envelope_block: int
    """The block that logged the sealed key; 0 when there is none."""
    envelope_hash: bytes
    """keccak-256 of the sealed key."""

    @property
    def attached(self) -> bool:
        """Whether the object ever got policies."""
        return self.key_epoch != 0

    @property
    def sealed(self) -> bool:
        """Whether a sealed key was published: the data are private."""
        return self.envelope_block != 0


@dataclass(frozen=True, slots=True)
class SealedKey:
    """The key of an object's data as it was published, checked against the chain's record."""

    blob_object: BlobObjectId
    key_epoch: int
    block: int
    envelope: bytes
    """As `walrus_chain.crypto` reads it."""


@dataclass(frozen=True, slots=True)
class Question:
    """Whether somebody may use an object's data."""

    requester: Address
    blob_object: BlobObjectId
    action: int
    """1 to read, 2 to compute."""
    program: bytes = bytes(32)
    """keccak-256 of the program that would run on the data; zero for reads."""
    sequence: int = 0
    """Which use by this requester of this object it is, from 0."""
    evidence: bytes = b""
    """What the requester shows; each kind of policy says what it expects."""

    def as_arguments(self) -> tuple[object, ...]:
        """As `IBlobPolicies.Question`."""
        return self.requester, self.blob_object, int(self.action), self.program, self.sequence, self.evidence


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a use of data."""

    allowed: bool
    """Whether it is allowed, once the price is paid."""
    reason: str
    """Why not, such as `CredentialExpired`; empty when it is allowed."""
    ttl_seconds: int
    """For how long the requester may rely on it, as the policy says."""
    policy: Address
    """The access policy in force; nobody when there is none."""
    key_epoch: int
    blob_id: BlobId
    price: Wei
    """0 when it is free or denied."""
    pool: PoolId
    """Who is paid; 0 when nobody is."""

    @property
    def free(self) -> bool:
        """Whether nothing is to be paid."""
        return self.price == 0


@dataclass(frozen=True, slots=True)
class Price:
    """What one use of an object's data costs somebody."""

    amount: Wei
    pool: PoolId
    """Who is paid; 0 when nobody is."""


@dataclass(frozen=True, slots=True)
class ReadyMadePolicy:
    """A policy of one of the network's own kinds."""

    address: Address
    kind: str
    """Such as `Credential`."""
    arguments: bytes
    """ABI-encoded, as the kind says; they never change."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A statement by an attester about a recipient, as the Ethereum Attestation Service has it."""

    uid: bytes
    """32 bytes; zero when there is no such credential."""
    schema: bytes
    """32 bytes: what it states."""
    time: int
    """When it was given, seconds since 1970."""
    expiration_time: int
    """Seconds since 1970; 0 for never."""
    revocation_time: int
    """Seconds since 1970; 0 when it was not taken back."""
    ref_uid: bytes
    recipient: Address
    attester: Address
    revocable: bool
    data: bytes

    def valid_at(self, timestamp: int) -> bool:
        """Whether it holds at that time, in seconds since 1970."""
        return self.revocation_time == 0 and (self.expiration_time == 0 or timestamp < self.expiration_time)
