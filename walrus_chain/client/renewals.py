"""Evergreen objects, whose term is extended from a balance: what `Client.renewals` offers, and `walrus evergreen`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from walrus_chain.client.desks import Desk, paying
from walrus_chain.client.objects import BlobRef
from walrus_chain.types import Address, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import Renewal
    from walrus_chain.chain.payment_writer import RenewalReceipt


class Renewals(Desk):
    """Renewals of objects. The balance of an object belongs to its owner."""

    async def show(self, blob: BlobRef) -> Renewal:
        """Terms and balance of an object's renewals."""
        return await self._chain.payments.renewal_of(await self._object(blob))

    async def set_terms(self, blob: BlobRef, *, epochs: int, lead: int, tip: Wei) -> Renewal:
        """Say how the term of an object of yours is to be extended.

        Args:
            epochs: by how many each renewal extends it.
            lead: a renewal is due when at most so many epochs are left, the present one included.
            tip: for whoever renews.
        Raises: RenewalNotYours, WrongRenewalTerms.
        """
        from walrus_chain.chain.payment_views import RenewalTerms

        writer, number = self._signing("setting renewal terms"), await self._object(blob)
        await writer.payments.set_renewal_terms(number, RenewalTerms(epochs, lead, tip))
        return await self._chain.payments.renewal_of(number)

    async def fund(self, blob: BlobRef, amount: Wei) -> Renewal:
        """Put up money for an object's renewals; anybody may, and it belongs to the object's owner then.

        Raises: NoRenewalAmount, NotEnoughWal.
        """
        writer, number = self._signing("funding renewals"), await self._object(blob)
        await paying(writer, lambda: writer.payments.fund_renewal(number, amount))
        return await self._chain.payments.renewal_of(number)

    async def renew(self, blob: BlobRef) -> RenewalReceipt:
        """Extend an object's term from its balance, when that is due; the tip is yours.

        Raises: NoRenewalTerms, RenewalNotDue, RenewalNotLive, RenewalBalanceTooSmall.
        """
        writer, number = self._signing("renewing"), await self._object(blob)
        return await writer.payments.renew(number)

    async def withdraw(self, blob: BlobRef, amount: Wei | None = None, to: Address | None = None) -> Wei:
        """Take money for renewals of an object of yours back; all of it when no amount is named.

        Raises: RenewalNotYours, RenewalBalanceTooSmall, NoRenewalAmount.
        """
        writer, number = self._signing("withdrawing money for renewals"), await self._object(blob)
        taken = amount if amount is not None else (await self._chain.payments.renewal_of(number)).balance
        await writer.payments.withdraw_renewal(number, taken, to)
        return taken
