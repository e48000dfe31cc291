"""Why the agent says no, as errors with the evidence that goes into the answer.

    Refusal (Misuse)              the request cannot work as asked
    |-- MalformedRequest          a word, number or body that does not parse
    |-- UnknownBlob               the node knows nothing of the blob
    |-- UnknownOutput             the node has no output of the job
    |-- ForeignPair               the sliver pair belongs to another node
    |   `-- CommitteeChanged      it was this node's in the committee before
    |-- WrongShape                the blob is not of the size that was registered
    |-- EncodedWrongly            the blob does not encode to its id, so it is not attested
    |-- Consistent                the blob does encode to its id, so it is not accused
    |-- BodyTooLarge              more bytes than the node takes at once
    `-- BlobOver                  every registration of the blob has ended
    Delay (Retryable)             the same request may succeed later
    |-- NotRegisteredYet          no block this node saw registers the blob
    |-- MetadataNeeded            slivers came before the metadata they are checked with
    |-- Incomplete                slivers are missing, so there is nothing to attest
    |-- NotServing                the node has no place in the committee now
    |-- ExaminationUnderWay       whether the blob encodes to its id is not known yet
    |-- TooBusy                   more work under way than the node takes at once
    |-- TooManyRequests           this client asks faster than the node allows
    |-- BodyTooSlow               the body did not arrive in time
    `-- Stopping                  the agent is going down

Status codes are in `storage_agent.serve.problems`.
"""

from __future__ import annotations

from collections.abc import Sequence

from walrus_chain.errors import Misuse, Retryable
from walrus_chain.types import BlobId, BlobObjectId, Epoch, PairIndex, format_bytes

#: Missing slivers that an answer names; a blob may miss millions.
NAMED_MISSING = 100


class Refusal(Misuse):
    """The request cannot work as asked."""


class Delay(Retryable):
    """The same request may succeed later."""

    retry_after: float = 1.0
    """Seconds after which asking again makes sense."""


class MalformedRequest(Refusal):
    """A part of the request does not parse."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(f"{part}: {why}")
        self.part, self.why = part, why


class UnknownBlob(Refusal):
    """The node knows nothing of the blob."""

    def __init__(self, blob_id: BlobId) -> None:
        super().__init__(f"this node knows nothing of blob {blob_id}; was it registered on this network?")
        self.blob_id = blob_id


class UnknownOutput(Refusal):
    """The node has no output of the job, or not yet, or not any more."""

    def __init__(self, job: int) -> None:
        super().__init__(
            f"this node has no output of job {job} that it showed the result of; its panel is on chain, ask its nodes"
        )
        self.job = str(job)


class ForeignPair(Refusal):
    """Sliver pairs that live on another node's shards."""

    def __init__(
        self, blob_id: BlobId, pairs: Sequence[PairIndex], own: Sequence[PairIndex], epoch: Epoch, why: str = ""
    ) -> None:
        named, held = ", ".join(map(str, pairs)), ", ".join(map(str, own)) or "none"
        super().__init__(f"{why}pairs {named} of blob {blob_id} live on other nodes; this one holds {held}")
        self.blob_id, self.pairs, self.own, self.epoch = blob_id, list(pairs), list(own), epoch


class CommitteeChanged(ForeignPair):
    """Sliver pairs that lived on this node's shards in the committee before the present one."""

    def __init__(self, blob_id: BlobId, pairs: Sequence[PairIndex], own: Sequence[PairIndex], epoch: Epoch) -> None:
        why = f"the committee changed in epoch {epoch}; ask the chain for it. Since then "
        super().__init__(blob_id, pairs, own, epoch, why)


class BodyTooLarge(Refusal):
    """More bytes than the node takes in one request."""

    def __init__(self, limit: int, size: int | None) -> None:
        sent = "the body" if size is None else f"a body of {format_bytes(size)}"
        super().__init__(
            f"{sent} is larger than the {format_bytes(limit)} this node takes here; send fewer pairs a request"
        )
        self.limit, self.size = limit, size


class BlobOver(Refusal):
    """Every registration of the blob has ended."""

    def __init__(self, blob_id: BlobId, why: str) -> None:
        super().__init__(f"blob {blob_id} is not stored any more: {why}; register it again")
        self.blob_id, self.why = blob_id, why


class WrongShape(Refusal):
    """The blob has another size, or another number of shards, than its registration and the network say."""

    def __init__(self, blob_id: BlobId, what: str, expected: int, actual: int) -> None:
        super().__init__(f"blob {blob_id} has {actual} {what}, registered are {expected}; register it as it is")
        self.blob_id, self.what, self.expected, self.actual = blob_id, what, expected, actual


class EncodedWrongly(Refusal):
    """The node found that the blob does not encode to its id."""

    def __init__(self, blob_id: BlobId) -> None:
        super().__init__(
            f"this node found that blob {blob_id} was encoded wrongly, so it does not attest it; encode the data "
            "again, and store what comes out"
        )
        self.blob_id = blob_id


class Consistent(Refusal):
    """The node found that the blob does encode to its id."""

    def __init__(self, blob_id: BlobId) -> None:
        super().__init__(f"this node examined blob {blob_id}: it encodes to its id, so there is nothing to attest")
        self.blob_id = blob_id


class NotRegisteredYet(Delay):
    """No block that the node looked at registers the blob."""

    def __init__(self, blob_id: BlobId, block: int, blob_object: BlobObjectId | None = None) -> None:
        what = f"blob {blob_id}" if blob_object is None else f"object {blob_object} of blob {blob_id}"
        super().__init__(f"{what} is not registered up to block {block}; register it, or try again shortly")
        self.blob_id, self.block, self.blob_object = blob_id, block, blob_object


class MetadataNeeded(Delay):
    """Slivers came before the metadata with which they are checked."""

    def __init__(self, blob_id: BlobId) -> None:
        super().__init__(f"this node has no metadata of blob {blob_id} yet; send it first, or along with metadata=1")
        self.blob_id = blob_id


class Incomplete(Delay):
    """Slivers are missing, so there is nothing to attest."""

    def __init__(self, blob_id: BlobId, missing: Sequence[tuple[int, PairIndex]], count: int) -> None:
        super().__init__(f"{count} sliver pairs of blob {blob_id} are still missing on this node; send them")
        self.blob_id, self.count = blob_id, count
        self.missing = [list(place) for place in missing[:NAMED_MISSING]]


class NotServing(Delay):
    """The node has no place in a committee."""

    retry_after = 10.0

    def __init__(self, node: int, why: str) -> None:
        super().__init__(f"node {node} serves no shard: {why}; ask the members of the committee")
        self.node, self.why = node, why


class ExaminationUnderWay(Delay):
    """The node does not know yet whether the blob encodes to its id."""

    retry_after = 2.0

    def __init__(self, blob_id: BlobId) -> None:
        super().__init__(f"this node is still examining blob {blob_id}; ask again shortly")
        self.blob_id = blob_id


class TooBusy(Delay):
    """More work is under way than the node takes at once."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this node has {what} under way already; try again shortly")
        self.what = what


class TooManyRequests(Delay):
    """One client asks faster than the node allows."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many requests from this address; wait {retry_after:.1f} seconds")
        self.retry_after = retry_after


class BodyTooSlow(Delay):
    """The body did not arrive in time."""

    def __init__(self, seconds: float, received: int, size: int) -> None:
        super().__init__(
            f"{format_bytes(received)} of {format_bytes(size)} arrived within {seconds:g} seconds; send again"
        )
        self.seconds, self.received, self.size = seconds, received, size


class NoKeysHere(Delay):
    """The operator of this node releases no keys."""

    retry_after = 60.0

    def __init__(self) -> None:
        super().__init__("this node releases no keys (access.enabled is false); ask other nodes")


class Stopping(Delay):
    """The agent is going down."""

    retry_after = 5.0

    def __init__(self) -> None:
        super().__init__("this agent is stopping; ask another node")
