"""An event loop whose clock jumps: waiting costs no time, and waiting for ever is an error, not a hanging test."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class NothingWillHappen(RuntimeError):
    """The test waits for something that nobody will ever do."""


class _JumpingSelector(selectors.BaseSelector):
    """Looks for events without waiting, and moves the clock on where there are none."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = self._real.select(0)
        if not events and timeout != 0:
            self._jump(timeout)
        return events

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class JumpingLoop(asyncio.SelectorEventLoop):
    """Virtual time; work for threads is done at once, in place."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self._jump))

    def time(self) -> float:
        return self._now

    def _jump(self, seconds: float | None) -> None:
        if seconds is None:
            raise NothingWillHappen(f"all tasks wait at {self._now:.3f} s of the test's clock")
        self._now += seconds

    def run_in_executor(  # type: ignore[override] # typeshed spells the variadic arguments in another way
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 # handed on to whoever waits
            future.set_exception(error)
        return future
