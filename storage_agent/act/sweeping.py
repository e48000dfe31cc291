"""Finds blob objects that are over among those that nodes may be asked about, a page at a time.

Nobody has to look through all of them: every agent looks at another page each epoch, so together they see everything,
and no agent's work grows with the number of objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from walrus_chain.types import BlobObjectId, Epoch

#: Entries that are looked at in one go.
PAGE_ENTRIES: Final = 200
#: Entries that one transaction removes.
MOST_REMOVALS: Final = 50


class EntrySource(Protocol):
    """Whoever knows what nodes may be asked about; `walrus_chain.chain.economy.Economy` does."""

    async def entry_counts(self) -> tuple[int, ...]:
        """How many objects each size class has, those included that are over."""

    async def entries(self, size_class: int, first: int, count: int) -> tuple[BlobObjectId, ...]:
        """The objects of a class at `first` to `first + count - 1`, as many as there are."""

    async def asked_until(self, blob_objects: Sequence[BlobObjectId]) -> tuple[Epoch, ...]:
        """For each object the first epoch in which nodes are not asked about it any more; 0 when it is invalid."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Entries of one size class that are over."""

    size_class: int
    indexes: tuple[int, ...]
    """In descending order, as the contract takes them."""


async def find_removal(source: EntrySource, epoch: Epoch, share: float) -> Removal | None:
    """Entries that may be removed in `epoch`, from one page; none when all of its objects are still asked about.

    Args:
        share: which page: 0 to below 1, of all entries.
    Raises: what endpoints raise.
    """
    counts = await source.entry_counts()
    if not any(counts):
        return None
    size_class, index = 0, int(share * sum(counts))
    while index >= counts[size_class]:
        index -= counts[size_class]
        size_class += 1
    first = index - index % PAGE_ENTRIES
    objects = await source.entries(size_class, first, PAGE_ENTRIES)
    ends = await source.asked_until(objects)
    over = [first + place for place, until in enumerate(ends) if until <= epoch]
    return Removal(size_class, tuple(reversed(over[-MOST_REMOVALS:]))) if over else None
