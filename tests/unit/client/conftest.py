"""Client tests run on a clock that jumps, against a network in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from tests.fakes.access import Rule
from tests.fakes.loop import JumpingLoop
from tests.fakes.network import ALICE, FakeChain, FakeNetwork
from tests.unit.client.people import DATA, HALF, OWNER, POOL, READER
from walrus_chain.chain.sender import Registration
from walrus_chain.client.client import Client
from walrus_chain.client.keep import Keep
from walrus_chain.client.sealing import Privacy
from walrus_chain.codec import geometry, stream
from walrus_chain.codec.geometry import Geometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import EncodedSegment, encode_segment
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import Axis, BlobId, BlobObjectId

Make = Callable[..., Client]

#: The bytes of the systematic rows of the blob `bad`.
BAD_BLOB_MEANS = random.Random(1).randbytes(20_000)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"jumping": JumpingLoop}


@pytest.fixture
def network() -> FakeNetwork:
    """Ten shards on five nodes: three shards, so one node, may fail; seven make a quorum."""
    return FakeNetwork()


@pytest.fixture
async def client(network: FakeNetwork) -> AsyncIterator[Client]:
    """Alice's client."""
    async with Client(FakeChain(network), network, network.writer(ALICE)) as client:
        yield client


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> int:
    """Bytes of a segment, made small where only the number of segments matters."""
    size = 4096
    monkeypatch.setattr(geometry, "SEGMENT_BYTES", size)
    monkeypatch.setattr(stream, "SEGMENT_BYTES", size)
    return size


@pytest.fixture
async def bad(network: FakeNetwork) -> BlobId:
    """A blob, held by all nodes, whose parity rows encode other data than its systematic rows (`BAD_BLOB_MEANS`)."""
    rows, data = Geometry(network.shards).rows, BAD_BLOB_MEANS
    honest, other = encode_segment(data, network.shards), encode_segment(data[::-1], network.shards)
    encoded = EncodedSegment(honest.geometry, [*honest.primary[:rows], *other.primary[rows:]], honest.secondary)
    metadata = BlobMetadata(len(data), network.shards, (encoded.metadata(),))
    blob_id, writer = metadata.blob_id, network.writer()
    await writer.approve_vault()
    [number] = (await writer.register([Registration(blob_id, metadata.size, 5, True)])).objects
    for member, agent in zip(network.committee.members, network.members, strict=True):
        pairs = network.committee.pairs_of(member, blob_id)
        body = [encoded.sliver(axis, pair) for pair in pairs for axis in (Axis.PRIMARY, Axis.SECONDARY)]
        await agent.put_segment(blob_id, 0, pairs, body, metadata=metadata.to_bytes(), blob_object=number)
    return blob_id


@pytest.fixture
def make(network: FakeNetwork) -> Make:
    """Clients of people who can sign."""

    def make(who: LocalSigner, keep: Keep | None = None, *, wallet: bool = True) -> Client:
        network.fund(who.address)
        writer = network.writer(who.address)
        return Client(FakeChain(network), network, writer, requester=who if wallet else None, keep=keep)

    return make


@pytest.fixture
def owner(make: Make) -> Client:
    """Who stores."""
    return make(OWNER)


@pytest.fixture
def reader(make: Make) -> Client:
    """Somebody else."""
    return make(READER)


@pytest.fixture
async def dear(owner: Client, network: FakeNetwork) -> BlobObjectId:
    """An object of which each read costs half a WAL."""
    stored = await owner.store(DATA, private=Privacy(network.access.policy(Rule(price=HALF, pool=POOL))))
    await owner.finish()
    return stored.blob_object
