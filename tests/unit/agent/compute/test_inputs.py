"""Inputs of runs: ranges over segments, decryption, and blobs that were encoded wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from storage_agent.compute.blobs import JOB_INPUTS, KEPT_BYTES, Segments
from storage_agent.compute.inputs import Inputs
from tests.fakes.job_chain import order
from tests.fakes.readers import chance
from walrus_chain.chain.compute_views import Job, JobCharge, JobRequest, JobStatus
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import encode_segment
from walrus_chain.codec.stream import commit_blob
from walrus_chain.compute.abi import MAXIMUM_PROGRAM_BYTES
from walrus_chain.crypto.chunks import ChunkCipher, ciphertext_size
from walrus_chain.errors import InconsistentEncoding, WalrusError, WrongDataKey
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, JobId, PairIndex, PoolId, Wei

SHARDS = 7
KEY, SALT = bytes(range(32)), bytes(16)


def sealed(data: bytes) -> bytes:
    """Data as they are stored encrypted; of one chunk."""
    cipher = ChunkCipher(KEY, SALT)
    return cipher.header + cipher.seal(0, True, data)


class FakeBlobs:
    """Blobs in memory, as holdings and as peers."""

    def __init__(self, *contents: bytes) -> None:
        self.metadatas: dict[BlobId, BlobMetadata] = {}
        self.rows_of: dict[tuple[BlobId, int], dict[PairIndex, Buffer]] = {}
        self.asked = 0
        self.sound: bool | None = None
        self.ids = [self.add(content) for content in contents]

    def add(self, content: bytes) -> BlobId:
        """One more blob."""
        pieces = [content[at : at + SEGMENT_BYTES] for at in range(0, max(1, len(content)), SEGMENT_BYTES)]
        metadata = commit_blob(pieces, SHARDS).metadata
        self.metadatas[metadata.blob_id] = metadata
        for index, piece in enumerate(pieces):
            geometry = metadata.geometry.segment(index)
            encoded = encode_segment(piece, SHARDS)
            needed = geometry.needed(Axis.PRIMARY)
            self.rows_of[metadata.blob_id, index] = {
                PairIndex(pair): encoded.sliver(Axis.PRIMARY, PairIndex(pair)) for pair in range(needed)
            }
        return metadata.blob_id

    async def verified_pairs(self, metadata: BlobMetadata, segment: int) -> dict[PairIndex, bytes]:
        """Nothing is here."""
        return {}

    def verdict(self, blob_id: BlobId) -> bool | None:
        """Whether a blob was examined."""
        return self.sound

    async def metadata(self, blob_id: BlobId) -> tuple[BlobMetadata, int]:
        """A blob's metadata."""
        return self.metadatas[blob_id], 0

    async def rows(
        self, metadata: BlobMetadata, index: int, own: Mapping[PairIndex, Buffer]
    ) -> tuple[dict[PairIndex, Buffer], int]:
        """The primary slivers of a segment."""
        self.asked += 1
        return self.rows_of[metadata.blob_id, index], 0


class Keys:
    """Opens keys."""

    def __init__(self, key: bytes = KEY) -> None:
        self.key = key
        self.asked: list[int] = []

    async def data_key(self, job: int, terms: JobRequest, blob_object: BlobObjectId) -> bytes:
        """The key."""
        self.asked.append(blob_object)
        return self.key


def job_on(blobs: FakeBlobs) -> tuple[Job, JobRequest]:
    """A drawn job on all blobs."""
    charges = tuple(JobCharge(blob_id, PoolId(0), Wei(0)) for blob_id in blobs.ids)
    request = JobRequest("0x", order(1, inputs=len(charges)), charges, 1, Epoch(1), 0)  # type: ignore[arg-type]
    return Job(JobId(1), JobStatus.COMMITTING, bytes(32), 5, 77, (), ()), request


async def test_read__ranges_over_two_segments__right_bytes_and_each_segment_once() -> None:
    content = chance("content")(SEGMENT_BYTES + 1000)
    blobs = FakeBlobs(content)
    blobs.sound = True
    blob = await Segments(blobs, blobs).open(blobs.ids[0])

    assert blob.size == len(content)
    for start, length in [(0, 10), (SEGMENT_BYTES - 5, 10), (SEGMENT_BYTES + 990, 10), (5, 0)]:
        assert await blob.read(start, length) == content[start : start + length]
    assert blobs.asked == 2


async def test_read__sixteen_inputs_in_turn__each_segment_once() -> None:
    contents = [bytes([number]) * 100 for number in range(JOB_INPUTS)]
    blobs = FakeBlobs(*contents)
    segments = Segments(blobs, blobs)
    opened = [await segments.open(blob_id) for blob_id in blobs.ids]

    for offset in range(0, 100, 25):
        for content, blob in zip(contents, opened, strict=True):
            assert await blob.read(offset, 25) == content[offset : offset + 25]

    assert blobs.asked == JOB_INPUTS
    assert KEPT_BYTES >= JOB_INPUTS * SEGMENT_BYTES


async def test_read__more_than_is_kept__the_least_recently_read_goes() -> None:
    blobs = FakeBlobs(b"a" * 100, b"b" * 100, b"c" * 100)
    segments = Segments(blobs, blobs, kept_bytes=200)
    first, second, third = [await segments.open(blob_id) for blob_id in blobs.ids]
    for blob in (first, second, first, third):
        await blob.read(0, 1)
    assert blobs.asked == 3

    await first.read(0, 1)
    assert blobs.asked == 3
    await second.read(0, 1)
    assert blobs.asked == 4


async def test_read__encoded_wrongly__no_bytes() -> None:
    blobs = FakeBlobs(b"a" * 100)
    [blob_id] = blobs.ids
    other = FakeBlobs(b"b" * 100)
    # Slivers of another content under this blob's id: they cannot be what the blob commits to.
    blobs.rows_of[blob_id, 0] = other.rows_of[other.ids[0], 0]
    blob = await Segments(blobs, blobs).open(blob_id)

    with pytest.raises(InconsistentEncoding):
        await blob.read(0, 1)


async def test_open__private_input__decrypted() -> None:
    blobs = FakeBlobs(sealed(b"secret data"), b"public")
    keys = Keys()
    view, request = job_on(blobs)

    first, second = await Inputs(lambda: Segments(blobs, blobs), keys).open(view, request)

    assert (first.size, await first.read(7, 4)) == (11, b"data")
    assert (second.size, await second.read(0, 6)) == (6, b"public")
    assert keys.asked == [1]


async def test_open__another_key__refused() -> None:
    blobs = FakeBlobs(sealed(b"secret data"))
    view, request = job_on(blobs)

    with pytest.raises(WrongDataKey):
        await Inputs(lambda: Segments(blobs, blobs), Keys(bytes(32))).open(view, request)


async def test_open__cut_off__refused() -> None:
    blobs = FakeBlobs(sealed(b"secret data")[: ciphertext_size(0) - 1])
    view, request = job_on(blobs)

    with pytest.raises(WalrusError):
        await Inputs(lambda: Segments(blobs, blobs), Keys()).open(view, request)


async def test_program__too_long__none_without_reading_it() -> None:
    blobs = FakeBlobs(b"small")
    [blob_id] = blobs.ids
    metadata = blobs.metadatas[blob_id]
    blobs.metadatas[blob_id] = replace(metadata, size=MAXIMUM_PROGRAM_BYTES + 1)

    inputs = Inputs(lambda: Segments(blobs, blobs), Keys())

    assert await inputs.program(blob_id) is None
    assert blobs.asked == 0
    blobs.metadatas[blob_id] = metadata
    assert await inputs.program(blob_id) == b"small"
