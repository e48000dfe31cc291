"""Where on the chain something happened. Pure, so that state machines can hold it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class BlockRef:
    """One block of one fork: the hash tells two blocks with the same number apart."""

    number: int
    hash: bytes
    """32 bytes."""
    timestamp: int
    """Seconds since 1970, as the chain counts them."""

    def __str__(self) -> str:
        return f"{self.number} (0x{self.hash.hex()[:8]}…)"
