"""What policies, credentials and nodes' receipts log: `walrus_chain.chain.events` has the rules for it."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.values import ShortName
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId

# -- blob policies ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesAttached(ChainEvent):
    """An object got its first policies."""

    contract = "BlobPolicies"
    solidity_name = "PoliciesAttached"

    blob_object: BlobObjectId
    access: Address
    retention: Address
    notice_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesAnnounced(ChainEvent):
    """Other policies were announced for an object."""

    contract = "BlobPolicies"
    solidity_name = "PoliciesAnnounced"

    blob_object: BlobObjectId
    access: Address
    retention: Address
    from_: int
    """When they take effect, seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesEnacted(ChainEvent):
    """Announced policies, which held since their time, took the place of the former ones for good."""

    contract = "BlobPolicies"
    solidity_name = "PoliciesEnacted"

    blob_object: BlobObjectId
    access: Address
    retention: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementCancelled(ChainEvent):
    """An announcement was taken back."""

    contract = "BlobPolicies"
    solidity_name = "AnnouncementCancelled"

    blob_object: BlobObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesFrozen(ChainEvent):
    """An object's policies were fixed for ever."""

    contract = "BlobPolicies"
    solidity_name = "PoliciesFrozen"

    blob_object: BlobObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopePublished(ChainEvent):
    """The key of an object's data was sealed."""

    contract = "BlobPolicies"
    solidity_name = "EnvelopePublished"

    blob_object: BlobObjectId
    key_epoch: int
    envelope: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFailed(ChainEvent):
    """A hook of a policy failed; nothing else came of it."""

    contract = "BlobPolicies"
    solidity_name = "HookFailed"

    blob_object: BlobObjectId
    policy: Address
    hook: int
    """0 when certified, 1 when extended, 2 when read, 3 when expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryTold(ChainEvent):
    """The policies of an object were told that its term is over."""

    contract = "BlobPolicies"
    solidity_name = "ExpiryTold"

    blob_object: BlobObjectId


# -- policy factory --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCreated(ChainEvent):
    """A ready-made policy was created."""

    contract = "PolicyFactory"
    solidity_name = "PolicyCreated"

    policy: Address
    kind: ShortName
    creator: Address
    arguments: bytes
    """ABI-encoded, as the kind says."""


# -- ready-made policies: clones log them, each at its own address ----------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowListChanged(ChainEvent):
    """An account came onto a list of those who are let in, or left it."""

    contract = "AllowListPolicy"
    solidity_name = "AccountListed"

    account: Address
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyListChanged(ChainEvent):
    """An account came onto a list of those who are kept out, or left it."""

    contract = "DenyListPolicy"
    solidity_name = "AccountListed"

    account: Address
    listed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowRootChanged(ChainEvent):
    """A list of those who are let in was replaced by another one."""

    contract = "MerkleAllowListPolicy"
    solidity_name = "RootChanged"

    old_root: bytes
    new_root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldChanged(ChainEvent):
    """A holder put a hold on an object, or took it off."""

    contract = "LegalHoldPolicy"
    solidity_name = "HoldChanged"

    blob_object: BlobObjectId
    holder: Address
    held: bool


# -- credentials -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested(ChainEvent):
    """An attester gave a credential."""

    contract = "CredentialRegistry"
    solidity_name = "Attested"

    recipient: Address
    attester: Address
    uid: bytes
    schema: bytes
    expiration_time: int
    """Seconds since 1970; 0 for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked(ChainEvent):
    """An attester took a credential back."""

    contract = "CredentialRegistry"
    solidity_name = "Revoked"

    recipient: Address
    attester: Address
    uid: bytes
    schema: bytes


# -- receipts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptsAnchored(ChainEvent):
    """A node fixed the receipts that it signed in an epoch."""

    contract = "ReceiptLog"
    solidity_name = "ReceiptsAnchored"

    node_id: NodeId
    epoch: Epoch
    root: bytes
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDestroyed(ChainEvent):
    """A node stated that it destroyed the key it kept for an object."""

    contract = "ReceiptLog"
    solidity_name = "KeyDestroyed"

    node_id: NodeId
    blob_object: BlobObjectId
    key_hash: bytes
    """SHA-256 of the public key whose private key is gone."""


POLICY_EVENTS: tuple[type[ChainEvent], ...] = (
    PoliciesAttached,
    PoliciesAnnounced,
    PoliciesEnacted,
    AnnouncementCancelled,
    PoliciesFrozen,
    EnvelopePublished,
    HookFailed,
    ExpiryTold,
    PolicyCreated,
    AllowListChanged,
    DenyListChanged,
    AllowRootChanged,
    HoldChanged,
    Attested,
    Revoked,
    ReceiptsAnchored,
    KeyDestroyed,
)
"""All of them."""
