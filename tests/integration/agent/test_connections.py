"""What strangers may try on a node below HTTP, over real sockets: none of it holds the node's memory or places."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from storage_agent.observe import Metrics
from storage_agent.serve.connections import ConnectionLimits, Connections
from storage_agent.serve.server import make_server

pytestmark = pytest.mark.integration

#: Nothing below waits as long as this; it ends a test whose connection is not cut.
PATIENCE_SECONDS = 20.0
LARGE_BYTES = 8 * 2**20
SHORT = 0.1


class Served:
    """A server with limits, and what became of its connections."""

    def __init__(self, port: int, connections: Connections, metrics: Metrics) -> None:
        self.port = port
        self.connections = connections
        self._metrics = metrics

    def cut(self, why: str) -> int:
        """How many connections were cut for a reason."""
        for line in self._metrics.render().decode().splitlines():
            if line.startswith(f'walrus_agent_cut_connections_total{{why="{why}"}}'):
                return int(float(line.rpartition(" ")[2]))
        return 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection whose peer takes little at a time."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=raw, limit=4096)


async def _large(_: Request) -> Response:
    return Response(bytes(LARGE_BYTES))


async def _refuse(_: Request) -> Response:
    return Response("no", 403)


Serve = Callable[[ConnectionLimits], Awaitable[Served]]


@asynccontextmanager
async def _serving(limits: ConnectionLimits) -> AsyncIterator[Served]:
    metrics = Metrics()
    connections = Connections(limits, metrics)
    app = Starlette(routes=[Route("/large", _large), Route("/refuse", _refuse, methods=["GET", "PUT"])])
    server = make_server(app, connections, stop_seconds=1)
    listening = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield Served(listening.getsockname()[1], connections, metrics)
    finally:
        server.should_exit = True
        await task
        listening.close()


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers."""
    async with AsyncExitStack() as stack:

        async def start(limits: ConnectionLimits) -> Served:
            return await stack.enter_async_context(_serving(limits))

        yield start


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What still came before the other side closed the connection."""
    received = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with suppress(ConnectionError):
            while piece := await reader.read(65536):
                received += piece
    return received


async def test_connection_that_says_nothing__cut(serve: Serve) -> None:
    served = await serve(ConnectionLimits(head_seconds=SHORT))
    reader, writer = await served.connect()

    assert await ended(reader) == b""
    assert (served.cut("slow head"), served.connections.count) == (1, 0)
    writer.close()


async def test_second_request_never_ended__cut(serve: Serve) -> None:
    served = await serve(ConnectionLimits(head_seconds=SHORT))
    reader, writer = await served.connect()
    writer.write(b"GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"no")
    writer.write(b"GET /refuse HTTP/1.1\r\n")

    assert await ended(reader) == b""
    assert served.cut("slow head") == 1
    writer.close()


@pytest.mark.parametrize("line", [b"x: %s\r\n" % (b"a" * 1000), b"y" * 1000])
async def test_head_without_end__refused_and_closed(serve: Serve, line: bytes) -> None:
    served = await serve(ConnectionLimits(head_bytes=20_000))
    reader, writer = await served.connect()
    writer.write(b"GET /refuse HTTP/1.1\r\nHost: a\r\n")

    async def flood() -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(line)
                await writer.drain()

    flooding = asyncio.create_task(flood())
    await ended(reader)

    assert served.cut("long head") == 1
    flooding.cancel()
    writer.close()


async def test_trailers_without_end__not_kept(serve: Serve) -> None:
    served = await serve(ConnectionLimits(refused_seconds=SHORT))
    reader, writer = await served.connect()
    writer.write(b"PUT /refuse HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")

    async def flood() -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(b"x: y\r\n" * 100)
                await writer.drain()

    flooding = asyncio.create_task(flood())
    await ended(reader)

    assert served.cut("unread body") == 1
    flooding.cancel()
    writer.close()


async def test_refused_body_sent_for_ever__refusal_arrives_then_cut(serve: Serve) -> None:
    served = await serve(ConnectionLimits(refused_seconds=SHORT))
    reader, writer = await served.connect()
    writer.write(b"PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\nbeginning")
    assert await reader.readuntil(b"no")

    assert await ended(reader) == b""
    assert served.cut("unread body") == 1
    writer.close()


async def test_refused_body_that_ends__connection_used_again(serve: Serve) -> None:
    served = await serve(ConnectionLimits(refused_seconds=SHORT))
    reader, writer = await served.connect()
    writer.write(b"PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nbegin")
    await reader.readuntil(b"no")
    writer.write(b"ning")
    writer.write(b"GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n")

    assert await reader.readuntil(b"no")
    assert served.cut("unread body") == 0
    writer.close()


async def test_answer_that_nobody_takes__cut(serve: Serve) -> None:
    served = await serve(ConnectionLimits(taking_seconds=SHORT, least_bytes_per_second=2**40))
    _, writer = await served.connect()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")

    async with asyncio.timeout(PATIENCE_SECONDS):
        while served.cut("slow taking") == 0 or served.connections.count:  # noqa: ASYNC110 - told by a metric only
            await asyncio.sleep(0.01)
    writer.close()


async def test_answers_that_nobody_takes__memory_of_one_address_is_bounded(serve: Serve) -> None:
    served = await serve(ConnectionLimits(waiting_bytes_each=LARGE_BYTES))
    writers = []
    for _ in range(6):
        _, writer = await served.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        writers.append(writer)

    async with asyncio.timeout(PATIENCE_SECONDS):
        # The system's own buffers take a part of each answer, so at least one fits and not all of them do.
        while not (cut := served.cut("untaken answers")) or served.connections.count + cut > 6:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert 1 <= served.connections.count < 6
    for writer in writers:
        writer.close()


async def test_answer_that_is_taken__whole(serve: Serve) -> None:
    served = await serve(ConnectionLimits())
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    received = await ended(reader)

    assert received.endswith(bytes(LARGE_BYTES))
    writer.close()


async def test_more_connections_than_an_address_may_have__closed_at_once(serve: Serve) -> None:
    served = await serve(ConnectionLimits(connections_each=2))
    kept = [await served.connect() for _ in range(2)]
    for reader, writer in kept:
        writer.write(b"GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"no")
    reader, refused = await served.connect()
    assert await ended(reader) == b""
    assert (served.cut("too many"), served.connections.count) == (1, 2)

    kept[0][1].close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while served.connections.count > 1:  # noqa: ASYNC110 - the server notices in its own time
            await asyncio.sleep(0.01)
    reader, writer = await served.connect()
    writer.write(b"GET /refuse HTTP/1.1\r\nHost: a\r\n\r\n")
    assert await reader.readuntil(b"no")
    for open_writer in (kept[1][1], writer, refused):
        open_writer.close()
