"""One chain behind several RPC endpoints: fail-over, errors that name the endpoint, and a check that it is that chain.

Requests go out over one kept connection pool and answers are read as the JSON that the endpoint gave: this is the hot
path, and web3.py's own HTTP provider opens a connection for each call (docs/adr/0007-chain-access.md).
`ChainProvider.web3` gives all of web3.py, over the same endpoints and with the same fail-over, to those who want it.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
    TCPConnector,
)

from walrus_chain.chain.reverts import decode_revert
from walrus_chain.errors import (
    BlockUnknown,
    NoEndpoint,
    Rejected,
    RpcRefused,
    RpcUnavailable,
    UnexpectedAnswer,
    WrongChain,
)

if TYPE_CHECKING:
    from web3 import AsyncWeb3

DEFAULT_TIMEOUT: Final = 15.0
"""Seconds that an endpoint has for an answer."""

_CONNECTIONS: Final = 32
_KEEPALIVE_SECONDS: Final = 30.0

Call = tuple[str, Sequence[Any]]
"""A JSON-RPC method and its parameters."""

# What an endpoint answers when another one may do better: over its limit, or behind the chain.
_TRY_ANOTHER_CODES: Final = frozenset({-32005, -32001, -32002})
_TRY_ANOTHER_WORDS: Final = ("header not found", "too many requests", "rate limit")
_EXECUTION_REVERTED: Final = 3
# What endpoints answer to a call at a block of a fork that they left (EIP-1898, requireCanonical).
_OTHER_FORK: Final = "canonical"


class _EndpointFailed(Exception):
    """An endpoint gave no usable answer; another one is asked."""


class _EndpointLags(Exception):
    """An endpoint does not have the block, or not in its chain; another one is asked."""


class _Endpoint:
    """One RPC URL. Its text form leaves out path, query and user, which may hold an access key."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoEndpoint(f"{parts.scheme or 'it'}://... is no HTTP URL of an RPC endpoint")
        self._name = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._url = url
        self._timeout = ClientTimeout(total=timeout)
        self._session: ClientSession | None = None
        self._ids = itertools.count(1)
        self.chain_id: int | None = None

    def __str__(self) -> str:
        return self._name

    async def aclose(self) -> None:
        """Closes the connections; the next question opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, calls: Sequence[Call], *, nulls: bool = True) -> list[Any]:
        """The results of `calls`, sent together, in order.

        Args:
            nulls: whether null is an answer; otherwise it says that the endpoint lags.
        Raises:
            _EndpointFailed: no usable answer.
            _EndpointLags: it does not know the block that is asked about.
        """
        results = []
        for call, answer in zip(calls, await self.answers(calls), strict=True):
            result = self._result(call[0], answer)
            if result is None and not nulls:
                raise _EndpointLags
            results.append(result)
        return results

    async def answers(self, calls: Sequence[Call]) -> list[Mapping[str, Any]]:
        """The JSON-RPC answers to `calls`, errors included, in order.

        Raises: _EndpointFailed: no usable answer.
        """
        requests = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": parameters}
            for method, parameters in calls
        ]
        try:
            answer = json.loads(await self._post(json.dumps(requests[0] if len(requests) == 1 else requests).encode()))
        except TimeoutError as error:
            raise _EndpointFailed("no answer in time") from error
        except (ClientError, OSError) as error:
            raise _EndpointFailed(_in_words(error)) from error
        except ValueError as error:
            raise _EndpointFailed("the answer is not JSON") from error
        if len(requests) == 1:
            answer = [answer]
        elif isinstance(answer, dict):
            raise _EndpointFailed(f"it takes no batches ({_error_text(answer)})")
        try:
            by_id = {one["id"]: one for one in answer}
            return [by_id[request["id"]] for request in requests]
        except (KeyError, TypeError) as error:
            raise _EndpointFailed("the answer is not JSON-RPC") from error

    async def _post(self, body: bytes) -> bytes:
        if self._session is None or self._session.closed:
            self._session = ClientSession(
                connector=TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEPALIVE_SECONDS),
                headers={"Content-Type": "application/json"},
                raise_for_status=True,
                timeout=self._timeout,
            )
        try:
            return await self._exchange(self._session, body)
        except (ServerDisconnectedError, ConnectionResetError, BrokenPipeError):
            # The endpoint closed a connection that was kept: once more on a new one.
            return await self._exchange(self._session, body)

    async def _exchange(self, session: ClientSession, body: bytes) -> bytes:
        async with session.post(self._url, data=body) as response:
            return await response.read()

    def _result(self, method: str, answer: Mapping[str, Any]) -> Any:
        if "error" not in answer:
            if "result" not in answer:
                raise _EndpointFailed("the answer is not JSON-RPC")
            return answer["result"]
        error = answer["error"]
        code, message = int(error.get("code", 0)), str(error.get("message", "no reason given"))
        if (data := _revert_data(code, message, error.get("data"))) is not None:
            raise decode_revert(data)
        if _OTHER_FORK in message.lower():
            raise _EndpointLags
        if code in _TRY_ANOTHER_CODES or any(words in message.lower() for words in _TRY_ANOTHER_WORDS):
            raise _EndpointFailed(message)
        raise RpcRefused(str(self), method, code, message)


class _Failures:
    """Why each endpoint gave no answer to one question."""

    def __init__(self, method: str, endpoints: int) -> None:
        self._method = method
        self._endpoints = endpoints
        self._reasons: dict[str, str] = {}
        self._strangers: list[WrongChain] = []

    def add(self, endpoint: _Endpoint, why: str) -> None:
        """An endpoint failed."""
        self._reasons[str(endpoint)] = why

    def add_stranger(self, endpoint: _Endpoint, stranger: WrongChain) -> None:
        """An endpoint serves another chain."""
        self._strangers.append(stranger)
        self.add(endpoint, f"it serves chain {stranger.actual} instead of {stranger.expected}")

    def error(self) -> RpcUnavailable | WrongChain:
        """What to tell the caller when all failed."""
        if len(self._strangers) == self._endpoints:
            return self._strangers[0]
        return RpcUnavailable(self._method, self._reasons)


class ChainProvider:
    """Asks one chain through the first of several endpoints that answers, and stays with it while it does.

    Every endpoint is asked once for its chain id before it is used.
    """

    def __init__(self, urls: Sequence[str], chain_id: int | None = None, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        """
        Args:
            urls: HTTP URLs of RPC endpoints, the preferred one first.
            chain_id: the chain they must serve; when none, the one that the first answer names.
            timeout: seconds that each endpoint has for an answer.
        Raises: NoEndpoint: no URL, or one that is no HTTP URL.
        """
        if not urls:
            raise NoEndpoint("no RPC URL was given")
        self._endpoints = [_Endpoint(url, timeout) for url in urls]
        self._preferred = 0
        self._chain_id = chain_id

    async def __aenter__(self) -> ChainProvider:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        for endpoint in self._endpoints:
            await endpoint.aclose()

    @property
    def endpoint(self) -> str:
        """The endpoint that is asked first at present, without what may be secret in its URL."""
        return str(self._endpoints[self._preferred])

    def web3(self) -> AsyncWeb3[Any]:
        """web3.py over these endpoints, with the same fail-over."""
        from walrus_chain.chain.web3_bridge import bridge

        return bridge(self)

    async def chain_id(self) -> int:
        """The chain that the endpoints serve.

        Raises: RpcUnavailable, WrongChain.
        """
        if self._chain_id is None:
            await self.request("eth_chainId")
        return cast(int, self._chain_id)

    async def request(self, method: str, *parameters: Any) -> Any:
        """The result of one JSON-RPC call, as the endpoint gave it.

        Raises:
            RpcUnavailable: no endpoint answered; each one's reason is in the error.
            RpcRefused: an endpoint answered with an error that another one would repeat.
            Rejected: a contract refused the call (decoded).
            WrongChain: no endpoint that answers serves the chain.
        """
        return (await self.batch([(method, parameters)]))[0]

    async def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The results of several calls, all answered by the same endpoint, in one request.

        Raises: as `request`.
        """
        return await self._ask(calls)

    async def known(self, block: object, calls: Sequence[Call]) -> list[Any]:
        """As `batch`, but from an endpoint that answers none of the calls with null: one that knows `block`.

        Put first what a lagging endpoint answers with null, if it answers the others with an error.

        Raises: BlockUnknown: every endpoint that answers lags behind; and as `request`.
        """
        return await self._ask(calls, known=block)

    async def answer(self, method: str, parameters: Sequence[Any]) -> Mapping[str, Any]:
        """The whole JSON-RPC answer to one call, an error in it left as it is. For web3.py, which reads it itself.

        Raises: RpcUnavailable, WrongChain.
        """
        failures = _Failures(method, len(self._endpoints))
        async for endpoint in self._usable(failures):
            try:
                answer = (await endpoint.answers([(method, parameters)]))[0]
            except _EndpointFailed as failure:
                failures.add(endpoint, str(failure))
                continue
            self._prefer(endpoint)
            return answer
        raise failures.error()

    async def _ask(self, calls: Sequence[Call], known: object = None) -> list[Any]:
        failures = _Failures(calls[0][0], len(self._endpoints))
        lagging = False
        async for endpoint in self._usable(failures):
            try:
                results = await endpoint.ask(calls, nulls=known is None)
            except _EndpointFailed as failure:
                failures.add(endpoint, str(failure))
                continue
            except _EndpointLags:
                lagging = True
                continue
            except (Rejected, RpcRefused):
                self._prefer(endpoint)
                raise
            self._prefer(endpoint)
            return results
        raise BlockUnknown(known) if lagging else failures.error()

    async def _usable(self, failures: _Failures) -> AsyncIterator[_Endpoint]:
        """The endpoints that serve the chain, beginning with the preferred one; the others go into `failures`."""
        for endpoint in (*self._endpoints[self._preferred :], *self._endpoints[: self._preferred]):
            try:
                await self._check_chain(endpoint)
            except _EndpointFailed as failure:
                failures.add(endpoint, str(failure))
            except WrongChain as stranger:
                failures.add_stranger(endpoint, stranger)
            else:
                yield endpoint

    def _prefer(self, endpoint: _Endpoint) -> None:
        self._preferred = self._endpoints.index(endpoint)

    async def _check_chain(self, endpoint: _Endpoint) -> None:
        if endpoint.chain_id is None:
            answer = (await endpoint.ask([("eth_chainId", ())]))[0]
            try:
                endpoint.chain_id = int(answer, 16)
            except (TypeError, ValueError):
                raise UnexpectedAnswer(str(endpoint), "eth_chainId", f"{answer!r} is no number") from None
        if self._chain_id is None:
            self._chain_id = endpoint.chain_id
        if endpoint.chain_id != self._chain_id:
            raise WrongChain(str(endpoint), self._chain_id, endpoint.chain_id)


def _revert_data(code: int, message: str, data: object) -> bytes | None:
    """The revert data in a JSON-RPC error; none when no contract reverted. Endpoints place it in different ways."""
    if isinstance(data, dict):
        data = data.get("data", data.get("result"))
    if isinstance(data, str):
        text = data.removeprefix("Reverted ")
        if text.startswith("0x"):
            try:
                return bytes.fromhex(text[2:])
            except ValueError:
                pass
    if code == _EXECUTION_REVERTED or "execution reverted" in message.lower():
        return b""
    return None


def _error_text(answer: Mapping[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("message", error)) if isinstance(error, dict) else "no reason given"


def _in_words(error: Exception) -> str:
    status = getattr(error, "status", None)
    if status is not None:
        return f"HTTP status {status}"
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(cause) or type(cause).__name__
