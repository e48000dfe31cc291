"""The Reed-Solomon code, against a second implementation of the field and over all patterns of loss."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.erasure import ErasureCode, erasure_code
from walrus_chain.errors import Bug, NotEnoughSymbols
from walrus_chain.types import PairIndex

independent: Callable[[list[bytes], int], bytes] = runpy.run_path(
    str(Path(__file__).parents[2] / "independent_blob_id.py")
)["payload"]


@st.composite
def codes(draw: st.DrawFn) -> tuple[int, int]:
    """k and n of a code with at least one payload of each kind."""
    total = draw(st.integers(2, 40) | st.integers(2, 255))
    return draw(st.integers(1, total - 1)), total


@pytest.mark.parametrize(
    ("needed", "total"), [(2, 4), (3, 4), (4, 10), (7, 10), (34, 100), (67, 100), (87, 255), (171, 255)]
)
def test_extend__each_coefficient_as_specified(needed: int, total: int) -> None:
    # Payload i is i + 1 in its own column of bytes and zero elsewhere, so each byte of parity is one coefficient.
    width = -(-needed // 8) * 8
    payloads = [bytes(place) + bytes([place + 1]) + bytes(width - place - 1) for place in range(needed)]
    parity = ErasureCode(needed, total).extend(payloads)
    assert [bytes(payload) for payload in parity] == [independent(payloads, place) for place in range(needed, total)]


@given(code=codes(), data=st.data())
@settings(deadline=None, max_examples=60)
def test_rebuild__any_k_payloads_give_any_others(code: tuple[int, int], data: st.DataObject) -> None:
    needed, total = code
    words = data.draw(st.integers(1, 5))
    seed = data.draw(st.binary(min_size=8 * words, max_size=8 * words))
    payloads: list[bytes] = [bytes((byte + 17 * place) & 0xFF for byte in seed) for place in range(needed)]
    codec = erasure_code(needed, total)
    everything = payloads + [bytes(payload) for payload in codec.extend(payloads)]
    order = data.draw(st.permutations(range(total)))
    kept = {PairIndex(place): everything[place] for place in order[: data.draw(st.integers(needed, total))]}
    wanted = data.draw(st.lists(st.integers(0, total - 1), max_size=6))
    assert [bytes(payload) for payload in codec.rebuild(kept, wanted)] == [everything[place] for place in wanted]


@pytest.mark.parametrize("length", [16 * 1024, 16 * 1024 + 8, 70_000, 131_072, 131_080, 300_000])
def test_tiles__long_payloads_are_those_of_their_pieces(length: int) -> None:
    codec = erasure_code(4, 10)
    payloads = [bytes((i * (place + 3) + i // 251) & 0xFF for i in range(length)) for place in range(4)]
    parity = [bytes(payload) for payload in codec.extend(payloads)]
    for start in range(0, length, 8192):
        pieces = [payload[start : start + 8192] for payload in payloads]
        assert [bytes(piece) for piece in codec.extend(pieces)] == [payload[start : start + 8192] for payload in parity]
    everything = payloads + parity
    kept = {PairIndex(place): memoryview(everything[place]) for place in (1, 5, 8, 9)}
    assert [bytes(payload) for payload in codec.rebuild(kept, range(10))] == everything
    assert bytes(codec.rebuild(kept, [6])[0]) == everything[6]


def test_extend__shorter_code_is_the_beginning_of_a_longer_one() -> None:
    payloads = [bytes([place]) * 24 for place in range(5)]
    assert erasure_code(5, 9).extend(payloads) == erasure_code(5, 30).extend(payloads)[:4]


def test_rebuild__hands_back_what_it_was_given() -> None:
    payloads = {PairIndex(place): bytes([place]) * 8 for place in range(3)}
    assert [bytes(payload) for payload in erasure_code(3, 6).rebuild(payloads, [2, 0])] == [
        payloads[PairIndex(2)],
        bytes(8),
    ]


def test_rebuild__one_payload_short__raises_with_numbers() -> None:
    with pytest.raises(NotEnoughSymbols) as caught:
        erasure_code(3, 6).rebuild({PairIndex(0): bytes(8), PairIndex(5): bytes(8)}, [1])
    assert (caught.value.have, caught.value.needed) == (2, 3)


def test_rebuild__length_off_eight__is_a_bug() -> None:
    with pytest.raises(Bug, match="9 bytes"):
        erasure_code(2, 4).rebuild({PairIndex(0): bytes(9), PairIndex(3): bytes(9)}, [1])


@pytest.mark.parametrize("payloads", [[bytes(8)] * 2, [bytes(8)] * 4, [bytes(7)] * 3])
def test_extend__wrong_call__is_a_bug(payloads: list[Any]) -> None:
    with pytest.raises(Bug):
        erasure_code(3, 6).extend(payloads)
