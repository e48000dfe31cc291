"""Which blob, and which object, a caller means; and why one is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from walrus_chain.client.ports import ChainReader
from walrus_chain.errors import AmbiguousBlob, BlobNotFound, BlobUnreachable, WalrusError
from walrus_chain.types import Address, BlobId, BlobObjectId, BlobStatus

if TYPE_CHECKING:
    from walrus_chain.chain.views import BlobObject

#: A blob by its id (also as text), or one object of it by its number.
BlobRef = BlobId | BlobObjectId | str

NOT_HERE = "it was never registered in this network, or its owner deleted it; check the id and the network"
LIVE = (BlobStatus.REGISTERED, BlobStatus.CERTIFIED)


class Objects:
    """Finds objects for one account."""

    def __init__(self, chain: ChainReader, account: Callable[[], Address | None]) -> None:
        """
        Args:
            account: whose objects are meant by a blob id.
        """
        self._chain = chain
        self._account = account

    @property
    def account(self) -> Address | None:
        """Whose objects are meant."""
        return self._account()

    async def blob_id(self, blob: BlobRef) -> BlobId:
        """The blob that is meant.

        Raises: BlobNotFound: there is no such object.
        """
        if isinstance(blob, BlobId):
            return blob
        if isinstance(blob, str):
            return BlobId.parse(blob)
        return (await self.object(blob)).blob_id

    async def object(self, number: BlobObjectId) -> BlobObject:
        """An object by its number.

        Raises: BlobNotFound.
        """
        found = await self._chain.blob(number)
        if found.status is BlobStatus.UNKNOWN:
            raise BlobNotFound(f"object {number}", "it was never registered in this network, or it was deleted")
        return found

    async def own(self, blob: BlobRef, owner: Address | None = None) -> BlobObject:
        """The one object that is meant: by its number, or the only live one of an account and blob.

        Raises: BlobNotFound, AmbiguousBlob.
        """
        if not isinstance(blob, BlobId | str):
            return await self.object(blob)
        blob_id, account = await self.blob_id(blob), owner or self._account()
        live = [item for item in await self._chain.objects_of(blob_id) if item.status in LIVE]
        meant = [item for item in live if account is None or item.owner == account]
        if not meant:
            why = "others have one; name theirs by its number" if live else "no object of it is live"
            raise BlobNotFound(f"an object of yours of blob {blob_id}", why)
        if len(meant) > 1:
            raise AmbiguousBlob(blob_id, [item.id for item in meant])
        return meant[0]

    async def usable(self, blob: BlobRef) -> list[BlobObject]:
        """The objects by which a blob may be read: the one that is named, or all live ones, one's own first."""
        if not isinstance(blob, BlobId | str):
            return [await self.object(blob)]
        account = self._account()
        live = [item for item in await self._chain.objects_of(await self.blob_id(blob)) if item.status in LIVE]
        return sorted(live, key=lambda item: item.owner != account)

    async def only(self, blob: BlobRef) -> BlobObject:
        """The one object that is meant, whoever owns it: by its number, or the only live one of the blob.

        Raises: BlobNotFound, AmbiguousBlob.
        """
        found = await self.usable(blob)
        if not found:
            raise BlobNotFound(f"an object of blob {blob}", "no object of it is live")
        if len(found) > 1:
            raise AmbiguousBlob(found[0].blob_id, [item.id for item in found])
        return found[0]

    async def explain_missing(self, error: BlobUnreachable) -> WalrusError:
        """Why no agent has a blob, as far as the chain knows."""
        blob_id = BlobId.parse(str(error.blob_id))
        statuses = {item.status for item in await self._chain.objects_of(blob_id)}
        if not statuses:
            return BlobNotFound(f"blob {blob_id}", NOT_HERE)
        if BlobStatus.CERTIFIED in statuses:
            return error
        if BlobStatus.REGISTERED in statuses:
            why = "it is registered but not certified yet: its owner has not finished storing it"
        elif BlobStatus.INVALID in statuses:
            why = "nodes attested that its bytes do not encode to its id, so it was dropped"
        else:
            why = "its term is over, so the nodes may have dropped it"
        return BlobNotFound(f"blob {blob_id}", why)
