"""Agents whose answers never end, in each place where HTTP allows it: the call ends in time and in bounded memory."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import suppress

import pytest

from walrus_chain.errors import AgentTimedOut, AgentUnreachable, WalrusError, WrongLength
from walrus_chain.transport.http import HttpAgents, HttpLimits

pytestmark = pytest.mark.integration

#: More than any of these answers may take of memory; each sends many times as much, if it is let.
MOST_BYTES = 32 * 2**20
LIMITS = HttpLimits(connect_seconds=1, answer_seconds=1, least_bytes_per_second=2**30)


@pytest.mark.parametrize(
    ("beginning", "repeated", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", AgentUnreachable),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 100, AgentUnreachable),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", AgentTimedOut),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"body", WrongLength),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"a" * 1024 + b"\r\n", WrongLength),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x" * 100, AgentTimedOut),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", b"x: y\r\n", AgentUnreachable),
    ],
    ids=["headers", "header", "interim answers", "body", "chunks", "chunk extension", "trailers"],
)
async def test_answer_without_end__call_ends_in_time_and_memory(
    beginning: bytes, repeated: bytes, expected: type[WalrusError]
) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(beginning)
            while True:
                writer.write(repeated * 1000)
                await writer.drain()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tracemalloc.start()
    try:
        async with HttpAgents(LIMITS) as agents, asyncio.timeout(20):
            with pytest.raises(expected):
                await agents.at(f"http://127.0.0.1:{port}", "node").health()
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
        server.close()
