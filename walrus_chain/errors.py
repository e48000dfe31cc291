"""Every error of Walrus Chain, split first by what the caller can do about it.

    WalrusError
    |-- Retryable      the same call may succeed later, or elsewhere: a node is down, the chain lags
    |-- Rejected       the chain said no; the decoded reason says why (`walrus_chain.chain.reverts`)
    |-- Untrusted      a peer sent bytes that do not verify; route around it
    |-- Misuse         the request cannot work as asked; change it
    `-- Bug            this program broke a promise to itself; please report

Each error carries its evidence as attributes, and a message that says what happened, to what, and what to do next.
"""

from __future__ import annotations


class WalrusError(Exception):
    """Root of all errors raised on purpose by Walrus Chain."""


class Retryable(WalrusError):
    """The same call may succeed later, or at another node."""


class Rejected(WalrusError):
    """The chain refused a call; subclasses carry the decoded custom error."""


class Untrusted(WalrusError):
    """A peer sent something that does not verify."""


class Misuse(WalrusError):
    """The request cannot work as asked."""


class Bug(WalrusError):
    """An internal promise was broken."""


# -- words that people type ------------------------------------------------------------------------------------------


class MalformedBlobId(Misuse):
    """A text that should name a blob does not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not a blob id ({why}); a blob id is 43 base64url characters or 64 hex digits")
        self.text, self.why = text, why


class MalformedAmount(Misuse):
    """A text that should be an amount of WAL is not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not an amount: {why}")
        self.text, self.why = text, why


# -- codec: encoding, commitment, decoding ---------------------------------------------------------------------------


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
        super().__init__(f"{have} slivers of one axis at hand, {needed} are needed to decode the segment; ask more nodes")
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

    Nobody can repair that; all readers are refused alike, and nodes may invalidate the blob on chain.
    """

    def __init__(self, blob_id: object, what: str) -> None:
        super().__init__(f"blob {blob_id} was encoded wrongly: {what}; it cannot be read, store the data again")
        self.blob_id, self.what = blob_id, what
