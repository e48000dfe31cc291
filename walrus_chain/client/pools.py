"""Revenue pools, which divide income among contributors: what `Client.pools` offers, and `walrus pool`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from walrus_chain.client.desks import Desk, paying
from walrus_chain.client.objects import Objects
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.results import StoredBlob
from walrus_chain.client.statement import statement_rows
from walrus_chain.errors import MembersUnknown, SourceUnreadable
from walrus_chain.payments.statement import Row
from walrus_chain.payments.units import Member, UnitsTree, format_units, parse_units
from walrus_chain.types import Address, BlobId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import PoolMember, RevenuePool
    from walrus_chain.chain.payment_writer import PaymentReceipt, SettlementReceipt
    from walrus_chain.chain.transactions import Receipt

MOST_IN_A_LIST: Final = 100
"""Members of a pool whose list is on chain; of more, only the root of their tree is."""
#: Members are named by a CSV file, by units for each account, or as they are.
Members = str | PathLike[str] | Mapping[Address, int] | Sequence[Member]


class ListKeeper(Protocol):
    """Stores and reads lists of members; a `Client` is one."""

    async def store(self, source: bytes, *, epochs: int, name: str) -> StoredBlob:
        """Stores a list."""

    async def read_bytes(self, blob: BlobId) -> bytes:
        """A list that was stored."""


@dataclass(frozen=True, slots=True)
class CreatedPool:
    """A pool that was made."""

    pool: PoolId
    members: int
    units: int
    nodes_bps: int
    root: bytes | None
    """Of the tree of its members; None where they are listed on chain."""
    list: BlobId | None
    """The blob with the list of members, where it was published."""
    transaction: str
    gas_used: int


@dataclass(frozen=True, slots=True)
class PoolReport:
    """A pool, and what one account has in it."""

    facts: RevenuePool
    protocol_bps: int
    list: BlobId | None
    """The blob with the list of members."""
    account: Address | None
    member: PoolMember | None
    """What the account has; None where none was named."""
    claimable: Wei | None
    """What the account could claim now; None where that is not known without the list."""


class Pools(Desk):
    """Revenue pools, for who makes them, pays into them and earns from them."""

    def __init__(
        self,
        chain: ChainReader,
        signing: Callable[[str], ChainWriter],
        objects: Objects,
        agents: Agents,
        lists: ListKeeper,
    ) -> None:
        """
        Args:
            agents: say what uses were paid for.
            lists: stores and reads lists of members.
        """
        super().__init__(chain, signing, objects)
        self._agents = agents
        self._lists = lists

    async def create(
        self, members: Members, *, nodes_bps: int = 1_000, publish: bool = True, epochs: int = 1
    ) -> CreatedPool:
        """Make a pool. Nobody can change it; members may hand units on.

        More than a hundred members make a tree, of which only the root is on chain, at the same price whatever their
        number; then each member shows its place by the list.

        Args:
            members: who gets how many units.
            nodes_bps: what storage nodes get of each income, in hundredths of a percent: at most 5,000.
            publish: store the list of a tree publicly, so that members find it.
            epochs: for how long.
        Raises: MalformedUnits, UnitsOutOfBounds, SharesOutOfBounds.
        """
        from walrus_chain.chain.payment_views import PoolShare

        writer, listed = self._signing("making a pool"), _members(members)
        tree = UnitsTree(listed)
        if len(listed) <= MOST_IN_A_LIST:
            shares = [PoolShare(member.account, member.units) for member in listed]
            made = await writer.payments.create_pool(shares, nodes_bps)
            return CreatedPool(
                made.pool, len(listed), tree.units, nodes_bps, None, None, made.transaction, made.gas_used
            )
        blob_id = None
        if publish:
            text = format_units(listed).encode()
            blob_id = (await self._lists.store(text, epochs=epochs, name="list of members")).blob_id
        made = await writer.payments.create_pool_from_root(tree.root, tree.units, nodes_bps, blob_id)
        return CreatedPool(
            made.pool, len(listed), tree.units, nodes_bps, tree.root, blob_id, made.transaction, made.gas_used
        )

    async def show(self, pool: PoolId, account: Address | None = None, members: Members | None = None) -> PoolReport:
        """A pool, and what an account has in it.

        Args:
            account: this client's own one when none is named, and it has one.
            members: the list of a pool from a root; read from the network where it was published there.
        Raises: UnknownPool.
        """
        payments = self._chain.payments
        facts, protocol_bps = await payments.pool(pool), await payments.protocol_bps()
        published = await payments.list_of(pool) if facts.from_root else None
        account = account or self._objects.account
        if account is None:
            return PoolReport(facts, protocol_bps, published, None, None, None)
        member = await payments.member(pool, account)
        claimable: Wei | None = await payments.claimable(pool, account)
        if facts.from_root and not member.entered:
            tree = await self._tree(facts, members)
            if tree is None:
                claimable = None
            elif any(listed.account == account for listed in tree.members):
                claimable = Wei(
                    (claimable or 0) + await payments.claimable_from_root(pool, tree.place_of(account).member.units)
                )
        return PoolReport(facts, protocol_bps, published, account, member, claimable)

    async def claim(self, pool: PoolId, *, to: Address | None = None, members: Members | None = None) -> PaymentReceipt:
        """Take out what this account earned in a pool.

        Args:
            to: who is paid; this account itself when nobody is named.
            members: the list of a pool from a root; read from the network where it was published there.
        Raises:
            NothingToClaim, NotAPoolMember, UnknownPool.
            MembersUnknown: the list is needed, and is not published.
            NotInUnits: it does not name this account.
            UnitsMismatch: it is not the list that the pool was made from.
        """
        writer = self._signing("claiming")
        facts = await self._chain.payments.pool(pool)
        member = await self._chain.payments.member(pool, writer.address)
        if not facts.from_root or member.entered:
            return await writer.payments.claim(pool, to)
        tree = await self._tree(facts, members)
        if tree is None:
            raise MembersUnknown(pool)
        place = tree.place_of(writer.address)
        return await writer.payments.claim_from_root(pool, place.member.units, place.index, place.proof, to)

    async def distribute(self, pool: PoolId, amount: Wei) -> Receipt:
        """Pay an income of this account into a pool.

        Raises: UnknownPool, NoIncome, NotEnoughWal.
        """
        writer = self._signing("paying into a pool")
        return await paying(writer, lambda: writer.payments.distribute(pool, amount))

    async def transfer_units(self, pool: PoolId, to: Address, units: int) -> Receipt:
        """Hand units of this account on; what they earned until now stays this account's.

        Raises: TooFewUnits, WrongAccount, UnknownPool.
        """
        return await self._signing("handing units on").payments.transfer_units(pool, to, units)

    async def settle(self, pool: PoolId) -> SettlementReceipt:
        """Move what a pool's nodes earned into the present epoch's fees, and burn the protocol's part; anybody may.

        Raises: UnknownPool.
        """
        return await self._signing("settling a pool").payments.settle_pool(pool)

    async def statement(
        self,
        pool: PoolId,
        account: Address | None = None,
        members: Members | None = None,
        *,
        ask_nodes: bool = True,
    ) -> tuple[Row, ...]:
        """What came in and went out, oldest first: of a pool, or of one member of it.

        Args:
            account: whose part of each income, and whose claims; all of the pool's when none is named.
            members: the list of a pool from a root; read from the network where it was published there.
            ask_nodes: have them say by their receipts which uses vouchers paid for.
        Raises: UnknownPool, MembersUnknown.
        """
        facts = await self._chain.payments.pool(pool)
        units = None
        if account is not None and facts.from_root:
            tree = await self._tree(facts, members)
            if tree is not None:
                units = next((member.units for member in tree.members if member.account == account), 0)
        return await statement_rows(self._chain, self._agents if ask_nodes else None, facts, account, units)

    async def _tree(self, facts: RevenuePool, members: Members | None) -> UnitsTree | None:
        """The tree that a pool was made from; None where its list is not known."""
        if members is not None:
            tree = UnitsTree(_members(members))
        else:
            blob_id = await self._chain.payments.list_of(facts.pool)
            if blob_id is None:
                return None
            tree = UnitsTree(parse_units((await self._lists.read_bytes(blob_id)).decode().splitlines()))
        tree.check_root(facts.root)
        return tree


def _members(members: Members) -> list[Member]:
    if isinstance(members, str | PathLike):
        path = Path(members)
        try:
            return parse_units(path.read_text().splitlines())
        except (OSError, UnicodeDecodeError) as error:
            raise SourceUnreadable(str(path), str(error)) from error
    if isinstance(members, Mapping):
        return [Member(account, units) for account, units in members.items()]
    return list(members)
