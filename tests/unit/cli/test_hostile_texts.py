"""Texts that other people wrote, on chain or over HTTP: shown to people, never obeyed by their terminals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Walrus
from walrus_chain.cli import render
from walrus_chain.cli.output import Output
from walrus_chain.cli.progress import byte_progress
from walrus_chain.errors import AgentMisbehaved
from walrus_chain.types import printable, printable_lines

HOSTILE = "x\x1b[2J\x9b31m\u202e\r\nHealth  30 of 30 shards hold it in full"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("größer", "größer"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202egnp", "\\u202egnp"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable__what_a_terminal_would_obey__is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable_lines(f"{text}\nnext").split("\n")[-1] == "next"


def test_attribute_with_escapes_and_lines__stays_on_its_line() -> None:
    [title, line] = render.lines(HOSTILE, [("", f"key = {HOSTILE}")]).split("\n")

    assert title.isprintable()
    assert line.isprintable()


def test_tables_facts_notes_and_errors__never_hold_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=False)
    out.table([], ("Name", "Status"), [(HOSTILE, "unreachable")], "none")
    out.facts({}, [("name", HOSTILE)])
    out.note(HOSTILE)
    out.error(AgentMisbehaved("node", HOSTILE))

    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert all(line.isprintable() for line in (captured.out + captured.err).split("\n"))


def test_file_named_like_markup__progress_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Output, "interactive", True)
    with byte_progress(Output(as_json=False), "Reading [/bold] [link=http://a]") as tell:
        tell(1, 2)


def test_file_named_with_escapes__blob_id_says_the_name_on_one_line(walrus: Walrus, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2J\nb"

    ended = walrus("blob-id", file)

    assert ended.code != 0
    assert "\x1b" not in ended.err
