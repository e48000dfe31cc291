"""What parent and child say to each other."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.sandbox.frames import (
    ENDED,
    ENDED_BYTES,
    ORDER_BYTES,
    WANT,
    WANT_BYTES,
    EndedHeader,
    Order,
    OrderHeader,
    Want,
    ended_to_bytes,
)

RUN = Run(b"program", b"argument", 1000, 100)


@given(st.binary(max_size=50), st.binary(max_size=50), st.lists(st.integers(0, 2**64 - 1), max_size=5))
def test_order__there_and_back__is_the_same(program: bytes, argument: bytes, sizes: list[int]) -> None:
    order = Order(Run(program, argument, 7, 8), tuple(sizes), 1.5)
    data = order.to_bytes()
    header = OrderHeader.parse(data[:ORDER_BYTES])

    assert header.rest == len(data) - ORDER_BYTES
    assert header.order(data[ORDER_BYTES:]) == order


@given(st.binary(max_size=100), st.binary(max_size=50), st.text(max_size=50))
def test_ended__there_and_back__is_the_same(output: bytes, log: bytes, message: str) -> None:
    outcome = Outcome(Ending.FINISHED, output, 999, 65536, message, log)
    data = ended_to_bytes(outcome)
    header = EndedHeader.parse(data[1 : 1 + ENDED_BYTES], RUN)

    assert data[:1] == ENDED
    assert header.outcome(data[1 + ENDED_BYTES :]) == outcome


def test_want__there_and_back__is_the_same() -> None:
    data = Want(1, 5, 10).to_bytes()

    assert data[:1] == WANT
    assert Want.parse(data[1:], (0, 15)) == Want(1, 5, 10)


@given(st.binary(min_size=WANT_BYTES, max_size=WANT_BYTES), st.lists(st.integers(0, 2**40), max_size=3))
def test_want__whatever_a_child_says__is_within_the_inputs_or_refused(body: bytes, sizes: list[int]) -> None:
    with suppress(ValueError):
        want = Want.parse(body, tuple(sizes))
        assert 0 <= want.offset < want.offset + want.length <= sizes[want.index]


@given(st.binary(min_size=ENDED_BYTES, max_size=ENDED_BYTES))
def test_ended__whatever_a_child_says__is_within_the_limits_or_refused(header: bytes) -> None:
    with suppress(ValueError):
        ended = EndedHeader.parse(header, RUN)
        assert ended.fuel_used <= RUN.fuel
        assert ended.output <= RUN.output_bytes
        assert ended.rest < 2**17
