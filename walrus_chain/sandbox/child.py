"""The child process that runs one program: it gives up what it does not need, obeys one order and ends.

It has no file descriptors but its pipes and cannot open any, no environment, a session of its own, and limits that the
system enforces; root becomes nobody. It dies with its parent, gives way to it, and goes first where memory is short.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from walrus_chain.compute.abi import MEBIBYTE, WINDOW_BYTES
from walrus_chain.sandbox.engine import Sandbox
from walrus_chain.sandbox.frames import LONGEST_WANT, ORDER_BYTES, Order, OrderHeader, Want, ended_to_bytes
from walrus_chain.sandbox.syscalls import confine

_STDIN, _STDOUT = 0, 1
_NOBODY: Final = 65534
#: Private memory while compiling, and in all. The difference is more than a program's memory and output may take, so
#: that they are there whatever compiling left behind.
_COMPILING_BYTES: Final = 1024 * MEBIBYTE
_DATA_BYTES: Final = 1536 * MEBIBYTE
#: Of addresses, with what is shared and what is only kept free: for a program's memory the engine keeps 4 GiB.
_ADDRESS_BYTES: Final = 8 * 1024 * MEBIBYTE
#: Read ahead from all inputs together.
_AHEAD_BYTES: Final = 16 * MEBIBYTE
#: Of processor time over the wall clock, before the system ends what nobody else did.
_SPARE_SECONDS: Final = 10
#: Steps that the agent goes before its runs, and what makes the system take memory from these first.
_NICENESS: Final = 5
_OUT_OF_MEMORY_FIRST: Final = "1000"
_SET_PARENT_DEATH_SIGNAL, _SET_DUMPABLE, _SET_NO_NEW_PRIVILEGES = 1, 4, 38


def main() -> None:
    """Obey the order on standard input; the outcome goes to standard output."""
    header = OrderHeader.parse(_receive(ORDER_BYTES))
    order = header.order(_receive(header.rest))
    sandbox = Sandbox()
    brake = threading.Timer(order.wall_seconds, sandbox.stop)
    brake.daemon = True
    brake.start()
    _give_up(order.wall_seconds)
    outcome = sandbox.run(order.run, order.sizes, _Inputs(order).read, _allow_memory)
    _send(ended_to_bytes(outcome))
    # Nothing is left to tidy up, and what the program left behind need not be looked at.
    os._exit(0)


class _Inputs:
    """Ranges of inputs by way of the parent. Sequential reads are answered from what was fetched ahead."""

    def __init__(self, order: Order) -> None:
        self._sizes = order.sizes
        self._fetched: dict[int, tuple[int, bytes]] = {}
        self._ahead = max(WINDOW_BYTES, min(LONGEST_WANT, _AHEAD_BYTES // max(1, len(order.sizes))))
        self._ahead -= self._ahead % WINDOW_BYTES

    def read(self, index: int, offset: int, length: int) -> bytes:
        """The bytes; the range is known to be there."""
        pieces = []
        while length:
            piece = self._piece(index, offset)[:length]
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, index: int, offset: int) -> bytes:
        start, data = self._fetched.get(index, (0, b""))
        if not start <= offset < start + len(data):
            sequential = data and offset == start + len(data)
            grown = min(self._ahead, 2 * len(data)) if sequential else WINDOW_BYTES
            start = offset - offset % WINDOW_BYTES
            length = min(max(WINDOW_BYTES, grown - grown % WINDOW_BYTES), self._sizes[index] - start)
            _send(Want(index, start, length).to_bytes())
            data = _receive(length)
            self._fetched[index] = start, data
        return data[offset - start :]


def _give_up(wall_seconds: float) -> None:
    _give_way()
    # Where nobody else may be had, as in a namespace of one user, root is none.
    with suppress(OSError):
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    if sys.platform == "linux":
        # After the change of user, which would undo them.
        _set(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        _set(_SET_NO_NEW_PRIVILEGES, 1)
        _set(_SET_DUMPABLE, 0)
    seconds = int(wall_seconds) + _SPARE_SECONDS
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, _ADDRESS_BYTES),
    ):
        resource.setrlimit(kind, (limit, limit))
    resource.setrlimit(resource.RLIMIT_DATA, (_COMPILING_BYTES, _DATA_BYTES))
    if sys.platform == "linux" and platform.machine() == "x86_64":
        confine()


def _give_way() -> None:
    # Where the system has no such thing, or lets nobody ask for it, the run is none the worse.
    with suppress(OSError):
        os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OUT_OF_MEMORY_FIRST)


def _allow_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_DATA_BYTES, _DATA_BYTES))


def _set(option: int, value: int) -> None:
    """Raises: OSError: the system refuses; then nothing is run."""
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")


def _receive(length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = os.read(_STDIN, length - len(data))
        if not piece:
            os._exit(1)  # nobody waits for the outcome any more
        data += piece
    return bytes(data)


def _send(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(_STDOUT, view) :]
