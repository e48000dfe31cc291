"""Scrubbing: read back what is kept, slowly and for ever, and have healed what rotted.

Packs are checked in the order in which they were checked last. A pair that does not verify, or is gone, is forgotten;
the catalogue then puts the blob on the list to be healed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage_agent.node.holdings import Holdings
from storage_agent.observe import Metrics
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.packs import Packs
from storage_agent.store.rows import PackRow
from storage_agent.sync.pace import Pace
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.verify import verify_pair
from walrus_chain.errors import SliverMissing, StoreUnavailable, Untrusted
from walrus_chain.types import PairIndex

_log = logging.getLogger(__name__)

_PACKS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class ScrubSettings:
    """How thorough, and at what cost."""

    bytes_per_second: float = 8 * 2**20
    """Read and hashed at most, on average."""
    every_seconds: float = 14 * 24 * 3600.0
    """How old a check may become."""
    idle_seconds: float = 60.0
    """Between looks for packs to check when there are none."""


class Scrubber:
    """Checks all that is kept, again and again."""

    def __init__(
        self,
        catalogue: Catalogue,
        packs: Packs,
        holdings: Holdings,
        metrics: Metrics,
        settings: ScrubSettings,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """
        Args:
            clock: seconds since 1970.
            sleep: waits so many seconds.
        """
        self._catalogue = catalogue
        self._packs = packs
        self._holdings = holdings
        self._metrics = metrics
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._pace = Pace(settings.bytes_per_second)

    async def run(self) -> None:
        """Scrub for ever."""
        while True:
            try:
                checked = await self.check_some(self._clock() - self._settings.every_seconds)
            except StoreUnavailable as error:
                _log.warning("scrubbing waits for the sliver store", extra={"reason": str(error)})
                checked = 0
            if not checked:
                await self._sleep(self._settings.idle_seconds)

    async def check_some(self, checked_before: float) -> int:
        """Check the packs that wait longest, of those not checked since (seconds since 1970); how many they were.

        Raises: StoreUnavailable: the sliver store failed.
        """
        rows = self._catalogue.packs_to_check(checked_before, _PACKS_AT_ONCE)
        for row in rows:
            await self._check(row)
            self._metrics.scrubbed_bytes.inc(row.bytes)
            await self._sleep(self._pace.spend(row.bytes, self._clock()))
        return len(rows)

    async def _check(self, row: PackRow) -> None:
        metadata = self._holdings.metadata(row.blob_id)
        try:
            pairs = await self._packs.read_pack(row)
        except SliverMissing:
            bad = [pair for pair, _, _ in row.pairs]
        else:
            # Without metadata nothing can be said of the bytes; they are as good as lost.
            bad = [pair for pair, _ in pairs]
            if metadata is not None:
                bad = await asyncio.to_thread(_rotted, metadata, row.segment, pairs)
        if bad:
            self._metrics.rotted_pairs.inc(len(bad))
            fields = {"blob": str(row.blob_id), "segment": row.segment, "pairs": bad, "pack": row.pack}
            _log.warning("sliver pairs rotted, they will be healed", extra=fields)
            await self._packs.forget(row.blob_id, [(row.segment, pair) for pair in bad])
        self._catalogue.mark_checked([row.pack])


def _rotted(metadata: BlobMetadata, segment: int, pairs: list[tuple[PairIndex, bytes]]) -> list[PairIndex]:
    """Those of `pairs` that do not verify."""
    geometry = metadata.geometry.segment(segment)

    def rotted(pair: PairIndex, data: Buffer) -> bool:
        try:
            verify_pair(data, pair, metadata.segments[segment], geometry)
        except Untrusted:
            return True
        return False

    return [pair for pair, data in pairs if rotted(pair, data)]
