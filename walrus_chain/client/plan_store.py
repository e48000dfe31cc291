"""Who gets which slivers, what to do when a node fails, and whether a quorum can still be reached. Pure.

Source: docs/guides/storing.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from walrus_chain.codec.geometry import BlobGeometry
from walrus_chain.errors import AgentRefused, AgentTimedOut, AgentUnreachable, WalrusError
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.types import BlobId, PairIndex

#: Tries at one request; an agent that fails the last one is left to heal itself from the others.
MAX_ATTEMPTS = 4
#: With these codes an agent says that what it is sent, or asked to attest, belongs to another committee's node.
MISDIRECTED = frozenset({"CommitteeChanged", "ForeignPair", "NotServing"})
#: How long whoever has not seen a new committee yet, a node or the chain's endpoint, is given before another look.
BEHIND_SECONDS = 1.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class Send:
    """One request to a member: sliver pairs of one segment."""

    segment: int
    pairs: tuple[PairIndex, ...]
    with_metadata: bool
    """The member may not have the blob's metadata yet."""
    attest: bool
    """The member will have everything after this: ask for its attestation."""


def plan_member(
    committee: Committee,
    member: Member,
    blob_id: BlobId,
    geometry: BlobGeometry,
    missing: Collection[tuple[int, PairIndex]] | None = None,
) -> list[Send]:
    """The requests that bring a member all that it must hold of a blob, in the order of the segments.

    Args:
        missing: (segment, pair) that the member says it misses; None when it may miss everything.
    """
    pairs = committee.pairs_of(member, blob_id)
    due = {
        segment: tuple(pair for pair in pairs if missing is None or (segment, pair) in missing)
        for segment in range(geometry.segments)
    }
    segments = [segment for segment, wanted in due.items() if wanted]
    return [
        Send(segment, due[segment], with_metadata=place == 0, attest=place == len(segments) - 1)
        for place, segment in enumerate(segments)
    ]


def pause_before_retry(error: WalrusError, attempt: int) -> float | None:
    """Seconds to wait before the same request goes to the same agent once more; None to give the agent up.

    Args:
        attempt: how often it was tried, from 1.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    pause: float = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE)
    match error:
        case AgentRefused(retryable=True, retry_after=seconds):
            return pause if seconds is None else min(max(seconds, pause), _LONGEST_PAUSE)
        # An agent that is not there is tried once more only: it may just have been restarted.
        case AgentUnreachable() | AgentTimedOut() if attempt == 1:
            return pause
        case _:
            return None


class Tally:
    """Which members attested, which failed, and whether the rest can still make a quorum."""

    def __init__(self, committee: Committee) -> None:
        self._quorum = committee.quorum
        self._open = {member.index: member.weight for member in committee.members}
        self._weight = 0
        self._failures: dict[int, str] = {}

    @property
    def weight(self) -> int:
        """Shards whose attestation arrived."""
        return self._weight

    @property
    def reached(self) -> bool:
        """Whether the attestations make a quorum."""
        return self._weight >= self._quorum

    @property
    def hopeless(self) -> bool:
        """Whether not even all members that are still open could make a quorum."""
        return self._weight + sum(self._open.values()) < self._quorum

    @property
    def failures(self) -> Mapping[int, str]:
        """Why members failed, by member index."""
        return MappingProxyType(self._failures)

    def attested(self, member: int) -> None:
        """A member's attestation came and verified."""
        self._weight += self._open.pop(member, 0)

    def failed(self, member: int, why: str) -> None:
        """A member was given up."""
        if self._open.pop(member, None) is not None:
            self._failures[member] = why
