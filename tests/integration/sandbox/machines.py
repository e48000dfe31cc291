"""Machines that refuse what others give, for children of tests: a filter of system calls before the child's own."""

from __future__ import annotations

import ctypes
import errno
from typing import Final

#: The code of a child on such a machine; `{}` is what makes it one, and may import from here.
CHILD_ON: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); {}; from walrus_chain.sandbox.child import main; main()"
)
NO_MACHINE_CODE: Final = CHILD_ON.format(f"import {__name__} as it; it.refuse_machine_code()")
NO_FILTERS: Final = CHILD_ON.format(f"import {__name__} as it; it.refuse_filters()")
LITTLE_MEMORY: Final = CHILD_ON.format("import walrus_chain.sandbox.child as it; it._COMPILING_BYTES = 64 << 20")
NO_GROWTH: Final = CHILD_ON.format(
    "import walrus_chain.sandbox.child as it; it._COMPILING_BYTES = it._DATA_BYTES = 200 << 20"
)
OTHER_STACK: Final = CHILD_ON.format("import walrus_chain.sandbox.engine as it; it.STACK_BYTES -= 4096")
OTHER_MACHINE: Final = CHILD_ON.format("import walrus_chain.sandbox.engine as it; it.TARGET = 'x86_64-unknown-freebsd'")

_MPROTECT, _SECCOMP = 10, 317
_EXECUTABLE: Final = 4
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _IF_EQUAL, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
#: Offsets of what is looked at.
_NUMBER, _THIRD_ARGUMENT = 0, 32


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def refuse_machine_code() -> None:
    """What MemoryDenyWriteExecute of systemd does: memory that was written to does not become executable."""
    _filter(
        (_LOAD, 0, 0, _NUMBER),
        (_IF_EQUAL, 0, 3, _MPROTECT),
        (_LOAD, 0, 0, _THIRD_ARGUMENT),
        (_IF_ANY_BIT, 0, 1, _EXECUTABLE),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )


def refuse_filters() -> None:
    """What a SystemCallFilter of systemd without seccomp does."""
    _filter(
        (_LOAD, 0, 0, _NUMBER),
        (_IF_EQUAL, 0, 1, _SECCOMP),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    )


def _filter(*instructions: tuple[int, int, int, int]) -> None:
    array = (_Instruction * len(instructions))(*(_Instruction(*values) for values in instructions))
    program = _Program(len(instructions), array)
    system = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if system.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")
