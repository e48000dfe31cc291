"""The other nodes that hold slivers: in which order they are asked, who failed of late, who lied.

They are the members of the committee and, while shards are on their way, those of the one before that still keep some.

A peer that failed is asked last until its pause is over; the pause doubles with each failure in a row. A peer whose
bytes did not verify is asked after all others for an hour. Nobody is ever left out for good: with f shards lost, every
remaining answer may be needed.

Pure but for the clients it hands out: the clock is an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from walrus_chain.codec.geometry import shard_of_pair
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import BlobId, NodeId, PairIndex, ShardIndex

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 120.0
DISTRUST_SECONDS = 3600.0


@dataclass(slots=True)
class _Standing:
    failures: int = 0
    paused_until: float = 0.0
    distrusted_until: float = 0.0
    lies: int = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node that holds slivers."""

    member: Member
    client: AgentClient

    @property
    def node_id(self) -> NodeId:
        """Its node."""
        return self.member.node_id


class Peers:
    """The other nodes that hold slivers."""

    def __init__(self, own: NodeId, connect: Callable[[Member], AgentClient]) -> None:
        """
        Args:
            own: this agent's node; never among the peers.
            connect: makes the client of a member.
        """
        self._own = own
        self._connect = connect
        self._clients: dict[tuple[NodeId, str], AgentClient] = {}
        self._standing: dict[NodeId, _Standing] = {}

    def in_order(self, committee: Committee, blob_id: BlobId, now: float) -> list[Peer]:
        """All peers, most promising first; equals in an order that differs from blob to blob, to spread the load."""
        members = [member for member in (*committee.members, *committee.leaving) if member.node_id != self._own]
        members.sort(key=lambda member: (self._rank(member.node_id, now), _shuffle(blob_id, member.node_id)))
        return [Peer(member, self._client(member)) for member in members]

    def keeper(self, committee: Committee, shard: ShardIndex, now: float) -> Peer | None:
        """Who served a shard before and keeps it while it moves; none when nobody does, or failed or lied of late."""
        member = committee.keeper_of_shard(shard)
        if member is None or member.node_id == self._own or self._rank(member.node_id, now):
            return None
        return Peer(member, self._client(member))

    def succeeded(self, node_id: NodeId) -> None:
        """The peer answered as it should."""
        if standing := self._standing.get(node_id):
            standing.failures, standing.paused_until = 0, 0.0

    def failed(self, node_id: NodeId, now: float) -> None:
        """The peer did not answer, or refused."""
        standing = self._standing.setdefault(node_id, _Standing())
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(standing.failures, 16))
        standing.failures += 1
        standing.paused_until = now + pause

    def lied(self, node_id: NodeId, now: float) -> None:
        """Bytes of the peer did not verify."""
        standing = self._standing.setdefault(node_id, _Standing())
        standing.lies += 1
        standing.distrusted_until = now + DISTRUST_SECONDS

    def liars(self) -> dict[NodeId, int]:
        """How often each peer that ever lied did so."""
        return {node_id: standing.lies for node_id, standing in self._standing.items() if standing.lies}

    def _rank(self, node_id: NodeId, now: float) -> int:
        standing = self._standing.get(node_id)
        if standing is None:
            return 0
        return 2 * (now < standing.distrusted_until) + (now < standing.paused_until)

    def _client(self, member: Member) -> AgentClient:
        key = (member.node_id, member.url)
        if key not in self._clients:
            self._clients[key] = self._connect(member)
        return self._clients[key]


def pairs_by_peer(
    committee: Committee, blob_id: BlobId, peers: Iterable[Peer]
) -> list[tuple[Peer, tuple[PairIndex, ...]]]:
    """Each peer with the pairs of the blob that it holds, the surest first.

    A shard that is on its way has two places, and the blob may be at one of them only. So a peer that keeps such pairs
    for others, or has yet to fetch them, comes again with them, after all others: a request for several pairs fails
    when one of them is not there.
    """
    asked = list(peers)
    sure, kept, awaited = [], [], []
    for peer in asked:
        own = () if committee.by_node(peer.node_id) is None else committee.pairs_of(peer.member, blob_id)
        moving = {pair for pair in own if shard_of_pair(blob_id, pair, committee.shards) in committee.pending}
        sure.append((peer, tuple(pair for pair in own if pair not in moving)))
        kept.append((peer, committee.pairs_kept_by(peer.node_id, blob_id)))
        awaited.append((peer, tuple(sorted(moving))))
    return [(peer, pairs) for peer, pairs in (*sure, *kept, *awaited) if pairs]


def _shuffle(blob_id: BlobId, node_id: NodeId) -> bytes:
    return hashlib.blake2b(blob_id.digest + node_id.to_bytes(4, "big"), digest_size=8).digest()
