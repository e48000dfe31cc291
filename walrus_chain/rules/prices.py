"""What nodes vote that storage costs. Unit price and write fee are counted each for itself.

Source: docs/spec/06-fees.md; the contract is `Prices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from walrus_chain.errors import NoQuorum
from walrus_chain.types import Wei


@dataclass(frozen=True, slots=True)
class PriceVote:
    """The least that a member wants to serve for."""

    weight: int
    """Its shards."""
    price: Wei | None
    """None when it never voted: it is content with the present price."""


def tally(votes: Sequence[PriceVote], quorum: int, present: Wei, maximum: Wei) -> Wei:
    """The price of the next epoch: the lowest one with which members that hold `quorum` shards are content.

    It is at least half and at most twice the present one plus one, so that zero can be left, and never above `maximum`.

    Raises: NoQuorum: all votes together hold fewer shards.
    """
    content = 0
    for price, weight in sorted((present if vote.price is None else vote.price, vote.weight) for vote in votes):
        content += weight
        if content >= quorum:
            return Wei(min(max(price, present // 2), 2 * present + 1, maximum))
    raise NoQuorum(quorum, content)
