"""What jobs and their triggers log: `walrus_chain.chain.events` has the rules for it."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.chain.compute_views import JobRequest, TriggerTerms
from walrus_chain.chain.event import ChainEvent
from walrus_chain.types import Address, BlobId, JobId, NodeId, TriggerId, Wei

# -- jobs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequested(ChainEvent):
    """A job was requested and paid."""

    contract = "ComputeJobs"
    solidity_name = "JobRequested"

    job: JobId
    requester: Address
    program: BlobId
    request: JobRequest
    sequences: tuple[int, ...]
    """For each input, which job of this requester on this object it is, from 0."""
    terms: bytes
    """Hash of the request: what a commitment names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDrawn(ChainEvent):
    """The nodes that run a job were drawn."""

    contract = "ComputeJobs"
    solidity_name = "JobDrawn"

    job: JobId
    nodes: tuple[NodeId, ...]
    """By place."""
    commit_until: int
    """When committing is over at the earliest, seconds since 1970."""
    reveal_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultCommitted(ChainEvent):
    """A node committed to its result."""

    contract = "ComputeJobs"
    solidity_name = "ResultCommitted"

    job: JobId
    node_id: NodeId
    place: int
    commitment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeclined(ChainEvent):
    """A node does not run a job."""

    contract = "ComputeJobs"
    solidity_name = "JobDeclined"

    job: JobId
    node_id: NodeId
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRevealed(ChainEvent):
    """A node showed its result."""

    contract = "ComputeJobs"
    solidity_name = "ResultRevealed"

    job: JobId
    node_id: NodeId
    place: int
    result_hash: bytes
    output_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettled(ChainEvent):
    """A job was paid, or paid back. Bit p of a set is the node at place p."""

    contract = "ComputeJobs"
    solidity_name = "JobSettled"

    job: JobId
    requester: Address
    agreeing: int
    """Those who revealed the result that counts; 0 when none does."""
    lying: int
    absent: int
    charged: Wei
    """What went to pools."""
    fee_each: Wei
    refunded: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled(ChainEvent):
    """A job that nobody drew was paid back."""

    contract = "ComputeJobs"
    solidity_name = "JobCancelled"

    job: JobId
    requester: Address
    refunded: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFaulted(ChainEvent):
    """A node lied about a job, or was absent."""

    contract = "ComputeJobs"
    solidity_name = "NodeFaulted"

    job: JobId
    node_id: NodeId
    lied: bool
    bps: int
    """What of its stake it loses, in hundredths of a percent; 0 when an absence is excused."""


# -- triggers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCreated(ChainEvent):
    """A trigger was made."""

    contract = "ComputeJobs"
    solidity_name = "TriggerCreated"

    trigger: TriggerId
    owner: Address
    terms: TriggerTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFunded(ChainEvent):
    """The balance of a trigger grew."""

    contract = "ComputeJobs"
    solidity_name = "TriggerFunded"

    trigger: TriggerId
    payer: Address
    amount: Wei
    balance: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerWithdrawn(ChainEvent):
    """An owner took something out of a trigger."""

    contract = "ComputeJobs"
    solidity_name = "TriggerWithdrawn"

    trigger: TriggerId
    to: Address
    amount: Wei


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFired(ChainEvent):
    """A trigger requested a job."""

    contract = "ComputeJobs"
    solidity_name = "TriggerFired"

    trigger: TriggerId
    job: JobId
    subject: int
    """The object that was certified, or the reader who bought, as a number; 0 when the clock fired it."""
    paid: Wei
    balance: Wei


COMPUTE_EVENTS: tuple[type[ChainEvent], ...] = (
    JobRequested,
    JobDrawn,
    ResultCommitted,
    JobDeclined,
    ResultRevealed,
    JobSettled,
    JobCancelled,
    NodeFaulted,
    TriggerCreated,
    TriggerFunded,
    TriggerWithdrawn,
    TriggerFired,
)
"""All of them."""
