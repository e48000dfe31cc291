"""The doctor's judgements: from what was measured to what is wrong, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from storage_agent.cli.standing import Custody, Standing
from walrus_chain.chain.stakes import SETTLE_STEPS
from walrus_chain.types import Wei, format_amount

#: How far this machine's clock may be behind the newest block, and the two clocks of it apart, in seconds.
CLOCK_SLACK: Final = 5.0
#: A chain that is alive makes a block in this time, in seconds.
BLOCK_SECONDS: Final = 300
#: How far an endpoint may be behind the best one, in seconds of block time.
LAG_SECONDS: Final = 60
#: Gas money for fewer epochs than this is too little.
LOW_EPOCHS: Final = 7
#: The last part of the time for a proof, in which one that is not there is a worry.
_LATE_PART: Final = 8
DUTY_GAS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "prove": 200_000,
        "captureSeed": 80_000,
        "openWindow": 200_000,
        "selectCommittee": 2_000_000,
        "advanceEpoch": 2_000_000,
        "epochSyncDone": 100_000,
        "tally": 400_000,
        "settle": 150_000,
        "burnUnearned": 150_000,
    }
)
"""Gas of each duty of an epoch, rounded up: a proof and a change among 30 nodes and 30 shards as `tests/gas/gas.json`
measures them, the others as upper bounds. One node does not have them all: whoever is first does them."""
OWN_DUTIES: Final = ("prove", "epochSyncDone", "settle")
"""Those that nobody does in a node's place unless they want to."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    says: str


def clock(now: float, block_timestamp: int, wall_passed: float, steady_passed: float) -> Finding:
    """This machine's clock against the newest block, and against its own clock that cannot be set.

    Args:
        now: what the clock says, seconds since 1970.
        wall_passed: seconds between two looks at it.
        steady_passed: seconds between the same looks at a clock that only goes forward.
    """
    if abs(wall_passed - steady_passed) > CLOCK_SLACK:
        return Finding(
            "clock",
            False,
            f"it jumped by {wall_passed - steady_passed:+.0f} s just now; let one time service (NTP) set it",
        )
    ahead = block_timestamp - now
    if ahead > CLOCK_SLACK:
        return Finding("clock", False, f"it is {ahead:.0f} s behind the chain's newest block; set it by NTP")
    if -ahead > BLOCK_SECONDS:
        return Finding(
            "clock",
            False,
            f"the chain's newest block is {-ahead:.0f} s old: this clock is fast (set it by NTP), or the chain stands",
        )
    return Finding("clock", True, f"{-ahead:.0f} s after the chain's newest block")


def endpoint(number: int, name: str, block: int, timestamp: int, newest: int) -> Finding:
    """An RPC endpoint that answered.

    Args:
        timestamp: of its newest block.
        newest: the newest timestamp that any endpoint knows.
    """
    lag = newest - timestamp
    if lag > LAG_SECONDS:
        return Finding(f"rpc {number}", False, f"{name} is {lag} s behind the others, at block {block}; replace it")
    return Finding(f"rpc {number}", True, f"{name} at block {block}")


def access(enabled: bool, keeper: bool) -> Finding:
    """Whether the node releases keys to private data, and is paid for it.

    Args:
        enabled: whether it releases keys.
        keeper: whether it acts on chain by itself.
    """
    if not enabled:
        return Finding("access", True, "releases no keys to private data (access.enabled)")
    if not keeper:
        return Finding(
            "access",
            False,
            "releases keys, but nobody redeems the vouchers, anchors the receipts or attests erasure: set "
            "keeper.enabled, or access.enabled to false",
        )
    return Finding("access", True, "releases keys to private data")


def compute(enabled: bool, keeper: bool, why: str | None) -> Finding:
    """Whether the node runs programs for others.

    Args:
        enabled: whether it wants to.
        keeper: whether it acts on chain by itself.
        why: why this machine cannot run programs; none when it can.
    """
    if not keeper:
        return Finding(
            "compute",
            False,
            "the node is drawn for jobs all the same, and slashed a little for each that it neither runs nor declines: "
            "set keeper.enabled",
        )
    if not enabled:
        return Finding("compute", True, "declines all jobs (compute.enabled)")
    if why is not None:
        return Finding("compute", False, f"{why}; until then the node declines all jobs")
    return Finding("compute", True, "runs programs for others")


def gas_money(signer: str, balance: Wei, gas_price: int) -> Finding:
    """Whether the signer can pay for its duties.

    Args:
        balance: wei of the chain's own currency.
        gas_price: wei for a unit of gas.
    """
    whole, own = (sum(gas) * gas_price for gas in (DUTY_GAS.values(), (DUTY_GAS[name] for name in OWN_DUTIES)))
    has = f"{format_amount(balance).removesuffix(' WAL')} of the chain's own currency"
    if not whole:
        return Finding("gas", True, f"{has}; gas costs nothing here")
    epochs, own_epochs = balance // whole, balance // own
    says = f"{has}: enough for {epochs} epochs of all duties, {own_epochs} of only its own, at today's gas price"
    if epochs >= LOW_EPOCHS:
        return Finding("gas", True, says)
    missing = format_amount(Wei(LOW_EPOCHS * whole - balance)).removesuffix(" WAL")
    return Finding("gas", False, f"{says}; send at least {missing} to the signer {signer}")


def chain_standing(standing: Standing) -> Iterator[Finding]:
    """Stake, candidacy, jail, misses, committee, custody, syncing, pool."""
    yield _stake(standing)
    yield _jail(standing)
    yield _candidate(standing)
    yield _misses(standing)
    yield _committee(standing)
    yield _custody(standing)
    yield _syncing(standing)
    yield _pool(standing)


def _stake(standing: Standing) -> Finding:
    node, minimum = standing.node, standing.parameters.minimum_stake
    own = node.pool.own_stake
    if own < minimum:
        return Finding(
            "stake",
            False,
            f"the operator's own stake is {format_amount(own)}, {format_amount(minimum)} are needed; "
            f"`walrus-agent stake '{format_amount(Wei(minimum - own)).replace(',', '')}'` adds what is missing",
        )
    waiting = f", {format_amount(node.pool.waiting)} wait" if node.pool.waiting else ""
    return Finding(
        "stake",
        True,
        f"{format_amount(node.stake)} active, {format_amount(own)} of it the operator's own "
        f"({format_amount(minimum)} are needed){waiting}",
    )


def _jail(standing: Standing) -> Finding:
    until, now = standing.node.pool.jailed_until, standing.parameters.current_epoch
    if not until:
        return Finding("jail", True, "not jailed")
    if until > now:
        return Finding(
            "jail",
            False,
            f"jailed until epoch {until}, it is epoch {now}; mend what made it miss, then `walrus-agent unjail`",
        )
    return Finding("jail", False, "jailed, and may be let out: `walrus-agent unjail`")


def _candidate(standing: Standing) -> Finding:
    if standing.node.pool.candidate:
        return Finding("candidate", True, "stands for committees")
    if standing.eligible:
        return Finding("candidate", False, "eligible, but does not stand for committees; `walrus-agent stand`")
    return Finding("candidate", False, "cannot stand for committees: own stake is too small, or the node is jailed")


def _misses(standing: Standing) -> Finding:
    pool, now = standing.node.pool, standing.parameters.current_epoch
    if not pool.last_miss:
        return Finding("misses", True, "no custody proof was ever reported missing")
    if pool.last_miss + 1 < now:
        return Finding("misses", True, f"none lately; the last one was missed in epoch {pool.last_miss}")
    return Finding(
        "misses",
        False,
        f"{pool.misses} custody proofs in a row were missed, the last in epoch {pool.last_miss}; each costs twice the "
        "one before, and enough of them jail. Look in the agent's log for why, and at the findings here",
    )


def _committee(standing: Standing) -> Finding:
    node = standing.node
    if node.serving:
        return Finding("committee", True, f"serves {len(node.shards)} shards")
    if node.pool.candidate and standing.eligible:
        return Finding(
            "committee",
            False,
            "no shards: a candidate gets some at the next selection if its stake is enough among the others",
        )
    return Finding("committee", False, "no shards: the node has to be a candidate first")


def _custody(standing: Standing) -> Finding:
    state, duties = standing.custody, standing.duties
    left = duties.closes - duties.timestamp
    if state is Custody.MISSED:
        says = (
            "this epoch's window closed without a proof: the reward is lost, and a slash comes; is the agent running?"
        )
        return Finding("custody", False, says)
    if state is Custody.NOT_OPENED:
        late = left <= 0
        says = (
            "nobody opened this epoch's window, so nobody earns; are agents running, with gas money?"
            if late
            else "this epoch's window was not opened yet"
        )
        return Finding("custody", not late, says)
    if state is Custody.DUE:
        late = left < standing.parameters.epoch_seconds // _LATE_PART
        says = f"a proof is due within {left} s" + ("; is the agent running, with gas money?" if late else "")
        return Finding("custody", not late, says)
    return Finding("custody", True, f"{state.value} in epoch {standing.parameters.current_epoch}")


def _syncing(standing: Standing) -> Finding:
    pending, parameters = len(standing.duties.pending), standing.parameters
    if not pending:
        return Finding("syncing", True, "all shards are here")
    if parameters.current_epoch > parameters.committee_epoch:
        return Finding(
            "syncing",
            False,
            f"{pending} shards came in epoch {parameters.committee_epoch} and are still not here; the log says which "
            "nodes do not answer, and whether the disk is full",
        )
    return Finding("syncing", True, f"{pending} shards are on their way; they are not asked for until they are here")


def _pool(standing: Standing) -> Finding:
    settled, now = standing.duties.settled, standing.parameters.current_epoch
    if now - settled > SETTLE_STEPS:
        return Finding(
            "pool", False, f"settled up to epoch {settled} of {now}: stake and rewards lag; `walrus-agent settle`"
        )
    return Finding("pool", True, f"settled up to epoch {settled} of {now}")
