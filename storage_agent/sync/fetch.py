"""What can be had from peers and verified on arrival: a blob's metadata, and the primary slivers of a segment.

Healing and examining both begin with it. Each answer is verified by itself, so one bad answer costs only that answer,
and names who gave it.

Source: docs/spec/03-commitment.md and docs/spec/09-agent-http.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from storage_agent.node.holdings import Holdings
from storage_agent.observe import Metrics
from storage_agent.sync.gather import gather_pieces
from storage_agent.sync.peers import Peer, Peers, pairs_by_peer
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import shard_of_pair
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.verify import split_pair, verify_sliver
from walrus_chain.errors import AgentRefused, NotEnoughSlivers, Retryable, Untrusted, WalrusError
from walrus_chain.rules.committee import Committee
from walrus_chain.types import Axis, BlobId, NodeId, PairIndex

T = TypeVar("T")

_log = logging.getLogger(__name__)

#: Seconds without any answer after which further peers are asked in addition.
PATIENCE_SECONDS = 3.0
#: With these a peer says that it does not have what it is asked for.
_NOT_HERE = (404, 421)
#: Stands for the one piece that is asked for where there are no places.
_WHOLE = (PairIndex(0),)


class MetadataUnreachable(Retryable):
    """No peer gave the blob's metadata; `failures` says why, peer by peer."""

    def __init__(self, blob_id: BlobId, failures: Mapping[str, str]) -> None:
        reasons = "; ".join(f"{peer}: {why}" for peer, why in failures.items()) or "there is no peer"
        super().__init__(f"no peer gave the metadata of blob {blob_id} ({reasons}); try again later")
        self.blob_id, self.failures = blob_id, dict(failures)


class Fetcher:
    """Asks the peers of one node, the most promising first, and remembers who failed and who lied."""

    def __init__(
        self,
        holdings: Holdings,
        peers: Peers,
        committee: Callable[[], Committee],
        metrics: Metrics,
        clock: Callable[[], float],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """
        Args:
            committee: the committee in office, as the node knows it now.
            clock: seconds, never running backwards.
            patience: seconds without any answer before further peers are asked in addition.
        """
        self._patience = patience
        self._holdings = holdings
        self._peers = peers
        self._committee = committee
        self._metrics = metrics
        self._clock = clock

    def sources(self, blob_id: BlobId) -> list[tuple[Peer, tuple[PairIndex, ...]]]:
        """The peers, most promising first, each with pairs of the blob that it holds; see `pairs_by_peer`."""
        committee = self._committee()
        return pairs_by_peer(committee, blob_id, self._peers.in_order(committee, blob_id, self._clock()))

    def keepers(self, blob_id: BlobId, pairs: Sequence[PairIndex]) -> list[tuple[Peer, tuple[PairIndex, ...]]]:
        """For each pair the peer that served its shard before, and keeps it until the node that serves it now has it.

        Pairs of which there is no such peer, or one that failed or lied of late, are left out.
        """
        committee, now = self._committee(), self._clock()
        found: list[tuple[Peer, tuple[PairIndex, ...]]] = []
        for pair in pairs:
            keeper = self._peers.keeper(committee, shard_of_pair(blob_id, pair, committee.shards), now)
            if keeper is not None:
                found.append((keeper, (pair,)))
        return found

    async def metadata(self, blob_id: BlobId) -> tuple[BlobMetadata, int]:
        """The blob's metadata, which is kept from then on, and the bytes it took.

        Raises: MetadataUnreachable: it is not here, and no peer gave it.
        """
        held = self._holdings.metadata(blob_id)
        if held is not None:
            return held, 0
        failures: dict[str, str] = {}
        fetched = 0

        async def fetch(peer: Peer, places: Sequence[PairIndex]) -> dict[PairIndex, BlobMetadata]:
            nonlocal fetched
            data = await peer.client.metadata(blob_id)
            fetched += self.count("metadata", len(data))
            metadata = await asyncio.to_thread(BlobMetadata.from_bytes, data, blob_id)
            self._peers.succeeded(peer.node_id)
            return dict.fromkeys(places, metadata)

        def failed(peer: Peer, error: WalrusError) -> None:
            self.note(peer, error)
            failures[peer.client.label] = str(error)

        peers = {peer.node_id: peer for peer, _ in self.sources(blob_id)}
        sources = [(peer, _WHOLE) for peer in peers.values()]
        found = await gather_pieces(sources, 1, fetch, failed, self._patience)
        if not found:
            raise MetadataUnreachable(blob_id, failures)
        [metadata] = found.values()
        await self._holdings.keep_metadata(metadata)
        return metadata, fetched

    async def rows(
        self, metadata: BlobMetadata, index: int, own: Mapping[PairIndex, Buffer]
    ) -> tuple[dict[PairIndex, Buffer], int]:
        """As many verified primary slivers of a segment as decoding takes, and the bytes that were fetched.

        Args:
            own: verified pairs of the segment at hand; they are used first.
        Raises: NotEnoughSlivers: too few peers answered well; try again later.
        """
        blob_id, geometry, roots = metadata.blob_id, metadata.geometry.segment(index), metadata.segments[index]
        needed = geometry.needed(Axis.PRIMARY)
        fetched = 0

        async def fetch(peer: Peer, places: Sequence[PairIndex]) -> dict[PairIndex, bytes]:
            nonlocal fetched
            [place] = places
            length = geometry.sliver_bytes(Axis.PRIMARY)
            sliver = await peer.client.sliver(blob_id, index, Axis.PRIMARY, place, length=length)
            fetched += self.count("slivers", len(sliver))
            await asyncio.to_thread(verify_sliver, sliver, Axis.PRIMARY, place, roots, geometry)
            self._peers.succeeded(peer.node_id)
            return {place: sliver}

        rows: dict[PairIndex, Buffer] = {
            place: split_pair(data, geometry)[0] for place, data in list(own.items())[:needed]
        }
        singles = [(peer, (place,)) for peer, places in self.sources(blob_id) for place in places if place not in rows]
        # Systematic slivers first: they need no decoding.
        singles.sort(key=lambda source: source[1][0] >= needed)
        given = await self.gather(singles, needed - len(rows), fetch)
        rows.update(given)
        if len(rows) < needed:
            raise NotEnoughSlivers(len(rows), needed)
        return rows, fetched

    async def gather(
        self,
        sources: Sequence[tuple[Peer, Sequence[PairIndex]]],
        needed: int,
        fetch: Callable[[Peer, Sequence[PairIndex]], Awaitable[dict[PairIndex, T]]],
    ) -> dict[PairIndex, T]:
        """`gather_pieces`, with failures held against the peers."""
        return await gather_pieces(sources, needed, fetch, self.note, self._patience)

    def succeeded(self, peer: Peer) -> None:
        """The peer answered as it should."""
        self._peers.succeeded(peer.node_id)

    def note(self, peer: Peer, error: WalrusError) -> None:
        """The peer failed, or sent what does not verify. Not to have what is on its way is no failure."""
        if isinstance(error, Untrusted):
            self.suspect(peer.node_id, str(error))
        elif not (isinstance(error, AgentRefused) and error.status in _NOT_HERE and self._committee().pending):
            self._peers.failed(peer.node_id, self._clock())

    def suspect(self, node_id: NodeId, what: str) -> None:
        """Bytes of the node do not verify."""
        self._peers.lied(node_id, self._clock())
        self._metrics.lies.labels(str(node_id)).inc()
        _log.warning("a peer's bytes do not verify", extra={"peer": node_id, "what": what})

    def count(self, kind: str, size: int) -> int:
        """Note `size` fetched bytes of a kind; the same number."""
        self._metrics.healing_bytes.labels(kind).inc(size)
        return size
