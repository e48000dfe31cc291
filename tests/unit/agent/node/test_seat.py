"""The node knows the committee, also while the chain fails, and whether its own signature counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from storage_agent.node.refusals import NotServing
from storage_agent.node.seat import Seat
from tests.fakes.agents import ChainOfFacts
from walrus_chain.errors import RpcUnavailable
from walrus_chain.rules.committee import Committee
from walrus_chain.types import Address, Epoch, NodeId


class Source:
    """A chain that answers with what a test says next, again and again with the last."""

    def __init__(self, *answers: Committee | Exception) -> None:
        self.answers = list(answers)

    async def committee(self) -> Committee:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Sleep:
    """Notes how long each pause would be, and ends the following after some."""

    def __init__(self, pauses: int) -> None:
        self.left = pauses
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.left -= 1
        if not self.left:
            raise asyncio.CancelledError


DOWN = RpcUnavailable("eth_call", {"http://chain": "down"})


def test_committee__nobody_asked_yet__not_serving(chain: ChainOfFacts) -> None:
    seat = Seat(chain, NodeId(1), chain.signers[0].address, 30)

    with pytest.raises(NotServing):
        _ = seat.committee
    assert not seat.known
    assert not seat.may_sign


async def test_follow__chain_down_at_first__asks_every_second_then_seldom(chain: ChainOfFacts) -> None:
    sleep = Sleep(3)
    seat = Seat(Source(DOWN, DOWN, chain.committee_now), NodeId(1), chain.signers[0].address, 30, sleep)

    with pytest.raises(asyncio.CancelledError):
        await seat.follow()

    assert sleep.seconds == [1, 1, 30]
    assert seat.committee == chain.committee_now


async def test_follow__chain_down_later__last_committee_stays(chain: ChainOfFacts) -> None:
    seat = Seat(Source(chain.committee_now, DOWN), NodeId(1), chain.signers[0].address, 30, Sleep(2))

    with pytest.raises(asyncio.CancelledError):
        await seat.follow()

    assert seat.committee == chain.committee_now


@pytest.mark.parametrize(("node", "own_key", "counts"), [(1, True, True), (1, False, False), (9, True, False)])
async def test_may_sign__member_with_this_key__only_then(
    chain: ChainOfFacts, node: int, own_key: bool, counts: bool
) -> None:
    signer = chain.signers[0].address if own_key else Address("0x" + "0" * 40)
    seat = Seat(chain, NodeId(node), signer, 30)

    await seat.refresh()

    assert seat.may_sign is counts


async def test_refresh__address_changed__new_one_known(chain: ChainOfFacts) -> None:
    moved = replace(
        chain.committee_now,
        members=(replace(chain.committee_now.members[0], url="http://moved"), *chain.committee_now.members[1:]),
    )
    seat = Seat(Source(chain.committee_now, moved), NodeId(2), chain.signers[1].address, 30)

    await seat.refresh()
    await seat.refresh()

    assert seat.committee.members[0].url == "http://moved"


class Pausing:
    """Sleeps for ever, and notes how long it was to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.begun = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.begun.set()
        await asyncio.Event().wait()


async def test_follow__committee_expected__asked_for_at_once_and_again_until_it_is_there(chain: ChainOfFacts) -> None:
    first = chain.committee_now
    chain.change_committee({0: 1})
    sleep = Pausing()
    seat = Seat(Source(first, first, chain.committee_now), NodeId(1), chain.signers[0].address, 30, sleep)
    following = asyncio.create_task(seat.follow())
    for epoch in (1, 2, 2):
        await sleep.begun.wait()
        sleep.begun.clear()
        seat.expect(Epoch(epoch + 1 if epoch == 1 else epoch))
    await sleep.begun.wait()

    assert sleep.seconds == [30, 1, 30, 30]
    assert seat.committee == chain.committee_now
    assert seat.committee.previous == first
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_catch_up__known_already__chain_is_left_alone(chain: ChainOfFacts) -> None:
    seat = Seat(Source(chain.committee_now, DOWN), NodeId(1), chain.signers[0].address, 30)
    await seat.catch_up(Epoch(1))
    await seat.catch_up(Epoch(1))
    await seat.catch_up(Epoch(2))  # the chain is down: what is known stays
    assert seat.committee == chain.committee_now
