"""Only the one encoding of a point that means something is a key, and only its holder can register it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.crypto.conftest import OTHER, POLICY, chance
from walrus_chain.crypto.curve import ORDER, draw_key, parse_g1, parse_g2
from walrus_chain.crypto.node_key import (
    NODE_KEY_BYTES,
    PUBLIC_KEY_BYTES,
    MasterKey,
    PublicKey,
    node_key,
    parse_node_key,
)
from walrus_chain.errors import MalformedKey, MalformedPrivateKey, WrongProof

KEY = MasterKey.generate(chance(1))
FIELD = int("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16)


@pytest.mark.parametrize("private", [b"", bytes(32), bytes(31), bytes(33), ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_master_key__outside_the_order__refused(private: bytes) -> None:
    with pytest.raises(MalformedPrivateKey):
        MasterKey(private)


def test_master_key__printed_or_refused__never_shows_itself() -> None:
    secret = KEY.to_bytes()
    shown = f"{KEY!r} {KEY} {KEY.public!r} {MasterKey(secret).__dir__()}"
    assert secret.hex() not in shown
    assert str(int.from_bytes(secret, "big")) not in shown
    with pytest.raises(MalformedPrivateKey) as error:
        MasterKey(b"\xee" * 32)
    assert "ee" * 4 not in str(error.value)


def test_draw_key__chance_gives_zero__draws_again() -> None:
    draws = iter([bytes(48), ORDER.to_bytes(48, "big"), (5).to_bytes(48, "big")])
    assert draw_key(lambda length: next(draws)) == 5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(PUBLIC_KEY_BYTES),
        b"\xc0" + bytes(95),
        b"\xff" * 96,
        KEY.public.data[:-1],
        KEY.public.data + b"\0",
        bytes([KEY.public.data[0] & 0x7F]) + KEY.public.data[1:],
        bytes([KEY.public.data[0] | 0x40]) + KEY.public.data[1:],
    ],
    ids=["empty", "zero", "identity", "ones", "short", "long", "uncompressed", "infinity with an x"],
)
def test_public_key__not_the_encoding_of_a_usable_point__refused(data: bytes) -> None:
    with pytest.raises(MalformedKey):
        PublicKey(data)


def test_points__on_the_curve_but_outside_the_subgroup__refused() -> None:
    """x = 4 and y = 68^(1/2) are on the curve; the subgroup is a small part of it."""
    outside = bytearray((4).to_bytes(48, "big"))
    outside[0] |= 0x80
    assert parse_g1(bytes(outside)) is None
    small = bytearray(96)
    small[0] |= 0x80
    found = 0
    for x in range(1, 40):
        small[-1] = x
        found += parse_g2(bytes(small)) is None
    assert found == 39


def test_points__x_written_above_the_field__refused() -> None:
    """A second encoding of the same point would make a second envelope, key id and hash of it."""
    seen = 0
    for number in range(1, 200):
        point = MasterKey(number.to_bytes(32, "big")).public.data
        low = int.from_bytes(point[48:], "big")
        if low + FIELD < 2**384:
            assert parse_g2(point[:48] + (low + FIELD).to_bytes(48, "big")) is None
            seen += 1
    assert seen > 100


def test_node_key__registered__public_key_and_proof() -> None:
    data = node_key(KEY, POLICY)
    assert len(data) == NODE_KEY_BYTES == 144
    assert parse_node_key(data, POLICY) == KEY.public


def test_node_key__taken_over_by_another_signer__refused() -> None:
    with pytest.raises(WrongProof, match=OTHER):
        parse_node_key(node_key(KEY, POLICY), OTHER)


def test_node_key__proof_of_another_key__refused() -> None:
    other = node_key(MasterKey.generate(chance(2)), POLICY)
    with pytest.raises(WrongProof):
        parse_node_key(KEY.public.data + other[PUBLIC_KEY_BYTES:], POLICY)


@pytest.mark.parametrize(
    "data", [b"", bytes(32), bytes(144), node_key(KEY, POLICY)[:96], node_key(KEY, POLICY) + b"\0"]
)
def test_node_key__other_bytes__refused(data: bytes) -> None:
    with pytest.raises(MalformedKey):
        parse_node_key(data, POLICY)


@given(bit=st.integers(0, NODE_KEY_BYTES * 8 - 1))
@settings(max_examples=60, deadline=None)
def test_node_key__any_bit_flipped__refused(bit: int) -> None:
    data = bytearray(node_key(KEY, POLICY))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedKey, WrongProof)):
        parse_node_key(bytes(data), POLICY)


def test_plus__keys_that_cancel_out__refused() -> None:
    negative = MasterKey((ORDER - int.from_bytes(KEY.to_bytes(), "big")).to_bytes(32, "big"))
    with pytest.raises(MalformedKey, match="cancels"):
        KEY.public.plus(negative.public)


def test_plus__two_keys__the_key_of_their_sum() -> None:
    one, two = MasterKey((1).to_bytes(32, "big")), MasterKey((2).to_bytes(32, "big"))
    assert one.public.plus(two.public) == MasterKey((3).to_bytes(32, "big")).public
