"""Follows the chain into the catalogue: in chain order, nothing left out, reorganisations undone.

The cursor moves in the same transaction as the facts that it stands for, so a crash at any moment loses nothing and
takes nothing twice. Block hashes tell a reorganisation; everything after the newest block that both sides share is
undone and read again. An endpoint that fails, lags, or answers from another fork delays the agent, it does not mislead
it: what does not fit together is asked for again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from storage_agent.state.trail import AncestorSearch, Cursor, step_back
from storage_agent.store.catalogue import Catalogue
from storage_agent.watch.source import ChainSource, facts_of
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.network import Span
from walrus_chain.errors import FactsMissing, ForksDisagree, Retryable, RpcUnavailable, UnexpectedAnswer
from walrus_chain.types import Epoch

_log = logging.getLogger(__name__)

#: Blocks whose events are asked for at once; endpoints refuse much longer ranges.
BLOCKS_A_QUERY: Final = 2000
#: How far below the newest block events are checked against the fork that the watcher follows.
FORK_CHECK_BLOCKS: Final = 64
LONGEST_PAUSE_SECONDS: Final = 60.0


class Watcher:
    """Keeps the catalogue in step with the chain."""

    def __init__(
        self,
        source: ChainSource,
        catalogue: Catalogue,
        *,
        epoch_at: Callable[[int], Epoch],
        anchor_block: int,
        confirmations: int = 0,
        poll_seconds: float = 1.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            epoch_at: the epoch at a block's time (seconds since 1970).
            anchor_block: the last block before the network's contracts; never reorganised away.
            confirmations: blocks that must follow a block before its events count.
            poll_seconds: between two looks at the chain, when nobody asks for one.
        """
        self._source = source
        self._catalogue = catalogue
        self._epoch_at = epoch_at
        self._anchor_block = anchor_block
        self._confirmations = confirmations
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._following = asyncio.Lock()
        self._next: asyncio.Task[Cursor] | None = None
        self._distrust = 0
        self.head: BlockRef | None = None
        """The newest confirmed block that was seen; none before the first look."""
        self.problem: Retryable | None = None
        """Why the chain could not be followed at the last look; none when it could."""

    async def run(self) -> None:
        """Follow the chain until cancelled. Failures that may pass are waited out.

        Raises: OtherChain: the endpoint leads to another chain.
        """
        failures = 0
        while True:
            try:
                await self.catch_up()
            except Retryable as error:
                failures += 1
                pause = min(LONGEST_PAUSE_SECONDS, self._poll_seconds * 2 ** min(failures, 16))
                _log.warning("cannot follow the chain, next try in %.0f s: %s", pause, error)
            else:
                failures, pause = 0, self._poll_seconds
            await self._sleep(pause)

    async def catch_up(self) -> Cursor:
        """The cursor, once everything that was confirmed when this was called is in the catalogue.

        Callers at the same time share one look at the chain; one that comes while a look is under way waits for the
        next, since the one under way may not see what the caller knows of.

        Raises:
            Retryable: an endpoint failed, or its answers do not fit together.
            OtherChain: the endpoint leads to another chain.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._look())
        return await asyncio.shield(self._next)

    async def _look(self) -> Cursor:
        async with self._following:
            self._next = None
            try:
                cursor = await self._follow()
            except UnexpectedAnswer as error:
                # Whoever waits for the chain cannot help it; perhaps another endpoint, or the same one later, can.
                self.problem = RpcUnavailable(error.method, {error.endpoint: error.why})
                raise self.problem from error
            except Retryable as error:
                self.problem = error
                raise
            self.problem = None
            self._distrust = 0
            return cursor

    async def _follow(self) -> Cursor:
        head = await self._source.head(self._confirmations)
        self.head = head
        cursor = self._catalogue.cursor or await self._start()
        while cursor.block != head:
            if head.number <= cursor.block.number:
                followed = await self._follow_shorter(head)
                if followed is None:
                    break
                cursor = followed
                continue
            try:
                cursor = await self._step(cursor, head)
            except FactsMissing as error:
                back = step_back(self._catalogue.trail, self._distrust)
                _log.warning("reading the chain again from block %s on: %s", back.block, error)
                self._distrust += 1
                await self._catalogue.rewind(back)
                raise
            if cursor.block.number == head.number:
                # Of two answers about this block the later one counts: the chain may have been reorganised in between.
                head = self.head = cursor.block
        return cursor

    async def _start(self) -> Cursor:
        await self._catalogue.start_at(await self._source.block(self._anchor_block))
        return self._catalogue.trail[0]

    async def _step(self, cursor: Cursor, head: BlockRef) -> Cursor:
        """Takes the next blocks after `cursor`, or undoes what a reorganisation orphaned."""
        last = min(head.number, cursor.block.number + BLOCKS_A_QUERY)
        span = await self._source.span(cursor.block.number, last)
        if span.blocks[0].hash != cursor.block.hash:
            return await self._undo(self._catalogue.trail)
        await self._check_fork(span, head)
        block = span.blocks[-1]
        return await self._catalogue.take(cursor, facts_of(span.events), block, self._epoch_of(block))

    async def _follow_shorter(self, head: BlockRef) -> Cursor | None:
        """Deals with a head that is not above the cursor: the newest shared block, or none when the endpoint lags."""
        below = [cursor for cursor in self._catalogue.trail if cursor.block.number <= head.number]
        if not below:
            return None
        newest = below[-1].block
        now = head if newest.number == head.number else await self._source.block(newest.number)
        return None if now.hash == newest.hash else await self._undo(below)

    async def _undo(self, trail: Sequence[Cursor]) -> Cursor:
        search = AncestorSearch(trail)
        while search.probe is not None:
            search.answer((await self._source.block(search.probe)).hash)
        ancestor = search.found
        _log.warning("the chain was reorganised after block %s: reading again from there", ancestor.block)
        await self._catalogue.rewind(ancestor)
        return ancestor

    async def _check_fork(self, span: Span, head: BlockRef) -> None:
        """Refuses events of another fork than the span's blocks are on; deep blocks are beyond doubt."""
        known = {block.number: block.hash for block in span.blocks}
        for event in span.events:
            number = event.block.number
            if number not in known and number > head.number - FORK_CHECK_BLOCKS:
                known[number] = (await self._source.block(number)).hash
            if known.get(number, event.block.hash) != event.block.hash:
                raise ForksDisagree(number, known[number], event.block.hash)

    def _epoch_of(self, block: BlockRef) -> Epoch:
        return Epoch(max(0, self._epoch_at(block.timestamp)))
