"""What a pool, or one member of it, received and was paid: rows of a statement, from what the chain logged.

A member's part of each income is reckoned as the contract does it, dust and all, so that the rows add up to what the
member could claim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from walrus_chain.chain.payment_events import (
    IncomeClaimed,
    IncomeReceived,
    MemberAdded,
    RevenuePoolSettled,
    UnitsTransferred,
)
from walrus_chain.client.ports import ChainReader
from walrus_chain.errors import MembersUnknown
from walrus_chain.payments.pools import WEIGHTS_PER_UNIT
from walrus_chain.payments.statement import Direction, Row
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.event import ChainEvent
    from walrus_chain.chain.payment_views import RevenuePool

#: Objects have small numbers; what voucher pay for is named by a hash.
_OBJECTS: Final = 2**64


async def statement_rows(
    chain: ChainReader, facts: RevenuePool, account: Address | None, tree_units: int | None
) -> tuple[Row, ...]:
    """The rows of a pool's statement, or of a member's, oldest first.

    Args:
        tree_units: what the tree of a pool from a root gives the account; None where that is not known.
    Raises: MembersUnknown: it has to be known.
    """
    history = await chain.payments.history_of(facts.pool)
    about = _Objects(chain)
    if account is None:
        return tuple([row for event in history for row in await _pool_rows(event, about)])
    member = _Part(facts, await chain.payments.protocol_bps(), _units_at_first(facts, account, tree_units, history))
    return tuple([row for event in history for row in await _member_rows(event, account, member, about)])


class _Objects:
    """Blob and policy of objects that income came from."""

    def __init__(self, chain: ChainReader) -> None:
        self._chain = chain
        self._known: dict[BlobObjectId, tuple[BlobId | None, Address | None]] = {}

    async def of(self, event: IncomeReceived) -> tuple[BlobObjectId | None, BlobId | None, Address | None]:
        """The object that was paid for, its blob and its policy, where the income names one."""
        number = BlobObjectId(int.from_bytes(event.purpose, "big"))
        if not 0 < number < _OBJECTS:
            return None, None, None
        if number not in self._known:
            blob, record = await self._chain.blob(number), await self._chain.policies.record_of(number)
            access = record.current.access
            blob_id = blob.blob_id if any(blob.blob_id.digest) else None
            self._known[number] = blob_id, None if access == NOBODY else access
        return number, *self._known[number]


class _Part:
    """One member's part of the incomes of a pool, as they come."""

    def __init__(self, facts: RevenuePool, protocol_bps: int, units: int) -> None:
        self._weights = WEIGHTS_PER_UNIT - facts.nodes_bps - protocol_bps
        self._all = facts.units * WEIGHTS_PER_UNIT
        self._dust = 0
        self.units = units

    def of(self, income: Wei) -> Wei:
        """The member's part of the next income."""
        per_weight, self._dust = divmod(income + self._dust, self._all)
        return Wei(per_weight * self._weights * self.units)


def _units_at_first(
    facts: RevenuePool, account: Address, tree_units: int | None, history: tuple[ChainEvent, ...]
) -> int:
    added = [event.units for event in history if isinstance(event, MemberAdded) and event.account == account]
    if added:
        return sum(added)
    if facts.from_root:
        if tree_units is None:
            raise MembersUnknown(facts.pool)
        return tree_units
    return 0


async def _pool_rows(event: ChainEvent, about: _Objects) -> list[Row]:
    match event:
        case IncomeReceived():
            return [await _row(event, Direction.IN, event.payer, event.amount, about)]
        case IncomeClaimed():
            return [await _row(event, Direction.OUT, event.to, event.amount, about)]
        case RevenuePoolSettled():
            return [await _row(event, Direction.OUT, NOBODY, Wei(event.to_nodes + event.burned), about)]
        case _:
            return []


async def _member_rows(event: ChainEvent, account: Address, member: _Part, about: _Objects) -> list[Row]:
    match event:
        case IncomeReceived():
            part = member.of(event.amount)
            return [await _row(event, Direction.IN, event.payer, part, about)] if part else []
        case IncomeClaimed(account=claimer) if claimer == account:
            return [await _row(event, Direction.OUT, event.to, event.amount, about)]
        case UnitsTransferred():
            member.units += event.units * ((event.to == account) - (event.from_ == account))
            return []
        case _:
            return []


async def _row(
    event: IncomeReceived | IncomeClaimed | RevenuePoolSettled,
    direction: Direction,
    counterparty: Address,
    amount: Wei,
    about: _Objects,
) -> Row:
    number, blob_id, policy = await about.of(event) if isinstance(event, IncomeReceived) else (None, None, None)
    return Row(
        timestamp=event.block.timestamp,
        transaction=bytes.fromhex(event.transaction[2:]),
        block=event.block.number,
        event=event.solidity_name,
        direction=direction,
        counterparty=counterparty,
        amount=amount,
        pool=event.pool,
        blob_object=number,
        blob_id=blob_id,
        policy=policy,
    )
