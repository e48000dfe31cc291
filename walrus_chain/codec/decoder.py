"""One segment's way back: slivers come in from many nodes in any order, the segment goes out once enough verify.

Source: docs/spec/02-geometry.md, docs/spec/03-commitment.md.
"""

from __future__ import annotations

from typing import Final

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import decode_segment
from walrus_chain.codec.verify import check_decoded, verify_sliver
from walrus_chain.errors import NotEnoughSlivers
from walrus_chain.types import Axis, PairIndex


class SegmentDecoder:
    """Collects the slivers of one segment and keeps only those that verify."""

    def __init__(self, metadata: BlobMetadata, segment: int) -> None:
        """A decoder that has no sliver yet.

        Args:
            metadata: of the blob, compared with its id already.
        Raises: RangeOutsideBlob: the blob has no segment `segment`.
        """
        self.geometry: Final = metadata.geometry.segment(segment)
        self._blob_id = metadata.blob_id
        self._metadata = metadata.segments[segment]
        self._slivers: dict[Axis, dict[PairIndex, Buffer]] = {axis: {} for axis in Axis}

    def add(self, axis: Axis, pair: PairIndex, sliver: Buffer) -> None:
        """Keep a sliver that a node sent; one that is here already is not hashed again.

        Raises:
            WrongLength: too long or too short; ask another node.
            CommitmentMismatch: other bytes than committed to; ask another node.
        """
        if pair not in self._slivers[axis]:
            verify_sliver(sliver, axis, pair, self._metadata, self.geometry)
            self._slivers[axis][pair] = sliver

    def missing(self, axis: Axis) -> int:
        """Slivers of `axis` that have still to come before the segment can be decoded from that axis."""
        return max(0, self.geometry.needed(axis) - len(self._slivers[axis]))

    @property
    def ready(self) -> bool:
        """Whether `decode` has enough of one axis."""
        return any(self.missing(axis) == 0 for axis in Axis)

    def decode(self) -> bytes:
        """The bytes of the segment, the same for every reader.

        Raises:
            NotEnoughSlivers: neither axis is complete; of the nearer one, what it has and needs.
            InconsistentEncoding: the slivers verify but belong to no single matrix.
        """
        axis = min(Axis, key=self.missing)
        slivers = self._slivers[axis]
        if self.missing(axis):
            raise NotEnoughSlivers(len(slivers), self.geometry.needed(axis))
        data = decode_segment(slivers, axis, self.geometry)
        rows = self._slivers[Axis.PRIMARY] if axis is Axis.PRIMARY else ()
        check_decoded(self._blob_id, data, self._metadata, self.geometry, rows)
        return data
