"""Handlers that give bytes out: what is known of a blob, metadata, slivers, chunks with paths, recovery symbols."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from storage_agent.node.refusals import CommitteeChanged, UnknownBlob
from storage_agent.serve import requests
from storage_agent.serve.requests import GetSliver
from storage_agent.serve.services import Services
from walrus_chain.codec.geometry import CHUNK_BYTES, SegmentGeometry
from walrus_chain.codec.merkle import SliverTree
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import recovery_symbol
from walrus_chain.errors import PairNotHeld
from walrus_chain.transport.wire import pack_chunk_run
from walrus_chain.types import BlobId

_OCTETS = "application/octet-stream"
#: What a blob id names never changes, so anybody may keep it for as long as they like.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def blob(services: Services, request: Request) -> Response:
    """What the node knows and holds of a blob."""
    blob_id = requests.parse_blob_id(request.path_params)
    metadata = services.holdings.metadata(blob_id)
    objects = services.admission.live_objects(blob_id)
    missing = services.holdings.missing(blob_id)
    return JSONResponse(
        {
            "blobId": str(blob_id),
            "known": metadata is not None,
            "size": metadata.size if metadata else None,
            "segments": len(metadata.segments) if metadata else None,
            "pairs": list(services.holdings.in_full(blob_id)),
            "missing": len(missing or ()),
            "objects": [
                {
                    "blobObject": record.blob_object,
                    "end": record.end,
                    "certified": record.certified,
                    "deletable": record.deletable,
                }
                for record in objects
            ],
        }
    )


async def metadata(services: Services, request: Request) -> Response:
    """The blob's metadata."""
    data = _known(services, requests.parse_blob_id(request.path_params)).to_bytes()
    return _bytes(services, data)


async def sliver(services: Services, request: Request) -> Response:
    """One sliver."""
    wanted = requests.parse_get_sliver(request.path_params, request.query_params)
    geometry = _place(services, wanted)
    return _bytes(services, await _read(services, wanted, geometry, 0, geometry.sliver_bytes(wanted.axis)))


async def chunks(services: Services, request: Request) -> Response:
    """A run of chunks of a sliver, with the path that proves it."""
    wanted = requests.parse_get_chunks(request.path_params, request.query_params)
    geometry = _place(services, wanted.sliver)
    requests.check_chunks(wanted, geometry)
    start = wanted.first * CHUNK_BYTES
    length = geometry.chunk_bytes(wanted.sliver.axis, wanted.first, wanted.count)
    tree = services.trees.get(wanted.sliver)
    if tree is not None:
        data = await _read(services, wanted.sliver, geometry, start, length)
    else:
        whole = await _read(services, wanted.sliver, geometry, 0, geometry.sliver_bytes(wanted.sliver.axis))
        tree = await asyncio.to_thread(SliverTree, whole)
        services.trees.put(wanted.sliver, tree)
        data = whole[start : start + length]
    return _bytes(services, pack_chunk_run(tree.prove_run(wanted.first, wanted.count), data))


async def symbols(services: Services, request: Request) -> Response:
    """The symbols where this node's slivers of the other axis cross a lost sliver."""
    wanted = requests.parse_get_symbols(request.path_params, request.query_params)
    known = _known(services, wanted.blob_id)
    geometry = requests.check_place(known.geometry, wanted.segment, wanted.target, *wanted.pairs)
    crossing = wanted.axis.other
    pieces: list[bytes] = []
    for pair in wanted.pairs:
        own = GetSliver(wanted.blob_id, wanted.segment, crossing, pair)
        if wanted.target < geometry.symbols(crossing):
            # A symbol of the matrix itself: it lies in the sliver as it is.
            width = geometry.symbol_bytes
            pieces.append(await _read(services, own, geometry, wanted.target * width, width))
        else:
            whole = await _read(services, own, geometry, 0, geometry.sliver_bytes(crossing))
            pieces.append(await asyncio.to_thread(recovery_symbol, whole, crossing, wanted.target, geometry))
    return _bytes(services, b"".join(pieces))


def _known(services: Services, blob_id: BlobId) -> BlobMetadata:
    found = services.holdings.metadata(blob_id)
    if found is None:
        raise UnknownBlob(blob_id)
    return found


def _place(services: Services, wanted: GetSliver) -> SegmentGeometry:
    known = _known(services, wanted.blob_id)
    return requests.check_place(known.geometry, wanted.segment, wanted.pair)


async def _read(services: Services, wanted: GetSliver, geometry: SegmentGeometry, start: int, length: int) -> bytes:
    """`length` bytes of a sliver from byte `start` on. Whatever is here is given, also what is kept for other nodes.

    Raises:
        CommitteeChanged: it is not here any more, for it moved to another node.
        PairNotHeld: it is not here.
    """
    place = (wanted.blob_id, wanted.segment, wanted.axis, wanted.pair)
    try:
        return await services.holdings.sliver(*place, geometry=geometry, start=start, length=length)
    except PairNotHeld:
        duties = services.holdings.duties
        if wanted.pair in duties.given_pairs(wanted.blob_id):
            raise CommitteeChanged(wanted.blob_id, [wanted.pair], duties.pairs(wanted.blob_id), duties.epoch) from None
        raise


def _bytes(services: Services, data: bytes) -> Response:
    services.metrics.served_bytes.inc(len(data))
    return Response(data, media_type=_OCTETS, headers=_FOR_EVER)
