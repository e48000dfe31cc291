"""What a request asks for, parsed once at the edge into the types of the protocol. Pure: no sockets, no catalogue."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from storage_agent.node.refusals import MalformedRequest
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import BlobGeometry, SegmentGeometry
from walrus_chain.codec.metadata import metadata_bytes
from walrus_chain.errors import MalformedBlobId
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, PairIndex

_NUMBER = re.compile(r"(0|[1-9][0-9]{0,77})", re.ASCII)
#: Metadata in front of slivers carries its own length in this form.
METADATA_LENGTH = struct.Struct(">I")
_TRUE, _FALSE = "1", "0"


@dataclass(frozen=True, slots=True)
class PutSegment:
    """Sliver pairs of one segment, perhaps with metadata, perhaps for an attestation."""

    blob_id: BlobId
    segment: int
    pairs: tuple[PairIndex, ...]
    with_metadata: bool
    blob_object: BlobObjectId | None

    def body_bytes(self, geometry: BlobGeometry) -> int:
        """Bytes that the body must have: all lengths follow from the blob's size and the number of shards.

        Raises: MalformedRequest: the blob has no such segment, or no such pairs.
        """
        segment = self.segment_geometry(geometry)
        metadata = METADATA_LENGTH.size + metadata_bytes(geometry) if self.with_metadata else 0
        return metadata + len(self.pairs) * segment.pair_bytes

    def segment_geometry(self, geometry: BlobGeometry) -> SegmentGeometry:
        """Sizes of the segment that is put.

        Raises: MalformedRequest: the blob has no such segment, or no such pairs.
        """
        return check_place(geometry, self.segment, *self.pairs)

    def split(self, body: Buffer, geometry: BlobGeometry) -> tuple[Buffer | None, list[memoryview]]:
        """The metadata (where it was announced) and the pairs in `body`, without copying.

        Raises: MalformedRequest: the parts do not fill the body.
        """
        view = memoryview(body)
        expected = self.body_bytes(geometry)
        if len(view) != expected:
            raise MalformedRequest("body", f"{len(view)} bytes, {expected} are expected")
        metadata: memoryview | None = None
        if self.with_metadata:
            (length,) = METADATA_LENGTH.unpack_from(view)
            if length != metadata_bytes(geometry):
                raise MalformedRequest("body", f"metadata of {length} bytes, {metadata_bytes(geometry)} are expected")
            view = view[METADATA_LENGTH.size :]
            metadata, view = view[:length], view[length:]
        width = self.segment_geometry(geometry).pair_bytes
        return metadata, [view[i * width : (i + 1) * width] for i in range(len(self.pairs))]


@dataclass(frozen=True, slots=True)
class GetSliver:
    """One sliver."""

    blob_id: BlobId
    segment: int
    axis: Axis
    pair: PairIndex


@dataclass(frozen=True, slots=True)
class GetChunks:
    """A run of chunks of one sliver, with the path that proves it."""

    sliver: GetSliver
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class GetSymbols:
    """The symbols where this node's slivers cross the sliver of `axis` at place `target`."""

    blob_id: BlobId
    segment: int
    axis: Axis
    target: PairIndex
    pairs: tuple[PairIndex, ...]


def parse_put_segment(path: Mapping[str, object], query: Mapping[str, str]) -> PutSegment:
    """`PUT /v1/blobs/{blob}/segments/{segment}?pairs=0,7[&metadata=1][&object=17]`.

    Raises: MalformedRequest: with the part that does not parse.
    """
    _only(query, "pairs", "metadata", "object")
    return PutSegment(
        blob_id=parse_blob_id(path),
        segment=_number(path, "segment"),
        pairs=_pairs(query),
        with_metadata=_flag(query, "metadata"),
        blob_object=BlobObjectId(_number(query, "object")) if "object" in query else None,
    )


def parse_get_sliver(path: Mapping[str, object], query: Mapping[str, str]) -> GetSliver:
    """`GET /v1/blobs/{blob}/segments/{segment}/slivers/{axis}/{pair}`.

    Raises: MalformedRequest: with the part that does not parse.
    """
    _only(query)
    return _sliver(path)


def parse_get_chunks(path: Mapping[str, object], query: Mapping[str, str]) -> GetChunks:
    """`GET /v1/blobs/{blob}/segments/{segment}/slivers/{axis}/{pair}/chunks?first=&count=`.

    Raises: MalformedRequest: with the part that does not parse.
    """
    _only(query, "first", "count")
    return GetChunks(_sliver(path), _number(query, "first"), _number(query, "count", least=1))


def parse_get_symbols(path: Mapping[str, object], query: Mapping[str, str]) -> GetSymbols:
    """`GET /v1/blobs/{blob}/segments/{segment}/symbols?axis=primary&target=5&pairs=0,7`.

    Raises: MalformedRequest: with the part that does not parse.
    """
    _only(query, "axis", "target", "pairs")
    return GetSymbols(
        blob_id=parse_blob_id(path),
        segment=_number(path, "segment"),
        axis=_axis(query),
        target=PairIndex(_number(query, "target")),
        pairs=_pairs(query),
    )


def parse_blob_id(path: Mapping[str, object]) -> BlobId:
    """The blob in the path.

    Raises: MalformedRequest: no blob id.
    """
    try:
        return BlobId.parse(str(path["blob"]))
    except MalformedBlobId as error:
        raise MalformedRequest("blob", str(error)) from None


def parse_blob_object(document: object) -> BlobObjectId:
    """The object in the body `{"blobObject": 17}`.

    Raises: MalformedRequest: not such a body.
    """
    if not isinstance(document, dict) or set(document) != {"blobObject"}:
        raise MalformedRequest("body", 'send {"blobObject": <number>} and nothing else')
    number = document["blobObject"]
    if type(number) is not int or not 0 < number < 2**256:
        raise MalformedRequest("body", f"blobObject is {number!r}; object ids are whole numbers from 1")
    return BlobObjectId(number)


@dataclass(frozen=True, slots=True)
class GetReceipts:
    """A page of receipts."""

    blob_object: BlobObjectId | None
    epoch: Epoch | None
    after: int


def parse_get_receipts(query: Mapping[str, str]) -> GetReceipts:
    """`GET /v1/receipts[?object=17][&epoch=3][&after=100]`.

    Raises: MalformedRequest: with the part that does not parse.
    """
    _only(query, "object", "epoch", "after")
    return GetReceipts(
        BlobObjectId(_number(query, "object", least=1)) if "object" in query else None,
        Epoch(_number(query, "epoch", least=1)) if "epoch" in query else None,
        _number(query, "after") if "after" in query else 0,
    )


def parse_object(path: Mapping[str, object]) -> BlobObjectId:
    """The object in the path.

    Raises: MalformedRequest: no number of an object.
    """
    return BlobObjectId(_number(path, "object", least=1))


def parse_job(path: Mapping[str, object]) -> int:
    """The job in the path.

    Raises: MalformedRequest: no number of a job.
    """
    return _number(path, "job", least=1)


def check_place(geometry: BlobGeometry, segment: int, *pairs: PairIndex) -> SegmentGeometry:
    """Sizes of the segment, once segment and pairs are known to be inside the blob.

    Raises: MalformedRequest: the blob has no such segment, or its segments no such pair.
    """
    if segment >= geometry.segments:
        raise MalformedRequest("segment", f"{segment}; the blob has segments 0 to {geometry.segments - 1}")
    shards = geometry.geometry.shards
    for pair in pairs:
        if pair >= shards:
            raise MalformedRequest("pairs", f"{pair}; a segment has pairs 0 to {shards - 1}")
    return geometry.segment(segment)


def check_chunks(request: GetChunks, geometry: SegmentGeometry) -> None:
    """Accept the run of chunks as part of the sliver.

    Raises: MalformedRequest: it leaves the sliver.
    """
    chunks = geometry.chunks(request.sliver.axis)
    if request.first + request.count > chunks:
        last = request.first + request.count - 1
        raise MalformedRequest("chunks", f"{request.first} to {last}; this sliver has chunks 0 to {chunks - 1}")


def _sliver(path: Mapping[str, object]) -> GetSliver:
    return GetSliver(
        parse_blob_id(path),
        _number(path, "segment"),
        _axis({"axis": str(path["axis"])}),
        PairIndex(_number(path, "pair")),
    )


def _number(values: Mapping[str, object], name: str, least: int = 0) -> int:
    text = str(values.get(name, ""))
    if _NUMBER.fullmatch(text) is None or int(text) < least:
        raise MalformedRequest(name, f"{text[:80]!r} is not a whole number from {least} on")
    return int(text)


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, _FALSE)
    if text not in (_TRUE, _FALSE):
        raise MalformedRequest(name, f"{text[:80]!r} is neither {_FALSE} nor {_TRUE}")
    return text == _TRUE


def _axis(query: Mapping[str, str]) -> Axis:
    text = query.get("axis", "")
    try:
        return Axis(text)
    except ValueError:
        raise MalformedRequest("axis", f"{text[:80]!r} is neither primary nor secondary") from None


def _pairs(query: Mapping[str, str]) -> tuple[PairIndex, ...]:
    text = query.get("pairs", "")
    parts = text.split(",")
    if len(parts) > 255 or any(_NUMBER.fullmatch(part) is None for part in parts):
        raise MalformedRequest("pairs", f"{text[:80]!r} is not a list of numbers like 0,7,13")
    pairs = tuple(PairIndex(int(part)) for part in parts)
    if len(set(pairs)) != len(pairs):
        raise MalformedRequest("pairs", "a pair is named twice")
    return pairs


def _only(query: Mapping[str, str], *names: str) -> None:
    for name in query:
        if name not in names:
            taken = ", ".join(names) or "none"
            raise MalformedRequest("query", f"unknown parameter {name[:80]!r}; parameters here: {taken}")
