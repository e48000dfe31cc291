"""What parent and child say to each other over two pipes.

The parent sends one order, and then the bytes of each range that the child wants, nothing else. The child sends wants,
and at last how the run ended. The parent takes no length from the child that it did not allow before.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from walrus_chain.compute.abi import MAXIMUM_LOG_BYTES, MAXIMUM_MEMORY_BYTES, MAXIMUM_MESSAGE_BYTES
from walrus_chain.compute.run import Ending, Outcome, Run

_ORDER: Final = struct.Struct("<QQdIIH")
_SIZE: Final = struct.Struct("<Q")
_WANT: Final = struct.Struct("<HQI")
_ENDED: Final = struct.Struct("<BQQIII")
WANT, ENDED = b"\x01", b"\x02"
ORDER_BYTES: Final = _ORDER.size
WANT_BYTES: Final = _WANT.size
ENDED_BYTES: Final = _ENDED.size
#: The longest range that a child may want at once.
LONGEST_WANT: Final = 2**20
#: UTF-8 takes up to three bytes for what stands in for one byte that is no UTF-8.
_LONGEST_MESSAGE: Final = 3 * MAXIMUM_MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to run."""

    run: Run
    sizes: tuple[int, ...]
    wall_seconds: float

    def to_bytes(self) -> bytes:
        """As the child reads it."""
        run = self.run
        header = _ORDER.pack(
            run.fuel, run.output_bytes, self.wall_seconds, len(run.argument), len(run.program), len(self.sizes)
        )
        return b"".join((header, *map(_SIZE.pack, self.sizes), run.argument, run.program))


@dataclass(frozen=True, slots=True)
class OrderHeader:
    """The fixed part of an order; says how long the rest is."""

    fuel: int
    output_bytes: int
    wall_seconds: float
    argument: int
    program: int
    inputs: int

    @classmethod
    def parse(cls, header: bytes) -> OrderHeader:
        """From `ORDER_BYTES` bytes."""
        return cls(*_ORDER.unpack(header))

    @property
    def rest(self) -> int:
        """Bytes that follow."""
        return self.inputs * _SIZE.size + self.argument + self.program

    def order(self, rest: bytes) -> Order:
        """With what follows, the order."""
        sizes_end = self.inputs * _SIZE.size
        program_start = sizes_end + self.argument
        return Order(
            Run(rest[program_start:], rest[sizes_end:program_start], self.fuel, self.output_bytes),
            tuple(size for (size,) in _SIZE.iter_unpack(rest[:sizes_end])),
            self.wall_seconds,
        )


@dataclass(frozen=True, slots=True)
class Want:
    """A range of an input."""

    index: int
    offset: int
    length: int

    def to_bytes(self) -> bytes:
        """With the byte that leads it."""
        return WANT + _WANT.pack(self.index, self.offset, self.length)

    @classmethod
    def parse(cls, body: bytes, sizes: tuple[int, ...]) -> Want:
        """From what follows the leading byte.

        Raises: ValueError: a range that is not there, or is too long.
        """
        want = cls(*_WANT.unpack(body))
        if want.index >= len(sizes) or not 0 < want.length <= min(LONGEST_WANT, sizes[want.index] - want.offset):
            raise ValueError(f"it wants {want.length} bytes from byte {want.offset} of input {want.index}")
        return want


def ended_to_bytes(outcome: Outcome) -> bytes:
    """How a run ended, with the byte that leads it."""
    message = outcome.message.encode()[:_LONGEST_MESSAGE]
    header = _ENDED.pack(
        outcome.ending,
        outcome.fuel_used,
        outcome.memory_bytes,
        len(message),
        len(outcome.log),
        len(outcome.output),
    )
    return b"".join((ENDED, header, message, outcome.log, outcome.output))


@dataclass(frozen=True, slots=True)
class EndedHeader:
    """The fixed part of what a child says at last."""

    ending: Ending
    fuel_used: int
    memory_bytes: int
    message: int
    log: int
    output: int

    @classmethod
    def parse(cls, header: bytes, run: Run) -> EndedHeader:
        """From `ENDED_BYTES` bytes.

        Raises: ValueError: what no run under these limits can come to.
        """
        ending, *numbers = _ENDED.unpack(header)
        ended = cls(Ending(ending), *numbers)
        limits = (
            (ended.fuel_used, run.fuel),
            (ended.memory_bytes, MAXIMUM_MEMORY_BYTES),
            (ended.message, _LONGEST_MESSAGE),
            (ended.log, MAXIMUM_LOG_BYTES),
            (ended.output, run.output_bytes if ended.ending is Ending.FINISHED else 0),
        )
        if any(value > limit for value, limit in limits):
            raise ValueError("it came to what its limits do not allow")
        return ended

    @property
    def rest(self) -> int:
        """Bytes that follow."""
        return self.message + self.log + self.output

    def outcome(self, rest: bytes) -> Outcome:
        """With what follows, the outcome."""
        log_end = self.message + self.log
        return Outcome(
            self.ending,
            rest[log_end:],
            self.fuel_used,
            self.memory_bytes,
            rest[: self.message].decode(errors="replace"),
            rest[self.message : log_end],
        )
