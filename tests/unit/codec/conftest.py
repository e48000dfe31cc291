"""What several tests of the codec share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture(scope="session")
def vectors() -> Callable[[str, str], list[dict[str, Any]]]:
    """The cases of a group in a file of vectors, contents already spelled out under `content`."""

    def load(name: str, group: str) -> list[dict[str, Any]]:
        cases: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())[group]
        for case in cases:
            if "unit" in case:
                unit = bytes.fromhex(case["unit"][2:])
                case["content"] = (unit * (case["size"] // len(unit) + 1))[: case["size"]]
        assert cases
        return cases

    return load
