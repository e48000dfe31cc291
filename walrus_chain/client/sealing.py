"""Private storing: what is stored is encrypted first, and its key sealed for nodes that release it as a policy says.

    encrypt -> commit -> register -> seal the key for the object's identity -> attach policies and envelope -> upload

The key follows from a secret of the owner and the content, so a store that was interrupted goes on with the same bytes.

Source: docs/spec/12-keys.md, docs/guides/private-data.md.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias, cast

from walrus_chain.chain.policy_views import Policies
from walrus_chain.client.keep import Keep
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.recipients import Circle, circle_of, with_erasable_keys
from walrus_chain.client.results import Sealed
from walrus_chain.client.sources import Source
from walrus_chain.client.threads import in_coder, in_thread
from walrus_chain.crypto.chunks import (
    ChunkCipher,
    EncryptingReader,
    ciphertext_size,
    derive_data_key,
)
from walrus_chain.crypto.envelope import seal
from walrus_chain.crypto.threshold import KeyIdentity
from walrus_chain.errors import DataKeyUnknown, SourceUnreadable
from walrus_chain.messages.domain import Domain
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, NodeId

if TYPE_CHECKING:
    from walrus_chain.chain.policy_views import PolicyRecord
    from walrus_chain.chain.views import BlobObject

_SECRET_BYTES: Final = 32
_HASHED_AT_ONCE: Final = 2**20
_FIRST_KEY_EPOCH: Final = 1


@dataclass(frozen=True, slots=True)
class Privacy:
    """How something is stored privately."""

    access: Address = NOBODY
    """The policy that decides who may read; nobody: only the owner, for free."""
    retention: Address = NOBODY
    """The policy that decides what the owner may not do; nobody: no restriction but the registry's own."""
    notice_seconds: int | None = None
    """Between announcing other policies and their taking effect; the network's minimum when None."""
    threshold: int | None = None
    """How many nodes open the key together; a majority when None."""
    nodes: Sequence[NodeId] | None = None
    """For which nodes the key is sealed; for those that serve, 32 at most, when None."""
    erasable: bool = False
    """Have each node make a key for this object alone, which it destroys when the retention policy says so."""

    @property
    def policies(self) -> Policies:
        """Both policies."""
        return Policies(self.access, self.retention)


@dataclass(frozen=True, slots=True)
class PrivateHead:
    """What has to be known of a private blob before a part of it can be read. It is part of the blob, so it stays."""

    header: bytes
    stored_size: int
    """Bytes of the ciphertext."""


#: What blobs begin with, as far as it is known; None for those that are not encrypted.
Heads: TypeAlias = "dict[BlobId, PrivateHead | None]"


class EncryptedSource:
    """A source as it is stored: encrypted. Its plaintext was read once, to derive the key."""

    def __init__(self, source: Source, size: int, digest: bytes, secret: bytes) -> None:
        """
        Args:
            size: bytes of the plaintext.
            digest: its SHA-256.
            secret: the owner's.
        """
        self.data_key, salt = derive_data_key(secret, digest)
        self._source = source
        self._plaintext = _Rebindable()
        cipher = ChunkCipher(self.data_key, salt)
        self._reader = EncryptingReader(self._plaintext, size, cipher, digest)
        self.head = PrivateHead(cipher.header, ciphertext_size(size))

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self._source.name

    @property
    def size(self) -> int | None:
        """Bytes of the ciphertext."""
        return self.head.stored_size

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The ciphertext, from its beginning. One at a time.

        Raises: SourceUnreadable: the file is not there, or may not be read.
        """
        with self._source.open() as file:
            self._plaintext.file = file
            self._reader.seek(0)
            try:
                yield cast("BinaryIO", self._reader)
            finally:
                self._plaintext.file = None

    def stamp(self) -> tuple[int, int] | None:
        """Size and time of the last change of the plaintext's file; None where nothing can change."""
        return self._source.stamp()

    def close(self) -> None:
        """Drops a spooled stream."""
        self._source.close()


class _Rebindable:
    """The plaintext of an `EncryptingReader` that outlives the files it is read from."""

    def __init__(self) -> None:
        self.file: BinaryIO | None = None

    def read(self, size: int, /) -> bytes:
        return self._open().read(size)

    def seek(self, offset: int, /) -> object:
        return self._open().seek(offset)

    def _open(self) -> BinaryIO:
        if self.file is None:
            raise ValueError("the plaintext is read after it was closed")
        return self.file


class OwnerKeys:
    """What an owner must not lose: the secret that keys follow from, and the key of each blob, to seal it anew."""

    def __init__(self, keep: Keep, random: Callable[[int], bytes] = os.urandom) -> None:
        self._keep = keep
        self._random = random

    def secret(self, owner: Address) -> bytes:
        """An account's secret; made when it is asked for first."""
        with self._keep.changing("owners", owner) as document:
            if "secret" not in document:
                document["secret"] = self._random(_SECRET_BYTES).hex()
            return bytes.fromhex(document["secret"])

    def remember(self, blob_id: BlobId, data_key: bytes) -> None:
        """Keeps the key of a blob: of this very ciphertext."""
        with self._keep.changing("keys", blob_id.hex) as document:
            document["dataKey"] = data_key.hex()

    def key_of(self, blob_id: BlobId) -> bytes | None:
        """The key of a blob; none when it was not stored from here."""
        with self._keep.changing("keys", blob_id.hex) as document:
            return bytes.fromhex(document["dataKey"]) if "dataKey" in document else None


class Sealer:
    """Makes what an account stores private."""

    def __init__(
        self,
        chain: ChainReader,
        writer: ChainWriter,
        agents: Agents,
        keys: OwnerKeys,
        privacy: Privacy,
        heads: Heads,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """
        Args:
            heads: told what is stored.
        """
        self._chain = chain
        self._writer = writer
        self._agents = agents
        self._keys = keys
        self._privacy = privacy
        self._heads = heads
        self._random = random

    async def encrypted(self, source: Source) -> EncryptedSource:
        """The source as it is stored. Reads it once.

        Raises: SourceUnreadable.
        """
        return await encrypted(source, self._keys.secret(self._writer.address))

    async def fits(self, blob_object: BlobObject) -> bool:
        """Whether an object that was registered before has the policies that are asked for now, or none yet."""
        record = await self._chain.policies.record_of(blob_object.id)
        return not record.attached or record.current == self._privacy.policies

    async def seal(self, source: EncryptedSource, blob_object: BlobObject) -> Sealed:
        """Seals the key for an object and attaches its policies, unless that was done before.

        Raises:
            TooFewRecipients, UnknownRecipients, WrongThreshold: it cannot be sealed so.
            Rejected: the chain refused the policies.
        """
        policies, number = self._chain.policies, blob_object.id
        self._keys.remember(blob_object.blob_id, source.data_key)
        self._heads[blob_object.blob_id] = source.head
        record = await policies.record_of(number)
        if record.sealed:
            return await sealed_of(self._chain, number, record)
        key_epoch = record.key_epoch or _FIRST_KEY_EPOCH
        access = record.current.access if record.attached else self._privacy.access
        circle, envelope = await self.envelope(number, access, key_epoch, source.data_key)
        if record.attached:
            await self._writer.policies.publish_envelope(number, key_epoch, envelope)
        else:
            notice = self._privacy.notice_seconds
            if notice is None:
                notice = (await policies.rules()).minimum_notice
            await self._writer.policies.attach(number, self._privacy.policies, notice, envelope)
        return Sealed(self._privacy.policies, circle.threshold, circle.nodes, key_epoch)

    async def envelope(
        self, blob_object: BlobObjectId, access: Address, key_epoch: int, data_key: bytes
    ) -> tuple[Circle, bytes]:
        """The key, sealed for an object, a policy and a key epoch; and for whom."""
        privacy, nodes = self._privacy, await self._chain.nodes()
        circle = await circle_of(nodes, privacy.nodes, privacy.threshold)
        domain = self._chain.access_domain
        if privacy.erasable:
            circle = await with_erasable_keys(circle, nodes, blob_object, self._agents, domain)
        identity = identity_of(domain, access, blob_object, key_epoch)
        sealed = await in_thread(
            None, lambda: seal(data_key, identity, circle.recipients, circle.threshold, self._random)
        )
        return circle, sealed.to_bytes()


async def sealed_of(chain: ChainReader, blob_object: BlobObjectId, record: PolicyRecord) -> Sealed:
    """How a key was sealed, as the chain tells."""
    from walrus_chain.crypto.envelope import KeyEnvelope

    found = await chain.policies.envelope_of(blob_object)
    if found is None:
        raise DataKeyUnknown(blob_object, "nothing was sealed")
    envelope = KeyEnvelope.from_bytes(found.envelope)
    return Sealed(record.current, envelope.threshold, envelope.nodes, record.key_epoch)


def identity_of(domain: Domain, access: Address, blob_object: BlobObjectId, key_epoch: int) -> KeyIdentity:
    """What a key is sealed for.

    Args:
        domain: of access: it names chain and contract.
    """
    return KeyIdentity(domain.chain_id, domain.verifying_contract, access, blob_object, key_epoch)


async def encrypted(source: Source, secret: bytes) -> EncryptedSource:
    """A source as it is stored by the owner of a secret. Reads it once.

    Raises: SourceUnreadable.
    """
    size, digest = await in_coder(source.size, lambda: _digest_of(source))
    return EncryptedSource(source, size, digest, secret)


def _digest_of(source: Source) -> tuple[int, bytes]:
    digest, size = hashlib.sha256(), 0
    buffer = bytearray(_HASHED_AT_ONCE)
    view = memoryview(buffer)
    with source.open() as file:
        try:
            while count := file.readinto(view):  # type: ignore[attr-defined] # every file that sources open has it
                digest.update(view[:count])
                size += count
        except OSError as error:
            raise SourceUnreadable(source.name, error.strerror or str(error)) from error
    return size, digest.digest()
