"""A person's terminal: their own folder, their own networks and wallets, commands as they type them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
_BINARIES = (Path(sys.executable).parent, ROOT / "node_modules" / ".bin")
_BASH = shutil.which("bash") or "/bin/bash"
_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended."""

    command: str
    code: int
    output: bytes
    """What it wrote to standard output."""
    said: str
    """What it wrote to standard error."""

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.output.decode()

    @property
    def data(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.output)

    @property
    def error(self) -> dict[str, Any]:
        """The error that a command with --json wrote."""
        error: dict[str, Any] = json.loads(self.said)["error"]
        return error

    def __str__(self) -> str:
        return f"`{self.command}` ended with {self.code}\n{self.output.decode(errors='replace')}{self.said}"


class Shell:
    """Runs commands in a folder, with a `WALRUS_HOME` that is empty at first."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "walrus-home"
        self.folder = folder / "work"
        self.folder.mkdir(parents=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WALRUS", "PYTEST"))}
        path = os.pathsep.join([*map(str, _BINARIES), os.environ["PATH"]])
        self._environment = {**kept, "PATH": path, "WALRUS_HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "120"}

    def run(self, command: str, *, seconds: float = _SECONDS, **environment: str) -> Ran:
        """A command line, to its end; a pipeline fails when any part of it does."""
        done = subprocess.run(
            [_BASH, "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return Ran(command, done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def ok(self, command: str) -> Ran:
        """A command line that must succeed."""
        ran = self.run(command)
        assert ran.code == 0, str(ran)
        return ran

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A program that goes on while the test does."""
        return subprocess.Popen(
            arguments,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Where the tests themselves run in the background, Ctrl-C is ignored, and so by whatever they start.
            preexec_fn=_listen_to_ctrl_c,
        )

    def write(self, name: str, content: bytes) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def processes(self) -> list[psutil.Process]:
        """Everything that was started with this `WALRUS_HOME` and still runs."""
        mark = str(self.home)
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("WALRUS_HOME") == mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def kill_everything(self) -> None:
        """What a power cut does."""
        for process in self.processes():
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(self.processes(), timeout=10)

    def close(self) -> None:
        """Leave nothing behind."""
        if (self.home / "devnet" / "devnet.json").exists():
            self.run("walrus devnet down")
        self.kill_everything()


def _listen_to_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
