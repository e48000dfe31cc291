"""What there is to do for a blob: a pure function of its standing, the epoch and what is on the disk.

Work is never remembered because something happened; it is derived from how things are. So replaying, restarting and
undoing a reorganisation all end in the same work (invariant I12), and a piece of work that became pointless vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage_agent.state.objects import Standing
from walrus_chain.types import Epoch


class WorkKind(StrEnum):
    """A kind of work; with the blob it makes the key under which work is done once."""

    HEAL = "heal"
    """Fetch or rebuild what the node should hold of a certified blob and does not."""
    FREE = "free"
    """Drop what the node holds of a blob that nobody pays for any more."""
    TRIM = "trim"
    """Drop the pairs of a blob whose shards are other nodes' now."""
    COLLECT = "collect"
    """Delete the packs that nothing refers to any more from the store; concerns no single blob."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the node has of a blob."""

    complete: bool
    """The metadata and every pair of every segment that the node must hold are durable."""
    empty: bool
    """Neither metadata nor any pair is here."""
    unsound: bool = False
    """The node found that the blob does not encode to its id: what is missing of it can never be healed."""
    surplus: bool = False
    """Something is here that the node has neither to serve nor to keep for another node."""


def plan(standing: Standing, epoch: Epoch, holding: Holding, settled: bool) -> WorkKind | None:
    """The work that a blob needs now, if any.

    Healing comes before trimming: what is too much of a blob helps to bring back what is missing of it.

    Args:
        settled: the chain was followed up to where it had been followed before. While facts are replayed a live blob
            may look unregistered, so nothing is freed until they are all in again. A shard may look somebody else's
            then, too; but trimming, of which there may be very much, stays on the list meanwhile and is not done.
    """
    if standing.is_certified(epoch) and not (holding.complete or holding.unsound):
        return WorkKind.HEAL
    if holding.empty:
        return None
    if not standing.is_due(epoch):
        return WorkKind.FREE if settled else None
    return WorkKind.TRIM if holding.surplus else None
