"""What the chain says about jobs and triggers, as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from eth_utils.address import to_checksum_address

from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, JobId, NodeId, PoolId, TriggerId, Wei

ENGINE: Final = 1
"""The engine that runs programs: the only one that contracts take."""
OUTPUT_IN_CLEAR: Final = bytes(32)
"""In the place of a key: the output is not sealed."""


class JobStatus(IntEnum):
    """Where a job stands, as `IComputeJobs.Status`."""

    UNKNOWN = 0
    REQUESTED = 1
    """It waits to be drawn; or to be cancelled, when nobody did in time."""
    COMMITTING = 2
    REVEALING = 3
    SETTLEABLE = 4
    """Nothing can change any more."""
    OVER = 5
    """Settled or cancelled."""


class Answer(IntEnum):
    """What a node of a panel did, as `IComputeJobs.Answer`."""

    NONE = 0
    COMMITTED = 1
    REVEALED = 2
    DECLINED = 3


class TriggerKind(IntEnum):
    """What fires a trigger, as `IJobTriggers.Kind`."""

    ON_CERTIFY = 0
    EVERY_EPOCHS = 1
    ON_PAYMENT = 2


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a requester wants, as `IComputeJobs.Order`."""

    inputs: tuple[BlobObjectId, ...]
    """What the program reads, in this order: 1 to 16; none in a trigger that gives the object."""
    program: BlobId
    arguments: bytes
    """At most 1,024 bytes."""
    fuel: int
    """1 to 10^12."""
    output_limit: int
    """Bytes, at most 16 MiB."""
    replicas: int
    """How many nodes run it: 1, 3, 5 or 7."""
    fee: Wei
    """What the nodes that agree get together."""
    engine: int = ENGINE
    encryption_key: bytes = OUTPUT_IN_CLEAR
    """X25519 key to which the output is sealed, 32 bytes."""

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> JobOrder:
        """The order that an ABI tuple says."""
        return cls(
            inputs=tuple(row[0]),
            program=BlobId(row[1]),
            arguments=bytes(row[2]),
            fuel=row[3],
            output_limit=row[4],
            replicas=row[5],
            engine=row[6],
            encryption_key=bytes(row[7]),
            fee=Wei(row[8]),
        )

    @property
    def row(self) -> tuple[Any, ...]:
        """As the ABI has it."""
        return (
            self.inputs,
            self.program.digest,
            self.arguments,
            self.fuel,
            self.output_limit,
            self.replicas,
            self.engine,
            self.encryption_key,
            self.fee,
        )


@dataclass(frozen=True, slots=True)
class JobCharge:
    """What one input of a job is, and what its use costs, as `IComputeJobs.Charge`."""

    blob_id: BlobId
    pool: PoolId
    """Who is paid; 0 when it is free."""
    price: Wei

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> JobCharge:
        """The charge that an ABI tuple says."""
        return cls(BlobId(row[0]), PoolId(row[1]), Wei(row[2]))

    @property
    def row(self) -> tuple[bytes, int, int]:
        """As the ABI has it."""
        return self.blob_id.digest, self.pool, self.price


@dataclass(frozen=True, slots=True)
class JobRequest:
    """All that is known of a job when it is requested, as `IComputeJobs.Request`; to draw or end it, it is shown."""

    requester: Address
    order: JobOrder
    charges: tuple[JobCharge, ...]
    """One for each input."""
    ticket: int
    """Of the randomness that draws the panel."""
    office: Epoch
    """The committee of which the panel is drawn, by the epoch in which it took office."""
    since: int
    """Seconds since 1970."""

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> JobRequest:
        """The request that an ABI tuple says."""
        return cls(
            requester=Address(to_checksum_address(row[0])),
            order=JobOrder.from_row(row[1]),
            charges=tuple(JobCharge.from_row(charge) for charge in row[2]),
            ticket=row[3],
            office=Epoch(row[4]),
            since=row[5],
        )

    @property
    def row(self) -> tuple[Any, ...]:
        """As the ABI has it."""
        charges = tuple(charge.row for charge in self.charges)
        return self.requester, self.order.row, charges, self.ticket, self.office, self.since

    @property
    def cost(self) -> Wei:
        """Fee and charges together: what was paid."""
        return Wei(self.order.fee + sum(charge.price for charge in self.charges))


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the chain keeps it; once it is over, only its status."""

    job: JobId
    status: JobStatus
    terms: bytes
    """Hash of its request, 32 bytes; a commitment names it."""
    drawn_at: int
    """Seconds since 1970; 0 before."""
    drawn_block: int
    nodes: tuple[NodeId, ...]
    """The panel, by place; empty before it is drawn."""
    answers: tuple[Answer, ...]
    """By place."""

    def place_of(self, node_id: NodeId) -> int | None:
        """The place of a node in the panel; none when it is not in it."""
        return self.nodes.index(node_id) if node_id in self.nodes else None


@dataclass(frozen=True, slots=True)
class JobRules:
    """What holds for all jobs of a network; fixed when it was deployed."""

    draw_seconds: int
    commit_seconds: int
    reveal_seconds: int
    window_blocks: int
    """Blocks that committing has at least; revealing has ended after twice as many at the earliest."""
    wrong_bps: int
    """What a node loses that lied, in hundredths of a percent of its stake."""
    absent_bps: int
    """What a node loses that let a job wait, once an epoch; or that committed to a result and kept still, each time."""
    minimum_fee: Wei
    """The least that a job pays for each replica."""


@dataclass(frozen=True, slots=True)
class TriggerTerms:
    """What a trigger does, as `IJobTriggers.Terms`."""

    kind: TriggerKind
    order: JobOrder
    maximum: Wei
    """What one job may cost, fee and charges together."""
    epochs: int = 0
    """From one job to the next, for EVERY_EPOCHS; 0 for the others."""
    per_epoch: int = 1
    """The most jobs in an epoch; 1 for all but ON_CERTIFY."""

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> TriggerTerms:
        """The terms that an ABI tuple says."""
        return cls(
            kind=TriggerKind(row[0]),
            epochs=row[1],
            per_epoch=row[2],
            maximum=Wei(row[3]),
            order=JobOrder.from_row(row[4]),
        )

    @property
    def row(self) -> tuple[Any, ...]:
        """As the ABI has it."""
        return self.kind, self.epochs, self.per_epoch, self.maximum, self.order.row


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger as the chain keeps it."""

    trigger: TriggerId
    owner: Address
    terms: bytes
    """Hash of its terms, 32 bytes."""
    first_object: BlobObjectId
    """The first object that counts for ON_CERTIFY."""
    last: Epoch
    """The epoch of its last job; 0 when there was none."""
    jobs: int
    """How many it requested in that epoch."""
    balance: Wei
