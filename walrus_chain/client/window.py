"""Encoded segments on their way to many receivers: made once, sent to all, dropped when the last one has them.

At most `depth` segments are held, so memory is bounded whatever the size of the blob. The quick receivers wait for the
slow ones only so long: one that holds the others up is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from walrus_chain.client.threads import in_coder
from walrus_chain.codec.redstuff import EncodedSegment

#: Segments held at once: one is sent while the next is encoded.
DEPTH = 2
#: How much longer than a quorum a receiver may take for a segment, as a factor and in seconds.
_PATIENCE_FACTOR = 2.0
_LEAST_PATIENCE = 5.0


class SegmentWindow:
    """The segments of one upload.

    One task runs `fill`; each receiver calls `get` and `advance` for each segment, and `leave` at its end.
    """

    def __init__(
        self,
        segments: int,
        segment_bytes: int,
        weights: Mapping[int, int],
        quorum: int,
        encode: Callable[[], EncodedSegment],
        on_left_behind: Callable[[int, int], None],
    ) -> None:
        """
        Args:
            segments: how many there are.
            segment_bytes: of the blob, in the longest of them.
            weights: receiver to its weight.
            quorum: weight of receivers that is enough to go on without the others.
            encode: makes the next segment; called in a thread where that pays, one call at a time.
            on_left_behind: told receiver and segment when the others go on without a receiver; it must then let go
                of what it got.
        """
        self._segments = segments
        self._segment_bytes = segment_bytes
        self._weights = dict(weights)
        self._quorum = quorum
        self._encode = encode
        self._on_left_behind = on_left_behind
        self._held: dict[int, EncodedSegment] = {}
        self._next: dict[int, int] = dict.fromkeys(weights, 0)
        """Receiver to the first segment that it still needs."""
        self._done_weight = 0
        self._changed = asyncio.Condition()
        self._error: BaseException | None = None

    async def fill(self) -> None:
        """Encodes segment after segment, as room is made."""
        try:
            for segment in range(self._segments):
                await self._make_room()
                if not self._next:
                    return
                encoded = await in_coder(self._segment_bytes, self._encode)
                async with self._changed:
                    self._held[segment] = encoded
                    self._drop()
                    self._changed.notify_all()
                del encoded
        except Exception as error:
            async with self._changed:
                self._error = error
                self._changed.notify_all()
            raise

    async def get(self, segment: int) -> EncodedSegment:
        """A segment, as soon as it is encoded. A receiver must not ask for one that it advanced beyond."""
        async with self._changed:
            await self._changed.wait_for(lambda: segment in self._held or self._error is not None)
            if self._error is not None:
                raise self._error
            return self._held[segment]

    async def advance(self, receiver: int, segment: int) -> None:
        """The receiver has what it needs of all segments below `segment`."""
        async with self._changed:
            if receiver in self._next:
                self._next[receiver] = segment
                self._drop()
                self._changed.notify_all()

    async def leave(self, receiver: int, *, done: bool) -> None:
        """The receiver needs nothing more: it has all (`done`), or failed."""
        async with self._changed:
            if self._next.pop(receiver, None) is not None and done:
                self._done_weight += self._weights[receiver]
            self._drop()
            self._changed.notify_all()

    async def _make_room(self) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        passed: float | None = None
        async with self._changed:
            while len(self._held) >= DEPTH:
                oldest = min(self._held)
                if passed is None and self._weight_beyond(oldest) >= self._quorum:
                    passed = loop.time()
                patience = None
                if passed is not None:
                    due = passed + max(_LEAST_PATIENCE, _PATIENCE_FACTOR * (passed - begun))
                    patience = due - loop.time()
                try:
                    async with asyncio.timeout(patience):
                        await self._changed.wait()
                except TimeoutError:
                    for receiver in [receiver for receiver, needs in self._next.items() if needs <= oldest]:
                        del self._next[receiver]
                        self._on_left_behind(receiver, oldest)
                    self._drop()
                    self._changed.notify_all()

    def _weight_beyond(self, segment: int) -> int:
        beyond = (self._weights[receiver] for receiver, needs in self._next.items() if needs > segment)
        return self._done_weight + sum(beyond)

    def _drop(self) -> None:
        needed = min(self._next.values(), default=self._segments)
        for segment in [segment for segment in self._held if segment < needed]:
            del self._held[segment]
