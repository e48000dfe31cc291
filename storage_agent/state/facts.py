"""What the chain says that concerns a storage node, stripped to what its decisions depend on.

The watcher turns the chain's events into facts, the catalogue keeps them in chain order, and everything the agent knows
of blobs is folded from them. So undoing a reorganisation is dropping facts and folding again.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId


@dataclass(frozen=True, slots=True)
class Registered:
    """An object was registered and paid."""

    blob_object: BlobObjectId
    blob_id: BlobId
    size: int
    """Bytes of the blob, as the owner declared them; the blob id commits to the true size."""
    start: Epoch
    end: Epoch
    """The first epoch that is not paid."""
    deletable: bool


@dataclass(frozen=True, slots=True)
class Certified:
    """The network took responsibility for an object."""

    blob_object: BlobObjectId


@dataclass(frozen=True, slots=True)
class Extended:
    """An object's term became longer."""

    blob_object: BlobObjectId
    end: Epoch


@dataclass(frozen=True, slots=True)
class Deleted:
    """An owner ended an object's term early."""

    blob_object: BlobObjectId
    epoch: Epoch
    """The epoch in which that happened. It was paid, so the bytes are due to its end."""


@dataclass(frozen=True, slots=True)
class Invalidated:
    """Nodes attested that a blob's bytes do not encode to its id: all its objects are void."""

    blob_id: BlobId


@dataclass(frozen=True, slots=True)
class CommitteeFormed:
    """A committee took office."""

    epoch: Epoch
    members: tuple[NodeId, ...]
    assignment: bytes
    """One byte a shard: the place in `members` of the node that serves it."""


@dataclass(frozen=True, slots=True)
class EpochChangeStarted:
    """Shards moved with the committee that took office right before."""

    epoch: Epoch
    previous: Epoch
    """The epoch in which the former committee took office."""
    moved: int
    """Bit s is set when shard s went to another node."""


@dataclass(frozen=True, slots=True)
class ShardsSynced:
    """A node has the bytes of shards that moved to it."""

    epoch: Epoch
    node_id: NodeId
    shards: int
    """Bit s is set for shard s."""


@dataclass(frozen=True, slots=True)
class EpochChangeDone:
    """At most f of the shards that moved are not with their new nodes yet."""

    epoch: Epoch


ObjectFact = Registered | Certified | Extended | Deleted
CommitteeFact = CommitteeFormed | EpochChangeStarted | ShardsSynced | EpochChangeDone
Fact = ObjectFact | Invalidated | CommitteeFact


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where on the chain a fact stands; places order facts as the chain does."""

    block: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Located:
    """A fact with its place."""

    place: Place
    fact: Fact
