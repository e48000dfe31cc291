"""The root of all events: where and when a contract logged something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from walrus_chain.chain.blocks import BlockRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvent:
    """Something that one of the network's contracts logged."""

    contract: ClassVar[str]
    """The contract that logs it."""
    solidity_name: ClassVar[str]

    block: BlockRef
    log_index: int
    """Place among all logs of the block; (block, log_index) orders events as the chain does."""
    transaction: str
    """Hash of the transaction: 64 hex digits after 0x."""
