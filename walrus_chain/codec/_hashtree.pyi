"""The optional compiled half of `walrus_chain.codec.hashing`; importing it fails where it was not built."""

from walrus_chain.codec.buffers import Buffer

def sliver_leaves(sliver: Buffer, /) -> bytes:
    """The leaves over a sliver's chunks, concatenated."""

def parents(nodes: Buffer, height: int, /) -> bytes:
    """The nodes at `height + 1` over the nodes at `height`, both as their concatenation."""

def sliver_roots(slivers: list[Buffer], /) -> bytes:
    """The root of each sliver's tree, concatenated."""
