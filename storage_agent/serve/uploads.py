"""Handlers that take bytes in: metadata and sliver pairs, and the attestations that follow from them, for or against.

Order matters: who may store what is settled before a byte of the body is read; bytes are verified before they are kept;
they are durable before they are attested.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from storage_agent.node.attest import check_shape
from storage_agent.node.refusals import NAMED_MISSING, ForeignPair, MalformedRequest, MetadataNeeded, NotServing
from storage_agent.serve import bodies, requests
from storage_agent.serve.limits import requester
from storage_agent.serve.requests import PutSegment
from storage_agent.serve.services import Services
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import BlobGeometry, Geometry
from walrus_chain.codec.metadata import BlobMetadata, metadata_bytes
from walrus_chain.codec.verify import verify_pair
from walrus_chain.errors import Untrusted
from walrus_chain.messages.attestation import SignedAttestation, StorageAttestation
from walrus_chain.types import BlobId, PairIndex

_SMALL_JSON_BYTES = 4096
#: Lengths that a refusal names; there may be as many as somebody pays for.
_NAMED_LENGTHS = 4


async def put_segment(services: Services, request: Request) -> Response:
    """Store sliver pairs of a segment, and attest when nothing is missing any more."""
    put = requests.parse_put_segment(request.path_params, request.query_params)
    sizes = await services.admission.admit(put.blob_id, put.blob_object)
    await _check_own(services, put)
    held = services.holdings.metadata(put.blob_id)
    if held is None and not put.with_metadata:
        raise MetadataNeeded(put.blob_id)
    geometries = [held.geometry] if held is not None else _geometries(services, sizes)
    expected, geometry = _announced(request, [(put.body_bytes(geometry), geometry) for geometry in geometries])
    bodies.check_within(expected, services.limits.body_bytes)
    async with _memory(services, request, expected):
        body = await bodies.read_exactly(request, expected, bodies.seconds_for(expected, services.limits.body_seconds))
        services.metrics.received_bytes.inc(expected)
        if len(body) > services.limits.inline_bytes:
            metadata, pairs = await asyncio.to_thread(_verified, services, put, body, geometry, held)
        else:
            metadata, pairs = _verified(services, put, body, geometry, held)
        await services.holdings.keep_segment(metadata, put.segment, pairs, with_metadata=held is None)
    missing = services.holdings.missing(put.blob_id) or ()
    attestation = None
    if put.blob_object is not None and not missing:
        attestation = await services.attester.attest(put.blob_id, put.blob_object)
    return JSONResponse(
        {
            "stored": list(put.pairs),
            "attestation": None if attestation is None else attestation_json(attestation),
            "missing": [list(place) for place in missing[:NAMED_MISSING]],
        }
    )


async def put_metadata(services: Services, request: Request) -> Response:
    """Keep a blob's metadata."""
    blob_id = requests.parse_blob_id(request.path_params)
    sizes = await services.admission.admit(blob_id, None)
    services.holdings.check_serving()
    geometries = _geometries(services, sizes)
    expected, _ = _announced(request, [(metadata_bytes(geometry), geometry) for geometry in geometries])
    bodies.check_within(expected, services.limits.body_bytes)
    async with _memory(services, request, expected):
        body = await bodies.read_exactly(request, expected, bodies.seconds_for(expected, services.limits.body_seconds))
        services.metrics.received_bytes.inc(expected)
        metadata = await asyncio.to_thread(_parsed, services, body, blob_id)
        if metadata.geometry not in geometries:
            check_shape(metadata, geometries[0])
        await services.holdings.keep_metadata(metadata)
    return JSONResponse({"stored": True})


async def attest(services: Services, request: Request) -> Response:
    """Attest a blob object, when all of its blob that this node must hold is durable."""
    blob_id = requests.parse_blob_id(request.path_params)
    seconds = bodies.seconds_for(_SMALL_JSON_BYTES, services.limits.body_seconds)
    document = await bodies.read_small_json(request, _SMALL_JSON_BYTES, seconds)
    blob_object = requests.parse_blob_object(document)
    await services.admission.admit(blob_id, blob_object)
    return JSONResponse(attestation_json(await services.attester.attest(blob_id, blob_object)))


async def accuse(services: Services, request: Request) -> Response:
    """Attest that a blob does not encode to its id, when this node found that out by itself."""
    blob_id = requests.parse_blob_id(request.path_params)
    signed = await services.accuser.accuse(blob_id)
    return JSONResponse(
        {
            "epoch": signed.attestation.epoch,
            "signer": signed.signer,
            "signature": "0x" + signed.signature.hex(),
        }
    )


def attestation_json(signed: SignedAttestation) -> dict[str, object]:
    """A storage attestation as it travels."""
    attestation = signed.attestation
    assert isinstance(attestation, StorageAttestation)
    return {
        "blobObject": attestation.blob_object,
        "epoch": attestation.epoch,
        "deletable": attestation.deletable,
        "signer": signed.signer,
        "signature": "0x" + signed.signature.hex(),
    }


async def _check_own(services: Services, put: PutSegment) -> None:
    """Accept the pairs as this node's. A committee that took office a moment ago may not have been seen yet.

    Raises: CommitteeChanged, ForeignPair, NotServing: they are not; the error says whether they were.
    """
    try:
        services.holdings.check_own(put.blob_id, put.pairs)
    except (ForeignPair, NotServing):
        await services.admission.look()
        services.holdings.check_own(put.blob_id, put.pairs)


def _memory(services: Services, request: Request, size: int) -> AbstractAsyncContextManager[None]:
    """Inside, there is memory for a body of `size` bytes."""
    return services.memory.reserve(size, services.limits.memory_wait_seconds, requester(request))


def _geometries(services: Services, sizes: tuple[int, ...]) -> list[BlobGeometry]:
    """What the blob may look like: one shape for each size that its live objects declare."""
    shards = Geometry(services.holdings.duties.shards)
    return [shards.blob(size) for size in sizes]


def _announced(request: Request, shapes: list[tuple[int, BlobGeometry]]) -> tuple[int, BlobGeometry]:
    """The one of `shapes` whose body has the length that the request announces.

    Usually there is one. Owners may declare different sizes for a blob; the metadata shows later who is right.

    Raises: MalformedRequest: no length is announced, or it is none of the expected ones.
    """
    announced = request.headers.get("content-length")
    if announced is None:
        raise MalformedRequest("Content-Length", "it is missing; say how long the body is")
    for expected, geometry in shapes:
        if announced == str(expected):
            return expected, geometry
    lengths = " or ".join(dict.fromkeys(str(expected) for expected, _ in shapes[:_NAMED_LENGTHS]))
    raise MalformedRequest("body", f"{announced[:40]} bytes are announced, {lengths} are expected")


def _verified(
    services: Services, put: PutSegment, body: Buffer, geometry: BlobGeometry, held: BlobMetadata | None
) -> tuple[BlobMetadata, dict[PairIndex, memoryview]]:
    """The blob's metadata and the pairs in `body`, all of them verified against the blob id.

    Raises: Untrusted: something does not verify; the error says what.
    """
    data, parts = put.split(body, geometry)
    if held is not None:
        metadata = held
    else:
        assert data is not None
        metadata = _parsed(services, data, put.blob_id)
        check_shape(metadata, geometry)
    segment = geometry.segment(put.segment)
    pairs = dict(zip(put.pairs, parts, strict=True))
    try:
        for pair, part in pairs.items():
            verify_pair(part, pair, metadata.segments[put.segment], segment)
    except Untrusted:
        services.metrics.untrusted_uploads.inc()
        raise
    return metadata, pairs


def _parsed(services: Services, data: Buffer, blob_id: BlobId) -> BlobMetadata:
    try:
        return BlobMetadata.from_bytes(data, blob_id)
    except Untrusted:
        services.metrics.untrusted_uploads.inc()
        raise
