"""Runs slither over the contracts and holds its findings to their answers: `make slither`.

The answers stand in docs/security.md, in the table of the section "Static analysis": one row a detector, with the
functions concerned and what is to be said of them. A finding without an answer fails the run, and so does an answer
without a finding.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
SECURITY: Final = ROOT / "docs" / "security.md"
SECTION: Final = "## Static analysis"
ANYWHERE: Final = "anywhere"
#: Libraries and tests are not deployed by this project, or not written by it.
LEFT_OUT: Final = "node_modules|tests|contracts/mocks"

Found = set[tuple[str, str]]
"""Detector and function, like ("timestamp", "Committee.form")."""


def main(slither: str) -> int:
    """Analyse, compare, and say what differs; the exit code."""
    found, answers = findings(analyse(slither)), answers_in(SECURITY.read_text())
    wrong = differences(found, answers)
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"{len(found)} findings of {len(answers)} detectors, each answered in {SECURITY.relative_to(ROOT)}")
    return 1 if wrong else 0


def analyse(slither: str) -> list[dict[str, Any]]:
    """What slither finds in the contracts that forge built, in a folder where it says how."""
    command = [slither, ".", "--foundry-ignore-compile", "--foundry-out-directory", ".build/slither/out"]
    command += ["--filter-paths", LEFT_OUT, "--json", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"slither failed: {done.stderr[-2000:]}") from None
    if not answer["success"]:
        raise SystemExit(f"slither failed: {answer['error']}")
    detectors: list[dict[str, Any]] = answer["results"]["detectors"]
    return detectors


def findings(detectors: Iterable[Mapping[str, Any]]) -> Found:
    """Findings by detector and place, each once."""
    return {(finding["check"], place_of(finding["elements"])) for finding in detectors}


def place_of(elements: Iterable[Mapping[str, Any]]) -> str:
    """The function that a finding is about, with its contract; the contract where it is about no function."""
    for element in elements:
        kind, parent = element["type"], element.get("type_specific_fields", {}).get("parent")
        if kind == "contract":
            return str(element["name"])
        if kind == "function":
            return f"{parent['name']}.{element['name']}"
        if parent is not None and parent["type"] == "function":
            return f"{parent['type_specific_fields']['parent']['name']}.{parent['name']}"
        if parent is not None:
            return f"{parent['name']}.{element['name']}"
    return "?"


def answers_in(text: str) -> dict[str, set[str]]:
    """Detectors that the table answers, each with the places it names."""
    section = text.split(SECTION, 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \|", section, re.MULTILINE)
    return {detector: set(re.findall(r"`([\w.]+)`", places)) or {ANYWHERE} for detector, places in rows}


def differences(found: Found, answers: Mapping[str, set[str]]) -> list[str]:
    """What was found and not answered, and what is answered and was not found, in words."""
    lines = [
        f"{detector} in {place}: not answered in {SECURITY.name}"
        for detector, place in sorted(found)
        if not answers.get(detector, set()) & {place, ANYWHERE}
    ]
    seen = {detector: {place for check, place in found if check == detector} for detector, _ in found}
    for detector, places in sorted(answers.items()):
        gone = places - seen.get(detector, set()) - {ANYWHERE}
        if detector not in seen:
            lines.append(f"{detector}: answered in {SECURITY.name}, but not found any more")
        lines += [
            f"{detector} in {place}: answered in {SECURITY.name}, but not found any more" for place in sorted(gone)
        ]
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "slither"))
