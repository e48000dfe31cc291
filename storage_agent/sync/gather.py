"""Ask several peers until enough pieces are there: some may fail, some may stall, none is waited for needlessly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from storage_agent.sync.peers import Peer
from walrus_chain.errors import AgentTimedOut, WalrusError
from walrus_chain.types import PairIndex

T = TypeVar("T")

#: How much longer than usual is waited when nobody is left to ask instead.
LAST_RESORT = 10


async def gather_pieces(
    sources: Sequence[tuple[Peer, Sequence[PairIndex]]],
    needed: int,
    fetch: Callable[[Peer, Sequence[PairIndex]], Awaitable[dict[PairIndex, T]]],
    failed: Callable[[Peer, WalrusError], None],
    patience: float,
) -> dict[PairIndex, T]:
    """At least `needed` pieces, or as many as the sources have to give.

    Just enough is asked for at first, in the order of `sources`. Whatever fails is asked of the next source; when
    nothing arrives for `patience` seconds, what is under way is no longer counted on, and the next sources are asked.
    When nobody is left to ask instead, slow peers are waited for `LAST_RESORT` times as long.

    Args:
        sources: a peer and the places it can give pieces for. Where several peers can give the same piece, the next is
            asked for it when the one before failed or is slow.
        fetch: asks a peer for the pieces at some places; gives them by place, verified as far as they can be, or raises
            an error of ours.
        failed: told of each failure, once.
    """
    pieces: dict[PairIndex, T] = {}
    waiting = list(reversed(sources))
    running: dict[asyncio.Task[dict[PairIndex, T]], Peer] = {}
    counted_on: dict[asyncio.Task[dict[PairIndex, T]], Sequence[PairIndex]] = {}
    try:
        while len(pieces) < needed:
            under_way = {place for asked in counted_on.values() for place in asked}
            put_off: list[tuple[Peer, Sequence[PairIndex]]] = []
            while waiting and (short := needed - len(pieces) - len(under_way)) > 0:
                peer, places = waiting.pop()
                if elsewhere := [place for place in places if place in under_way]:
                    put_off.append((peer, elsewhere))
                free = [place for place in places if place not in under_way and place not in pieces]
                asked, rest = free[:short], free[short:]
                if rest:
                    waiting.append((peer, rest))
                if asked:
                    task = asyncio.ensure_future(fetch(peer, asked))
                    running[task], counted_on[task] = peer, asked
                    under_way.update(asked)
            waiting += reversed(put_off)
            if not running:
                break
            limit = patience if waiting else patience * LAST_RESORT
            done, _ = await asyncio.wait(running, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                counted_on.clear()
                if not waiting:
                    for peer in running.values():
                        failed(peer, AgentTimedOut(peer.client.label, f"no answer within {limit:g} seconds"))
                    break
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
