"""Who gets what, when to try again, when to give up: pure."""

from __future__ import annotations

import pytest

from tests.fakes.network import FakeNetwork
from walrus_chain.client.plan_store import MAX_ATTEMPTS, Send, Tally, pause_before_retry, plan_member
from walrus_chain.codec.geometry import SEGMENT_BYTES
from walrus_chain.errors import AgentMisbehaved, AgentRefused, AgentTimedOut, AgentUnreachable, WalrusError
from walrus_chain.types import BlobId, PairIndex

COMMITTEE = FakeNetwork().committee  # five members of two shards each, quorum 7
BLOB_ID = BlobId(bytes(31) + b"\x03")


def test_plan_member__everything__names_all_pairs_of_all_segments_and_attests_at_the_end() -> None:
    member = COMMITTEE.members[1]
    sends = plan_member(COMMITTEE, member, BLOB_ID, COMMITTEE.geometry.blob(2 * SEGMENT_BYTES + 1))
    mine = COMMITTEE.pairs_of(member, BLOB_ID)
    assert sends == [Send(0, mine, True, False), Send(1, mine, False, False), Send(2, mine, False, True)]


def test_plan_member__some_missing__sends_only_those_and_attests_at_the_end() -> None:
    member = COMMITTEE.members[1]
    pair = COMMITTEE.pairs_of(member, BLOB_ID)[1]
    geometry = COMMITTEE.geometry.blob(3 * SEGMENT_BYTES)
    assert plan_member(COMMITTEE, member, BLOB_ID, geometry, {(1, pair)}) == [Send(1, (pair,), True, True)]


def test_plan_members__together__cover_each_pair_once() -> None:
    geometry = COMMITTEE.geometry.blob(10)
    sent = [
        pair
        for member in COMMITTEE.members
        for send in plan_member(COMMITTEE, member, BLOB_ID, geometry)
        for pair in send.pairs
    ]
    assert sorted(sent) == [PairIndex(pair) for pair in range(10)]


def refused(**options: object) -> AgentRefused:
    return AgentRefused("node", 503, "Busy", "busy", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "attempt", "pause"),
    [
        (refused(retryable=True), 1, 0.2),
        (refused(retryable=True), 2, 0.4),
        (refused(retryable=True), MAX_ATTEMPTS, None),
        (refused(retryable=True, retry_after=2.0), 1, 2.0),
        (refused(retryable=True, retry_after=3600.0), 1, 5.0),
        (refused(), 1, None),
        (AgentUnreachable("node", "gone"), 1, 0.2),
        (AgentUnreachable("node", "gone"), 2, None),
        (AgentTimedOut("node", "slow"), 1, 0.2),
        (AgentMisbehaved("node", "nonsense"), 1, None),
    ],
)
def test_pause_before_retry(error: WalrusError, attempt: int, pause: float | None) -> None:
    assert pause_before_retry(error, attempt) == pause


def test_tally__quorum_of_shards__is_reached() -> None:
    tally = Tally(COMMITTEE)
    for member in range(3):
        tally.attested(member)
    assert (tally.weight, tally.reached, tally.hopeless) == (6, False, False)
    tally.attested(3)
    assert (tally.weight, tally.reached, tally.hopeless) == (8, True, False)


def test_tally__too_many_failures__is_hopeless_and_keeps_the_reasons() -> None:
    tally = Tally(COMMITTEE)
    tally.failed(0, "down")
    halfway = tally.hopeless
    tally.failed(1, "full")
    assert (halfway, tally.hopeless) == (False, True)
    assert tally.failures == {0: "down", 1: "full"}


def test_tally__member_that_failed__cannot_attest_any_more() -> None:
    tally = Tally(COMMITTEE)
    tally.failed(0, "left behind")
    tally.attested(0)
    assert tally.weight == 0


def test_tally__member_that_attested_twice__counts_once() -> None:
    tally = Tally(COMMITTEE)
    tally.attested(0)
    tally.attested(0)
    assert tally.weight == 2
