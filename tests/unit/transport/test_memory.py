"""Agents in memory keep the rules that real ones keep; other tests rest on that."""

from __future__ import annotations

import pytest

from tests.fakes.network import FakeNetwork
from walrus_chain.chain.sender import Registration
from walrus_chain.codec.redstuff import encode_segment, recover_sliver
from walrus_chain.codec.stream import commit_blob
from walrus_chain.errors import AgentIncomplete, AgentRefused
from walrus_chain.transport.agent import StoreAnswer
from walrus_chain.types import Axis, BlobObjectId, PairIndex

DATA = bytes(1000)
METADATA = commit_blob([DATA], 10).metadata
BLOB = METADATA.blob_id


async def registered(network: FakeNetwork) -> BlobObjectId:
    writer = network.writer()
    await writer.approve_vault()
    return (await writer.register([Registration(BLOB, len(DATA), 2, True)])).objects[0]


async def put(
    network: FakeNetwork, member: int, pairs: tuple[PairIndex, ...], blob_object: BlobObjectId | None = None
) -> StoreAnswer:
    encoded = encode_segment(DATA, 10)
    body = [encoded.pair(pair) for pair in pairs]
    metadata = METADATA.to_bytes()
    return await network.members[member].put_segment(BLOB, 0, pairs, body, metadata=metadata, blob_object=blob_object)


@pytest.fixture
def network() -> FakeNetwork:
    return FakeNetwork()


def mine(network: FakeNetwork, member: int) -> tuple[PairIndex, ...]:
    return network.committee.pairs_of(network.committee.members[member], BLOB)


async def test_put__not_registered__is_refused(network: FakeNetwork) -> None:
    with pytest.raises(AgentRefused) as failure:
        await put(network, 0, mine(network, 0))
    assert failure.value.status == 425


async def test_put__pair_of_another_shard__is_refused(network: FakeNetwork) -> None:
    await registered(network)
    with pytest.raises(AgentRefused, match="does not live here"):
        await put(network, 0, mine(network, 1))


async def test_put__wrong_bytes__are_refused(network: FakeNetwork) -> None:
    await registered(network)
    pair = mine(network, 0)[0]
    wrong = bytearray(encode_segment(DATA, 10).pair(pair))
    wrong[-1] ^= 1
    with pytest.raises(AgentRefused, match="DoesNotVerify"):
        await network.members[0].put_segment(BLOB, 0, [pair], [wrong], metadata=METADATA.to_bytes())


async def test_put__half__does_not_attest_and_says_what_is_missing(network: FakeNetwork) -> None:
    blob_object = await registered(network)
    first, second = mine(network, 0)
    answer = await put(network, 0, (first,), blob_object)
    assert (answer.attestation, answer.missing) == (None, ((0, second),))
    with pytest.raises(AgentIncomplete):
        await network.members[0].attest(BLOB, blob_object)
    answer = await put(network, 0, (second,), blob_object)
    assert answer.attestation is not None
    answer.attestation.verify(network.registry)


async def test_symbols__rebuild_a_lost_sliver(network: FakeNetwork) -> None:
    await registered(network)
    for member in range(5):
        await put(network, member, mine(network, member))
    geometry = METADATA.geometry.segment(0)
    symbols: dict[PairIndex, bytes] = {}
    for member in range(4):
        pairs = mine(network, member)
        got = await network.members[member].symbols(
            BLOB, 0, axis=Axis.PRIMARY, target=PairIndex(6), pairs=pairs, symbol_bytes=geometry.symbol_bytes
        )
        symbols |= dict(zip(pairs, got, strict=True))
    expected = encode_segment(DATA, 10).sliver(Axis.PRIMARY, PairIndex(6))
    assert recover_sliver(Axis.PRIMARY, PairIndex(6), symbols, geometry) == expected


async def test_invalidity__good_blob__is_not_accused(network: FakeNetwork) -> None:
    await registered(network)
    for member in range(5):
        await put(network, member, mine(network, member))
    with pytest.raises(AgentRefused) as failure:
        await network.members[0].invalidity(BLOB)
    assert (failure.value.status, failure.value.code) == (409, "Consistent")


async def test_invalidity__too_little_of_it_anywhere__is_left_open(network: FakeNetwork) -> None:
    await registered(network)
    await put(network, 0, mine(network, 0))
    with pytest.raises(AgentRefused) as failure:
        await network.members[0].invalidity(BLOB)
    assert (failure.value.code, failure.value.retryable) == ("NotEnoughSlivers", True)
