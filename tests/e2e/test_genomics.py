"""The genomics story, with the one command that its README names."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import code_blocks
from tests.e2e.shell import ROOT, Shell

_README = ROOT / "examples" / "genomics" / "README.md"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_genomics__one_command__tells_the_whole_story(shell: Shell) -> None:
    [command] = [command for block in code_blocks(_README, "sh") for command in block.commands]

    ran = shell.run(f"cd {ROOT} && {command}", seconds=280)

    assert ran.code == 0, str(ran)
    for what in (
        r"ok  without a credential the first researcher is denied, and pays nothing",
        r"9 reads, each from question to plaintext in \d+ ms \(median\), paid by vouchers",
        r"ok  the next read was refused \d+\.\d\d s later: CredentialRevoked",
        r"ok  what the pool divided and its dust are what it received, to the wei",
        r"ok  \d rows in statement\.csv",
        r"ok  the analyst's read is denied: NoneAllows \(NoCredential, ReadingDenied\)",
        r"ok  all 3 agree, and got 1 WAL each",
        r"ok  1,200 sites, the same to the byte as the owner computes in Python",
        r"forbids this by its rule canDelete",
        r"ok  served for the last time \d+\.\d s after it; promised: 60 s at most",
        r"ok  all are fixed on chain; none is missing, and none contradicts another",
    ):
        assert re.search(what, ran.text), f"nothing like {what!r} in\n{ran.text}"
    assert shell.processes() == []
