"""Whole levels of trees through `hashlib`, for where the compiled module is not to be had.

The functions are those of `_hashtree`, argument for argument: `walrus_chain.codec.hashing` chooses between the two.
"""

from __future__ import annotations

from hashlib import sha256

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import CHUNK_BYTES, ROOT_BYTES
from walrus_chain.codec.nodes import INNER_TAG, LEAF_TAG, PADDING


def sliver_leaves(sliver: Buffer, /) -> bytes:
    """The leaves over a sliver's chunks, concatenated."""
    # Names are local and the chunk size is spelled out because this loop is where the time goes.
    digest, data = sha256, bytes(sliver)
    return b"".join([digest(LEAF_TAG + data[i : i + 256]).digest() for i in range(0, len(data), CHUNK_BYTES)])


def parents(nodes: Buffer, height: int, /) -> bytes:
    """The nodes at `height + 1` over the nodes at `height`, both as their concatenation."""
    digest, data = sha256, bytes(nodes)
    if len(data) % (2 * ROOT_BYTES):
        data += PADDING[height]
    return b"".join([digest(INNER_TAG + data[i : i + 64]).digest() for i in range(0, len(data), 2 * ROOT_BYTES)])


def sliver_roots(slivers: list[Buffer], /) -> bytes:
    """The root of each sliver's tree, concatenated."""
    return b"".join([_sliver_root(sliver) for sliver in slivers])


def _sliver_root(sliver: Buffer) -> bytes:
    nodes, height = sliver_leaves(sliver), 0
    while len(nodes) > ROOT_BYTES:
        nodes, height = parents(nodes, height), height + 1
    return nodes
