"""Uses that are bought on chain, as `walrus buy` and `walrus subscribe` do it: what `Client.purchases` offers."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.chain.policy_views import Question
from walrus_chain.client.desks import Desk, paying
from walrus_chain.client.evidence import evidence_for
from walrus_chain.client.objects import BlobRef
from walrus_chain.errors import PriceAboveLimit
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.types import Address, BlobObjectId, PoolId, Wei


@dataclass(frozen=True, slots=True)
class BoughtReads:
    """Reads of an object that were bought."""

    blob_object: BlobObjectId
    reader: Address
    count: int
    """That were bought now."""
    bought: int
    """That were ever bought for the reader."""
    paid: Wei
    pool: PoolId
    transaction: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """Time under a policy that was bought."""

    policy: Address
    reader: Address
    until: int
    """Seconds since 1970."""
    paid: Wei
    pool: PoolId
    transaction: str


class Purchases(Desk):
    """What a client's account buys beforehand, for itself or for somebody else."""

    async def buy(
        self,
        blob: BlobRef,
        count: int = 1,
        *,
        reader: Address | None = None,
        maximum: Wei | None = None,
        evidence: bytes | None = None,
    ) -> BoughtReads:
        """Buy reads of an object at the price that its policy quotes now.

        Args:
            reader: who may use them; this client's own account when none is named.
            maximum: the most that all of them together may cost; what is quoted now when none is named.
            evidence: what is shown to the policy; found by itself when none is given.
        Raises:
            AmbiguousBlob: the blob has several objects, anybody's; one has to be named.
            ForFree: there is nothing to buy.
            PriceAboveLimit: they cost more.
            NotEnoughWal: says how much is missing.
        """
        writer = self._signing("buying reads")
        reader = reader or writer.address
        number = (await self._objects.only(blob)).id
        record = await self._chain.policies.record_of(number)
        if evidence is None:
            evidence = await evidence_for(self._chain, record.current.access, reader, None) or b""
        before = await self._chain.payments.reads_of(number, reader)
        question = Question(reader, number, Action.READ, NO_PROGRAM, before, evidence)
        price = await self._chain.policies.quote_of(question)
        total = Wei(price.amount * count)
        if maximum is not None and total > maximum:
            raise PriceAboveLimit(number, total, maximum, price.pool)
        limit, shown = (total if maximum is None else maximum), evidence
        receipt = await paying(
            writer, lambda: writer.payments.buy_reads(number, count, limit, reader=reader, evidence=shown)
        )
        bought = await self._chain.payments.reads_of(number, reader)
        return BoughtReads(number, reader, count, bought, receipt.amount, price.pool, receipt.transaction)

    async def subscribe(
        self, policy: Address, periods: int = 1, *, reader: Address | None = None, maximum: Wei | None = None
    ) -> Subscription:
        """Buy time under a policy that sells it, from now or from the end of what was bought.

        Args:
            reader: who may use it; this client's own account when none is named.
            maximum: the most that all periods together may cost; their price of now when none is named.
        Raises: NotSubscribable, TooExpensive, TooFarAhead, NotEnoughWal.
        """
        writer = self._signing("subscribing")
        reader = reader or writer.address
        terms = await self._chain.payments.subscription_terms(policy)
        limit = Wei(terms.price * periods) if maximum is None else maximum
        receipt = await paying(writer, lambda: writer.payments.subscribe(policy, periods, limit, reader=reader))
        return Subscription(policy, reader, receipt.until, receipt.amount, terms.pool, receipt.transaction)

    async def reads_of(self, blob_object: BlobObjectId, reader: Address | None = None) -> int:
        """How many reads of an object were ever bought for a reader."""
        reader = self._account(reader, "looking at your own purchases")
        return await self._chain.payments.reads_of(blob_object, reader)

    async def subscribed_until(self, policy: Address, reader: Address | None = None) -> int:
        """Until when a reader bought time under a policy, seconds since 1970; 0 when never."""
        reader = self._account(reader, "looking at your own purchases")
        return await self._chain.payments.subscribed_until(policy, reader)
