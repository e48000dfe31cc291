"""Work on many bytes goes to a thread, so that the event loop stays free; on few it would only be slower there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

#: Below this many bytes, encoding, decoding and hashing take less time than the way to a thread and back.
INLINE_BYTES = 64 * 1024

T = TypeVar("T")


async def in_thread(size: int | None, call: Callable[[], T]) -> T:
    """What `call` returns.

    Args:
        size: bytes that it works on; None where that is not known.
    """
    return call() if size is not None and size <= INLINE_BYTES else await asyncio.to_thread(call)
