"""Following a chain that may reorganise: pure.

The agent remembers some of the blocks up to which it has taken the chain's facts: its *trail*. The first block of the
trail, the *anchor*, is the last one before the network's contracts. When the newest remembered block is no longer part
of the chain, the newest one that still is tells from where to take the facts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage_agent.state.facts import Located, Registered
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.errors import FactsMissing, OtherChain
from walrus_chain.types import BlobObjectId, Epoch


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the chain was followed: everything up to and including `block` is in the catalogue."""

    block: BlockRef
    epoch: Epoch
    """The epoch that the block's clock shows."""
    last_object: BlobObjectId
    """The newest object that was registered up to here; 0 when there is none."""


class AncestorSearch:
    """Finds the newest block of a trail that is still part of the chain, by bisection.

    Ask the chain for the block numbered `probe`, tell its hash to `answer`, until `probe` is none; then `found` holds
    the block. Where one block of the trail is part of the chain, all before it are.
    """

    def __init__(self, trail: Sequence[Cursor]) -> None:
        """
        Args:
            trail: in ascending order, the anchor first; the last one is known to be orphaned.
        """
        self._trail = trail
        self._lowest_unknown = 0
        self._orphaned = len(trail) - 1

    @property
    def probe(self) -> int | None:
        """The number of the block to ask the chain for; none when the search is over."""
        if self._lowest_unknown >= self._orphaned:
            return None
        return self._trail[self._middle].block.number

    def answer(self, block_hash: bytes) -> None:
        """Takes the hash that the chain's block numbered `probe` has now."""
        if block_hash == self._trail[self._middle].block.hash:
            self._lowest_unknown = self._middle + 1
        else:
            self._orphaned = self._middle

    @property
    def found(self) -> Cursor:
        """The newest block of the trail that is part of the chain.

        Raises: OtherChain: not even the anchor is; this is another chain, or it was started afresh.
        """
        if self._lowest_unknown == 0:
            anchor = self._trail[0].block
            raise OtherChain(anchor.number, anchor.hash)
        return self._trail[self._lowest_unknown - 1]

    @property
    def _middle(self) -> int:
        return (self._lowest_unknown + self._orphaned) // 2


def step_back(trail: Sequence[Cursor], attempt: int) -> Cursor:
    """From where to read again when facts turned out to be missing.

    What is missing may have been lost since the newest object that is known, so that is where the first attempt goes;
    each further one goes back twice as far, at most to the anchor.

    Args:
        trail: in ascending order, the anchor first.
        attempt: 0, 1, 2, ...: how often going back did not help so far.
    """
    older = [place for place, cursor in enumerate(trail) if cursor.last_object < trail[-1].last_object]
    newest_older = older[-1] if older else 0
    return trail[max(0, newest_older - ((1 << min(attempt, 32)) - 1))]


def last_object_after(last_object: BlobObjectId, facts: Sequence[Located]) -> BlobObjectId:
    """The newest object after `facts`, the next ones in chain order.

    Objects are numbered 1, 2, 3, ... in chain order, which tells when an endpoint left facts out.

    Raises: FactsMissing: a number was skipped or came twice.
    """
    for located in facts:
        if isinstance(located.fact, Registered):
            if located.fact.blob_object != last_object + 1:
                raise FactsMissing(f"object {located.fact.blob_object} right after object {last_object}")
            last_object = located.fact.blob_object
    return last_object
