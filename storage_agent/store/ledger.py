"""The ledger of released keys: which requests were answered, what paid for each use, and what was signed for it.

It lies in the catalogue's file. A release is one durable write: nonce, payment and receipt are there together or not at
all, and no key is released before. The chain's reorganisations change nothing in here: what was released is released.
"""

from __future__ import annotations

from collections.abc import Callable
from sqlite3 import Connection

from storage_agent.store import access_rows
from storage_agent.store.access import (
    FREE,
    Anchor,
    ErasableRow,
    LedgerTotals,
    NotPaid,
    Payment,
    Promise,
    ReceiptRow,
    Recorded,
    SignedReceipt,
    Slot,
    Use,
)
from storage_agent.store.access_rows import LAST_NUMBER
from storage_agent.store.database import Database
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.types import BlobObjectId, Epoch, Wei

#: Signs the receipt of a use: where it goes, and what paid.
MakeReceipt = Callable[[Slot, Payment], SignedReceipt]
#: How long a nonce is kept after its request expired, in seconds: clocks are set back, but not so far.
_KEPT_SECONDS = 86_400.0


class Ledger:
    """Releases of keys, on the catalogue's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- releases ----------------------------------------------------------------------------------------------------

    def payment_of(self, digest: bytes) -> Payment | None:
        """What paid for a use; none when no key was ever released for it."""
        with self._database.read() as connection:
            return access_rows.payment_of(connection, digest)

    async def record(self, use: Use, epoch: Epoch, now: float, make_receipt: MakeReceipt) -> Recorded:
        """Record a release, durably on return: the nonce, what pays for the use, and the receipt.

        A use that was paid before is not paid again.

        Args:
            epoch: the present one.
            now: seconds since 1970.
        Raises: NonceUsed, NotPaid, PurchaseUsed, StretchTaken, SpendLimitReached: nothing was recorded.
        """

        def run(connection: Connection) -> Recorded:
            access_rows.take_nonce(connection, use, now - _KEPT_SECONDS)
            slot = access_rows.next_slot(connection, epoch)
            before = access_rows.payment_of(connection, use.digest)
            paid_before = before is not None and (before.paid_by is not PaidBy.FREE or not use.price)
            if before is not None and paid_before:
                payment = before
            elif not use.price:
                payment = FREE
            elif use.payment is None:
                raise NotPaid(use.price)
            else:
                payment = use.payment
            if not paid_before:
                access_rows.take_payment(connection, use, payment, slot.epoch)
            receipt = make_receipt(slot, payment)
            access_rows.add_receipt(connection, slot, use.blob_object, receipt)
            return Recorded(payment, not paid_before, slot, receipt)

        return await self._database.write(run)

    # -- receipts ----------------------------------------------------------------------------------------------------

    def receipts(
        self, blob_object: BlobObjectId | None = None, epoch: Epoch | None = None, after: int = 0, limit: int = 100
    ) -> list[ReceiptRow]:
        """The next receipts with numbers above `after`, of one object or epoch where one is named."""
        if max(blob_object or 0, epoch or 0, after) > LAST_NUMBER:
            return []
        with self._database.read() as connection:
            return access_rows.receipts(connection, blob_object, epoch, after, limit)

    def digests(self, epoch: Epoch) -> list[bytes]:
        """The digests of an epoch's receipts, in their order."""
        with self._database.read() as connection:
            return access_rows.digests(connection, epoch)

    async def seal(self, before: Epoch, root_of: Callable[[list[bytes]], bytes]) -> None:
        """Close the epochs before `before`: their receipts are final, and so is the root of their tree.

        Args:
            root_of: the root over digests in their order.
        """
        await self._database.write(lambda c: access_rows.seal(c, before, root_of))

    def to_anchor(self) -> list[Anchor]:
        """Sealed epochs whose root the chain does not have for good, ascending."""
        with self._database.read() as connection:
            return list(access_rows.anchors(connection))

    def anchors(self, epochs: tuple[Epoch, ...]) -> dict[Epoch, Anchor]:
        """Those of the epochs that are sealed."""
        with self._database.read() as connection:
            return {anchor.epoch: anchor for anchor in access_rows.anchors(connection, epochs)}

    async def note_anchored(self, epoch: Epoch) -> None:
        """Note that the chain has an epoch's root for good."""
        await self._database.write(lambda c: c.execute("UPDATE anchors SET anchored = 1 WHERE epoch = ?", (epoch,)))

    # -- money -------------------------------------------------------------------------------------------------------

    def promises(self) -> list[Promise]:
        """For each channel that is not redeemed for good up to it, the voucher that promises most."""
        with self._database.read() as connection:
            return access_rows.promises(connection)

    async def note_redeemed(self, channel: int, upto: Wei) -> None:
        """Note that nothing up to a cumulative amount is to be had from a channel any more, for good."""
        await self._database.write(lambda c: access_rows.note_redeemed(c, channel, upto))

    def incomes(self, before: Epoch) -> list[int]:
        """Revenue pools that were paid into in epochs before `before` and not settled since."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT pool FROM incomes WHERE since < ? ORDER BY pool", (before,)).fetchall()
        return [row[0] for row in rows]

    async def forget_income(self, pool: int) -> None:
        """Note that a pool was settled."""
        await self._database.write(lambda c: c.execute("DELETE FROM incomes WHERE pool = ?", (pool,)))

    # -- keys of objects that are to be erased -----------------------------------------------------------------------

    def erasable(self, blob_object: BlobObjectId) -> ErasableRow | None:
        """An object's own key; none when there never was one."""
        if blob_object > LAST_NUMBER:
            return None
        with self._database.read() as connection:
            return access_rows.erasable(connection, blob_object)

    async def add_erasable(self, blob_object: BlobObjectId, public_key: bytes) -> ErasableRow:
        """Note an object's own key, unless there is one; the one that is there then. Durable on return."""
        return await self._database.write(lambda c: access_rows.add_erasable(c, blob_object, public_key))

    def erasables_left(self, after: BlobObjectId, limit: int) -> list[ErasableRow]:
        """The next objects whose own key is there."""
        with self._database.read() as connection:
            return access_rows.erasables_left(connection, after, limit)

    def destroyed_unattested(self, limit: int) -> list[ErasableRow]:
        """Objects whose own key was destroyed without the chain's knowing."""
        with self._database.read() as connection:
            return access_rows.destroyed_unattested(connection, limit)

    async def note_destroyed(self, blob_object: BlobObjectId, at: float) -> None:
        """Note that an object's own key is to be used no more, whatever becomes of its file. Durable on return."""
        await self._database.write(
            lambda c: c.execute(
                "UPDATE erasable_keys SET destroyed_at = ? WHERE object = ? AND destroyed_at IS NULL", (at, blob_object)
            )
        )

    async def note_attested(self, blob_object: BlobObjectId) -> None:
        """Note that the chain knows of the destruction."""
        await self._database.write(
            lambda c: c.execute("UPDATE erasable_keys SET attested = 1 WHERE object = ?", (blob_object,))
        )

    def totals(self) -> LedgerTotals:
        """The ledger in figures. Counts whole tables: for operators."""
        with self._database.read() as connection:
            return access_rows.totals(connection)
