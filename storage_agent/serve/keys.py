"""Handlers about keys to private data: shares for those who may, receipts for everybody, keys that can be destroyed."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from storage_agent.keys.jobs import JobKeyRequest
from storage_agent.keys.journal import Entry
from storage_agent.keys.request import KeyRequest
from storage_agent.node.access_refusals import UnknownObject
from storage_agent.node.refusals import NoKeysHere
from storage_agent.serve import bodies, requests
from storage_agent.serve.limits import requester
from storage_agent.serve.services import Services

_KEY_REQUEST_BYTES: Final = 64 * 2**10
#: A share is for one requester, once.
_FOR_NOBODY_ELSE: Final = {"Cache-Control": "private, no-store"}


async def release(services: Services, request: Request) -> Response:
    """The node's share of the key to an object's data: for who reads it, or for a node that computes on it."""
    releaser, job_releaser = services.keys.releaser, services.keys.job_releaser
    if releaser is None or job_releaser is None:
        raise NoKeysHere
    services.key_rate.take(requester(request), services.clock())
    seconds = bodies.seconds_for(_KEY_REQUEST_BYTES, services.limits.body_seconds)
    document = await bodies.read_small_json(request, _KEY_REQUEST_BYTES, seconds)
    if isinstance(document, dict) and "job" in document:
        computing = JobKeyRequest.from_data(document)
        async with services.key_gate.enter(requester(request)):
            released = await job_releaser.release(computing)
    else:
        reading = KeyRequest.from_data(document)
        async with services.key_gate.enter(requester(request)):
            released = await releaser.release(reading)
    return JSONResponse(
        {
            "share": _hex(released.share),
            "keyId": _hex(released.key_id),
            "receipt": released.receipt.data,
            "receiptSignature": _hex(released.receipt.signature),
        },
        headers=_FOR_NOBODY_ELSE,
    )


async def receipts(services: Services, request: Request) -> Response:
    """What the node released, to whom, and what paid."""
    wanted = requests.parse_get_receipts(request.query_params)
    page = await services.keys.journal.page(wanted.blob_object, wanted.epoch, wanted.after)
    node_id, entries = services.keys.journal.node_id, [_entry(entry) for entry in page.entries]
    return JSONResponse({"node": node_id, "receipts": entries, "next": page.following})


async def erasable_key(services: Services, request: Request) -> Response:
    """The public part of a key that the node keeps for one object alone."""
    blob_object = requests.parse_object(request.path_params)
    if services.keys.releaser is None:
        raise NoKeysHere
    services.key_rate.take(requester(request), services.clock())
    if not await services.admission.is_live(blob_object):
        raise UnknownObject(blob_object)
    given = await services.keys.erasable.give(blob_object)
    return JSONResponse({"publicKey": _hex(given.public_key), "signature": _hex(given.signature)})


def _entry(entry: Entry) -> dict[str, object]:
    row, place = entry.row, entry.place
    return {
        "number": row.number,
        "epoch": row.slot.epoch,
        "receipt": row.receipt.data,
        "signature": _hex(row.receipt.signature),
        "anchor": None
        if place is None
        else {
            "root": _hex(place.anchor.root),
            "count": place.anchor.count,
            "path": [_hex(node) for node in place.path],
            "anchored": place.anchor.anchored,
        },
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
