"""What a client offers besides blobs, by name: stake, policies, money, credentials, renewals, jobs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, cast

from walrus_chain.client.keep import Keep
from walrus_chain.client.objects import Objects
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.private import PrivateData

if TYPE_CHECKING:
    from walrus_chain.client.channels import Channels
    from walrus_chain.client.compute import Blobs, Compute
    from walrus_chain.client.credentials import Credentials
    from walrus_chain.client.policies import Policies
    from walrus_chain.client.pools import ListKeeper, Pools
    from walrus_chain.client.purchases import Purchases
    from walrus_chain.client.renewals import Renewals
    from walrus_chain.client.stake import Stakes


class Facades(ABC):
    """The part of a `Client` that leads to its other parts."""

    chain: ChainReader
    _objects: Objects
    _agents: Agents
    _keep: Keep

    @property
    def stake(self) -> Stakes:
        """Staking WAL with nodes: `client.stake.add(node_id, amount)` and what `walrus stake` has besides."""
        from walrus_chain.client.stake import Stakes

        return Stakes(self.chain, self._signing)

    @property
    def policies(self) -> Policies:
        """Rules of objects: what holds, what is announced, what a reader would be told."""
        from walrus_chain.client.policies import Policies

        return Policies(self.chain, self._signing, self._objects)

    @property
    def pools(self) -> Pools:
        """Revenue pools: `client.pools.claim(pool)` and what `walrus pool` has besides."""
        from walrus_chain.client.pools import Pools

        return Pools(self.chain, self._signing, self._objects, self._agents, cast("ListKeeper", self))

    @property
    def purchases(self) -> Purchases:
        """Uses that are bought on chain, as `walrus buy` and `walrus subscribe` do it."""
        from walrus_chain.client.purchases import Purchases

        return Purchases(self.chain, self._signing, self._objects)

    @property
    def channels(self) -> Channels:
        """Channels that uses are paid from: what `walrus channel` has."""
        from walrus_chain.client.channels import Channels

        return Channels(self.chain, self._signing, self._objects, self._private.purse)

    @property
    def credentials(self) -> Credentials:
        """Statements about accounts: what `walrus credential` has."""
        from walrus_chain.client.credentials import Credentials

        return Credentials(self.chain, self._signing, self._objects)

    @property
    def renewals(self) -> Renewals:
        """Evergreen objects: what `walrus evergreen` has."""
        from walrus_chain.client.renewals import Renewals

        return Renewals(self.chain, self._signing, self._objects)

    @cached_property
    def compute(self) -> Compute:
        """Programs that come to the data, and jobs that run them: what `walrus compute` has.

        The same one each time: it has the keys of orders that nothing was requested with yet.
        """
        from walrus_chain.client.compute import Compute

        return Compute(self.chain, self._signing, self._objects, self._agents, self._keep, cast("Blobs", self))

    @property
    @abstractmethod
    def _private(self) -> PrivateData:
        """Private data."""

    @abstractmethod
    def _signing(self, what: str) -> ChainWriter:
        """Who signs and pays, given what for.

        Raises: NoWallet: nobody does.
        """
