"""How much the agent takes on at once: requests, bytes in memory, requests per client.

`Gate` and `ByteBudget` wait; `RateLimiter` is pure: the clock comes in as an argument.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage_agent.node.refusals import TooBusy, TooManyRequests


class Gate:
    """Lets `limit` requests work at once and `queue` more wait; the next are turned away.

    Raises (on entering): TooBusy: working places and waiting places are all taken.
    """

    def __init__(self, limit: int, queue: int) -> None:
        self._limit = limit
        self._queue = queue
        self._free = asyncio.Semaphore(limit)
        self.working = 0
        """Requests inside."""
        self.waiting = 0
        """Requests that wait to come in."""

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Inside, one place is taken."""
        if self._free.locked() and self.waiting >= self._queue:
            raise TooBusy(f"{self._limit} requests, and {self._queue} waiting,")
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.working += 1
        try:
            yield
        finally:
            self.working -= 1
            self._free.release()


class ByteBudget:
    """Memory for request bodies, handed out first come, first served.

    A body larger than the whole budget is let in when it is the only one, so that nothing waits for ever.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.used = 0
        """Bytes handed out."""

    @asynccontextmanager
    async def reserve(self, size: int, seconds: float) -> AsyncIterator[None]:
        """Inside, `size` bytes are reserved.

        Raises: TooBusy: they were not free within `seconds` seconds.
        """
        share = min(size, self._total)
        await self._acquire(share, seconds)
        try:
            yield
        finally:
            self.used -= share
            self._admit()

    async def _acquire(self, share: int, seconds: float) -> None:
        if not self._waiting and self.used + share <= self._total:
            self.used += share
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (share, admitted)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(admitted)
        except BaseException as error:
            if admitted.done():
                self.used -= share
            else:
                self._waiting.remove(entry)
            self._admit()
            if isinstance(error, TimeoutError):
                raise TooBusy("as many uploads as fit its memory") from None
            raise

    def _admit(self) -> None:
        while self._waiting and self.used + self._waiting[0][0] <= self._total:
            share, admitted = self._waiting.popleft()
            self.used += share
            admitted.set_result(None)


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
