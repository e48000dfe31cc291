"""The agent's HTTP application: routes, and around each of them the limits, the error answers and the metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from storage_agent.node.refusals import Stopping
from storage_agent.observe import METRICS_MEDIA_TYPE
from storage_agent.serve import jobs, keys, openapi, reads, uploads
from storage_agent.serve.limits import requester
from storage_agent.serve.problems import answer_error
from storage_agent.serve.services import Services

Handler = Callable[[Services, Request], Awaitable[Response]]

_BLOB = "/v1/blobs/{blob}"
_SLIVER = _BLOB + "/segments/{segment}/slivers/{axis}/{pair}"


def build_app(services: Services) -> Starlette:
    """The application over `services`."""
    return Starlette(
        routes=[
            _limited(services, "PUT", _BLOB + "/segments/{segment}", uploads.put_segment),
            _limited(services, "GET", _SLIVER, reads.sliver),
            _limited(services, "GET", _SLIVER + "/chunks", reads.chunks),
            _limited(services, "GET", _BLOB + "/segments/{segment}/symbols", reads.symbols),
            _limited(services, "GET", _BLOB, reads.blob),
            _limited(services, "GET", _BLOB + "/metadata", reads.metadata),
            _limited(services, "PUT", _BLOB + "/metadata", uploads.put_metadata),
            _limited(services, "POST", _BLOB + "/attestations", uploads.attest),
            _limited(services, "POST", _BLOB + "/invalidity", uploads.accuse),
            _limited(services, "POST", "/v1/keys", keys.release),
            _limited(services, "GET", "/v1/receipts", keys.receipts),
            _limited(services, "POST", "/v1/objects/{object}/erasable-key", keys.erasable_key),
            _limited(services, "GET", "/v1/jobs/{job}/output", jobs.output),
            _limited(services, "GET", "/v1/status", _status),
            _open(services, "GET", "/v1/health", _health),
            _open(services, "GET", "/metrics", _metrics),
            _open(services, "GET", "/openapi.json", _openapi),
        ],
        exception_handlers={HTTPException: _no_such_route},
    )


def _limited(services: Services, method: str, path: str, handler: Handler) -> Route:
    """A route that counts against the limits."""

    async def within_limits(services: Services, request: Request) -> Response:
        if services.stopping:
            raise Stopping
        address = requester(request)
        services.rate.take(address, services.clock())
        async with services.gate.enter(address):
            return await handler(services, request)

    return _open(services, method, path, within_limits)


def _open(services: Services, method: str, path: str, handler: Handler) -> Route:
    """A route that always answers: operators look at it when the agent is overwhelmed."""
    label = f"{method} {path}"

    async def endpoint(request: Request) -> Response:
        started = services.clock()
        try:
            response = await handler(services, request)
        except Exception as error:  # noqa: BLE001 - each has its answer; unknown ones are logged with their trace
            response = answer_error(request, error)
        services.metrics.requests.labels(label, response.status_code).inc()
        services.metrics.request_seconds.labels(label).observe(services.clock() - started)
        return response

    return Route(path, endpoint, methods=[method], name=label)


async def _health(services: Services, _: Request) -> Response:
    return JSONResponse(await services.health())


async def _status(services: Services, _: Request) -> Response:
    return JSONResponse(await services.status())


async def _metrics(services: Services, _: Request) -> Response:
    await services.health()  # brings the gauges up to date
    return Response(services.metrics.render(), media_type=METRICS_MEDIA_TYPE)


async def _openapi(_: Services, __: Request) -> Response:
    return JSONResponse(openapi.document())


async def _no_such_route(request: Request, error: Exception) -> Response:
    return answer_error(request, error)
