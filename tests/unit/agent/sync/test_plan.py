"""The cheaper way to heal is chosen, by numbers that follow from the geometry alone."""

from __future__ import annotations

import pytest

from storage_agent.sync.plan import Way, choose_way, cost_of_decoding, cost_of_symbols
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry


def test_cost_of_symbols__one_pair__rows_plus_columns() -> None:
    geometry = Geometry(30).segment(SEGMENT_BYTES)

    cost = cost_of_symbols(geometry, lost=1, held=0, pairs_per_node=3)

    assert cost.bytes == (12 + 21) * geometry.symbol_bytes
    assert cost.requests == 7 + 4


def test_cost_of_symbols__pairs_held__their_symbols_are_free() -> None:
    geometry = Geometry(30).segment(SEGMENT_BYTES)

    assert cost_of_symbols(geometry, lost=1, held=2, pairs_per_node=3).bytes == (10 + 19) * geometry.symbol_bytes


def test_cost_of_decoding__nothing_held__the_whole_segment() -> None:
    geometry = Geometry(30).segment(SEGMENT_BYTES)

    cost = cost_of_decoding(geometry, held=0)

    assert cost.requests == 12
    assert SEGMENT_BYTES <= cost.bytes < SEGMENT_BYTES + 12 * 21 * 8


@pytest.mark.parametrize(("lost", "way"), [(1, Way.SYMBOLS), (3, Way.SYMBOLS), (10, Way.SYMBOLS), (11, Way.DECODE)])
def test_choose_way__large_segment__by_bytes(lost: int, way: Way) -> None:
    assert choose_way(Geometry(30).segment(SEGMENT_BYTES), lost, 0, 3) is way


def test_choose_way__small_segment__by_requests() -> None:
    geometry = Geometry(30).segment(10_240)

    assert choose_way(geometry, 1, 2, 3) is Way.SYMBOLS
    assert choose_way(geometry, 3, 0, 3) is Way.DECODE
