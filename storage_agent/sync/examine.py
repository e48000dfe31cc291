"""Examining: does a blob encode to its id? The node finds out by itself, and remembers what it found.

Slivers that each match their root may still not be the encoding of any bytes, if whoever stored them so wished. So the
node takes enough verified primary slivers of each segment, its own first, decodes them, encodes the result again and
compares all roots. Any choice of slivers gives the same answer: when all roots match, every sliver belongs to that
encoding; when one does not, no bytes have this encoding.

That costs about the size of the blob in traffic, once. So one blob is examined at a time, one segment of it in memory,
and those who ask for the same blob meanwhile wait for the same answer.

Source: docs/spec/03-commitment.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from storage_agent.node.holdings import Holdings
from storage_agent.node.refusals import ExaminationUnderWay, TooBusy, WrongShape
from storage_agent.observe import Metrics
from storage_agent.sync.fetch import Fetcher
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import decode_segment
from walrus_chain.codec.verify import check_strict
from walrus_chain.errors import InconsistentEncoding, WalrusError
from walrus_chain.types import Axis, BlobId, PairIndex

_log = logging.getLogger(__name__)

#: How long whoever asks for a verdict is kept waiting before being told to come back.
ANSWER_SECONDS = 15.0
#: Most who are kept waiting at once; requests that wait take up places that other requests need.
MOST_WAITING = 8


class Examiner:
    """Finds out whether blobs encode to their ids. One instance an agent."""

    def __init__(
        self, holdings: Holdings, fetcher: Fetcher, metrics: Metrics, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """
        Args:
            answer_seconds: how long `examine` waits before it says that it takes longer.
        """
        self._holdings = holdings
        self._fetcher = fetcher
        self._metrics = metrics
        self._answer_seconds = answer_seconds
        self._task: asyncio.Task[bool] | None = None
        self._blob_id: BlobId | None = None
        self._waiting = 0

    async def examine(self, blob_id: BlobId) -> bool:
        """Whether the blob encodes to its id. Costs nothing when that was found out before.

        An examination that was begun goes on when the caller is gone.

        Raises:
            ExaminationUnderWay: it takes longer, or enough others wait for the answer; ask again.
            TooBusy: another blob is being examined.
            MetadataUnreachable, NotEnoughSlivers: too few peers answered well; try again later.
            WrongShape: the blob is encoded for another number of shards, so nobody holds it.
        """
        known = self._holdings.verdict(blob_id)
        if known is not None:
            return known
        if self._task is None or self._task.done():
            self._blob_id = blob_id
            self._task = asyncio.create_task(self._find_out(blob_id))
            self._task.add_done_callback(_log_failure)
        elif self._blob_id != blob_id:
            raise TooBusy("the examination of another blob")
        if self._waiting >= MOST_WAITING:
            raise ExaminationUnderWay(blob_id)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await asyncio.shield(self._task)
        except TimeoutError:
            raise ExaminationUnderWay(blob_id) from None
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End what is under way; it begins anew when it is asked for again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _find_out(self, blob_id: BlobId) -> bool:
        metadata, _ = await self._fetcher.metadata(blob_id)
        shards = self._holdings.duties.shards
        if metadata.shards != shards:
            raise WrongShape(blob_id, "shards", shards, metadata.shards)
        try:
            for index in range(len(metadata.segments)):
                own = await self._holdings.verified_pairs(metadata, index)
                rows, _ = await self._fetcher.rows(metadata, index, own)
                await asyncio.to_thread(_check_segment, metadata, index, rows)
        except InconsistentEncoding as error:
            await condemn(self._holdings, self._metrics, blob_id, error)
            return False
        await self._holdings.note_verdict(blob_id, sound=True)
        return True


async def condemn(holdings: Holdings, metrics: Metrics, blob_id: BlobId, error: InconsistentEncoding) -> None:
    """Remember that the blob does not encode to its id: it is neither healed nor attested any more."""
    await holdings.note_verdict(blob_id, sound=False)
    metrics.unsound_blobs.inc()
    fields = {"blob": str(blob_id), "what": error.what}
    _log.error("a blob was encoded wrongly; it is neither healed nor attested any more", extra=fields)


def _check_segment(metadata: BlobMetadata, index: int, rows: Mapping[PairIndex, Buffer]) -> None:
    """Accept a segment as the encoding of what its verified primary slivers `rows` decode to.

    Raises: InconsistentEncoding: it is the encoding of nothing.
    """
    geometry = metadata.geometry.segment(index)
    data = decode_segment(rows, Axis.PRIMARY, geometry)
    check_strict(metadata.blob_id, data, metadata.segments[index], geometry)


def _log_failure(task: asyncio.Task[bool]) -> None:
    """Whoever asked is told; this is for the operator, and for the case that nobody waits any more."""
    if task.cancelled() or (error := task.exception()) is None:
        return
    if isinstance(error, WalrusError):
        _log.warning("a blob could not be examined: %s", error)
    else:
        _log.error("an examination failed unexpectedly", exc_info=error)
