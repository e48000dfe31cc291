"""Encrypted data opens as it was or not at all; ranges open alone; a source gives the same ciphertext each time."""

from __future__ import annotations

import hashlib
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walrus_chain.codec.stream import iter_segments
from walrus_chain.crypto.chunks import (
    CHUNK_BYTES,
    HEADER_BYTES,
    TAG_BYTES,
    ChunkCipher,
    EncryptingReader,
    RangeOpener,
    StreamOpener,
    chunk_count,
    ciphertext_range,
    ciphertext_size,
    derive_data_key,
    is_header,
    plaintext_size,
)
from walrus_chain.errors import (
    ChunkNotOpened,
    MalformedCiphertext,
    PlaintextChanged,
    RangeOutsideBlob,
    WalrusError,
    WrongDataKey,
    WrongLength,
)

KEY, SALT = bytes(range(32)), bytes(range(16))
SEALED_BYTES = CHUNK_BYTES + TAG_BYTES
CONTENT = random.Random(4).randbytes(3 * CHUNK_BYTES + 1000)
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, len(CONTENT)]

sizes = st.sampled_from(SIZES) | st.integers(0, len(CONTENT))


def reader_of(content: bytes, digest: bytes | None = None) -> EncryptingReader:
    """The ciphertext of a content."""
    return EncryptingReader(io.BytesIO(content), len(content), ChunkCipher(KEY, SALT), digest)


def encrypt(content: bytes) -> bytes:
    """All of the ciphertext."""
    return reader_of(content).read()


def decrypt(ciphertext: bytes, step: int = 2**20) -> bytes:
    """All of the plaintext."""
    opener = StreamOpener(KEY, len(ciphertext))
    parts = [opener.feed(ciphertext[place : place + step]) for place in range(0, len(ciphertext), step)]
    opener.finish()
    return b"".join(parts)


WHOLE = encrypt(CONTENT)
HEADER = WHOLE[:HEADER_BYTES]


def chunks_of(ciphertext: bytes) -> list[bytes]:
    """The sealed chunks."""
    return [ciphertext[place : place + SEALED_BYTES] for place in range(HEADER_BYTES, len(ciphertext), SEALED_BYTES)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("step", [1000, SEALED_BYTES, 2**20])
def test_round_trip__pieces_of_any_length__the_same_bytes(size: int, step: int) -> None:
    ciphertext = encrypt(CONTENT[:size])
    assert len(ciphertext) == ciphertext_size(size)
    assert plaintext_size(len(ciphertext)) == size
    assert is_header(ciphertext[:HEADER_BYTES])
    assert decrypt(ciphertext, step) == CONTENT[:size]


@given(size=st.integers(0, 2**50))
def test_sizes__any__there_and_back(size: int) -> None:
    assert plaintext_size(ciphertext_size(size)) == size
    assert chunk_count(size) == max(1, -(-size // CHUNK_BYTES))


@given(size=st.integers(-10, 4 * SEALED_BYTES))
def test_sizes__no_plaintext_has_such_a_ciphertext__refused(size: int) -> None:
    try:
        found = plaintext_size(size)
    except MalformedCiphertext:
        assert all(ciphertext_size(near) != size for near in range(max(0, size - 200), max(0, size)))
    else:
        assert ciphertext_size(found) == size


@given(size=sizes, data=st.data())
@settings(deadline=None)
def test_range__any__opens_alone_to_the_same_bytes(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    step = data.draw(st.sampled_from([777, SEALED_BYTES, 2**20]))
    ciphertext = encrypt(CONTENT[:size])
    opener = RangeOpener(ChunkCipher.of_header(KEY, ciphertext[:HEADER_BYTES]), size, start, stop)

    part = ciphertext[opener.first_byte : opener.end_byte]
    opened = b"".join(opener.feed(part[place : place + step]) for place in range(0, len(part), step))
    opener.finish()

    assert opened == CONTENT[start:stop]
    first, end, chunk = ciphertext_range(start, stop, size)
    assert (first, end) == (opener.first_byte, opener.end_byte)
    assert first == HEADER_BYTES + chunk * SEALED_BYTES
    assert end - first <= stop - start + 2 * SEALED_BYTES


@pytest.mark.parametrize(("start", "stop"), [(-1, 0), (1, 0), (0, 11), (11, 11)])
def test_range__outside__refused(start: int, stop: int) -> None:
    with pytest.raises(RangeOutsideBlob):
        RangeOpener(ChunkCipher(KEY, SALT), 10, start, stop)


@given(place=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_open__any_bit_flipped__refused(place: int, bit: int) -> None:
    changed = bytearray(WHOLE)
    changed[place] ^= 1 << bit
    with pytest.raises((ChunkNotOpened, MalformedCiphertext, WrongDataKey)):
        decrypt(bytes(changed))


@given(length=st.integers(0, len(WHOLE) - 1))
@settings(max_examples=60, deadline=None)
def test_open__cut_off_anywhere__refused(length: int) -> None:
    """Also when whoever cuts it off says that it is as long as that."""
    with pytest.raises((ChunkNotOpened, MalformedCiphertext, WrongDataKey)):
        decrypt(WHOLE[:length])
    opener = StreamOpener(KEY, len(WHOLE))
    opener.feed(WHOLE[:length])
    with pytest.raises(MalformedCiphertext):
        opener.finish()


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_open__cut_off_between_chunks__the_last_is_not_the_last(kept: int) -> None:
    with pytest.raises(ChunkNotOpened, match=f"chunk {kept - 1} "):
        decrypt(WHOLE[: HEADER_BYTES + kept * SEALED_BYTES])


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 0, 2, 3), (0, 2, 1, 3), (0, 1, 1, 3), (0, 1, 3), (0, 1, 2, 2, 3)])
def test_open__chunks_moved_repeated_or_left_out__refused(order: tuple[int, ...]) -> None:
    chunks = chunks_of(WHOLE)
    with pytest.raises(ChunkNotOpened):
        decrypt(WHOLE[:HEADER_BYTES] + b"".join(chunks[index] for index in order))


def test_open__more_chunks_than_there_are__refused() -> None:
    longer = encrypt(CONTENT[: 2 * CHUNK_BYTES]) + chunks_of(WHOLE)[2]
    with pytest.raises(ChunkNotOpened, match="chunk 1 "):
        decrypt(longer)


def test_open__chunk_of_other_data_under_the_same_key__refused() -> None:
    other = EncryptingReader(io.BytesIO(CONTENT), len(CONTENT), ChunkCipher(KEY, bytes(16))).read()
    with pytest.raises(ChunkNotOpened, match="chunk 0 "):
        decrypt(WHOLE[:HEADER_BYTES] + other[HEADER_BYTES:])


def test_open__last_flag_misused__refused() -> None:
    cipher = ChunkCipher(KEY, SALT)
    inner, last = cipher.seal(0, False, CONTENT[:CHUNK_BYTES]), cipher.seal(0, True, CONTENT[:CHUNK_BYTES])
    assert inner != last
    with pytest.raises(ChunkNotOpened):
        cipher.open(0, True, inner)
    with pytest.raises(ChunkNotOpened):
        cipher.open(0, False, last)
    with pytest.raises(WrongLength):
        cipher.seal(0, False, CONTENT[: CHUNK_BYTES - 1])
    with pytest.raises(WrongLength):
        cipher.seal(0, True, CONTENT[: CHUNK_BYTES + 1])


def test_open__another_key__refused() -> None:
    opener = StreamOpener(bytes(32), len(WHOLE))
    with pytest.raises(WrongDataKey):
        opener.feed(WHOLE)


def test_open__more_bytes_than_announced__refused() -> None:
    opener = StreamOpener(KEY, len(WHOLE))
    with pytest.raises(MalformedCiphertext, match="more"):
        opener.feed(WHOLE + b"\0")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        HEADER[:-1],
        bytes(HEADER_BYTES),
        b"WLRT" + HEADER[4:],
        b"WLRS\x02" + HEADER[5:],
        b"WLRS\x01\x0f" + HEADER[6:],
        HEADER[:15] + b"\1" + HEADER[16:],
    ],
)
def test_header__other_bytes__refused(header: bytes) -> None:
    with pytest.raises(MalformedCiphertext):
        ChunkCipher.of_header(KEY, header)


@given(flipped=st.integers(8 * 16, 8 * HEADER_BYTES - 1))
def test_header__salt_or_key_check_changed__fits_no_key(flipped: int) -> None:
    changed = (int.from_bytes(HEADER, "big") ^ (1 << (8 * HEADER_BYTES - 1 - flipped))).to_bytes(HEADER_BYTES, "big")
    with pytest.raises(WrongDataKey):
        ChunkCipher.of_header(KEY, changed)


@given(other=st.binary(min_size=32, max_size=32).filter(lambda key: key != KEY))
def test_header__another_data_key__refused_whatever_the_chunks_are(other: bytes) -> None:
    assert ChunkCipher.of_header(KEY, HEADER).header == HEADER
    with pytest.raises(WrongDataKey):
        ChunkCipher.of_header(other, HEADER)


def test_stream__ends_within_the_header__refused() -> None:
    opener = StreamOpener(KEY, len(WHOLE))
    assert opener.feed(WHOLE[:20]) == b""
    with pytest.raises(MalformedCiphertext, match="header"):
        opener.finish()


@given(
    size=sizes,
    steps=st.lists(
        st.tuples(st.sampled_from(["seek", "read"]), st.integers(0, len(WHOLE) + 10)), min_size=1, max_size=12
    ),
)
@settings(deadline=None, max_examples=60)
def test_reader__read_and_seeked_in_any_way__is_the_file_of_the_ciphertext(
    size: int, steps: list[tuple[str, int]]
) -> None:
    reader, expected = reader_of(CONTENT[:size]), io.BytesIO(encrypt(CONTENT[:size]))
    for what, number in steps:
        if what == "seek":
            assert reader.seek(number) == expected.seek(number)
        else:
            assert reader.read(number) == expected.read(number)
        assert reader.tell() == expected.tell()
    reader.seek(0)
    assert b"".join(iter_segments(reader)) == expected.getvalue()
    assert reader.seek(-3, io.SEEK_END) == len(expected.getvalue()) - 3
    assert reader.seek(1, io.SEEK_CUR) == len(expected.getvalue()) - 2
    assert reader.read() == expected.getvalue()[-2:]


def test_reader__source_gives_less_than_asked__asked_again() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000))

    assert EncryptingReader(Slow(CONTENT), len(CONTENT), ChunkCipher(KEY, SALT)).read() == WHOLE


def test_reader__source_changed_between_two_readings__nothing_of_it_comes_out() -> None:
    """Two contents under one key and place would betray each other, and let others forge."""
    source = io.BytesIO(CONTENT)
    reader = EncryptingReader(source, len(CONTENT), ChunkCipher(KEY, SALT))
    assert reader.read() == WHOLE
    source.seek(CHUNK_BYTES + 5)
    source.write(b"changed")

    reader.seek(0)
    assert reader.read(HEADER_BYTES + SEALED_BYTES) == WHOLE[: HEADER_BYTES + SEALED_BYTES]
    with pytest.raises(PlaintextChanged, match="chunk 1"):
        reader.read(1)


def test_reader__source_is_not_what_the_key_was_derived_from__found_with_the_last_chunk() -> None:
    other = bytearray(CONTENT)
    other[0] ^= 1
    reader = reader_of(bytes(other), hashlib.sha256(CONTENT).digest())
    with pytest.raises(PlaintextChanged, match="chunk 3"):
        reader.read()
    assert reader_of(CONTENT, hashlib.sha256(CONTENT).digest()).read() == WHOLE


@pytest.mark.parametrize("size", [0, 10, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1])
@pytest.mark.parametrize("more", [-1, 1])
def test_reader__source_longer_or_shorter_than_said__refused(size: int, more: int) -> None:
    reader = EncryptingReader(io.BytesIO(CONTENT[: max(1, size + more)]), size, ChunkCipher(KEY, SALT))
    with pytest.raises(PlaintextChanged):
        reader.read()


def test_derive_data_key__same_content_and_owner__same_key() -> None:
    one, other = hashlib.sha256(b"one").digest(), hashlib.sha256(b"other").digest()
    mine, theirs = bytes(32), bytes([1]) * 32
    made = [derive_data_key(secret, digest) for secret in (mine, theirs) for digest in (one, other)]
    assert derive_data_key(mine, one) == made[0]
    assert len({key for key, _ in made} | {salt for _, salt in made}) == 8
    for secret, digest in ((b"", one), (mine, b"")):
        with pytest.raises(WrongLength):
            derive_data_key(secret, digest)


def test_cipher__keys_and_salts_of_another_length__refused() -> None:
    for key, salt in ((bytes(31), SALT), (KEY, bytes(15))):
        with pytest.raises(WrongLength):
            ChunkCipher(key, salt)


def test_cipher__printed_or_failing__shows_no_key() -> None:
    cipher = ChunkCipher(KEY, SALT)
    with pytest.raises(WalrusError) as error:
        cipher.open(0, True, b"")
    for shown in (repr(cipher), str(cipher), str(error.value), repr(reader_of(b""))):
        assert KEY.hex() not in shown
        assert str(KEY) not in shown
