"""The guide to ready-made policies names every kind, how it is made, and why it denies, as the program has it."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT, code_blocks
from walrus_chain.policies.kinds import KINDS, Kind

GUIDE = ROOT / "docs" / "guides" / "policies.md"
TEXT = GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_guide__names_the_kind_with_its_arguments_and_reasons(kind: Kind) -> None:
    assert not kind.arguments or f"`{kind.usage}`" in TEXT
    for reason in kind.reasons:
        assert f"`{reason}`" in TEXT


def test_guide__shows_a_command_for_each_kind_that_its_arguments_fit() -> None:
    shown = set()
    for block in code_blocks(GUIDE, "sh"):
        for line in block.commands:
            found = re.match(r"walrus policy deploy (\w+)(.*)", line)
            if found is None:
                continue
            kind = KINDS[found[1]]
            words = found[2].split("#")[0].split()
            kind.encode(kind.parse(dict(word.split("=", 1) for word in words)))
            shown.add(kind.name)
    assert shown == set(KINDS)
