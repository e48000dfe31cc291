"""What a node takes, gives and signs while shards move between it and others."""

from __future__ import annotations

import pytest

from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from walrus_chain.codec.geometry import pair_on_shard
from walrus_chain.codec.verify import verify_sliver
from walrus_chain.errors import AgentIncomplete, AgentRefused, RpcUnavailable
from walrus_chain.types import Axis, Epoch, PairIndex, ShardIndex

SIZE = 300


@pytest.fixture
async def blob(node: Node, chain: ChainOfFacts) -> Blob:
    """A certified blob of which node 1 holds its own pairs: those on shards 0 and 5."""
    blob = make_blob(SIZE, 10)
    chain.certify(chain.register(blob.metadata))
    await upload(node, blob)
    return blob


def pair(blob: Blob, shard: int) -> PairIndex:
    """The pair of a blob on a shard."""
    return pair_on_shard(blob.blob_id, ShardIndex(shard), 10)


async def put(node: Node, blob: Blob, *shards: int) -> None:
    """Sends the pairs on some shards."""
    pairs = [pair(blob, shard) for shard in shards]
    await node.client.put_segment(blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes())


async def read(node: Node, blob: Blob, shard: int) -> bytes:
    """Reads a primary sliver, and verifies it."""
    place, geometry = pair(blob, shard), blob.encoded.geometry
    length = geometry.sliver_bytes(Axis.PRIMARY)
    sliver = await node.client.sliver(blob.blob_id, 0, Axis.PRIMARY, place, length=length)
    verify_sliver(sliver, Axis.PRIMARY, place, blob.metadata.segments[0], geometry)
    return sliver


async def test_read__shard_given_away__answered_until_it_arrived_then_told_where_to_look(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    chain.change_committee({0: 1})
    await node.catch_up()
    await read(node, blob, 0)
    assert set((await node.client.blob(blob.blob_id)).pairs) == {pair(blob, 0), pair(blob, 5)}

    chain.arrive(1)
    await node.catch_up()
    await read(node, blob, 0)  # nobody is turned away while it is here
    await node.packs.trim(blob.blob_id)

    with pytest.raises(AgentRefused, match="committee changed in epoch 2") as refusal:
        await read(node, blob, 0)
    assert (refusal.value.status, refusal.value.code, refusal.value.retryable) == (421, "CommitteeChanged", False)
    assert (await node.client.blob(blob.blob_id)).pairs == (pair(blob, 5),)


async def test_read__foreign_pair__not_held_as_ever(node: Node, blob: Blob) -> None:
    with pytest.raises(AgentRefused) as refusal:
        await read(node, blob, 3)
    assert (refusal.value.status, refusal.value.code) == (404, "PairNotHeld")


async def test_put_segment__pairs_of_the_former_committee__told_that_it_changed(
    node: Node, chain: ChainOfFacts
) -> None:
    blob = make_blob(SIZE, 10, seed=1)
    chain.register(blob.metadata)
    chain.change_committee({0: 1})

    with pytest.raises(AgentRefused, match="committee changed in epoch 2") as refusal:
        await put(node, blob, 0, 5)

    assert (refusal.value.status, refusal.value.code) == (421, "CommitteeChanged")
    await put(node, blob, 5)


async def test_put_segment__committee_took_office_a_moment_ago__chain_is_looked_at_before_saying_no(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    chain.change_committee({1: 0})
    looks = node.looks

    await put(node, blob, 1)

    assert node.looks == looks + 1
    assert node.holdings.missing(blob.blob_id) == []


async def test_put_segment__foreign_pair__says_whose_committee_counts(node: Node, blob: Blob) -> None:
    with pytest.raises(AgentRefused) as refusal:
        await put(node, blob, 3)
    assert refusal.value.code == "ForeignPair"
    answer = await node.raw.put(node.url(f"/v1/blobs/{blob.blob_id}/segments/0?pairs={pair(blob, 3)}"), content=b"")
    assert answer.json()["error"]["epoch"] == 1


async def test_put_segment__node_left_the_committee__told_that_it_changed_then_that_it_does_not_serve(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    chain.change_committee({0: 1, 5: 2})
    await node.catch_up()
    with pytest.raises(AgentRefused) as refusal:
        await put(node, blob, 0, 5)
    assert refusal.value.code == "CommitteeChanged"
    with pytest.raises(AgentRefused) as refusal:
        await put(node, blob, 3)
    assert refusal.value.code == "NotServing"
    await read(node, blob, 0)
    await read(node, blob, 5)


async def test_attest__after_a_change__names_the_new_office_and_needs_what_came(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    number = chain.register(blob.metadata)
    chain.change_committee({1: 0})
    await node.catch_up()
    with pytest.raises(AgentIncomplete) as refusal:
        await node.client.attest(blob.blob_id, number)
    assert refusal.value.missing == ((0, pair(blob, 1)),)

    await put(node, blob, 1)

    assert (await node.client.attest(blob.blob_id, number)).attestation.epoch == 2
    assert node.seat.committee.epoch == 2  # asked for when its epoch was needed, not half a minute later


async def test_attest__epochs_pass_without_a_change__names_the_office_epoch(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    number = chain.register(blob.metadata)
    chain.epoch = Epoch(4)
    chain.mine()
    await node.catch_up()
    assert (await node.client.attest(blob.blob_id, number)).attestation.epoch == 1


async def test_attest__new_committee_seen_but_not_to_be_had__not_signed(
    node: Node, chain: ChainOfFacts, blob: Blob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node was no member before; while it cannot see under which key it is one now it signs nothing."""
    number = chain.register(blob.metadata)
    chain.change_committee({0: 1, 5: 2})
    await node.catch_up()
    await node.seat.refresh()
    chain.arrive(1)
    chain.arrive(2)
    chain.change_committee({0: 0, 5: 0})
    await node.catch_up()

    async def down() -> None:
        raise RpcUnavailable("eth_call", {"http://chain": "down"})

    with monkeypatch.context() as patch:
        patch.setattr(chain, "committee", down)
        with pytest.raises(AgentRefused) as refusal:
            await node.client.attest(blob.blob_id, number)
    assert refusal.value.code == "NotServing"
    assert (await node.client.attest(blob.blob_id, number)).attestation.epoch == 3


async def test_deleted__refused_at_once_and_readable_to_the_end_of_the_epoch(node: Node, chain: ChainOfFacts) -> None:
    blob = make_blob(SIZE, 10, seed=1)
    number = chain.register(blob.metadata)
    await upload(node, blob, number)
    chain.delete(number)
    await node.catch_up()

    with pytest.raises(AgentRefused) as refusal:
        await upload(node, blob, number)
    assert refusal.value.code == "BlobOver"
    with pytest.raises(AgentRefused) as refusal:
        await node.client.attest(blob.blob_id, number)
    assert refusal.value.code == "BlobOver"
    await node.packs.free(blob.blob_id)
    await read(node, blob, 0)

    chain.epoch = Epoch(chain.epoch + 1)
    chain.mine()
    await node.catch_up()
    await node.packs.free(blob.blob_id)
    with pytest.raises(AgentRefused) as refusal:
        await read(node, blob, 0)
    assert refusal.value.code == "UnknownBlob"
