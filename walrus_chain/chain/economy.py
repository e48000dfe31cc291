"""Reading the economy of a network: stakes, what is due each epoch, custody, rewards and prices.

economy = Economy(chain)
duties = await economy.duties_of(node_id)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from walrus_chain.chain.answers import delegation_from, duties_from, sample_from, window_from
from walrus_chain.chain.network import Chain
from walrus_chain.chain.values import checksum_address
from walrus_chain.chain.views import ChainDuties, CustodySample, CustodyWindow, Delegation, WindowTimes
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, Wei

_NODES_A_CALL: Final = 100


@dataclass(frozen=True, slots=True)
class CustodyRules:
    """What the network asks of nodes, and what a miss costs; fixed when it was deployed."""

    samples: int
    """Places that a node is asked for in each window."""
    first_slash_bps: int
    """What a miss costs of a node's stake, in hundredths of a percent; doubled with each miss in a row."""
    maximum_slash_bps: int
    misses_to_jail: int
    """Misses in a row after which a node leaves the committee."""
    jail_epochs: int
    bounty_bps: int
    """What of a slash goes to the reporter; the rest is burned."""


@dataclass(frozen=True, slots=True)
class EpochIncome:
    """What an epoch earned, final once it is over."""

    epoch: Epoch
    income: Wei
    part: Wei
    """What each shard earns whose node proved."""
    passed_shards: int


@dataclass(frozen=True, slots=True)
class Prices:
    """What storage costs."""

    unit_price: Wei
    """For one unit and one epoch."""
    write_fee: Wei
    """Paid once for each registration."""


@dataclass(frozen=True, slots=True)
class VaultBooks:
    """What the vault holds, and whose it is (invariant I1)."""

    held: Wei
    """Tokens at the vault's address."""
    reserves: Mapping[str, Wei]
    """What each module holds under its own rules, by contract."""
    claims: Wei
    """What accounts may withdraw."""
    free: Wei
    """What was sent there by nobody's rule."""

    @property
    def balanced(self) -> bool:
        """Whether it holds exactly what it owes."""
        return self.held == sum(self.reserves.values()) + self.claims + self.free


class Economy:
    """One network's economy, for reading."""

    def __init__(self, chain: Chain) -> None:
        """
        Args:
            chain: the network.
        """
        self._chain = chain

    async def delegations_of(self, account: Address) -> tuple[Delegation, ...]:
        """What an account has in each pool where it has something, by node. Costs a call for each hundred nodes."""
        nodes = (await self._chain.parameters()).nodes
        found: list[Delegation] = []
        for first in range(1, nodes + 1, _NODES_A_CALL):
            page = await self._chain.call("NetworkLens", "delegationsOf", account, first, _NODES_A_CALL)
            found += map(delegation_from, page)
        return tuple(found)

    async def delegation(self, node_id: NodeId, account: Address) -> Delegation | None:
        """What an account has in the pool of one node; none when nothing."""
        page = await self._chain.call("NetworkLens", "delegationsOf", account, node_id, 1)
        return delegation_from(page[0]) if page else None

    async def duties_of(self, node_id: NodeId) -> ChainDuties:
        """What there is to do on chain now, for everybody and for one node."""
        return duties_from(await self._chain.call("DutyLens", "dutiesOf", node_id))

    async def samples_of(self, epoch: Epoch, node_id: NodeId) -> tuple[CustodySample, ...]:
        """The places that a node is asked for in the window of an epoch.

        Raises: NoWindow, SeedTooEarly, SeedLost, NothingToProve.
        """
        return tuple(map(sample_from, await self._chain.call("CustodyChallenges", "samplesOf", epoch, node_id)))

    async def window_of(self, epoch: Epoch) -> CustodyWindow:
        """The custody window of an epoch, whether it was opened or not."""
        return window_from(await self._chain.call("CustodyChallenges", "windowOf", epoch))

    async def window_times(self, epoch: Epoch) -> WindowTimes:
        """When the custody window of an epoch may be opened, and when it closes."""
        return WindowTimes(*await self._chain.call("CustodyChallenges", "timesOf", epoch))

    async def activation_epoch(self) -> Epoch:
        """The epoch from which on stake deposited now counts."""
        return Epoch(await self._chain.call("Staking", "activationEpoch"))

    async def reward_of(self, node_id: NodeId, epoch: Epoch) -> Wei:
        """What a node earned in an epoch that is over, commission included."""
        return Wei(await self._chain.call("Rewards", "rewardOf", node_id, epoch))

    async def income_of(self, epoch: Epoch) -> EpochIncome:
        """What an epoch earned, and how it is divided."""
        income, part, passed = await self._chain.calls(
            [
                ("StorageFees", "incomeOf", (epoch,)),
                ("Rewards", "partOf", (epoch,)),
                ("CustodyChallenges", "totalPassedShards", (epoch,)),
            ]
        )
        return EpochIncome(epoch, Wei(income), Wei(part), passed)

    async def custody_rules(self) -> CustodyRules:
        """What the network asks of nodes, and what a miss costs."""
        return CustodyRules(*await self._chain.call("CustodyChallenges", "parameters"))

    async def entry_counts(self) -> tuple[int, ...]:
        """How many blob objects of each size class nodes may be asked about, those included that are over."""
        return tuple(await self._chain.call("CustodyChallenges", "entryCounts"))

    async def entries(self, size_class: int, first: int, count: int) -> tuple[BlobObjectId, ...]:
        """The objects of a class at `first` to `first + count - 1`, as many as there are."""
        found = await self._chain.call("CustodyChallenges", "entries", size_class, first, count)
        return tuple(map(BlobObjectId, found))

    async def asked_until(self, blob_objects: Sequence[BlobObjectId]) -> tuple[Epoch, ...]:
        """For each object the first epoch in which nodes are not asked about it any more; 0 when it is invalid."""
        answers = await self._chain.calls([("BlobRegistry", "custodyOf", (number,)) for number in blob_objects])
        return tuple(Epoch(until) for _, _, until in answers)

    async def next_prices(self) -> Prices:
        """The prices that the votes cast so far would give the next epoch."""
        unit_price, write_fee = await self._chain.call("Prices", "preview")
        return Prices(Wei(unit_price), Wei(write_fee))

    async def prices_at(self, epoch: Epoch) -> Prices:
        """The prices of an epoch that has begun, or of the next one as far as they are known."""
        unit_price, write_fee = await self._chain.call("StorageFees", "pricesAt", epoch)
        return Prices(Wei(unit_price), Wei(write_fee))

    async def vault_books(self) -> VaultBooks:
        """What the vault holds, and whose it is: all of one moment."""
        deployment = self._chain.deployment
        names = {deployment.address(name): name for name in deployment.contracts}
        modules = [names[checksum_address(module)] for module in await self._chain.call("TokenVault", "modules")]
        held, claims, free, *reserves = await self._chain.calls(
            [
                ("WAL", "balanceOf", (deployment.address("TokenVault"),)),
                ("TokenVault", "totalClaims", ()),
                ("TokenVault", "free", ()),
                *(("TokenVault", "reserveOf", (deployment.address(module),)) for module in modules),
            ]
        )
        by_module = {module: Wei(reserve) for module, reserve in zip(modules, reserves, strict=True)}
        return VaultBooks(Wei(held), by_module, Wei(claims), Wei(free))

    async def vote_of(self, node_id: NodeId) -> Prices | None:
        """What a node voted for; none when it never did."""
        unit_price, write_fee, cast = await self._chain.call("Prices", "voteOf", node_id)
        return Prices(Wei(unit_price), Wei(write_fee)) if cast else None
