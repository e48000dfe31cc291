"""Builds programs: C by clang and lld, the text format by the engine's assembler."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from walrus_chain.compute.abi import WINDOW_BYTES
from walrus_chain.compute.module import examine
from walrus_chain.errors import BuildFailed, MalformedArgument, SourceUnreadable, ToolMissing
from walrus_chain.sandbox.runner import check_installation

#: Header, runtime and template for C.
SDK: Final = Path(__file__).parents[1] / "compute" / "sdk"
_CLANG: Final = "clang"
_LINKER: Final = "wasm-ld"
_MACHINE: Final = ("--target=wasm32", "-mcpu=mvp", "-mbulk-memory", "-msign-ext")
_COMPILE: Final = (*_MACHINE, "-std=c11", "-O2", "-ffreestanding", "-Wall", "-Wextra", "-Werror", "-c")
_LINK: Final = (
    *_MACHINE,
    "-nostdlib",
    "-Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=" + str(4 * WINDOW_BYTES),
)
_SECONDS: Final = 120


def build_program(source: Path) -> bytes:
    """The program that a source makes: C (`.c`) or the text format (`.wat`). Same source and compiler, same bytes.

    Raises: MalformedArgument: neither. SourceUnreadable, BuildFailed. UnfitProgram: it builds, but no agent would run
        it. ToolMissing: no clang or lld. EngineMissing, OtherEngine: no assembler.
    """
    if source.suffix not in {".c", ".wat"}:
        raise MalformedArgument("a source", str(source), "it must end in .c or .wat")
    try:
        text = source.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnreadable(str(source), str(error)) from None
    program = _assemble(text, source) if source.suffix == ".wat" else _compile(source)
    examine(program)
    return program


def compiler_version() -> str:
    """Of clang, as it names itself.

    Raises: ToolMissing.
    """
    said = subprocess.run([_tool(_CLANG), "--version"], capture_output=True, text=True, check=True, timeout=_SECONDS)
    return said.stdout.splitlines()[0]


def _assemble(text: str, source: Path) -> bytes:
    check_installation()
    from walrus_chain.sandbox.engine import assemble

    return assemble(text, str(source))


def _compile(source: Path) -> bytes:
    clang = _tool(_CLANG)
    _tool(_LINKER)
    with tempfile.TemporaryDirectory(prefix="walrus-") as folder:
        objects: list[str] = []
        for file in (source.resolve(), SDK / "runtime.c"):
            made = Path(folder, f"{len(objects)}.o")
            _run(source, clang, *_COMPILE, f"-I{SDK}", str(file), "-o", str(made))
            objects.append(str(made))
        program = Path(folder, "program.wasm")
        _run(source, clang, *_LINK, *objects, "-o", str(program))
        return program.read_bytes()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolMissing(name)
    return found


def _run(source: Path, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=_SECONDS)
    if done.returncode:
        raise BuildFailed(str(source), done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
