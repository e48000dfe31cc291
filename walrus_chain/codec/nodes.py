"""Single nodes of the trees: what is hashed, and with which tag in front.

| node  | preimage                                    |
| ----- | ------------------------------------------- |
| leaf  | `00 || chunk`, a chunk is up to 256 bytes   |
| inner | `01 || left || right`                       |
| pair  | `02 || primary root || secondary root`      |

Source: docs/spec/03-commitment.md.
"""

from __future__ import annotations

from hashlib import sha256

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import ROOT_BYTES

LEAF_TAG = b"\x00"
INNER_TAG = b"\x01"
PAIR_TAG = b"\x02"
BLOB_TAG = b"\x03"


def leaf_hash(chunk: Buffer) -> bytes:
    """The leaf over one chunk of a sliver."""
    return sha256(LEAF_TAG + chunk).digest()


def inner_hash(left: Buffer, right: Buffer) -> bytes:
    """The node over two nodes."""
    return sha256(b"".join((INNER_TAG, left, right))).digest()


def pair_hash(primary_root: Buffer, secondary_root: Buffer) -> bytes:
    """The node over the roots of a sliver pair."""
    return sha256(b"".join((PAIR_TAG, primary_root, secondary_root))).digest()


def _padding_nodes(heights: int) -> tuple[bytes, ...]:
    nodes = [bytes(ROOT_BYTES)]
    while len(nodes) < heights:
        nodes.append(inner_hash(nodes[-1], nodes[-1]))
    return tuple(nodes)


#: The root of a subtree of which all items are missing, by its height.
PADDING: tuple[bytes, ...] = _padding_nodes(64)
