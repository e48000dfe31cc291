"""The optional compiled half of `walrus_chain.codec.hashing`; importing it fails where it was not built."""

from walrus_chain.codec.buffers import Buffer

def sliver_leaves(sliver: Buffer, /) -> bytes:
    """The leaves over a sliver's chunks, concatenated."""

def parents(nodes: Buffer, height: int, /) -> bytes:
    """The nodes at `height + 1` over the nodes at `height`, both as their concatenation."""

def sliver_roots(slivers: list[Buffer], /) -> bytes:
    """The root of each sliver's tree, concatenated."""

def instructions() -> tuple[str, ...]:
    """The instruction sets of this processor, beyond those all x86-64 have, that the module makes use of."""

def use(*names: str) -> None:
    """Hash by these instruction sets only from now on: for tests and benchmarks.

    Raises: ValueError: the processor has no such instruction set.
    """
