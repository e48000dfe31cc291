"""Which way to heal a segment: symbol by symbol, or by decoding it. Pure arithmetic.

A node that lost some sliver pairs of a segment has two ways back:

* **symbols**: for each lost sliver the symbols where other slivers cross it: `columns` symbols for the primary,
  `rows` for the secondary, less those that cross pairs the node still has or has rebuilt before. Cheap for one pair:
  about a part in n of the segment.
* **decode**: `rows` primary slivers, the whole segment, from which every pair follows.

A pair that moved here with a new committee is first asked for as a whole (`Way.PAIR`): the node that served it before
still has it.

One pair in n = 30 costs 33 symbols one way and 252 the other; from the eleventh pair on decoding is cheaper. A request
costs time too, so each counts as `REQUEST_BYTES`: for small blobs, where bytes are nothing, fewer requests win.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from walrus_chain.codec.geometry import SegmentGeometry
from walrus_chain.types import Axis

#: What one request costs, expressed in bytes that could have been fetched in its time.
REQUEST_BYTES = 4096


class Way(StrEnum):
    """How a segment is healed."""

    PAIR = "pair"
    SYMBOLS = "symbols"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a way takes when nobody fails and nobody lies."""

    bytes: int
    requests: int

    @property
    def weight(self) -> int:
        """Both in one number, to compare by."""
        return self.bytes + self.requests * REQUEST_BYTES


def cost_of_symbols(geometry: SegmentGeometry, lost: int, held: int, pairs_per_node: int) -> Cost:
    """The cost of recovering `lost` pairs one after the other.

    Args:
        held: pairs of the segment that the node has; each gives a symbol for free, as does each pair once rebuilt.
        pairs_per_node: how many pairs one other node holds, at least 1; all their symbols come in one request.
    """
    symbols = requests = 0
    for own in range(held, held + lost):
        for axis in Axis:
            due = max(0, geometry.symbols(axis) - own)
            symbols += due
            requests += -(-due // pairs_per_node)
    return Cost(symbols * geometry.symbol_bytes, requests)


def cost_of_decoding(geometry: SegmentGeometry, held: int) -> Cost:
    """The cost of fetching enough primary slivers to decode the segment, `held` of which the node has."""
    slivers = max(0, geometry.needed(Axis.PRIMARY) - held)
    return Cost(slivers * geometry.sliver_bytes(Axis.PRIMARY), slivers)


def choose_way(geometry: SegmentGeometry, lost: int, held: int, pairs_per_node: int) -> Way:
    """The cheaper way to heal `lost` pairs of a segment of which the node holds `held` others."""
    symbols = cost_of_symbols(geometry, lost, held, pairs_per_node)
    return Way.SYMBOLS if symbols.weight < cost_of_decoding(geometry, held).weight else Way.DECODE
