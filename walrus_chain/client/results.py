"""What the client's calls return, and what they tell while they work. Pure values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from walrus_chain.client.reputation import Suspect
from walrus_chain.errors import WalrusError
from walrus_chain.rules.committee import Member
from walrus_chain.transport.agent import AgentHealth, BlobAtAgent
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, Epoch, NodeId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.policy_views import Policies
    from walrus_chain.chain.views import Balances, BlobObject, NetworkParameters
    from walrus_chain.messages.receipt import PaidBy, Receipt


class Check(StrEnum):
    """How a reader makes sure that a blob means the same to everybody."""

    NONE = "none"
    """Trust whoever encoded the blob (not the nodes: their slivers are verified always). For your own data: a range
    whose row is lost is rebuilt from the same range of other rows, without reading whole segments."""
    DEFAULT = "default"
    """What was decoded must be what the systematic slivers are committed to hold."""
    STRICT = "strict"
    """What was read is encoded again, and every sliver must be the one committed to."""


class Stage(StrEnum):
    """What a store is doing."""

    COMMIT = "commit"
    """Computing the blob id; counted in bytes of the blob."""
    ENCRYPT = "encrypt"
    """Reading what is to be encrypted, to derive its key; counted in bytes of it."""
    REGISTER = "register"
    """Paying, in one transaction for all blobs; counted in blobs."""
    SEAL = "seal"
    """Sealing keys of private blobs and attaching their policies; counted in blobs."""
    UPLOAD = "upload"
    """Sending slivers; counted in bytes of slivers, over all nodes."""
    CERTIFY = "certify"
    """Handing the certificate in; counted in blobs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is."""

    stage: Stage
    name: str
    """The source's name; empty where the stage concerns all of them."""
    done: int
    total: int | None
    """None where it is not known yet."""


OnProgress: TypeAlias = Callable[[Progress], None]


class Outcome(StrEnum):
    """How a blob came to be stored."""

    STORED = "stored"
    """Registered, uploaded and certified."""
    RESUMED = "resumed"
    """Registered and paid by an earlier, interrupted store; uploaded the rest and certified."""
    ALREADY_STORED = "already stored"
    """You have a certified object of this very blob: nothing was paid."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """For whom the key of private data is sealed, and under which policies."""

    policies: Policies
    threshold: int
    """How many nodes open it together."""
    nodes: tuple[NodeId, ...]
    key_epoch: int


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that the network answers for."""

    name: str
    """Of the source."""
    blob_id: BlobId
    blob_object: BlobObjectId
    size: int
    """Bytes of the blob."""
    encoded_bytes: int
    """Bytes that the network keeps, and charges for."""
    end: Epoch
    """The first epoch in which it is not stored any more."""
    deletable: bool
    outcome: Outcome
    paid: Wei
    """For this blob; nothing where it was paid before."""
    weight: int
    """Shards that attested before it was certified; 0 where it was certified before."""
    transaction: str | None
    """The one that certified it; None where it was certified before."""
    gas_used: int
    """By that transaction, and by its part of the registration."""
    skipped: Mapping[str, str]
    """Nodes that did not attest up to then, and why: node to reason. They heal themselves."""
    sealed: Sealed | None = None
    """How its key is sealed; None for public data."""


@dataclass(frozen=True, slots=True)
class FailedBlob:
    """A blob of several that could not be stored, while the others were."""

    name: str
    """Of the source."""
    blob_id: BlobId | None
    """None where not even that could be computed."""
    error: WalrusError


@dataclass(frozen=True, slots=True)
class StoreQuote:
    """What storing something would cost."""

    name: str
    blob_id: BlobId
    size: int
    encoded_bytes: int
    units: int
    rate: Wei
    """For each epoch."""
    fee: Wei
    """Paid once."""
    total: Wei
    already: BlobObjectId | None
    """An object of yours that makes paying unnecessary."""


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A node's receipt for a share of a key that it gave; verified."""

    node_id: NodeId
    receipt: Receipt
    signature: bytes
    """Of the node's signer."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What it took to get the key of private data."""

    blob_object: BlobObjectId
    requester: Address
    policy: Address
    """The one that allowed it; the zero address where the owner reads what has none."""
    key_epoch: int
    sequence: int
    """Which use by this requester it is."""
    block: int
    """At which it was judged."""
    paid_by: PaidBy
    price: Wei
    """What the use costs; paid now by a voucher, or before on chain."""
    pool: PoolId | None
    """Who is paid; None where it is free."""
    channel: ChannelId | None
    """From which it was paid; None where no voucher was given."""
    threshold: int
    nodes: tuple[NodeId, ...]
    """That gave shares."""
    receipts: tuple[SignedReceipt, ...]
    suspects: tuple[Suspect, ...]
    """Nodes that sent shares or receipts that do not verify."""


@dataclass(frozen=True, slots=True)
class ReadSummary:
    """What a finished read can say of itself."""

    blob_id: BlobId
    size: int
    """Bytes that were read."""
    suspects: tuple[Suspect, ...]
    """Agents that sent something that does not verify, and were routed around."""
    use: KeyUse | None = None
    """What it took to get the key; None for public data."""


@dataclass(frozen=True, slots=True)
class InvalidatedBlob:
    """A blob that is marked as not encoding to its id; nobody stores it any more."""

    blob_id: BlobId
    objects: tuple[BlobObjectId, ...]
    """All its objects; they are void."""
    weight: int
    """Shards that attested; 0 where it was invalid before."""
    transaction: str | None
    """The one that marked it; None where it was invalid before."""
    gas_used: int


@dataclass(frozen=True, slots=True)
class NodeReport:
    """What one node says of a blob, or of itself."""

    member: Member
    held: BlobAtAgent | None = None
    health: AgentHealth | None = None
    seconds: float | None = None
    """How long its answer took."""
    why: str | None = None
    """Why there is no answer."""


@dataclass(frozen=True, slots=True)
class BlobReport:
    """What chain and nodes know of a blob."""

    blob_id: BlobId
    size: int
    objects: tuple[BlobObject, ...]
    """All its objects, oldest first."""
    nodes: tuple[NodeReport, ...]
    healthy_shards: int
    """Shards whose pairs are held in full."""
    needed_shards: int
    """Shards without which the blob would be lost."""
    shards: int
    attributes: Mapping[BlobObjectId, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """A network, its clock, and what an account has in it."""

    parameters: NetworkParameters
    members: tuple[Member, ...]
    account: Address | None
    balances: Balances | None
