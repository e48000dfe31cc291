"""What a node gives out verifies against the blob id, and what it does not have it says plainly."""

from __future__ import annotations

import pytest

from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from tests.unit.agent.conftest import StartNode
from walrus_chain.codec.geometry import CHUNK_BYTES
from walrus_chain.codec.merkle import verify_run
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import recover_sliver, recovery_symbol
from walrus_chain.codec.verify import verify_sliver
from walrus_chain.errors import AgentRefused
from walrus_chain.types import Axis, PairIndex


@pytest.fixture(params=[300, 60_000])
async def blob(request: pytest.FixtureRequest, node: Node, chain: ChainOfFacts) -> Blob:
    """A blob that the node holds: in its catalogue, or in its sliver store."""
    blob = make_blob(request.param, 10)
    chain.register(blob.metadata)
    await upload(node, blob)
    return blob


async def test_metadata__held__hashes_to_the_blob_id(node: Node, blob: Blob) -> None:
    assert BlobMetadata.from_bytes(await node.client.metadata(blob.blob_id), blob.blob_id) == blob.metadata


@pytest.mark.parametrize("axis", list(Axis))
async def test_sliver__held__verifies(node: Node, blob: Blob, axis: Axis) -> None:
    geometry = blob.encoded.geometry
    for pair in node.pairs(blob.blob_id):
        sliver = await node.client.sliver(blob.blob_id, 0, axis, pair, length=geometry.sliver_bytes(axis))

        verify_sliver(sliver, axis, pair, blob.metadata.segments[0], geometry)


@pytest.mark.parametrize("axis", list(Axis))
async def test_chunks__every_run_twice__path_leads_to_the_root(node: Node, blob: Blob, axis: Axis) -> None:
    geometry, [pair, _] = blob.encoded.geometry, node.pairs(blob.blob_id)
    chunks = geometry.chunks(axis)
    for first, count in [(0, 1), (0, chunks), (chunks - 1, 1), (chunks // 2, chunks - chunks // 2)] * 2:
        length = geometry.chunk_bytes(axis, first, count)
        run = await node.client.chunks(blob.blob_id, 0, axis, pair, first=first, count=count, length=length)

        verify_run(blob.metadata.segments[0].sliver_root(axis, pair), chunks, first, run.data, run.path)
        whole = bytes(blob.encoded.sliver(axis, pair))
        assert run.data == whole[first * CHUNK_BYTES : first * CHUNK_BYTES + length]


@pytest.mark.parametrize("axis", list(Axis))
async def test_symbols__every_target__those_of_the_matrix(node: Node, blob: Blob, axis: Axis) -> None:
    geometry, own = blob.encoded.geometry, node.pairs(blob.blob_id)
    for target in map(PairIndex, range(10)):
        symbols = await node.client.symbols(
            blob.blob_id, 0, axis=axis, target=target, pairs=own, symbol_bytes=geometry.symbol_bytes
        )

        lost = blob.encoded.sliver(axis, target)
        assert symbols == [recovery_symbol(lost, axis, pair, geometry) for pair in own]


async def test_symbols__of_enough_nodes__give_the_sliver_back(start_node: StartNode, chain: ChainOfFacts) -> None:
    blob = make_blob(5000, 10)
    chain.register(blob.metadata)
    geometry = blob.encoded.geometry
    symbols: dict[PairIndex, bytes] = {}
    for index in range(4):
        node = await start_node(index)
        await upload(node, blob)
        own = node.pairs(blob.blob_id)
        given = await node.client.symbols(
            blob.blob_id, 0, axis=Axis.PRIMARY, target=PairIndex(9), pairs=own, symbol_bytes=geometry.symbol_bytes
        )
        symbols |= dict(zip(own, given, strict=True))

    sliver = recover_sliver(Axis.PRIMARY, PairIndex(9), symbols, geometry)

    assert sliver == bytes(blob.encoded.sliver(Axis.PRIMARY, PairIndex(9)))


async def test_blob__held__says_what_and_for_whom(node: Node, blob: Blob) -> None:
    known = await node.client.blob(blob.blob_id)

    assert (known.known, known.size, known.segments, known.missing) == (True, blob.metadata.size, 1, 0)
    assert known.pairs == node.pairs(blob.blob_id)
    assert [(o.blob_object, o.end, o.certified, o.deletable) for o in known.objects] == [(1, 6, False, True)]


async def test_blob__never_heard_of__known_is_false(node: Node) -> None:
    known = await node.client.blob(make_blob(1, 10, seed=9).blob_id)

    assert (known.known, known.size, known.pairs, known.missing, known.objects) == (False, None, (), 0, ())


async def test_sliver__unknown_blob_or_pair__not_found(node: Node, blob: Blob) -> None:
    unknown = make_blob(1, 10, seed=9).blob_id
    foreign = next(PairIndex(pair) for pair in range(10) if pair not in node.pairs(blob.blob_id))
    for blob_id, pair, code in [(unknown, PairIndex(0), "UnknownBlob"), (blob.blob_id, foreign, "PairNotHeld")]:
        with pytest.raises(AgentRefused) as refusal:
            await node.client.sliver(blob_id, 0, Axis.PRIMARY, pair, length=1)
        assert (refusal.value.status, refusal.value.code) == (404, code)


@pytest.mark.parametrize(
    "path",
    [
        "/segments/1/slivers/primary/0",
        "/segments/0/slivers/primary/10",
        "/segments/0/slivers/diagonal/0",
        "/segments/0/slivers/primary/0/chunks?first=0",
        "/segments/0/slivers/primary/0/chunks?first=100000&count=1",
        "/segments/0/symbols?axis=primary&target=10&pairs=0",
        "/segments/0/symbols?axis=primary&target=1&pairs=0&more=1",
    ],
)
async def test_reads__place_outside_the_blob__malformed(node: Node, blob: Blob, path: str) -> None:
    answer = await node.raw.get(node.url(f"/v1/blobs/{blob.blob_id}{path}"))

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "MalformedRequest"


async def test_sliver__file_is_gone__not_held_and_to_be_healed(node: Node, chain: ChainOfFacts) -> None:
    blob = make_blob(60_000, 10)
    chain.certify(chain.register(blob.metadata))
    await upload(node, blob)
    await node.catch_up()
    for file in node.folder.joinpath("slivers").rglob("packs/*/*"):
        file.unlink()
    [pair, _] = node.pairs(blob.blob_id)
    length = blob.encoded.geometry.sliver_bytes(Axis.PRIMARY)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.sliver(blob.blob_id, 0, Axis.PRIMARY, pair, length=length)

    assert refusal.value.code == "PairNotHeld"
    assert (0, pair) in (node.holdings.missing(blob.blob_id) or ())
    assert node.catalogue.totals().heal == 1
