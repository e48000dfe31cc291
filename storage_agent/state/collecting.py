"""When an agent redeems the vouchers it took, and anchors and settles what it has to: pure.

Vouchers of one use lie with many agents, and whoever redeems first does it for all. So each waits a while that is its
own, as in `storage_agent.state.keeping`. A channel that is closing is redeemed in any case, in the first third of the
time that is left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage_agent.state.keeping import Rules, backed_off
from walrus_chain.types import Epoch, NodeId, Wei

#: Vouchers in one transaction.
VOUCHERS_A_CALL = 20


@dataclass(frozen=True, slots=True)
class ChannelStanding:
    """A channel as the chain has it."""

    deposit: Wei
    redeemed: Wei
    closes_at: int
    """Seconds since 1970; 0 while nobody closes it."""
    closed: bool

    def worth(self, cumulative: Wei) -> Wei:
        """What a voucher up to `cumulative` moves now."""
        return Wei(0) if self.closed else Wei(max(0, min(cumulative, self.deposit) - self.redeemed))


@dataclass(frozen=True, slots=True)
class Owed:
    """What a channel owes by the best voucher that was taken of it."""

    channel: int
    cumulative: Wei
    worth: Wei
    closes_at: int


@dataclass(frozen=True, slots=True)
class CollectingRules:
    """What is worth a transaction to one agent."""

    keeping: Rules
    minimum_redeem: Wei
    close_delay: int
    """Seconds that closing a channel takes at least."""

    @property
    def pace(self) -> float:
        """Seconds between two looks: several while a channel is closing."""
        return min(self.keeping.pace, max(0.25, self.close_delay / 12))

    def patience(self, owed: Owed) -> float:
        """Seconds until a channel is looked at again: soon when it owes enough or closes, else in time for closing."""
        if owed.closes_at or owed.worth >= self.minimum_redeem:
            return 0.0
        return self.close_delay / 12


def redeem_at(owed: Owed, since: float, rules: CollectingRules) -> float | None:
    """When to redeem, by the chain's time; none while it is not worth the gas.

    Args:
        since: when it was first seen that so much is owed, or that the channel is closing.
    """
    if not owed.worth:
        return None
    wait = backed_off(share_of(rules.keeping.node_id, f"redeem:{owed.channel}:{owed.cumulative}")) * rules.keeping.span
    if owed.closes_at:
        return since + min(wait, max(0.0, owed.closes_at - since) / 3)
    return since + wait if owed.worth >= rules.minimum_redeem else None


def to_redeem(
    owed: Sequence[Owed], since: Mapping[int, float], rules: CollectingRules, now: float, *, closing_only: bool
) -> list[Owed]:
    """What to redeem now, in one transaction; empty when nothing is due.

    Once something is due, what is worth half as much goes along: in a batch it costs less than half.

    Args:
        since: by channel, as for `redeem_at`.
        closing_only: what can wait waits.
    """
    times = {one.channel: redeem_at(one, since[one.channel], rules) for one in owed}
    due = [one for one in owed if (at := times[one.channel]) is not None and at <= now]
    if closing_only:
        due = [one for one in due if one.closes_at]
    elif due:
        due += [one for one in owed if one not in due and one.worth and 2 * one.worth >= rules.minimum_redeem]
    return sorted(due, key=lambda one: (one.closes_at == 0, -one.worth))[:VOUCHERS_A_CALL]


def wait_for(rules: Rules, what: str, epoch: Epoch) -> float:
    """Seconds after the beginning of an epoch that a node waits with what is in no hurry."""
    return backed_off(share_of(rules.node_id, f"{what}:{epoch}")) * rules.span


def share_of(node_id: NodeId, what: str) -> float:
    """A number of a node's own for a thing to do: 0 to below 1, evenly spread."""
    return int.from_bytes(hashlib.sha256(f"{node_id}:{what}".encode()).digest()[:8], "big") / 2**64
