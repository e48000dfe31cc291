"""What can be stored, and where reads are written to."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path

import pytest

from walrus_chain.client.sources import source_of
from walrus_chain.client.targets import writing_to
from walrus_chain.errors import SourceUnreadable, TargetUnwritable


def test_bytes__can_be_read_again_and_again() -> None:
    source = source_of(b"data", "x")
    for _ in range(2):
        with source.open() as file:
            assert file.read(10) == b"data"
    assert (source.name, source.size, source.stamp()) == ("x", 4, None)


def test_stream__is_read_once_and_can_be_read_again() -> None:
    source = source_of(io.BytesIO(b"data"))
    for _ in range(2):
        with source.open() as file:
            assert file.read(10) == b"data"
    assert source.size is None
    source.close()


def test_named_pipe__is_spooled(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(b"through the pipe"))
    writer.start()
    source = source_of(pipe)
    writer.join()
    with source.open() as file:
        assert file.read(100) == b"through the pipe"
    source.close()


def test_stream_that_breaks__is_unreadable() -> None:
    class Broken(io.RawIOBase):
        def readinto(self, _: object) -> int:
            raise OSError(5, "Input/output error")

        def readable(self) -> bool:
            return True

    with pytest.raises(SourceUnreadable, match="Input/output error"):
        source_of(io.BufferedReader(Broken()))


def test_file__stamp_changes_when_it_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    source = source_of(path)
    before = source.stamp()
    path.write_bytes(b"three")
    assert source.stamp() != before


def test_missing_file__is_unreadable_when_opened(tmp_path: Path) -> None:
    source = source_of(tmp_path / "nothing")
    with pytest.raises(SourceUnreadable, match="No such file"), source.open():
        pass


def test_target__failure__keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> None:
        with writing_to(path) as file:
            file.write(b"half")
            raise EOFError

    with pytest.raises(EOFError):
        write_half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_target__success__replaces_the_file_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with writing_to(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_target__folder_or_no_folder__says_why(tmp_path: Path) -> None:
    with pytest.raises(TargetUnwritable, match="folder"), writing_to(tmp_path):
        pass
    with pytest.raises(TargetUnwritable, match="No such file"), writing_to(tmp_path / "no" / "file"):
        pass


def test_target__device__is_written_to_as_it_is() -> None:
    with writing_to("/dev/null") as file:
        file.write(b"gone")
    assert Path("/dev/null").is_char_device()
