"""Trees over items and slivers: the one seam through which the codec hashes in bulk.

A tree over m items has depth `ceil(log2 m)`; missing items are 32 zero bytes, so whole missing subtrees are constants.

Slivers are hashed by the compiled `_hashtree` where it was built, and by `portable_tree` elsewhere. Nothing chooses
between them but what is there, and both give the same bytes.

Source: docs/spec/03-commitment.md; docs/adr/0005-compiled-sliver-trees.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from walrus_chain.codec import portable_tree
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import ROOT_BYTES

try:
    from walrus_chain.codec import _hashtree
except ImportError:
    COMPILED = False
    sliver_leaves = portable_tree.sliver_leaves
    parents = portable_tree.parents
    _sliver_roots = portable_tree.sliver_roots
else:
    #: Whether slivers are hashed by the compiled module.
    COMPILED = True
    sliver_leaves = _hashtree.sliver_leaves
    parents = _hashtree.parents
    _sliver_roots = _hashtree.sliver_roots


def tree_depth(items: int) -> int:
    """Levels between the items of a tree and its root: `ceil(log2 items)`."""
    return (items - 1).bit_length()


def tree_levels(items: bytes) -> list[bytes]:
    """All levels of the tree over `items`, from the items up to the root.

    Args:
        items: at least one node of 32 bytes, concatenated.
    Returns: for each height 0..depth the concatenated nodes without padding; the last entry is the root.
    """
    levels = [items]
    while len(levels[-1]) > ROOT_BYTES:
        levels.append(parents(levels[-1], len(levels) - 1))
    return levels


def tree_root(items: bytes) -> bytes:
    """The root of the tree over `items`: at least one node of 32 bytes, concatenated."""
    return tree_levels(items)[-1]


def sliver_levels(sliver: Buffer) -> list[bytes]:
    """All levels of the tree over a sliver, leaves first, as in `tree_levels`."""
    return tree_levels(sliver_leaves(sliver))


def sliver_roots(slivers: Sequence[Buffer]) -> list[bytes]:
    """The root of each sliver's tree. The compiled module lets other threads run meanwhile."""
    roots = _sliver_roots(list(slivers))
    return [roots[start : start + ROOT_BYTES] for start in range(0, len(roots), ROOT_BYTES)]
