"""Runs programs in child processes that are not trusted: what a child says is checked, and it is killed in any case.

Whatever a program does, the caller gets an outcome. A child that dies, hangs or talks nonsense is an ending of its own
kind, which binds nobody. Source: docs/adr/0030-sandbox.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Protocol

from walrus_chain.compute.abi import ENGINE_VERSION
from walrus_chain.compute.module import check_size
from walrus_chain.compute.run import Ending, Outcome, Run, check_inputs
from walrus_chain.errors import EngineMissing, OtherEngine, UnfitMachine, UnfitProgram, WalrusError
from walrus_chain.sandbox.frames import ENDED, ENDED_BYTES, WANT, WANT_BYTES, EndedHeader, Order, Want

#: Isolated from the environment, from the user's and from this folder's modules; imports what the parent would.
_CHILD: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from walrus_chain.sandbox.child import main; main()"
)
#: After which the parent ends a child that did not end itself.
_GRACE_SECONDS: Final = 2.0
#: In which a child that closed its pipes must end, and one that was killed be gone.
_LAST_SECONDS: Final = 2.0
_MACHINE: Final = "Linux on x86_64"
#: How freely the system promises memory, and the value with which it may refuse a program what others were promised.
_OVERCOMMIT: Final = Path("/proc/sys/vm/overcommit_memory")
_NEVER: Final = "2"
#: Of what a dying child says, in bytes.
_LAST_WORDS: Final = 2048


class InputSource(Protocol):
    """An input of a run, of any length; ranges of it are asked for, one after the other."""

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly these bytes; the range is within the size.

        Raises: WalrusError, OSError: they cannot be had; the run ends as `INPUT_UNAVAILABLE`.
        """
        ...


async def run_program(run: Run, inputs: Sequence[InputSource] = (), *, wall_seconds: float = 600.0) -> Outcome:
    """How the program ended, after `wall_seconds` at the latest, time to fetch its inputs included.

    Raises: EngineMissing, OtherEngine: this installation cannot run programs. MalformedRun: too many inputs.
    """
    check_inputs(len(inputs))
    check_installation()
    try:
        check_size(len(run.program))
    except UnfitProgram as error:
        return Outcome(Ending.UNFIT_PROGRAM, message=error.why)
    order = Order(run, tuple(source.size for source in inputs), wall_seconds)
    child = await _start()
    last_words = asyncio.create_task(_last_words(child))
    try:
        async with asyncio.timeout(wall_seconds + _GRACE_SECONDS):
            return await _converse(child, order, inputs)
    except TimeoutError:
        return Outcome(Ending.TIMED_OUT, message=f"it did not end within {wall_seconds:g} seconds")
    except (asyncio.IncompleteReadError, ConnectionError):
        await _bury(child, last_words, patience=_LAST_SECONDS)
        said = last_words.result() if last_words.done() and not last_words.cancelled() else ""
        return Outcome(Ending.CRASHED, message=f"the process ended with {child.returncode}: {said}".rstrip(": "))
    except ValueError as error:
        return Outcome(Ending.CRASHED, message=f"the process talked nonsense: {error}")
    finally:
        await _bury(child, last_words)


def check_installation() -> None:
    """Checks that programs can be run here.

    Raises: EngineMissing, OtherEngine.
    """
    try:
        installed = version("wasmtime")
    except PackageNotFoundError:
        raise EngineMissing(f"wasmtime {ENGINE_VERSION}") from None
    if installed != ENGINE_VERSION:
        raise OtherEngine(f"wasmtime {ENGINE_VERSION}", f"wasmtime {installed}")


def check_machine() -> None:
    """Checks that this machine's endings are those of all agents.

    Raises: UnfitMachine: a deep recursion could end elsewhere here, or memory be refused to a program that may have it.
    """
    here = f"{platform.system()} on {platform.machine()}"
    if here != _MACHINE:
        raise UnfitMachine(_MACHINE, here)
    # Where it cannot be read, as in a unit that sees processes only, the self-test has to do.
    with suppress(OSError):
        if _OVERCOMMIT.read_text().strip() == _NEVER:
            raise UnfitMachine(f"{_MACHINE} with vm.overcommit_memory 0 or 1", f"one with {_NEVER}")


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        "-c",
        _CHILD,
        json.dumps(_import_paths()),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )


def _import_paths() -> list[str]:
    """Where the parent's modules are; this package first, which an editable installation finds by other means."""
    package = str(Path(__file__).parents[2])
    return list(dict.fromkeys(str(Path(path).resolve()) for path in (package, *sys.path)))


async def _converse(child: Process, order: Order, inputs: Sequence[InputSource]) -> Outcome:
    """Gives the order and what the child wants, until it says how the run ended.

    Raises: IncompleteReadError, ConnectionError: the child is gone. ValueError: it says what makes no sense.
    """
    if child.stdin is None or child.stdout is None:
        raise ConnectionError("no pipes")
    child.stdin.write(order.to_bytes())
    await child.stdin.drain()
    while True:
        kind = await child.stdout.readexactly(1)
        if kind == ENDED:
            ended = EndedHeader.parse(await child.stdout.readexactly(ENDED_BYTES), order.run)
            return ended.outcome(await child.stdout.readexactly(ended.rest))
        if kind != WANT:
            raise ValueError(f"a message of kind {kind.hex()}")
        want = Want.parse(await child.stdout.readexactly(WANT_BYTES), order.sizes)
        try:
            data = await inputs[want.index].read(want.offset, want.length)
        except (WalrusError, OSError) as error:
            return Outcome(Ending.INPUT_UNAVAILABLE, message=f"input {want.index}: {error}")
        if len(data) != want.length:
            return Outcome(Ending.INPUT_UNAVAILABLE, message=f"input {want.index} is shorter than it was")
        child.stdin.write(data)
        await child.stdin.drain()


async def _bury(child: Process, last_words: asyncio.Task[str], patience: float = 0.0) -> None:
    """Kills the child if it has not ended after so many seconds. Waits no longer than it must: whoever got out of the
    child could hold its pipes open for ever."""
    dead = asyncio.create_task(child.wait())
    ending = {dead, last_words}
    if patience:
        await asyncio.wait(ending, timeout=patience)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    _, pending = await asyncio.wait(ending, timeout=_LAST_SECONDS)
    for task in pending:
        task.cancel()
    if pending:
        # There is no other way to let go of pipes that others hold.
        child._transport.close()  # type: ignore[attr-defined]


async def _last_words(child: Process) -> str:
    """The end of what the child says on standard error; all of it is read, so that no child waits for a reader."""
    said = b""
    while child.stderr is not None and (piece := await child.stderr.read(65536)):
        said = (said + piece)[-_LAST_WORDS:]
    return " ".join(said.decode(errors="replace").split())
