"""What stands between a client and a real agent, and makes the agent go wrong in the ways that agents do.

A fault is a function of the proxy and a request; it answers in the agent's place, or spoils the agent's own answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from walrus_chain.messages.signing import LocalSigner

_HOP_HEADERS = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})
_SIGNATURE_BYTES = 65
_PIECE = bytes(65536)
#: Nobody's key in any network.
STRANGER = LocalSigner(b"\x66" * 32)


class EvilAgent:
    """A proxy in front of one agent; honest until `fault` is set."""

    def __init__(self, upstream: str, session: ClientSession) -> None:
        self._upstream = upstream
        self._session = session
        self.fault: Fault | None = None
        self.methods = frozenset({"GET", "PUT", "POST"})
        """The requests that the fault concerns."""
        self.harmed = 0
        """Requests that the fault was applied to."""
        self.attestation: dict[str, Any] | None = None
        """The first attestation that went through."""

    def go_wrong(self, fault: Fault, *methods: str) -> None:
        """From now on; with all requests when no method is named."""
        self.fault, self.methods, self.harmed = fault, frozenset(methods or {"GET", "PUT", "POST"}), 0

    def behave(self) -> None:
        """From now on, hand everything through as it is."""
        self.fault = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        if self.fault is None or request.method not in self.methods:
            return await self.answer(request)
        self.harmed += 1
        return await self.fault(self, request)

    async def answer(self, request: web.Request) -> web.Response:
        """What the agent itself answers."""
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _HOP_HEADERS | {"host"}
        }
        async with self._session.request(
            request.method, self._upstream + request.raw_path, data=await request.read(), headers=headers
        ) as response:
            kept = {name: value for name, value in response.headers.items() if name.lower() not in _HOP_HEADERS}
            answer = web.Response(status=response.status, body=await response.read(), headers=kept)
        if self.attestation is None and (attestation := _attestation_in(answer)) is not None:
            self.attestation = attestation
        return answer


Fault = Callable[[EvilAgent, web.Request], Awaitable[web.StreamResponse]]


async def answers_500(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """An agent, or what stands before it, that is broken."""
    await request.read()
    return web.Response(status=500, text="<html>Internal Server Error</html>", content_type="text/html")


async def stalls(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Takes the request and says nothing, ever."""
    await request.read()
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def drops(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Closes the connection instead of answering."""
    return _hang_up(request)


async def drops_midway(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Closes the connection after half of the answer."""
    await _first_half(agent, request)
    return _hang_up(request)


async def stalls_midway(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Sends half of the answer, then nothing more."""
    await _first_half(agent, request)
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def flips_a_bit(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Changes the last bit of whatever it hands out as bytes: slivers, chunks, symbols, metadata."""
    answer = await agent.answer(request)
    body = _body(answer)
    return _like(answer, body[:-1] + bytes([body[-1] ^ 1])) if _is_binary(answer) else answer


async def spoils_paths(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Hands out the right chunks, with a path that does not lead to the sliver's root."""
    answer = await agent.answer(request)
    body = _body(answer)
    if not request.path.endswith("/chunks") or not _is_binary(answer) or body[:2] == b"\0\0":
        return answer
    return _like(answer, body[:2] + bytes([body[2] ^ 1]) + body[3:])


async def cuts_short(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Leaves the last byte out."""
    answer = await agent.answer(request)
    return _like(answer, _body(answer)[:-1]) if _is_binary(answer) else answer


async def never_ends(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Sends zeros for as long as somebody reads them."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(_PIECE)


async def attests_by_a_stranger(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Hands out attestations that another key than its own has signed."""
    answer = await agent.answer(request)
    return _with_attestation(answer, {"signature": "0x" + STRANGER.sign_digest(bytes(32)).hex()})


async def attests_in_anothers_name(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Hands out attestations that a stranger has signed, and says so."""
    answer = await agent.answer(request)
    signature = "0x" + STRANGER.sign_digest(bytes(32)).hex()
    return _with_attestation(answer, {"signer": STRANGER.address, "signature": signature})


async def replays_attestations(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Hands out its first attestation as if it were one of this object."""
    first = agent.attestation
    assert first is not None, "it has attested nothing yet that could be replayed"
    return _with_attestation(await agent.answer(request), {"signature": first["signature"]})


async def attests_garbage(agent: EvilAgent, request: web.Request) -> web.StreamResponse:
    """Hands out attestations without a signature in them."""
    return _with_attestation(await agent.answer(request), {"signature": "0x" + bytes(_SIGNATURE_BYTES).hex()})


@asynccontextmanager
async def evil_agent(port: int, upstream: str) -> AsyncIterator[EvilAgent]:
    """A proxy that listens on a port of this machine."""
    async with ClientSession(auto_decompress=False) as session:
        agent = EvilAgent(upstream, session)
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/{path:.*}", agent.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield agent
        finally:
            await runner.cleanup()


async def _first_half(agent: EvilAgent, request: web.Request) -> None:
    answer = await agent.answer(request)
    body = _body(answer)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _is_binary(answer: web.Response) -> bool:
    return answer.status == 200 and answer.content_type == "application/octet-stream" and bool(_body(answer))


def _body(answer: web.Response) -> bytes:
    assert isinstance(answer.body, bytes)
    return answer.body


def _like(answer: web.Response, body: bytes) -> web.Response:
    return web.Response(status=answer.status, body=body, content_type=answer.content_type)


def _attestation_in(answer: web.Response) -> dict[str, Any] | None:
    """The attestation in an answer to an upload, or to the question for one."""
    if answer.status != 200 or answer.content_type != "application/json":
        return None
    data = json.loads(_body(answer))
    found = data if "signature" in data else data.get("attestation")
    return found if isinstance(found, dict) else None


def _with_attestation(answer: web.Response, changes: dict[str, str]) -> web.Response:
    attestation = _attestation_in(answer)
    if attestation is None:
        return answer
    data = json.loads(_body(answer))
    changed = {**attestation, **changes}
    return _like(answer, json.dumps(changed if "signature" in data else {**data, "attestation": changed}).encode())
