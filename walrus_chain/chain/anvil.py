"""Anvil, a local chain for development and tests: finding it, starting it, ending it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from walrus_chain.errors import AnvilFailed, AnvilMissing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEFAULT_CHAIN_ID: Final = 31337
HARDFORK: Final = "prague"
"""The instruction set that the contracts are compiled for."""
DEFAULT_MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Everybody knows these keys: never send anything of value to their accounts."""
_LISTENING: Final = "Listening on "
_READY_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 20.0
_PACKAGE: Final = ("node_modules", "@foundry-rs")


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How a local chain runs."""

    port: int = 0
    """TCP port; 0 takes a free one."""
    host: str = "127.0.0.1"
    chain_id: int = DEFAULT_CHAIN_ID
    block_time: int | None = None
    """Seconds between blocks; none makes a block for every transaction at once, and no other."""
    instant: bool = False
    """With `block_time`, also makes a block for every transaction at once: the clock goes on when nobody sends."""
    mining: bool = True
    """False makes blocks only when told (`evm_mine`)."""
    accounts: int = 10
    """How many funded accounts there are, from `mnemonic`."""
    balance: int = 10_000
    """What each of them has, in whole units of the chain's currency."""
    mnemonic: str = DEFAULT_MNEMONIC
    state: Path | None = None
    """A file from which the chain goes on, and to which it is written at the end."""
    state_interval: int | None = None
    """Seconds after which `state` is also written while the chain runs."""


def find_anvil(binary: Path | str | None = None, *, start: Path | None = None) -> Path:
    """Where anvil is.

    Looks at `binary` if given, and nowhere else; otherwise on the PATH, in node_modules of `start` (the current folder
    when none), of the checkout this package lies in and of the folders above both, and where foundryup puts it.

    Raises: AnvilMissing: it is in none of these places; says what to install.
    """
    if binary is not None:
        found = shutil.which(str(binary))
        if found is None:
            raise AnvilMissing([str(binary)])
        return Path(found)
    on_path = shutil.which("anvil")
    if on_path is not None and Path(on_path).resolve().suffix != ".mjs":
        return Path(on_path)
    roots = dict.fromkeys([(start or Path.cwd()).resolve(), Path(__file__).resolve().parents[2]])
    for folder in (folder for root in roots for folder in (root, *root.parents)):
        for candidate in sorted(folder.joinpath(*_PACKAGE).glob("anvil-*/bin/anvil")):
            if os.access(candidate, os.X_OK):
                return candidate
    installed = Path.home() / ".foundry" / "bin" / "anvil"
    if os.access(installed, os.X_OK):
        return installed
    raise AnvilMissing(["the PATH", *(f"{root}/node_modules" for root in roots), str(installed.parent)])


def anvil_command(options: AnvilOptions, binary: Path) -> list[str]:
    """The command line that runs anvil with these options."""
    return [str(binary), *_arguments(options)]


def _arguments(options: AnvilOptions) -> Iterator[str]:
    yield from ("--host", options.host, "--port", str(options.port), "--chain-id", str(options.chain_id))
    yield from ("--hardfork", HARDFORK, "--accounts", str(options.accounts), "--balance", str(options.balance))
    yield from ("--mnemonic", options.mnemonic)
    if options.block_time is not None:
        yield from ("--block-time", str(options.block_time))
        if options.instant:
            yield "--mixed-mining"
    if not options.mining:
        yield "--no-mining"
    if options.state is not None:
        yield from ("--state", str(options.state))
        if options.state_interval is not None:
            yield from ("--state-interval", str(options.state_interval))


class Anvil:
    """A local chain that runs as a child process."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url
        """Its RPC endpoint."""
        # Anvil writes a line for every call; an unread pipe would stop it when full.
        self._reader = asyncio.create_task(_discard(process))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process.returncode is None

    async def stop(self) -> None:
        """Ends it, writing its state file if it has one. Does nothing when it has ended."""
        if self.running:
            self._process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader


async def start_anvil(options: AnvilOptions | None = None, binary: Path | str | None = None) -> Anvil:
    """Starts a local chain and waits until it answers. `Anvil.stop` ends it.

    Raises:
        AnvilMissing: it is not installed; says what to install.
        AnvilFailed: it ended by itself (the port is taken, the state file is damaged), or did not become ready.
    """
    options = options or AnvilOptions()
    command = anvil_command(options, find_anvil(binary))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    said: list[str] = []
    try:
        address = await asyncio.wait_for(_listening(process, said), _READY_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise AnvilFailed(f"did not become ready within {_READY_SECONDS:.0f} s", _last(said)) from None
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    return Anvil(process, f"http://{address}")


@asynccontextmanager
async def running_anvil(options: AnvilOptions | None = None, binary: Path | str | None = None) -> AsyncIterator[Anvil]:
    """A local chain for the time of a `with` block. Raises as `start_anvil`."""
    anvil = await start_anvil(options, binary)
    try:
        yield anvil
    finally:
        await anvil.stop()


async def _listening(process: asyncio.subprocess.Process, said: list[str]) -> str:
    """The host and port that anvil says it listens on."""
    output = _output_of(process)
    while line := await output.readline():
        text = line.decode(errors="replace").rstrip()
        if text.startswith(_LISTENING):
            return text.removeprefix(_LISTENING).strip()
        said.append(text)
    code = await process.wait()
    raise AnvilFailed(f"ended at once with exit code {code}", _last(said))


async def _discard(process: asyncio.subprocess.Process) -> None:
    output = _output_of(process)
    while await output.read(65536):
        pass


def _output_of(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert process.stdout is not None, "started with a pipe"
    return process.stdout


def _last(said: Sequence[str]) -> str:
    return "\n".join(line for line in said[-12:] if line)
