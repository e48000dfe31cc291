"""Merkle trees over slivers, and paths for runs of items.

A *run* is `count` neighbouring items of a tree. Its path holds, level by level from the items up, the node left of the
run where the run starts at an odd place, then the node right of it where it ends at an even place. Padding nodes are
spelled out, so a path for one item has exactly `tree_depth` nodes, and the number of nodes of each path follows from
the place of the run alone: nothing in a path is optional.

Source: docs/spec/03-commitment.md; vectors in tests/vectors/merkle.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from walrus_chain.codec import hashing
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import CHUNK_BYTES, ROOT_BYTES
from walrus_chain.codec.nodes import PADDING
from walrus_chain.errors import CommitmentMismatch, RangeOutsideBlob, WrongLength


def sliver_root(sliver: Buffer) -> bytes:
    """The root of the tree over the chunks of `sliver`."""
    [root] = hashing.sliver_roots([sliver])
    return root


class SliverTree:
    """The whole tree over one sliver, for cutting paths out of it. Takes about a quarter of the sliver's bytes."""

    __slots__ = ("_levels", "chunks", "root")

    def __init__(self, sliver: Buffer) -> None:
        self._levels = hashing.sliver_levels(sliver)
        self.root: Final = self._levels[-1]
        self.chunks: Final = len(self._levels[0]) // ROOT_BYTES

    def prove_run(self, first: int, count: int) -> list[bytes]:
        """The path for the run of `count` chunks from chunk `first` on.

        Raises: RangeOutsideBlob: the run is empty or leaves the sliver.
        """
        return run_path(self._levels, first, count)


def run_path(levels: Sequence[bytes], first: int, count: int) -> list[bytes]:
    """The path for a run of items.

    Args:
        levels: all levels of the tree, as `hashing.tree_levels` gives them.
    Raises: RangeOutsideBlob: the run is empty or leaves the tree.
    """
    _check_run(len(levels[0]) // ROOT_BYTES, first, count)
    path = []
    left, right = first, first + count - 1
    for height, nodes in enumerate(levels[:-1]):
        if left & 1:
            path.append(nodes[(left - 1) * ROOT_BYTES : left * ROOT_BYTES])
        if not right & 1:
            path.append(nodes[(right + 1) * ROOT_BYTES : (right + 2) * ROOT_BYTES] or PADDING[height])
        left, right = left >> 1, right >> 1
    return path


def path_nodes(items: int, first: int, count: int) -> int:
    """The number of nodes in the path for a run of `count` out of `items`, from item `first` on."""
    _check_run(items, first, count)
    left, right, nodes = first, first + count - 1, 0
    for _ in range(hashing.tree_depth(items)):
        nodes += (left & 1) + (1 - (right & 1))
        left, right = left >> 1, right >> 1
    return nodes


def fold_run(items: int, first: int, run: bytes, path: Sequence[bytes]) -> bytes:
    """The root that `run` and `path` lead to.

    Args:
        items: items in the whole tree.
        first: place of the run's first item.
        run: the nodes of the run, concatenated.
    Raises:
        RangeOutsideBlob: the run is empty or leaves the tree.
        WrongLength: the path, or a node of it, is too long or too short.
    """
    count = len(run) // ROOT_BYTES
    expected = path_nodes(items, first, count)
    if len(path) != expected or any(len(node) != ROOT_BYTES for node in path):
        raise WrongLength("a Merkle path", expected * ROOT_BYTES, sum(len(node) for node in path))
    siblings = iter(path)
    left, right = first, first + count - 1
    for height in range(hashing.tree_depth(items)):
        before = next(siblings) if left & 1 else b""
        after = b"" if right & 1 else next(siblings)
        run = hashing.parents(b"".join((before, run, after)), height)
        left, right = left >> 1, right >> 1
    return run


def verify_run(root: bytes, leaf_count: int, first: int, chunks: Buffer, path: Sequence[bytes]) -> None:
    """Accept a run of chunks as part of the sliver with the root `root`, or raise.

    Args:
        leaf_count: chunks of the whole sliver, from its geometry.
        first: place of the run's first chunk.
        chunks: the bytes of the run: whole chunks, except that the sliver's last one may be shorter. That it has
            its due length is the caller's to check, by `SegmentGeometry.chunk_bytes`.
    Raises:
        CommitmentMismatch: bytes and path do not lead to `root`.
        RangeOutsideBlob: the run is empty or leaves the sliver.
        WrongLength: the path is too long or too short.
    """
    leaves = hashing.sliver_leaves(chunks)
    actual = fold_run(leaf_count, first, leaves, path)
    if actual != root:
        what = f"the run of {len(leaves) // ROOT_BYTES} chunks from byte {first * CHUNK_BYTES} of a sliver"
        raise CommitmentMismatch(what, root, actual)


def _check_run(items: int, first: int, count: int) -> None:
    if first < 0 or count < 1 or first + count > items:
        raise RangeOutsideBlob(f"run of {count} from place {first} in a tree of {items}")
