"""tests/vectors/programs.json: what every agent must come to."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from walrus_chain.compute.abi import ENGINE
from walrus_chain.compute.run import Run
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program

pytestmark = pytest.mark.integration
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "programs.json").read_text())
INPUTS = [
    BytesInput(bytes(data["zeros"]) if isinstance(data, dict) else bytes.fromhex(data)) for data in VECTORS["inputs"]
]


def test_vectors__are_of_this_engine() -> None:
    assert VECTORS["engine"] == ENGINE


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
async def test_vector__run_here__comes_to_the_same(case: dict[str, Any]) -> None:
    program, argument = bytes.fromhex(case["program"]), bytes.fromhex(VECTORS["argument"])

    outcome = await run_program(Run(program, argument, VECTORS["fuel"], VECTORS["outputBytes"]), INPUTS)

    assert (outcome.ending, outcome.output.hex(), outcome.fuel_used) == (
        case["ending"],
        case["output"],
        case["fuelUsed"],
    )
    assert outcome.result_hash.hex() == case["resultHash"]
    assert case["resultHash"] == hashlib.sha256(b"\x05" + bytes([case["ending"]]) + outcome.output).hexdigest()
