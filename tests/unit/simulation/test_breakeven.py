"""The arithmetic of where cheating begins to pay, against sums that can be done by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scripts.simulation.breakeven import HONEST, Conduct, Economy, beginning, rebuilt_gib, windows_until
from scripts.simulation.parameters import Costs, Rules
from scripts.simulation.results import Typical
from scripts.simulation.strategies import Rebuilding

NODE = Typical(gib=100, reward=20, stake=1000, commission=0.2, own=0.25)
ECONOMY = Economy(Rules(), Costs(disk=0.03, traffic=0.2, proof=1), NODE)


def test_an_honest_node_earns_its_part_less_disk_and_gas() -> None:
    # 20 % commission and a quarter of the rest: 8 of 20 WAL; 100 GiB cost 3, the proof 1.
    assert NODE.income == pytest.approx(8)
    assert ECONOMY.profit(HONEST) == pytest.approx(4)


def test_who_always_misses_serves_four_epochs_and_is_out_for_fourteen() -> None:
    # Without rewards; of its own 250 WAL 1 + 2 + 4 + 8 % are slashed in the four epochs.
    assert ECONOMY.profit(ECONOMY.dropping(1)) == pytest.approx(-0.15 * 250 / 18)


def test_who_never_misses_is_never_out() -> None:
    assert ECONOMY.gain(Conduct(miss=0)) == 0
    assert ECONOMY.profit(Conduct(miss=0.5)) < ECONOMY.profit(Conduct(miss=0.4)) < ECONOMY.profit(HONEST)


def test_who_proves_every_other_time_pays_for_first_misses_only() -> None:
    # In one of two epochs: no reward, no gas, and 1 % of 250 WAL.
    assert ECONOMY.alternating_gain() == pytest.approx(-(8 - 1 + 2.5) / 2)


def test_dropping__misses_when_one_of_five_places_is_hit() -> None:
    assert ECONOMY.dropping(0.1).miss == pytest.approx(1 - 0.9**5)


def test_without_slashing__only_the_reward_is_lost() -> None:
    # A miss for sure: 8 WAL of income and the gas of 1 less, 3 of disk saved.
    assert ECONOMY.without_slashing().gain(ECONOMY.dropping(1)) == pytest.approx(-8 + 1 + 3)


def test_beginning__is_where_the_gain_begins() -> None:
    multiple = beginning(lambda times: ECONOMY.without_slashing().with_disk(times).gain(ECONOMY.dropping(1)))
    assert multiple == pytest.approx(7 / 3)
    assert beginning(lambda times: times - 1000) == pytest.approx(1000)
    assert beginning(lambda times: -1) is None


def test_rebuilding__by_reading_costs_a_segment_by_symbols_a_sliver() -> None:
    assert rebuilt_gib(30, Rebuilding.SEGMENTS) * 1024 == pytest.approx(32, rel=0.001)
    # Rows of 21 symbols and columns of 12 are asked for in proportion to their bytes; a segment has 252 symbols.
    symbols = (21 * 21 + 12 * 12) / 33
    assert rebuilt_gib(30, Rebuilding.SYMBOLS) * 1024 == pytest.approx(32 * symbols / 252, rel=0.001)
    gain = ECONOMY.gain(ECONOMY.rebuilding(Rebuilding.SEGMENTS))
    assert gain == pytest.approx(3 - 0.2 * 5 / 32, rel=0.001)


def test_rebuilding__given_enough_places__does_not_pay() -> None:
    places = round(NODE.gib * 0.03 / (rebuilt_gib(200, Rebuilding.SEGMENTS) * 0.2))
    assert ECONOMY.gain(ECONOMY.rebuilding(Rebuilding.SEGMENTS, places + 1)) < 0
    assert ECONOMY.gain(ECONOMY.rebuilding(Rebuilding.SEGMENTS, places - 1)) > 0


@pytest.mark.parametrize(
    ("miss", "certainty", "expected"),
    [(0.5, 0.5, 1), (0.5, 0.95, 5), (0.049, 0.5, 14), (1.0, 0.95, 1), (0.0, 0.5, None)],
)
def test_windows_until_caught(miss: float, certainty: float, expected: int | None) -> None:
    assert windows_until(miss, certainty) == expected


def test_more_slashing__needs_dearer_disks_to_cheat() -> None:
    lenient = replace(ECONOMY, rules=Rules(first_slash_bps=25, maximum_slash_bps=400))
    limits = [
        beginning(lambda times, rules=rules: rules.with_disk(times).gain(rules.dropping(1)))  # type: ignore[misc]
        for rules in (ECONOMY.without_slashing(), lenient, ECONOMY)
    ]
    assert limits == sorted(limits, key=lambda limit: limit or 0)
