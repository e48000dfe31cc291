"""Every command that the documentation shows exists, with the options it is shown with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from storage_agent.cli import main as agent_cli
from tests.docs.markdown import ROOT, code_blocks, documents
from walrus_chain.cli import main as walrus_cli

_SPAN = re.compile(r"`((?:walrus|walrus-agent|make) [^`]+)`")
_CHAINED = re.compile(r"\s*(?:&&|\|\||[|;])\s*")


def _programs() -> dict[str, Any]:
    return {
        "walrus": typer.main.get_command(walrus_cli.build()),
        "walrus-agent": typer.main.get_command(agent_cli.app),
    }


def _shown(document: Path) -> Iterator[str]:
    """Commands in shell blocks and in the text."""
    for block in code_blocks(document, "sh"):
        for line in block.commands:
            yield from _CHAINED.split(line)
    yield from (span for line in document.read_text().splitlines() for span in _SPAN.findall(line))


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_commands__of_a_document__exist(document: Path) -> None:
    programs, targets = _programs(), _make_targets()
    wrong = [
        f"{command}: {why}"
        for command in _shown(document)
        if (why := _what_is_wrong(command, programs, targets)) is not None
    ]

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("walrus store FILE --epochs 10", None),
        ("walrus devnet up --agents 10", None),
        ("make demo FILE=video.mp4", None),
        ("walrus --help", None),
        ("walrus COMMAND --help", None),
        ("python script.py", None),
        ("walrus sotre FILE", "no command 'sotre'"),
        ("walrus devnet up --agent 10", "no option --agent"),
        ("make deom", "no target 'deom'"),
    ],
)
def test_what_is_wrong(command: str, why: str | None) -> None:
    assert _what_is_wrong(command, _programs(), _make_targets()) == why


def _make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def _what_is_wrong(text: str, programs: dict[str, Any], targets: set[str]) -> str | None:
    name, *words = shlex.split(text)
    if name == "make":
        unknown = [word for word in words if "=" not in word and not word.startswith("-") and word not in targets]
        return f"no target {unknown[0]!r}" if unknown else None
    command = programs.get(name)
    if command is None:
        return None
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        if words[0].isupper():
            return None  # stands for any command
        if words[0] not in command.commands:
            return f"no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help", "-h"}
    given = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    unknown = [option for option in given if option not in options]
    return f"no option {unknown[0]}" if unknown else None
