"""One chain behind several RPC endpoints: fail-over, errors that name the endpoint, and a check that it is that chain.

web3.py carries the requests; its per-request middleware is left out, because answers are read here as the JSON that
the endpoint gave. `ChainProvider.web3` gives the whole library to those who want it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientTimeout
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.types import RPCEndpoint

from walrus_chain.chain.reverts import decode_revert
from walrus_chain.errors import (
    BlockUnknown,
    NoEndpoint,
    RpcRefused,
    RpcUnavailable,
    UnexpectedAnswer,
    WrongChain,
)

DEFAULT_TIMEOUT: Final = 15.0
"""Seconds that an endpoint has for an answer."""

Call = tuple[str, Sequence[Any]]
"""A JSON-RPC method and its parameters."""

# What an endpoint answers when another one may do better: over its limit, or behind the chain.
_TRY_ANOTHER_CODES: Final = frozenset({-32005, -32001, -32002})
_TRY_ANOTHER_WORDS: Final = ("header not found", "too many requests", "rate limit")
_EXECUTION_REVERTED: Final = 3


class _EndpointFailed(Exception):
    """An endpoint gave no usable answer; another one is asked."""


class _Endpoint:
    """One RPC URL. Its text form leaves out path, query and user, which may hold an access key."""

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NoEndpoint(f"{parts.scheme or 'it'}://... is no HTTP URL of an RPC endpoint")
        self._name = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self.provider = AsyncHTTPProvider(
            url, request_kwargs={"timeout": ClientTimeout(total=timeout)}, exception_retry_configuration=None
        )
        self.chain_id: int | None = None

    def __str__(self) -> str:
        return self._name

    async def ask(self, calls: Sequence[Call]) -> list[Any]:
        """The answers to `calls`, sent together, in order.

        Raises: _EndpointFailed: no usable answer.
        """
        try:
            if len(calls) == 1:
                method, parameters = calls[0]
                answers: Any = [await self.provider.make_request(RPCEndpoint(method), parameters)]
            else:
                answers = await self.provider.make_batch_request(
                    [(RPCEndpoint(method), parameters) for method, parameters in calls]
                )
        except TimeoutError as error:
            raise _EndpointFailed("no answer in time") from error
        except (ClientError, OSError) as error:
            raise _EndpointFailed(_in_words(error)) from error
        except ValueError as error:
            raise _EndpointFailed("the answer is not JSON") from error
        if isinstance(answers, dict):
            raise _EndpointFailed(f"it takes no batches ({_error_text(answers)})")
        if len(answers) != len(calls) or not all(isinstance(answer, dict) for answer in answers):
            raise _EndpointFailed("the answer is not JSON-RPC")
        return [self._result(call[0], answer) for call, answer in zip(calls, answers, strict=True)]

    def _result(self, method: str, answer: Mapping[str, Any]) -> Any:
        if "error" not in answer:
            if "result" not in answer:
                raise _EndpointFailed("the answer is not JSON-RPC")
            return answer["result"]
        error = answer["error"]
        code, message = int(error.get("code", 0)), str(error.get("message", "no reason given"))
        if (data := _revert_data(code, message, error.get("data"))) is not None:
            raise decode_revert(data)
        if code in _TRY_ANOTHER_CODES or any(words in message.lower() for words in _TRY_ANOTHER_WORDS):
            raise _EndpointFailed(message)
        raise RpcRefused(str(self), method, code, message)


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
            await endpoint.provider.disconnect()

    @property
    def endpoint(self) -> str:
        """The endpoint that is asked first at present, without what may be secret in its URL."""
        return str(self._endpoints[self._preferred])

    def web3(self) -> AsyncWeb3[AsyncHTTPProvider]:
        """web3.py on the endpoint that is asked first at present; without fail-over."""
        return AsyncWeb3(self._endpoints[self._preferred].provider)

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

        Raises: BlockUnknown: every endpoint that answers lags behind; and as `request`.
        """
        return await self._ask(calls, known=block)

    async def _ask(self, calls: Sequence[Call], known: object = None) -> list[Any]:
        failures: dict[str, str] = {}
        strangers: list[WrongChain] = []
        lagging = False
        for place in self._places():
            endpoint = self._endpoints[place]
            try:
                await self._check_chain(endpoint)
                results = await endpoint.ask(calls)
            except _EndpointFailed as failure:
                failures[str(endpoint)] = str(failure)
                continue
            except WrongChain as stranger:
                failures[str(endpoint)] = f"it serves chain {stranger.actual} instead of {stranger.expected}"
                strangers.append(stranger)
                continue
            if known is not None and any(result is None for result in results):
                lagging = True
                failures[str(endpoint)] = f"it does not know block {known}"
                continue
            self._preferred = place
            return results
        if lagging:
            raise BlockUnknown(known)
        if len(strangers) == len(self._endpoints):
            raise strangers[0]
        raise RpcUnavailable(calls[0][0], failures)

    def _places(self) -> Iterator[int]:
        count = len(self._endpoints)
        start = self._preferred
        return ((start + step) % count for step in range(count))

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
    reason = getattr(error, "os_error", error)
    return getattr(reason, "strerror", None) or type(error).__name__
