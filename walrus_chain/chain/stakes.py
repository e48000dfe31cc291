"""What an account does with stake, each as one call although it takes several transactions: delegate and take out.

    desk = StakeDesk(chain, chain.economy, sender)
    staked = await desk.add(node_id, amount)
    payout = await desk.claim([node_id])

A call that broke half-way can be made again: it goes on where it stopped, since what became a claim in the vault is
paid out by the next one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, Protocol, TypeAlias, TypeVar

from walrus_chain.chain.economy_rejections import NodeServing, NothingDue, NothingEarned, PoolBehind
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.views import Balances, ChainDuties, Delegation, NetworkParameters, Node
from walrus_chain.errors import Misuse, Rejected
from walrus_chain.types import Address, Epoch, NodeId, Wei, format_amount

T = TypeVar("T")

SETTLE_STEPS: Final = 32
"""Epochs that one transaction settles: as many as Staking settles by itself, which is well within a block."""
Tell: TypeAlias = Callable[[str], None]
"""Told in words what comes next."""


class StakeReader(Protocol):
    """The chain, asked."""

    async def parameters(self) -> NetworkParameters:
        """The network's parameters and clock."""

    async def nodes(self) -> tuple[Node, ...]:
        """All registered nodes, by id."""

    async def balances(self, account: Address) -> Balances:
        """What an account has."""


class PoolReader(Protocol):
    """The pools, asked."""

    async def delegations_of(self, account: Address) -> tuple[Delegation, ...]:
        """What an account has in each pool where it has something, by node."""

    async def delegation(self, node_id: NodeId, account: Address) -> Delegation | None:
        """What an account has in one pool."""

    async def duties_of(self, node_id: NodeId) -> ChainDuties:
        """What there is to do, up to where the node's pool is settled among it."""


class StakeWriter(Protocol):
    """The chain, written to by one account."""

    @property
    def address(self) -> Address:
        """The account that stakes."""

    async def approve_vault(self, amount: Wei) -> Receipt:
        """Lets the vault take up to `amount` WAL."""

    async def delegate(self, node_id: NodeId, amount: Wei) -> Receipt:
        """Stakes WAL with a node."""

    async def undelegate(self, node_id: NodeId, amount: Wei | None = None) -> Receipt:
        """Begins to take active stake out, all of it when no amount is named."""

    async def withdraw_unbonded(self, node_id: NodeId) -> Receipt:
        """Turns stake that is due into a claim."""

    async def claim_rewards(self, node_id: NodeId) -> Receipt:
        """Turns a gain into a claim."""

    async def claim_commission(self, node_id: NodeId) -> Receipt:
        """Turns a node's commission into its operator's claim."""

    async def settle(self, node_id: NodeId, maximum: int) -> Receipt:
        """Brings rewards of at most `maximum` epochs into a pool."""

    async def withdraw(self, amount: Wei, to: Address | None = None) -> Receipt:
        """Takes a claim out of the vault."""


class NoSuchNode(Misuse):
    """A node that was never registered."""

    def __init__(self, node_id: NodeId, nodes: int) -> None:
        known = f"nodes 1 to {nodes} are registered" if nodes else "no node is registered yet"
        super().__init__(f"there is no node {node_id}: {known}; `walrus info committee` lists those that serve")
        self.node_id, self.nodes = node_id, nodes


class NothingToStake(Misuse):
    """An amount of zero."""

    def __init__(self) -> None:
        super().__init__("the amount is zero; name what to stake or to take out, such as 1000 or '1000 WAL'")


class NothingStaked(Misuse):
    """An account takes out what it has not."""

    def __init__(self, node_id: NodeId, account: Address, waiting: Wei, waiting_until: Epoch) -> None:
        why = f"; {format_amount(waiting)} that wait can be taken out from epoch {waiting_until} on" if waiting else ""
        super().__init__(f"{account} has no active stake at node {node_id}{why}")
        self.node_id, self.account, self.waiting, self.waiting_until = node_id, account, waiting, waiting_until


class NothingOwed(Misuse):
    """An account takes money out that nobody owes it."""

    def __init__(self, account: Address) -> None:
        super().__init__(
            f"there is nothing to pay out: {account} has no stake that earned or is due, and the vault owes it nothing"
        )
        self.account = account


class Source(StrEnum):
    """What a payment comes from."""

    STAKE = "stake"
    """Stake that was on its way out."""
    REWARDS = "rewards"
    """What stake gained."""
    COMMISSION = "commission"
    """What an operator keeps of its node's rewards."""


@dataclass(frozen=True, slots=True)
class Staked:
    """Stake that was added to a pool."""

    node_id: NodeId
    amount: Wei
    active_from: Epoch
    """The epoch from which on it counts and earns."""
    transaction: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stake that began to leave a pool."""

    node_id: NodeId
    amount: Wei
    release: Epoch
    """The epoch from which on it may be withdrawn."""
    waiting: Wei
    """Deposits that do not count yet, and so stayed."""
    waiting_until: Epoch
    """From when on they can be taken out; 0 when there are none."""
    transaction: str


@dataclass(frozen=True, slots=True)
class Credit:
    """What became a claim."""

    node_id: NodeId
    source: Source
    amount: Wei
    why: str | None = None
    """Why it is nothing, where it is."""


@dataclass(frozen=True, slots=True)
class Payout:
    """What was paid to an account, and where it came from."""

    credits: tuple[Credit, ...]
    owed_before: Wei
    """What the vault owed the account before: refunds of deleted blobs, or a payout that broke half-way."""
    paid: Wei
    """All of it together."""
    transaction: str

    def total(self, source: Source) -> Wei:
        """What came from one source."""
        return Wei(sum(credit.amount for credit in self.credits if credit.source is source))


@dataclass(frozen=True, slots=True)
class Settled:
    """A pool that was brought up to date."""

    node_id: NodeId
    before: Epoch
    """Up to where it was settled."""
    now: Epoch


class StakeDesk:
    """One account's stake."""

    def __init__(
        self, chain: StakeReader, pools: PoolReader, writer: StakeWriter, tell: Tell = lambda words: None
    ) -> None:
        """
        Args:
            writer: the account that stakes.
            tell: told before each transaction what it is for.
        """
        self._chain = chain
        self._pools = pools
        self._writer = writer
        self._tell = tell

    async def add(self, node_id: NodeId, amount: Wei) -> Staked:
        """Stakes WAL with a node, after the vault was allowed to take just that much where it was not.

        Raises:
            NothingToStake, NoSuchNode.
            Rejected: the chain refuses; NotEnoughWal says how much is missing.
        """
        if not amount:
            raise NothingToStake
        await self._known(node_id)
        if (await self._chain.balances(self._writer.address)).allowance < amount:
            self._tell(f"Allowing the vault to take {format_amount(amount)}")
            await self._writer.approve_vault(amount)
        self._tell(f"Staking {format_amount(amount)} with node {node_id}")
        receipt = await self._settled(lambda: self._writer.delegate(node_id, amount))
        has = await self._pools.delegation(node_id, self._writer.address)
        # Before the first committee takes office stake counts at once, and does not wait.
        since = has.waiting_until if has and has.waiting else (await self._chain.parameters()).current_epoch
        return Staked(node_id, amount, since, receipt.transaction)

    async def remove(self, node_id: NodeId, amount: Wei | None = None) -> Leaving:
        """Begins to take active stake out of a pool.

        Args:
            amount: all of it when none is named.
        Raises:
            NothingToStake, NoSuchNode.
            NothingStaked: the account has no active stake there.
            StakeTooSmall: it has less.
        """
        if amount is not None and not amount:
            raise NothingToStake
        await self._known(node_id)
        before = await self._pools.delegation(node_id, self._writer.address)
        if before is None or not before.active + before.waiting:
            raise NothingStaked(node_id, self._writer.address, Wei(0), Epoch(0))
        if amount is None and not before.active:
            current = (await self._chain.parameters()).current_epoch
            if before.waiting_until > current:
                raise NothingStaked(node_id, self._writer.address, before.waiting, before.waiting_until)
        what = "all active stake" if amount is None else format_amount(amount)
        self._tell(f"Taking {what} out of node {node_id}")
        receipt = await self._settled(lambda: self._writer.undelegate(node_id, amount))
        after = await self._pools.delegation(node_id, self._writer.address)
        entries = () if after is None else after.unbonding
        moved = Wei(sum(entry.amount for entry in entries) - sum(entry.amount for entry in before.unbonding))
        return Leaving(
            node_id=node_id,
            amount=moved,
            release=entries[-1].release if entries else Epoch(0),
            waiting=after.waiting if after else Wei(0),
            waiting_until=after.waiting_until if after else Epoch(0),
            transaction=receipt.transaction,
        )

    async def withdraw(self, node_ids: Iterable[NodeId] | None = None) -> Payout:
        """Pays out stake that is due, and whatever else the vault owes the account.

        Args:
            node_ids: of which pools; all where something is due when none is named.
        Raises:
            NothingDue: nothing is, and the vault owes nothing either.
            NodeServing: the operator's own stake stays while the node serves.
        """
        if node_ids is None:
            node_ids = await self._due()
        return await self._pay_out([(node_id, Source.STAKE) for node_id in node_ids], NothingDue)

    async def claim(self, node_ids: Iterable[NodeId] | None = None, *, commission: bool = False) -> Payout:
        """Pays out what stake gained, and whatever else the vault owes the account.

        Args:
            node_ids: of which pools; all where the account has stake when none is named.
            commission: of an operator's node: pay its commission, too.
        Raises:
            NothingEarned: nothing was, and the vault owes nothing either.
        """
        if node_ids is None:
            node_ids = [has.node_id for has in await self._pools.delegations_of(self._writer.address) if has.active]
        sources = (Source.REWARDS, Source.COMMISSION) if commission else (Source.REWARDS,)
        return await self._pay_out([(node_id, source) for node_id in node_ids for source in sources], NothingEarned)

    async def settle(self, node_id: NodeId) -> Settled:
        """Brings the rewards of all epochs that are over into a node's pool; anybody may.

        Raises: NoSuchNode.
        """
        await self._known(node_id)
        duties = await self._pools.duties_of(node_id)
        before = reached = duties.settled
        while reached < duties.current_epoch:
            last = min(reached + SETTLE_STEPS, duties.current_epoch)
            self._tell(f"Settling node {node_id} up to epoch {last} of {duties.current_epoch}")
            await self._writer.settle(node_id, SETTLE_STEPS)
            duties = await self._pools.duties_of(node_id)
            if duties.settled <= reached:
                break  # the endpoint lags, or there is nothing that could be settled
            reached = duties.settled
        return Settled(node_id, before, reached)

    async def _pay_out(
        self, wanted: Sequence[tuple[NodeId, Source]], nothing: type[NothingDue] | type[NothingEarned]
    ) -> Payout:
        calls = {
            Source.STAKE: self._writer.withdraw_unbonded,
            Source.REWARDS: self._writer.claim_rewards,
            Source.COMMISSION: self._writer.claim_commission,
        }
        account = self._writer.address
        owed = before = (await self._chain.balances(account)).claim
        found: list[Credit] = []
        refusal: Rejected | None = None
        for node_id, source in wanted:
            self._tell(f"Claiming {source} of node {node_id}")
            try:
                await self._settled(partial(calls[source], node_id))
            except (nothing, NodeServing) as error:
                refusal = refusal or error
                found.append(Credit(node_id, source, Wei(0), str(error)))
                continue
            now = (await self._chain.balances(account)).claim
            found.append(Credit(node_id, source, Wei(now - owed)))
            owed = now
        if not owed:
            raise refusal or NothingOwed(account)
        self._tell(f"Paying out {format_amount(owed)}")
        receipt = await self._writer.withdraw(owed, account)
        return Payout(tuple(found), before, owed, receipt.transaction)

    async def _due(self) -> list[NodeId]:
        """Nodes where something may be withdrawn now.

        Raises: NothingDue: something is on its way, and the vault owes nothing.
        """
        current = (await self._chain.parameters()).current_epoch
        delegations = await self._pools.delegations_of(self._writer.address)
        leaving = [(entry.release, has.node_id) for has in delegations for entry in has.unbonding]
        due = sorted({node_id for release, node_id in leaving if release <= current})
        if not due and leaving and not (await self._chain.balances(self._writer.address)).claim:
            release, node_id = min(leaving)
            raise NothingDue(node_id, release, current)
        return due

    async def _settled(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` returns; settles the pool first where it is further behind than the call does by itself."""
        try:
            return await call()
        except PoolBehind as behind:
            await self.settle(behind.node_id)
            return await call()

    async def _known(self, node_id: NodeId) -> None:
        nodes = (await self._chain.parameters()).nodes
        if not 1 <= node_id <= nodes:
            raise NoSuchNode(node_id, nodes)
