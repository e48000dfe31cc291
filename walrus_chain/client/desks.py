"""What the façades for money and policies share: who signs, and how an allowance is asked for when it is missing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from walrus_chain.client.objects import BlobRef, Objects
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.types import Address, BlobObjectId

T = TypeVar("T")


class Desk:
    """One account's business with one part of the contracts."""

    def __init__(self, chain: ChainReader, signing: Callable[[str], ChainWriter], objects: Objects) -> None:
        """
        Args:
            signing: who signs and pays, given what for; raises `NoWallet` where nobody does.
        """
        self._chain = chain
        self._signing = signing
        self._objects = objects

    def _account(self, account: Address | None, what: str) -> Address:
        return account or self._signing(what).address

    async def _object(self, blob: BlobRef) -> BlobObjectId:
        """The object that is meant: by its number, or the only live one of the account and blob."""
        return (await self._objects.own(blob)).id


async def paying(writer: ChainWriter, call: Callable[[], Awaitable[T]]) -> T:
    """What a call that pays returns; the first time an account pays, it lets the vault collect."""
    from walrus_chain.chain.library_rejections import AllowanceTooSmall

    try:
        return await call()
    except AllowanceTooSmall:
        await writer.approve_vault()
        return await call()
