"""Who serves which shard, and who is to serve it next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scripts.simulation.nodes import Node
from walrus_chain.rules.apportionment import Candidate, apportion, moved_shards, reassign
from walrus_chain.types import Epoch, NodeId, ShardIndex, Wei

NOBODY = NodeId(0)


@dataclass(frozen=True, slots=True)
class Office:
    """A committee."""

    owners: tuple[NodeId, ...]
    """The node of each shard."""
    arrived: frozenset[ShardIndex] = frozenset()
    """Shards that had another node before."""

    def shards_of(self) -> dict[NodeId, list[ShardIndex]]:
        """The shards of each member, ascending, by member in ascending order."""
        held: dict[NodeId, list[ShardIndex]] = {owner: [] for owner in sorted(set(self.owners))}
        for shard, owner in enumerate(self.owners):
            held[owner].append(ShardIndex(shard))
        return held

    def settled(self) -> Office:
        """The same committee once all shards are where they belong."""
        return Office(self.owners)


def select(nodes: Sequence[Node], present: Office, epoch: Epoch, minimum_stake: Wei) -> Office:
    """The committee of `epoch`, by the stake that counts then; nobody in jail, or with too little of its own."""
    eligible = [node for node in nodes if node.jailed_until is None and node.own_stake(epoch) >= minimum_stake]
    candidates = [Candidate(node.pool.stake_at(epoch), node.region) for node in eligible]
    weights = apportion(candidates, len(present.owners))
    serving = [(node.node_id, weight) for node, weight in zip(eligible, weights, strict=True) if weight]
    members = [node_id for node_id, _ in serving]
    assignment = reassign(present.owners, members, [weight for _, weight in serving])
    arrived = moved_shards(present.owners, members, assignment)
    return Office(tuple(members[member] for member in assignment), frozenset(arrived))


def nobody(shards: int) -> Office:
    """Before the first committee."""
    return Office((NOBODY,) * shards)
