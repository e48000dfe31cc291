"""Work on many bytes goes to a thread, so that the event loop stays free; on few it would only be slower there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

#: Below this many bytes, encoding, decoding and hashing take less time than the way to a thread and back.
INLINE_BYTES = 64 * 1024

# Encoding and decoding hold the interpreter's lock, so that two threads would not be quicker; and the system's
# allocator keeps memory for each thread that ever held a segment with all its slivers.
_CODER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="walrus-coder")

T = TypeVar("T")


async def in_thread(size: int | None, call: Callable[[], T]) -> T:
    """What `call` returns.

    Args:
        size: bytes that it works on; None where that is not known.
    """
    return call() if size is not None and size <= INLINE_BYTES else await asyncio.to_thread(call)


async def in_coder(size: int | None, call: Callable[[], T]) -> T:
    """What `call` returns, which encodes or decodes a segment; one such call works at a time.

    Args:
        size: bytes that it works on; None where that is not known.
    """
    if size is not None and size <= INLINE_BYTES:
        return call()
    return await asyncio.get_running_loop().run_in_executor(_CODER, call)
