"""Encoding, decoding and healing of one segment: the two-dimensional code.

A segment is a matrix of symbols, row by row, zero-padded. Columns are extended to `shards` rows, rows to `shards`
columns. The code is linear and works byte by byte, so a symbol where an extended row crosses an extended column is the
same whichever way it is computed; that is what lets a lost sliver be rebuilt from crossing symbols.

Nothing here verifies what comes in: see `walrus_chain.codec.verify`, and verify first.

Source: docs/spec/02-geometry.md; vectors in tests/vectors/recover.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from walrus_chain.codec import hashing
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.erasure import ErasureCode, erasure_code
from walrus_chain.codec.geometry import Geometry, SegmentGeometry
from walrus_chain.codec.metadata import SegmentMetadata
from walrus_chain.errors import NotEnoughSlivers, NotEnoughSymbols, WrongLength
from walrus_chain.types import Axis, PairIndex


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """All slivers of one segment. They share memory with each other and with the segment: treat them as read-only."""

    geometry: SegmentGeometry
    primary: Sequence[memoryview]
    secondary: Sequence[memoryview]

    def sliver(self, axis: Axis, pair: PairIndex) -> memoryview:
        """The sliver of `axis` at place `pair`, 0..shards - 1."""
        return self.primary[pair] if axis is Axis.PRIMARY else self.secondary[pair]

    def pair(self, pair: PairIndex) -> bytes:
        """Primary and secondary sliver at place `pair`, one after the other, as they travel and are stored."""
        return b"".join((self.primary[pair], self.secondary[pair]))

    def metadata(self) -> SegmentMetadata:
        """The roots of all slivers; hashes each of them."""
        primary, secondary = hashing.sliver_roots(self.primary), hashing.sliver_roots(self.secondary)
        return SegmentMetadata(b"".join([root for pair in zip(primary, secondary, strict=True) for root in pair]))


def encode_segment(data: Buffer, shards: int) -> EncodedSegment:
    """All slivers of the segment that holds `data`.

    Raises: UnsupportedGeometry: more than `SEGMENT_BYTES`, or `shards` outside 4..255.
    """
    geometry = Geometry(shards).segment(len(data))
    rows = matrix_rows(data, geometry)
    symbol = geometry.symbol_bytes
    columns = [
        memoryview(b"".join([row[start : start + symbol] for row in rows]))
        for start in range(0, geometry.sliver_bytes(Axis.PRIMARY), symbol)
    ]
    primary = rows + _code_over(Axis.PRIMARY, geometry).extend(rows)
    secondary = columns + _code_over(Axis.SECONDARY, geometry).extend(columns)
    return EncodedSegment(geometry, primary, secondary)


def matrix_rows(data: Buffer, geometry: SegmentGeometry) -> list[memoryview]:
    """The rows of the matrix that holds `data`, zero-padded: the systematic primary slivers."""
    view, width = memoryview(data), geometry.sliver_bytes(Axis.PRIMARY)
    rows = [view[start : start + width] for start in range(0, geometry.rows * width, width)]
    return [row if len(row) == width else memoryview(bytes(row).ljust(width, b"\0")) for row in rows]


def decode_segment(slivers: Mapping[PairIndex, Buffer], axis: Axis, geometry: SegmentGeometry) -> bytes:
    """The bytes of a segment, from enough slivers of one axis.

    Args:
        slivers: place to sliver, verified; any `geometry.needed(axis)` of them. Fastest with all places below that.
    Returns: exactly `geometry.length` bytes.
    Raises:
        NotEnoughSlivers: with `.have` and `.needed`; ask more nodes and call again.
        WrongLength: a sliver is too long or too short.
    """
    needed = geometry.needed(axis)
    _check_lengths(slivers, f"a {axis.value} sliver", geometry.sliver_bytes(axis))
    if len(slivers) < needed:
        raise NotEnoughSlivers(len(slivers), needed)
    systematic = _code_over(axis, geometry).rebuild(slivers, range(needed))
    if axis is Axis.PRIMARY:
        return _joined(systematic, geometry.length)
    symbol = geometry.symbol_bytes
    starts = range(0, geometry.sliver_bytes(Axis.SECONDARY), symbol)
    return _joined([column[start : start + symbol] for start in starts for column in systematic], geometry.length)


def recovery_symbol(sliver: Buffer, axis: Axis, target: PairIndex, geometry: SegmentGeometry) -> bytes:
    """The symbol where a sliver crosses the sliver of the other axis at place `target`.

    Args:
        sliver: a verified sliver of `axis`, at any place.
    Raises: WrongLength: the sliver is too long or too short.
    """
    _check_lengths({target: sliver}, f"a {axis.value} sliver", geometry.sliver_bytes(axis))
    view, symbol, symbols = memoryview(sliver), geometry.symbol_bytes, geometry.symbols(axis)
    if target < symbols:
        return bytes(view[target * symbol : (target + 1) * symbol])
    cells = [view[start : start + symbol] for start in range(0, symbols * symbol, symbol)]
    return bytes(_code_over(axis.other, geometry).extend(cells)[target - symbols])


def recover_sliver(
    axis: Axis, pair: PairIndex, symbols: Mapping[PairIndex, Buffer], geometry: SegmentGeometry
) -> bytes:
    """The sliver of `axis` at place `pair`, from the symbols where slivers of the other axis cross it.

    Args:
        symbols: place of the crossing sliver on the other axis to symbol; any `geometry.symbols(axis)` of them.
    Returns: the sliver; *not verified*, for a symbol may have been a lie: compare its root with the metadata.
    Raises:
        NotEnoughSymbols: with `.have` and `.needed`; ask more nodes and call again.
        WrongLength: a symbol is too long or too short.
    """
    needed = geometry.symbols(axis)
    _check_lengths(symbols, f"a symbol of {axis.value} sliver {pair}", geometry.symbol_bytes)
    if len(symbols) < needed:
        raise NotEnoughSymbols(len(symbols), needed)
    return b"".join(_code_over(axis.other, geometry).rebuild(symbols, range(needed)))


def rebuild_sliver(
    axis: Axis, pair: PairIndex, slivers: Mapping[PairIndex, Buffer], geometry: SegmentGeometry
) -> bytes:
    """The sliver of `axis` at place `pair`, from enough verified slivers of the same axis.

    Raises:
        NotEnoughSlivers: with `.have` and `.needed`; ask more nodes and call again.
        WrongLength: a sliver is too long or too short.
    """
    needed = geometry.needed(axis)
    _check_lengths(slivers, f"a {axis.value} sliver", geometry.sliver_bytes(axis))
    if len(slivers) < needed:
        raise NotEnoughSlivers(len(slivers), needed)
    [sliver] = _code_over(axis, geometry).rebuild(slivers, [pair])
    return bytes(sliver)


def _code_over(axis: Axis, geometry: SegmentGeometry) -> ErasureCode:
    """The code of which the slivers of `axis` are the payloads."""
    return erasure_code(geometry.needed(axis), geometry.shards)


def _joined(parts: Sequence[memoryview], length: int) -> bytes:
    """The first `length` bytes of `parts`, copied once."""
    whole, rest = divmod(length, len(parts[0]))
    return b"".join(parts[:whole] if not rest else [*parts[:whole], parts[whole][:rest]])


def _check_lengths(payloads: Mapping[PairIndex, Buffer], what: str, length: int) -> None:
    for payload in payloads.values():
        if len(payload) != length:
            raise WrongLength(what, length, len(payload))
