"""Everything that the network's contracts log, as one frozen value a kind.

Fields stand in the order of the Solidity event and carry its names in snake case; a test holds both to that, and holds
every event of every contract to having a class in `EVENTS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.chain.compute_events import COMPUTE_EVENTS
from walrus_chain.chain.economy_events import ECONOMY_EVENTS
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.payment_events import PAYMENT_EVENTS
from walrus_chain.chain.policy_events import POLICY_EVENTS
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, Wei

# -- blob registry ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRegistered(ChainEvent):
    """An object was registered and paid."""

    contract = "BlobRegistry"
    solidity_name = "BlobRegistered"

    blob_object: BlobObjectId
    blob_id: BlobId
    owner: Address
    size: int
    start: Epoch
    end: Epoch
    deletable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobCertified(ChainEvent):
    """The network took responsibility for an object: its point of availability."""

    contract = "BlobRegistry"
    solidity_name = "BlobCertified"

    blob_object: BlobObjectId
    blob_id: BlobId
    committee_epoch: Epoch
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobExtended(ChainEvent):
    """An object's term became longer."""

    contract = "BlobRegistry"
    solidity_name = "BlobExtended"

    blob_object: BlobObjectId
    blob_id: BlobId
    old_end: Epoch
    new_end: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobDeleted(ChainEvent):
    """An owner ended an object's term early."""

    contract = "BlobRegistry"
    solidity_name = "BlobDeleted"

    blob_object: BlobObjectId
    blob_id: BlobId
    owner: Address
    refunded: Wei
    epoch: Epoch
    """The epoch in which it was deleted; nodes keep the bytes to its end, for it was paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobInvalidated(ChainEvent):
    """Nodes attested that a blob's bytes do not encode to its id; it concerns all objects of the blob."""

    contract = "BlobRegistry"
    solidity_name = "BlobInvalidated"

    blob_id: BlobId
    committee_epoch: Epoch
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobTransferred(ChainEvent):
    """An object came into being (from zero), changed its owner, or ended (to zero)."""

    contract = "BlobRegistry"
    solidity_name = "Transfer"

    from_: Address
    to: Address
    token_id: BlobObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobApproval(ChainEvent):
    """An owner allowed an account to act for one object."""

    contract = "BlobRegistry"
    solidity_name = "Approval"

    owner: Address
    approved: Address
    token_id: BlobObjectId


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobApprovalForAll(ChainEvent):
    """An owner allowed an account to act for all its objects, or took that back."""

    contract = "BlobRegistry"
    solidity_name = "ApprovalForAll"

    owner: Address
    operator: Address
    approved: bool


# -- blob attributes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSet(ChainEvent):
    """An attribute was written."""

    contract = "BlobAttributes"
    solidity_name = "AttributeSet"

    blob_object: BlobObjectId
    key: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRemoved(ChainEvent):
    """An attribute was removed."""

    contract = "BlobAttributes"
    solidity_name = "AttributeRemoved"

    blob_object: BlobObjectId
    key: str


# -- committee -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitteeFormed(ChainEvent):
    """A committee took office."""

    contract = "Committee"
    solidity_name = "CommitteeFormed"

    epoch: Epoch
    members: tuple[NodeId, ...]
    signers: tuple[Address, ...]
    assignment: bytes
    """One byte a shard: the member index that serves it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochChangeStarted(ChainEvent):
    """Shards moved with the committee that took office in the same transaction."""

    contract = "Committee"
    solidity_name = "EpochChangeStarted"

    epoch: Epoch
    previous: Epoch
    """The epoch in which the former committee took office."""
    moved: int
    """Bit s is set when shard s went to another node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardsSynced(ChainEvent):
    """A node has the bytes of shards that moved to it."""

    contract = "Committee"
    solidity_name = "ShardsSynced"

    epoch: Epoch
    node_id: NodeId
    shards: int
    """Bit s is set for shard s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochChangeDone(ChainEvent):
    """At most f of the shards that moved are not with their new nodes yet."""

    contract = "Committee"
    solidity_name = "EpochChangeDone"

    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKept(ChainEvent):
    """The committee that was selected for an epoch is the one in office: it stays, and nothing moves."""

    contract = "Committee"
    solidity_name = "EpochKept"

    epoch: Epoch
    office_epoch: Epoch
    """The epoch in which the committee took office, which attestations go on to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitteeSelected(ChainEvent):
    """The committee of an epoch to come was fixed."""

    contract = "Committee"
    solidity_name = "CommitteeSelected"

    epoch: Epoch
    members: tuple[NodeId, ...]
    assignment: bytes
    """One byte a shard: the member index that is to serve it."""
    kept: bool
    """Whether it is the same as the one in office."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerRefreshed(ChainEvent):
    """A member's rotated key was taken over into the committee."""

    contract = "Committee"
    solidity_name = "SignerRefreshed"

    epoch: Epoch
    member: int
    old_signer: Address
    new_signer: Address


# -- node registry ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRegistered(ChainEvent):
    """A node joined."""

    contract = "NodeRegistry"
    solidity_name = "NodeRegistered"

    node_id: NodeId
    operator: Address
    name: str
    url: str
    region: str
    signer: Address
    encryption_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUpdated(ChainEvent):
    """An operator changed what people and clients see of a node."""

    contract = "NodeRegistry"
    solidity_name = "NodeUpdated"

    node_id: NodeId
    name: str
    url: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeysRotated(ChainEvent):
    """An operator changed a node's keys."""

    contract = "NodeRegistry"
    solidity_name = "NodeKeysRotated"

    node_id: NodeId
    old_signer: Address
    new_signer: Address
    encryption_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTransferStarted(ChainEvent):
    """An operator offered a node to another account; zero takes the offer back."""

    contract = "NodeRegistry"
    solidity_name = "OperatorTransferStarted"

    node_id: NodeId
    operator: Address
    new_operator: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTransferred(ChainEvent):
    """The other account took the node over."""

    contract = "NodeRegistry"
    solidity_name = "OperatorTransferred"

    node_id: NodeId
    old_operator: Address
    new_operator: Address


# -- storage fees ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TermPaid(ChainEvent):
    """An object's term was paid."""

    contract = "StorageFees"
    solidity_name = "TermPaid"

    blob_object: BlobObjectId
    payer: Address
    rate: Wei
    start: Epoch
    end: Epoch
    charge: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRefunded(ChainEvent):
    """Unused epochs became the payee's claim in the vault."""

    contract = "StorageFees"
    solidity_name = "TermRefunded"

    blob_object: BlobObjectId
    payee: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesSet(ChainEvent):
    """Prices were fixed for the epochs from `from_` on."""

    contract = "StorageFees"
    solidity_name = "PricesSet"

    from_: Epoch
    unit_price: Wei
    write_fee: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomeEarned(ChainEvent):
    """What revenue pools owed nodes was added to an epoch's income."""

    contract = "StorageFees"
    solidity_name = "IncomeEarned"

    epoch: Epoch
    amount: Wei


# -- token vault -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected(ChainEvent):
    """A module took WAL from a payer into its reserve."""

    contract = "TokenVault"
    solidity_name = "Collected"

    module: Address
    payer: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(ChainEvent):
    """A module turned part of its reserve into an account's claim."""

    contract = "TokenVault"
    solidity_name = "Released"

    module: Address
    payee: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(ChainEvent):
    """A module handed part of its reserve to another."""

    contract = "TokenVault"
    solidity_name = "Moved"

    module: Address
    to: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Burned(ChainEvent):
    """A module destroyed part of its reserve; the supply fell by it."""

    contract = "TokenVault"
    solidity_name = "Burned"

    module: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid(ChainEvent):
    """A module paid part of its reserve out."""

    contract = "TokenVault"
    solidity_name = "Paid"

    module: Address
    to: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(ChainEvent):
    """An account took part of its claim out of the system."""

    contract = "TokenVault"
    solidity_name = "Withdrawn"

    account: Address
    to: Address
    amount: Wei


# -- WAL -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class WalTransferred(ChainEvent):
    """WAL moved between accounts."""

    contract = "WAL"
    solidity_name = "Transfer"

    from_: Address
    to: Address
    value: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class WalApproval(ChainEvent):
    """A holder allowed an account to take WAL."""

    contract = "WAL"
    solidity_name = "Approval"

    owner: Address
    spender: Address
    value: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationUsed(ChainEvent):
    """A signed transfer happened; its nonce is spent for ever."""

    contract = "WAL"
    solidity_name = "AuthorizationUsed"

    authorizer: Address
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCanceled(ChainEvent):
    """A signed transfer was cancelled before use; its nonce is spent for ever."""

    contract = "WAL"
    solidity_name = "AuthorizationCanceled"

    authorizer: Address
    nonce: bytes


EVENTS: tuple[type[ChainEvent], ...] = (
    BlobRegistered,
    BlobCertified,
    BlobExtended,
    BlobDeleted,
    BlobInvalidated,
    BlobTransferred,
    BlobApproval,
    BlobApprovalForAll,
    AttributeSet,
    AttributeRemoved,
    CommitteeFormed,
    CommitteeSelected,
    EpochChangeStarted,
    ShardsSynced,
    EpochChangeDone,
    EpochKept,
    SignerRefreshed,
    NodeRegistered,
    NodeUpdated,
    NodeKeysRotated,
    OperatorTransferStarted,
    OperatorTransferred,
    TermPaid,
    TermRefunded,
    PricesSet,
    IncomeEarned,
    Collected,
    Released,
    Moved,
    Burned,
    Paid,
    Withdrawn,
    WalTransferred,
    WalApproval,
    AuthorizationUsed,
    AuthorizationCanceled,
    *ECONOMY_EVENTS,
    *POLICY_EVENTS,
    *PAYMENT_EVENTS,
    *COMPUTE_EVENTS,
)

NEVER_EMITTED = frozenset({"EIP712DomainChanged"})
"""Declared by a library (ERC-5267), but no contract here can change its domain."""
