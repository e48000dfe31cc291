"""The clock: every second of an epoch belongs where the specification puts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import BeforeGenesis
from walrus_chain.rules.epochs import EpochClock
from walrus_chain.types import Epoch

CLOCK = EpochClock(genesis=1000, epoch_seconds=100)

clocks = st.builds(EpochClock, st.integers(0, 2**40), st.integers(10, 366 * 86_400))
epochs = st.integers(1, 10_000).map(Epoch)


def test_epochs_begin_on_their_second() -> None:
    assert [CLOCK.epoch_at(time) for time in (1000, 1099, 1100, 1199, 1200)] == [1, 1, 2, 2, 3]


def test_times_of_an_epoch() -> None:
    assert CLOCK.start_of(Epoch(3)) == 1200
    assert CLOCK.window_opens(Epoch(3)) == 1225
    assert CLOCK.window_opens_until(Epoch(3)) == CLOCK.cut_of(Epoch(3)) == 1250
    assert CLOCK.window_closes(Epoch(3)) == 1275
    assert CLOCK.report_deadline(Epoch(3)) == 1400


def test_parts_of_an_odd_length_are_rounded_down() -> None:
    clock = EpochClock(genesis=0, epoch_seconds=11)
    assert (clock.window_opens(Epoch(1)), clock.cut_of(Epoch(1)), clock.window_closes(Epoch(1))) == (2, 5, 8)


def test_target__before_the_cut_is_the_present_epoch_from_it_on_the_next() -> None:
    assert [CLOCK.target_at(time) for time in (1200, 1249, 1250, 1299, 1300)] == [3, 3, 4, 4, 4]


def test_deposit__before_the_cut_counts_in_the_next_epoch_later_in_the_one_after() -> None:
    assert [CLOCK.activation_at(time) for time in (1200, 1249, 1250, 1299)] == [4, 4, 5, 5]


def test_before_genesis__refused() -> None:
    with pytest.raises(BeforeGenesis, match="at 999 there was no epoch: the first one began at 1000") as caught:
        CLOCK.epoch_at(999)
    assert (caught.value.time, caught.value.genesis) == (999, 1000)


@given(clocks, epochs)
def test_times_of_an_epoch_are_in_order(clock: EpochClock, epoch: Epoch) -> None:
    following = Epoch(epoch + 1)
    times = [
        clock.start_of(epoch),
        clock.window_opens(epoch),
        clock.window_opens_until(epoch),
        clock.window_closes(epoch),
        clock.start_of(following),
        clock.report_deadline(epoch),
    ]
    assert times == sorted(set(times))
    assert {clock.epoch_at(time) for time in times[:4]} == {epoch}


@given(clocks, st.integers(0, 2**40))
def test_target__is_the_epoch_half_an_epoch_later(clock: EpochClock, seconds: int) -> None:
    # The contracts' way: shift the clock by the half of an epoch, rounded up.
    time, half = clock.genesis + seconds, clock.epoch_seconds - clock.epoch_seconds // 2
    assert clock.target_at(time) == clock.epoch_at(time + half)
