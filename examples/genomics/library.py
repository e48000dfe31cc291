"""The files of the story, as they are stored and shared, and what a use of them costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from examples.genomics.cast import Player
from scripts.demonstration.words import ClaimFailed
from walrus_chain.errors import AccessDenied
from walrus_chain.types import WAL_DECIMALS, Address, BlobObjectId, PoolId, Wei

PRICE: Final = Wei(10**WAL_DECIMALS // 2)
"""Of a read of a file, and of computing on it."""
EPOCHS: Final = 20
"""How long everything is stored."""


@dataclass(frozen=True, slots=True)
class Library:
    """The files, as they are stored and shared."""

    files: dict[BlobObjectId, bytes]
    """What each object holds, in the clear."""
    pool: PoolId
    access: Address
    retention: Address

    @property
    def objects(self) -> tuple[BlobObjectId, ...]:
        """The objects, in the order of the cohorts."""
        return tuple(self.files)


async def denied(reader: Player, blob_object: BlobObjectId) -> AccessDenied:
    """The denial of a read.

    Raises: ClaimFailed: it was allowed.
    """
    try:
        await reader.client.read_bytes(blob_object, spend_limit=PRICE)
    except AccessDenied as denial:
        return denial
    raise ClaimFailed(f"object {blob_object} was read by {reader.address}, who may not")
