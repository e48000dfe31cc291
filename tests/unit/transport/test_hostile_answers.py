"""What an agent may say that is well-formed JSON all the same: it must not crash, mislead or hold up whoever asked."""

from __future__ import annotations

import json

import pytest

from walrus_chain.errors import AgentMisbehaved, AgentRefused
from walrus_chain.transport import wire
from walrus_chain.types import BlobId

BLOB = BlobId(bytes(32))
HEALTH = {
    "status": "ok",
    "node": 1,
    "name": "a",
    "version": "1",
    "chain": {"id": 1, "block": 2, "lagSeconds": 0.5},
    "disk": {"free": None, "used": 3},
}
ESCAPES = "\x1b[2J\x9b31m\u202egnp.exe\r\nError: all is well\x07"


@pytest.mark.parametrize(
    "change",
    [
        {"disk": {"free": None, "used": 10**4000}},
        {"disk": {"free": 10**4000, "used": 1}},
        {"node": 10**4000},
        {"chain": {"id": 1, "block": 2, "lagSeconds": 10**4000}},
        {"chain": {"id": 1, "block": 2, "lagSeconds": float("nan")}},
        {"chain": {"id": 1, "block": 2, "lagSeconds": float("inf")}},
        {"chain": {"id": 1, "block": -2, "lagSeconds": 1}},
    ],
)
def test_health_with_numbers_that_are_none__misbehaved(change: dict[str, object]) -> None:
    with pytest.raises(AgentMisbehaved):
        wire.parse_health("node", json.dumps({**HEALTH, **change}).encode())


def test_health_with_terminal_escapes__shown_not_obeyed() -> None:
    health = wire.parse_health("node", json.dumps({**HEALTH, "name": ESCAPES, "version": ESCAPES}).encode())

    assert health.name.isprintable()
    assert health.version.isprintable()


@pytest.mark.parametrize("body", [{"error": {"code": ESCAPES, "message": ESCAPES, "retryable": False}}, ESCAPES])
def test_refusal_with_terminal_escapes__shown_not_obeyed(body: object) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    refusal = wire.parse_refusal("node", 400, text.encode(), None)

    assert isinstance(refusal, AgentRefused)
    assert str(refusal).isprintable()


def test_refusal_of_a_megabyte__shortened() -> None:
    body = json.dumps({"error": {"code": "c" * 500_000, "message": "m" * 500_000, "retryable": False}})

    assert len(str(wire.parse_refusal("node", 400, body.encode(), None))) < 2000


@pytest.mark.parametrize(("field", "value"), [("pairs", 2**70), ("missing", 10**4000), ("size", 2**300)])
def test_blob_with_numbers_that_are_none__misbehaved(field: str, value: int) -> None:
    said = {"known": True, "size": 1, "segments": 1, "pairs": [0], "missing": 0, "objects": []}
    said[field] = [value] if field == "pairs" else value

    with pytest.raises(AgentMisbehaved):
        wire.parse_blob("node", BLOB, json.dumps(said).encode())


def test_places__more_than_a_network_has_pairs__misbehaved() -> None:
    body = json.dumps({"stored": [0], "attestation": None, "missing": [[0, 2**80]]})

    with pytest.raises(AgentMisbehaved):
        wire.parse_store_answer("node", BLOB, body.encode())


@pytest.mark.parametrize("header", ["9" * 5000, "-1", "١٢", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_retry_after_that_is_no_delay__ignored(header: str) -> None:
    body = json.dumps({"error": {"code": "Busy", "message": "busy", "retryable": True}}).encode()
    refusal = wire.parse_refusal("node", 503, body, header)

    assert isinstance(refusal, AgentRefused)
    assert refusal.retry_after is None
