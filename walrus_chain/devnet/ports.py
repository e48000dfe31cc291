"""Ports that nobody uses, for networks that come and go in tests."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

_LOWEST, _HIGHEST = 20_000, 32_000  # below the range from which systems hand out ports by themselves


def free_run(count: int) -> int:
    """The first of `count` free ports in a row. They are free now; take them soon."""
    while True:
        first = random.randrange(_LOWEST, _HIGHEST - count)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
                return first
            except OSError:
                continue
