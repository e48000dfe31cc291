"""Child processes that die, lie or want out: their parent is not deceived, and nothing is left of them."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import psutil
import pytest

from tests.integration.sandbox.modules import program
from walrus_chain.compute.run import Ending, Run
from walrus_chain.sandbox import runner
from walrus_chain.sandbox.inputs import BytesInput
from walrus_chain.sandbox.runner import run_program

pytestmark = pytest.mark.integration


def sandboxes() -> list[psutil.Process]:
    """Children of ours that run programs; other tests may have others."""
    return [child for child in psutil.Process().children() if child.cmdline()[1:4] == ["-I", "-S", "-c"]]


class KillingSource:
    """An input that, when it is read, kills whoever asked."""

    size = 10

    async def read(self, offset: int, length: int) -> bytes:
        for child in sandboxes():
            child.kill()
        return bytes(length)


class BrokenSource:
    """An input that cannot be read, or is shorter than it said."""

    size = 10

    def __init__(self, short: bool) -> None:
        self._short = short

    async def read(self, offset: int, length: int) -> bytes:
        if self._short:
            return bytes(length - 1)
        raise OSError("the disk is gone")


class WaitingSource:
    """An input that never comes."""

    size = 10

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def read(self, offset: int, length: int) -> bytes:
        self.asked.set()
        await asyncio.Event().wait()
        return bytes(length)


READING = "(drop (call $read (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 10)))"


async def test_child__killed_in_the_middle__is_an_ending_of_its_own() -> None:
    outcome = await run_program(Run(program(READING)), [KillingSource()])

    assert outcome.ending is Ending.CRASHED
    assert str(-signal.SIGKILL) in outcome.message


@pytest.mark.parametrize("short", [True, False])
async def test_input__cannot_be_read__is_an_ending_of_its_own(short: bool) -> None:
    outcome = await run_program(Run(program(READING)), [BrokenSource(short)])

    assert outcome.ending is Ending.INPUT_UNAVAILABLE
    assert "input 0" in outcome.message


async def test_run__cancelled__leaves_no_process() -> None:
    source = WaitingSource()
    running = asyncio.create_task(run_program(Run(program(READING)), [source]))
    await source.asked.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert sandboxes() == []


EVIL = "import os, sys, time\nsend = lambda data: os.write(1, data)\nheader = os.read(0, 1000000)\n"


@pytest.mark.parametrize(
    ("code", "ending", "words"),
    [
        ("send(b'\\x07')", Ending.CRASHED, "a message of kind 07"),
        ("send(b'\\x01' + bytes([9, 0]) + bytes(8) + bytes([1, 0, 0, 0]))", Ending.CRASHED, "input 9"),
        ("send(b'\\x01' + bytes([0, 0]) + b'\\xff' * 8 + bytes([1, 0, 0, 0]))", Ending.CRASHED, "input 0"),
        ("send(b'\\x01' + bytes(2) + bytes(8) + bytes([11, 0, 0, 0]))", Ending.CRASHED, "wants 11 bytes"),
        ("send(b'\\x01' + bytes(14))", Ending.CRASHED, "wants 0 bytes"),
        ("send(b'\\x02' + bytes([77]) + bytes(28))", Ending.CRASHED, "77"),
        ("send(b'\\x02' + bytes(25) + b'\\xff' * 4)", Ending.CRASHED, "limits"),
        ("send(b'\\x02' + bytes([1]) + bytes(24) + bytes([1, 0, 0, 0]))", Ending.CRASHED, "limits"),
        ("send(b'\\x02' + bytes([0]) + b'\\xff' * 8 + bytes(20))", Ending.CRASHED, "limits"),
        ("send(b'\\x02' + bytes(3))", Ending.CRASHED, "ended with 0"),
        ("os.write(2, b'alas ' * 100000); sys.exit(3)", Ending.CRASHED, "ended with 3: "),
        ("os.abort()", Ending.CRASHED, str(-signal.SIGABRT)),
        ("os.close(0); os.close(1); time.sleep(60)", Ending.CRASHED, str(-signal.SIGKILL)),
        ("os.fork() or (os.setsid(), time.sleep(4))", Ending.TIMED_OUT, ""),
        ("time.sleep(60)", Ending.TIMED_OUT, ""),
    ],
)
async def test_child__taken_over__cannot_deceive_its_parent(
    code: str, ending: Ending, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_CHILD", EVIL + code)
    monkeypatch.setattr(runner, "_GRACE_SECONDS", 0.2)
    monkeypatch.setattr(runner, "_LAST_SECONDS", 0.3)
    before = time.monotonic()

    seconds = 0.8 if ending is Ending.TIMED_OUT else 30.0
    outcome = await run_program(Run(program()), [BytesInput(b"0123456789")], wall_seconds=seconds)

    assert outcome.ending is ending
    assert words in outcome.message
    assert sandboxes() == []
    assert time.monotonic() - before < 10


CONFINED = """
import mmap, os, resource, signal, socket, sys
sys.path[:] = __import__("json").loads(sys.argv[1])
found = [f"environment {dict(os.environ)}", f"folder {os.getcwd()}", f"descriptors {os.listdir('/proc/self/fd')[:-1]}"]
found.append(f"session {os.getsid(0) == os.getpid()}")
status, niceness, badness = (
    os.open(f"/proc/self/{name}", os.O_RDONLY) for name in ("status", "stat", "oom_score_adj")
)
from walrus_chain.sandbox import child
child._give_up(5)
for name, attempt in (
    ("file", lambda: open("/etc/passwd")),
    ("socket", socket.socket),
    ("pipe", os.pipe),
    ("process", os.fork),
    ("signal", lambda: os.kill(os.getpid(), signal.SIGURG)),
    ("another's limits", lambda: resource.prlimit(1, resource.RLIMIT_CORE)),
    ("memory", lambda: bytearray(2 << 30)),
    ("shared memory", lambda: mmap.mmap(-1, 8 << 30)),
):
    try:
        attempt()
        found.append(f"{name} had")
    except (OSError, MemoryError) as error:
        found.append(f"{name} refused")
lines = os.read(status, 4096).decode().splitlines()
found += [line for line in lines if line.startswith(("NoNewPrivs:", "Seccomp:"))]
found.append(f"root {any(line.startswith('Uid:') and '0' in line.split() for line in lines)}")
found.append(f"nice {os.read(niceness, 4096).decode().rpartition(')')[2].split()[16]}")
found.append(f"first to go {os.read(badness, 99).decode().strip()}")
sys.exit("; ".join(found))
"""


async def test_child__has_nothing_and_can_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_CHILD", CONFINED)
    monkeypatch.setenv("SECRET", "hush")
    ours = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(ours, True)

    outcome = await run_program(Run(program()))

    os.close(ours)

    assert outcome.message.endswith(
        "environment {'LC_CTYPE': 'C.UTF-8'}; folder /; descriptors ['0', '1', '2']; session True; "
        "file refused; socket refused; pipe refused; process refused; signal refused; another's limits refused; "
        "memory refused; shared memory refused; NoNewPrivs: 1; Seccomp: 2; root False; "
        f"nice {min(19, os.nice(0) + 5)}; first to go 1000"
    ), outcome.message
