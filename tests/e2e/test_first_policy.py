"""The guide to a first policy, followed to the letter in an empty folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.docs.markdown import CodeBlock, code_blocks
from tests.e2e.shell import ROOT, Ran, Shell
from walrus_chain.devnet.ports import free_run

_GUIDE = ROOT / "docs" / "guides" / "first-policy.md"
_ADDRESS = re.compile(r"0x[0-9A-Fa-f]{40}")
_FILE = re.compile(r"Put this into `([^`]+)`:$")


def _steps() -> Iterator[CodeBlock]:
    """All blocks of the guide, in its order."""
    blocks = [block for language in ("sh", "solidity", "python") for block in code_blocks(_GUIDE, language)]
    return iter(sorted(blocks, key=lambda block: block.line))


def _file_of(block: CodeBlock) -> str:
    """The file that the sentence before a block names."""
    before = "\n".join(_GUIDE.read_text().splitlines()[: block.line - 2]).rstrip()
    found = _FILE.search(before)
    assert found is not None, f"line {block.line}: which file is this?"
    return found[1]


def _found_in(ran: Ran) -> str:
    address = _ADDRESS.search(ran.text)
    assert address is not None, str(ran)
    return address[0]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_guide__followed_to_the_letter__does_what_it_says(shell: Shell) -> None:
    port = free_run(11)
    names: dict[str, str] = {}
    promises: dict[str, Callable[[Ran], bool]] = {
        "walrus policy new FriendsFirst": lambda ran: "FriendsFirst/FriendsFirst.sol" in ran.text,
        "walrus policy test FriendsFirst": lambda ran: " passed" in ran.text,
        "walrus devnet up": lambda ran: "10 in 4 regions" in ran.text,
        "walrus pool create --share ME=1": lambda ran: "1" in ran.text,
        "walrus store secret.txt --private --policy POLICY": lambda ran: "Object     1\n" in ran.text,
        "walrus policy show 1": lambda ran: "FriendsFirst" in ran.text and "private, key epoch 1" in ran.text,
        "walrus policy dry-run 1 --wallet friend": lambda ran: ran.text.startswith("Allowed for free"),
        "walrus policy dry-run 1": lambda ran: ran.text.startswith("Allowed for 0.5 WAL to pool 1"),
        "walrus read 1 --wallet friend --password-file friend.password": lambda ran: "under the oak" in ran.text,
        "walrus read 1 --spend-limit 0.5 --open-channel 5": lambda ran: "under the oak" in ran.text,
        "walrus audit 1": lambda ran: len(ran.text.splitlines()) == 3 and "0.5 WAL" in ran.text,
        "walrus devnet down": lambda ran: "is stopped" in ran.text,
    }
    kept = set[str]()

    for block in _steps():
        if block.language != "sh":
            (shell.folder / _file_of(block)).write_text(block.code)
            continue
        for command in block.commands:
            ports = f" --rpc-port {port} --agent-port {port + 1}" if command == "walrus devnet up" else ""
            ran = shell.ok(re.sub("ME|POLICY", lambda name: names[name[0]], command) + ports)
            if command in promises:
                assert promises[command](ran), str(ran)
                kept.add(command)
            if command == "walrus devnet up":
                names["ME"] = _found_in(ran)
            if command.startswith("walrus policy deploy"):
                names["POLICY"] = _found_in(ran)

    assert kept == promises.keys(), "the guide changed: say here what it promises"
    assert shell.processes() == []


def test_guide__first_two_chapters__need_no_network(shell: Shell) -> None:
    chapters = ("A policy that works", "Make it yours")
    for block in (block for block in _steps() if block.section in chapters):
        if block.language == "sh":
            for command in block.commands:
                shell.ok(command)
        else:
            (shell.folder / _file_of(block)).write_text(block.code)
    assert sorted(path.name for path in (shell.folder / "FriendsFirst").glob("*.*")) == [
        "FriendsFirst.sol",
        "test_friends_first.py",
    ]
