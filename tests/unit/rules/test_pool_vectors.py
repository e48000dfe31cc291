"""The committed histories of pools are those of the rules, and say something."""

from __future__ import annotations

import json

import pytest

from scripts import make_pool_vectors
from scripts.make_pool_vectors import Row, Step

VECTORS = json.loads(make_pool_vectors.VECTORS.read_text())
COLUMNS = list(Row.__dataclass_fields__)


def rows() -> list[dict[str, int]]:
    """All rows of all histories."""
    width = VECTORS["columns"]
    return [
        dict(zip(COLUMNS, map(int, cells[first : first + width]), strict=True))
        for cells in (history["rows"] for history in VECTORS["histories"])
        for first in range(0, len(cells), width)
    ]


def test_committed_vectors__equal_what_the_rules_make() -> None:
    assert make_pool_vectors.VECTORS.read_text() == make_pool_vectors.text()


@pytest.mark.parametrize("step", Step)
def test_histories__hold_every_step_often(step: Step) -> None:
    assert sum(row["step"] == step for row in rows()) >= 10


def test_histories__pay_and_slash() -> None:
    paying = (Step.WITHDRAW, Step.CLAIM, Step.CLAIM_COMMISSION, Step.SLASH)
    for step in paying:
        assert sum(row["step"] == step and row["paid"] > 0 for row in rows()) >= 10


def test_histories__no_account_has_more_than_its_pool() -> None:
    for row in rows():
        assert row["account_active"] <= row["active"]
        assert row["account_shares"] <= row["shares"]
        assert row["account_leaving"] <= row["unbonding"] <= row["unbonding_shares"]
