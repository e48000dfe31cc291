"""Not faster than so many bytes a second. Pure: the clock is an argument, waiting is the caller's."""

from __future__ import annotations


class Pace:
    """Spreads work over time: after `count` bytes, the next may start when their share of a second has passed."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0

    def spend(self, count: int, now: float) -> float:
        """Note `count` bytes of work at `now`; seconds to wait before more.

        Time that nobody used is not saved up: after a pause work does not come in a burst.
        """
        self._free_at = max(self._free_at, now) + count / self._rate
        return self._free_at - now
