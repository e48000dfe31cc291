"""The codec beside the official Rust RedStuff (PyPI `pysui-fastcrypto`, extra `bench`).

    python -m bench.codec [--shards 10 31 100] [--sizes 1 14 256] [--json]
    python -m bench.codec --memory        a 2 GiB file, encoded and decoded within 600 MiB of memory

What is measured, each the best of several runs, in one process and one thread on both sides:

encode + commit   bytes -> all slivers and the blob id
decode            the slowest case: only extended primary slivers are left; nothing verified
verified read     the same slivers, each verified, decoded, the result checked against the commitment
recover a pair    one primary and one secondary sliver from crossing symbols, both verified
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pysui_fastcrypto

from bench.report import Comparison, as_json, best_of, in_own_process, peak_memory, table
from walrus_chain.codec.decoder import SegmentDecoder
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import (
    EncodedSegment,
    decode_segment,
    encode_segment,
    recover_sliver,
    recovery_symbol,
)
from walrus_chain.codec.stream import commit_blob, encode_segments, iter_segments
from walrus_chain.codec.verify import verify_sliver
from walrus_chain.errors import Bug
from walrus_chain.types import Axis, PairIndex, format_bytes

MIB = 2**20
PEER = "Rust RedStuff"
MEMORY_FILE_BYTES = 2048 * MIB
MEMORY_LIMIT_BYTES = 600 * MIB
MEMORY_SHARDS = 31


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.codec", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shards", type=int, nargs="+", default=[10, 31, 100], metavar="N")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 14, 256], metavar="MIB")
    parser.add_argument("--json", action="store_true", help="print data instead of a table")
    parser.add_argument("--memory", action="store_true", help="check the memory of a 2 GiB file instead")
    parser.add_argument("--phase", choices=sorted(PHASES), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.phase:
        PHASES[options.phase](options.file, options.shards[0])
        print(peak_memory())
        return 0
    if options.memory:
        return check_memory()
    comparisons = [line for shards in options.shards for size in options.sizes for line in compare(shards, size)]
    print(as_json({PEER: comparisons}) if options.json else table("codec", comparisons, theirs=PEER))
    return 0


def compare(shards: int, mebibytes: int) -> Iterator[Comparison]:
    """All figures for one number of shards and one size."""
    random = Random(mebibytes)
    content = b"".join([random.randbytes(MIB) for _ in range(mebibytes)])
    segments = [content[start : start + SEGMENT_BYTES] for start in range(0, len(content), SEGMENT_BYTES)]
    repeats = 5 if mebibytes < 8 else 3 if mebibytes < 64 else 1
    where = f"n = {shards}, {mebibytes} MiB: "

    def line(what: str, ours: float, theirs: Callable[[], object] | None, note: str) -> Comparison:
        peers = None if theirs is None else best_of(theirs, repeats) * 1000
        return Comparison(where + what, ours * 1000, peers, "ms", "less", note)

    committing = best_of(lambda: commit_blob(segments, shards), repeats)
    peer = Peer.of(content, shards)
    peer_encode, peer_decode, peer_read = (peer.encode, peer.decode, peer.read) if peer else (None, None, None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "blob"
        file.write_bytes(content)
        peak = peak_of("commit", file, shards)
    rate = f"{mebibytes / committing:,.0f} MiB/s, peak memory {format_bytes(peak)}"
    yield line("encode + commit", committing, peer_encode, rate if peer else f"{rate}; {LIMIT}")

    metadata = commit_blob(segments, shards).metadata
    left = [last_rows(segment) for segment in encode_segments(segments, shards)]
    decoding = best_of(lambda: decoded(metadata, left), repeats)
    yield line("decode", decoding, peer_decode, f"{mebibytes / decoding:,.0f} MiB/s")
    reading = best_of(lambda: verified(metadata, left), repeats)
    yield line("verified read", reading, peer_read, f"{mebibytes / reading:,.0f} MiB/s")

    crossing = [crossing_symbols(segment) for segment in encode_segments(segments, shards)]
    recover = best_of(lambda: recover_pairs(metadata, crossing), repeats)
    yield line("recover a pair", recover, None, "the peer has no such call")


Rows = dict[PairIndex, bytes]


def last_rows(segment: EncodedSegment) -> Rows:
    """The primary slivers that are farthest from the segment's own bytes; just enough of them."""
    shards = segment.geometry.shards
    places = [PairIndex(place) for place in range(shards - segment.geometry.rows, shards)]
    return {place: bytes(segment.primary[place]) for place in places}


def decoded(metadata: BlobMetadata, left: list[Rows]) -> None:
    """Decode each segment and verify nothing."""
    for index, rows in enumerate(left):
        decode_segment(rows, Axis.PRIMARY, metadata.geometry.segment(index))


def verified(metadata: BlobMetadata, left: list[Rows]) -> None:
    """Read each segment as the client reads it."""
    for index, rows in enumerate(left):
        decoder = SegmentDecoder(metadata, index)
        for place, row in rows.items():
            decoder.add(Axis.PRIMARY, place, row)
        decoder.decode()


Crossing = dict[Axis, dict[PairIndex, bytes]]


def crossing_symbols(segment: EncodedSegment) -> Crossing:
    """The symbols that give sliver pair 1 back, from the last slivers there are."""
    geometry, target = segment.geometry, PairIndex(1)
    symbols: Crossing = {}
    for axis in Axis:
        places = range(geometry.shards - geometry.symbols(axis), geometry.shards)
        symbols[axis] = {
            PairIndex(place): recovery_symbol(
                segment.sliver(axis.other, PairIndex(place)), axis.other, target, geometry
            )
            for place in places
        }
    return symbols


def recover_pairs(metadata: BlobMetadata, crossing: list[Crossing]) -> None:
    """Rebuild and verify sliver pair 1 of each segment."""
    for index, symbols in enumerate(crossing):
        geometry = metadata.geometry.segment(index)
        for axis in Axis:
            sliver = recover_sliver(axis, PairIndex(1), symbols[axis], geometry)
            verify_sliver(sliver, axis, PairIndex(1), metadata.segments[index], geometry)


LIMIT = "the peer cannot: its symbols end at 64 KiB"


class Peer:
    """The Rust implementation, over one content."""

    def __init__(self, content: bytes, shards: int) -> None:
        self._content, self._shards = content, shards
        encoded = pysui_fastcrypto.redstuff_encode(content, shards)
        rows = Geometry(shards).rows
        self._slivers = [pair.primary for pair in encoded.slivers[-rows:]]
        named = encoded.blob_id + encoded.metadata_bcs
        self._metadata = pysui_fastcrypto.redstuff_verify_metadata(named, shards)

    @classmethod
    def of(cls, content: bytes, shards: int) -> Peer | None:
        """The peer, or None where its symbols are too short for the content."""
        geometry = Geometry(shards)
        if len(content) > geometry.rows * geometry.columns * (2**16 - 2):
            return None
        return cls(content, shards)

    def encode(self) -> object:
        """All slivers and the blob id, in one call."""
        return pysui_fastcrypto.redstuff_encode(self._content, self._shards)

    def decode(self) -> object:
        """The content, nothing verified."""
        return pysui_fastcrypto.redstuff_decode(self._slivers, len(self._content), self._shards, "primary")

    def read(self) -> object:
        """The content, verified by encoding it again."""
        return pysui_fastcrypto.redstuff_decode_and_verify(self._slivers, self._metadata, "primary")


def commit(file: Path, shards: int) -> BlobMetadata:
    """First pass over a file."""
    with file.open("rb") as source:
        return commit_blob(iter_segments(source), shards).metadata


def encode(file: Path, shards: int) -> None:
    """Both passes over a file: learn its blob id, then make each sliver pair as it would be sent."""
    metadata = commit(file, shards)
    with file.open("rb") as source:
        for segment in encode_segments(iter_segments(source), shards):
            for pair in range(metadata.shards):
                segment.pair(PairIndex(pair))


def decode(file: Path, shards: int) -> None:
    """Encode a file, throw all but the last secondary slivers of each segment away, and read it back, verified."""
    metadata = commit(file, shards)
    written, read = hashlib.sha256(), hashlib.sha256()
    with file.open("rb") as source:
        for index, data in enumerate(iter_segments(source)):
            written.update(data)
            decoder = SegmentDecoder(metadata, index)
            keep_last_columns(data, decoder)
            del data
            read.update(decoder.decode())
    if written.digest() != read.digest():
        raise Bug("a file came back as another one")


def keep_last_columns(data: bytes, decoder: SegmentDecoder) -> None:
    """Give `decoder` the secondary slivers that are farthest from the segment's own bytes."""
    geometry = decoder.geometry
    segment = encode_segment(data, geometry.shards)
    for place in range(geometry.shards - geometry.columns, geometry.shards):
        decoder.add(Axis.SECONDARY, PairIndex(place), bytes(segment.secondary[place]))


PHASES: dict[str, Callable[[Path, int], object]] = {"commit": commit, "encode": encode, "decode": decode}


def peak_of(name: str, file: Path, shards: int) -> int:
    """The peak of memory, in bytes, of one phase over `file`, in a process of its own."""
    return int(in_own_process("bench.codec", "--phase", name, "--shards", str(shards), "--file", str(file)))


def check_memory() -> int:
    """Encode and decode a 2 GiB file, each in its own process, and compare the peaks of memory with the limit."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "blob"
        print(f"writing {format_bytes(MEMORY_FILE_BYTES)} of random bytes ...", file=sys.stderr)
        with file.open("wb") as out:
            for seed in range(MEMORY_FILE_BYTES // SEGMENT_BYTES):
                out.write(Random(seed).randbytes(SEGMENT_BYTES))
        return max([check_phase(name, file) for name in ("encode", "decode")])


def check_phase(name: str, file: Path) -> int:
    """Run one phase and say whether it kept within the limit: 0 when it did."""
    peak = peak_of(name, file, MEMORY_SHARDS)
    within = peak <= MEMORY_LIMIT_BYTES
    limit = f"{'within' if within else 'ABOVE'} {format_bytes(MEMORY_LIMIT_BYTES)}"
    print(f"{name} {format_bytes(MEMORY_FILE_BYTES)}: peak memory {format_bytes(peak)}, {limit}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
