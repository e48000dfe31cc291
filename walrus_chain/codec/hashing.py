"""Tagged SHA-256 trees: the one seam through which the codec hashes.

| node  | preimage                                    |
| ----- | ------------------------------------------- |
| leaf  | `00 || chunk`, a chunk is up to 256 bytes   |
| inner | `01 || left || right`                       |
| pair  | `02 || primary root || secondary root`      |

A tree over m items has depth `ceil(log2 m)`; missing items are 32 zero bytes, so whole missing subtrees are constants.

Source: docs/spec/03-commitment.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import CHUNK_BYTES, ROOT_BYTES

LEAF_TAG = b"\x00"
INNER_TAG = b"\x01"
PAIR_TAG = b"\x02"
BLOB_TAG = b"\x03"


def tree_depth(items: int) -> int:
    """Levels between the items of a tree and its root: `ceil(log2 items)`."""
    return (items - 1).bit_length()


def leaf_hash(chunk: Buffer) -> bytes:
    """The leaf over one chunk of a sliver."""
    return sha256(LEAF_TAG + chunk).digest()


def inner_hash(left: Buffer, right: Buffer) -> bytes:
    """The node over two nodes."""
    return sha256(b"".join((INNER_TAG, left, right))).digest()


def pair_hash(primary_root: Buffer, secondary_root: Buffer) -> bytes:
    """The node over the roots of a sliver pair."""
    return sha256(b"".join((PAIR_TAG, primary_root, secondary_root))).digest()


def _padding_nodes(levels: int) -> tuple[bytes, ...]:
    nodes = [bytes(ROOT_BYTES)]
    for _ in range(levels):
        nodes.append(inner_hash(nodes[-1], nodes[-1]))
    return tuple(nodes)


#: The root of a subtree of which all items are missing, by its height.
PADDING: tuple[bytes, ...] = _padding_nodes(64)


def _parents(nodes: bytes, height: int) -> bytes:
    """The nodes at `height + 1` over the nodes at `height`, both as their concatenation."""
    if len(nodes) % (2 * ROOT_BYTES):
        nodes += PADDING[height]
    digest = sha256
    return b"".join([digest(INNER_TAG + nodes[i : i + 64]).digest() for i in range(0, len(nodes), 64)])


def tree_levels(items: bytes) -> list[bytes]:
    """All levels of the tree over `items`, from the items up to the root.

    Args:
        items: at least one node of 32 bytes, concatenated.
    Returns: for each height 0..depth the concatenated nodes without padding; the last entry is the root.
    """
    levels = [items]
    while len(levels[-1]) > ROOT_BYTES:
        levels.append(_parents(levels[-1], len(levels) - 1))
    return levels


def tree_root(items: bytes) -> bytes:
    """The root of the tree over `items`: at least one node of 32 bytes, concatenated."""
    return tree_levels(items)[-1]


def sliver_leaves(sliver: Buffer) -> bytes:
    """The leaves over a sliver's chunks, concatenated."""
    digest, data = sha256, bytes(sliver)
    return b"".join([digest(LEAF_TAG + data[i : i + 256]).digest() for i in range(0, len(data), CHUNK_BYTES)])


def sliver_levels(sliver: Buffer) -> list[bytes]:
    """All levels of the tree over a sliver, leaves first, as in `tree_levels`."""
    return tree_levels(sliver_leaves(sliver))


def sliver_roots(slivers: Sequence[Buffer]) -> list[bytes]:
    """The root of each sliver's tree."""
    return [tree_root(sliver_leaves(sliver)) for sliver in slivers]
