"""The committee: every shard has one owner, and places of pairs follow from the blob id."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import MalformedCommittee
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.types import Address, BlobId, Epoch, NodeId, PairIndex, ShardIndex


def member(index: int, *shards: int) -> Member:
    return Member(
        index=index,
        node_id=NodeId(10 + index),
        name=f"node {index}",
        url=f"http://node-{index}",
        region="r",
        signer=Address(f"0x{index + 1:040x}"),
        weight=len(shards),
        shards=tuple(ShardIndex(shard) for shard in shards),
    )


DEFAULT = Committee(Epoch(1), 7, (member(0, 0, 3, 6), member(1, 1, 4), member(2, 2, 5)))


@given(st.binary(min_size=32, max_size=32))
def test_I3_pairs_of__any_blob__every_pair_has_exactly_one_member(digest: bytes) -> None:
    blob_id = BlobId(digest)
    held = [pair for one in DEFAULT.members for pair in DEFAULT.pairs_of(one, blob_id)]
    assert sorted(held) == list(range(7))
    for one in DEFAULT.members:
        pairs = DEFAULT.pairs_of(one, blob_id)
        assert list(pairs) == sorted(pairs)
        assert all(DEFAULT.member_of_pair(blob_id, pair) is one for pair in pairs)


def test_member_of_pair__follows_the_rotation_of_the_specification() -> None:
    blob_id = BlobId((5 + 7 * 1000).to_bytes(32, "big"))  # blob id mod n = 5
    assert DEFAULT.member_of_pair(blob_id, PairIndex(0)) is DEFAULT.member_of_shard(ShardIndex(5))
    assert DEFAULT.member_of_pair(blob_id, PairIndex(4)) is DEFAULT.member_of_shard(ShardIndex(2))


@pytest.mark.parametrize(("n", "faults", "quorum"), [(4, 1, 3), (6, 1, 5), (7, 2, 5), (30, 9, 21), (255, 84, 171)])
def test_quorum__is_n_minus_f(n: int, faults: int, quorum: int) -> None:
    committee = Committee(Epoch(1), n, (member(0, *range(n)),))
    assert (committee.faults, committee.quorum, committee.geometry.faults) == (faults, quorum, faults)


def test_by_signer_and_by_node__strangers__none() -> None:
    assert DEFAULT.by_signer(DEFAULT.members[1].signer) is DEFAULT.members[1]
    assert DEFAULT.by_signer(Address("0x" + "ff" * 20)) is None
    assert DEFAULT.by_node(NodeId(12)) is DEFAULT.members[2]
    assert DEFAULT.by_node(NodeId(1)) is None


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ((member(0, 0, 1), member(1, 1, 2, 3)), "shard 1 belongs to members 0 and 1"),
        ((member(0, 0, 1), member(1, 3)), "nobody serves"),
        ((member(0, 0, 1), member(1, 2, 3, 4)), "surplus"),
        ((member(1, 0, 1, 2, 3),), "stands at place 0"),
        ((replace(member(0, 0, 1, 2, 3), weight=3),), "weight 3 but 4 shards"),
        ((member(0, 0, 1), replace(member(1, 2, 3), signer=member(0).signer)), "share a signer"),
    ],
)
def test_committee__that_breaks_its_rules__refuses(members: tuple[Member, ...], words: str) -> None:
    with pytest.raises(MalformedCommittee, match=words):
        Committee(Epoch(1), 4, members)
