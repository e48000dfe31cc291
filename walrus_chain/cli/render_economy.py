"""Stake, committee, epoch and prices as data for programs and as text for people, in the manner of `render`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from walrus_chain.cli.render import lines
from walrus_chain.types import Wei, format_amount, format_bps, format_bytes

if TYPE_CHECKING:
    from walrus_chain.chain.economy import Prices
    from walrus_chain.chain.stakes import Leaving, Payout, Settled, Staked
    from walrus_chain.chain.views import Node
    from walrus_chain.client.outlook import CommitteeReport, EpochReport, PriceReport
    from walrus_chain.client.stake import Stake

# -- stake -----------------------------------------------------------------------------------------------------------


def stake(item: Stake) -> dict[str, Any]:
    """What an account has in one pool."""
    has = item.delegation
    return {
        "node": has.node_id,
        "name": item.node.name,
        "serving": item.node.serving,
        "active": str(has.active),
        "principal": str(has.principal),
        "gain": str(has.gain),
        "waiting": str(has.waiting),
        "waitingUntil": has.waiting_until or None,
        "unbonding": [{"amount": str(entry.amount), "release": entry.release} for entry in has.unbonding],
        "due": str(item.due),
        "settled": item.settled,
        "epoch": item.current_epoch,
        "commissionBps": item.node.pool.commission_bps,
        "jailedUntil": item.node.pool.jailed_until or None,
    }


def stake_row(item: Stake) -> tuple[object, ...]:
    """What an account has in one pool: node, name, active, gain, waiting, leaving, due, notes."""
    has, notes = item.delegation, []
    if item.node.pool.jailed_until:
        notes.append("jailed")
    elif not item.node.serving:
        notes.append("does not serve")
    if has.active < has.principal:
        notes.append(f"{format_amount(Wei(has.principal - has.active))} lost to slashing")
    if item.settled < item.current_epoch:
        notes.append(f"settled up to epoch {item.settled} of {item.current_epoch}")
    return (
        has.node_id,
        item.node.name,
        format_amount(has.active),
        format_amount(has.gain),
        f"{format_amount(has.waiting)}, from epoch {has.waiting_until}" if has.waiting else "",
        ", ".join(f"{format_amount(entry.amount)} in epoch {entry.release}" for entry in has.unbonding),
        format_amount(item.due) if item.due else "",
        "; ".join(notes),
    )


def staked(result: Staked) -> dict[str, Any]:
    """Stake that was added."""
    return {
        "node": result.node_id,
        "staked": str(result.amount),
        "activeFrom": result.active_from,
        "transaction": result.transaction,
    }


def staked_text(result: Staked) -> str:
    """Stake that was added, for people."""
    amount = format_amount(result.amount)
    return f"{amount} staked with node {result.node_id}; it counts from epoch {result.active_from} on"


def leaving(result: Leaving) -> dict[str, Any]:
    """Stake that began to leave."""
    return {
        "node": result.node_id,
        "leaving": str(result.amount),
        "release": result.release,
        "waiting": str(result.waiting),
        "waitingUntil": result.waiting_until or None,
        "transaction": result.transaction,
    }


def leaving_text(result: Leaving) -> str:
    """Stake that began to leave, for people."""
    text = (
        f"{format_amount(result.amount)} are on their way out of node {result.node_id}; from epoch {result.release} on "
        f"`walrus stake withdraw {result.node_id}` pays them out. Until then they can be slashed"
    )
    if result.waiting:
        text += (
            f"\n{format_amount(result.waiting)} do not count yet and stayed; they can be taken out from epoch "
            f"{result.waiting_until} on"
        )
    return text


def payout(result: Payout) -> dict[str, Any]:
    """What was paid out."""
    return {
        "credits": [
            {
                "node": credit.node_id,
                "source": credit.source.value,
                "amount": str(credit.amount),
                "why": credit.why,
            }
            for credit in result.credits
        ],
        "owedBefore": str(result.owed_before),
        "paid": str(result.paid),
        "transaction": result.transaction,
    }


def payout_text(result: Payout) -> str:
    """What was paid out, for people."""
    facts = [
        (
            f"{credit.source} of node {credit.node_id}",
            format_amount(credit.amount) if credit.why is None else credit.why,
        )
        for credit in result.credits
    ]
    if result.owed_before:
        facts.append(("owed by the vault before", format_amount(result.owed_before)))
    return lines(f"{format_amount(result.paid)} are yours now", facts)


def settled(result: Settled) -> dict[str, Any]:
    """A pool that was settled."""
    return {"node": result.node_id, "settledBefore": result.before, "settled": result.now}


def settled_text(result: Settled) -> str:
    """A pool that was settled, for people."""
    if result.before == result.now:
        return f"Node {result.node_id} was settled up to epoch {result.now} already; there was nothing to do"
    return f"Node {result.node_id} is settled up to epoch {result.now}; it was up to epoch {result.before}"


# -- the network -----------------------------------------------------------------------------------------------------


def committee(report: CommitteeReport) -> dict[str, Any]:
    """Who serves."""
    p = report.parameters
    return {
        "officeEpoch": p.committee_epoch or None,
        "epoch": p.current_epoch,
        "selectedEpoch": p.selected_epoch or None,
        "shards": p.shards,
        "faults": p.faults,
        "pendingShards": sorted(p.pending_shards),
        "regions": dict(report.regions),
        "members": [_member(report, node) for node in report.members],
    }


def _member(report: CommitteeReport, node: Node) -> dict[str, Any]:
    return {
        "node": node.node_id,
        "name": node.name,
        "region": node.region,
        "url": node.url,
        "operator": node.operator,
        "shards": list(node.shards),
        "pendingShards": list(report.pending_of(node)),
        "stake": str(node.stake),
        "ownStake": str(node.pool.own_stake),
        "commissionBps": node.pool.commission_bps,
        "nextCommissionBps": node.pool.next_commission_bps,
        "nextCommissionFrom": node.pool.next_commission_from or None,
        "misses": node.pool.misses,
        "lastMiss": node.pool.last_miss or None,
        "jailedUntil": node.pool.jailed_until or None,
    }


def member_row(report: CommitteeReport, node: Node) -> tuple[object, ...]:
    """A member: node, name, region, shards, shards on their way, stake, commission, misses."""
    pool, commission = node.pool, format_bps(node.pool.commission_bps)
    if pool.next_commission_bps != pool.commission_bps:
        commission += f", {format_bps(pool.next_commission_bps)} from epoch {pool.next_commission_from}"
    missed = f"{pool.misses} in a row, last in epoch {pool.last_miss}" if pool.last_miss else ""
    return (
        node.node_id,
        node.name,
        node.region,
        len(node.shards),
        len(report.pending_of(node)) or "",
        format_amount(node.stake),
        commission,
        missed,
    )


def committee_text(report: CommitteeReport) -> str:
    """What the table of members does not say, for people."""
    p = report.parameters
    regions = ", ".join(f"{region} {count}" for region, count in sorted(report.regions.items()))
    facts: list[tuple[str, object]] = [
        ("In office", f"since epoch {p.committee_epoch}; it is epoch {p.current_epoch}"),
        ("Shards by region", f"{regions}; {p.faults} may fail"),
        ("On their way", _pending_text(len(p.pending_shards), p.faults)),
    ]
    return lines(f"{len(report.members)} nodes serve {p.shards} shards", facts)


def _pending_text(pending: int, faults: int) -> str:
    if not pending:
        return "no shards"
    state = "the change counts as done" if pending <= faults else f"the change is done when {faults} or fewer are left"
    return f"{pending} shards; {state}"


def epoch(report: EpochReport) -> dict[str, Any]:
    """Clock, next committee, custody."""
    p, window = report.parameters, report.window
    return {
        "epoch": p.current_epoch,
        "begins": p.epoch_start,
        "cut": report.cut,
        "ends": p.start_of(_after(p.current_epoch)),
        "officeEpoch": p.committee_epoch or None,
        "selectedEpoch": p.selected_epoch or None,
        "nextSelected": report.next_selected,
        "changeOver": report.change_over,
        "pendingShards": sorted(p.pending_shards),
        "custody": {
            "opens": report.times.opens,
            "until": report.times.until,
            "closes": report.times.closes,
            "opened": window.opened,
            "empty": window.empty,
            "seed": "0x" + window.seed.hex() if any(window.seed) else None,
            "exemptShards": sorted(window.exempt),
            "proved": len(window.proved),
            "provedNodes": list(report.proved),
            "reported": len(window.reported),
        },
    }


def epoch_text(report: EpochReport) -> str:
    """Clock, next committee, custody, for people."""
    p, times = report.parameters, report.times
    selected = "selected" if report.next_selected else "not selected yet; anybody may from the cut on"
    facts: list[tuple[str, object]] = [
        ("Begun", _clock(p.epoch_start)),
        ("Cut", f"{_clock(report.cut)}: stake that arrives before counts in the next epoch"),
        ("Ends", _clock(p.start_of(_after(p.current_epoch)))),
        ("Committee", f"in office since epoch {p.committee_epoch}" if p.committee_epoch else "none yet"),
        ("Next committee", selected),
        ("On their way", _pending_text(len(p.pending_shards), p.faults)),
        (
            "Custody window",
            f"opened from {_clock(times.opens)} until {_clock(times.until)}, closes {_clock(times.closes)}",
        ),
        ("Custody", _custody_text(report)),
    ]
    return lines(f"Epoch {p.current_epoch}", facts)


def _custody_text(report: EpochReport) -> str:
    window = report.window
    if not window.opened:
        return "the window was not opened yet; without it nobody earns in this epoch"
    if window.empty:
        return "nothing to ask about; everybody passes"
    seed = "its seed is known" if any(window.seed) else "its seed was not read yet"
    reported = f", {len(window.reported)} misses reported" if window.reported else ""
    return f"the window was opened, {seed}; {len(window.proved)} nodes proved{reported}"


def prices(report: PriceReport) -> dict[str, Any]:
    """Today's prices, the next ones, and the votes."""
    return {
        "epoch": report.epoch,
        "unitBytes": report.unit_bytes,
        "today": _prices(report.today),
        "next": _prices(report.next),
        "preview": _prices(report.preview),
        "votes": [
            {
                "node": item.node.node_id,
                "name": item.node.name,
                "shards": len(item.node.shards),
                "vote": None if item.vote is None else _prices(item.vote),
            }
            for item in report.votes
        ],
    }


def prices_text(report: PriceReport) -> str:
    """Today's prices, the next ones, and the votes, for people."""
    facts: list[tuple[str, object]] = [
        ("Today", _prices_text(report.today)),
        (f"Epoch {report.epoch + 1}", f"{_prices_text(report.next)}, as far as votes were counted"),
        ("Votes come to", _prices_text(report.preview)),
    ]
    for item in report.votes:
        wants = "content with the present price" if item.vote is None else _prices_text(item.vote)
        facts.append((f"Node {item.node.node_id}", f"{wants} ({len(item.node.shards)} shards)"))
    return lines(f"Prices in epoch {report.epoch}, for {format_bytes(report.unit_bytes)} encoded and an epoch", facts)


def _prices(value: Prices) -> dict[str, str]:
    return {"unitPrice": str(value.unit_price), "writeFee": str(value.write_fee)}


def _prices_text(value: Prices) -> str:
    return f"{format_amount(value.unit_price)}, write fee {format_amount(value.write_fee)}"


def _clock(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _after(epoch_: Any) -> Any:
    return epoch_ + 1
