"""Merkle trees over the slivers served last, so that a run of chunks costs a read of those chunks only.

A tree takes about a quarter of its sliver; the least recently used ones are dropped when all together exceed the limit.
Whoever asks verifies the path anyway, so a tree over a sliver that has rotted since can do no harm.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from walrus_chain.codec.geometry import ROOT_BYTES
from walrus_chain.codec.merkle import SliverTree


class TreeCache:
    """Sliver trees by key, at most `limit` bytes of nodes together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._trees: OrderedDict[Hashable, SliverTree] = OrderedDict()
        self.used = 0
        """Bytes of nodes in memory, about."""

    def get(self, key: Hashable) -> SliverTree | None:
        """The tree, if it is here; it counts as used now."""
        tree = self._trees.get(key)
        if tree is not None:
            self._trees.move_to_end(key)
        return tree

    def put(self, key: Hashable, tree: SliverTree) -> None:
        """Keep a tree, unless it alone exceeds the limit."""
        size = _tree_bytes(tree)
        if size > self._limit or key in self._trees:
            return
        self._trees[key] = tree
        self.used += size
        while self.used > self._limit:
            _, dropped = self._trees.popitem(last=False)
            self.used -= _tree_bytes(dropped)


def _tree_bytes(tree: SliverTree) -> int:
    return 2 * tree.chunks * ROOT_BYTES
