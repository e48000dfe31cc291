"""Sliver trees and paths for runs of chunks."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec import hashing
from walrus_chain.codec.merkle import SliverTree, fold_run, path_nodes, sliver_root, verify_run
from walrus_chain.codec.nodes import leaf_hash
from walrus_chain.errors import CommitmentMismatch, RangeOutsideBlob, WrongLength


def root_by_definition(sliver: bytes) -> bytes:
    """The root as the specification words it: a full binary tree, missing leaves are zero."""
    nodes = [sha256(b"\0" + sliver[start : start + 256]).digest() for start in range(0, len(sliver), 256)]
    depth = 0
    while 2**depth < len(nodes):
        depth += 1
    nodes += [bytes(32)] * (2**depth - len(nodes))
    for _ in range(depth):
        nodes = [sha256(b"\1" + left + right).digest() for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0]


@st.composite
def slivers_with_runs(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """A sliver, the first chunk of a run of it, the number of its chunks."""
    chunks = draw(st.integers(1, 20) | st.integers(1, 140))
    tail = 8 * draw(st.integers(1, 32))
    sliver = b"".join(chunk.to_bytes(2, "big") * 128 for chunk in range(chunks - 1)) + b"\x2a" * tail
    first = draw(st.integers(0, chunks - 1))
    return sliver, first, draw(st.integers(1, chunks - first))


@given(st.integers(1, 700).map(lambda words: bytes(i * 37 & 0xFF for i in range(8 * words))))
@settings(deadline=None, max_examples=60)
def test_sliver_root__as_defined(sliver: bytes) -> None:
    assert sliver_root(sliver) == root_by_definition(sliver) == SliverTree(sliver).root


@given(slivers_with_runs())
@settings(deadline=None)
def test_verify_run__accepts_every_run(case: tuple[bytes, int, int]) -> None:
    sliver, first, count = case
    tree = SliverTree(sliver)
    path = tree.prove_run(first, count)
    assert len(path) == path_nodes(tree.chunks, first, count)
    verify_run(tree.root, tree.chunks, first, sliver[first * 256 : (first + count) * 256], path)


@given(slivers_with_runs(), st.data())
@settings(deadline=None)
def test_verify_run__refuses_any_changed_byte(case: tuple[bytes, int, int], data: st.DataObject) -> None:
    sliver, first, count = case
    tree = SliverTree(sliver)
    pieces = [sliver[first * 256 : (first + count) * 256], *tree.prove_run(first, count)]
    which = data.draw(st.integers(0, len(pieces) - 1))
    at = data.draw(st.integers(0, len(pieces[which]) - 1))
    changed = bytearray(pieces[which])
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    pieces[which] = bytes(changed)
    with pytest.raises(CommitmentMismatch):
        verify_run(tree.root, tree.chunks, first, pieces[0], pieces[1:])


@given(slivers_with_runs(), st.data())
@settings(deadline=None)
def test_verify_run__refuses_another_place(case: tuple[bytes, int, int], data: st.DataObject) -> None:
    sliver, first, count = case
    tree = SliverTree(sliver)
    elsewhere = data.draw(st.integers(0, tree.chunks))
    if elsewhere == first:
        return
    with pytest.raises((CommitmentMismatch, RangeOutsideBlob, WrongLength)):
        verify_run(
            tree.root, tree.chunks, elsewhere, sliver[first * 256 : (first + count) * 256], tree.prove_run(first, count)
        )


@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 5, 8, 9, 255])
def test_path__of_one_chunk_is_as_long_as_the_tree_is_deep(chunks: int) -> None:
    tree = SliverTree(bytes(256 * chunks))
    for chunk in range(chunks):
        assert len(tree.prove_run(chunk, 1)) == hashing.tree_depth(chunks)


@pytest.mark.parametrize(
    "change", [lambda path: path[:-1], lambda path: [*path, bytes(32)], lambda path: [b"", *path[1:]]]
)
def test_verify_run__path_too_short_or_long__raises(change: Callable[[list[bytes]], list[bytes]]) -> None:
    sliver = bytes(5 * 256)
    tree = SliverTree(sliver)
    with pytest.raises(WrongLength, match="Merkle path"):
        verify_run(tree.root, 5, 2, sliver[512:768], change(tree.prove_run(2, 1)))


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 0), (0, 6), (4, 2), (5, 1)])
def test_run__outside_the_sliver__raises(first: int, count: int) -> None:
    tree = SliverTree(bytes(5 * 256))
    with pytest.raises(RangeOutsideBlob, match="in a tree of 5"):
        tree.prove_run(first, count)
    with pytest.raises(RangeOutsideBlob, match="in a tree of 5"):
        verify_run(tree.root, 5, first, bytes(256 * count), [])


def test_inner_node__never_passes_for_a_leaf() -> None:
    sliver = bytes(512)
    tree = SliverTree(sliver)
    inner_preimage = b"".join(leaf_hash(sliver[start : start + 256]) for start in (0, 256))
    with pytest.raises(CommitmentMismatch):
        verify_run(tree.root, 1, 0, inner_preimage, [])


def test_fold_run__one_item_is_its_own_root() -> None:
    assert fold_run(1, 0, b"\x07" * 32, []) == b"\x07" * 32


def test_runs__vectors(vectors: Callable[[str, str], list[dict[str, Any]]]) -> None:
    for case in vectors("merkle", "runs"):
        tree = SliverTree(case["content"])
        path = [bytes.fromhex(node[2:]) for node in case["path"]]
        assert tree.root == bytes.fromhex(case["root"][2:]) == root_by_definition(case["content"])
        assert tree.chunks == case["leafCount"]
        assert tree.prove_run(case["first"], case["count"]) == path
        run = case["content"][case["first"] * 256 : (case["first"] + case["count"]) * 256]
        verify_run(tree.root, tree.chunks, case["first"], run, path)
