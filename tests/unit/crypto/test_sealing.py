"""An answer opens for the key and the request that it was made for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.crypto.conftest import chance
from walrus_chain.crypto.sealing import SEALED_SHARE_BYTES, SealingKey, seal_share
from walrus_chain.errors import MalformedKey, MalformedPrivateKey, SealNotOpened

KEY = SealingKey.generate(chance(1))
SHARE, DIGEST = bytes(range(48)), bytes(range(32))
SEALED = seal_share(KEY.public, SHARE, DIGEST)


def test_share__sealed_for_a_request__opens_as_its_answer() -> None:
    assert len(SEALED) == SEALED_SHARE_BYTES == 96
    assert SHARE not in SEALED
    assert KEY.open_share(SEALED, DIGEST) == SHARE
    assert SealingKey(KEY.to_bytes()).open_share(SEALED, DIGEST) == SHARE


def test_share__sealed_twice__nothing_in_common() -> None:
    again = seal_share(KEY.public, SHARE, DIGEST)
    assert again[:32] != SEALED[:32]
    assert again[32:] != SEALED[32:]


def test_share__another_request_or_key__does_not_open() -> None:
    with pytest.raises(SealNotOpened):
        KEY.open_share(SEALED, bytes(32))
    with pytest.raises(SealNotOpened):
        SealingKey.generate(chance(2)).open_share(SEALED, DIGEST)


@given(bit=st.integers(0, SEALED_SHARE_BYTES * 8 - 1))
@settings(max_examples=80, deadline=None)
def test_share__any_bit_flipped__does_not_open(bit: int) -> None:
    """The top bit of an X25519 key is none of it, yet is bound by HPKE all the same."""
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealNotOpened):
        KEY.open_share(bytes(changed), DIGEST)


@given(data=st.binary(max_size=200))
@settings(deadline=None)
def test_share__any_other_bytes__do_not_open(data: bytes) -> None:
    with pytest.raises(SealNotOpened):
        KEY.open_share(data, DIGEST)


@pytest.mark.parametrize(
    "key", [b"", bytes(31), bytes(33), bytes(32), (1).to_bytes(32, "little"), b"\xec" + b"\xff" * 30 + b"\x7f"]
)
def test_seal__key_that_nobody_holds__refused(key: bytes) -> None:
    """Points of small order lead to a shared secret that everybody knows."""
    with pytest.raises(MalformedKey):
        seal_share(key, SHARE, DIGEST)


def test_sealing_key__wrong_length__refused_without_showing_it() -> None:
    with pytest.raises(MalformedPrivateKey) as error:
        SealingKey(b"\xab" * 31)
    assert "abab" not in str(error.value)
    assert KEY.to_bytes().hex() not in f"{KEY} {KEY!r}"
