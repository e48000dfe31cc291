"""People who store and read private data: who they are, and what they store."""

from __future__ import annotations

from tests.fakes.network import ONE_WAL, FakeNetwork
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import PoolId, Wei

DATA = bytes(range(251)) * 1200
"""Several chunks, the last one short."""
OWNER, READER, STRANGER = (LocalSigner(bytes([number]) * 32) for number in (0x11, 0x22, 0x33))
BOARD = LocalSigner(b"\x44" * 32).address
HALF = Wei(ONE_WAL // 2)
POOL = PoolId(7)


def calls(network: FakeNetwork, name: str = "release_key") -> list[int]:
    """How often each agent was asked."""
    return [member.calls[name] for member in network.members]
