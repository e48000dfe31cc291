"""Reading a request's body: never more than was agreed on, never longer than the time-out, copied once."""

from __future__ import annotations

import asyncio
import json

from starlette.requests import ClientDisconnect, Request

from storage_agent.node.refusals import BodyTooLarge, BodyTooSlow, MalformedRequest

#: A body that is slower than this is given up; `GRACE_SECONDS` are granted on top.
LEAST_BYTES_PER_SECOND = 32 * 2**10
GRACE_SECONDS = 10.0


def seconds_for(size: int, most: float) -> float:
    """The time that a body of `size` bytes may take, `most` at most: a short one does not hold its place for long."""
    return min(most, GRACE_SECONDS + size / LEAST_BYTES_PER_SECOND)


def check_within(expected: int, limit: int) -> None:
    """Accept a body's length before a byte of it is read.

    Raises: BodyTooLarge: more than the `limit` this node takes in one request.
    """
    if expected > limit:
        raise BodyTooLarge(limit, expected)


async def read_exactly(request: Request, expected: int, seconds: float) -> bytes | bytearray:
    """The body, exactly `expected` bytes.

    Args:
        seconds: for all of it.
    Raises:
        MalformedRequest: longer or shorter, or the client hung up half-way.
        BodyTooSlow: it did not arrive in time.
    """
    body: bytes | bytearray = b""
    received = 0
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                if received + len(piece) > expected:
                    raise MalformedRequest("body", f"more than the {expected} bytes that are expected")
                if not received and len(piece) == expected:
                    body = piece
                elif piece:
                    if not received:
                        body = bytearray(expected)
                    memoryview(body)[received : received + len(piece)] = piece
                received += len(piece)
    except TimeoutError:
        raise BodyTooSlow(seconds, received, expected) from None
    except ClientDisconnect:
        raise MalformedRequest("body", f"the client hung up after {received} of {expected} bytes") from None
    if received != expected:
        raise MalformedRequest("body", f"{received} bytes, {expected} are expected")
    return body


async def read_small_json(request: Request, limit: int, seconds: float) -> object:
    """The document in a body of at most `limit` bytes.

    Raises:
        BodyTooLarge: more bytes.
        BodyTooSlow: it did not arrive in time.
        MalformedRequest: not JSON, or the client hung up half-way.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                body += piece
                if len(body) > limit:
                    raise BodyTooLarge(limit, None)
    except TimeoutError:
        raise BodyTooSlow(seconds, len(body), limit) from None
    except ClientDisconnect:
        raise MalformedRequest("body", "the client hung up half-way") from None
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("body", "it is not JSON") from None
    return document
