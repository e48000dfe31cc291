"""Healing: fetch or rebuild what the node should hold of a blob and does not.

Metadata comes from any peer, for it hashes to the blob id. Pairs that moved here with a new committee are fetched as
they are from the nodes that served them before (**pair**). All others, and those that did not come, come back the
cheaper way of `storage_agent.sync.plan`:

* **symbols** cannot be checked one by one, only the sliver rebuilt from them. When it does not verify, somebody lied:
  the segment is decoded instead, and then every symbol is compared with the true sliver, which names the liar.
* **decode** takes primary slivers, each verified as it arrives, so one bad answer costs only that answer. When pairs
  encoded from them do not verify, nobody lied: the blob is encoded wrongly, and `InconsistentEncoding` is raised.

Source: docs/spec/02-geometry.md and docs/spec/09-agent-http.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from storage_agent.node.holdings import Holdings
from storage_agent.observe import Metrics
from storage_agent.sync.examine import condemn
from storage_agent.sync.fetch import Fetcher
from storage_agent.sync.peers import Peer
from storage_agent.sync.plan import Way, choose_way
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import SegmentGeometry
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.codec.redstuff import decode_segment, encode_segment, recover_sliver, recovery_symbol
from walrus_chain.codec.verify import split_pair, verify_pair, verify_sliver
from walrus_chain.errors import (
    CommitmentMismatch,
    InconsistentEncoding,
    NotEnoughSymbols,
    WalrusError,
)
from walrus_chain.rules.committee import Committee
from walrus_chain.types import Axis, BlobId, NodeId, PairIndex

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Healed:
    """What healing a blob did."""

    blob_id: BlobId
    pairs: int
    """Sliver pairs brought back."""
    bytes_fetched: int


@dataclass(slots=True)
class _Segment:
    """One segment under repair."""

    blob_id: BlobId
    index: int
    geometry: SegmentGeometry
    metadata: SegmentMetadata
    sources: Sequence[tuple[Peer, tuple[PairIndex, ...]]]
    own: dict[PairIndex, bytes]
    """Verified pairs at hand: those the node held, and those rebuilt so far."""
    fetched: int = 0
    claims: list[tuple[Axis, PairIndex, PairIndex, bytes, NodeId]] = field(default_factory=list)
    """Symbols that cannot be trusted: axis and place of the sliver, place of the symbol, the symbol, who gave it."""


class Healer:
    """Brings back what the node lost. One instance an agent; calls for different blobs may run at the same time."""

    def __init__(
        self, holdings: Holdings, fetcher: Fetcher, committee: Callable[[], Committee], metrics: Metrics
    ) -> None:
        """
        Args:
            committee: the committee in office, as the node knows it now.
        """
        self._holdings = holdings
        self._fetcher = fetcher
        self._committee = committee
        self._metrics = metrics

    async def heal(self, blob_id: BlobId) -> Healed:
        """Bring back all that is missing of a blob; what is back is durable on return.

        Raises:
            MetadataUnreachable, NotEnoughSlivers: too few peers answered well; try again later.
            InconsistentEncoding: the blob was encoded wrongly; no node can ever hold it. That verdict is kept, and the
                blob needs no healing from then on.
            StoreFull, StoreUnavailable: the rebuilt pairs could not be kept.
        """
        try:
            return await self._heal(blob_id)
        except InconsistentEncoding as error:
            await condemn(self._holdings, self._metrics, blob_id, error)
            raise
        except WalrusError:
            self._metrics.healing_failures.inc()
            raise

    async def _heal(self, blob_id: BlobId) -> Healed:
        metadata, fetched = await self._fetcher.metadata(blob_id)
        missing = self._holdings.missing(blob_id) or ()
        by_segment: dict[int, list[PairIndex]] = {}
        for segment, pair in missing:
            by_segment.setdefault(segment, []).append(pair)
        for index, lost in by_segment.items():
            fetched += await self._heal_segment(metadata, index, lost)
        return Healed(blob_id, len(missing), fetched)

    async def _heal_segment(self, metadata: BlobMetadata, index: int, lost: Sequence[PairIndex]) -> int:
        """Bring back the pairs `lost` of one segment; the bytes it took."""
        segment = _Segment(
            metadata.blob_id,
            index,
            metadata.geometry.segment(index),
            metadata.segments[index],
            self._fetcher.sources(metadata.blob_id),
            {},
        )
        await self._from_keepers(segment, lost)
        moved = list(segment.own)
        if moved:
            await self._keep(metadata, segment, moved, Way.PAIR)
        lost = [pair for pair in lost if pair not in segment.own]
        if lost:
            segment.own |= await self._holdings.verified_pairs(metadata, index)
            await self._keep(metadata, segment, lost, await self._rebuild(metadata, segment, lost))
        return segment.fetched

    async def _keep(self, metadata: BlobMetadata, segment: _Segment, pairs: Sequence[PairIndex], way: Way) -> None:
        """Keep pairs that came back one way."""
        back = {pair: segment.own[pair] for pair in pairs}
        await self._holdings.keep_segment(metadata, segment.index, back, with_metadata=False)
        self._metrics.healed_pairs.labels(way.value).inc(len(back))
        fields = {
            "blob": str(segment.blob_id),
            "segment": segment.index,
            "pairs": list(pairs),
            "way": way.value,
            "bytes": segment.fetched,
        }
        _log.info("healed sliver pairs", extra=fields)

    async def _from_keepers(self, segment: _Segment, lost: Sequence[PairIndex]) -> None:
        """Fetch pairs that moved here from the nodes that served them before, as far as those have them."""
        geometry = segment.geometry

        async def fetch(peer: Peer, places: Sequence[PairIndex]) -> dict[PairIndex, bytes]:
            [place] = places
            slivers = []
            for axis in (Axis.PRIMARY, Axis.SECONDARY):
                length = geometry.sliver_bytes(axis)
                sliver = await peer.client.sliver(segment.blob_id, segment.index, axis, place, length=length)
                segment.fetched += self._fetcher.count("pairs", len(sliver))
                slivers.append(sliver)
            data = b"".join(slivers)
            await asyncio.to_thread(verify_pair, data, place, segment.metadata, geometry)
            self._fetcher.succeeded(peer)
            return {place: data}

        sources = self._fetcher.keepers(segment.blob_id, lost)
        segment.own |= await self._fetcher.gather(sources, len(sources), fetch)

    async def _rebuild(self, metadata: BlobMetadata, segment: _Segment, lost: Sequence[PairIndex]) -> Way:
        """Bring pairs back from other pairs; the way that it took."""
        committee = self._committee()
        per_node = max(1, committee.shards // max(1, len(committee.members)))
        way = choose_way(segment.geometry, len(lost), len(segment.own), per_node)
        if way is Way.SYMBOLS and not await self._by_symbols(segment, lost):
            way = Way.DECODE
        if way is Way.DECODE:
            await self._by_decoding(metadata, segment, [pair for pair in lost if pair not in segment.own])
        return way

    async def _by_symbols(self, segment: _Segment, lost: Sequence[PairIndex]) -> bool:
        """Rebuild each pair from crossing symbols; whether all of them came back and verify."""
        try:
            for pair in lost:
                slivers = [await self._recovered(segment, axis, pair) for axis in (Axis.PRIMARY, Axis.SECONDARY)]
                segment.own[pair] = b"".join(slivers)
        except (CommitmentMismatch, NotEnoughSymbols) as error:
            fields = {"blob": str(segment.blob_id), "segment": segment.index, "reason": str(error)}
            _log.warning("symbols do not give a sliver back, decoding the segment", extra=fields)
            return False
        return True

    async def _recovered(self, segment: _Segment, axis: Axis, pair: PairIndex) -> bytes:
        """One lost sliver, rebuilt from symbols and verified."""
        geometry, crossing = segment.geometry, axis.other

        async def fetch(peer: Peer, places: Sequence[PairIndex]) -> dict[PairIndex, bytes]:
            symbols = await peer.client.symbols(
                segment.blob_id,
                segment.index,
                axis=axis,
                target=pair,
                pairs=places,
                symbol_bytes=geometry.symbol_bytes,
            )
            segment.fetched += self._fetcher.count("symbols", sum(map(len, symbols)))
            self._fetcher.succeeded(peer)
            claims = dict(zip(places, symbols, strict=True))
            segment.claims += [(axis, pair, place, symbol, peer.node_id) for place, symbol in claims.items()]
            return claims

        needed = geometry.symbols(axis)
        own = dict(list(segment.own.items())[:needed])
        symbols: dict[PairIndex, Buffer] = {}
        for place, data in own.items():
            sliver = _part(data, crossing, geometry)
            symbols[place] = await asyncio.to_thread(recovery_symbol, sliver, crossing, pair, geometry)
        given = await self._fetcher.gather(segment.sources, needed - len(symbols), fetch)
        symbols.update(given)
        sliver_bytes = await asyncio.to_thread(recover_sliver, axis, pair, symbols, geometry)
        await asyncio.to_thread(verify_sliver, sliver_bytes, axis, pair, segment.metadata, geometry)
        return sliver_bytes

    async def _by_decoding(self, metadata: BlobMetadata, segment: _Segment, lost: Sequence[PairIndex]) -> None:
        """Rebuild pairs from a whole segment, decoded from verified primary slivers."""
        rows, fetched = await self._fetcher.rows(metadata, segment.index, segment.own)
        segment.fetched += fetched
        segment.own |= await asyncio.to_thread(_encoded_pairs, segment, rows, lost)
        self._name_liars(segment)

    def _name_liars(self, segment: _Segment) -> None:
        """Compare every symbol that was given with the true sliver it belongs to."""
        liars = set()
        for axis, pair, place, symbol, node_id in segment.claims:
            if pair in segment.own:
                true_sliver = _part(segment.own[pair], axis, segment.geometry)
                if recovery_symbol(true_sliver, axis, place, segment.geometry) != symbol:
                    liars.add(node_id)
        for node_id in liars:
            self._fetcher.suspect(node_id, f"false symbols of segment {segment.index} of blob {segment.blob_id}")


def _part(pair: Buffer, axis: Axis, geometry: SegmentGeometry) -> memoryview:
    """The sliver of `axis` in a pair."""
    return split_pair(pair, geometry)[axis is Axis.SECONDARY]


def _encoded_pairs(
    segment: _Segment, rows: Mapping[PairIndex, Buffer], lost: Sequence[PairIndex]
) -> dict[PairIndex, bytes]:
    """The pairs `lost` of the segment that verified primary slivers decode to.

    Raises: InconsistentEncoding: they do not verify, though what they were made from does.
    """
    geometry = segment.geometry
    encoded = encode_segment(decode_segment(rows, Axis.PRIMARY, geometry), geometry.shards)
    pairs = {pair: encoded.pair(pair) for pair in lost}
    for pair, data in pairs.items():
        try:
            verify_pair(data, pair, segment.metadata, geometry)
        except CommitmentMismatch as error:
            what = f"segment {segment.index}, decoded from verified slivers, has another pair {pair}: {error}"
            raise InconsistentEncoding(segment.blob_id, what) from error
    return pairs
