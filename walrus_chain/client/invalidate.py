"""Has the nodes examine a blob, and collects what they attest against it, until it can be marked invalid on chain.

f + 1 shards decide either way, since at least one of them is honest: so many that accuse the blob make it invalid, so
many that vouch for it end the inquiry.

Source: docs/spec/05-blob-life.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from walrus_chain.client.objects import LIVE, NOT_HERE
from walrus_chain.client.plan_store import pause_before_retry
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.client.read import ReadContext, Renew
from walrus_chain.client.results import InvalidatedBlob
from walrus_chain.errors import AgentRefused, BlobIsConsistent, BlobNotFound, BlobNotInvalidated, WalrusError
from walrus_chain.messages.attestation import InvalidityAttestation, SignedAttestation
from walrus_chain.messages.certificate import Certificate, CertificateCollector
from walrus_chain.messages.domain import Domain
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import BlobId, BlobStatus

if TYPE_CHECKING:
    from walrus_chain.chain.transactions import Receipt

#: What an agent says that examined the blob and found nothing wrong.
_CONSISTENT = "Consistent"
#: What an agent says that will know later.
_NOT_YET = frozenset({"ExaminationUnderWay", "TooBusy"})
_PAUSE_SECONDS = 2.0


async def invalidate(
    chain: ChainReader,
    writer: ChainWriter,
    context: ReadContext,
    renew: Renew,
    blob_id: BlobId,
    seconds: float,
) -> InvalidatedBlob:
    """Has the nodes examine a blob, and marks it invalid on chain when it does not encode to its id.

    Raises: BlobNotFound, BlobIsConsistent, BlobNotInvalidated; Rejected.
    """
    from walrus_chain.chain.rejections import AlreadyInvalid, TooFewAccusers, UnknownMember, WrongMemberSignature

    objects = await chain.objects_of(blob_id)
    ids = tuple(item.id for item in objects)
    statuses = {item.status for item in objects}
    if BlobStatus.INVALID in statuses:
        return InvalidatedBlob(blob_id, ids, 0, None, 0)
    if statuses.isdisjoint(LIVE):
        raise BlobNotFound(f"a live object of blob {blob_id}", "its term is over" if objects else NOT_HERE)

    async def condemned(by: ReadContext) -> tuple[int, Receipt]:
        """Has a committee examine the blob, and hands in what it finds: the shards that attested, and what came."""
        inquiry = Inquiry(blob_id, by.committee, by.agents, chain.registry_domain)
        certificate = await inquiry.certificate(seconds)
        return certificate.weight, await writer.invalidate(blob_id, certificate.signers, certificate.signatures)

    try:
        try:
            weight, receipt = await condemned(context)
        except (BlobNotInvalidated, WrongMemberSignature, UnknownMember, TooFewAccusers):
            # Only the committee in office is heard. Nodes remember what they found: asking again costs nothing.
            if (now := await renew(context)) is context:
                raise
            weight, receipt = await condemned(now)
    except AlreadyInvalid:
        return InvalidatedBlob(blob_id, ids, 0, None, 0)
    return InvalidatedBlob(blob_id, ids, weight, receipt.transaction, receipt.gas_used)


class Inquiry:
    """One question to all members of a committee: does this blob encode to its id?"""

    def __init__(self, blob_id: BlobId, committee: Committee, agents: Sequence[AgentClient], domain: Domain) -> None:
        """
        Args:
            agents: by member index.
            domain: of the blob registry.
        """
        self._blob_id = blob_id
        self._committee = committee
        self._agents = agents
        self._required = committee.faults + 1
        attestation = InvalidityAttestation(blob_id, committee.epoch)
        self._collector = CertificateCollector(attestation, domain, committee, self._required)
        self._vouching = 0
        self._reasons: dict[int, str] = {}

    async def certificate(self, seconds: float) -> Certificate[InvalidityAttestation]:
        """The signatures that make the blob invalid. All members are asked at once.

        Args:
            seconds: how long; an examination takes about as long as reading the blob.
        Raises:
            BlobIsConsistent: members with f + 1 shards found that it encodes to its id.
            BlobNotInvalidated: neither came about; says what each node said.
        """
        tasks = [asyncio.create_task(self._ask(member)) for member in self._committee.members]
        try:
            async with asyncio.timeout(seconds):
                for answered in asyncio.as_completed(tasks):
                    await answered
                    if self._collector.reached:
                        return self._collector.certificate()
                    if self._vouching >= self._required:
                        raise BlobIsConsistent(self._blob_id, self._vouching)
        except TimeoutError:
            for member, task in zip(self._committee.members, tasks, strict=True):
                if not task.done():
                    self._reasons[member.index] = f"no verdict within {seconds:g} s"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        reasons = {self._agents[member].label: why for member, why in sorted(self._reasons.items())}
        raise BlobNotInvalidated(self._blob_id, self._required, self._collector.weight, reasons)

    async def _ask(self, member: Member) -> None:
        """Counts one member's verdict, or notes why there is none."""
        try:
            self._collector.add(await self._verdict(self._agents[member.index]))
        except AgentRefused as error:
            if error.code == _CONSISTENT:
                self._vouching += member.weight
            self._reasons[member.index] = error.message
        except WalrusError as error:
            self._reasons[member.index] = str(error)

    async def _verdict(self, agent: AgentClient) -> SignedAttestation:
        attempt = 1
        while True:
            try:
                return await agent.invalidity(self._blob_id)
            except WalrusError as error:
                pause: float | None
                if isinstance(error, AgentRefused) and error.code in _NOT_YET:
                    pause = error.retry_after or _PAUSE_SECONDS
                else:
                    pause = pause_before_retry(error, attempt)
                    attempt += 1
                if pause is None:
                    raise
            await asyncio.sleep(pause)
