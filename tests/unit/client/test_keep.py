"""What a client keeps: durable, private, and whole also when several programs change it at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from walrus_chain.client.keep import FolderKeep, Keep, MemoryKeep
from walrus_chain.errors import HomeUnreadable

_COUNT = """
import sys
from pathlib import Path
from walrus_chain.client.keep import FolderKeep
for _ in range(200):
    with FolderKeep(Path(sys.argv[1])).changing("uses", "one") as document:
        document["count"] = document.get("count", 0) + 1
"""


@pytest.fixture(params=["memory", "folder"])
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Keep:
    return MemoryKeep() if request.param == "memory" else FolderKeep(tmp_path / "private")


def test_changing__what_was_written__is_there_the_next_time(keep: Keep) -> None:
    with keep.changing("owners", "a") as document:
        assert document == {}
        document["secret"] = "s"
    with keep.changing("owners", "a") as document:
        assert document == {"secret": "s"}
    assert keep.names("owners") == ("a",)
    assert keep.names("keys") == ()


def test_changing__block_that_fails__changes_nothing(keep: Keep) -> None:
    with pytest.raises(ZeroDivisionError), keep.changing("owners", "a") as document:
        document["secret"] = 1 / 0
    with keep.changing("owners", "a") as document:
        assert document == {}


def test_changing__only_looked_at__writes_no_file(tmp_path: Path) -> None:
    keep = FolderKeep(tmp_path / "private")
    with keep.changing("owners", "a") as document:
        assert not document
    assert keep.names("owners") == ()


def test_changing__damaged_file__says_which(tmp_path: Path) -> None:
    keep = FolderKeep(tmp_path)
    (tmp_path / "owners").mkdir()
    (tmp_path / "owners" / "a.json").write_text("[]")
    with pytest.raises(HomeUnreadable, match=r"a\.json"), keep.changing("owners", "a"):
        pass


def test_changing__several_programs__none_overwrites_another(tmp_path: Path) -> None:
    programs = [subprocess.Popen([sys.executable, "-c", _COUNT, str(tmp_path)]) for _ in range(3)]
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    with FolderKeep(tmp_path).changing("uses", "one") as document:
        assert document["count"] == 600
