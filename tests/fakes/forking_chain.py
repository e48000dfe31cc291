"""A chain in memory that mines, reorganises, lags and fails, and keeps the blob registry's rules on each fork."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from walrus_chain.chain import events
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.event import ChainEvent
from walrus_chain.chain.network import Span
from walrus_chain.errors import Retryable
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, Wei

OWNER = Address("0x00000000000000000000000000000000000000A1")
EPOCH_SECONDS = 100
GENESIS = 1_000_000
ANCHOR = 9
#: Makes an event of a block at a place in it.
MakeEvent = Callable[[BlockRef, int], ChainEvent]


class EndpointDown(Retryable):
    """The fake's endpoint was told to fail."""


def epoch_at(timestamp: int) -> Epoch:
    """The epoch at a time, as `Committee` counts it."""
    return Epoch(1 + (timestamp - GENESIS) // EPOCH_SECONDS)


def blob_id(number: int) -> BlobId:
    """The id of the test's blob `number`."""
    return BlobId(hashlib.sha256(b"blob %d" % number).digest())


@dataclass
class _Block:
    ref: BlockRef
    events: list[ChainEvent] = field(default_factory=list)


def _formed(members: tuple[NodeId, ...], assignment: bytes) -> MakeEvent:
    return lambda block, index: events.CommitteeFormed(
        block=block,
        log_index=index,
        transaction="0x",
        epoch=epoch_at(block.timestamp),
        members=members,
        signers=tuple(OWNER for _ in members),
        assignment=assignment,
    )


class ForkingChain:
    """Implements `storage_agent.watch.source.ChainSource`. Blocks start at 0; contracts appear after block 9."""

    def __init__(self, shards: int = 10, nodes: int = 5, name: str = "chain") -> None:
        self._name = name
        self._salt = itertools.count()
        self._blocks: list[_Block] = []
        self.asked: list[str] = []
        """The calls so far, as `name(arguments)`."""
        self.failures = 0
        """So many of the next calls fail."""
        self.hidden_blocks = 0
        """So many of the newest blocks the endpoint does not have yet."""
        self.left_out: set[int] = set()
        """Blocks whose events the endpoint leaves out without a word."""
        self.before_events: Callable[[], None] | None = None
        """Runs once, right before events are answered: what happens between two calls."""
        for _ in range(ANCHOR + 1):
            self.mine()
        members = tuple(NodeId(number + 1) for number in range(nodes))
        self.mine(_formed(members, bytes(shard % nodes for shard in range(shards))))

    # -- what happens on the chain -----------------------------------------------------------------------------------

    @property
    def newest(self) -> BlockRef:
        """The newest block."""
        return self._blocks[-1].ref

    @property
    def epoch(self) -> Epoch:
        """The epoch at the newest block."""
        return epoch_at(self.newest.timestamp)

    def all_events(self, upto: int | None = None) -> list[ChainEvent]:
        """Everything that happened on the present fork, up to a block."""
        return [event for block in self._blocks if upto is None or block.ref.number <= upto for event in block.events]

    @property
    def office(self) -> events.CommitteeFormed:
        """The committee in office."""
        return [event for event in self.all_events() if isinstance(event, events.CommitteeFormed)][-1]

    def mine(self, *made: MakeEvent, seconds: int = 1) -> BlockRef:
        """A new block with these events, `seconds` after the last one."""
        number = len(self._blocks)
        time = self.newest.timestamp + seconds if self._blocks else GENESIS
        digest = hashlib.sha256(f"{self._name} {number} {next(self._salt)}".encode()).digest()
        ref = BlockRef(number, digest, time)
        self._blocks.append(_Block(ref, [make(ref, index) for index, make in enumerate(made)]))
        return ref

    def drop(self, count: int) -> None:
        """Orphans the newest blocks; what is mined next is another fork."""
        del self._blocks[len(self._blocks) - count :]

    def reorganise(self, depth: int) -> None:
        """Orphans the newest blocks and mines as many empty ones."""
        self.drop(depth)
        for _ in range(depth):
            self.mine()

    def register(self, number: int, epochs: int = 2, size: int = 1000) -> BlobObjectId:
        """A block that registers blob `number`."""
        new = BlobObjectId(1 + sum(isinstance(event, events.BlobRegistered) for event in self.all_events()))
        start = epoch_at(self.newest.timestamp + 1)
        self.mine(
            lambda block, index: events.BlobRegistered(
                block=block,
                log_index=index,
                transaction="0x",
                blob_object=new,
                blob_id=blob_id(number),
                owner=OWNER,
                size=size,
                start=start,
                end=Epoch(start + epochs),
                deletable=True,
            )
        )
        return new

    def certify(self, blob_object: BlobObjectId, number: int) -> BlockRef:
        """A block that certifies an object of blob `number`."""
        return self.mine(
            lambda block, index: events.BlobCertified(
                block=block,
                log_index=index,
                transaction="0x",
                blob_object=blob_object,
                blob_id=blob_id(number),
                committee_epoch=Epoch(1),
                weight=7,
            )
        )

    def extend(self, blob_object: BlobObjectId, number: int, end: Epoch) -> BlockRef:
        """A block that makes an object's term end at `end`."""
        return self.mine(
            lambda block, index: events.BlobExtended(
                block=block,
                log_index=index,
                transaction="0x",
                blob_object=blob_object,
                blob_id=blob_id(number),
                old_end=Epoch(0),
                new_end=end,
            )
        )

    def delete(self, blob_object: BlobObjectId, number: int) -> BlockRef:
        """A block that deletes an object."""
        return self.mine(
            lambda block, index: events.BlobDeleted(
                block=block,
                log_index=index,
                transaction="0x",
                blob_object=blob_object,
                blob_id=blob_id(number),
                owner=OWNER,
                refunded=Wei(0),
                epoch=epoch_at(block.timestamp),
            )
        )

    def invalidate(self, number: int) -> BlockRef:
        """A block that voids a blob."""
        return self.mine(
            lambda block, index: events.BlobInvalidated(
                block=block,
                log_index=index,
                transaction="0x",
                blob_id=blob_id(number),
                committee_epoch=Epoch(1),
                weight=4,
            )
        )

    def change_committee(self, assignment: bytes) -> BlockRef:
        """A block in which shards move among the members: one byte a shard, the place of its node."""
        before = self.office
        changed = (old != new for old, new in zip(before.assignment, assignment, strict=True))
        moved = sum(bit << shard for shard, bit in enumerate(changed))
        return self.mine(
            _formed(before.members, assignment),
            lambda block, index: events.EpochChangeStarted(
                block=block,
                log_index=index,
                transaction="0x",
                epoch=epoch_at(block.timestamp),
                previous=before.epoch,
                moved=moved,
            ),
        )

    def sync_shards(self, node_id: NodeId, shards: int) -> BlockRef:
        """A block in which a node says that it has shards (a bitmap)."""
        epoch = self.office.epoch
        return self.mine(
            lambda block, index: events.ShardsSynced(
                block=block, log_index=index, transaction="0x", epoch=epoch, node_id=node_id, shards=shards
            )
        )

    def end_change(self) -> BlockRef:
        """A block in which the change is done."""
        epoch = self.office.epoch
        return self.mine(
            lambda block, index: events.EpochChangeDone(block=block, log_index=index, transaction="0x", epoch=epoch)
        )

    # -- what the endpoint answers -----------------------------------------------------------------------------------

    async def head(self, confirmations: int = 0) -> BlockRef:
        """See `ChainSource.head`."""
        self._ask(f"head({confirmations})")
        return self._visible()[max(0, len(self._visible()) - 1 - confirmations)].ref

    async def block(self, number: int) -> BlockRef:
        """See `ChainSource.block`."""
        self._ask(f"block({number})")
        if number >= len(self._visible()):
            raise EndpointDown(f"no block {number} yet")
        return self._visible()[number].ref

    async def span(self, after: int, last: int) -> Span:
        """See `ChainSource.span`."""
        self._ask(f"span({after}, {last})")
        if self.before_events is not None:
            happens, self.before_events = self.before_events, None
            happens()
        if last >= len(self._visible()):
            raise EndpointDown(f"no block {last} yet")
        blocks = self._visible()[after : last + 1]
        seen = [event for block in blocks[1:] if block.ref.number not in self.left_out for event in block.events]
        return Span((blocks[0].ref, blocks[-1].ref), tuple(seen))

    def _visible(self) -> list[_Block]:
        return self._blocks[: len(self._blocks) - self.hidden_blocks]

    def _ask(self, call: str) -> None:
        self.asked.append(call)
        if self.failures:
            self.failures -= 1
            raise EndpointDown("told to fail")
