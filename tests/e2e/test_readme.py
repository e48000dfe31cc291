"""The commands of the README's first steps, taken from the README, as a newcomer types them."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable

import pytest

from tests.docs.markdown import code_blocks
from tests.e2e.shell import ROOT, Ran, Shell
from walrus_chain.devnet.ports import free_run

_README = ROOT / "README.md"
#: `make test` has done this when the test runs.
_SET_UP = "make setup && source .venv/bin/activate"


@pytest.mark.slow
def test_readme__first_steps__work_as_written(shell: Shell) -> None:
    shutil.copy(_README, shell.folder)
    port = free_run(11)
    promises: dict[str, Callable[[Ran], bool]] = {
        "walrus devnet up": lambda ran: "10 in 4 regions, 30 shards" in ran.text,
        "walrus store README.md --epochs 10": lambda ran: "Object     1\n" in ran.text and "Certified  by" in ran.text,
        "walrus list": lambda ran: ran.text.splitlines()[1].startswith("1 ") and "certified" in ran.text,
        "walrus status 1": lambda ran: "30 of 30 shards hold it in full" in ran.text,
        "walrus read 1 -o copy.md": lambda ran: filecmp.cmp(_README, shell.folder / "copy.md", shallow=False),
        "walrus delete 1": lambda ran: "WAL came back as your claim" in ran.text and "Deleted; 0 WAL" not in ran.text,
        "walrus devnet down": lambda ran: "is stopped" in ran.text,
    }
    commands = [
        command
        for block in code_blocks(_README, "sh")
        if block.section == "First steps"
        for command in block.commands
        if command != _SET_UP
    ]

    assert commands == list(promises), "the README's first steps changed: say here what they promise"
    for command, kept in promises.items():
        ports = f" --rpc-port {port} --agent-port {port + 1}" if command == "walrus devnet up" else ""
        ran = shell.ok(command + ports)
        assert kept(ran), str(ran)
    assert shell.processes() == []
