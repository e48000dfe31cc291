"""Which slivers to ask whom for, so that a segment can be decoded soon. Pure: told what happened, says what to ask.

Any `rows` primary slivers give a segment back, and the systematic ones without decoding, so those are asked for first,
unless their agent is known to be slow, failing or lying. What fails is replaced at once by the next best; slow answers
are overtaken, which means that others are asked too. Secondary slivers are the last resort, where too few agents have
their primaries: `columns` of them are needed.

While a shard is on its way to another node, either node may have what is on it: who serves it now is asked first, and
who served it before when that one does not have it.

Source: docs/guides/reading.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from walrus_chain.client.reputation import Standing
from walrus_chain.codec.geometry import BlobGeometry, SegmentGeometry
from walrus_chain.codec.ranges import RowRun, plan_range
from walrus_chain.types import Axis, PairIndex

#: For each pair the places of the agents that may hold it, who serves its shard first.
Holders: TypeAlias = "Sequence[tuple[int, ...]]"


@dataclass(frozen=True, slots=True)
class Fetch:
    """A question to a member: for its sliver of `axis` in `pair`, or for a part of it."""

    axis: Axis
    pair: PairIndex
    member: int
    """Place of the agent in the `ReadContext`: the member index, for members."""

    @property
    def place(self) -> tuple[Axis, PairIndex]:
        """Which sliver it is for, whoever is asked."""
        return self.axis, self.pair


class Quota:
    """Any `needed` different slivers out of the candidates, best first."""

    def __init__(self, needed: int, candidates: Iterable[Fetch], held: int = 0) -> None:
        """
        Args:
            needed: how many have to arrive.
            candidates: in the order in which they should be asked. Where several are for the same sliver, the next of
                them is asked when the one before failed or is overtaken.
            held: how many are here already.
        """
        self.needed = needed
        self._waiting = list(candidates)[::-1]
        self._asked: dict[tuple[Axis, PairIndex], Fetch] = {}
        self._late: set[Fetch] = set()
        self._arrived: set[tuple[Axis, PairIndex]] = set()
        self._held = held

    @property
    def complete(self) -> bool:
        """Whether enough arrived."""
        return self.have >= self.needed

    @property
    def hopeless(self) -> bool:
        """Whether it can no longer become complete."""
        open_ = {fetch.place for fetch in (*self._asked.values(), *self._late, *self._waiting)}
        return self.have + len(open_ - self._arrived) < self.needed

    @property
    def have(self) -> int:
        """How many arrived."""
        return self._held + len(self._arrived)

    def next(self) -> list[Fetch]:
        """What to ask for now, so that as many as are needed are on their way."""
        fetches: list[Fetch] = []
        put_off: list[Fetch] = []
        while self._waiting and self.have + len(self._asked) < self.needed:
            fetch = self._waiting.pop()
            if fetch.place in self._asked:
                put_off.append(fetch)
            elif fetch.place not in self._arrived:
                self._asked[fetch.place] = fetch
                fetches.append(fetch)
        # Asked before all others, should who is asked now fail.
        self._waiting += reversed(put_off)
        return fetches

    def overtake(self, fetch: Fetch) -> None:
        """An answer is slow: `next` asks somebody else too. It counts still when it comes."""
        if self._asked.get(fetch.place) == fetch:
            del self._asked[fetch.place]
            self._late.add(fetch)

    def arrived(self, fetch: Fetch) -> None:
        """An answer came and verified."""
        self.failed(fetch)
        self._arrived.add(fetch.place)

    def failed(self, fetch: Fetch) -> None:
        """No answer will come, or one came that does not verify."""
        if self._asked.get(fetch.place) == fetch:
            del self._asked[fetch.place]
        self._late.discard(fetch)


class SegmentPlan:
    """How to get one segment: primary slivers, and secondary ones when those do not suffice."""

    def __init__(
        self,
        geometry: SegmentGeometry,
        holders: Holders,
        standing: Callable[[int], Standing],
        held: Collection[tuple[Axis, PairIndex]] = (),
    ) -> None:
        """
        Args:
            standing: what is thought of an agent.
            held: slivers that are here and verified already.
        """
        self._quotas = {axis: _quota(axis, geometry, holders, standing, held) for axis in Axis}
        self._active = [Axis.PRIMARY]

    @property
    def complete(self) -> bool:
        """Whether one axis has enough slivers."""
        return any(quota.complete for quota in self._quotas.values())

    @property
    def hopeless(self) -> bool:
        """Whether neither axis can become complete."""
        return all(quota.hopeless for quota in self._quotas.values())

    @property
    def nearest(self) -> tuple[int, int]:
        """What arrived and what is needed, of the axis that is nearer to being complete."""
        quota = min(self._quotas.values(), key=lambda quota: quota.needed - quota.have)
        return quota.have, quota.needed

    def next(self) -> list[Fetch]:
        """What to ask for now."""
        if self._quotas[Axis.PRIMARY].hopeless and Axis.SECONDARY not in self._active:
            self._active = [Axis.SECONDARY]
        return [fetch for axis in self._active for fetch in self._quotas[axis].next()]

    def overtake(self, fetch: Fetch) -> None:
        """A sliver is slow to come: `next` asks for another one too. It counts still when it comes."""
        self._quotas[fetch.axis].overtake(fetch)

    def arrived(self, fetch: Fetch) -> None:
        """A sliver came and verified."""
        self._quotas[fetch.axis].arrived(fetch)

    def failed(self, fetch: Fetch) -> None:
        """A sliver will not come, or one came that does not verify."""
        self._quotas[fetch.axis].failed(fetch)


def _quota(
    axis: Axis,
    geometry: SegmentGeometry,
    holders: Holders,
    standing: Callable[[int], Standing],
    held: Collection[tuple[Axis, PairIndex]],
) -> Quota:
    pairs = [PairIndex(pair) for pair in range(geometry.shards) if (axis, pair) not in held]
    have = sum(held_axis is axis for held_axis, _ in held)
    return Quota(geometry.needed(axis), _candidates(axis, pairs, holders, standing), have)


def _candidates(
    axis: Axis, pairs: Iterable[PairIndex], holders: Holders, standing: Callable[[int], Standing]
) -> list[Fetch]:
    """Whom to ask for which of `pairs`, best first."""
    fetches = [Fetch(axis, pair, member) for pair in pairs for member in holders[pair]]
    # Stable: among agents of equal standing the systematic pairs come first, in order.
    return sorted(fetches, key=lambda fetch: standing(fetch.member))


def sliver_for_run(row: PairIndex, holders: Holders) -> Quota:
    """The primary sliver in which a run of chunks lies."""
    return Quota(1, [Fetch(Axis.PRIMARY, row, member) for member in holders[row]])


def others_for_run(
    row: PairIndex, geometry: SegmentGeometry, holders: Holders, standing: Callable[[int], Standing]
) -> Quota:
    """The primary slivers whose same run of chunks gives the run of a lost systematic one back."""
    pairs = [PairIndex(pair) for pair in range(geometry.shards) if pair != row]
    return Quota(geometry.rows, _candidates(Axis.PRIMARY, pairs, holders, standing))


@dataclass(frozen=True, slots=True)
class WholeSegment:
    """Read all of a segment, hand out its bytes `[start, stop)`."""

    segment: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class PartOfSegment:
    """Read only the runs of chunks that hold the bytes asked for."""

    segment: int
    runs: tuple[RowRun, ...]
    start: int
    stop: int


def plan_blob(
    geometry: BlobGeometry, start: int, stop: int, *, only_whole: bool = False
) -> list[WholeSegment | PartOfSegment]:
    """How to read the bytes `[start, stop)` of a blob, segment by segment.

    A part is read by runs of chunks where that saves at least half of the segment; else its slivers are read whole.

    Args:
        only_whole: never by runs, as a strict check needs whole segments.
    Raises: RangeOutsideBlob: the blob does not have all these bytes.
    """
    steps: list[WholeSegment | PartOfSegment] = []
    by_segment: dict[int, list[RowRun]] = {}
    for run in plan_range(geometry, start, stop):
        by_segment.setdefault(run.segment, []).append(run)
    for index, runs in by_segment.items():
        segment = geometry.segment(index)
        base = index * geometry.segment(0).length
        inner_start, inner_stop = max(start - base, 0), min(stop - base, segment.length)
        if only_whole or 2 * (inner_stop - inner_start) > segment.length:
            steps.append(WholeSegment(index, inner_start, inner_stop))
        else:
            steps.append(PartOfSegment(index, tuple(runs), inner_start, inner_stop))
    return steps
