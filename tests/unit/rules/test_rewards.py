"""What an epoch earns is divided to the wei."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.rules.rewards import EpochReward
from walrus_chain.types import Wei

rewards = st.builds(EpochReward, st.integers(0, 10**30).map(Wei), st.integers(0, 10_000), st.integers(4, 255))


def test_a_tenth_is_burned_and_the_rest_divided() -> None:
    reward = EpochReward(income=Wei(1009), burn_bps=1000, shards=10)
    assert reward.part == 90
    assert reward.reward(4) == 360
    assert reward.unearned(7) == 1009 - 630


@given(rewards, st.data())
def test_nothing_is_made_or_lost(reward: EpochReward, data: st.DataObject) -> None:
    passed = data.draw(st.lists(st.integers(0, reward.shards), max_size=reward.shards), label="shards of each node")
    while sum(passed) > reward.shards:
        passed.pop()
    assert sum(reward.reward(shards) for shards in passed) + reward.unearned(sum(passed)) == reward.income


@given(rewards)
def test_when_all_pass_no_more_is_burned_than_the_share_and_the_rounding(reward: EpochReward) -> None:
    burned = reward.unearned(reward.shards)
    assert 0 <= burned * 10_000 - reward.income * reward.burn_bps < 10_000 * (reward.shards + 1)
