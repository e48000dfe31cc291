"""Encoding, commitment and decoding."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse, Retryable, Untrusted


class UnsupportedGeometry(Misuse):
    """A number of shards or a size that the encoding does not take."""

    def __init__(self, what: str) -> None:
        super().__init__(f"cannot encode {what}")
        self.what = what


class RangeOutsideBlob(Misuse):
    """A byte, range or segment that the blob does not have."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what}")
        self.what = what


class NotEnoughSlivers(Retryable):
    """Fewer verified slivers than a segment needs; ask more nodes and decode again."""

    def __init__(self, have: int, needed: int) -> None:
        super().__init__(f"{have} slivers of one axis at hand, {needed} are needed to decode a segment; ask more")
        self.have, self.needed = have, needed


class NotEnoughSymbols(Retryable):
    """Fewer symbols (or byte runs) than a rebuild needs; ask more nodes and rebuild again."""

    def __init__(self, have: int, needed: int) -> None:
        super().__init__(f"{have} payloads at hand, {needed} are needed to rebuild what is lost; ask more nodes")
        self.have, self.needed = have, needed


class CommitmentMismatch(Untrusted):
    """Bytes that do not hash to what the blob's commitment says; drop them and ask another node."""

    def __init__(self, what: str, expected: bytes, actual: bytes) -> None:
        super().__init__(f"{what} does not match the commitment: expected {expected.hex()}, got {actual.hex()}")
        self.what, self.expected, self.actual = what, expected, actual


class WrongLength(Untrusted):
    """A sliver, symbol, chunk run or path of the wrong length; drop it and ask another node."""

    def __init__(self, what: str, expected: int, actual: int) -> None:
        super().__init__(f"{what} has {actual} bytes, {expected} are expected")
        self.what, self.expected, self.actual = what, expected, actual


class MalformedMetadata(Untrusted):
    """Bytes that are not the metadata of a blob; drop them and ask another node."""

    def __init__(self, why: str) -> None:
        super().__init__(f"these bytes are not blob metadata: {why}")
        self.why = why


class InconsistentEncoding(Untrusted):
    """The blob's slivers verify but do not belong to one matrix: who stored it encoded it wrongly.

    Nobody can repair that; all readers are refused alike, and the nodes invalidate the blob on chain when asked to.
    """

    def __init__(self, blob_id: object, what: str) -> None:
        super().__init__(
            f"blob {blob_id} was encoded wrongly: {what}; it cannot be read, store the data again. "
            f"`walrus invalidate {blob_id}` has the nodes examine it and marks it invalid on chain"
        )
        self.blob_id, self.what = blob_id, what
