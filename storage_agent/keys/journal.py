"""The record of releases: writes each down with a signed receipt before a key goes out, and shows them to auditors.

Receipts of an epoch make a tree whose root the node anchors on chain when the epoch is over. From then on a receipt is
shown with its path, so that nobody has to believe that it was there all the time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from storage_agent.store.access import Anchor, Payment, ReceiptRow, Recorded, SignedReceipt, Slot, Use
from storage_agent.store.ledger import Ledger
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.messages.access import AccessRequest, JobGrant, SessionGrant
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.receipt import Receipt, ReceiptTree
from walrus_chain.messages.signing import Signer
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, Wei

#: Receipts in one answer.
PAGE = 100
#: Trees that are kept for the next page, and that one page takes at most.
_TREES = 4


@dataclass(frozen=True, slots=True)
class AnchorPath:
    """Where a receipt is in the tree of its epoch."""

    anchor: Anchor
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt, with its path once its epoch is sealed."""

    row: ReceiptRow
    place: AnchorPath | None


@dataclass(frozen=True, slots=True)
class Page:
    """Receipts in their order."""

    entries: list[Entry]
    following: int | None
    """After which number the next page begins; none when this is the last."""


class Journal:
    """The releases of one node."""

    def __init__(
        self,
        ledger: Ledger,
        node_id: NodeId,
        signer: Signer,
        domain: Domain,
        clock: Callable[[], float],
        epoch_at: Callable[[int], Epoch],
    ) -> None:
        """
        Args:
            signer: the node's key.
            domain: of access to data.
            clock: seconds since 1970.
            epoch_at: the epoch of a time.
        """
        self._ledger = ledger
        self._signer = signer
        self._domain = domain
        self._clock = clock
        self._epoch_at = epoch_at
        self._trees: OrderedDict[Epoch, ReceiptTree] = OrderedDict()
        self._planting = asyncio.Lock()
        self.node_id = node_id

    def payment_of(self, use: bytes) -> Payment | None:
        """What paid for a use; none when no key was ever released for it."""
        return self._ledger.payment_of(use)

    async def record(
        self,
        grant: SessionGrant | JobGrant,
        requester: Address,
        request: AccessRequest,
        use_digest: bytes,
        block: BlockRef,
        price: Wei,
        payment: Payment | None,
    ) -> Recorded:
        """Write a release down, durably on return: the nonce, what pays, the receipt.

        Args:
            requester: who wants the use: the grant's, or the job's.
            use_digest: of the use that the request asks for.
            price: what was decided that the use costs.
            payment: what was offered and pays; none for what is free or was paid before.
        Raises: NonceUsed, NotPaid, PurchaseUsed, StretchTaken, SpendLimitReached: nothing was written.
        """
        now = self._clock()
        use, digest = request.use(requester), request.digest(self._domain)

        def sign(slot: Slot, paid: Payment) -> SignedReceipt:
            receipt = Receipt(
                node=self.node_id,
                index=slot.place,
                use=use_digest,
                requester=use.requester,
                blob_object=use.blob_object,
                action=use.action,
                program=use.program,
                key_epoch=use.key_epoch,
                sequence=use.sequence,
                block_hash=block.hash,
                block_number=block.number,
                request=digest,
                paid_by=paid.paid_by,
                amount=paid.amount,
                pool=paid.pool,
                channel=paid.channel,
                cumulative=paid.cumulative,
                time=int(now),
            )
            signed = receipt.digest(self._domain)
            return SignedReceipt(signed, receipt.as_data(), self._signer.sign_digest(signed))

        entry = Use(
            digest=use_digest,
            requester=use.requester,
            blob_object=use.blob_object,
            sequence=use.sequence,
            session=request.grant,
            session_ends=grant.valid_until,
            spend_limit=grant.spend_limit if isinstance(grant, SessionGrant) else Wei(0),
            nonce=request.nonce,
            expires_at=request.expires_at,
            price=price,
            payment=payment,
        )
        return await self._ledger.record(entry, self._epoch_at(int(now)), now, sign)

    async def page(self, blob_object: BlobObjectId | None, epoch: Epoch | None, after: int) -> Page:
        """The next receipts with numbers above `after`, at most `PAGE`, of one object or epoch where one is named.

        Anybody may ask, and a path takes the receipts of its whole epoch: so a page is of few epochs.
        """
        rows = self._ledger.receipts(blob_object, epoch, after, PAGE)
        epochs = sorted({row.slot.epoch for row in rows})
        shown = [row for row in rows if row.slot.epoch in epochs[:_TREES]]
        more = len(rows) == PAGE or len(shown) < len(rows)
        anchors = self._ledger.anchors(tuple(epochs[:_TREES]))
        entries = []
        for row in shown:
            anchor = anchors.get(row.slot.epoch)
            path = None if anchor is None else tuple((await self._tree(anchor.epoch)).prove(row.slot.place))
            entries.append(Entry(row, None if anchor is None or path is None else AnchorPath(anchor, path)))
        return Page(entries, shown[-1].number if more else None)

    async def _tree(self, epoch: Epoch) -> ReceiptTree:
        """The tree of a sealed epoch, which does not change any more. One is made at a time."""
        async with self._planting:
            tree = self._trees.get(epoch)
            if tree is None:
                tree = await asyncio.to_thread(ReceiptTree, self._ledger.digests(epoch))
                self._trees[epoch] = tree
                if len(self._trees) > _TREES:
                    self._trees.popitem(last=False)
        return tree


def root_of(digests: list[bytes]) -> bytes:
    """The root that is anchored for an epoch's receipts."""
    return ReceiptTree(digests).root
