"""Sockets under httpx: one kept pool for all agents, on aiohttp's compiled HTTP parser.

A store talks to every agent and a read to most of them, so what a request costs counts. httpx's own transport spends
0.6 ms of processor time on a request over ten kept connections, this one 0.1 ms (docs/adr/0013-lean-http.md). It is an
ordinary httpx transport: whatever takes one takes this, and errors are httpx's.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from urllib.request import getproxies, proxy_bypass

import httpx
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    InvalidURL,
    ServerTimeoutError,
    TCPConnector,
)
from yarl import URL

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
#: aiohttp adds these by itself; a request has the headers that httpx gave it, and no others.
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class SocketTransport(httpx.AsyncBaseTransport):
    """An httpx transport over kept connections.

    Proxies from the environment are used, as everywhere, except for this machine. Redirects are not followed, bodies
    not decoded, cookies not kept.
    """

    def __init__(
        self, *, connections_each: int, connect_seconds: float, silent_seconds: float, keep_seconds: float
    ) -> None:
        """
        Args:
            connections_each: open at once, to one agent; further requests wait.
            connect_seconds: to reach an agent.
            silent_seconds: without a byte from the agent.
            keep_seconds: how long a connection is kept that nobody uses.
        """
        self._connections_each = connections_each
        self._timeout = ClientTimeout(total=None, sock_connect=connect_seconds, sock_read=silent_seconds)
        self._keep_seconds = keep_seconds
        self._session: ClientSession | None = None
        self._proxies: dict[tuple[str, str], str | None] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request; the answer's body is still to be read.

        Raises: httpx.TransportError, httpx.InvalidURL.
        """
        url = request.url
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.UnsupportedProtocol(f"{url} is no address of a web server", request=request)
        whole = isinstance(request.stream, httpx.ByteStream)
        body = (request.content or None) if whole else request.stream
        try:
            response = await self._open().request(
                request.method,
                URL(str(url), encoded=True),
                headers=request.headers.multi_items(),
                data=body,
                proxy=self._proxy(url),
                allow_redirects=False,
            )
        except (ClientError, OSError, ValueError) as error:
            raise as_httpx(error, request) from error
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=_Body(response, request), request=request
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    limit=0, limit_per_host=self._connections_each, keepalive_timeout=self._keep_seconds
                ),
                cookie_jar=DummyCookieJar(),
                timeout=self._timeout,
                skip_auto_headers=_NOT_ADDED,
                auto_decompress=False,
            )
        return self._session

    def _proxy(self, url: httpx.URL) -> str | None:
        key = url.scheme, url.host
        if key not in self._proxies:
            self._proxies[key] = proxy_for(*key)
        return self._proxies[key]


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, response: ClientResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._response.content.iter_any():
                yield piece
        except (ClientError, OSError, ValueError) as error:
            raise as_httpx(error, self._request) from error

    async def aclose(self) -> None:
        """Lets go of the connection: it is used again if the body was read to its end, else closed."""
        self._response.release()


def proxy_for(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for a host; none for this machine."""
    if host in _THIS_MACHINE or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all")


def as_httpx(error: Exception, request: httpx.Request) -> httpx.TransportError | httpx.InvalidURL:
    """The error of httpx that one of aiohttp, or of the system, stands for."""
    kind, words = kind_in_httpx(error), _in_words(error)
    return kind(words, request=request) if issubclass(kind, httpx.TransportError) else kind(words)


def kind_in_httpx(error: Exception) -> type[httpx.TransportError] | type[httpx.InvalidURL]:
    """The class of that error."""
    match error:
        case ConnectionTimeoutError():
            return httpx.ConnectTimeout
        case ServerTimeoutError() | TimeoutError():
            return httpx.ReadTimeout
        case InvalidURL():
            return httpx.InvalidURL
        case ClientProxyConnectionError() | ClientHttpProxyError():
            return httpx.ProxyError
        case ClientConnectorError():
            return httpx.ConnectError
        case ClientPayloadError():
            return httpx.RemoteProtocolError
        case ClientError() | OSError():
            return httpx.NetworkError
        case _:
            return httpx.LocalProtocolError


def _in_words(error: Exception) -> str:
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(cause) or type(cause).__name__
