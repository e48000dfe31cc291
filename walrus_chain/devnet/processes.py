"""Background processes that outlive the command that started them, and can be found and stopped again.

A process id alone is no name: the system reuses it. A `ProcessHandle` keeps the moment the process began as well, so a
devnet that was killed by a reboot never stops a stranger.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from walrus_chain.errors import Retryable

#: Two readings of one process's start time differ by less than this many seconds.
_SAME_MOMENT = 0.05
_LOOK_SECONDS = 0.01


class ProcessDied(Retryable):
    """A process of the local network ended before it was ready."""

    def __init__(self, name: str, log: Path) -> None:
        tail = _tail(log)
        super().__init__(f"{name} ended before it was ready; the end of its log {log} says:\n{tail}")
        self.name, self.log = name, log


@dataclass(frozen=True, slots=True)
class ProcessHandle:
    """One process, recognisable for as long as it lives."""

    name: str
    pid: int
    started: float
    """Seconds since 1970, as the operating system remembers them."""

    @classmethod
    def of(cls, name: str, pid: int) -> ProcessHandle:
        """The handle of a process that was just started."""
        return cls(name, pid, psutil.Process(pid).create_time())

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > _SAME_MOMENT or process.status() == psutil.STATUS_ZOMBIE:
                return None
            return process
        except psutil.NoSuchProcess:
            return None

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process() is not None

    @property
    def memory_bytes(self) -> int:
        """Its resident memory now; 0 when it is gone."""
        process = self._process()
        return 0 if process is None else int(process.memory_info().rss)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when it is gone."""
        process = self._process()
        if process is not None:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                return

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait until it is gone."""
        self.send(signal.SIGKILL)
        wait_gone([self], seconds=5)


def stop_all(handles: Sequence[ProcessHandle], *, grace: float = 10) -> None:
    """Ask all to end, wait for them together, and kill those that are still there after `grace` seconds."""
    for handle in handles:
        handle.send(signal.SIGTERM)
    for handle in wait_gone(handles, seconds=grace):
        handle.kill()


def wait_gone(handles: Sequence[ProcessHandle], *, seconds: float) -> list[ProcessHandle]:
    """Wait until all are gone, at most `seconds`; returns those that are not.

    A process that has ended is gone, also while its parent has yet to take note of that.
    """
    deadline = time.monotonic() + seconds
    while (alive := [handle for handle in handles if handle.alive]) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return alive


def start(name: str, command: Sequence[str], log: Path) -> ProcessHandle:
    """Start `command` in a session of its own, with its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
    # Its parent may end before it: nothing waits for it here, and a zombie counts as gone.
    process.returncode = 0
    return ProcessHandle.of(name, process.pid)


def _tail(log: Path, lines: int = 12) -> str:
    try:
        return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return "    (nothing)"
