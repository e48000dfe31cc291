"""What a node takes in, what it refuses, and when it attests."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from typing import Any

import pytest

from storage_agent.serve.services import ServeLimits
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from tests.unit.agent.conftest import StartNode
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.codec.stream import commit_blob
from walrus_chain.errors import AgentIncomplete, AgentRefused, StoreFull
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.types import Address, Epoch, PairIndex

SMALL, LARGE = 100, 50_000


@pytest.fixture
def blob() -> Blob:
    """A blob whose pairs go to the sliver store."""
    return make_blob(LARGE, 10)


@pytest.mark.parametrize("size", [0, 1, SMALL, LARGE])
async def test_put_segment__all_pairs_with_object__attested(node: Node, chain: ChainOfFacts, size: int) -> None:
    blob = make_blob(size, 10)
    number = chain.register(blob.metadata)
    pairs = node.pairs(blob.blob_id)

    answer = await node.client.put_segment(
        blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes(), blob_object=number
    )

    assert answer.stored == pairs
    assert answer.missing == ()
    assert answer.attestation is not None
    assert answer.attestation.attestation == StorageAttestation(blob.blob_id, number, Epoch(1), True)
    assert answer.attestation.signer == node.member.signer
    answer.attestation.verify(chain.domain)
    # The record is written with the next commit.
    await node.holdings.keep_metadata(blob.metadata)
    [given] = node.catalogue.attestations.of(blob.blob_id)
    assert given.signature == answer.attestation.signature


async def test_put_segment__one_of_two_pairs__missing_named_no_attestation(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    number = chain.register(blob.metadata)
    first, second = node.pairs(blob.blob_id)

    answer = await node.client.put_segment(
        blob.blob_id, 0, [first], blob.parts([first]), metadata=blob.metadata.to_bytes(), blob_object=number
    )

    assert answer.attestation is None
    assert answer.missing == ((0, second),)
    with pytest.raises(AgentIncomplete) as refusal:
        await node.client.attest(blob.blob_id, number)
    assert refusal.value.missing == ((0, second),)

    completed = await node.client.put_segment(blob.blob_id, 0, [second], blob.parts([second]), blob_object=number)
    assert completed.attestation is not None
    assert await node.client.attest(blob.blob_id, number) == completed.attestation


async def test_put_segment__sent_again__acknowledged_not_written_twice(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    number = chain.register(blob.metadata)
    await upload(node, blob, number)
    used = node.catalogue.totals()

    await upload(node, blob, number)

    assert node.catalogue.totals() == used


async def test_put_segment__not_registered__told_to_come_back(node: Node, blob: Blob) -> None:
    with pytest.raises(AgentRefused) as refusal:
        await upload(node, blob)

    assert (refusal.value.status, refusal.value.code, refusal.value.retryable) == (425, "NotRegisteredYet", True)
    assert refusal.value.retry_after == 1
    assert node.catalogue.totals().bytes == 0


async def test_put_segment__registered_a_moment_ago__chain_is_looked_at_once(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    chain.register(blob.metadata)
    looks = node.looks

    await upload(node, blob)

    assert node.looks == looks + 1


async def test_put_segment__object_of_another_blob__refused(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    chain.register(blob.metadata)
    other = chain.register(make_blob(SMALL, 10, seed=1).metadata)

    with pytest.raises(AgentRefused) as refusal:
        await upload(node, blob, other)

    assert refusal.value.code == "NotRegisteredYet"


async def test_put_segment__deleted_expired_or_invalid__gone(node: Node, chain: ChainOfFacts) -> None:
    deleted, expired, invalid = (make_blob(SMALL, 10, seed) for seed in range(3))
    chain.delete(chain.register(deleted.metadata))
    chain.register(expired.metadata, epochs=1)
    chain.register(invalid.metadata)
    chain.invalidate(invalid.blob_id)
    chain.epoch = Epoch(chain.epoch + 1)
    chain.mine()

    for blob in (deleted, expired, invalid):
        with pytest.raises(AgentRefused) as refusal:
            await upload(node, blob)
        assert (refusal.value.status, refusal.value.code, refusal.value.retryable) == (410, "BlobOver", False)


async def test_put_segment__pair_of_another_node__refused(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    chain.register(blob.metadata)
    foreign = next(PairIndex(pair) for pair in range(10) if pair not in node.pairs(blob.blob_id))

    with pytest.raises(AgentRefused) as refusal:
        await node.client.put_segment(
            blob.blob_id, 0, [foreign], blob.parts([foreign]), metadata=blob.metadata.to_bytes()
        )

    assert refusal.value.code == "ForeignPair"


@pytest.mark.parametrize("damaged", [0, 1])
async def test_put_segment__one_flipped_bit__nothing_kept(
    node: Node, chain: ChainOfFacts, blob: Blob, damaged: int
) -> None:
    number = chain.register(blob.metadata)
    pairs = node.pairs(blob.blob_id)
    parts = blob.parts(pairs)
    parts[damaged] = parts[damaged][:-1] + bytes([parts[damaged][-1] ^ 1])

    with pytest.raises(AgentRefused) as refusal:
        await node.client.put_segment(
            blob.blob_id, 0, pairs, parts, metadata=blob.metadata.to_bytes(), blob_object=number
        )

    assert (refusal.value.status, refusal.value.code) == (422, "CommitmentMismatch")
    assert f"secondary sliver {pairs[damaged]}" in refusal.value.message
    assert node.catalogue.totals().bytes == 0


async def test_put_segment__metadata_of_another_blob__refused(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    chain.register(blob.metadata)
    other = make_blob(LARGE, 10, seed=1).metadata
    pairs = node.pairs(blob.blob_id)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.put_segment(blob.blob_id, 0, pairs, blob.parts(pairs), metadata=other.to_bytes())

    assert (refusal.value.status, refusal.value.code) == (422, "CommitmentMismatch")


async def test_put_segment__metadata_never_sent__asked_for(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    chain.register(blob.metadata)
    pairs = node.pairs(blob.blob_id)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.put_segment(blob.blob_id, 0, pairs, blob.parts(pairs))
    assert (refusal.value.status, refusal.value.code) == (409, "MetadataNeeded")

    await node.client.put_metadata(blob.blob_id, blob.metadata.to_bytes())
    answer = await node.client.put_segment(blob.blob_id, 0, pairs, blob.parts(pairs))
    assert answer.missing == ()


async def test_put_segment__another_size_was_registered__never_attested(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    honest = chain.register(blob.metadata)
    await upload(node, blob, honest)
    false = chain.register(blob.metadata, size=blob.metadata.size - 1)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.attest(blob.blob_id, false)

    assert (refusal.value.status, refusal.value.code) == (422, "WrongShape")


async def test_put_segment__a_false_size_was_registered_too__true_owner_is_served(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    chain.register(blob.metadata)
    chain.register(blob.metadata, size=blob.metadata.size * 2)

    await upload(node, blob)

    assert node.holdings.missing(blob.blob_id) == []


async def test_put_segment__encoded_for_other_shards__refused(node: Node, chain: ChainOfFacts) -> None:
    other = commit_blob([bytes(SMALL)], 13).metadata
    chain.register(other)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.put_metadata(other.blob_id, other.to_bytes())

    assert refusal.value.status == 400


async def test_put_segment__wrong_length_announced__refused_before_the_body(
    node: Node, chain: ChainOfFacts, blob: Blob
) -> None:
    chain.register(blob.metadata)
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        sent += 1
        yield b"x"

    [pair, _] = node.pairs(blob.blob_id)
    answer = await node.raw.put(
        node.url(f"/v1/blobs/{blob.blob_id}/segments/0?pairs={pair}&metadata=1"),
        content=body(),
        headers={"Content-Length": "1"},
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "MalformedRequest"
    assert sent == 0


async def test_put_segment__body_above_the_limit__too_large(
    start_node: StartNode, chain: ChainOfFacts, blob: Blob
) -> None:
    node = await start_node(limits=ServeLimits(body_bytes=1000))
    chain.register(blob.metadata)

    with pytest.raises(AgentRefused) as refusal:
        await upload(node, blob)

    assert (refusal.value.status, refusal.value.code) == (413, "BodyTooLarge")


async def test_put_segment__body_never_ends__given_up(start_node: StartNode, chain: ChainOfFacts, blob: Blob) -> None:
    node = await start_node(limits=ServeLimits(body_seconds=0.01))
    chain.register(blob.metadata)
    pairs = node.pairs(blob.blob_id)

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    due = blob.encoded.geometry.pair_bytes * len(pairs) + 4 + len(blob.metadata.to_bytes())
    answer = await node.raw.put(
        node.url(f"/v1/blobs/{blob.blob_id}/segments/0?pairs={','.join(map(str, pairs))}&metadata=1"),
        content=body(),
        headers={"Content-Length": str(due)},
    )

    assert answer.status_code == 408
    assert node.services.memory.used == 0
    assert node.catalogue.totals().bytes == 0


async def test_put_segment__client_hangs_up_half_way__nothing_kept(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    chain.register(blob.metadata)
    pairs = node.pairs(blob.blob_id)
    due = blob.encoded.geometry.pair_bytes * len(pairs) + 4 + len(blob.metadata.to_bytes())
    path = f"/v1/blobs/{blob.blob_id}/segments/0"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "PUT",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": f"pairs={','.join(map(str, pairs))}&metadata=1".encode(),
        "headers": [(b"content-length", str(due).encode())],
        "client": ("127.0.0.1", 1),
    }
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"x" * 100, "more_body": True},
        {"type": "http.disconnect"},
    ]
    answers: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    await node.app(scope, receive, send)

    assert answers[0]["status"] == 400
    assert node.services.memory.used == 0
    assert node.catalogue.totals().bytes == 0


async def test_put_segment__disk_full__says_so_and_attests_nothing(
    node: Node, chain: ChainOfFacts, blob: Blob, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = chain.register(blob.metadata)

    async def full(*_: object) -> None:
        raise StoreFull("the disk", 1000, 0)

    monkeypatch.setattr(node.store, "put", full)
    with pytest.raises(AgentRefused) as refusal:
        await upload(node, blob, number)
    assert (refusal.value.status, refusal.value.code) == (507, "StoreFull")
    with pytest.raises(AgentRefused):
        await node.client.attest(blob.blob_id, number)


async def test_put_segment__while_stopping__turned_away(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    chain.register(blob.metadata)
    node.services.stopping = True

    with pytest.raises(AgentRefused) as refusal:
        await upload(node, blob)

    assert (refusal.value.status, refusal.value.code, refusal.value.retryable) == (503, "Stopping", True)


async def test_attest__key_is_not_the_committees__not_signed(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    number = chain.register(blob.metadata)
    await upload(node, blob)
    members = list(chain.committee_now.members)
    members[0] = replace(members[0], signer=Address(members[0].signer[:-2] + "00"))
    chain.committee_now = replace(chain.committee_now, members=tuple(members))
    await node.seat.refresh()

    with pytest.raises(AgentRefused) as refusal:
        await node.client.attest(blob.blob_id, number)

    assert refusal.value.code == "NotServing"


async def test_attest__bytes_lost_since__incomplete(node: Node, chain: ChainOfFacts, blob: Blob) -> None:
    number = chain.register(blob.metadata)
    await upload(node, blob, number)
    [pair, _] = node.pairs(blob.blob_id)
    await node.packs.forget(blob.blob_id, [(0, pair)])

    with pytest.raises(AgentIncomplete):
        await node.client.attest(blob.blob_id, number)


async def test_attest__after_restart__still_held(start_node: StartNode, chain: ChainOfFacts, blob: Blob) -> None:
    number = chain.register(blob.metadata)
    before = await start_node()
    await upload(before, blob)
    await before.close()

    after = await start_node()

    (await after.client.attest(blob.blob_id, number)).verify(chain.domain)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 4000, b"x" * 5000])
async def test_attest__body_is_no_object_number__refused(node: Node, blob: Blob, body: bytes) -> None:
    answer = await node.raw.post(node.url(f"/v1/blobs/{blob.blob_id}/attestations"), content=body)

    assert answer.status_code in (400, 413)


async def test_put_segment__blob_of_many_segments__attested_after_the_last(
    start_node: StartNode, chain: ChainOfFacts
) -> None:
    # Metadata alone says which places are due; no slivers hash to these roots.
    node = await start_node()
    roots = hashlib.sha256(b"roots").digest() * 20
    metadata = BlobMetadata(33 * 2**20, 10, (SegmentMetadata(roots), SegmentMetadata(roots)))
    number = chain.register(metadata)
    await node.client.put_metadata(metadata.blob_id, metadata.to_bytes())

    with pytest.raises(AgentIncomplete) as refusal:
        await node.client.attest(metadata.blob_id, number)

    pairs = node.pairs(metadata.blob_id)
    assert refusal.value.missing == tuple((segment, pair) for segment in range(2) for pair in pairs)
