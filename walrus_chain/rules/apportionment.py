"""From stake to shards: how many shards each candidate serves, which, and which of them move when stake does.

Written for the reader, from the rule itself: exact fractions, no heap. The contracts do it another way (library
`Apportionment`), and tests/vectors/apportionment.json holds both to the same result (invariant I11).

Source: docs/spec/04-committee.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from walrus_chain.codec.geometry import Geometry
from walrus_chain.errors import MalformedCommittee, UnfitCandidates
from walrus_chain.types import NodeId, ShardIndex, Wei


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that has the minimum stake."""

    stake: Wei
    """What stands behind it, above zero."""
    region: str
    """Where its disks stand."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most shards that one node and one region get."""

    node: int
    region: int


def caps_of(candidates: Sequence[Candidate], shards: int) -> Caps:
    """The lowest caps, from f on, with which the candidates can hold all shards.

    Raises: UnfitCandidates, UnsupportedGeometry: as `apportion`.
    """
    faults = Geometry(shards).faults
    _check(candidates)
    node = max(faults, -(-shards // len(candidates)))
    sizes = Counter(candidate.region for candidate in candidates).values()
    region = next(cap for cap in count(faults) if _room(sizes, Caps(node, cap)) >= shards)
    return Caps(node, region)


def apportion(candidates: Sequence[Candidate], shards: int) -> tuple[int, ...]:
    """How many shards each candidate gets; together they are `shards`.

    Args:
        candidates: in ascending order of their node ids, since ties go to the first.
        shards: n, 4..255.
    Raises:
        UnfitCandidates: there is no candidate, or one without stake.
        UnsupportedGeometry: n is out of bounds.
    """
    caps = caps_of(candidates, shards)
    weights = [0] * len(candidates)
    held: Counter[str] = Counter()
    for _ in range(shards):
        fit = [
            place
            for place, candidate in enumerate(candidates)
            if weights[place] < caps.node and held[candidate.region] < caps.region
        ]
        chosen = max(fit, key=lambda place: (Fraction(candidates[place].stake, weights[place] + 1), -place))
        weights[chosen] += 1
        held[candidates[chosen].region] += 1
    return tuple(weights)


def deal(weights: Sequence[int]) -> tuple[int, ...]:
    """Which member serves each shard 0..n-1, n being the sum of `weights`.

    In each round every member that is still owed a shard takes the next one, in member order.
    """
    rounds = max(weights, default=0)
    return tuple(member for taken in range(rounds) for member, weight in enumerate(weights) if weight > taken)


def reassign(owners: Sequence[NodeId], members: Sequence[NodeId], weights: Sequence[int]) -> tuple[int, ...]:
    """Which member serves each shard after a change of weights, so that as few shards move as can be.

    A shard stays with its node while that node's new weight has room, in the order of the shards. The others are dealt,
    ascending, in rounds as by `deal`, to the members that are still owed some. So exactly as many shards move as nodes
    had more before than they get now.

    Args:
        owners: the node that serves each shard 0..n-1 so far; 0 where none does.
        members: the nodes that are to serve, in ascending order of their ids.
        weights: how many shards each of `members` is to serve; together n.
    Raises: MalformedCommittee: members and weights do not fit each other, or the shards.
    """
    if len(members) != len(weights) or sum(weights) != len(owners):
        raise MalformedCommittee(
            f"{len(members)} members with {len(weights)} weights are to serve {sum(weights)} of {len(owners)} shards"
        )
    owed = list(weights)
    index = {node: place for place, node in enumerate(members)}
    assignment: list[int | None] = []
    for owner in owners:
        member = index.get(owner)
        stays = member is not None and owed[member] > 0
        assignment.append(member if stays else None)
        if member is not None and stays:
            owed[member] -= 1
    dealt = iter(deal(owed))
    return tuple(next(dealt) if member is None else member for member in assignment)


def moved_shards(
    owners: Sequence[NodeId], members: Sequence[NodeId], assignment: Sequence[int]
) -> tuple[ShardIndex, ...]:
    """The shards, ascending, whose node is another one after the change than before."""
    return tuple(
        ShardIndex(shard)
        for shard, (owner, member) in enumerate(zip(owners, assignment, strict=True))
        if members[member] != owner
    )


def _room(sizes: Iterable[int], caps: Caps) -> int:
    """How many shards regions of `sizes` nodes can hold."""
    return sum(min(caps.region, size * caps.node) for size in sizes)


def _check(candidates: Sequence[Candidate]) -> None:
    if not candidates:
        raise UnfitCandidates("there is none; a committee needs at least one node with the minimum stake")
    for place, candidate in enumerate(candidates):
        if candidate.stake <= 0:
            raise UnfitCandidates(f"candidate {place} has no stake; leave it out")
