"""Encrypted data: a header, then chunks of 64 KiB, each encrypted for its place, so that ranges can be read alone.

    header = "WLRS" ‖ version ‖ log2 of the chunk size ‖ 10 zero bytes ‖ salt (16 bytes) ‖ key check (32 bytes)
    chunk  = AES-256-GCM(key of salt and data key, nonce = place (11 bytes) ‖ is it the last (1 byte), AAD = header)

This is the STREAM construction: chunks that were changed, moved, repeated, left out or cut off do not open. Empty data
is one empty chunk. AES-GCM alone lets who takes pains make bytes that open under two keys, to two contents; the key
check is why nobody can: the header fits one data key.

Source: docs/spec/12-keys.md; vectors in tests/vectors/envelopes.json.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from walrus_chain.codec.buffers import Buffer
from walrus_chain.crypto.derive import DATA_KEY_BYTES, derive
from walrus_chain.errors import (
    ChunkNotOpened,
    MalformedCiphertext,
    PlaintextChanged,
    RangeOutsideBlob,
    WrongDataKey,
    WrongLength,
)

MAGIC: Final = b"WLRS"
VERSION: Final = 1
CHUNK_BITS: Final = 16
CHUNK_BYTES: Final = 1 << CHUNK_BITS
TAG_BYTES: Final = 16
SALT_BYTES: Final = 16
_CHECK_BYTES: Final = 32
_PREFIX: Final = struct.pack(">4sBB10s", MAGIC, VERSION, CHUNK_BITS, b"")
HEADER_BYTES: Final = len(_PREFIX) + SALT_BYTES + _CHECK_BYTES

_SEALED_BYTES: Final = CHUNK_BYTES + TAG_BYTES
#: So many chunks are read at once where many are wanted.
_CHUNKS_AT_ONCE: Final = 16
_SECRET_BYTES: Final = 32
_DIGEST_BYTES: Final = 32
_CHUNK_PURPOSE: Final = b"walrus chunk v1"
_CHECK_PURPOSE: Final = b"walrus key check v1"
_DATA_KEY_PURPOSE: Final = b"walrus data key v1"


class Plaintext(Protocol):
    """Bytes that can be read again."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end."""

    def seek(self, offset: int, /) -> object:
        """Go to a place from the beginning."""


def derive_data_key(secret: bytes, content_digest: bytes) -> tuple[bytes, bytes]:
    """A data key and a salt for one content: the same each time, so an interrupted store goes on with the same bytes.

    Args:
        secret: the owner's 32 bytes, for this purpose alone.
        content_digest: SHA-256 of the plaintext.
    Raises: WrongLength.
    """
    _check_length("an owner's secret", _SECRET_BYTES, secret)
    _check_length("a content digest", _DIGEST_BYTES, content_digest)
    derived = derive(secret, _DATA_KEY_PURPOSE + content_digest, DATA_KEY_BYTES + SALT_BYTES)
    return derived[:DATA_KEY_BYTES], derived[DATA_KEY_BYTES:]


def is_header(head: bytes) -> bool:
    """Whether data that begins so is encrypted by this module, in this version."""
    return head[: len(_PREFIX)] == _PREFIX


def chunk_count(plaintext_size: int) -> int:
    """Chunks of so many bytes; at least one."""
    return max(1, -(-plaintext_size // CHUNK_BYTES))


def ciphertext_size(plaintext_size: int) -> int:
    """Bytes that so many bytes take encrypted."""
    return HEADER_BYTES + plaintext_size + TAG_BYTES * chunk_count(plaintext_size)


def plaintext_size(ciphertext_size: int) -> int:
    """Bytes that are in so many encrypted bytes.

    Raises: MalformedCiphertext: there is no plaintext of such a length.
    """
    body = ciphertext_size - HEADER_BYTES
    whole, rest = divmod(body, _SEALED_BYTES)
    if body < TAG_BYTES or 0 < rest < TAG_BYTES or (rest == TAG_BYTES and whole):
        raise MalformedCiphertext(f"{ciphertext_size} bytes cannot be")
    return body - TAG_BYTES * (whole + (rest > 0))


def ciphertext_range(start: int, stop: int, plaintext_size: int) -> tuple[int, int, int]:
    """What to read of the ciphertext for the bytes `start` to before `stop` of the plaintext.

    Returns: first byte, byte after the last, and place of the first chunk. An empty range takes one chunk.
    Raises: RangeOutsideBlob.
    """
    if not 0 <= start <= stop <= plaintext_size:
        raise RangeOutsideBlob(f"range {start} to {stop} in {plaintext_size} bytes")
    last_chunk = chunk_count(plaintext_size) - 1
    first = min(start // CHUNK_BYTES, last_chunk)
    last = max(first, (stop - 1) // CHUNK_BYTES)
    end = min(HEADER_BYTES + (last + 1) * _SEALED_BYTES, ciphertext_size(plaintext_size))
    return HEADER_BYTES + first * _SEALED_BYTES, end, first


class ChunkCipher:
    """Encrypts and decrypts the chunks of one content. It never prints its key."""

    __slots__ = ("_aead", "header")

    def __init__(self, data_key: bytes, salt: bytes) -> None:
        """
        Args:
            data_key: 32 bytes. One key and salt are for one content: two contents under the same betray each other.
            salt: 16 bytes.
        Raises: WrongLength.
        """
        _check_length("a data key", DATA_KEY_BYTES, data_key)
        _check_length("a salt", SALT_BYTES, salt)
        self.header: Final = _PREFIX + salt + derive(data_key, _CHECK_PURPOSE, _CHECK_BYTES, salt)
        self._aead: Final = AESGCM(derive(data_key, _CHUNK_PURPOSE, salt=salt))

    @classmethod
    def of_header(cls, data_key: bytes, header: bytes) -> ChunkCipher:
        """The cipher of data that begins with `header`.

        Raises:
            MalformedCiphertext: it is no header, or of another version.
            WrongDataKey: the data was encrypted with another key.
            WrongLength: of the data key.
        """
        if len(header) != HEADER_BYTES or not is_header(header):
            raise MalformedCiphertext("it does not begin with the header of version 1")
        cipher = cls(data_key, header[len(_PREFIX) : len(_PREFIX) + SALT_BYTES])
        if not hmac.compare_digest(cipher.header, header):
            raise WrongDataKey
        return cipher

    def seal(self, index: int, last: bool, plaintext: Buffer) -> bytes:
        """The chunk at a place: `CHUNK_BYTES` and a tag, less only when it is the last.

        Raises: WrongLength.
        """
        if len(plaintext) > CHUNK_BYTES or (not last and len(plaintext) != CHUNK_BYTES):
            raise WrongLength(f"chunk {index}", CHUNK_BYTES, len(plaintext))
        return self._aead.encrypt(_nonce(index, last), plaintext, self.header)

    def seal_into(self, index: int, last: bool, plaintext: Buffer, out: memoryview) -> None:
        """`seal`, into memory of just the length that the chunk takes.

        Raises: WrongLength: of the plaintext.
        """
        if len(plaintext) > CHUNK_BYTES or (not last and len(plaintext) != CHUNK_BYTES):
            raise WrongLength(f"chunk {index}", CHUNK_BYTES, len(plaintext))
        self._aead.encrypt_into(_nonce(index, last), plaintext, self.header, out)

    def open(self, index: int, last: bool, ciphertext: Buffer) -> bytes:
        """The plaintext of the chunk at a place.

        Raises: ChunkNotOpened: changed, another chunk, or not the last when it should be.
        """
        try:
            return self._aead.decrypt(_nonce(index, last), ciphertext, self.header)
        except InvalidTag:
            raise ChunkNotOpened(index) from None

    def open_into(self, index: int, last: bool, ciphertext: Buffer, out: memoryview) -> None:
        """`open`, into memory of just the length that the plaintext takes.

        Raises: ChunkNotOpened: as `open`, or too short to be a chunk.
        """
        if len(ciphertext) < TAG_BYTES:
            raise ChunkNotOpened(index)
        try:
            self._aead.decrypt_into(_nonce(index, last), ciphertext, self.header, out)
        except InvalidTag:
            raise ChunkNotOpened(index) from None

    def __repr__(self) -> str:
        return "ChunkCipher()"


class EncryptingReader(io.RawIOBase):
    """A file to read: the ciphertext of a plaintext that lies in another file.

    It gives the same bytes each time they are read, or none: the first time the data goes through in order (a jump
    ahead reads what it jumped over), and what comes again is compared with it. So data that changes meanwhile is never
    encrypted twice with the same key and place. Use it in one thread.
    """

    def __init__(
        self, plaintext: Plaintext, size: int, cipher: ChunkCipher, content_digest: bytes | None = None
    ) -> None:
        """
        Args:
            plaintext: from its beginning; stays the caller's to close.
            size: its bytes.
            content_digest: SHA-256 of the plaintext, when the key was derived from it; checked with the last chunk.
                Give no byte away before everything was read once.
        """
        super().__init__()
        self._plaintext = plaintext
        self._plaintext_size = size
        self._cipher = cipher
        self._expected = content_digest
        self._digest = hashlib.sha256()
        self._chunks = chunk_count(size)
        self._tags = bytearray()
        self._place = 0
        self._kept: tuple[int, bytes] = (-1, b"")

    @property
    def size(self) -> int:
        """Bytes of the ciphertext."""
        return ciphertext_size(self._plaintext_size)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The place in the ciphertext."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in the ciphertext."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def readinto(self, buffer: Buffer, /) -> int:  # type: ignore[override] # io asks for any writable buffer
        """Fills `buffer` as far as there is ciphertext.

        Raises: PlaintextChanged: the plaintext is not what it was, or not as long, or not what the digest says.
        """
        view = memoryview(buffer).cast("B")
        done = 0
        while done < len(view) and self._place < self.size:
            taken = self._fill(view[done:])
            if not taken:
                piece = self._piece()[: len(view) - done]
                view[done : done + len(piece)] = piece
                taken = len(piece)
            done += taken
            self._place += taken
        return done

    def _fill(self, view: memoryview) -> int:
        """Encrypts whole chunks straight into `view`; how many bytes. None where less than a chunk is wanted."""
        index, offset = divmod(self._place - HEADER_BYTES, _SEALED_BYTES)
        # Before the first chunk, inside of one, or ahead of what was read once: that is what `_piece` is for.
        if offset or index < 0 or index > len(self._tags) // TAG_BYTES:
            return 0
        whole = min(len(view) // _SEALED_BYTES, self._chunks - 1 - index, _CHUNKS_AT_ONCE)
        if whole <= 0:
            return 0
        plaintext = memoryview(self._read(index, whole * CHUNK_BYTES))
        for place in range(whole):
            out = view[place * _SEALED_BYTES : (place + 1) * _SEALED_BYTES]
            chunk = plaintext[place * CHUNK_BYTES : (place + 1) * CHUNK_BYTES]
            self._cipher.seal_into(index + place, False, chunk, out)
            self._check(index + place, chunk, bytes(out[-TAG_BYTES:]))
        return whole * _SEALED_BYTES

    def _piece(self) -> memoryview:
        """The rest of the header or chunk that the place is in."""
        if self._place < HEADER_BYTES:
            return memoryview(self._cipher.header)[self._place :]
        index, offset = divmod(self._place - HEADER_BYTES, _SEALED_BYTES)
        if self._kept[0] != index:
            for skipped in range(len(self._tags) // TAG_BYTES, index):
                self._sealed(skipped)
            self._kept = (index, self._sealed(index))
        return memoryview(self._kept[1])[offset:]

    def _sealed(self, index: int) -> bytes:
        last = index == self._chunks - 1
        wanted = min(CHUNK_BYTES, self._plaintext_size - index * CHUNK_BYTES)
        plaintext = self._read(index, wanted, last)
        sealed = self._cipher.seal(index, last, plaintext)
        self._check(index, plaintext, sealed[-TAG_BYTES:])
        return sealed

    def _check(self, index: int, plaintext: Buffer, tag: bytes) -> None:
        """Sees that a chunk is what it was the first time, or notes what it is.

        Raises: PlaintextChanged.
        """
        place = index * TAG_BYTES
        if place == len(self._tags):
            self._digest.update(plaintext)
            last = index == self._chunks - 1
            if last and self._expected is not None and self._digest.digest() != self._expected:
                raise PlaintextChanged(index)
            self._tags += tag
        elif self._tags[place : place + TAG_BYTES] != tag:
            raise PlaintextChanged(index)

    def _read(self, index: int, wanted: int, last: bool = False) -> bytes:
        """So many bytes of the plaintext, from a chunk on.

        Raises: PlaintextChanged: there are fewer; or, behind the last chunk, more.
        """
        self._plaintext.seek(index * CHUNK_BYTES)
        parts, missing = [], wanted + last
        while missing and (part := self._plaintext.read(missing)):
            parts.append(part)
            missing -= len(part)
        plaintext = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(plaintext) != wanted:
            raise PlaintextChanged(index)
        return plaintext


class RangeOpener:
    """Gives the plaintext of a range while its ciphertext comes in, in order, in pieces of any length."""

    __slots__ = ("_chunks", "_cipher", "_left", "_next", "_rest", "_start", "_stop", "end_byte", "first_byte")

    def __init__(self, cipher: ChunkCipher, size: int, start: int = 0, stop: int | None = None) -> None:
        """
        Args:
            size: bytes of the whole plaintext, as `plaintext_size` finds it from a length that can be trusted.
            start, stop: the range in the plaintext; by default all of it.
        Raises: RangeOutsideBlob.
        """
        self._cipher = cipher
        self._start, self._stop = start, size if stop is None else stop
        self.first_byte, self.end_byte, self._next = ciphertext_range(self._start, self._stop, size)
        self._chunks = chunk_count(size)
        self._left = self.end_byte - self.first_byte
        self._rest = b""
        """The beginning of a chunk that did not come in full yet."""

    def feed(self, ciphertext: Buffer) -> Buffer:
        """The plaintext that became readable.

        Args:
            ciphertext: the next bytes of those from `first_byte` to before `end_byte`.
        Raises:
            ChunkNotOpened: changed, moved, repeated or cut off.
            MalformedCiphertext: more than there should be.
        """
        view = memoryview(ciphertext).cast("B")
        if len(view) > self._left:
            raise MalformedCiphertext("there is more of it than there should be")
        self._left -= len(view)
        held = len(self._rest) + len(view)
        whole = -(-held // _SEALED_BYTES) if not self._left else held // _SEALED_BYTES
        if not whole:
            self._rest += view
            return b""
        usable = min(held, whole * _SEALED_BYTES)
        plaintext = memoryview(bytearray(max(0, usable - whole * TAG_BYTES)))
        first, done = self._next, 0
        for place in range(whole):
            length = min(_SEALED_BYTES, usable - place * _SEALED_BYTES)
            taken = length - len(self._rest)
            chunk: Buffer = view[done : done + taken]
            if self._rest:
                chunk, self._rest = self._rest + chunk, b""
            done += taken
            at = place * CHUNK_BYTES
            out = plaintext[at : at + length - TAG_BYTES]
            self._cipher.open_into(self._next, self._next == self._chunks - 1, chunk, out)
            self._next += 1
        self._rest = bytes(view[done:])
        begin = first * CHUNK_BYTES
        return plaintext[max(0, self._start - begin) : max(0, self._stop - begin)]

    def finish(self) -> None:
        """Checks that all of it came.

        Raises: MalformedCiphertext: it was cut off.
        """
        if self._left:
            raise MalformedCiphertext(f"{self._left} bytes of it are missing")


class StreamOpener:
    """Gives the plaintext of whole encrypted data while it comes in from its first byte on, in pieces of any length."""

    __slots__ = ("_data_key", "_head", "_opener", "_size")

    def __init__(self, data_key: bytes, ciphertext_size: int) -> None:
        """
        Args:
            ciphertext_size: bytes of all of it, which can be trusted: the size of the blob.
        Raises: MalformedCiphertext: no encrypted data has so many bytes.
        """
        self._data_key = data_key
        self._size = plaintext_size(ciphertext_size)
        self._head = bytearray()
        self._opener: RangeOpener | None = None

    def feed(self, ciphertext: Buffer) -> Buffer:
        """The plaintext that became readable.

        Raises:
            ChunkNotOpened: changed, moved, repeated or cut off.
            MalformedCiphertext: no header in front, or more than there should be.
            WrongDataKey: the data was encrypted with another key.
        """
        if self._opener is None:
            missing = HEADER_BYTES - len(self._head)
            self._head += ciphertext[:missing]
            ciphertext = ciphertext[missing:]
            if len(self._head) < HEADER_BYTES:
                return b""
            self._opener = RangeOpener(ChunkCipher.of_header(self._data_key, bytes(self._head)), self._size)
        return self._opener.feed(ciphertext)

    def finish(self) -> None:
        """Checks that all of it came.

        Raises: MalformedCiphertext: it was cut off.
        """
        if self._opener is None:
            raise MalformedCiphertext("its header is missing")
        self._opener.finish()


def _nonce(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])


def _check_length(what: str, expected: int, actual: bytes) -> None:
    if len(actual) != expected:
        raise WrongLength(what, expected, len(actual))
