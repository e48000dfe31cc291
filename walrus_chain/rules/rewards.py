"""What an epoch earns for those who served it and proved it, and what of it is burned.

Source: docs/spec/10-stake.md; the contract is `Rewards`.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.rules.shares import BPS, bps_of
from walrus_chain.types import Wei


@dataclass(frozen=True, slots=True)
class EpochReward:
    """How one epoch's income is divided."""

    income: Wei
    """What storage fees earned in the epoch."""
    burn_bps: int
    """What of it nobody gets, in hundredths of a percent."""
    shards: int
    """n."""

    @property
    def part(self) -> Wei:
        """What one shard earns, rounded down."""
        return Wei(self.income * (BPS - self.burn_bps) // BPS // self.shards)

    def reward(self, passed_shards: int) -> Wei:
        """What a node earns, commission included, whose proof counts for so many shards."""
        return Wei(self.part * passed_shards)

    def unearned(self, passed_shards: int) -> Wei:
        """What is burned when so many shards passed in the whole network."""
        return Wei(self.income - self.part * passed_shards)


def bounty_of(slashed: Wei, slash_bps: int, bounty_bps: int, minimum_stake: Wei) -> Wei:
    """What of a slash goes to whoever reported the miss; the rest is burned.

    A part of what the slash takes of the least own stake, however large the pool: what delegators lose must not pay an
    operator who misses on purpose and reports itself.
    """
    return bps_of(min(bps_of(minimum_stake, slash_bps), slashed), bounty_bps)
