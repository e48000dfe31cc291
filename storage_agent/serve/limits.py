"""How much the agent takes on at once: requests, bytes in memory, requests per client.

`Gate` and `ByteBudget` wait; `RateLimiter` is pure: the clock comes in as an argument.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request

from storage_agent.node.refusals import TooBusy, TooManyRequests


@lru_cache(maxsize=4096)
def address_group(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 one, which one customer has whole."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 6:
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


def requester(request: Request) -> str:
    """Whose share of the limits a request counts against."""
    return address_group(request.client.host if request.client else "")


class Gate:
    """Lets `limit` requests work at once and `queue` more wait; the next are turned away.

    One address takes at most half of the places, at work and waiting, so nobody keeps all others out by being slow.

    Raises (on entering): TooBusy: the places are taken, or those that one address may take.
    """

    def __init__(self, limit: int, queue: int) -> None:
        self._limit = limit
        self._queue = queue
        self._limit_each = _half(limit)
        self._queue_each = _half(queue)
        self._working: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()
        self._line: list[tuple[str, asyncio.Future[None]]] = []
        self.working = 0
        """Requests inside."""

    @property
    def waiting(self) -> int:
        """Requests that wait to come in."""
        return len(self._line)

    @asynccontextmanager
    async def enter(self, address: str = "") -> AsyncIterator[None]:
        """Inside, one place is taken by `address`."""
        if self._has_place(address):
            self._take_place(address)
        else:
            await self._wait(address)
        try:
            yield
        finally:
            self._leave(address)

    def _has_place(self, address: str) -> bool:
        return self.working < self._limit and self._working[address] < self._limit_each

    def _take_place(self, address: str) -> None:
        self.working += 1
        self._working[address] += 1

    def _leave(self, address: str) -> None:
        self.working -= 1
        _count_down(self._working, address)
        self._admit()

    async def _wait(self, address: str) -> None:
        if len(self._line) >= self._queue:
            raise TooBusy(f"{self._limit} requests, and {self._queue} waiting,")
        if self._waiting[address] >= self._queue_each:
            raise TooBusy(f"{self._working[address]} requests of this address, and {self._queue_each} waiting,")
        entry = (address, asyncio.get_running_loop().create_future())
        self._line.append(entry)
        self._waiting[address] += 1
        try:
            await entry[1]
        except asyncio.CancelledError:
            if entry in self._line:
                self._line.remove(entry)
                _count_down(self._waiting, address)
            else:
                self._leave(address)
            raise

    def _admit(self) -> None:
        """Lets in who waits longest, of those whose address has a place left."""
        for entry in list(self._line):
            if self.working >= self._limit:
                break
            address, admitted = entry
            if self._has_place(address):
                self._line.remove(entry)
                _count_down(self._waiting, address)
                self._take_place(address)
                admitted.set_result(None)


def _half(places: int) -> int:
    return max(1, places // 2)


def _count_down(counter: Counter[str], address: str) -> None:
    """One less; addresses that have nothing left are forgotten."""
    counter[address] -= 1
    if counter[address] <= 0:
        del counter[address]


class ByteBudget:
    """Memory for request bodies, handed out first come, first served.

    One address has at most half of it, so that nobody keeps all others out by sending slowly; who waits for their own
    half holds nobody up. A body larger than what it may have is let in when it is the only one, so that nothing waits
    for ever.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._each = _half(total)
        self._waiting: deque[_Wanted] = deque()
        self._used: Counter[str] = Counter()
        self.used = 0
        """Bytes handed out."""

    @asynccontextmanager
    async def reserve(self, size: int, seconds: float, address: str = "") -> AsyncIterator[None]:
        """Inside, `size` bytes are reserved.

        Raises: TooBusy: they were not free within `seconds` seconds.
        """
        wanted = _Wanted(address, min(size, self._total), asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        self._admit()
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(wanted.admitted)
            yield
        except TimeoutError:
            if wanted.admitted.done():
                raise
            raise TooBusy("as many uploads as fit its memory") from None
        finally:
            if wanted.admitted.done():
                self._used[address] -= wanted.size
                self.used -= wanted.size
                if not self._used[address]:
                    del self._used[address]
            else:
                self._waiting.remove(wanted)
            self._admit()

    def _admit(self) -> None:
        for wanted in list(self._waiting):
            if self.used + wanted.size > self._total:
                break
            own = self._used[wanted.address]
            if own and own + wanted.size > self._each:
                continue
            self._waiting.remove(wanted)
            self.used += wanted.size
            self._used[wanted.address] += wanted.size
            wanted.admitted.set_result(None)


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """Memory that a request waits for."""

    address: str
    size: int
    admitted: asyncio.Future[None]


class RateLimiter:
    """A token bucket for each client: `rate` requests a second on average, `burst` at once.

    Remembers the `clients` that asked last; one that was forgotten starts with a full bucket.
    """

    def __init__(self, rate: float, burst: int, clients: int = 10_000) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._clients = clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> None:
        """Count one request of `client` at `now` (seconds of a clock that never runs backwards).

        Raises: TooManyRequests: with the seconds to wait.
        """
        tokens, before = self._buckets.pop(client, (self._burst, now))
        tokens = min(self._burst, tokens + (now - before) * self._rate)
        if tokens < 1:
            self._buckets[client] = (tokens, now)
            raise TooManyRequests((1 - tokens) / self._rate)
        self._buckets[client] = (tokens - 1, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
