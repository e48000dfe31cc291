"""The HTTP client of agents, against a transport without sockets."""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from walrus_chain.codec.buffers import Buffer
from walrus_chain.errors import (
    AgentIncomplete,
    AgentMisbehaved,
    AgentRefused,
    AgentTimedOut,
    AgentUnreachable,
    WalrusError,
    WrongLength,
)
from walrus_chain.messages.attestation import InvalidityAttestation
from walrus_chain.transport.agent import AgentClient
from walrus_chain.transport.http import HttpAgentClient, HttpAgents, HttpLimits, mapped
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, PairIndex

BLOB = BlobId(bytes(range(32)))
SIGNER = "0x00000000000000000000000000000000000000A1"
ATTESTATION = {"blobObject": 17, "epoch": 1, "deletable": True, "signer": SIGNER, "signature": "0x" + "11" * 65}
Handler = Callable[[httpx.Request], httpx.Response]


def agent(handler: Handler, limits: HttpLimits | None = None) -> HttpAgentClient:
    return HttpAgents(limits, transport=httpx.MockTransport(handler)).at("http://node.example:8000/", "node-1")


def answering(status: int, body: object, headers: dict[str, str] | None = None) -> Handler:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(content), headers=headers)


async def test_put_segment__sends_metadata_then_slivers_and_reads_the_attestation() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answering(200, {"stored": [0, 7], "attestation": ATTESTATION, "missing": []})(request)

    body: list[Buffer] = [b"p0", memoryview(b"s0"), b"p7", b"s7" * 300_000]
    answer = await agent(handle).put_segment(
        BLOB, 3, [PairIndex(0), PairIndex(7)], body, metadata=b"meta", blob_object=BlobObjectId(17)
    )
    [request] = seen
    assert str(request.url) == f"http://node.example:8000/v1/blobs/{BLOB}/segments/3?pairs=0,7&metadata=1&object=17"
    assert request.method == "PUT"
    assert request.content == b"\0\0\0\x04meta" + b"".join(body)
    assert request.headers["Content-Length"] == str(len(request.content))
    assert answer.stored == (0, 7)
    assert answer.attestation is not None
    assert answer.attestation.signer == SIGNER
    assert answer.attestation.signature == b"\x11" * 65


async def test_put_segment__something_missing__says_what() -> None:
    answer = await agent(answering(200, {"stored": [1], "attestation": None, "missing": [[0, 4], [2, 5]]})).put_segment(
        BLOB, 0, [PairIndex(1)], [b"x"]
    )
    assert answer.attestation is None
    assert answer.missing == ((0, 4), (2, 5))


async def test_attest__incomplete__carries_what_is_missing() -> None:
    error = {"code": "Incomplete", "message": "2 pairs are missing", "retryable": False, "missing": [[0, 4], [2, 5]]}
    with pytest.raises(AgentIncomplete) as failure:
        await agent(answering(409, {"error": error})).attest(BLOB, BlobObjectId(17))
    assert failure.value.missing == ((0, 4), (2, 5))


async def test_sliver__exact_length__is_handed_out() -> None:
    sliver = await agent(answering(200, b"abc")).sliver(BLOB, 0, Axis.SECONDARY, PairIndex(9), length=3)
    assert sliver == b"abc"


@pytest.mark.parametrize("body", [b"ab", b"abcd", b"x" * 100_000])
async def test_sliver__other_length__is_untrusted(body: bytes) -> None:
    with pytest.raises(WrongLength):
        await agent(answering(200, body)).sliver(BLOB, 0, Axis.PRIMARY, PairIndex(0), length=3)


async def test_sliver__endless_answer__is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1000

    with pytest.raises(WrongLength):
        await agent(lambda _: httpx.Response(200, content=endless())).sliver(
            BLOB, 0, Axis.PRIMARY, PairIndex(0), length=5000
        )
    assert sent == 6


async def test_chunks__path_and_bytes_come_apart() -> None:
    body = b"\0\x02" + b"a" * 32 + b"b" * 32 + b"chunk"
    run = await agent(answering(200, body)).chunks(BLOB, 0, Axis.PRIMARY, PairIndex(0), first=0, count=1, length=5)
    assert run.path == (b"a" * 32, b"b" * 32)
    assert run.data == b"chunk"


@pytest.mark.parametrize("body", [b"", b"\0", b"\0\x02" + b"a" * 32 + b"chunk", b"\0\0chun", b"\xff\xffchunk"])
async def test_chunks__malformed__is_untrusted(body: bytes) -> None:
    with pytest.raises((AgentMisbehaved, WrongLength)):
        await agent(answering(200, body)).chunks(BLOB, 0, Axis.PRIMARY, PairIndex(0), first=0, count=1, length=5)


async def test_symbols__come_one_for_each_pair() -> None:
    symbols = await agent(answering(200, b"aaaaaaaabbbbbbbb")).symbols(
        BLOB, 0, axis=Axis.PRIMARY, target=PairIndex(5), pairs=[PairIndex(1), PairIndex(2)], symbol_bytes=8
    )
    assert symbols == [b"a" * 8, b"b" * 8]


async def test_blob__is_read_field_by_field() -> None:
    answer = {
        "blobId": str(BLOB),
        "known": True,
        "size": 5,
        "segments": 1,
        "pairs": [1, 2],
        "missing": 0,
        "objects": [{"blobObject": 3, "end": 9, "certified": True, "deletable": False}],
    }
    blob = await agent(answering(200, answer)).blob(BLOB)
    assert blob.pairs == (1, 2)
    assert blob.objects[0].end == 9


HEALTH = {
    "status": "ok",
    "node": 3,
    "name": "node-3",
    "version": "0.1.0",
    "chain": {"id": 31337, "block": 12, "lagSeconds": 0.5},
    "disk": {"free": None, "used": 10},
}


async def test_health__is_read_field_by_field() -> None:
    health = await agent(answering(200, HEALTH)).health()
    assert (health.status, health.node_id, health.lag_seconds, health.disk_free) == ("ok", 3, 0.5, None)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"[" * 100_000,
        {**HEALTH, "status": "great"},
        {**HEALTH, "node": -1},
        {**HEALTH, "node": True},
        {**HEALTH, "chain": None},
        {**HEALTH, "name": 7},
    ],
    ids=["html", "list", "deep", "status", "negative", "boolean", "chain", "name"],
)
async def test_health__nonsense__is_untrusted_and_named(body: object) -> None:
    with pytest.raises(AgentMisbehaved, match=r"node-1 \(http://node.example:8000\)"):
        await agent(answering(200, body)).health()


@pytest.mark.parametrize(
    "change",
    [
        {"signature": "0x11"},
        {"signature": "zz" * 65},
        {"signer": "0x12"},
        {"blobObject": "17"},
        {"deletable": 1},
        {"epoch": None},
    ],
)
async def test_attest__malformed__is_untrusted(change: dict[str, object]) -> None:
    with pytest.raises(AgentMisbehaved):
        await agent(answering(200, {**ATTESTATION, **change})).attest(BLOB, BlobObjectId(17))


async def test_invalidity__asks_by_post_and_reads_the_attestation() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = {name: ATTESTATION[name] for name in ("epoch", "signer", "signature")}
        return answering(200, answer)(request)

    signed = await agent(handle).invalidity(BLOB)

    [request] = seen
    assert (request.method, request.url.path) == ("POST", f"/v1/blobs/{BLOB}/invalidity")
    assert request.headers["Content-Length"] == "0"
    assert signed.attestation == InvalidityAttestation(BLOB, Epoch(1))
    assert (signed.signer, signed.signature) == (SIGNER, b"\x11" * 65)


@pytest.mark.parametrize("change", [{"signature": "0x11"}, {"signer": "0x12"}, {"epoch": -1}, {"epoch": None}])
async def test_invalidity__malformed__is_untrusted(change: dict[str, object]) -> None:
    with pytest.raises(AgentMisbehaved):
        await agent(answering(200, {**ATTESTATION, **change})).invalidity(BLOB)


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "retryable", "after"),
    [
        (
            425,
            {"error": {"code": "NotRegisteredYet", "message": "m", "retryable": True}},
            {},
            "NotRegisteredYet",
            True,
            None,
        ),
        (503, {"error": {"code": "Busy", "message": "m", "retryable": True}}, {"Retry-After": "7"}, "Busy", True, 7.0),
        (
            503,
            {"error": {"code": "Busy", "message": "m", "retryable": True}},
            {"Retry-After": "soon"},
            "Busy",
            True,
            None,
        ),
        (404, {"error": {"code": "NotStored", "message": "m", "retryable": False}}, {}, "NotStored", False, None),
        (502, b"<html>bad gateway</html>", {}, "HTTP502", True, None),
        (404, b"nothing", {}, "HTTP404", False, None),
        (302, b"", {"Location": "http://elsewhere.example"}, "HTTP302", False, None),
    ],
)
async def test_refusal__is_an_error_with_the_agents_words(
    status: int, body: object, headers: dict[str, str], code: str, retryable: bool, after: float | None
) -> None:
    with pytest.raises(AgentRefused) as failure:
        await agent(answering(status, body, headers)).metadata(BLOB)
    error = failure.value
    assert (error.status, error.code, error.retryable, error.retry_after) == (status, code, retryable, after)
    assert "node-1" in str(error)


async def test_no_answer__within_the_time_for_so_many_bytes__has_timed_out() -> None:
    limits = HttpLimits(connect_seconds=0, answer_seconds=0.01, least_bytes_per_second=10**9)

    async def never() -> AsyncIterator[bytes]:
        import asyncio

        await asyncio.Event().wait()
        yield b""

    with pytest.raises(AgentTimedOut):
        await agent(lambda _: httpx.Response(200, content=never()), limits).health()


@pytest.mark.parametrize("url", ["", "ftp://node", "http://", "http://[::1", "http://no de"])
async def test_node_with_an_impossible_url__is_unreachable(url: str) -> None:
    async with HttpAgents() as agents:
        with pytest.raises(AgentUnreachable):
            await agents.at(url, "node-1").health()


def httpx_errors() -> Iterator[type[Exception]]:
    """Every error class that httpx has."""
    for _, value in inspect.getmembers(httpx, inspect.isclass):
        if issubclass(value, Exception):
            yield value


@pytest.mark.parametrize("kind", list(httpx_errors()))
async def test_every_httpx_error__becomes_one_of_ours(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    Exception.__init__(error, "what httpx says")
    assert isinstance(mapped(error, "node-1", "GET /"), WalrusError)
    assert "unknown way" not in str(mapped(error, "node-1", "GET /"))

    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(WalrusError):
        await agent(fail).health()


def test_http_client__has_all_calls_of_the_protocol() -> None:
    client: AgentClient = agent(answering(200, {}))
    assert client.label == "node-1 (http://node.example:8000)"
