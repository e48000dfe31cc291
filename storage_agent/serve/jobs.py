"""The handler that gives out what jobs wrote: in the clear where the order wants it so, else sealed."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from storage_agent.node.refusals import UnknownOutput
from storage_agent.serve import requests
from storage_agent.serve.services import Services
from storage_agent.store.access_rows import LAST_NUMBER

_OCTETS = "application/octet-stream"
#: A reorganisation may give the job's number to another one.
_ASK_AGAIN = {"Cache-Control": "no-cache"}


async def output(services: Services, request: Request) -> Response:
    """The output of a job whose result this node showed on chain."""
    job = requests.parse_job(request.path_params)
    shelf = services.jobs
    found = shelf.store.shown(job) if job <= LAST_NUMBER else None
    data = None if found is None else await asyncio.to_thread(shelf.outputs.read, found.job, found.digest)
    if found is None or found.result is None or data is None:
        raise UnknownOutput(job)
    services.metrics.served_bytes.inc(len(data))
    headers = {
        "Walrus-Result": "0x" + found.result.hex(),
        "Walrus-Terms": "0x" + found.digest.hex(),
        "Walrus-Ending": found.why.replace(" ", "-"),
        "Walrus-Sealed": "true" if found.sealed else "false",
    }
    return Response(data, media_type=_OCTETS, headers={**_ASK_AGAIN, **headers})
