"""What a client needs of a chain and of agents. `walrus_chain.chain` and `walrus_chain.transport.http` provide it.

Tests provide it from memory; nothing in `walrus_chain.client` knows more of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from walrus_chain.chain.stakes import PoolReader, StakeWriter
from walrus_chain.messages.domain import Domain
from walrus_chain.rules.committee import Committee
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, NodeId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.economy import Prices
    from walrus_chain.chain.sender import RegisterReceipt, Registration
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.chain.views import (
        Attribute,
        Balances,
        BlobObject,
        CustodyWindow,
        ExtensionQuote,
        NetworkParameters,
        Node,
        Quote,
        WindowTimes,
    )


class EconomyReader(PoolReader, Protocol):
    """Stakes, custody and prices, asked."""

    async def window_of(self, epoch: Epoch) -> CustodyWindow:
        """The custody window of an epoch."""

    async def window_times(self, epoch: Epoch) -> WindowTimes:
        """When the custody window of an epoch may be opened, and when it closes."""

    async def prices_at(self, epoch: Epoch) -> Prices:
        """The prices of an epoch that has begun, or of the next one as far as they are known."""

    async def next_prices(self) -> Prices:
        """The prices that the votes cast so far would give."""

    async def vote_of(self, node_id: NodeId) -> Prices | None:
        """What a node voted for."""


class ChainReader(Protocol):
    """The chain, asked."""

    @property
    def registry_domain(self) -> Domain:
        """The domain in which attestations are signed."""

    @property
    def economy(self) -> EconomyReader:
        """Stakes, custody and prices."""

    async def parameters(self) -> NetworkParameters:
        """The network's parameters and clock."""

    async def committee(self) -> Committee:
        """The committee that serves."""

    async def nodes(self) -> tuple[Node, ...]:
        """All registered nodes."""

    async def blob(self, blob_object: BlobObjectId) -> BlobObject:
        """One object; its status is unknown when there is none."""

    async def blobs(self, blob_objects: Sequence[BlobObjectId]) -> tuple[BlobObject, ...]:
        """Several objects, in the order asked."""

    async def objects_of(self, blob_id: BlobId) -> tuple[BlobObject, ...]:
        """Every object of a blob that was not deleted, as it is now, by id."""

    async def blobs_of(self, owner: Address) -> tuple[BlobObject, ...]:
        """All objects of an owner."""

    async def attributes(self, blob_object: BlobObjectId) -> tuple[Attribute, ...]:
        """What the owner wrote on an object."""

    async def quote(self, size: int, epochs: int) -> Quote:
        """The price of storing `size` bytes."""

    async def quote_extension(self, blob: BlobObject, epochs: int) -> ExtensionQuote:
        """The price of a longer term."""

    async def balances(self, account: Address) -> Balances:
        """What an account has."""


class Agents(Protocol):
    """Where agents are found."""

    def at(self, url: str, name: str) -> AgentClient:
        """The agent at an address, called `name` in messages to people."""

    async def aclose(self) -> None:
        """Closes all connections."""


class ChainWriter(StakeWriter, Protocol):
    """The chain, written to by one account: it pays, owns and stakes."""

    async def approve_vault(self, amount: Wei = ...) -> Receipt:
        """Lets the vault collect up to `amount` WAL; without limit when none is named."""

    async def register(self, registrations: Sequence[Registration]) -> RegisterReceipt:
        """Registers blobs with one payment."""

    async def certify(self, blob_object: BlobObjectId, signers: int, signatures: bytes) -> Receipt:
        """Hands a certificate in."""

    async def extend(self, blob_object: BlobObjectId, epochs: int) -> Receipt:
        """Makes an object's term longer."""

    async def delete(self, blob_object: BlobObjectId) -> Receipt:
        """Ends an object's term."""

    async def transfer(self, blob_object: BlobObjectId, to: Address) -> Receipt:
        """Gives an object to somebody else."""

    async def set_attributes(self, blob_object: BlobObjectId, attributes: Sequence[Attribute]) -> Receipt:
        """Writes texts on an object."""

    async def invalidate(self, blob_id: BlobId, signers: int, signatures: bytes) -> Receipt:
        """Hands in what f + 1 shards attest against a blob."""
