"""The committee as everybody sees it: which member serves which shard, and whose signatures make a quorum.

Pure; `walrus_chain.chain` fills it from the chain, tests make it by hand. Source: docs/spec/04-committee.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from walrus_chain.codec.geometry import Geometry, pair_on_shard, shard_of_pair
from walrus_chain.errors import MalformedCommittee
from walrus_chain.types import Address, BlobId, Epoch, NodeId, PairIndex, ShardIndex

MAXIMUM_MEMBERS = 256
"""A signer bitmap has 256 bits."""


@dataclass(frozen=True, slots=True)
class Member:
    """A node that serves in the committee."""

    index: int
    """Place 0..m-1 in the member list: the bit of the signer bitmap."""
    node_id: NodeId
    name: str
    url: str
    """Where the agent answers, without a trailing slash."""
    region: str
    signer: Address
    """The key that signs for this member while the committee serves."""
    weight: int
    """How many shards it serves."""
    shards: tuple[ShardIndex, ...]
    """The shards it serves, ascending."""
    encryption_key: bytes = b""


@dataclass(frozen=True, slots=True)
class Committee:
    """The members that serve since `epoch`. Every shard belongs to exactly one of them (invariant I3)."""

    epoch: Epoch
    """The epoch in which the committee took office; attestations name it."""
    shards: int
    """n."""
    members: tuple[Member, ...]
    previous: Committee | None = None
    """The committee before it, while shards are still on their way from there; else none."""
    pending: frozenset[ShardIndex] = frozenset()
    """Shards that came from other nodes with this committee and whose new nodes have not said to have their bytes."""
    _by_shard: tuple[Member, ...] = field(init=False, repr=False, compare=False)
    _by_signer: Mapping[Address, Member] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_shard: dict[int, Member] = {}
        for place, member in enumerate(self.members):
            if member.index != place:
                raise MalformedCommittee(f"member {member.index} stands at place {place}")
            if member.weight != len(member.shards):
                raise MalformedCommittee(f"member {place} has weight {member.weight} but {len(member.shards)} shards")
            for shard in member.shards:
                if shard in by_shard:
                    raise MalformedCommittee(f"shard {shard} belongs to members {by_shard[shard].index} and {place}")
                by_shard[shard] = member
        if len(self.members) > MAXIMUM_MEMBERS:
            raise MalformedCommittee(f"it has {len(self.members)} members, {MAXIMUM_MEMBERS} at most")
        if sorted(by_shard) != list(range(self.shards)):
            missing = sorted(set(range(self.shards)) - set(by_shard))
            raise MalformedCommittee(f"{self.shards} shards are named, nobody serves {missing or 'the surplus ones'}")
        if self.previous is not None and self.previous.shards != self.shards:
            raise MalformedCommittee(f"it has {self.shards} shards, the one before it {self.previous.shards}")
        if strangers := sorted(shard for shard in self.pending if shard not in by_shard):
            raise MalformedCommittee(f"shards {strangers} are on their way, and there are only {self.shards}")
        by_signer = {member.signer: member for member in self.members}
        if len(by_signer) != len(self.members):
            raise MalformedCommittee("two members share a signer")
        object.__setattr__(self, "_by_shard", tuple(by_shard[shard] for shard in range(self.shards)))
        object.__setattr__(self, "_by_signer", by_signer)

    @property
    def geometry(self) -> Geometry:
        """The numbers that follow from n."""
        return Geometry(self.shards)

    @property
    def faults(self) -> int:
        """f, how many shards may be faulty: (n - 1) // 3."""
        return (self.shards - 1) // 3

    @property
    def quorum(self) -> int:
        """n - f, the shards that make a certificate."""
        return self.shards - self.faults

    def member_of_shard(self, shard: ShardIndex) -> Member:
        """Who serves a shard, 0 <= shard < n."""
        return self._by_shard[shard]

    def member_of_pair(self, blob_id: BlobId, pair: PairIndex) -> Member:
        """Who holds sliver pair `pair` of every segment of the blob, 0 <= pair < n."""
        return self._by_shard[shard_of_pair(blob_id, pair, self.shards)]

    @property
    def leaving(self) -> tuple[Member, ...]:
        """Members of the committee before that do not serve any more, and still keep shards that are on their way."""
        if self.previous is None:
            return ()
        kept = {self.previous.member_of_shard(shard).node_id for shard in self.pending}
        gone = kept - {member.node_id for member in self.members}
        return tuple(member for member in self.previous.members if member.node_id in gone)

    def keeper_of_shard(self, shard: ShardIndex) -> Member | None:
        """Who served a shard before, while it is on its way; none when its bytes are where they belong.

        The member is as the committee has it that it serves in now, or last served in.
        """
        if self.previous is None or shard not in self.pending:
            return None
        former = self.previous.member_of_shard(shard)
        return self.by_node(former.node_id) or former

    def holders_of_pair(self, blob_id: BlobId, pair: PairIndex) -> tuple[Member, ...]:
        """Who may hold sliver pair `pair` of the blob: who serves its shard, and who served it before while it moves.

        What was stored before the change the first may not have yet; what was stored since the second never gets.
        """
        shard = shard_of_pair(blob_id, pair, self.shards)
        owner, keeper = self._by_shard[shard], self.keeper_of_shard(shard)
        return (owner,) if keeper is None else (owner, keeper)

    def pairs_kept_by(self, node_id: NodeId, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The sliver pairs of a blob that a node keeps for others, ascending: those on shards on their way from it."""
        if self.previous is None:
            return ()
        kept = [shard for shard in self.pending if self.previous.member_of_shard(shard).node_id == node_id]
        return tuple(sorted(pair_on_shard(blob_id, shard, self.shards) for shard in kept))

    def pairs_of(self, member: Member, blob_id: BlobId) -> tuple[PairIndex, ...]:
        """The sliver pairs of a blob that the member holds, ascending; one for each of its shards."""
        return tuple(sorted(pair_on_shard(blob_id, shard, self.shards) for shard in member.shards))

    def by_signer(self, address: Address) -> Member | None:
        """The member whose key this is; none when nobody's."""
        return self._by_signer.get(address)

    def by_node(self, node_id: NodeId) -> Member | None:
        """The member that is this node; none when it does not serve."""
        return next((member for member in self.members if member.node_id == node_id), None)
