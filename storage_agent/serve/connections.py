"""Connections that cannot be used against the agent: below HTTP, before any request is looked at.

A stranger may open connections and say nothing, begin a request and never end it, ask for bytes and never take them.
None of that may cost memory or descriptors without bound, so each connection has to make progress, and no address may
have more than its share:

* the head of a request (its line and headers) is short and comes quickly, and trailers are not kept;
* an answer is taken at no less than a least rate, or the connection is cut with what is left of it;
* the rest of a body that was refused is thrown away for a little while only, so that the refusal can be read;
* connections are counted, all of them and those of an address; those beyond are closed at once;
* answers that wait to be taken are counted in bytes; the address that holds too many of them is cut.

What many addresses do together is left to what stands in front of the agent.

The server knows none of these limits, so its protocol is derived from here. tests/integration/agent/test_connections.py
holds each of them over real sockets.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from storage_agent.observe import Metrics
from storage_agent.serve.limits import address_group

#: What stays in the transport's buffer may be so little that the server does not call it full.
_SMALL_ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How much connections may cost."""

    connections: int = 2000
    """Open at once."""
    connections_each: int = 256
    """Open at once, from one address."""
    head_bytes: int = 64 * 2**10
    """Of one request's line and headers; a request that comes in one piece may have a little more."""
    head_seconds: float = 15.0
    """In which a head must arrive."""
    refused_seconds: float = 10.0
    """How long the rest of a refused request's body is taken and thrown away."""
    taking_seconds: float = 30.0
    """In which an answer must be taken, and so many more as its bytes need at the least rate."""
    least_bytes_per_second: int = 64 * 2**10
    """The rate at which answers must be taken."""
    waiting_bytes_each: int = 128 * 2**20
    """Of answers that wait to be taken, for one address."""


class Connections:
    """The connections of one agent, counted by address."""

    def __init__(self, limits: ConnectionLimits, metrics: Metrics) -> None:
        self.limits = limits
        self._metrics = metrics
        self._open: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self.count = 0
        """Connections open now."""

    def enter(self, address: str) -> bool:
        """Count a connection; whether there is room for it."""
        if self.count >= self.limits.connections or self._open[address] >= self.limits.connections_each:
            self.cut("too many")
            return False
        self.count += 1
        self._open[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection that was counted is gone."""
        self.count -= 1
        _subtract(self._open, address, 1)

    def wait(self, address: str, size: int) -> bool:
        """Count `size` bytes that an address is slow to take; whether it may have so many."""
        self._waiting[address] += size
        return self._waiting[address] <= self.limits.waiting_bytes_each

    def taken(self, address: str, size: int) -> None:
        """Bytes that were counted do not wait any more."""
        _subtract(self._waiting, address, size)

    def cut(self, why: str) -> None:
        """Note that a connection was closed by us."""
        self._metrics.cut_connections.labels(why).inc()


def guarded_protocol(connections: Connections) -> type[asyncio.Protocol]:
    """The protocol for uvicorn's setting `http`, within the limits of `connections`."""

    class Guarded(_GuardedProtocol):
        guard = connections

    return Guarded


class _GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with limits."""

    guard: Connections

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._address = ""
        self._counted = False
        self._in_head = True
        self._head_bytes = 0
        self._waiting_bytes = 0
        self._reading_due: asyncio.TimerHandle | None = None
        self._taking_due: asyncio.TimerHandle | None = None

    # -- the connection ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it; a connection too many is closed."""
        super().connection_made(transport)
        self._address = address_group(self.client[0] if self.client else "")
        self._counted = self.guard.enter(self._address)
        if self._counted:
            self._expect_by(self.guard.limits.head_seconds, "slow head")
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._expected()
        self._taken()
        if self._counted:
            self._counted = False
            self.guard.leave(self._address)
        super().connection_lost(exc)

    # -- what comes in -----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        if self.transport.is_closing():
            return
        within = self._in_head
        super().data_received(data)
        if within and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.guard.limits.head_bytes:
                self.guard.cut("long head")
                self.send_400_response("The request's head is too long.")
                self._close_soon()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect_by(self.guard.limits.head_seconds, "slow head")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came; after the body there are none that anybody asked for."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._expected()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is there."""
        super().on_message_complete()
        if self.cycle.response_complete:
            self._expected()
            self._wait_for_next()

    # -- what goes out -----------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """The answer is on its way."""
        unread = self.cycle.more_body
        super().on_response_complete()
        if self.transport.is_closing():
            self._close_soon()
        elif unread:
            self._expect_by(self.guard.limits.refused_seconds, "unread body")

    def pause_writing(self) -> None:
        """More waits to be taken than the transport likes to keep."""
        super().pause_writing()
        self._taken()
        limits, size = self.guard.limits, self.transport.get_write_buffer_size()
        self._waiting_bytes = size
        if not self.guard.wait(self._address, size):
            self._cut("untaken answers")
            return
        seconds = limits.taking_seconds + size / limits.least_bytes_per_second
        self._taking_due = self.loop.call_later(seconds, self._cut, "slow taking")

    def resume_writing(self) -> None:
        """What waited was taken."""
        self._taken()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nobody asked anything for long."""
        super().timeout_keep_alive_handler()
        self._close_soon()

    # -- deadlines ---------------------------------------------------------------------------------------------------

    def _expect_by(self, seconds: float, otherwise: str) -> None:
        self._expected()
        self._reading_due = self.loop.call_later(seconds, self._cut, otherwise)

    def _expected(self) -> None:
        if self._reading_due is not None:
            self._reading_due.cancel()
            self._reading_due = None

    def _taken(self) -> None:
        if self._taking_due is not None:
            self._taking_due.cancel()
            self._taking_due = None
        if self._waiting_bytes:
            self.guard.taken(self._address, self._waiting_bytes)
            self._waiting_bytes = 0

    def _wait_for_next(self) -> None:
        """A refused request's body ended: from now on the connection is an idle one."""
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _close_soon(self) -> None:
        """A connection that is being closed waits for its last bytes to be taken, but not for ever."""
        if self._taking_due is None:
            self._taking_due = self.loop.call_later(_SMALL_ANSWER_SECONDS, self._cut, "slow taking")

    def _cut(self, why: str) -> None:
        self.guard.cut(why)
        self.transport.abort()


def _subtract(counter: Counter[str], address: str, size: int) -> None:
    """Count down; addresses that have nothing left are forgotten."""
    counter[address] -= size
    if counter[address] <= 0:
        del counter[address]
