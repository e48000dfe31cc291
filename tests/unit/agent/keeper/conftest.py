"""The keeper runs on a clock that jumps, against a chain that knows what is due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tests.fakes.loop import JumpingLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"jumping": JumpingLoop}
