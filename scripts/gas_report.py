"""Collect what the gas tests measured into `tests/gas/gas.json` and print it beside the committed table and the limits.

The tests (`tests/gas/*.t.sol`) name each figure by `vm.snapshotGasLastCall("gas", name)`; forge writes them to
`.build/forge/snapshots`. Every figure is the gas of one whole transaction: the 21,000 base and the calldata included.
Views (`evaluate...`) are no transactions: their figure is the gas of the call alone.
Exits with 1 when a figure is above its limit, or when one that has a limit was not measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SNAPSHOTS: Final = ROOT / ".build" / "forge" / "snapshots"
TABLE: Final = ROOT / "tests" / "gas" / "gas.json"
LIMITS: Final = {
    "register": 130_000,
    "registerBatch10PerBlob": 85_000,
    "certify7": 140_000,
    "certify21": 250_000,
    "firstDelegation": 110_000,
    "custodyProof5": 195_000,
    "reportMiss": 165_000,
    "distribute3": 60_000,
    "distribute10": 60_000,
    "distribute10000": 60_000,
    "claim": 70_000,
    "redeemVoucher": 104_000,
    "redeemVouchers20Each": 45_000,
    "buyRead": 95_000,
    "requestJob": 180_000,
    **{f"commitResult{replicas}": 60_000 for replicas in (1, 3, 5)},
    **{f"revealResult{replicas}": 75_000 for replicas in (1, 3, 5)},
}


def read_table(path: Path) -> dict[str, int]:
    """Gas by name; empty when there is no such file."""
    return {name: int(gas) for name, gas in json.loads(path.read_text()).items()} if path.is_file() else {}


def excesses(table: Mapping[str, int]) -> list[str]:
    """What is above its limit, or missing although it has one, in words."""
    return [f"{name} was not measured" for name in LIMITS if name not in table] + [
        f"{name} costs {table[name]:,} gas, {limit:,} are allowed"
        for name, limit in LIMITS.items()
        if table.get(name, 0) > limit
    ]


def rows(measured: Mapping[str, int], committed: Mapping[str, int]) -> list[tuple[str, str, str, str]]:
    """Name, gas, difference to the committed figure, limit: as text, for people."""
    return [
        (
            name,
            f"{gas:,}",
            f"{gas - committed[name]:+,}" if name in committed else "new",
            f"{LIMITS[name]:,}" if name in LIMITS else "",
        )
        for name, gas in sorted(measured.items())
    ]


def main() -> int:
    measured: dict[str, int] = {}
    for file in sorted(SNAPSHOTS.glob("*.json")):
        measured |= read_table(file)
    if not measured:
        print(f"no gas was measured: {SNAPSHOTS} is empty; run `make gas`", file=sys.stderr)
        return 1
    table = [("transaction", "gas", "difference", "limit"), *rows(measured, read_table(TABLE))]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    for name, *figures in table:
        print("  ".join([name.ljust(widths[0]), *(f.rjust(w) for f, w in zip(figures, widths[1:], strict=True))]))
    TABLE.write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
    if found := excesses(measured):
        print("\n".join(found), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
