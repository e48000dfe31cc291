"""What a client learns about the agents it talks to: who is quick, who fails, who lies. Pure; time comes as arguments.

Source: docs/guides/reading.md.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import median

#: An agent that takes this many times as long as its peers is slow.
_SLOW_FACTOR = 2.0
#: A hedge is never sent sooner than after this many seconds.
_LEAST_HEDGE = 0.05
#: Where nothing is known yet: seconds, and bytes per second, that an agent is granted before another one is asked too.
_FIRST_HEDGE = 1.0
_FIRST_BYTES_PER_SECOND = 512 * 1024
_REMEMBERED = 64


class Standing(IntEnum):
    """In which order agents are asked."""

    GOOD = 0
    SLOW = 1
    FAILING = 2
    LYING = 3


@dataclass(frozen=True, slots=True)
class Suspect:
    """An agent that sent something that does not verify."""

    agent: str
    what: str


@dataclass(slots=True)
class _Record:
    standing: Standing = Standing.GOOD
    failures: int = 0
    reason: str = ""


@dataclass(slots=True)
class Reputation:
    """The standing of the committee's members, by member index. One for each client, shared by its reads."""

    _records: dict[int, _Record] = field(default_factory=dict)
    _rates: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """Seconds per byte of recent answers, with a floor for the round trip."""
    suspects: dict[int, Suspect] = field(default_factory=dict)
    """Members that lied, and about what."""

    def standing(self, member: int) -> Standing:
        """How the member is thought of now."""
        record = self._records.get(member)
        return Standing.GOOD if record is None else record.standing

    def answered(self, member: int, seconds: float, size: int) -> None:
        """The member gave `size` verified bytes after `seconds`."""
        record = self._records.setdefault(member, _Record())
        expected = self.typical(size)
        slow = expected is not None and seconds > max(_LEAST_HEDGE, _SLOW_FACTOR * expected)
        if record.standing is not Standing.LYING:
            record.standing = Standing.SLOW if slow else Standing.GOOD
        self._rates.append(seconds / (size + _ROUND_TRIP_BYTES))

    def stalled(self, member: int) -> None:
        """The member was overtaken by a hedge."""
        record = self._records.setdefault(member, _Record())
        record.standing = max(record.standing, Standing.SLOW)

    def failed(self, member: int, why: str) -> None:
        """The member gave no answer, or refused."""
        record = self._records.setdefault(member, _Record())
        record.standing = max(record.standing, Standing.FAILING)
        record.failures += 1
        record.reason = why

    def lied(self, member: int, agent: str, what: str) -> None:
        """The member sent something that does not verify. It is asked last from now on."""
        record = self._records.setdefault(member, _Record())
        record.standing, record.reason = Standing.LYING, what
        self.suspects.setdefault(member, Suspect(agent, what))

    def typical(self, size: int) -> float | None:
        """Seconds that answers of `size` bytes take lately; None where nothing is known."""
        return median(self._rates) * (size + _ROUND_TRIP_BYTES) if self._rates else None

    def hedge_after(self, size: int, arrived: list[float], needed: int) -> float:
        """Seconds after which another agent is asked for what an answer of `size` bytes would have brought.

        Args:
            arrived: how long the answers took that came in already, of `needed` of the same kind and at the same time.
        """
        if arrived and 2 * len(arrived) >= needed:
            return max(_LEAST_HEDGE, _SLOW_FACTOR * median(arrived))
        expected = self.typical(size)
        if expected is None:
            return _FIRST_HEDGE + size / _FIRST_BYTES_PER_SECOND
        # Requests that run side by side share a line, so alone they would have been quicker.
        return max(_LEAST_HEDGE, 2 * _SLOW_FACTOR * expected)


#: A round trip counts like the transfer of this many bytes.
_ROUND_TRIP_BYTES = 64 * 1024
