"""The committee: every shard has one owner, and places of pairs follow from the blob id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.codec.geometry import pair_on_shard
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


BLOB = BlobId(bytes(range(32)))
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


#: Node 12 left: shard 2 went to node 10, shard 5 to node 11. Shard 3 went from node 10 to node 11, and has arrived.
LATER = Committee(
    Epoch(4),
    7,
    (member(0, 0, 2, 6), member(1, 1, 3, 4, 5)),
    previous=DEFAULT,
    pending=frozenset({ShardIndex(2), ShardIndex(5)}),
)


def holders(committee: Committee, shard: int) -> list[int]:
    return [one.node_id for one in committee.holders_of_pair(BLOB, pair_on_shard(BLOB, ShardIndex(shard), 7))]


def test_holders_of_pair__shard_on_its_way__new_node_then_the_old_one() -> None:
    assert [holders(LATER, shard) for shard in range(7)] == [[10], [11], [10, 12], [11], [11], [11, 12], [10]]
    assert [holders(DEFAULT, shard) for shard in (2, 5)] == [[12], [12]]
    assert [holders(replace(LATER, previous=None), shard) for shard in (2, 5)] == [[10], [11]]


def test_holders_of_pair__old_node_serves_still__as_it_is_known_now() -> None:
    members = (LATER.members[0], replace(member(1, 1, 4), url="http://moved"), member(2, 3, 5))
    committee = Committee(Epoch(4), 7, members, DEFAULT, frozenset({ShardIndex(3)}))
    assert committee.keeper_of_shard(ShardIndex(3)) is members[0]
    assert committee.leaving == ()


def test_leaving__members_that_keep_shards_and_serve_no_more() -> None:
    assert [one.node_id for one in LATER.leaving] == [12]
    assert LATER.pairs_kept_by(NodeId(12), BLOB) == DEFAULT.pairs_of(DEFAULT.members[2], BLOB)
    assert LATER.pairs_kept_by(NodeId(10), BLOB) == ()
    arrived = replace(LATER, pending=frozenset())
    assert (arrived.leaving, arrived.pairs_kept_by(NodeId(12), BLOB)) == ((), ())
    assert (DEFAULT.leaving, DEFAULT.pairs_kept_by(NodeId(12), BLOB)) == ((), ())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"previous": Committee(Epoch(1), 1, (member(0, 0),))}, "7 shards, the one before it 1"),
        ({"pending": frozenset({ShardIndex(7)})}, r"\[7\] are on their way"),
    ],
)
def test_committee__change_that_does_not_fit__is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(MalformedCommittee, match=why):
        replace(LATER, **change)
