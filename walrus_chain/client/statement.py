"""What a pool, or one member of it, received and was paid: rows of a statement, from what the chain logged.

A member's part of each income is reckoned as the contract does it, dust and all, so that the rows add up to what the
member could claim.

What a voucher paid for is named on chain by the digest of the use only; the nodes' receipts say which object it was. A
voucher that is redeemed pays for all uses since the one before it, and names the last of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from walrus_chain.chain.payment_events import (
    IncomeClaimed,
    IncomeReceived,
    MemberAdded,
    RevenuePoolSettled,
    UnitsTransferred,
)
from walrus_chain.chain.views import Node
from walrus_chain.client.audit import all_receipts, is_signed_by
from walrus_chain.client.ports import Agents, ChainReader
from walrus_chain.errors import MembersUnknown, WalrusError
from walrus_chain.messages.receipt import Receipt
from walrus_chain.payments.pools import WEIGHTS_PER_UNIT
from walrus_chain.payments.statement import Direction, Row
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, NodeId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.event import ChainEvent
    from walrus_chain.chain.payment_views import RevenuePool

#: Objects have small numbers; what voucher pay for is named by a hash.
_OBJECTS: Final = 2**64


async def statement_rows(
    chain: ChainReader,
    agents: Agents | None,
    facts: RevenuePool,
    account: Address | None,
    tree_units: int | None,
) -> tuple[Row, ...]:
    """The rows of a pool's statement, or of a member's, oldest first.

    Args:
        agents: asked for their receipts; None to ask the chain only.
        tree_units: what the tree of a pool from a root gives the account; None where that is not known.
    Raises: MembersUnknown: it has to be known.
    """
    history = await chain.payments.history_of(facts.pool)
    about = _Uses(chain, await _receipts_of(chain, agents, history))
    if account is None:
        return tuple([row for event in history for row in await _pool_rows(event, about)])
    member = _Part(facts, await chain.payments.protocol_bps(), _units_at_first(facts, account, tree_units, history))
    return tuple([row for event in history for row in await _member_rows(event, account, member, about)])


@dataclass(frozen=True, slots=True)
class _Use:
    """What an income was paid for, as far as it is known."""

    blob_object: BlobObjectId | None = None
    blob_id: BlobId | None = None
    policy: Address | None = None
    node: NodeId | None = None
    receipt: str | None = None


class _Uses:
    """What incomes were paid for."""

    def __init__(self, chain: ChainReader, receipts: Mapping[bytes, Receipt]) -> None:
        """
        Args:
            receipts: by the digest of the use.
        """
        self._chain = chain
        self._receipts = receipts
        self._known: dict[BlobObjectId, tuple[BlobId | None, Address | None]] = {}

    async def of(self, event: ChainEvent) -> _Use:
        """What an event was paid for."""
        if not isinstance(event, IncomeReceived):
            return _Use()
        if (receipt := self._receipts.get(event.purpose)) is not None:
            blob_id, policy = await self._facts(receipt.blob_object)
            return _Use(receipt.blob_object, blob_id, policy, receipt.node, f"{receipt.node}/{receipt.index}")
        number = BlobObjectId(int.from_bytes(event.purpose, "big"))
        return _Use(number, *await self._facts(number)) if 0 < number < _OBJECTS else _Use()

    async def _facts(self, number: BlobObjectId) -> tuple[BlobId | None, Address | None]:
        if number not in self._known:
            blob, record = await self._chain.blob(number), await self._chain.policies.record_of(number)
            access = record.current.access
            blob_id = blob.blob_id if any(blob.blob_id.digest) else None
            self._known[number] = blob_id, None if access == NOBODY else access
        return self._known[number]


async def _receipts_of(
    chain: ChainReader, agents: Agents | None, history: tuple[ChainEvent, ...]
) -> dict[bytes, Receipt]:
    """The nodes' receipts of uses that vouchers paid for, by the digest of the use; of each the lowest node's."""
    wanted = {event.purpose for event in history if isinstance(event, IncomeReceived)}
    wanted = {purpose for purpose in wanted if int.from_bytes(purpose, "big") >= _OBJECTS}
    if agents is None or not wanted:
        return {}
    domain, nodes = chain.access_domain, await chain.nodes()

    async def of_node(node: Node) -> list[Receipt]:
        try:
            filed = await all_receipts(agents.at(node.url, node.name))
        except (TimeoutError, WalrusError):
            return []  # its columns stay empty
        return [item.receipt for item in filed if item.receipt.use in wanted and is_signed_by(item, node, domain)]

    found = [receipt for part in await asyncio.gather(*map(of_node, nodes)) for receipt in part]
    return {receipt.use: receipt for receipt in sorted(found, key=lambda item: item.node, reverse=True)}


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


async def _pool_rows(event: ChainEvent, about: _Uses) -> list[Row]:
    match event:
        case IncomeReceived():
            return [await _row(event, Direction.IN, event.payer, event.amount, about)]
        case IncomeClaimed():
            return [await _row(event, Direction.OUT, event.to, event.amount, about)]
        case RevenuePoolSettled():
            return [await _row(event, Direction.OUT, NOBODY, Wei(event.to_nodes + event.burned), about)]
        case _:
            return []


async def _member_rows(event: ChainEvent, account: Address, member: _Part, about: _Uses) -> list[Row]:
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
    about: _Uses,
) -> Row:
    use = await about.of(event)
    return Row(
        timestamp=event.block.timestamp,
        transaction=bytes.fromhex(event.transaction[2:]),
        block=event.block.number,
        event=event.solidity_name,
        direction=direction,
        counterparty=counterparty,
        amount=amount,
        pool=event.pool,
        blob_object=use.blob_object,
        blob_id=use.blob_id,
        policy=use.policy,
        node=use.node,
        receipt=use.receipt,
    )
