"""Trees over slivers: the compiled module, where it is built, and the portable one against the definition."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import combinations
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec import hashing, portable_tree
from walrus_chain.codec.nodes import PADDING, inner_hash, leaf_hash

#: Each way to hash on this machine, by name: the instruction sets allowed, or None for the portable module.
WAYS: dict[str, tuple[str, ...] | None] = {"portable": None}
if hashing.COMPILED:
    from walrus_chain.codec import _hashtree

    SETS = _hashtree.instructions()
    WAYS |= {"+".join(some) or "sse2": some for count in range(len(SETS) + 1) for some in combinations(SETS, count)}


@pytest.fixture(scope="module", params=WAYS)
def backend(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """A module that hashes whole levels, set to one of its ways."""
    allowed = WAYS[request.param]
    if allowed is None:
        yield portable_tree
        return
    _hashtree.use(*allowed)
    yield _hashtree
    _hashtree.use(*SETS)


def sliver_of(size: int, seed: int) -> bytes:
    """`size` bytes in which no two chunks are alike."""
    return b"".join(sha256(f"{seed}/{block}".encode()).digest() for block in range(size // 32 + 1))[:size]


@given(size=st.integers(1, 5000) | st.integers(1, 40).map(lambda chunks: 256 * chunks), seed=st.integers(0, 999))
@settings(deadline=None)
def test_sliver_leaves__one_for_each_chunk(backend: ModuleType, size: int, seed: int) -> None:
    sliver = sliver_of(size, seed)
    leaves = b"".join(leaf_hash(sliver[start : start + 256]) for start in range(0, size, 256))
    assert backend.sliver_leaves(sliver) == leaves


def test_sliver_leaves__last_chunk_of_each_length(backend: ModuleType) -> None:
    sliver = sliver_of(512, 1)
    first = leaf_hash(sliver[:256])
    for size in range(1, 257):
        assert backend.sliver_leaves(sliver[: 256 + size]) == first + leaf_hash(sliver[256 : 256 + size])


@given(count=st.integers(1, 70), height=st.integers(0, 40), seed=st.integers(0, 999))
@settings(deadline=None)
def test_parents__of_each_two_nodes_and_padding(backend: ModuleType, count: int, height: int, seed: int) -> None:
    nodes = sliver_of(32 * count, seed)
    cut = [nodes[start : start + 32] for start in range(0, len(nodes), 32)]
    if count % 2:
        cut.append(PADDING[height])
    above = b"".join(inner_hash(left, right) for left, right in zip(cut[::2], cut[1::2], strict=True))
    assert backend.parents(nodes, height) == above


@given(sizes=st.lists(st.integers(1, 9000), max_size=6), seed=st.integers(0, 999))
@settings(deadline=None)
def test_sliver_roots__are_the_tops_of_the_levels(backend: ModuleType, sizes: list[int], seed: int) -> None:
    slivers = [sliver_of(size, seed + size) for size in sizes]
    expected = b"".join(hashing.tree_root(backend.sliver_leaves(sliver)) for sliver in slivers)
    assert backend.sliver_roots([memoryview(sliver) for sliver in slivers]) == expected
    assert backend.sliver_roots([bytearray(sliver) for sliver in slivers]) == expected


def test_sliver_roots__large_slivers_at_odd_addresses(backend: ModuleType) -> None:
    data = sliver_of(300_001, 5)
    for start in (0, 1, 7, 33):
        part = memoryview(data)[start : start + 299_008 + start]
        assert backend.sliver_roots([part]) == portable_tree.sliver_roots([bytes(part)])


def test_compiled__refuses_what_is_no_sliver() -> None:
    if not hashing.COMPILED:
        assert hashing.sliver_leaves is portable_tree.sliver_leaves
        return
    with pytest.raises(ValueError, match="never empty"):
        _hashtree.sliver_roots([b"x", b""])
    with pytest.raises(TypeError):
        _hashtree.sliver_roots([b"x", "text"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="list"):
        _hashtree.sliver_roots((b"x",))  # type: ignore[arg-type]
    with pytest.raises(BufferError):
        _hashtree.sliver_leaves(memoryview(bytes(600))[::2])
    with pytest.raises(ValueError, match="this processor has no 'avx9000'"):
        _hashtree.use("avx9000")
    for nodes, height in ((bytes(33), 0), (bytes(32), 64), (bytes(32), -1)):
        with pytest.raises(ValueError, match="32 bytes"):
            _hashtree.parents(nodes, height)


@pytest.mark.parametrize(("items", "depth"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9)])
def test_tree_depth(items: int, depth: int) -> None:
    assert hashing.tree_depth(items) == depth
    assert len(hashing.tree_levels(bytes(32 * items))) == depth + 1
