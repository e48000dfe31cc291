"""A catalogue that knows a committee, and a few blobs to keep things of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from storage_agent.state.facts import CommitteeFormed, Fact, Located, Place, Registered
from storage_agent.store.catalogue import Catalogue
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId

NODE = NodeId(2)
MEMBERS = tuple(NodeId(number) for number in range(1, 6))
ASSIGNMENT = bytes(shard % 5 for shard in range(10))


@dataclass
class Clock:
    """The time that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Feed:
    """Feeds a catalogue with facts, a block at a time."""

    catalogue: Catalogue
    epoch: Epoch = Epoch(1)  # noqa: RUF009 - a number
    objects: int = 0
    blobs: dict[BlobObjectId, BlobId] = field(default_factory=dict)

    async def block(self, *facts: Fact) -> None:
        """The next block."""
        cursor = self.catalogue.cursor
        assert cursor is not None
        number = cursor.block.number + 1
        located = [Located(Place(number, index), fact) for index, fact in enumerate(facts)]
        await self.catalogue.take(cursor, located, _block(number), self.epoch)

    async def next_epoch(self) -> None:
        """The next block, in the next epoch."""
        self.epoch = Epoch(self.epoch + 1)
        await self.block()

    async def register(self, blob_id: BlobId, epochs: int = 2, size: int = 1000) -> BlobObjectId:
        """A new object of a blob."""
        self.objects += 1
        number = BlobObjectId(self.objects)
        await self.block(Registered(number, blob_id, size, self.epoch, Epoch(self.epoch + epochs), True))
        return number


def _block(number: int) -> BlockRef:
    return BlockRef(number, b"%32d" % number, 0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def catalogue(tmp_path: Path, clock: Clock) -> AsyncIterator[Catalogue]:
    opened = open_catalogue(tmp_path, clock)
    await opened.start_at(_block(9))
    yield opened
    opened.close()


def open_catalogue(folder: Path, clock: Clock, history: int = 16) -> Catalogue:
    """The test's catalogue; shut it before it is opened again."""
    return Catalogue.open(folder / "c.db", network="1:x", node_id=NODE, clock=clock, heal_delay=10.0, history=history)


@pytest.fixture
async def feed(catalogue: Catalogue) -> Feed:
    """The chain up to the committee's taking office: node 2 serves shards 1 and 6 of 10."""
    feed = Feed(catalogue)
    await feed.block(CommitteeFormed(Epoch(1), MEMBERS, ASSIGNMENT))
    return feed
