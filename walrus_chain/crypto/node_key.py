"""The master key of a storage node: what others seal to, and what shares are made with.

A node registers its public key (96 bytes) with a proof of possession (48): nobody registers a key that only somebody
else can use, and the proof names the signer, so it cannot be taken over by another node.

Source: docs/spec/12-keys.md; vectors in tests/vectors/envelopes.json.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, G2Point

from walrus_chain.crypto.curve import (
    G1_BYTES,
    G2,
    G2_BYTES,
    ORDER,
    SCALAR_BYTES,
    Chance,
    draw_key,
    hash_to_g1,
    is_identity,
    is_same_pairing,
    parse_g1,
    parse_g2,
    scalar,
)
from walrus_chain.errors import MalformedKey, MalformedPrivateKey, WrongProof
from walrus_chain.types import Address

PUBLIC_KEY_BYTES: Final = G2_BYTES
PROOF_BYTES: Final = G1_BYTES
#: What a node registers as its encryption key: public key ‖ proof.
NODE_KEY_BYTES: Final = PUBLIC_KEY_BYTES + PROOF_BYTES
KEY_ID_BYTES: Final = 8

_PROOF_PREFIX: Final = b"WALRUS-POP-V1"
_PROOF_TAG: Final = b"WALRUS-POP-V1_BLS12381G1_XMD:SHA-256_SSWU_RO_"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What is sealed to: a point of the second subgroup, in its one encoding."""

    data: bytes
    """96 bytes."""
    point: G2Point = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raises: MalformedKey: not the one encoding of a point that a key can be."""
        if len(self.data) != PUBLIC_KEY_BYTES:
            raise MalformedKey("public key", f"it has {len(self.data)} bytes, {PUBLIC_KEY_BYTES} are needed")
        point = parse_g2(self.data)
        if point is None:
            raise MalformedKey("public key", "it is not the encoding of a point in the subgroup")
        object.__setattr__(self, "point", point)

    @property
    def key_id(self) -> bytes:
        """8 bytes that name it."""
        return hashlib.sha256(self.data).digest()[:KEY_ID_BYTES]

    def plus(self, other: PublicKey) -> PublicKey:
        """The key that only both private keys together fit.

        Raises: MalformedKey: they cancel each other out.
        """
        total = self.point + other.point
        if is_identity(total):
            raise MalformedKey("public key", "it cancels out the one it is added to")
        return PublicKey(total.to_compressed_bytes())


class MasterKey:
    """A node's private key, or the one that it keeps for one object and destroys. It never prints itself."""

    __slots__ = ("_number", "_public")

    def __init__(self, private_key: bytes) -> None:
        """
        Args:
            private_key: 32 bytes, a number from 1 to below the order of the subgroup.
        Raises: MalformedPrivateKey: anything else.
        """
        if len(private_key) != SCALAR_BYTES:
            raise MalformedPrivateKey(f"it has {len(private_key)} bytes, {SCALAR_BYTES} are needed")
        number = int.from_bytes(private_key, "big")
        if not 0 < number < ORDER:
            raise MalformedPrivateKey("it is outside the order of the subgroup")
        self._number: Final = number
        self._public: Final = PublicKey((G2 * scalar(number)).to_compressed_bytes())

    @classmethod
    def generate(cls, random: Chance) -> MasterKey:
        """A new key."""
        return cls(draw_key(random).to_bytes(SCALAR_BYTES, "big"))

    @property
    def public(self) -> PublicKey:
        """What others seal to."""
        return self._public

    def to_bytes(self) -> bytes:
        """The 32 secret bytes, for keeping them."""
        return self._number.to_bytes(SCALAR_BYTES, "big")

    def multiply(self, point: G1Point, other: MasterKey | None = None) -> bytes:
        """48 bytes: the point times this key, or times the sum of this and another."""
        number = self._number if other is None else (self._number + other._number) % ORDER
        return (point * scalar(number)).to_compressed_bytes()

    def __repr__(self) -> str:
        return f"MasterKey({self._public.key_id.hex()})"


def node_key(key: MasterKey, signer: Address) -> bytes:
    """The 144 bytes that the node of `signer` registers: public key ‖ proof of possession."""
    return key.public.data + key.multiply(_proof_point(key.public, signer))


@lru_cache(maxsize=1024)
def parse_node_key(data: bytes, signer: Address) -> PublicKey:
    """The public key that the node of `signer` registered, proven to be in its hands.

    Raises:
        MalformedKey: wrong length, or parts that are no points.
        WrongProof: somebody else's key.
    """
    if len(data) != NODE_KEY_BYTES:
        raise MalformedKey("node key", f"it has {len(data)} bytes, {NODE_KEY_BYTES} are needed")
    public = PublicKey(data[:PUBLIC_KEY_BYTES])
    proof = parse_g1(data[PUBLIC_KEY_BYTES:])
    if proof is None:
        raise MalformedKey("node key", "its proof is not the encoding of a point in the subgroup")
    if not is_same_pairing(proof, _proof_point(public, signer), public.point):
        raise WrongProof(signer)
    return public


def _proof_point(key: PublicKey, signer: Address) -> G1Point:
    return hash_to_g1(_PROOF_PREFIX + key.data + bytes.fromhex(signer[2:]), _PROOF_TAG)
