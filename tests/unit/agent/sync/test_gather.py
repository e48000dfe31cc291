"""Enough pieces come together whatever single peers do, and no more is asked for than is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from storage_agent.sync.gather import gather_pieces
from storage_agent.sync.peers import Peer
from walrus_chain.errors import AgentUnreachable, WalrusError
from walrus_chain.rules.committee import Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, NodeId, PairIndex

PATIENCE = 0.01


def peer(number: int) -> Peer:
    """A peer that nobody talks to here: fetching is the test's."""
    member = Member(number - 1, NodeId(number), f"n{number}", "", "", Address(""), 0, ())
    return Peer(member, cast(AgentClient, SimpleNamespace(label=f"n{number}")))


def sources(*counts: int) -> list[tuple[Peer, tuple[PairIndex, ...]]]:
    """Peers with so many places each, numbered through."""
    made, place = [], 0
    for number, count in enumerate(counts, 1):
        made.append((peer(number), tuple(PairIndex(place + i) for i in range(count))))
        place += count
    return made


class Peers:
    """Answers by peer: pieces, an error, or never."""

    def __init__(self, **behaviour: Any) -> None:
        self.behaviour = behaviour
        self.asked: list[tuple[int, tuple[int, ...]]] = []
        self.failures: list[int] = []

    async def fetch(self, asked: Peer, places: Sequence[PairIndex]) -> dict[PairIndex, bytes]:
        self.asked.append((asked.node_id, tuple(places)))
        match self.behaviour.get(f"n{asked.node_id}"):
            case "stalls":
                await asyncio.Event().wait()
            case "fails":
                raise AgentUnreachable("n", "down")
            case "slow":
                await asyncio.sleep(PATIENCE * 3)
        return {place: b"%d" % place for place in places}

    def failed(self, failing: Peer, _: WalrusError) -> None:
        self.failures.append(failing.node_id)

    async def gather(self, counts: Sequence[int], needed: int) -> dict[PairIndex, bytes]:
        return await gather_pieces(sources(*counts), needed, self.fetch, self.failed, PATIENCE)


async def test_gather__all_answer__just_enough_is_asked_for() -> None:
    peers = Peers()

    assert len(await peers.gather([3, 3, 3, 3], 7)) == 7
    assert peers.asked == [(1, (0, 1, 2)), (2, (3, 4, 5)), (3, (6,))]


async def test_gather__one_fails__the_rest_of_a_source_is_used_too() -> None:
    peers = Peers(n1="fails")

    assert sorted(await peers.gather([3, 3, 3], 6)) == [3, 4, 5, 6, 7, 8]
    assert peers.failures == [1]


async def test_gather__one_stalls__others_are_asked_and_it_is_let_go() -> None:
    peers = Peers(n2="stalls")

    assert sorted(await peers.gather([2, 2, 2], 4)) == [0, 1, 4, 5]
    assert len(asyncio.all_tasks()) == 1


async def test_gather__all_slow__waited_for_when_nobody_else_is_left() -> None:
    peers = Peers(n1="slow", n2="slow")

    assert len(await peers.gather([2, 2], 4)) == 4
    assert peers.failures == []


async def test_gather__all_stall__given_up_and_told() -> None:
    peers = Peers(n1="stalls", n2="stalls")

    assert await peers.gather([2, 2], 2) == {}
    assert sorted(peers.failures) == [1, 2]


async def test_gather__too_few_sources__what_there_is() -> None:
    peers = Peers(n2="fails")

    assert sorted(await peers.gather([2, 2], 4)) == [0, 1]


async def test_gather__nothing_needed__nobody_is_asked() -> None:
    peers = Peers()

    assert await peers.gather([2, 2], 0) == {}
    assert peers.asked == []


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("another")])
async def test_gather__a_bug__is_not_swallowed(error: Exception) -> None:
    async def fetch(*_: object) -> dict[PairIndex, bytes]:
        raise error

    ignored: Callable[[Peer, WalrusError], None] = lambda *_: None  # noqa: E731
    with pytest.raises(type(error)):
        await gather_pieces(sources(1), 1, fetch, ignored, PATIENCE)


PLACES = tuple(PairIndex(place) for place in range(2))


async def test_gather__two_can_give_the_same__second_is_asked_only_when_the_first_fails() -> None:
    peers = Peers()
    twice = [(peer(1), PLACES), (peer(2), PLACES)]
    assert len(await gather_pieces(twice, 2, peers.fetch, peers.failed, PATIENCE)) == 2
    assert peers.asked == [(1, (0, 1))]

    peers = Peers(n1="fails")
    assert len(await gather_pieces(twice, 2, peers.fetch, peers.failed, PATIENCE)) == 2
    assert peers.asked == [(1, (0, 1)), (2, (0, 1))]
    assert peers.failures == [1]


async def test_gather__two_can_give_the_same_and_the_first_stalls__second_is_asked() -> None:
    peers = Peers(n1="stalls")
    twice = [(peer(1), PLACES), (peer(2), PLACES)]
    assert len(await gather_pieces(twice, 2, peers.fetch, peers.failed, PATIENCE)) == 2


async def test_gather__second_of_two_is_put_off__is_asked_before_those_after_it() -> None:
    peers = Peers(n1="fails")
    three = [(peer(1), PLACES[:1]), (peer(2), PLACES[:1]), (peer(3), (PairIndex(7),))]
    assert await gather_pieces(three, 1, peers.fetch, peers.failed, PATIENCE) == {0: b"0"}
    assert [asked for asked, _ in peers.asked] == [1, 2]


async def test_gather__all_who_can_give_a_piece_fail__gives_what_there_is() -> None:
    peers = Peers(n1="fails", n2="fails")
    sources = [(peer(1), PLACES[:1]), (peer(2), PLACES[:1]), (peer(3), PLACES[1:])]
    assert await gather_pieces(sources, 2, peers.fetch, peers.failed, PATIENCE) == {1: b"1"}
    assert peers.failures == [1, 2]
