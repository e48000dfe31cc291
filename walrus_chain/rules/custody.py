"""What the chain asks a node to prove in an epoch, and what it costs when it does not.

Blob objects that were certified stand in arrays by size class, frozen by their lengths when a window opens. A node is
asked for `count` places; each place follows from the window's seed, the node and the sample's number by three draws,
each from a word of its own: one of the node's due shards, an object weighed by its size, one 256-byte chunk of that
shard's slivers.

Pure; tests/vectors/custody.json holds Python and Solidity to the same places (invariant I11).
Source: docs/spec/11-custody.md; the contracts are `BlobSampler` and `CustodyChallenges`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from walrus_chain.codec.geometry import BlobGeometry, Geometry, SegmentGeometry, pair_on_shard
from walrus_chain.codec.proof import ChunkPlace
from walrus_chain.errors import Bug, MissReportedBefore, NoShardDue
from walrus_chain.types import Axis, BlobId, Epoch, NodeId, ShardIndex

SIZE_CLASSES: Final = 32
CLASS_BYTES: Final = 4096
"""Objects below twice this size are in class 0."""
BLOB_ATTEMPTS: Final = 4
"""Draws of an object until a sample is blank."""
NEVER = Epoch(0)
SHARD_TAG, BLOB_TAG, CHUNK_TAG = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Entry:
    """A certified blob object as nodes are asked about it."""

    blob_id: BlobId
    size: int
    """Bytes of the blob."""
    until: Epoch
    """The first epoch in which nodes do not answer for it any more: its end, or the one after it was deleted; 0 when it
    is invalid."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One place that a node is asked for."""

    entry: Entry
    shard: ShardIndex
    place: ChunkPlace


@dataclass(frozen=True, slots=True)
class Window:
    """What everybody is asked from, once it is open and its seed is drawn."""

    shards: int
    """n."""
    epoch: Epoch
    seed: bytes
    """32 bytes."""
    classes: Sequence[Sequence[Entry]]
    """The entries of each size class, in their order on chain."""
    lengths: Sequence[int]
    """How many entries of each class had entered when the window was opened."""

    @property
    def weight(self) -> int:
        """W, the weight of all entries together; 0 when there is nothing to prove, and everybody passes."""
        return sum(length << size_class for size_class, length in enumerate(self.lengths))

    def samples(self, node_id: NodeId, due: Sequence[ShardIndex], count: int) -> tuple[Sample | None, ...]:
        """The places that a node is asked for, in order; None for a blank one, where there is nothing to prove.

        Args:
            due: the shards that the node must answer for, ascending.
            count: K.
        Raises: NoShardDue: the node has no such shard.
        """
        if not due:
            raise NoShardDue(self.epoch, node_id)
        return tuple(self._sample(node_id, due, number) for number in range(count)) if self.weight else (None,) * count

    def word(self, node_id: NodeId, sample: int, tag: int, attempt: int) -> int:
        """The number that decides one draw: keccak256(abi.encode(seed, node, sample, tag, attempt))."""
        return int.from_bytes(
            keccak(self.seed + b"".join(value.to_bytes(32, "big") for value in (node_id, sample, tag, attempt))), "big"
        )

    def _sample(self, node_id: NodeId, due: Sequence[ShardIndex], number: int) -> Sample | None:
        shard = due[self.word(node_id, number, SHARD_TAG, 0) % len(due)]
        for attempt in range(BLOB_ATTEMPTS):
            entry = self._entry_at(self.word(node_id, number, BLOB_TAG, attempt) % self.weight)
            if entry.until > self.epoch:
                pair = pair_on_shard(entry.blob_id, shard, self.shards)
                blob = Geometry(self.shards).blob(entry.size)
                segment, axis, chunk = chunk_at(blob, self.word(node_id, number, CHUNK_TAG, 0) % pair_chunks(blob))
                return Sample(entry, shard, ChunkPlace(segment, axis, pair, chunk))
        return None

    def _entry_at(self, weight: int) -> Entry:
        """The entry that covers `weight`, 0 <= weight < W: the highest classes come first."""
        for size_class in reversed(range(len(self.lengths))):
            covered = self.lengths[size_class] << size_class
            if weight < covered:
                return self.classes[size_class][weight >> size_class]
            weight -= covered
        raise Bug(f"weight {weight} is beyond all entries")


def size_class(size: int) -> int:
    """The class of an object of `size` bytes: floor(log2(size / 4096)), between 0 and 31; it weighs 2 to this power."""
    return min(SIZE_CLASSES - 1, max(1, size // CLASS_BYTES).bit_length() - 1)


def pair_chunks(blob: BlobGeometry) -> int:
    """T: chunks of all slivers of a blob on one shard."""
    full, last = blob.segment(0), blob.segment(blob.segments - 1)
    return (blob.segments - 1) * _segment_chunks(full) + _segment_chunks(last)


def chunk_at(blob: BlobGeometry, number: int) -> tuple[int, Axis, int]:
    """Segment, axis and chunk of chunk `number` of a shard's slivers, 0 <= number < T.

    They are counted segment by segment, and in each the chunks of the primary sliver first.
    """
    segment, rest = divmod(number, _segment_chunks(blob.segment(0)))
    primary = blob.segment(segment).chunks(Axis.PRIMARY)
    return (segment, Axis.PRIMARY, rest) if rest < primary else (segment, Axis.SECONDARY, rest - primary)


def _segment_chunks(segment: SegmentGeometry) -> int:
    return segment.chunks(Axis.PRIMARY) + segment.chunks(Axis.SECONDARY)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a reported miss costs."""

    slash_bps: int
    """Of the node's active and unbonding stake."""
    jailed_until: Epoch | None
    """From which epoch on the operator may let the node out; None when it is not jailed."""


@dataclass(frozen=True, slots=True)
class Misses:
    """The misses of a node that were reported."""

    reported: tuple[Epoch, ...] = ()
    """Of the last two that were reported, ascending: no more can be reported at a time."""
    row: int = 0
    """How many in a row."""

    @property
    def last(self) -> Epoch:
        """The latest epoch of them; 0 when there is none."""
        return self.reported[-1] if self.reported else NEVER


@dataclass(frozen=True, slots=True)
class MissRule:
    """What a deployment fixed of the price of a miss."""

    first_slash_bps: int
    """For a single one; doubled with each in a row."""
    maximum_slash_bps: int
    misses_to_jail: int
    """In a row."""
    jail_epochs: int

    def slash_bps(self, row: int) -> int:
        """What the `row`-th miss in a row costs, row >= 1."""
        return min(self.first_slash_bps << (row - 1), self.maximum_slash_bps)

    def after_miss(self, misses: Misses, epoch: Epoch, current: Epoch) -> tuple[Misses, Consequence]:
        """The record after the miss of `epoch` was reported in epoch `current`, and what follows.

        A miss is in a row with one of the epoch before. Of two neighbours the later one may be reported first.

        Raises: MissReportedBefore: it was.
        """
        if epoch in misses.reported:
            raise MissReportedBefore(epoch)
        adjacent = misses.row > 0 and abs(epoch - misses.last) == 1
        after = Misses(tuple(sorted((*misses.reported, epoch))[-2:]), misses.row + 1 if adjacent else 1)
        jailed = Epoch(current + self.jail_epochs) if after.row >= self.misses_to_jail else None
        return after, Consequence(self.slash_bps(after.row), jailed)
