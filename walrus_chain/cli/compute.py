"""`walrus compute`: programs that run beside the data. `new`, `build` and `test` need no network.

The commands of `walrus compute trigger` are in `cli/triggers.py`.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render_compute, session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName
from walrus_chain.cli.output import FAILURE
from walrus_chain.cli.triggers import triggers
from walrus_chain.errors import MalformedName, NameTaken, SourceUnreadable, TargetUnwritable, TrialFailed
from walrus_chain.types import BlobId, format_bytes, parse_amount, printable_lines

if TYPE_CHECKING:
    from walrus_chain.chain.compute_views import JobOrder
    from walrus_chain.chain.compute_writer import JobReceipt
    from walrus_chain.chain.policy_writer import PolicyReceipt
    from walrus_chain.client.client import Client
    from walrus_chain.client.compute import JobQuote, JobReport
    from walrus_chain.client.results import StoredBlob
    from walrus_chain.compute.run import Outcome, Run
    from walrus_chain.sandbox.inputs import FileInput

computing = typer.Typer(help="Programs that run beside the data.", no_args_is_help=True)
app = typer.Typer()
app.add_typer(computing, name="compute")
computing.add_typer(triggers, name="trigger")

#: Fuel of a trial; a job has its own.
_FUEL = 10**10
#: Bytes of an output that are shown.
_SHOWN_BYTES = 4096
#: A job gets this much more fuel than a trial used, in percent.
_FUEL_RESERVE_PERCENT = 20

JobNumber = Annotated[str, typer.Argument(metavar="JOB", help="Number of the job.")]


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


# -- on a network ----------------------------------------------------------------------------------------------------


@computing.command()
def publish(
    program: Annotated[Path, typer.Argument(help="The program, a .wasm file.")],
    epochs: Annotated[int, typer.Option("--epochs", "-e", min=1, help="For how long.")] = 1,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Store a program publicly, if agents would run it. Its blob id is what policies allow and jobs name."""
    from walrus_chain.cli import render

    async def work(client: Client) -> StoredBlob:
        return await client.compute.publish(program, epochs=epochs)

    stored = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render.stored(stored),
        f"{render.stored_text(stored)}\nNext: walrus compute request {stored.blob_id} OBJECT --fee AMOUNT",
    )


@computing.command()
def allow(
    programs: Annotated[list[str], typer.Argument(metavar="PROGRAM...", help="Blob ids of 1 to 16 programs.")],
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Create a policy that lets these programs compute on data, whoever asks, and nobody read it."""
    from walrus_chain.cli import render_policy

    chosen = [BlobId.parse(program).digest for program in programs]

    async def work(client: Client) -> PolicyReceipt:
        return await client.policies.create("Programs", {"programs": chosen})

    made = session.signing(network, wallet, password_file, work)
    session.output(json).result(
        render_policy.made("Programs", made),
        f"{render_policy.made_text('Programs', made)}\nNext: walrus store FILE --private --policy {made.policy}",
    )


@computing.command()
def request(
    program: Annotated[str, typer.Argument(metavar="PROGRAM", help="Blob id of the program.")],
    inputs: Annotated[
        list[str], typer.Argument(metavar="OBJECT...", help="What it reads: numbers of objects, or blob ids.")
    ],
    fee: Annotated[str, typer.Option(metavar="AMOUNT", help="What the nodes that agree get together.")],
    argument: Annotated[str, typer.Option("--argument", "-a", help="The argument, a text.")] = "",
    fuel: Annotated[
        int | None,
        typer.Option(min=1, help="Fuel that it may use; found out by a run on this computer if not named."),
    ] = None,
    output_bytes: Annotated[int, typer.Option(min=0, help="The longest output.")] = 2**20,
    replicas: Annotated[int, typer.Option("--replicas", "-k", help="How many nodes run it: 1, 3, 5 or 7.")] = 3,
    maximum: Annotated[
        str | None,
        typer.Option("--max", metavar="AMOUNT", help="The most that it may cost; today's price if not named."),
    ] = None,
    sealed: Annotated[
        bool | None,
        typer.Option(
            "--sealed/--clear", help="Seal the output to this computer; done for private inputs if not named."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")] = False,
    network: NetworkName = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Have nodes run a program on data, at a price that is shown first and never above --max."""
    out, limit, offered = session.output(json), parse_amount(maximum) if maximum else None, parse_amount(fee)
    module, objects = session.blob_ref(program), [session.blob_ref(one) for one in inputs]

    async def ordered(client: Client) -> JobOrder:
        order = await client.compute.order(
            module,
            objects,
            fee=offered,
            argument=argument.encode(),
            fuel=fuel or _FUEL,
            output_limit=output_bytes,
            replicas=replicas,
            sealed=sealed,
        )
        return order if fuel else await _estimated(client, order)

    async def asked(client: Client) -> JobQuote:
        return await client.compute.quote(await ordered(client), requester=client.account)

    async def work(client: Client) -> JobReceipt:
        quote = await asked(client)
        out.note(render_compute.quote_text(quote))
        return await client.compute.request(quote.order, maximum=quote.total if limit is None else limit)

    if dry_run:
        quote = session.reading_as(network, wallet, password_file, asked)
        out.result(render_compute.quote(quote), render_compute.quote_text(quote))
        return
    receipt = session.signing(network, wallet, password_file, work)
    out.result(render_compute.requested(receipt), render_compute.requested_text(receipt))


@computing.command()
def watch(
    job: JobNumber,
    network: NetworkName = None,
    json: Json = False,
) -> None:
    """Wait until a job is over, and say how it ended. Exit code 1 when it has no result."""
    out, number = session.output(json), session.parse_job(job)

    async def work(client: Client) -> JobReport:
        return await client.compute.watch(number, lambda report: out.note(render_compute.progress_text(report)))

    report = session.reading(network, work)
    out.result(render_compute.report(report), render_compute.report_text(report))
    if not report.agreeing:
        raise typer.Exit(FAILURE)


@computing.command()
def result(
    job: JobNumber,
    to: Annotated[Path | None, typer.Option("--output", "-o", help="File to write the output to.")] = None,
    network: NetworkName = None,
    json: Json = False,
) -> None:
    """The output of a job, compared with what counts on chain. Exit code 1 when the program did not finish."""
    from walrus_chain.compute.run import Ending

    out, number = session.output(json), session.parse_job(job)
    found = session.reading(network, lambda client: client.compute.result(number))
    finished = found.ending is Ending.FINISHED
    if to is not None and finished:
        _write(to, found.output)
    data = render_compute.job_result(found)
    if to is None:
        out.result({**data, "output": found.output}, _shown(found.output) if finished else None)
    else:
        out.result(
            {**data, "file": str(to) if finished else None},
            f"{to}: {format_bytes(len(found.output))}" if finished else None,
        )
    if not finished:
        out.note(f"Job {number} has no output: the program ended by {found.ending.words}, as the nodes agree")
        raise typer.Exit(FAILURE)


# -- parts -----------------------------------------------------------------------------------------------------------


async def _estimated(client: Client, order: JobOrder) -> JobOrder:
    """The order with a little more fuel than a run here used.

    Raises: TrialFailed: it did not finish.
    """
    from dataclasses import replace

    from walrus_chain.compute.run import Ending

    trial = await client.compute.estimate(order)
    if trial.ending is not Ending.FINISHED:
        raise TrialFailed(trial.ending.words, trial.message)
    return replace(order, fuel=trial.fuel_used * (100 + _FUEL_RESERVE_PERCENT) // 100)


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
