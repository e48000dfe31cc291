"""The sockets under httpx: what goes out and comes in, and that every failure is one of httpx's."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import aiohttp
import httpx
import pytest

from walrus_chain.transport.sockets import SocketTransport, kind_in_httpx, proxy_for

Answer = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads the head of each request and lets `answer` do the rest; its URL, and the heads so far."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                await answer(heads[-1], reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", heads


@asynccontextmanager
async def transport(silent_seconds: float = 5.0) -> AsyncIterator[SocketTransport]:
    lean = SocketTransport(connections_each=2, connect_seconds=5.0, silent_seconds=silent_seconds, keep_seconds=5.0)
    try:
        yield lean
    finally:
        await lean.aclose()


async def read(lean: SocketTransport, request: httpx.Request) -> tuple[httpx.Response, bytes]:
    response = await lean.handle_async_request(request)
    return response, b"".join([piece async for piece in response.aiter_raw()])


async def echo(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the body, under the headers that httpx would follow, decode or keep."""
    lines = [line.lower() for line in head.split(b"\r\n")]
    length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
    body = await reader.readexactly(length)
    writer.write(
        b"HTTP/1.1 307 Elsewhere\r\nLocation: /else\r\nSet-Cookie: a=b\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body
    )
    await writer.drain()


async def test_request__goes_out_as_it_is__answer_comes_in_as_it_is() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * 300_000
        yield b"b" * 300_000

    async with server(echo) as (url, heads), transport() as lean:
        headers = {"Content-Length": "600000", "X-Mine": "1"}
        response, body = await read(lean, httpx.Request("PUT", url + "/p?pairs=0,7", content=pieces(), headers=headers))
        again, nothing = await read(lean, httpx.Request("GET", url + "/q"))
    assert body == b"a" * 300_000 + b"b" * 300_000
    assert (response.status_code, response.headers["Location"]) == (307, "/else")
    assert (again.status_code, nothing) == (307, b"")
    assert heads[0].startswith(b"PUT /p?pairs=0,7 HTTP/1.1\r\n")
    assert b"Cookie" not in heads[1]
    names = {line.split(b":")[0].lower() for line in heads[0].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"content-length", b"x-mine"}


async def test_connections__are_kept() -> None:
    ports: set[int] = set()

    async def remember(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.add(writer.get_extra_info("peername")[1])
        await echo(head, reader, writer)

    async with server(remember) as (url, _), transport() as lean:
        for _ in range(3):
            await read(lean, httpx.Request("GET", url))
    assert len(ports) == 1


async def test_nobody_listens__is_a_connect_error_in_the_systems_words() -> None:
    async with server(echo) as (url, _):
        pass
    async with transport() as lean:
        with pytest.raises(httpx.ConnectError, match="refused"):
            await lean.handle_async_request(httpx.Request("GET", url))


async def test_answer_breaks_off__is_a_protocol_error() -> None:
    async def half(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    async with server(half) as (url, _), transport() as lean:
        with pytest.raises(httpx.TransportError):
            await read(lean, httpx.Request("GET", url))


async def test_silence__is_a_read_timeout() -> None:
    async def nothing(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(nothing) as (url, _), transport(silent_seconds=0.05) as lean:
        with pytest.raises(httpx.ReadTimeout):
            await read(lean, httpx.Request("GET", url))


async def test_other_things_than_http__are_a_transport_error() -> None:
    async def noise(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()

    async with server(noise) as (url, _), transport() as lean:
        with pytest.raises(httpx.TransportError):
            await read(lean, httpx.Request("GET", url))


def aiohttp_errors() -> Iterator[type[Exception]]:
    """Every error class of aiohttp that a client can meet."""
    for _, value in inspect.getmembers(aiohttp, inspect.isclass):
        if issubclass(value, aiohttp.ClientError | OSError):
            yield value


@pytest.mark.parametrize("kind", list(aiohttp_errors()))
def test_every_aiohttp_error__becomes_one_of_httpx(kind: type[Exception]) -> None:
    became = kind_in_httpx(kind.__new__(kind))
    assert issubclass(became, httpx.TransportError | httpx.InvalidURL)
    assert became is not httpx.LocalProtocolError


def test_proxies_of_the_environment__are_used_except_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for("http", "node.example") == "http://proxy:3128"
    assert proxy_for("http", "inside.example") is None
    assert proxy_for("http", "127.0.0.1") is None
