"""What a client does with private data, in one place: store it, read it, seal its key anew.

Source: docs/guides/private-data.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

from walrus_chain.client.keep import Keep
from walrus_chain.client.keys import KeyDesk, OpenedKey, ReadOptions, ReadTerms
from walrus_chain.client.objects import BlobRef, Objects
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.purse import Purse
from walrus_chain.client.read import BlobReader
from walrus_chain.client.reader import Reader
from walrus_chain.client.results import Check, Sealed
from walrus_chain.client.sealing import EncryptedSource, Heads, OwnerKeys, Privacy, Sealer, encrypted
from walrus_chain.client.sessions import Sessions
from walrus_chain.client.sources import Source
from walrus_chain.errors import DataKeyUnknown, Misuse, NotPrivate, NoWallet, Retryable
from walrus_chain.messages.signing import Signer
from walrus_chain.types import Address, BlobId, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.payment_views import ReadChannel
    from walrus_chain.chain.views import BlobObject


class PrivateData:
    """One client's private data."""

    def __init__(
        self,
        chain: ChainReader,
        agents: Agents,
        keep: Keep,
        requester: Signer | None,
        objects: Objects,
        stored: Callable[[BlobId, int, int | None, Check], BlobReader],
        open_channel: Callable[[PoolId, Wei], Awaitable[ReadChannel]],
    ) -> None:
        """
        Args:
            requester: signs for whoever reads.
            stored: reads a blob as it is stored.
            open_channel: opens a channel to a pool with a deposit.
        """
        self._chain = chain
        self._agents = agents
        self._keep = keep
        self._requester = requester
        self._objects = objects
        self._stored = stored
        self._open_channel = open_channel
        self._owner_keys = OwnerKeys(keep)
        self._heads: Heads = {}
        self.purse = Purse(keep, chain.channels_domain)

    # -- storing -----------------------------------------------------------------------------------------------------

    def sealer(self, writer: ChainWriter, privacy: Privacy) -> Sealer:
        """What makes stores private."""
        return Sealer(self._chain, writer, self._agents, self._owner_keys, privacy, self._heads)

    async def encrypted(self, source: Source, owner: Address) -> EncryptedSource:
        """A source as its owner would store it."""
        return await encrypted(source, self._owner_keys.secret(owner))

    async def rewrap(
        self,
        writer: ChainWriter,
        blob_object: BlobObject,
        privacy: Privacy,
        *,
        next_key_epoch: bool,
        for_announced: bool,
    ) -> Sealed:
        """Seals the key of an object anew; see `Client.rewrap`."""
        number = blob_object.id
        record = await self._chain.policies.record_of(number)
        if not record.sealed:
            raise NotPrivate(number)
        policies = record.next if for_announced and record.next_from else record.current
        key_epoch = record.key_epoch + next_key_epoch
        data_key = self._owner_keys.key_of(blob_object.blob_id)
        if data_key is None:
            data_key = await self._released(blob_object)
            self._owner_keys.remember(blob_object.blob_id, data_key)
        circle, envelope = await self.sealer(writer, privacy).envelope(number, policies.access, key_epoch, data_key)
        await writer.policies.publish_envelope(number, key_epoch, envelope)
        return Sealed(policies, circle.threshold, circle.nodes, key_epoch)

    async def _released(self, blob_object: BlobObject) -> bytes:
        """The key of an object's data, from the nodes."""
        try:
            return (await self._desk.open([blob_object], ReadTerms())).data_key
        except (Misuse, Retryable) as error:
            raise DataKeyUnknown(blob_object.id, str(error)) from error

    # -- reading -----------------------------------------------------------------------------------------------------

    def reader(self, blob: BlobRef, start: int, stop: int | None, check: Check, options: ReadOptions) -> Reader:
        """The bytes of a blob, decrypted where it is private."""
        terms = ReadTerms(**options)

        def stored(blob_id: BlobId, first: int, end: int | None) -> BlobReader:
            return self._stored(blob_id, first, end, check)

        async def unlock(_: BlobId) -> OpenedKey:
            return await self._desk.open(await self._objects.usable(blob), terms)

        return Reader(lambda: self._objects.blob_id(blob), stored, unlock, self._heads, start, stop, raw=terms.raw)

    @cached_property
    def _desk(self) -> KeyDesk:
        if self._requester is None:
            raise NoWallet("reading private data")
        sessions = Sessions(self._keep, self._requester.address, self._requester, self._chain.access_domain)
        return KeyDesk(self._chain, self._agents, self._keep, sessions, self.purse, self._open_channel)
