"""`walrus compute`: programs that run beside the data. `new`, `build` and `test` need no network."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import session
from walrus_chain.cli.options import Json
from walrus_chain.cli.output import FAILURE
from walrus_chain.errors import MalformedName, NameTaken, SourceUnreadable, TargetUnwritable
from walrus_chain.types import format_bytes, printable_lines

if TYPE_CHECKING:
    from walrus_chain.compute.run import Outcome, Run
    from walrus_chain.sandbox.inputs import FileInput

computing = typer.Typer(help="Programs that run beside the data.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(computing, name="compute")

#: Fuel of a trial; a job has its own.
_FUEL = 10**10
#: Bytes of an output that are shown.
_SHOWN_BYTES = 4096


@computing.command()
def new(
    name: Annotated[str, typer.Argument(help="What to call the program.")],
    json: Json = False,
) -> None:
    """Begin a program in C: a small one that works."""
    from walrus_chain.sandbox.toolchain import SDK

    out = session.output(json)
    target = Path(f"{name}.c")
    if target.name != str(target) or name in {"", "."}:
        raise MalformedName("program", name)
    try:
        with target.open("x") as file:
            file.write((SDK / "template.c").read_text())
    except FileExistsError:
        raise NameTaken("file", str(target)) from None
    except OSError as error:
        raise TargetUnwritable(str(target), error.strerror or str(error)) from None
    out.result(
        {"source": str(target), "header": str(SDK / "walrus.h")},
        f"{target} counts bytes. What a program may call is in {SDK / 'walrus.h'}. Next: walrus compute build {target}",
    )


@computing.command()
def build(
    source: Annotated[Path, typer.Argument(help="A C file, or a .wat file in the text format of WASM.")],
    to: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; the source's name with .wasm by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Build a program, and check that agents would run it."""
    from walrus_chain.sandbox.toolchain import build_program

    out = session.output(json)
    target = to or source.with_suffix(".wasm")
    program = build_program(source)
    _write(target, program)
    data = {"program": str(target), "size": len(program)}
    out.result(data, f"{target}: {format_bytes(len(program))}. Next: walrus compute test {target} --input FILE")


@computing.command("test")
def try_out(
    program: Annotated[Path, typer.Argument(help="The program, a .wasm file.")],
    inputs: Annotated[
        list[Path] | None, typer.Option("--input", "-i", metavar="FILE", help="An input; say it once for each.")
    ] = None,
    argument: Annotated[str, typer.Option("--argument", "-a", help="The argument, a text.")] = "",
    fuel: Annotated[int, typer.Option(help="Fuel that it may use.")] = _FUEL,
    output_bytes: Annotated[int, typer.Option(help="The longest output.")] = 2**20,
    seconds: Annotated[float, typer.Option(min=0.1, help="The longest time.")] = 600.0,
    to: Annotated[Path | None, typer.Option("--output", "-o", help="File to write the output to.")] = None,
    json: Json = False,
) -> None:
    """Run a program on files, in the sandbox that agents have; says what it used and wrote."""
    import asyncio

    from walrus_chain.compute.run import Ending, Run
    from walrus_chain.sandbox.inputs import FileInput
    from walrus_chain.sandbox.runner import run_program

    out = session.output(json)
    run = Run(_read(program), argument.encode(), fuel, output_bytes)
    with ExitStack() as opened:
        sources = [_open(path, FileInput, opened) for path in inputs or ()]
        began = time.monotonic()
        outcome = asyncio.run(run_program(run, sources, wall_seconds=seconds))
        took = time.monotonic() - began
    if to is not None and outcome.ending is Ending.FINISHED:
        _write(to, outcome.output)
    out.facts(_data(run, outcome, took), _facts(run, outcome, took))
    if outcome.log:
        out.note("Log:\n" + outcome.log.decode(errors="replace").rstrip("\n"))
    if not json and to is None and outcome.output:
        out.result(None, "\n" + _shown(outcome.output))
    if outcome.ending is not Ending.FINISHED:
        raise typer.Exit(FAILURE)


# -- parts -----------------------------------------------------------------------------------------------------------


def _data(run: Run, outcome: Outcome, took: float) -> dict[str, object]:
    return {
        "ending": outcome.ending.words,
        "binding": outcome.ending.is_binding,
        "message": outcome.message,
        "fuel": run.fuel,
        "fuelUsed": outcome.fuel_used,
        "memory": outcome.memory_bytes,
        "seconds": round(took, 3),
        "size": len(outcome.output),
        "output": outcome.output,
        "resultHash": outcome.result_hash if outcome.ending.is_binding else None,
        "log": outcome.log.decode(errors="replace"),
    }


def _facts(run: Run, outcome: Outcome, took: float) -> list[tuple[str, object]]:
    ending = f"{outcome.ending.words}: {outcome.message}" if outcome.message else outcome.ending.words
    facts: list[tuple[str, object]] = [
        ("Ending", ending),
        ("Fuel", f"{outcome.fuel_used:,} of {run.fuel:,}"),
        ("Memory", format_bytes(outcome.memory_bytes)),
        ("Time", f"{took:.2f} s"),
        ("Output", format_bytes(len(outcome.output))),
    ]
    if outcome.ending.is_binding:
        facts.append(("Result", f"0x{outcome.result_hash.hex()}"))
    return facts


def _shown(output: bytes) -> str:
    text = printable_lines(output[:_SHOWN_BYTES].decode(errors="replace").rstrip("\n"))
    return text if len(output) <= _SHOWN_BYTES else f"{text}\n(cut here; --output FILE takes all of it)"


def _open(path: Path, opener: type[FileInput], opened: ExitStack) -> FileInput:
    try:
        source = opener(path)
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or str(error)) from None
    opened.callback(source.close)
    return source


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or str(error)) from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise TargetUnwritable(str(path), error.strerror or str(error)) from None
