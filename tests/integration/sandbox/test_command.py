"""`walrus compute` as a person uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sandbox.modules import IMPORTS, MARK, MEMORY, program
from walrus_chain.cli.main import run

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]


def walrus(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_new_build_test__from_nothing_to_a_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("one\ntwo\n")
    (tmp_path / "count.wat").write_text(
        f'(module {IMPORTS} {MARK} {MEMORY} (data (i32.const 0) "done") (func (export "run") '
        "(call $log (i32.const 0) (i32.const 4)) (call $write (i32.const 0) (i32.const 4))))"
    )

    assert walrus(capsys, "compute", "new", "mine")[0] == 0
    assert "walrus.h" in Path("mine.c").read_text()
    assert walrus(capsys, "compute", "build", "count.wat")[0] == 0
    code, out, err = walrus(capsys, "compute", "test", "count.wasm", "--input", "text", "-o", "result")

    assert code == 0
    assert "finished" in out
    assert "Log:\ndone" in err
    assert Path("result").read_bytes() == b"done"


def test_test__json__holds_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "program.wasm").write_bytes(program("(call $write (i32.const 0) (i32.const 2))"))

    code, out, _ = walrus(capsys, "compute", "test", tmp_path / "program.wasm", "--json")
    data: dict[str, Any] = json.loads(out)

    assert code == 0
    assert (data["ending"], data["output"], data["size"], data["memory"]) == ("finished", "0x0000", 2, 65536)
    assert data["fuelUsed"] > 0
    assert len(data["resultHash"]) == 66


@pytest.mark.parametrize(
    ("body", "options", "words"),
    [
        ("unreachable", (), "trap"),
        ("(loop $again (br $again))", ("--fuel", "1000000"), "out of fuel"),
        ("(loop $again (br $again))", ("--fuel", "1000000000000", "--seconds", "0.3"), "timed out"),
    ],
)
def test_test__of_a_program_that_fails__ends_with_1_and_says_how(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str, options: tuple[str, ...], words: str
) -> None:
    (tmp_path / "program.wasm").write_bytes(program(body))

    code, out, _ = walrus(capsys, "compute", "test", tmp_path / "program.wasm", *options)

    assert code == 1
    assert words in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("test", "absent.wasm"), "absent.wasm cannot be read"),
        (("test", "here.wasm", "--input", "absent"), "absent cannot be read"),
        (("test", "here.wasm", "--fuel", "0"), "the fuel must be from 1"),
        (("build", "here.wasm"), "it must end in .c or .wat"),
        (("build", "absent.c"), "absent.c cannot be read"),
        (("build", "broken.wat"), "broken.wat does not build"),
        (("build", "unfit.wat"), "it does not export walrus_abi_1"),
        (("new", "here/there"), "cannot name a program"),
        (("new", "taken"), "there is a file 'taken.c' already"),
    ],
)
def test_command__what_cannot_work__says_why_and_ends_with_3(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.wasm").write_bytes(program())
    Path("broken.wat").write_text("(module (")
    Path("unfit.wat").write_text("(module)")
    Path("taken.c").touch()

    code, _, err = walrus(capsys, "compute", *arguments)

    assert code == 3
    assert words in err


def test_build__without_tools__says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.c").write_text("void program(void) {}")
    monkeypatch.setenv("PATH", str(tmp_path))

    code, _, err = walrus(capsys, "compute", "build", tmp_path / "mine.c")

    assert code == 3
    assert "apt-get install clang lld" in err


def test_run__without_the_engine__says_what_to_install() -> None:
    code = (
        "import sys; sys.path.append(sys.argv[1]); from walrus_chain.errors import EngineMissing\n"
        "from walrus_chain.sandbox.runner import check_installation\n"
        "try: check_installation()\n"
        "except EngineMissing as error: print(error)"
    )

    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)], capture_output=True, text=True, check=True, timeout=60
    )

    assert "pip install 'walrus-chain[compute]'" in ended.stdout
