"""Identities, the shares that nodes make for them, and secrets split so that t of m parts give them back.

Boneh-Franklin encryption in its plainest form: a node's share for an identity is the identity's point times the node's
master key. With it a part that was masked for this node and identity can be read; without it, nothing.

Source: docs/spec/12-keys.md; vectors in tests/vectors/envelopes.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point

from walrus_chain.crypto.curve import (
    G1_BYTES,
    ORDER,
    Chance,
    draw_number,
    hash_to_g1,
    is_same_pairing,
    parse_g1,
)
from walrus_chain.crypto.node_key import MasterKey, PublicKey
from walrus_chain.errors import MalformedIdentity, WrongShare
from walrus_chain.types import Address, BlobObjectId, NodeId

SHARE_BYTES: Final = G1_BYTES

_IDENTITY_PREFIX: Final = b"WALRUS-KEY-V1"
_IDENTITY_TAG: Final = b"WALRUS-KEY-V1_BLS12381G1_XMD:SHA-256_SSWU_RO_"
_ADDRESS_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """What a key is sealed for. Another policy, object, key epoch, contract or chain is another identity."""

    chain_id: int
    blob_policies: Address
    access_policy: Address
    """The zero address when the object has none: then its owner alone gets shares."""
    blob_object: BlobObjectId
    key_epoch: int

    def __post_init__(self) -> None:
        """Raises: MalformedIdentity: a number or an address that none can have."""
        for what, number, bits in (
            ("chain", self.chain_id, 256),
            ("object", self.blob_object, 256),
            ("key epoch", self.key_epoch, 32),
        ):
            if number < 0 or number >> bits:
                raise MalformedIdentity(what, number)
        for address in (self.blob_policies, self.access_policy):
            _address_bytes(address)

    def to_bytes(self) -> bytes:
        """The 121 bytes of the identity."""
        return b"".join(
            (
                _IDENTITY_PREFIX,
                self.chain_id.to_bytes(32, "big"),
                _address_bytes(self.blob_policies),
                _address_bytes(self.access_policy),
                self.blob_object.to_bytes(32, "big"),
                self.key_epoch.to_bytes(4, "big"),
            )
        )


def make_share(key: MasterKey, identity: KeyIdentity, erasable: MasterKey | None = None) -> bytes:
    """A node's share for an identity, 48 bytes. Who has t of them opens what was sealed for it: decide first.

    Args:
        erasable: the key that the node keeps for this object alone, when the key was sealed to both.
    """
    return key.multiply(identity_point(identity), erasable)


def check_share(node: NodeId, share: bytes, identity: KeyIdentity, key: PublicKey) -> G1Point:
    """The share as a point, when it is the one that the private key of `key` makes for `identity`.

    Args:
        node: who gave it, for the error.
        key: the node's public key; with an erasable key the sum of both.
    Raises: WrongShare: anything else; names the node.
    """
    point = parse_g1(share)
    if point is None or not is_same_pairing(point, identity_point(identity), key.point):
        raise WrongShare(node)
    return point


# An agent makes shares for the same identity again and again, and a client checks t of them.
@lru_cache(maxsize=1024)
def identity_point(identity: KeyIdentity) -> G1Point:
    """The point of an identity."""
    return hash_to_g1(identity.to_bytes(), _IDENTITY_TAG)


def split(secret: int, threshold: int, places: Sequence[int], random: Chance) -> list[int]:
    """The secret's parts at `places`, any `threshold` of which give it back, and fewer say nothing of it (Shamir).

    Args:
        secret: 0 <= secret < `ORDER`.
        places: distinct, from 1 to below `ORDER`.
    """
    coefficients = [secret, *(draw_number(random) for _ in range(threshold - 1))]
    return [_value_at(place, coefficients) for place in places]


def join(parts: Mapping[int, int]) -> int:
    """The secret that parts by place lead to: the split one, when there are at least as many as its threshold."""
    secret = 0
    for place, part in parts.items():
        above, below = 1, 1
        for other in parts:
            if other != place:
                above, below = above * other % ORDER, below * (other - place) % ORDER
        secret += part * above * pow(below, -1, ORDER)
    return secret % ORDER


def _value_at(place: int, coefficients: Sequence[int]) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * place + coefficient) % ORDER
    return value


def _address_bytes(address: Address) -> bytes:
    try:
        data = bytes.fromhex(address[2:])
    except ValueError:
        data = b""
    if len(data) != _ADDRESS_BYTES or address[:2] != "0x":
        raise MalformedIdentity("address", address)
    return data
