"""Storage agents over HTTP: every failure is mapped to an error of ours.

`HttpAgents` owns the connections; `HttpAgents.at` gives the client of one agent. Agents are never trusted: no
redirect is followed, no answer may be longer than what was asked for, and the time for each request grows with its
bytes.

Source: docs/spec/09-agent-http.md.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType

import httpx

from walrus_chain.codec.buffers import Buffer
from walrus_chain.errors import AgentMisbehaved, AgentTimedOut, AgentUnreachable, Bug, WalrusError, WrongLength
from walrus_chain.messages.attestation import SignedAttestation
from walrus_chain.transport import wire, wire_access
from walrus_chain.transport.access import JobKeyQuestion, KeyAnswer, KeyQuestion, ReceiptPage, SignedErasableKey
from walrus_chain.transport.address import UnusableAddress, base_of
from walrus_chain.transport.agent import (
    MAX_METADATA_BYTES,
    AgentHealth,
    BlobAtAgent,
    ChunkRun,
    StoreAnswer,
)
from walrus_chain.transport.sockets import SocketTransport
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, PairIndex, printable

#: Most bytes of a JSON answer, and of a refusal.
_MAX_JSON_BYTES = 2**20
#: Bodies go out in pieces of this size, so that other requests get their turn in between.
_PIECE_BYTES = 256 * 1024
#: How long an idle connection is kept, in seconds.
_KEEP_SECONDS = 30.0
_IDENTITY = {"Accept-Encoding": "identity"}
_OCTETS = {"Content-Type": "application/octet-stream"}
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How long and how many."""

    connect_seconds: float = 5.0
    """To reach an agent at all."""
    answer_seconds: float = 30.0
    """Without a byte in either direction, once connected."""
    least_bytes_per_second: int = 128 * 1024
    """An agent that is slower than this over a whole request is given up; `answer_seconds` are granted on top."""
    connections: int = 32
    """Open at once, to one agent."""

    def total_seconds(self, sent: int, received: int) -> float:
        """The time for a whole request of so many bytes."""
        return self.connect_seconds + self.answer_seconds + (sent + received) / self.least_bytes_per_second


class HttpAgents:
    """The connections to all agents; an async context manager.

    Proxies from the environment are used, as everywhere, except for agents on this machine.
    """

    def __init__(self, limits: HttpLimits | None = None, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """
        Args:
            transport: in the place of sockets, for tests and in-process agents.
        """
        self.limits = limits or HttpLimits()
        # Requests go straight to the transport: what `httpx.AsyncClient` adds, such as cookies, redirects and decoding,
        # nobody wants here, and it costs more than all the rest.
        self.transport = transport or SocketTransport(
            connections_each=self.limits.connections,
            connect_seconds=self.limits.connect_seconds,
            silent_seconds=self.limits.answer_seconds,
            keep_seconds=_KEEP_SECONDS,
        )

    def at(self, url: str, name: str = "agent") -> HttpAgentClient:
        """The agent at `url`, called `name` in messages to people."""
        return HttpAgentClient(self, url, name)

    async def aclose(self) -> None:
        """Closes all connections."""
        await self.transport.aclose()

    async def __aenter__(self) -> HttpAgents:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class HttpAgentClient:
    """One storage agent over HTTP; see `walrus_chain.transport.agent.AgentClient` for its calls."""

    __slots__ = ("_base", "_pool", "_unusable", "label")

    def __init__(self, pool: HttpAgents, url: str, name: str) -> None:
        self._pool = pool
        self._base, self._unusable = "", ""
        try:
            self._base = base_of(url)
        except UnusableAddress as error:
            self._unusable = printable(f"its registered address is unusable: {error}")
        self.label = printable(f"{name} ({self._base or url})")

    async def put_segment(
        self,
        blob_id: BlobId,
        segment: int,
        pairs: Sequence[PairIndex],
        body: Sequence[Buffer],
        *,
        metadata: bytes | None = None,
        blob_object: BlobObjectId | None = None,
    ) -> StoreAnswer:
        """Store the sliver pairs `pairs` of a segment."""
        path = wire.segment_path(blob_id, segment, pairs, with_metadata=metadata is not None, blob_object=blob_object)
        parts = body if metadata is None else [wire.metadata_prefix(metadata), *body]
        answer = await self._request("PUT", path, parts, _OCTETS, most=_MAX_JSON_BYTES)
        return wire.parse_store_answer(self.label, blob_id, answer)

    async def put_metadata(self, blob_id: BlobId, metadata: bytes) -> None:
        """Give the agent a blob's metadata."""
        await self._request("PUT", wire.metadata_path(blob_id), [metadata], _OCTETS, most=_MAX_JSON_BYTES)

    async def attest(self, blob_id: BlobId, blob_object: BlobObjectId) -> SignedAttestation:
        """The agent's attestation of an object of a blob that it holds."""
        body = json.dumps({"blobObject": blob_object}).encode()
        answer = await self._request("POST", wire.attestations_path(blob_id), [body], _JSON, most=_MAX_JSON_BYTES)
        return wire.parse_attestation(self.label, blob_id, answer)

    async def invalidity(self, blob_id: BlobId) -> SignedAttestation:
        """The agent's attestation that a blob does not encode to its id, as it finds out by itself."""
        answer = await self._request("POST", wire.invalidity_path(blob_id), (), {}, most=_MAX_JSON_BYTES)
        return wire.parse_invalidity(self.label, blob_id, answer)

    async def blob(self, blob_id: BlobId) -> BlobAtAgent:
        """What the agent knows and holds of a blob."""
        return wire.parse_blob(self.label, blob_id, await self._get(wire.blob_path(blob_id), _MAX_JSON_BYTES))

    async def metadata(self, blob_id: BlobId) -> bytes:
        """A blob's metadata."""
        return await self._get(wire.metadata_path(blob_id), MAX_METADATA_BYTES)

    async def sliver(self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, *, length: int) -> bytes:
        """One sliver."""
        sliver = await self._get(wire.sliver_path(blob_id, segment, axis, pair), length)
        if len(sliver) != length:
            raise WrongLength(f"{axis.value} sliver {pair} from {self.label}", length, len(sliver))
        return sliver

    async def chunks(
        self, blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, *, first: int, count: int, length: int
    ) -> ChunkRun:
        """Chunks of a sliver, with the path of the run."""
        path = wire.chunks_path(blob_id, segment, axis, pair, first, count)
        return wire.parse_chunk_run(self.label, await self._get(path, wire.most_chunk_run_bytes(length)), length)

    async def symbols(
        self,
        blob_id: BlobId,
        segment: int,
        *,
        axis: Axis,
        target: PairIndex,
        pairs: Sequence[PairIndex],
        symbol_bytes: int,
    ) -> list[bytes]:
        """Recovery symbols for a lost sliver."""
        path = wire.symbols_path(blob_id, segment, axis, target, pairs)
        body = await self._get(path, len(pairs) * symbol_bytes)
        return wire.parse_symbols(self.label, body, len(pairs), symbol_bytes)

    async def release_key(self, question: KeyQuestion) -> KeyAnswer:
        """The agent's share of the key to private data, sealed to the session."""
        answer = await self._request("POST", wire_access.KEYS_PATH, [question.to_bytes()], _JSON, most=_MAX_JSON_BYTES)
        return wire_access.parse_key_answer(self.label, answer)

    async def release_job_key(self, question: JobKeyQuestion) -> KeyAnswer:
        """The agent's share of the key to an input of a job, sealed to the node that was drawn."""
        answer = await self._request("POST", wire_access.KEYS_PATH, [question.to_bytes()], _JSON, most=_MAX_JSON_BYTES)
        return wire_access.parse_key_answer(self.label, answer)

    async def job_output(self, job: int, *, most: int) -> bytes:
        """What a job's run wrote, as this agent keeps it; verify it against the result on chain.

        Args:
            most: bytes that are taken: the order's output limit, or `sealed_output_size` of it.
        """
        return await self._get(wire_access.output_path(job), most)

    async def receipts(
        self, *, blob_object: BlobObjectId | None = None, epoch: Epoch | None = None, after: int = 0
    ) -> ReceiptPage:
        """What the agent released keys for."""
        path = wire_access.receipts_path(blob_object, epoch, after)
        return wire_access.parse_receipts(self.label, await self._get(path, _MAX_JSON_BYTES))

    async def erasable_key(self, blob_object: BlobObjectId) -> SignedErasableKey:
        """The public part of a key that the agent keeps for this object alone."""
        path = wire_access.erasable_key_path(blob_object)
        answer = await self._request("POST", path, (), {}, most=_MAX_JSON_BYTES)
        return wire_access.parse_erasable_key(self.label, answer)

    async def health(self) -> AgentHealth:
        """How the agent says it is."""
        return wire.parse_health(self.label, await self._get("/v1/health", _MAX_JSON_BYTES))

    async def _get(self, path: str, most: int) -> bytes:
        return await self._request("GET", path, (), {}, most=most)

    async def _request(
        self, method: str, path: str, parts: Sequence[Buffer], headers: Mapping[str, str], *, most: int
    ) -> bytes:
        """The body of a 2xx answer, at most `most` bytes of it."""
        if self._unusable:
            raise AgentUnreachable(self.label, self._unusable)
        sent = sum(map(len, parts))
        content = b"".join(parts) if sent <= _PIECE_BYTES else _pieces(parts)
        headers = {**_IDENTITY, **headers, **({"Content-Length": str(sent)} if parts else {})}
        pool, what = self._pool, f"{method} {path.partition('?')[0]}"
        try:
            request = httpx.Request(method, self._base + path, content=content, headers=headers)
            async with asyncio.timeout(pool.limits.total_seconds(sent, most)):
                response = await pool.transport.handle_async_request(request)
                async with aclosing(response):
                    if response.is_success:
                        return await _read(self.label, response, most)
                    refusal = await _read(self.label, response, _MAX_JSON_BYTES)
        except TimeoutError:
            raise AgentTimedOut(self.label, f"{what} was not done in time") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
            raise mapped(error, self.label, what) from error
        raise wire.parse_refusal(self.label, response.status_code, refusal, response.headers.get("Retry-After"))


def mapped(error: Exception, agent: str, what: str) -> WalrusError:
    """The error of ours that an httpx error stands for."""
    words = str(error) or type(error).__name__
    match error:
        case httpx.TimeoutException():
            return AgentTimedOut(agent, f"{what}: {words}")
        case httpx.DecodingError() | httpx.TooManyRedirects():
            return AgentMisbehaved(agent, f"{what}: {words}")
        case httpx.StreamError() | httpx.LocalProtocolError() | httpx.CookieConflict():
            return Bug(f"{what} to {agent} was sent wrongly: {words}")
        case httpx.RequestError() | httpx.InvalidURL() | httpx.HTTPError():
            return AgentUnreachable(agent, words)
        case _:
            return Bug(f"{what} to {agent} failed in an unknown way: {words}")


async def _read(agent: str, response: httpx.Response, most: int) -> bytes:
    """The body of an answer; one that is longer than `most` is not read to its end."""
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > most:
        raise WrongLength(f"an answer of {agent}", most, int(announced))
    pieces, size = [], 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > most:
            raise WrongLength(f"an answer of {agent}", most, size)
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _pieces(parts: Iterable[Buffer]) -> AsyncIterator[bytes]:
    """The parts, cut for the way, not copied."""
    small: list[Buffer] = []
    held = 0
    for part in parts:
        # Slivers of a small blob are sent together rather than as many tiny writes.
        if held + len(part) <= _PIECE_BYTES:
            small.append(part)
            held += len(part)
            continue
        if small:
            yield b"".join(small)
            small, held = [], 0
        view = memoryview(part)
        for start in range(0, len(view), _PIECE_BYTES):
            # httpx types its pieces as bytes, and takes whatever a socket takes.
            yield view[start : start + _PIECE_BYTES]  # type: ignore[misc]
    if small:
        yield b"".join(small)
