"""Hundreds of epochs of a network in which some nodes cheat, on the Python mirrors of the chain's rules; no chain.

    python -m scripts.simulate_network [--json] [--epochs 300] [--nodes 120] [--blobs 5000] [--seed 1]

Prints what each way to run a node earns, when cheats are caught, what moves when nodes come and go or a region is lost,
and where cheating would begin to pay. The same options give the same result. docs/economics.md reads it aloud.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from scripts.simulation import report
from scripts.simulation.network import Network
from scripts.simulation.parameters import WAL, Costs, Parameters, Rules, Scale, wal
from scripts.simulation.results import all_honest, compare
from walrus_chain.errors import Misuse

COUNTS = ("epochs", "nodes", "blobs", "regions", "cheats_each", "seed")
CHANCES = ("drift", "churn")
RULES = (
    "shards",
    "samples",
    "first_slash_bps",
    "maximum_slash_bps",
    "misses_to_jail",
    "jail_epochs",
    "bounty_bps",
    "burn_bps",
    "unbonding_epochs",
)


def main(arguments: list[str] | None = None) -> int:
    """Run, and print; exit code 2 when the options do not fit each other."""
    options = parser().parse_args(arguments)
    parameters = chosen(options)
    try:
        networks = [Network(parameters), Network(all_honest(parameters))]
        for name, network in zip(("with cheats", "all honest"), networks, strict=True):
            network.run(progress(name, parameters.scale.epochs))
    except Misuse as error:
        print(f"simulate_network: {error}", file=sys.stderr)
        return 2
    result = compare(parameters, *networks)
    print(json.dumps(report.data(parameters, result)) if options.json else report.text(parameters, result))
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be chosen."""
    result = argparse.ArgumentParser(
        prog="python -m scripts.simulate_network", description=(__doc__ or "").split("\n")[0]
    )
    result.add_argument("--json", action="store_true", help="print data instead of tables")
    scale, rules, costs = Scale(), Rules(), Costs()
    add_numbers(result, "scale", scale, COUNTS, int)
    add_numbers(result, "scale", scale, CHANCES, float)
    group = result.add_argument_group("scale")
    group.add_argument("--stake", type=float, default=scale.stake / WAL, help="WAL behind a node at first")
    group.add_argument("--lost-region", type=int, help="the epoch in which a region burns; 0 for none, else after 3/5")
    add_numbers(result, "rules", rules, RULES, int)
    add_numbers(result, "costs outside the network, in WAL", costs, [each.name for each in fields(Costs)], float)
    return result


def add_numbers(
    target: argparse.ArgumentParser, title: str, defaults: object, names: Any, kind: Callable[[str], float]
) -> None:
    """Options for numbers, with the defaults that `defaults` has under these names."""
    group = target.add_argument_group(title)
    for name in names:
        group.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=getattr(defaults, name), help="%(default)s"
        )


def chosen(options: argparse.Namespace) -> Parameters:
    """The parameters that were asked for."""
    given = vars(options)
    burning = options.epochs * 3 // 5 if options.lost_region is None else options.lost_region
    return Parameters(
        rules=Rules(**{name: given[name] for name in RULES}),
        costs=Costs(**{each.name: given[each.name] for each in fields(Costs)}),
        scale=Scale(
            **{name: given[name] for name in (*COUNTS, *CHANCES)},
            stake=wal(options.stake),
            lost_region=burning or None,
        ),
    )


def progress(name: str, epochs: int) -> Callable[[int], None]:
    """Says on stderr, ten times, how far a run is."""

    def show(epoch: int) -> None:
        if epoch * 10 // epochs > (epoch - 1) * 10 // epochs:
            print(f"{name}: epoch {epoch} of {epochs}", file=sys.stderr)

    return show


if __name__ == "__main__":
    sys.exit(main())
