"""BLS12-381 as this package uses it, over the one library that knows it.

Points come in by `parse_g1` and `parse_g2` only: the one encoding of a point of the right subgroup that is not the
identity. So everything past the edge is a point that means something.

Source: docs/spec/12-keys.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

#: Gives as many unpredictable bytes as it is asked for, as `os.urandom` does.
Chance: TypeAlias = Callable[[int], bytes]

#: The number of points in either subgroup, and one above the largest scalar.
ORDER: Final = 0x73EDA753_299D7D48_3339D808_09A1D805_53BDA402_FFFE5BFE_FFFFFFFF_00000001
G1_BYTES: Final = 48
G2_BYTES: Final = 96
SCALAR_BYTES: Final = 32
#: Bytes that give a scalar without a bias that anybody could notice.
_WIDE_BYTES: Final = 48

#: The generator of the second subgroup.
G2: Final = G2Point()
_MINUS_G2: Final = -G2


def parse_g1(data: bytes) -> G1Point | None:
    """The point that 48 bytes encode; None unless they are the one encoding of a point other than the identity."""
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError:
        return None
    return None if point == G1Point.identity() or point.to_compressed_bytes() != data else point


def parse_g2(data: bytes) -> G2Point | None:
    """The point that 96 bytes encode; None unless they are the one encoding of a point other than the identity."""
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError:
        return None
    return None if is_identity(point) or point.to_compressed_bytes() != data else point


def is_identity(point: G2Point) -> bool:
    """Whether nothing can be sealed to it."""
    return point == G2Point.identity()


def hash_to_g1(message: bytes, tag: bytes) -> G1Point:
    """The point of a message (RFC 9380, `BLS12381G1_XMD:SHA-256_SSWU_RO_`) under a domain separation tag."""
    return G1Point.hash_to_curve(message, tag)


def draw_number(random: Chance) -> int:
    """A number from 0 to below `ORDER`, each as likely as any other."""
    return int.from_bytes(random(_WIDE_BYTES), "big") % ORDER


def draw_key(random: Chance) -> int:
    """A number from 1 to below `ORDER`, each as likely as any other."""
    while not (number := draw_number(random)):
        pass
    return number


def scalar(number: int) -> Scalar:
    """A number below `ORDER` in the library's form."""
    return Scalar.from_be_bytes(number.to_bytes(SCALAR_BYTES, "big"))


def is_same_pairing(point: G1Point, other: G1Point, other_key: G2Point) -> bool:
    """Whether e(point, generator) is e(other, other_key): so `point` is `other` times the scalar of `other_key`."""
    return GT.pairing_check([point, other], [_MINUS_G2, other_key])


def pairing_bytes(first: G1Point, second: G2Point) -> bytes:
    """The 576 bytes of e(first, second), coefficients in little-endian order as the spec lists them."""
    return bytes.fromhex(str(GT.pairing(first, second)))
