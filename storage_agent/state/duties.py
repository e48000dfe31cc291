"""Which sliver pairs a node answers for: pure, from the committee in office."""

from __future__ import annotations

from dataclasses import dataclass

from storage_agent.state.facts import CommitteeFormed
from walrus_chain.codec.geometry import pair_on_shard
from walrus_chain.types import BlobId, Epoch, NodeId, PairIndex, ShardIndex


@dataclass(frozen=True, slots=True)
class Duties:
    """The shards that one node serves, and since when."""

    epoch: Epoch
    """The epoch in which the committee took office; 0 while there is none."""
    shards: int
    """n; 0 while there is no committee."""
    own: tuple[ShardIndex, ...]
    """The shards that the node serves, ascending."""

    def pairs(self, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The pairs of each segment of the blob that the node must hold, ascending."""
        return tuple(sorted(pair_on_shard(blob_id, shard, self.shards) for shard in self.own))


NO_DUTIES = Duties(Epoch(0), 0, ())
"""What a node answers for while there is no committee."""


def duties_of(committee: CommitteeFormed | None, node_id: NodeId) -> Duties:
    """What `node_id` answers for in a committee; no shards when it is no member."""
    if committee is None:
        return NO_DUTIES
    own = tuple(
        ShardIndex(shard) for shard, member in enumerate(committee.assignment) if committee.members[member] == node_id
    )
    return Duties(committee.epoch, len(committee.assignment), own)
