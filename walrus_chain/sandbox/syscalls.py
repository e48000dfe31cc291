"""A filter of system calls for the child: what compiling and running code takes, and reading and writing its pipes.

Everything else fails with EPERM. So a program that got out of the engine cannot open, connect, start, signal or look
into anything, whatever user the child belongs to. Linux on x86-64 only, where agents are.
"""

from __future__ import annotations

import ctypes
import errno
from typing import Final

_ALLOWED: Final = {
    "read": 0,
    "write": 1,
    "close": 3,
    "fstat": 5,
    "lseek": 8,
    "mmap": 9,
    "mprotect": 10,
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "sched_yield": 24,
    "mremap": 25,
    "madvise": 28,
    "getpid": 39,
    "exit": 60,
    "getrlimit": 97,
    "sigaltstack": 131,
    "setrlimit": 160,
    "gettid": 186,
    "futex": 202,
    "sched_getaffinity": 204,
    "restart_syscall": 219,
    "clock_gettime": 228,
    "clock_nanosleep": 230,
    "exit_group": 231,
    "getrandom": 318,
    "membarrier": 324,
    "rseq": 334,
}
#: Allowed for the process itself (number 0) only.
_PRLIMIT: Final = 302
_SECCOMP: Final = 317
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ARCHITECTURE: Final = 0xC000003E
_X32: Final = 0x40000000
#: Offsets of what is looked at.
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def confine() -> None:
    """Puts the filter over all threads of this process, for good. Needs `no_new_privs`.

    Raises: OSError: the system has no such filters, or refuses this one.
    """
    instructions = _instructions()
    array = (_Instruction * len(instructions))(*instructions)
    program = _Program(len(instructions), array)
    system = ctypes.CDLL(None, use_errno=True)
    if system.syscall(_SECCOMP, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)):
        raise OSError(ctypes.get_errno(), "seccomp")


def _instructions() -> list[_Instruction]:
    numbers = list(_ALLOWED.values())
    head = [
        _Instruction(_LOAD, 0, 0, _MACHINE),
        _Instruction(_IF_EQUAL, 1, 0, _ARCHITECTURE),
        _Instruction(_RETURN, 0, 0, _KILL),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        # Over all that is allowed and the look at prlimit, to the refusal.
        _Instruction(_IF_AT_LEAST, len(numbers) + 3, 0, _X32),
    ]
    # Each jumps over those after it, the look at prlimit and the refusal.
    body = [_Instruction(_IF_EQUAL, len(numbers) - place + 3, 0, number) for place, number in enumerate(numbers)]
    tail = [
        _Instruction(_IF_EQUAL, 0, 2, _PRLIMIT),
        _Instruction(_LOAD, 0, 0, _FIRST_ARGUMENT),
        _Instruction(_IF_EQUAL, 1, 0, 0),
        _Instruction(_RETURN, 0, 0, _REFUSE),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    ]
    return head + body + tail
