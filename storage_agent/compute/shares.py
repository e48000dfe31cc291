"""Asks other nodes, and this one, for shares of the key to a job's private input, until they open it.

Every node is asked with a request of its own, signed with this node's key, at one block; the shares come back sealed to
a key that exists for this alone, and count only when they verify against the key that the envelope names.

Source: docs/spec/13-access.md, docs/spec/18-jobs.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eth_utils.crypto import keccak

from storage_agent.state.terms import request_to_bytes
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import JobRequest
from walrus_chain.crypto.envelope import KeyEnvelope, VerifiedShare
from walrus_chain.crypto.node_key import PublicKey
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.crypto.threshold import KeyIdentity
from walrus_chain.errors import Retryable, WalrusError
from walrus_chain.messages.access import JOB, AccessRequest, Action, JobGrant
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import Signer
from walrus_chain.transport.access import JobKeyHolder, JobKeyQuestion
from walrus_chain.types import Address, BlobObjectId, NodeId

#: A request is answered within so many seconds or not at all.
_REQUEST_SECONDS: Final = 120
#: Seconds without an answer after which further nodes are asked in addition.
_PATIENCE_SECONDS: Final = 3.0
_NONCE_BYTES: Final = 32


class KeyNotOpened(Retryable):
    """Too few nodes gave their share of an input's key."""

    def __init__(self, blob_object: BlobObjectId, failures: Sequence[str]) -> None:
        super().__init__(f"the key of object {blob_object} was not opened: {'; '.join(failures) or 'nobody has it'}")
        self.blob_object, self.failures = blob_object, tuple(failures)


@dataclass(frozen=True, slots=True)
class InputKey:
    """The sealed key of an object, as it is in force."""

    envelope: KeyEnvelope
    policy: Address
    key_epoch: int


@dataclass(frozen=True, slots=True)
class ShareHolder:
    """A node that an envelope names."""

    node_id: NodeId
    agent: JobKeyHolder
    key: PublicKey
    """The one that the envelope was sealed to."""


class KeySource(Protocol):
    """Whoever knows sealed keys and who holds them; raises what endpoints raise."""

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""

    async def input_key(self, blob_object: BlobObjectId) -> InputKey | None:
        """The sealed key of an object; none when its data are public."""

    async def holders(self, envelope: KeyEnvelope) -> list[ShareHolder]:
        """The nodes that can give shares; this one among them where the envelope names it."""


class ShareAsker:
    """Opens the keys of inputs. One an agent."""

    def __init__(
        self,
        node_id: NodeId,
        signer: Signer,
        domain: Domain,
        source: KeySource,
        confirmations: int,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        """
        Args:
            signer: the node's key.
            domain: of access.
            confirmations: blocks behind the newest at which others are asked to judge, so that they have it.
            clock: seconds since 1970, not before the newest block that was seen.
            random: gives as many unpredictable bytes as it is asked for.
        """
        self._node_id = node_id
        self._signer = signer
        self._domain = domain
        self._source = source
        self._confirmations = confirmations
        self._clock = clock
        self._random = random
        self._patience = patience

    async def data_key(self, job: int, terms: JobRequest, blob_object: BlobObjectId) -> bytes:
        """The key of an input's data.

        Raises:
            KeyNotOpened: too few nodes gave their share; perhaps later.
            MalformedEnvelope, EnvelopeNotOpened: the owner published what opens nothing; and what endpoints raise.
        """
        sealed = await self._source.input_key(blob_object)
        if sealed is None:
            raise KeyNotOpened(blob_object, ["no key is published"])
        asking = _Asking(self, job, terms, blob_object, sealed, await self._source.head(self._confirmations))
        shares = await asking.collect(await self._source.holders(sealed.envelope))
        return await asyncio.to_thread(sealed.envelope.open, asking.identity, shares)


class _Asking:
    """One object's key, asked for once."""

    def __init__(
        self,
        asker: ShareAsker,
        job: int,
        terms: JobRequest,
        blob_object: BlobObjectId,
        sealed: InputKey,
        block: BlockRef,
    ) -> None:
        self._asker = asker
        self._terms = terms
        self._blob_object = blob_object
        self._sealed = sealed
        self._block = block
        self._expires_at = int(asker._clock()) + _REQUEST_SECONDS
        self._sealing = SealingKey.generate(asker._random)
        self._grant = JobGrant(job, asker._node_id, self._sealing.public, self._expires_at)
        domain = asker._domain
        self.identity = KeyIdentity(
            domain.chain_id, domain.verifying_contract, sealed.policy, blob_object, sealed.key_epoch
        )

    async def collect(self, holders: Sequence[ShareHolder]) -> list[VerifiedShare]:
        """Enough shares.

        Raises: KeyNotOpened.
        """
        needed = self._sealed.envelope.threshold
        waiting = list(reversed(holders))
        shares: list[VerifiedShare] = []
        failures: list[str] = []
        running: dict[asyncio.Task[VerifiedShare], ShareHolder] = {}
        counted = 0  # of those under way, how many are counted on
        try:
            while len(shares) < needed:
                while waiting and len(shares) + counted < needed:
                    holder = waiting.pop()
                    running[asyncio.create_task(self._ask(holder))] = holder
                    counted += 1
                if not running:
                    raise KeyNotOpened(self._blob_object, failures)
                limit = self._asker._patience if waiting else None
                done, _ = await asyncio.wait(running, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    counted = 0
                for task in done:
                    holder, counted = running.pop(task), max(0, counted - 1)
                    try:
                        shares.append(task.result())
                    except WalrusError as error:
                        failures.append(f"{holder.agent.label}: {error}")
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return shares

    async def _ask(self, holder: ShareHolder) -> VerifiedShare:
        domain, order = self._asker._domain, self._terms.order
        request = AccessRequest(
            grant=self._grant.digest(domain),
            node=holder.node_id,
            blob_object=self._blob_object,
            action=Action.COMPUTE,
            program=order.program.digest,
            key_epoch=self._sealed.key_epoch,
            sequence=self._grant.job,
            evidence=keccak(b""),
            block_hash=self._block.hash,
            nonce=self._asker._random(_NONCE_BYTES),
            expires_at=self._expires_at,
            payment=JOB,
        )
        digest = request.digest(domain)
        question = JobKeyQuestion(
            self._grant,
            request_to_bytes(self._terms),
            request,
            self._asker._signer.sign_digest(digest),
            holder.key.key_id,
            self._sealed.envelope.is_erasable,
        )
        answer = await holder.agent.release_job_key(question)
        share = self._sealing.open_share(answer.share, digest)
        envelope = self._sealed.envelope
        return await asyncio.to_thread(envelope.verify_share, holder.node_id, share, self.identity, holder.key)
