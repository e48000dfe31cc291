"""The committed gas table keeps its promises; `make gas` renews it."""

from __future__ import annotations

from scripts import gas_report


def test_committed_table__is_within_the_limits() -> None:
    assert gas_report.excesses(gas_report.read_table(gas_report.TABLE)) == []


def test_excesses__at_the_limits__are_none() -> None:
    assert gas_report.excesses(gas_report.LIMITS) == []


def test_excesses__one_above_the_limit__is_said() -> None:
    table = gas_report.LIMITS | {"certify7": 140_001}
    assert gas_report.excesses(table) == ["certify7 costs 140,001 gas, 140,000 are allowed"]


def test_excesses__figure_that_was_not_measured__is_said() -> None:
    table = {name: gas for name, gas in gas_report.LIMITS.items() if name != "register"}
    assert gas_report.excesses(table) == ["register was not measured"]


def test_rows__show_difference_and_limit() -> None:
    rows = gas_report.rows({"register": 1_000, "tally30": 900}, {"register": 1_050})
    assert rows == [("register", "1,000", "-50", "130,000"), ("tally30", "900", "new", "")]
