"""Blob objects and what they mean for a blob: folds over facts, pure.

An object's record is a fold of its own facts; a blob's *standing* follows from the records of its objects. Whether a
blob is live or certified at some epoch is then a comparison: nothing has to happen for a blob to expire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from storage_agent.state.facts import Certified, Deleted, Extended, ObjectFact, Registered
from walrus_chain.errors import FactsMissing
from walrus_chain.types import BlobId, BlobObjectId, Epoch

#: The end of a term that never began.
NEVER: Final = Epoch(0)


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One registration of a blob, as the facts so far leave it."""

    blob_object: BlobObjectId
    blob_id: BlobId
    size: int
    """Bytes of the blob, as the owner declared them."""
    start: Epoch
    end: Epoch
    """The first epoch that is not paid."""
    deletable: bool
    certified: bool = False
    deleted_in: Epoch | None = None
    """The epoch in which its owner ended it early."""

    @property
    def deleted(self) -> bool:
        """Whether its owner ended it early."""
        return self.deleted_in is not None

    @property
    def due_until(self) -> Epoch:
        """The first epoch in which its bytes need not be kept: that of a deletion was paid."""
        return self.end if self.deleted_in is None else Epoch(self.deleted_in + 1)

    def is_live(self, epoch: Epoch) -> bool:
        """Whether its term runs in `epoch`. An invalid blob has no live objects whatever this says."""
        return not self.deleted and epoch < self.end


def fold_object(facts: Iterable[ObjectFact]) -> ObjectRecord:
    """The record that the facts of one object, in chain order, leave.

    Raises: FactsMissing: they do not start with its registration, so some were lost on the way.
    """
    record: ObjectRecord | None = None
    for fact in facts:
        record = apply_fact(record, fact)
    if record is None:
        raise FactsMissing("an object without a registration")
    return record


def apply_fact(record: ObjectRecord | None, fact: ObjectFact) -> ObjectRecord:
    """`record` after one more fact of the same object.

    Raises: FactsMissing: the fact does not fit the record, so facts in between were lost on the way.
    """
    match fact:
        case Registered():
            if record is not None:
                raise FactsMissing(f"a second registration of object {fact.blob_object}")
            return ObjectRecord(fact.blob_object, fact.blob_id, fact.size, fact.start, fact.end, fact.deletable)
        case Certified() | Extended() | Deleted() if record is None or record.deleted:
            raise FactsMissing(f"{type(fact).__name__} of object {fact.blob_object}, which is not registered")
        case Certified():
            return replace(record, certified=True)
        case Extended(end=end):
            return replace(record, end=end)
        case Deleted(epoch=epoch):
            return replace(record, deleted_in=epoch)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a blob's objects together ask of the network."""

    live_until: Epoch = NEVER
    """The first epoch in which no object of the blob has a term; 0 when it is invalid."""
    certified_until: Epoch = NEVER
    """The first epoch in which no certified object of the blob is paid for; 0 when it is invalid."""
    due_until: Epoch = NEVER
    """The first epoch in which no object of the blob is paid for; 0 when it is invalid."""
    invalid: bool = False
    """Nodes attested that the blob is encoded badly; nobody stores it any more."""

    def is_live(self, epoch: Epoch) -> bool:
        """Whether bytes of the blob are to be taken in `epoch`."""
        return epoch < self.live_until

    def is_certified(self, epoch: Epoch) -> bool:
        """Whether the network answers for the blob in `epoch`, in which custody may be asked for."""
        return epoch < self.certified_until

    def is_due(self, epoch: Epoch) -> bool:
        """Whether bytes of the blob that are here are to be kept in `epoch`: those of a deleted one to its end."""
        return epoch < self.due_until


def standing_of(objects: Iterable[ObjectRecord], invalid: bool) -> Standing:
    """What the objects of one blob together ask of the network."""
    counted = [] if invalid else list(objects)
    return Standing(
        live_until=max((record.end for record in counted if not record.deleted), default=NEVER),
        certified_until=max((record.due_until for record in counted if record.certified), default=NEVER),
        due_until=max((record.due_until for record in counted), default=NEVER),
        invalid=invalid,
    )
