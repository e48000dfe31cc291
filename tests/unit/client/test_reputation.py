"""What is thought of agents, and how long they are waited for: pure."""

from __future__ import annotations

import pytest

from walrus_chain.client.reputation import Reputation, Standing

MIB = 2**20


def test_standing__of_a_stranger__is_good() -> None:
    assert Reputation().standing(3) is Standing.GOOD


def test_standing__liar__stays_one_however_well_it_answers() -> None:
    reputation = Reputation()
    reputation.lied(1, "node-1", "wrong bytes")
    reputation.answered(1, 0.01, 1000)
    reputation.failed(1, "down")
    assert reputation.standing(1) is Standing.LYING
    assert reputation.suspects[1].what == "wrong bytes"


def test_standing__failed_then_answers__is_good_again() -> None:
    reputation = Reputation()
    reputation.failed(1, "down")
    assert reputation.standing(1) is Standing.FAILING
    reputation.answered(1, 0.01, 1000)
    assert reputation.standing(1) is Standing.GOOD


def test_standing__much_slower_than_its_peers__is_slow() -> None:
    reputation = Reputation()
    for member in range(5):
        reputation.answered(member, 0.1, MIB)
    reputation.answered(6, 1.0, MIB)
    assert reputation.standing(0) is Standing.GOOD
    assert reputation.standing(6) is Standing.SLOW


def test_hedge__nothing_known__grants_time_for_the_bytes() -> None:
    assert Reputation().hedge_after(0, [], 4) == pytest.approx(1.0)
    assert Reputation().hedge_after(8 * MIB, [], 4) == pytest.approx(17.0)


def test_hedge__half_arrived__measures_by_those() -> None:
    assert Reputation().hedge_after(MIB, [0.2, 0.3, 0.4], 6) == pytest.approx(0.6)
    assert Reputation().hedge_after(MIB, [0.2, 0.3], 6) > 1


def test_hedge__quick_network__is_never_nervous() -> None:
    assert Reputation().hedge_after(100, [0.0001, 0.0001], 2) == pytest.approx(0.05)


def test_hedge__experience__scales_with_bytes() -> None:
    reputation = Reputation()
    for member in range(4):
        reputation.answered(member, 1.0, MIB)
    assert reputation.hedge_after(MIB, [], 4) == pytest.approx(4.0)
    assert reputation.hedge_after(4 * MIB, [], 4) == pytest.approx(4.0 * (4 * MIB + 65536) / (MIB + 65536))
