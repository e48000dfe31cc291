"""Custody proofs hold what the chain asks for; what is missing or rotten is healed first."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storage_agent.custody.prover import Prover, SampleNotHeld, chunk_proof
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from tests.fakes.neighbours import Neighbours
from walrus_chain.chain.economy_rejections import SeedTooEarly
from walrus_chain.chain.views import CustodySample
from walrus_chain.codec.geometry import Geometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import encode_segment
from walrus_chain.errors import CommitmentMismatch, NotEnoughSlivers
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, NodeId, PairIndex, ShardIndex

SHARDS = 10
LARGE = 200_000
BLANK = CustodySample(
    BlobObjectId(0), BlobId(bytes(32)), 0, ShardIndex(0), PairIndex(0), segment=0, axis=Axis.PRIMARY, chunk=0
)


# -- a second opinion: standard library only, from docs/spec/02-geometry.md and 03-commitment.md -----------------------


def check(proofs: bytes, samples: Sequence[CustodySample], n: int, segment_bytes: int = 32 * 2**20) -> list[bytes]:
    """The chunks in a proof that has a piece for each sample, and not a byte more; each leads to its blob id."""
    chunks = []
    for sample in samples:
        segments = max(1, -(-sample.size // segment_bytes))
        length = min(segment_bytes, sample.size - sample.segment * segment_bytes)
        f = (n - 1) // 3
        r, c = n - 2 * f, n - f
        symbol = 8 * max(1, -(-length // (8 * r * c)))
        sliver = (r if sample.axis is Axis.SECONDARY else c) * symbol
        items = -(-sliver // 256)
        depths = [(count - 1).bit_length() for count in (items, n, segments)]
        due = min(256, sliver - 256 * sample.chunk)
        piece, proofs = proofs[: due + 32 * (sum(depths) + 1)], proofs[due + 32 * (sum(depths) + 1) :]
        chunk, nodes = piece[:due], [piece[i : i + 32] for i in range(due, len(piece), 32)]
        node = hashlib.sha256(b"\0" + chunk).digest()
        node = folded(node, sample.chunk, nodes[: depths[0]])
        sibling, rest = nodes[depths[0]], nodes[depths[0] + 1 :]
        node = hashlib.sha256(b"\2" + (sibling + node if sample.axis is Axis.SECONDARY else node + sibling)).digest()
        node = folded(node, sample.pair, rest[: depths[1]])
        node = folded(node, sample.segment, rest[depths[1] :])
        blob_id = hashlib.sha256(b"\3\1" + n.to_bytes(2, "big") + sample.size.to_bytes(8, "big") + node).digest()
        assert base64.urlsafe_b64encode(blob_id).decode().rstrip("=") == str(sample.blob_id)
        chunks.append(chunk)
    assert proofs == b""
    return chunks


def folded(node: bytes, place: int, siblings: Sequence[bytes]) -> bytes:
    """The node that a path leads to."""
    for sibling in siblings:
        node = hashlib.sha256(b"\1" + (sibling + node if place & 1 else node + sibling)).digest()
        place >>= 1
    return node


# -- a node, and what it is asked for ----------------------------------------------------------------------------------


class Window:
    """What the chain asks the node for."""

    def __init__(self) -> None:
        self.samples: list[CustodySample] = []
        self.refusal: Exception | None = None

    async def samples_of(self, epoch: Epoch, node_id: NodeId) -> tuple[CustodySample, ...]:
        """The same in each epoch."""
        if self.refusal is not None:
            raise self.refusal
        return tuple(self.samples)


class Asked:
    """A node among others that hold everything, with a prover and a count of what it has healed."""

    def __init__(self, node: Node, chain: ChainOfFacts) -> None:
        self.node = node
        self.window = Window()
        self.network = Neighbours(node, chain)
        self.healed: Counter[BlobId] = Counter()
        self.prover = Prover(node.member.node_id, self.window, node.holdings, self._heal)

    async def _heal(self, blob_id: BlobId) -> None:
        self.healed[blob_id] += 1
        await self.network.healer.heal(blob_id)

    async def hold(self, *sizes: int) -> list[Blob]:
        """Certified blobs that the node has."""
        blobs = [make_blob(size, SHARDS, seed) for seed, size in enumerate(sizes)]
        for blob in blobs:
            await self.network.store(blob)
            await upload(self.node, blob)
        return blobs

    def ask(self, blob: Blob, own: int = 0, axis: Axis = Axis.PRIMARY, chunk: int = 0) -> CustodySample:
        """Be asked for a place of a blob, on one of the node's shards."""
        pair = self.node.pairs(blob.blob_id)[own]
        shard = ShardIndex((pair + int(blob.blob_id)) % SHARDS)
        size = blob.metadata.size
        sample = CustodySample(BlobObjectId(1), blob.blob_id, size, shard, pair, segment=0, axis=axis, chunk=chunk)
        self.window.samples.append(sample)
        return sample

    def ask_all(self, blob: Blob) -> None:
        """Be asked for every chunk of a blob that the node holds."""
        for own in range(len(self.node.pairs(blob.blob_id))):
            for axis in Axis:
                for chunk in range(blob.encoded.geometry.chunks(axis)):
                    self.ask(blob, own, axis, chunk)

    async def prove(self) -> list[bytes]:
        """The chunks of a proof that was checked by other code than the agent's."""
        proofs = await self.prover.prove(Epoch(1))
        return check(proofs, [sample for sample in self.window.samples if not sample.blank], SHARDS)


@pytest.fixture
def asked(node: Node, chain: ChainOfFacts) -> Asked:
    """Nothing is held, nothing is asked."""
    return Asked(node, chain)


def sliver_of(blob: Blob, sample: CustodySample) -> bytes:
    """The sliver that a sample is about."""
    slivers = blob.encoded.primary if sample.axis is Axis.PRIMARY else blob.encoded.secondary
    return bytes(slivers[sample.pair])


# -- all is there ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 255, 5000, 60_001])
async def test_prove__every_chunk_of_a_blob__verifies_and_holds_the_bytes(asked: Asked, size: int) -> None:
    [blob] = await asked.hold(size)
    asked.ask_all(blob)

    chunks = await asked.prove()

    expected = [sliver_of(blob, sample)[256 * sample.chunk :][:256] for sample in asked.window.samples]
    assert chunks == expected
    assert asked.healed == {}


async def test_prove__same_place_twice__in_the_proof_twice(asked: Asked) -> None:
    [blob] = await asked.hold(300)
    asked.ask(blob)
    asked.ask(blob)

    assert len(await asked.prove()) == 2


async def test_prove__blank_samples__left_out(asked: Asked) -> None:
    small, large = await asked.hold(300, LARGE)
    asked.window.samples.append(BLANK)
    asked.ask(large, 1, Axis.SECONDARY, 3)
    asked.window.samples += [BLANK, BLANK]
    asked.ask(small)

    assert len(await asked.prove()) == 2


async def test_prove__all_samples_are_blank__a_proof_of_no_bytes(asked: Asked) -> None:
    asked.window.samples = [BLANK] * 5

    assert await asked.prover.prove(Epoch(1)) == b""


async def test_prove__blob_was_deleted_a_moment_ago__still_proved(asked: Asked, chain: ChainOfFacts) -> None:
    blob = make_blob(LARGE, SHARDS)
    number = await asked.network.store(blob)
    await upload(asked.node, blob)
    chain.delete(number)
    await asked.node.catch_up()
    asked.ask(blob, 1, Axis.SECONDARY, 2)

    assert len(await asked.prove()) == 1


async def test_prove__chain_has_no_seed_yet__says_so(asked: Asked) -> None:
    asked.window.refusal = SeedTooEarly(9, 8)

    with pytest.raises(SeedTooEarly):
        await asked.prover.prove(Epoch(1))


def test_chunk_proof__blob_of_three_segments__every_place_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("walrus_chain.codec.geometry.SEGMENT_BYTES", 4096)
    content = hashlib.shake_256(b"three").digest(2 * 4096 + 1000)
    encoded = [encode_segment(content[start : start + 4096], SHARDS) for start in range(0, len(content), 4096)]
    metadata = BlobMetadata(len(content), SHARDS, tuple(segment.metadata() for segment in encoded))
    whole = Geometry(SHARDS).blob(len(content))
    for index, segment in enumerate(encoded):
        for axis, slivers in ((Axis.PRIMARY, segment.primary), (Axis.SECONDARY, segment.secondary)):
            for place, chunk in ((0, 0), (7, 0), (9, whole.segment(index).chunks(axis) - 1)):
                where: dict[str, Any] = {"pair": PairIndex(place), "segment": index, "axis": axis, "chunk": chunk}
                sample = replace(BLANK, blob_id=metadata.blob_id, size=len(content), **where)
                proof = chunk_proof(metadata, sample, bytes(slivers[place]))
                check(proof, [sample], SHARDS, segment_bytes=4096)


def test_chunk_proof__another_sliver__never_sent() -> None:
    blob = make_blob(LARGE, SHARDS)
    sample = replace(BLANK, blob_id=blob.blob_id, size=LARGE, chunk=1)

    with pytest.raises(CommitmentMismatch):
        chunk_proof(blob.metadata, sample, bytes(blob.encoded.primary[1]))


# -- something is not there --------------------------------------------------------------------------------------------


async def test_prove__node_holds_nothing__heals_each_blob_once_then_proves(asked: Asked) -> None:
    blobs = [make_blob(size, SHARDS, seed) for seed, size in enumerate((300, LARGE))]
    for blob in blobs:
        await asked.network.store(blob)
        asked.ask_all(blob)

    await asked.prove()

    assert asked.healed == {blob.blob_id: 1 for blob in blobs}


async def test_prove__pair_is_missing__healed_first(asked: Asked) -> None:
    [blob] = await asked.hold(LARGE)
    asked.ask(blob, 1, Axis.SECONDARY, 5)
    await asked.node.packs.forget(blob.blob_id, [(0, asked.node.pairs(blob.blob_id)[1])])

    await asked.prove()

    assert asked.healed == {blob.blob_id: 1}


@pytest.mark.parametrize("axis", list(Axis))
async def test_prove__one_bit_rotted__noticed_before_it_is_sent_and_healed(asked: Asked, axis: Axis) -> None:
    [blob] = await asked.hold(LARGE)
    sample = asked.ask(blob, 0, axis, 0)
    [file] = asked.node.folder.joinpath("slivers").rglob("packs/*/*")
    data = bytearray(file.read_bytes())
    # Far from the chunk itself: a path over rotten neighbours is as wrong.
    data[data.find(sliver_of(blob, sample)) + 2000] ^= 1
    file.write_bytes(data)

    await asked.prove()

    assert asked.healed == {blob.blob_id: 1}
    assert asked.node.holdings.missing(blob.blob_id) == []


async def test_prove__file_is_gone__healed(asked: Asked, tmp_path: Path) -> None:
    [blob] = await asked.hold(LARGE)
    asked.ask_all(blob)
    [file] = asked.node.folder.joinpath("slivers").rglob("packs/*/*")
    file.unlink()

    await asked.prove()

    assert asked.healed == {blob.blob_id: 1}


async def test_prove__nobody_helps__says_what_is_missing_and_works_later(asked: Asked) -> None:
    missing, held = await asked.hold(LARGE, 300)
    asked.ask(missing)
    asked.ask(held)
    for pair in asked.node.pairs(missing.blob_id):
        await asked.node.packs.forget(missing.blob_id, [(0, pair)])
    others = dict(asked.node.others)
    asked.node.others.clear()

    async def fail(blob_id: BlobId) -> None:
        raise NotEnoughSlivers(0, 4)

    alone = Prover(asked.node.member.node_id, asked.window, asked.node.holdings, fail)
    with pytest.raises(SampleNotHeld) as error:
        await alone.prove(Epoch(1))
    asked.node.others.update(others)

    assert error.value.sample == asked.window.samples[0]
    assert str(missing.blob_id) in str(error.value)
    assert len(await asked.prove()) == 2
