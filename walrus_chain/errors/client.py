"""Storing and reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from walrus_chain.errors.roots import Misuse, Retryable


def said_by(reasons: Mapping[str, str]) -> str:
    """What nodes said, each on a line of its own."""
    return "".join(f"\n  {node}: {why}" for node, why in reasons.items())


class NoWallet(Misuse):
    """Something that has to be signed was asked of a client without a wallet."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs a wallet, and this client has none; `walrus wallet new` makes one")
        self.what = what


class BlobNotFound(Misuse):
    """A blob, or an object of it, that this network does not have (any more)."""

    def __init__(self, what: object, why: str) -> None:
        super().__init__(f"{what} cannot be found: {why}")
        self.what, self.why = what, why


class AmbiguousBlob(Misuse):
    """A blob id where one of several objects has to be named."""

    def __init__(self, blob_id: object, objects: Sequence[int]) -> None:
        super().__init__(
            f"there are several objects of blob {blob_id}: {', '.join(map(str, objects))}; name one by its number"
        )
        self.blob_id, self.objects = blob_id, tuple(objects)


class BlobUnreachable(Retryable):
    """The network should have the blob, but too few nodes gave verified slivers; `reasons` says why, node by node."""

    def __init__(
        self, blob_id: object, segment: int | None, have: int, needed: int, reasons: Mapping[str, str]
    ) -> None:
        part = "its metadata" if segment is None else f"segment {segment}"
        super().__init__(
            f"blob {blob_id}: {part} cannot be read now, {have} of {needed} verified pieces came; "
            f"try again later. What the nodes said:{said_by(reasons)}"
        )
        self.blob_id, self.segment, self.have, self.needed, self.reasons = blob_id, segment, have, needed, dict(reasons)


class QuorumUnreachable(Retryable):
    """A blob was registered and paid, but too few nodes stored it; storing it again goes on where this stopped."""

    def __init__(
        self, blob_id: object, blob_object: int, required: int, weight: int, reasons: Mapping[str, str]
    ) -> None:
        super().__init__(
            f"blob {blob_id} (object {blob_object}) is registered but not certified: {weight} shards attested, "
            f"{required} are required. Store it again to go on without paying twice. "
            f"What the nodes said:{said_by(reasons)}"
        )
        self.blob_id, self.blob_object, self.required, self.weight = blob_id, blob_object, required, weight
        self.reasons = dict(reasons)


class CommitteeKeptChanging(Retryable):
    """A blob was registered, paid and uploaded, but each time another committee took office before its certificate."""

    def __init__(self, blob_id: object, blob_object: int, committees: int) -> None:
        super().__init__(
            f"blob {blob_id} (object {blob_object}) is registered but not certified: it was uploaded to {committees} "
            "committees, and each gave way to another before it was certified. Store it again to go on without paying "
            "twice"
        )
        self.blob_id, self.blob_object, self.committees = blob_id, blob_object, committees


class BlobIsConsistent(Misuse):
    """A blob that should be invalidated encodes to its id, say enough nodes that one of them must be honest."""

    def __init__(self, blob_id: object, weight: int) -> None:
        super().__init__(
            f"blob {blob_id} is in order: nodes with {weight} shards examined it, and it encodes to its id; "
            "there is nothing to invalidate"
        )
        self.blob_id, self.weight = blob_id, weight


class BlobNotInvalidated(Retryable):
    """Too few nodes attest that a blob does not encode to its id; `reasons` says why, node by node."""

    def __init__(self, blob_id: object, required: int, weight: int, reasons: Mapping[str, str]) -> None:
        super().__init__(
            f"blob {blob_id} stays as it is: {weight} shards attest that it does not encode to its id, {required} are "
            f"required. Ask again later; nodes remember what they found. What the others said:{said_by(reasons)}"
        )
        self.blob_id, self.required, self.weight, self.reasons = blob_id, required, weight, dict(reasons)


class SourceUnreadable(Misuse):
    """What should be stored cannot be read."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source} cannot be read: {why}")
        self.source, self.why = source, why


class TargetUnwritable(Misuse):
    """Where a blob should be written to cannot be written to."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(f"{target} cannot be written: {why}")
        self.target, self.why = target, why


class SourceChanged(Misuse):
    """A file changed while it was being stored, so its slivers do not belong to its blob id."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} changed while it was being stored; wait until nobody writes to it and store it again"
        )
        self.source = source
