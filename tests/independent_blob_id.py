"""The blob id of a file, computed a second time: standard library only, and nothing but docs/spec/ was read for it.

    python tests/independent_blob_id.py FILE SHARDS

It is slow and meant to be: it multiplies byte by byte where the codec calls vector instructions, so that the two can
only agree by both being right.
"""

import base64
import hashlib
import sys
from pathlib import Path

SEGMENT = 32 * 2**20


def multiplied(a: int, b: int) -> int:
    """The product of two elements of GF(2^8), polynomial 0x11d."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11D if a & 0x80 else 0)
        b >>= 1
    return product


INVERSE = {a: b for a in range(1, 256) for b in range(1, 256) if multiplied(a, b) == 1}
TIMES = {factor: bytes(multiplied(factor, byte) for byte in range(256)) for factor in INVERSE}


def payload(data: list[bytes], place: int) -> bytes:
    """The payload at `place` of the code over the payloads `data`."""
    if place < len(data):
        return data[place]
    total = 0
    for j, piece in enumerate(data):
        total ^= int.from_bytes(piece.translate(TIMES[INVERSE[place ^ j]]), "big")
    return total.to_bytes(len(data[0]), "big")


def tree(items: list[bytes]) -> bytes:
    """The root of the tree over `items`."""
    items = items + [bytes(32)] * ((1 << (len(items) - 1).bit_length()) - len(items))
    while len(items) > 1:
        items = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(items[::2], items[1::2], strict=True)]
    return items[0]


def sliver_root(sliver: bytes) -> bytes:
    """The root of a sliver."""
    return tree([hashlib.sha256(b"\0" + sliver[i : i + 256]).digest() for i in range(0, len(sliver), 256)])


def segment_root(data: bytes, n: int) -> bytes:
    """The root of the segment that holds `data`."""
    f = (n - 1) // 3
    r, c = n - 2 * f, n - f
    symbol = 8 * max(1, -(-len(data) // (8 * r * c)))
    data = data.ljust(r * c * symbol, b"\0")
    cells = [data[i : i + symbol] for i in range(0, len(data), symbol)]
    rows = [b"".join(cells[i * c : (i + 1) * c]) for i in range(r)]
    columns = [b"".join(cells[j::c]) for j in range(c)]
    pairs = [sliver_root(payload(rows, i)) + sliver_root(payload(columns, i)) for i in range(n)]
    return tree([hashlib.sha256(b"\2" + pair).digest() for pair in pairs])


def blob_id(data: bytes, n: int) -> str:
    """The blob id of `data` in a network of `n` shards, as text."""
    content = tree([segment_root(data[i : i + SEGMENT], n) for i in range(0, max(1, len(data)), SEGMENT)])
    digest = hashlib.sha256(b"\3\1" + n.to_bytes(2, "big") + len(data).to_bytes(8, "big") + content).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


if __name__ == "__main__":
    sys.stdout.write(blob_id(Path(sys.argv[1]).read_bytes(), int(sys.argv[2])) + "\n")
