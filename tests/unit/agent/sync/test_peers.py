"""Peers are asked in an order that follows from what they did."""

from __future__ import annotations

from typing import cast

from storage_agent.sync.peers import DISTRUST_SECONDS, Peers, pairs_by_peer
from tests.fakes.agents import ChainOfFacts
from walrus_chain.codec.geometry import shard_of_pair
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import BlobId, NodeId, ShardIndex

BLOB = BlobId(bytes(32))


def order(peers: Peers, chain: ChainOfFacts, now: float, blob_id: BlobId = BLOB) -> list[NodeId]:
    return [peer.node_id for peer in peers.in_order(chain.committee_now, blob_id, now)]


def make(own: int = 1) -> Peers:
    return Peers(NodeId(own), lambda member: cast(AgentClient, member.url))


def test_in_order__nothing_known__all_but_oneself_differently_by_blob(chain: ChainOfFacts) -> None:
    peers = make()
    orders = {tuple(order(peers, chain, 0, BlobId(bytes([n]) * 32))) for n in range(20)}

    assert all(sorted(each) == [2, 3, 4, 5] for each in orders)
    assert len(orders) > 5


def test_in_order__one_failed__last_until_its_pause_is_over(chain: ChainOfFacts) -> None:
    peers = make()
    first = order(peers, chain, 0)[0]

    peers.failed(first, 0)

    assert order(peers, chain, 0.5)[-1] == first
    assert order(peers, chain, 1.5)[0] == first


def test_in_order__fails_again_and_again__pauses_grow_and_success_ends_them(chain: ChainOfFacts) -> None:
    peers = make()
    first = order(peers, chain, 0)[0]
    for _ in range(4):
        peers.failed(first, 0)

    assert order(peers, chain, 7)[-1] == first
    peers.succeeded(first)
    assert order(peers, chain, 7)[0] == first


def test_in_order__one_lied__behind_those_that_merely_fail(chain: ChainOfFacts) -> None:
    peers = make()
    first, second, *_ = order(peers, chain, 0)
    peers.lied(first, 0)
    peers.failed(second, 0)

    assert order(peers, chain, 0.5)[-2:] == [second, first]
    assert order(peers, chain, DISTRUST_SECONDS + 1)[0] == first
    assert peers.liars() == {first: 1}


def test_in_order__address_changed__new_client(chain: ChainOfFacts) -> None:
    peers = make(own=5)
    before = {peer.node_id: peer.client for peer in peers.in_order(chain.committee_now, BLOB, 0)}
    moved = ChainOfFacts(chain.shards, chain.nodes)
    members = list(moved.committee_now.members)
    members[0] = type(members[0])(0, NodeId(1), "n", "http://elsewhere", "r", members[0].signer, 2, members[0].shards)
    moved.committee_now = type(moved.committee_now)(moved.committee_now.epoch, 10, tuple(members))

    after = {peer.node_id: peer.client for peer in peers.in_order(moved.committee_now, BLOB, 0)}

    assert cast(str, after[NodeId(1)]) == "http://elsewhere" != cast(str, before[NodeId(1)])


def test_pairs_by_peer__shards_on_their_way__sure_places_first_and_each_other_by_itself(chain: ChainOfFacts) -> None:
    """Node 2 gave shard 1 to node 1 and shard 6 to node 3, and left; nothing has arrived."""
    chain.change_committee({1: 0, 6: 2})
    committee, peers = chain.committee_now, make(own=1)

    found = [
        (peer.node_id, sorted(shard_of_pair(BLOB, pair, 10) for pair in pairs))
        for peer, pairs in pairs_by_peer(committee, BLOB, peers.in_order(committee, BLOB, 0))
    ]

    assert sorted(found[:3]) == [(3, [2, 7]), (4, [3, 8]), (5, [4, 9])]
    assert found[3:] == [(2, [1, 6]), (3, [6])]


def test_keeper__who_served_it_before__unless_it_is_oneself_or_failed_of_late(chain: ChainOfFacts) -> None:
    chain.change_committee({1: 0, 2: 1})
    peers = make(own=1)

    def keeper(of: Peers, shard: int, now: float = 0.0) -> int | None:
        found = of.keeper(chain.committee_now, ShardIndex(shard), now)
        return None if found is None else found.node_id

    assert [keeper(peers, shard) for shard in (0, 1, 2)] == [None, 2, 3]
    assert keeper(make(own=2), 1) is None
    peers.failed(NodeId(2), 0.0)
    assert (keeper(peers, 1, 0.5), keeper(peers, 1, 2.0)) == (None, 2)
    peers.lied(NodeId(2), 2.0)
    assert keeper(peers, 1, 3.0) is None
    chain.arrive(1)
    assert keeper(peers, 2) is None
