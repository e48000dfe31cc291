"""Who wants to use data, and what each node is asked: session grants, access requests, and the uses they are about.

A requester signs a grant once, for a session key; the session key signs one request for each node. A grant names the
key that answers are sealed to, so what a node answers is of use to nobody else.

Source: docs/spec/13-access.md; vectors in tests/vectors/access.json.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from types import MappingProxyType
from typing import ClassVar, Final

from eth_utils.crypto import keccak

from walrus_chain.errors import (
    GrantExpired,
    MalformedMessage,
    OutsideScope,
    RequestExpired,
    WrongGrant,
    WrongNode,
)
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.typed import TypedMessage
from walrus_chain.types import Address, BlobObjectId, NodeId, Wei

#: Seconds that a grant may hold.
MAXIMUM_GRANT_SECONDS: Final = 7 * 24 * 3600
#: Seconds that a request may lie ahead of its end.
MAXIMUM_REQUEST_SECONDS: Final = 600
#: Objects that one grant may name.
MAXIMUM_GRANT_OBJECTS: Final = 256
#: `AccessRequest.payment` of a use that is free.
FREE: Final = bytes(32)
#: `AccessRequest.payment` of a use that was bought on chain.
PURCHASE: Final = keccak(text="purchase")
#: `AccessRequest.payment` of a use by a node that a job was drawn to: the job pays.
JOB: Final = keccak(text="job")
#: `program` of a use that reads.
NO_PROGRAM: Final = bytes(32)


class Action(IntEnum):
    """What somebody wants to do with data."""

    READ = 1
    COMPUTE = 2

    @property
    def bit(self) -> int:
        """Its bit in `SessionGrant.actions`."""
        return 1 << (self - 1)


ALL_ACTIONS: Final = Action.READ.bit | Action.COMPUTE.bit


@dataclass(frozen=True, slots=True)
class SessionGrant(TypedMessage):
    """Says: this session key asks for me. Signed by the requester: a key, or a contract (ERC-1271, ERC-6492)."""

    TYPE: ClassVar[str] = (
        "SessionGrant(address requester,address sessionKey,bytes32 encryptionKey,uint256[] blobObjects,uint8 actions,"
        "uint128 spendLimit,uint64 validFrom,uint64 validUntil)"
    )

    requester: Address
    session_key: Address
    encryption_key: bytes
    """32 bytes, X25519: what answers are sealed to."""
    blob_objects: tuple[BlobObjectId, ...]
    """Ascending, at most 256; none for any."""
    actions: int
    """Bits of the actions (`Action.bit`)."""
    spend_limit: Wei
    """The most that one node takes in vouchers under this grant."""
    valid_from: int
    """Seconds since 1970."""
    valid_until: int
    """The grant holds before this second."""

    def __post_init__(self) -> None:
        """Raises: MalformedMessage: a value that cannot be, or a time of more than a week."""
        TypedMessage.__post_init__(self)
        if len(self.blob_objects) > MAXIMUM_GRANT_OBJECTS or any(a >= b for a, b in pairwise(self.blob_objects)):
            raise MalformedMessage("SessionGrant", f"blobObjects must ascend, and be at most {MAXIMUM_GRANT_OBJECTS}")
        if not 0 < self.actions <= ALL_ACTIONS:
            raise MalformedMessage("SessionGrant", "actions must name one at least, and none that is unknown")
        if not 0 < self.valid_until - self.valid_from <= MAXIMUM_GRANT_SECONDS:
            raise MalformedMessage("SessionGrant", f"it must hold for at most {MAXIMUM_GRANT_SECONDS} seconds")

    def verify(self, signature: bytes, domain: Domain) -> None:
        """Checks the signature of a requester that is a key. Contracts judge their signatures on chain.

        Raises: MalformedSignature, WrongSigner: also when it was signed for another chain or contract.
        """
        self.verify_by(self.requester, signature, domain)

    def check_time(self, now: int) -> None:
        """Checks that it holds now.

        Raises: GrantExpired: not yet, or no more.
        """
        if not self.valid_from <= now < self.valid_until:
            raise GrantExpired(self.valid_from, self.valid_until, now)

    def check_scope(self, blob_object: BlobObjectId, action: Action) -> None:
        """Checks that it covers a use.

        Raises: OutsideScope.
        """
        if self.blob_objects and blob_object not in self.blob_objects:
            raise OutsideScope(f"object {blob_object}")
        if not self.actions & action.bit:
            raise OutsideScope(f"the action {action.name.lower()}")


@dataclass(frozen=True, slots=True)
class JobGrant(TypedMessage):
    """Says: I was drawn for this job, seal what I ask for to this key. It needs no signature of its own: its digest is
    in each request, which the node's signer signs.
    """

    TYPE: ClassVar[str] = "JobGrant(uint256 job,uint32 node,bytes32 encryptionKey,uint64 validUntil)"

    job: int
    node: NodeId
    """Who was drawn, and asks."""
    encryption_key: bytes
    """32 bytes, X25519: what answers are sealed to."""
    valid_until: int
    """The grant holds before this second."""

    def check_time(self, now: int) -> None:
        """Checks that it holds now.

        Raises: GrantExpired: no more.
        """
        if not now < self.valid_until:
            raise GrantExpired(0, self.valid_until, now)


@dataclass(frozen=True, slots=True)
class Use(TypedMessage):
    """One use of an object's data. Its digest names it: vouchers pay for it, and nodes serve it once paid."""

    TYPE: ClassVar[str] = (
        "Use(address requester,uint256 blobObject,uint8 action,bytes32 program,uint32 keyEpoch,uint64 sequence)"
    )
    MEANINGS: ClassVar[Mapping[str, Callable[[int], int]]] = MappingProxyType({"action": Action})

    requester: Address
    blob_object: BlobObjectId
    action: Action
    program: bytes
    """The blob id of the program that runs on the data; zero for reads."""
    key_epoch: int
    sequence: int
    """Which use by this requester of this object it is, from 0; the number of the job where a node computes."""


@dataclass(frozen=True, slots=True)
class AccessRequest(TypedMessage):
    """Says: give me your share for this use, judged at this block. For one node; signed by the grant's session key."""

    TYPE: ClassVar[str] = (
        "AccessRequest(bytes32 grant,uint32 node,uint256 blobObject,uint8 action,bytes32 program,uint32 keyEpoch,"
        "uint64 sequence,bytes32 evidence,bytes32 blockHash,bytes32 nonce,uint64 expiresAt,bytes32 payment)"
    )
    MEANINGS: ClassVar[Mapping[str, Callable[[int], int]]] = MappingProxyType({"action": Action})

    grant: bytes
    """The digest of the session grant, or of the job grant."""
    node: NodeId
    blob_object: BlobObjectId
    action: Action
    program: bytes
    key_epoch: int
    sequence: int
    evidence: bytes
    """keccak256 of the evidence that comes with it."""
    block_hash: bytes
    """Of the block at which it is judged."""
    nonce: bytes
    """32 bytes by chance; a node takes each once."""
    expires_at: int
    """Seconds since 1970; at most ten minutes ahead."""
    payment: bytes
    """`FREE`, `PURCHASE`, `JOB`, or the digest of the voucher that comes with it."""

    def __post_init__(self) -> None:
        """Raises: MalformedMessage: a value that cannot be."""
        TypedMessage.__post_init__(self)
        if (self.action == Action.READ) != (self.program == NO_PROGRAM):
            raise MalformedMessage("AccessRequest", "a program is named to compute, and none to read")

    def use(self, requester: Address) -> Use:
        """The use that it asks for."""
        return Use(requester, self.blob_object, self.action, self.program, self.key_epoch, self.sequence)

    def verify(self, signature: bytes, grant: SessionGrant, domain: Domain) -> None:
        """Checks that the grant's session key signed it.

        Raises: MalformedSignature, WrongSigner: also when it was signed for another chain or contract.
        """
        self.verify_by(grant.session_key, signature, domain)

    def check(self, grant: SessionGrant | JobGrant, domain: Domain, node: NodeId, now: int) -> None:
        """Checks all that needs neither the chain nor signatures: for this node, in time, under this grant.

        Args:
            now: seconds since 1970.
        Raises: WrongNode, WrongGrant, RequestExpired, GrantExpired, OutsideScope.
        """
        if self.node != node:
            raise WrongNode(node, self.node)
        digest = grant.digest(domain)
        if self.grant != digest:
            raise WrongGrant(digest, self.grant)
        if not now < self.expires_at <= now + MAXIMUM_REQUEST_SECONDS:
            raise RequestExpired(self.expires_at, now, now + MAXIMUM_REQUEST_SECONDS)
        grant.check_time(now)
        if isinstance(grant, SessionGrant):
            grant.check_scope(self.blob_object, self.action)
        elif self.action is not Action.COMPUTE:
            raise OutsideScope(f"the action {self.action.name.lower()}")
