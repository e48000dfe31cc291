"""Ask several peers until enough pieces are there: some may fail, some may stall, none is waited for needlessly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from storage_agent.sync.peers import Peer
from walrus_chain.errors import WalrusError
from walrus_chain.types import PairIndex

#: Asks a peer for the pieces at some places; what comes back is verified as far as it can be.
Fetch = Callable[[Peer, Sequence[PairIndex]], Awaitable[dict[PairIndex, bytes]]]
#: Told of each failure, once.
Failed = Callable[[Peer, WalrusError], None]


async def gather_pieces(
    sources: Sequence[tuple[Peer, Sequence[PairIndex]]],
    needed: int,
    fetch: Fetch,
    failed: Failed,
    patience: float,
) -> dict[PairIndex, bytes]:
    """At least `needed` pieces, or as many as the sources have to give.

    Just enough is asked for at first, in the order of `sources`. Whatever fails is asked of the next source; when
    nothing arrives for `patience` seconds, what is under way is no longer counted on, and the next sources are asked.

    Args:
        sources: a peer and the places it can give pieces for; each place is asked for at most once.
        fetch: gives pieces by place, or raises an error of ours.
    """
    pieces: dict[PairIndex, bytes] = {}
    waiting = list(reversed(sources))
    running: dict[asyncio.Task[dict[PairIndex, bytes]], Peer] = {}
    counted_on: dict[asyncio.Task[dict[PairIndex, bytes]], int] = {}
    try:
        while len(pieces) < needed:
            while waiting and (short := needed - len(pieces) - sum(counted_on.values())) > 0:
                peer, places = waiting.pop()
                asked, rest = places[:short], places[short:]
                if rest:
                    waiting.append((peer, rest))
                task = asyncio.ensure_future(fetch(peer, asked))
                running[task], counted_on[task] = peer, len(asked)
            if not running:
                break
            # Where nobody is left to ask instead, slow peers have all the time that their client gives them.
            done, _ = await asyncio.wait(
                running, timeout=patience if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                counted_on.clear()
            for task in done:
                peer = running.pop(task)
                counted_on.pop(task, None)
                try:
                    pieces.update(task.result())
                except WalrusError as error:
                    failed(peer, error)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return pieces
