"""Which sliver pairs a node answers for: pure, from the committee in office and the change that brought it.

When a committee takes office, some shards *move* to other nodes. The new node fetches what is on them and says so on
chain. Until every shard that a node gave away has arrived, it keeps them all; should the next change start before that,
only what moves then counts. Source: docs/adr/0015-moving-shards.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from storage_agent.state.facts import (
    CommitteeFact,
    CommitteeFormed,
    EpochChangeDone,
    EpochChangeStarted,
    ShardsSynced,
)
from walrus_chain.codec.geometry import pair_on_shard
from walrus_chain.errors import FactsMissing
from walrus_chain.types import BlobId, Epoch, NodeId, PairIndex, ShardIndex


@dataclass(frozen=True, slots=True)
class Office:
    """The committee in office, as the facts so far leave it."""

    committee: CommitteeFormed
    former: CommitteeFormed | None
    """The committee before it; none at genesis."""
    moved: int
    """Bit s is set when shard s came from another node with this committee."""
    unsynced: int
    """Bit s is set while the new node of shard s, which moved, has not said that it has its bytes."""
    done: bool
    """All but at most f of the shards that moved have arrived."""


def apply_to_office(office: Office | None, fact: CommitteeFact) -> Office:
    """`office` after one more fact.

    Raises: FactsMissing: the fact does not fit, so facts in between were lost on the way.
    """
    if isinstance(fact, CommitteeFormed):
        former = None if office is None else office.committee
        moved = 0 if former is None else _moved(former, fact)
        return Office(fact, former, moved, moved, done=moved == 0)
    if office is None:
        raise FactsMissing(f"{type(fact).__name__} of epoch {fact.epoch} before any committee")
    match fact:
        case EpochChangeStarted():
            known = None if office.former is None else office.former.epoch
            if (fact.epoch, fact.previous) != (office.committee.epoch, known):
                raise FactsMissing(f"a change to the committee of epoch {fact.epoch} from that of {fact.previous}")
            return replace(office, moved=fact.moved, unsynced=fact.moved, done=False)
        case ShardsSynced():
            return replace(office, unsynced=office.unsynced & ~fact.shards)
        case EpochChangeDone():
            return replace(office, done=True)


def fold_office(facts: Iterable[CommitteeFact]) -> Office | None:
    """What the facts about committees, in chain order, leave; none while no committee took office.

    Raises: FactsMissing: they do not fit together.
    """
    office: Office | None = None
    for fact in facts:
        office = apply_to_office(office, fact)
    return office


@dataclass(frozen=True, slots=True)
class Duties:
    """The shards that one node answers for, and since when. All shards ascend."""

    epoch: Epoch
    """The epoch in which the committee took office; 0 while there is none."""
    shards: int
    """n; 0 while there is no committee."""
    own: tuple[ShardIndex, ...]
    """The shards that the node serves."""
    given: tuple[ShardIndex, ...] = ()
    """The shards that it served in the committee before and does not any more."""
    keeping: tuple[ShardIndex, ...] = ()
    """`given`, while not all of them have arrived at their new nodes; else none."""
    syncing: tuple[ShardIndex, ...] = ()
    """Those of `own` that came with this committee and that the node has not yet said on chain to have."""
    changing: bool = False
    """More than f of the shards that moved have not arrived yet."""

    def pairs(self, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The pairs of each segment of the blob that the node must hold, ascending."""
        return self._on(self.own, blob_id)

    def kept_pairs(self, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The pairs of each segment that are not to be dropped: those it must hold, and those it keeps for others."""
        return self._on((*self.own, *self.keeping), blob_id)

    def given_pairs(self, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The pairs of each segment that were the node's in the committee before, and are not any more."""
        return self._on(self.given, blob_id)

    def syncing_pairs(self, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The pairs of each segment that have yet to be brought here, or to be said to be here."""
        return self._on(self.syncing, blob_id)

    def _on(self, shards: Iterable[ShardIndex], blob_id: BlobId) -> tuple[PairIndex, ...]:
        return tuple(sorted(pair_on_shard(blob_id, shard, self.shards) for shard in shards))


NO_DUTIES = Duties(Epoch(0), 0, ())
"""What a node answers for while there is no committee."""


def duties_of(office: Office | None, node_id: NodeId) -> Duties:
    """What `node_id` answers for; no shards when it is no member."""
    if office is None:
        return NO_DUTIES
    own = _shards_of(office.committee, node_id)
    given = [] if office.former is None else [shard for shard in _shards_of(office.former, node_id) if shard not in own]
    return Duties(
        office.committee.epoch,
        len(office.committee.assignment),
        tuple(own),
        given=tuple(given),
        keeping=tuple(given) if any(office.unsynced >> shard & 1 for shard in given) else (),
        syncing=tuple(shard for shard in own if office.unsynced >> shard & 1),
        changing=not office.done,
    )


def _shards_of(committee: CommitteeFormed, node_id: NodeId) -> list[ShardIndex]:
    return [
        ShardIndex(shard) for shard, member in enumerate(committee.assignment) if committee.members[member] == node_id
    ]


def _moved(former: CommitteeFormed, now: CommitteeFormed) -> int:
    """The shards that different nodes serve, as a bitmap."""
    pairs = zip(former.assignment, now.assignment, strict=True)
    changed = (former.members[before] != now.members[after] for before, after in pairs)
    return sum(bit << shard for shard, bit in enumerate(changed))
