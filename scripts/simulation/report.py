"""The result of a simulation as tables for people, and as data for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from scripts.simulation.breakeven import HONEST, Conduct, Economy, beginning, rebuilt_gib, windows_until
from scripts.simulation.parameters import Parameters
from scripts.simulation.results import NetworkResult, Result, StrategyResult
from scripts.simulation.strategies import Rebuilding
from walrus_chain.types import format_bytes

LIMITS = (0.01, 0.1, 1.0)
FRACTIONS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
SAMPLES = (1, 2, 3, 5, 10)
FIRST_SLASHES = (0, 25, 50, 100, 200)
OWN_PARTS = (0.01, 0.05, 0.25, 1.0)
OUTAGES = (0.001, 0.01, 0.05)

Row = dict[str, Any]


def data(parameters: Parameters, result: Result) -> Row:
    """Everything, for `--json`: amounts in WAL, fractions of one, epochs."""
    economy = Economy(parameters.rules, parameters.costs, result.typical)
    return {
        "parameters": asdict(parameters),
        "strategies": [asdict(strategy) for strategy in result.strategies],
        "network": asdict(result.network),
        "typicalNode": asdict(result.typical),
        "breakEven": {
            "dropping": list(dropping(economy)),
            "samples": list(samples(economy)),
            "ownStake": list(owning(economy)),
            "slashing": list(slashing(economy)),
            "proofs": proofs(economy),
            "rebuilding": list(rebuilding(economy)),
            "outages": list(outages(economy)),
        },
    }


def dropping(economy: Economy) -> Iterator[Row]:
    """What a node gains that lacks a fraction of its slivers, and with how dear disks it would begin to gain."""
    lenient = economy.without_slashing()
    for fraction in FRACTIONS:
        conduct = economy.dropping(fraction)
        yield {
            "dropped": fraction,
            "missChance": conduct.miss,
            "caughtMedian": windows_until(conduct.miss, 0.5),
            "caught95": windows_until(conduct.miss, 0.95),
            "gain": economy.gain(conduct),
            "gainWithoutSlashing": lenient.gain(conduct),
            "paysFromDisk": disks_from(economy, fraction),
            "paysFromDiskWithoutSlashing": disks_from(lenient, fraction),
        }


def samples(economy: Economy) -> Iterator[Row]:
    """The same limits by the number of places asked for."""
    for count in SAMPLES:
        yield {"samples": count, **limits(economy.with_rules(samples=count))}


def slashing(economy: Economy) -> Iterator[Row]:
    """The same limits by what a first miss costs; the most is sixteen times that, as in the defaults."""
    for first in FIRST_SLASHES:
        other = economy.with_rules(first_slash_bps=first, maximum_slash_bps=16 * first)
        yield {"firstSlashBps": first, **limits(other)}


def owning(economy: Economy) -> Iterator[Row]:
    """The same limits by how much of the stake is the operator's own; the rest is that of people it does not know."""
    for own in OWN_PARTS:
        yield {"own": own, **limits(replace(economy, node=replace(economy.node, own=own)))}


def limits(economy: Economy) -> Row:
    """From how dear disks on dropping some, much and all begins to pay."""
    return {f"paysFromDisk{fraction:g}": disks_from(economy, fraction) for fraction in LIMITS}


def disks_from(economy: Economy, fraction: float) -> float | None:
    """How many times dearer disks must be for dropping this fraction to pay; None when it never does."""
    return beginning(lambda multiple: economy.with_disk(multiple).gain(economy.dropping(fraction)))


def proofs(economy: Economy) -> Row:
    """How many times dearer a proof must be for not proving to pay."""
    never = Conduct(miss=1, sends_proofs=False)
    return {
        "neverPaysFrom": beginning(lambda multiple: economy.with_proof(multiple).gain(never)),
        "everyOtherTimePaysFrom": beginning(lambda multiple: economy.with_proof(multiple).alternating_gain()),
    }


def rebuilding(economy: Economy) -> Iterator[Row]:
    """What a node gains that stores nothing and fetches what it is asked for; how much must be asked to end that."""
    for way in (Rebuilding.SYMBOLS, Rebuilding.SEGMENTS):
        each = rebuilt_gib(economy.rules.shards, way)
        fetched = each * economy.rules.samples * economy.costs.traffic
        yield {
            "way": way.value,
            "bytesEach": round(each * 2**30),
            "gain": economy.gain(economy.rebuilding(way)),
            "paysFromGib": fetched / economy.costs.disk,
            "placesToEndIt": economy.node.gib * economy.costs.disk / (each * economy.costs.traffic),
        }


def outages(economy: Economy) -> Iterator[Row]:
    """What it costs an honest node to miss windows by accident."""
    for chance in OUTAGES:
        cost = -economy.gain(Conduct(miss=chance))
        yield {"chance": chance, "cost": cost, "partOfProfit": cost / economy.profit(HONEST)}


def text(parameters: Parameters, result: Result) -> str:
    """The tables."""
    economy = Economy(parameters.rules, parameters.costs, result.typical)
    parts = [
        heading(parameters),
        strategy_table(result.strategies),
        network_lines(result.network),
        typical_lines(economy),
        dropping_table(economy),
        limits_table(economy),
        rebuilding_table(economy),
        outage_lines(economy),
    ]
    return "\n\n".join(parts)


def heading(parameters: Parameters) -> str:
    """What was simulated."""
    scale, shards = parameters.scale, parameters.rules.shards
    size = f"{scale.epochs} epochs, {scale.nodes} nodes, {scale.blobs} blobs, {shards} shards"
    return f"{size}, seed {scale.seed}; amounts in WAL an epoch"


def strategy_table(strategies: Sequence[StrategyResult]) -> str:
    """One line a strategy."""
    rows = [("strategy", "nodes", "profit", "beside honest", "caught in", "95 %", "slashed", "jailed after", "jailed")]
    rows += [
        (
            each.name,
            str(each.nodes),
            f"{each.profit:+.2f}",
            f"{each.beside_honest:+.2f}",
            _whole(each.detected_median),
            _whole(each.detected_95),
            f"{each.slashed:.1%}",
            _whole(each.jailed_after),
            str(each.jailed),
        )
        for each in strategies
    ]
    return table(rows)


def network_lines(network: NetworkResult) -> str:
    """What happened to the network as a whole."""
    held, moved, healed = (
        format_bytes(round(count)) for count in (network.bytes_a_shard, network.moved_bytes, network.lost_region_bytes)
    )
    lines = (
        f"members: {network.members:.1f}; a shard holds {held}; {network.blobs_alive:,.0f} blobs",
        f"moved in an epoch: {network.moved_shards:.2f} shards, {moved}",
        f"region lost: {network.lost_region_shards} shards (f = {network.faults}), {healed} fetched to heal",
        f"shards missing at a time: {network.missing_shards} at most, {network.spare_shards} can be spared",
        f"blobs lost: {network.blobs_lost}",
        f"income: {network.income:,.1f}; in all {network.slashed:,.0f} slashed, {network.burned:,.0f} burned",
        f"supply unaccounted for: {network.missing_wei} wei",
    )
    return "\n".join(lines)


def typical_lines(economy: Economy) -> str:
    """Whose arithmetic the tables below are."""
    node = economy.node
    return (
        f"A middling node holds {node.gib:,.0f} GiB. Its pool earns {node.reward:.2f}, its operator "
        f"{node.income:.2f} before costs\nand {economy.profit(HONEST):.2f} after; "
        f"{node.own_stake:,.0f} WAL are the operator's own. Where would cheating begin to pay it, in the long run?"
    )


def dropping_table(economy: Economy) -> str:
    """Where dropping slivers begins to pay."""
    rows = [
        (
            "dropped",
            "miss",
            "caught in",
            "95 %",
            "gain",
            "pays if disks cost",
            "unslashed: gain",
            "pays if disks cost",
        )
    ]
    rows += [
        (
            f"{row['dropped']:.1%}",
            f"{row['missChance']:.2%}",
            _whole(row["caughtMedian"]),
            _whole(row["caught95"]),
            f"{row['gain']:+.2f}",
            _times(row["paysFromDisk"]),
            f"{row['gainWithoutSlashing']:+.2f}",
            _times(row["paysFromDiskWithoutSlashing"]),
        )
        for row in dropping(economy)
    ]
    return table(rows)


def limits_table(economy: Economy) -> str:
    """The same limits under other rules."""
    rows: list[Sequence[str]] = [("dropping pays if disks cost", "1 %", "10 %", "everything")]
    rows += [(f"{row['samples']} samples", *_limits(row)) for row in samples(economy)]
    rows += [(f"own stake {row['own']:.0%}", *_limits(row)) for row in owning(economy)]
    rows += [(f"first slash {row['firstSlashBps'] / 100:g} %", *_limits(row)) for row in slashing(economy)]
    skipping = proofs(economy)
    return (
        f"{table(rows)}\n"
        f"Not proving pays if a proof costs {_times(skipping['neverPaysFrom'])}; "
        f"every other time, {_times(skipping['everyOtherTimePaysFrom'])}."
    )


def rebuilding_table(economy: Economy) -> str:
    """Where storing nothing and fetching what is asked for begins to pay."""
    rows: list[Sequence[str]] = [
        ("stores nothing, rebuilds by", "bytes a place", "gain", "pays from", "ends with places")
    ]
    rows += [
        (
            row["way"],
            format_bytes(row["bytesEach"]),
            f"{row['gain']:+.2f}",
            f"{row['paysFromGib']:.3g} GiB",
            f"{row['placesToEndIt']:,.0f}",
        )
        for row in rebuilding(economy)
    ]
    return table(rows)


def outage_lines(economy: Economy) -> str:
    """What bad luck costs."""
    return "\n".join(
        f"An honest node that misses {row['chance']:.1%} of its windows loses {row['cost']:.2f}, "
        f"{row['partOfProfit']:.0%} of its profit."
        for row in outages(economy)
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(_line(row, widths)) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    yield row[0].ljust(widths[0])
    yield from (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))


def _limits(row: Row) -> Iterator[str]:
    return (_times(row[f"paysFromDisk{part:g}"]) for part in LIMITS)


def _times(multiple: float | None) -> str:
    return "never" if multiple is None else f"{multiple:,.1f} x"


def _whole(number: float | None) -> str:
    return "-" if number is None else f"{number:g}"
