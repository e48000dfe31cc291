"""How nodes behave: what they keep, what they prove, and when they run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b

from walrus_chain.codec.geometry import Geometry
from walrus_chain.rules.custody import Sample
from walrus_chain.types import Axis


class Rebuilding(Enum):
    """Where bytes come from that a node is asked for and does not have."""

    NEVER = "never"
    SYMBOLS = "symbols"
    """Single symbols of the slivers that cross the lost one: as many bytes as the sliver has."""
    SEGMENTS = "segments"
    """Whole segments, read as any client reads them."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to run a node. Whatever a node does not keep it does not fetch when shards come to it, either."""

    name: str
    keeps: float = 1.0
    """The fraction of its slivers that is on its disk."""
    rebuilding: Rebuilding = Rebuilding.NEVER
    proves_one_in: int = 1
    """It proves in one of so many windows, and does not even try in the others; 0 for never."""
    escapes: bool = False
    """After some epochs of service it drops everything, takes its own stake out at once, and begins again later."""

    @property
    def is_honest(self) -> bool:
        """Whether it keeps everything and proves always."""
        return self == HONEST

    def tries(self, window: int) -> bool:
        """Whether it means to prove in its `window`-th window."""
        return self.proves_one_in > 0 and window % self.proves_one_in == 0

    def has(self, node_id: int, sample: Sample) -> bool:
        """Whether the sliver of this place is on the node's disk: drawn once, by its name."""
        if self.keeps in (0, 1):
            return self.keeps == 1
        place = sample.place
        name = f"{node_id}/{sample.entry.blob_id.hex}/{place.segment}/{place.axis}/{place.pair}"
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") < self.keeps * 2**64

    def bytes_to_rebuild(self, shards: int, lacking: Iterable[Sample]) -> int | None:
        """What must be fetched to answer for these places; None when it would not."""
        if self.rebuilding is Rebuilding.NEVER:
            return None
        total = 0
        for sample in lacking:
            segment = Geometry(shards).blob(sample.entry.size).segment(sample.place.segment)
            alone = segment.sliver_bytes(sample.place.axis)
            whole = segment.rows * segment.sliver_bytes(Axis.PRIMARY)
            total += alone if self.rebuilding is Rebuilding.SYMBOLS else whole
        return total


HONEST = Strategy("honest")

CHEATS = (
    Strategy("drops 1 %", keeps=0.99),
    Strategy("drops 10 %", keeps=0.9),
    Strategy("drops 50 %", keeps=0.5),
    Strategy("drops everything", keeps=0),
    Strategy("drops and escapes", escapes=True),
    Strategy("never proves", proves_one_in=0),
    Strategy("proves every other time", proves_one_in=2),
    Strategy("rebuilds by symbols", keeps=0, rebuilding=Rebuilding.SYMBOLS),
    Strategy("rebuilds by reading", keeps=0, rebuilding=Rebuilding.SEGMENTS),
)
