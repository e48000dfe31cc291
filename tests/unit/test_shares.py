"""Shares as people write them, in hundredths of a percent."""

from __future__ import annotations

import pytest

from walrus_chain.errors import MalformedShare
from walrus_chain.types import format_bps, parse_bps


@pytest.mark.parametrize(
    ("text", "bps"),
    [("5%", 500), ("2.5 %", 250), ("0.01%", 1), ("250", 250), ("250 bps", 250), ("0", 0), ("100%", 10_000)],
)
def test_parse_bps__what_people_write__is_understood(text: str, bps: int) -> None:
    assert parse_bps(text) == bps


@pytest.mark.parametrize("text", ["", "-5%", "5 percent", "0.001%", "2.5", "100.01%", "10001", "1e3", "٥%"])
def test_parse_bps__anything_else__is_refused(text: str) -> None:
    with pytest.raises(MalformedShare):
        parse_bps(text)


@pytest.mark.parametrize(
    ("bps", "text"), [(0, "0%"), (1, "0.01%"), (250, "2.5%"), (500, "5%"), (10_000, "100%"), (1001, "10.01%")]
)
def test_format_bps__reads_back(bps: int, text: str) -> None:
    assert format_bps(bps) == text
    assert parse_bps(text) == bps
