"""Which blobs the node takes bytes for: those with a live registration on chain, and no others.

A client uploads in the second in which its registration is mined, often before the node has followed the chain to that
block. So before it says no, the node looks at the chain once more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from storage_agent.node.refusals import BlobOver, Delay, NotRegisteredYet, Refusal
from storage_agent.state.objects import ObjectRecord
from storage_agent.store.catalogue import Catalogue
from walrus_chain.types import BlobId, BlobObjectId


class Admission:
    """Says which blobs and blob objects are live."""

    def __init__(self, catalogue: Catalogue, catch_up: Callable[[], Awaitable[object]]) -> None:
        """
        Args:
            catch_up: follows the chain to its head now; calls at the same time share one look.
        """
        self._catalogue = catalogue
        self._catch_up = catch_up

    async def look(self) -> None:
        """Follow the chain to its head: before saying no, see whether that is still right.

        Raises: Retryable: the chain does not answer.
        """
        await self._catch_up()

    async def admit(self, blob_id: BlobId, blob_object: BlobObjectId | None) -> tuple[int, ...]:
        """The sizes in bytes that the blob's live objects declare, none twice; only that of `blob_object` if given.

        Anybody may register a blob again, with a false size too, as often as they pay. So naming the object is the sure
        way; without it the most credible of the declared sizes count.

        Raises:
            NotRegisteredYet: no block up to the chain's head registers the blob, or the object.
            BlobOver: its registrations have ended, or it was found to be encoded wrongly.
        """
        if blob_object is not None:
            return ((await self.live_object(blob_id, blob_object)).size,)
        found = self._live_sizes(blob_id)
        if isinstance(found, tuple):
            return found
        await self._catch_up()
        found = self._live_sizes(blob_id)
        if isinstance(found, tuple):
            return found
        raise found

    async def live_object(self, blob_id: BlobId, blob_object: BlobObjectId) -> ObjectRecord:
        """The object, which is live and of that blob.

        Raises: NotRegisteredYet, BlobOver: as `admit`.
        """
        found = self._live_object(blob_id, blob_object)
        if isinstance(found, ObjectRecord):
            return found
        await self._catch_up()
        found = self._live_object(blob_id, blob_object)
        if isinstance(found, ObjectRecord):
            return found
        raise found

    async def is_live(self, blob_object: BlobObjectId) -> bool:
        """Whether there is such an object now, of whatever blob.

        Raises: Retryable: the chain does not answer.
        """
        if self._is_live(blob_object):
            return True
        await self._catch_up()
        return self._is_live(blob_object)

    def _is_live(self, blob_object: BlobObjectId) -> bool:
        record = self._catalogue.object(blob_object)
        return record is not None and record.is_live(self._catalogue.epoch)

    def live_objects(self, blob_id: BlobId) -> list[ObjectRecord]:
        """Those of the blob's newest objects that are live now, the newest first."""
        row, epoch = self._catalogue.blob(blob_id), self._catalogue.epoch
        if row is None or row.standing.invalid:
            return []
        return [record for record in self._catalogue.objects_of(blob_id) if record.is_live(epoch)]

    def _live_sizes(self, blob_id: BlobId) -> tuple[int, ...] | Refusal | Delay:
        """The sizes, or why there are none."""
        row = self._catalogue.blob(blob_id)
        if row is None or not row.standing.is_live(self._catalogue.epoch):
            return self._reason(blob_id, None)
        return tuple(self._catalogue.live_sizes(blob_id))

    def _live_object(self, blob_id: BlobId, blob_object: BlobObjectId) -> ObjectRecord | Refusal | Delay:
        """The object, or why it does not count."""
        record, row = self._catalogue.object(blob_object), self._catalogue.blob(blob_id)
        if record is None or record.blob_id != blob_id or row is None:
            return NotRegisteredYet(blob_id, self._block, blob_object)
        if row.standing.invalid or not record.is_live(self._catalogue.epoch):
            return self._reason(blob_id, record)
        return record

    def _reason(self, blob_id: BlobId, record: ObjectRecord | None) -> Refusal | Delay:
        row = self._catalogue.blob(blob_id)
        if row is None:
            return NotRegisteredYet(blob_id, self._block)
        if row.standing.invalid:
            return BlobOver(blob_id, "nodes found that its slivers do not belong to one blob")
        if record is not None:
            why = "was deleted" if record.deleted else f"ended with epoch {record.end - 1}"
            return BlobOver(blob_id, f"object {record.blob_object} {why}")
        if not self._catalogue.objects_of(blob_id):
            # A reorganisation undid its registration, which may be in a block again any moment.
            return NotRegisteredYet(blob_id, self._block)
        return BlobOver(blob_id, "all its registrations have ended")

    @property
    def _block(self) -> int:
        cursor = self._catalogue.cursor
        return 0 if cursor is None else cursor.block.number
