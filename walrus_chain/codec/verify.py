"""What comes from others is compared with the commitment here, before any of it is decoded, stored or shown.

*One meaning*: a blob's bytes are what its systematic primary slivers hold. A reader who decoded from anything else
rebuilds those rows and compares their roots with the metadata (`check_decoded`), or encodes everything again and
compares all roots (`check_strict`). So readers of a badly encoded blob get the same bytes or a refusal.

Source: docs/spec/03-commitment.md.
"""

from __future__ import annotations

from collections.abc import Collection

from walrus_chain.codec import hashing
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import SegmentGeometry
from walrus_chain.codec.merkle import sliver_root
from walrus_chain.codec.metadata import SegmentMetadata
from walrus_chain.codec.redstuff import encode_segment, matrix_rows
from walrus_chain.errors import CommitmentMismatch, InconsistentEncoding, WrongLength
from walrus_chain.types import Axis, BlobId, PairIndex


def verify_sliver(
    sliver: Buffer, axis: Axis, pair: PairIndex, metadata: SegmentMetadata, geometry: SegmentGeometry
) -> None:
    """Accept a sliver as the one of `axis` at place `pair`, or raise.

    Raises:
        WrongLength: too long or too short.
        CommitmentMismatch: other bytes than committed to.
    """
    due = geometry.sliver_bytes(axis)
    if len(sliver) != due:
        raise WrongLength(f"{axis.value} sliver {pair}", due, len(sliver))
    expected, actual = metadata.sliver_root(axis, pair), sliver_root(sliver)
    if actual != expected:
        raise CommitmentMismatch(f"{axis.value} sliver {pair}", expected, actual)


def verify_pair(data: Buffer, pair: PairIndex, metadata: SegmentMetadata, geometry: SegmentGeometry) -> None:
    """Accept a sliver pair (primary, then secondary sliver) as the one at place `pair`, or raise.

    Raises:
        WrongLength: too long or too short.
        CommitmentMismatch: other bytes than committed to.
    """
    primary, secondary = split_pair(data, geometry)
    verify_sliver(primary, Axis.PRIMARY, pair, metadata, geometry)
    verify_sliver(secondary, Axis.SECONDARY, pair, metadata, geometry)


def split_pair(data: Buffer, geometry: SegmentGeometry) -> tuple[memoryview, memoryview]:
    """The primary and the secondary sliver of a pair as it travels.

    Raises: WrongLength: too long or too short.
    """
    if len(data) != geometry.pair_bytes:
        raise WrongLength("a sliver pair", geometry.pair_bytes, len(data))
    view, border = memoryview(data), geometry.sliver_bytes(Axis.PRIMARY)
    return view[:border], view[border:]


def check_decoded(
    blob_id: BlobId,
    data: Buffer,
    metadata: SegmentMetadata,
    geometry: SegmentGeometry,
    verified_rows: Collection[PairIndex] = (),
) -> None:
    """Accept a decoded segment as what its systematic primary slivers hold, or raise: the default check.

    Args:
        data: the decoded segment.
        verified_rows: places of primary slivers that were verified and went into `data`; they are not hashed again.
    Raises: InconsistentEncoding: the slivers that were decoded do not belong to one matrix.
    """
    rows = matrix_rows(data, geometry)
    places = [PairIndex(place) for place in range(geometry.rows) if place not in verified_rows]
    for place, actual in zip(places, hashing.sliver_roots([rows[place] for place in places]), strict=True):
        if actual != metadata.sliver_root(Axis.PRIMARY, place):
            raise InconsistentEncoding(blob_id, f"row {place} of a decoded segment is not its primary sliver {place}")


def check_strict(blob_id: BlobId, data: Buffer, metadata: SegmentMetadata, geometry: SegmentGeometry) -> None:
    """Accept a decoded segment only when all slivers of its encoding are those committed to, or raise.

    Raises: InconsistentEncoding: some sliver is not what the segment encodes to.
    """
    if encode_segment(data, geometry.shards).metadata() != metadata:
        raise InconsistentEncoding(blob_id, "a segment encoded again has other slivers than the blob commits to")
