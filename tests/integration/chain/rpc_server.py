"""An RPC endpoint that can go wrong: stands between the library and a real one, and breaks in the ways they do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


class RpcServer:
    """Hands requests on to `upstream`, unless one of the faults below is set."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.url = ""
        self.asked: list[str] = []
        """The methods asked for so far."""
        self._asked_more = asyncio.Condition()
        self.status = 200
        """Answers with this HTTP status; 200 answers properly."""
        self.body: bytes | None = None
        """Answers with these bytes."""
        self.stalls = False
        """Takes requests and never answers."""
        self.drops = 0
        """So many requests from now on end with the connection closed."""
        self.loses: str | None = None
        """Hands requests of this method on, and closes the connection instead of answering."""
        self.newest: int | None = None
        """Knows no block after this one."""
        self.rewrite: Answer | None = None
        """Answers a single call itself, where it returns something."""

    async def will_be_asked(self, method: str, times: int) -> None:
        """Waits until a method was asked for so many times more."""
        enough = self.asked.count(method) + times
        async with self._asked_more:
            await self._asked_more.wait_for(lambda: self.asked.count(method) >= enough)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one HTTP request."""
        body = await request.read()
        calls = json.loads(body)
        batch = calls if isinstance(calls, list) else [calls]
        async with self._asked_more:
            self.asked += [call["method"] for call in batch]
            self._asked_more.notify_all()
        if self.stalls:
            await asyncio.Event().wait()
        if self.loses in [call["method"] for call in batch]:
            await self._forward(body)
            return self._hang_up(request)
        if self.drops > 0:
            self.drops -= 1
            return self._hang_up(request)
        if self.status != 200:
            return web.Response(status=self.status)
        if self.body is not None:
            return web.Response(body=self.body)
        answers = [self._own(call) or json.loads(await self._forward(json.dumps(call).encode())) for call in batch]
        return web.json_response(answers if isinstance(calls, list) else answers[0])

    @staticmethod
    def _hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    def _own(self, call: dict[str, Any]) -> dict[str, Any] | None:
        if self.rewrite is not None and (answer := self.rewrite(call)) is not None:
            return {"jsonrpc": "2.0", "id": call["id"], **answer}
        if self.newest is None:
            return None
        if call["method"] == "eth_blockNumber":
            return {"jsonrpc": "2.0", "id": call["id"], "result": hex(self.newest)}
        if call["method"] == "eth_getBlockByNumber" and call["params"][0] != "latest":
            late = int(call["params"][0], 16) > self.newest
            return {"jsonrpc": "2.0", "id": call["id"], "result": None} if late else None
        if call["method"] == "eth_getLogs" and int(call["params"][0]["toBlock"], 16) > self.newest:
            # What real endpoints do: answer with the logs they have, as if there were no more.
            return {"jsonrpc": "2.0", "id": call["id"], "result": []}
        return None

    async def _forward(self, body: bytes) -> bytes:
        async with (
            ClientSession(headers={"Content-Type": "application/json"}) as session,
            session.post(self._upstream, data=body) as response,
        ):
            return await response.read()


@asynccontextmanager
async def rpc_server(upstream: str) -> AsyncIterator[RpcServer]:
    """An endpoint in front of `upstream`, on a free port."""
    server = RpcServer(upstream)
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}/secret-key?token=secret-token"
    try:
        yield server
    finally:
        await runner.cleanup()
