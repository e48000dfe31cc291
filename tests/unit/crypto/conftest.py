"""Nodes with keys, an identity, and chance that repeats."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from walrus_chain.crypto.curve import Chance
from walrus_chain.crypto.envelope import KeyEnvelope, Recipient, VerifiedShare, seal
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.crypto.threshold import KeyIdentity, make_share
from walrus_chain.types import Address, BlobObjectId, NodeId

CONTRACT = Address("0x1000000000000000000000000000000000000001")
POLICY = Address("0x2000000000000000000000000000000000000002")
OTHER = Address("0x3000000000000000000000000000000000000003")
DATA_KEY = bytes(range(32))
IDENTITY = KeyIdentity(31337, CONTRACT, POLICY, BlobObjectId(7), 1)
OTHER_IDENTITIES = {
    "chain": replace(IDENTITY, chain_id=1),
    "contract": replace(IDENTITY, blob_policies=OTHER),
    "policy": replace(IDENTITY, access_policy=OTHER),
    "object": replace(IDENTITY, blob_object=BlobObjectId(8)),
    "epoch": replace(IDENTITY, key_epoch=2),
}


def chance(seed: int = 0) -> Chance:
    """Chance that repeats."""
    return random.Random(seed).randbytes


class Nodes:
    """Storage nodes 1, 2, ... with their master keys."""

    def __init__(self, count: int) -> None:
        self.keys = {NodeId(node): MasterKey.generate(chance(node)) for node in range(1, count + 1)}

    def recipients(self) -> list[Recipient]:
        """All of them, without erasable keys."""
        return [Recipient(node, key.public) for node, key in self.keys.items()]

    def seal(self, threshold: int, identity: KeyIdentity = IDENTITY, seed: int = 99) -> KeyEnvelope:
        """The data key, sealed to all."""
        return seal(DATA_KEY, identity, self.recipients(), threshold, chance(seed))

    def share(self, node: NodeId, envelope: KeyEnvelope, identity: KeyIdentity = IDENTITY) -> VerifiedShare:
        """A node's share, made and checked."""
        key = self.keys[node]
        return envelope.verify_share(node, make_share(key, identity), identity, key.public)


@pytest.fixture(scope="session")
def nodes() -> Nodes:
    """Five nodes."""
    return Nodes(5)
