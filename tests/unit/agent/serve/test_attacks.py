"""What strangers may try on a node over HTTP: each test is named after an attack, and says what it must not achieve."""

from __future__ import annotations

import pytest

from storage_agent.node import holdings
from tests.fakes.agents import ChainOfFacts, Node, make_blob, upload
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.errors import AgentRefused
from walrus_chain.types import BlobId

#: More objects than a node would ever look through for one request.
MANY = 150


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**256 - 1])
async def test_object_number_beyond_the_catalogue__refused_as_not_registered(
    node: Node, chain: ChainOfFacts, number: int
) -> None:
    blob = make_blob(100, 10)
    chain.register(blob.metadata)

    put = await node.raw.put(node.url(f"/v1/blobs/{blob.blob_id}/segments/0?pairs=0&object={number}"), content=b"x")
    attest = await node.raw.post(node.url(f"/v1/blobs/{blob.blob_id}/attestations"), json={"blobObject": number})

    assert [answer.status_code for answer in (put, attest)] == [425, 425]


async def test_blob_registered_over_and_over_and_deleted__still_taken(node: Node, chain: ChainOfFacts) -> None:
    blob = make_blob(100, 10)
    chain.register(blob.metadata)
    for _ in range(MANY):
        chain.delete(chain.register(blob.metadata))

    await node.client.put_metadata(blob.blob_id, blob.metadata.to_bytes())
    await upload(node, blob)

    assert node.holdings.missing(blob.blob_id) == []


async def test_blob_registered_over_and_over_with_false_sizes__still_taken(node: Node, chain: ChainOfFacts) -> None:
    blob = make_blob(100, 10)
    for false in range(MANY):
        chain.register(blob.metadata, size=1_000_000 + false)
    number = chain.register(blob.metadata)
    for false in range(MANY):
        chain.register(blob.metadata, size=2_000_000 + false)

    await upload(node, blob, number)

    assert (await node.client.attest(blob.blob_id, number)).attestation.blob_id == blob.blob_id


async def test_certified_blob_registered_over_and_over_with_false_sizes__metadata_still_taken(
    node: Node, chain: ChainOfFacts
) -> None:
    blob = make_blob(100, 10)
    number = chain.register(blob.metadata)
    chain.certify(number)
    for false in range(MANY):
        # Each size has another number of segments, and so metadata of another length.
        chain.register(blob.metadata, size=(false + 2) * 2**24)

    await node.client.put_metadata(blob.blob_id, blob.metadata.to_bytes())

    assert node.holdings.metadata(blob.blob_id) == blob.metadata


async def test_false_sizes__refusal_does_not_list_them_all(node: Node, chain: ChainOfFacts) -> None:
    blob = make_blob(100, 10)
    for false in range(MANY):
        chain.register(blob.metadata, size=(false + 2) * 2**24)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.put_metadata(blob.blob_id, b"x")

    assert refusal.value.status == 400
    assert len(refusal.value.message) < 300


async def test_blob_with_more_metadata_than_is_cached__not_parsed_for_every_request(
    node: Node, chain: ChainOfFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holdings, "METADATA_CACHE_BYTES", 1)
    large, other = make_blob(100, 10, seed=1), make_blob(100, 10, seed=2)
    parsed = []
    from_bytes = BlobMetadata.from_bytes

    def counted(data: Buffer, blob_id: BlobId) -> BlobMetadata:
        parsed.append(blob_id)
        return from_bytes(data, blob_id)

    for blob in (other, large):
        chain.register(blob.metadata)
        await upload(node, blob)
    monkeypatch.setattr(BlobMetadata, "from_bytes", counted)

    for _ in range(3):
        assert (await node.client.blob(large.blob_id)).known

    assert parsed == []
    assert (await node.client.blob(other.blob_id)).known
    assert parsed == [other.blob_id]
