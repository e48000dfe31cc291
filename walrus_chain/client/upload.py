"""Drives one blob to its nodes: all members in parallel, each at its own pace, until a quorum attested.

What is left then goes on in the background; a member that fails or falls behind is left to heal itself.

Source: docs/guides/storing.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from walrus_chain.client.plan_store import (
    BEHIND_SECONDS,
    MAX_ATTEMPTS,
    MISDIRECTED,
    Send,
    Tally,
    pause_before_retry,
    plan_member,
)
from walrus_chain.client.window import SegmentWindow
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.codec.redstuff import EncodedSegment
from walrus_chain.errors import (
    AgentIncomplete,
    AgentMisbehaved,
    AgentRefused,
    QuorumUnreachable,
    WalrusError,
)
from walrus_chain.messages.attestation import SignedAttestation, StorageAttestation
from walrus_chain.messages.certificate import Certificate, CertificateCollector
from walrus_chain.messages.domain import Domain
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.agent import AgentClient, StoreAnswer
from walrus_chain.types import Axis, BlobId, BlobObjectId, PairIndex

#: Agents name at most so many missing pairs; a longer list is not complete.
_MOST_NAMED = 99


@dataclass(frozen=True, slots=True)
class UploadTask:
    """What is to be uploaded, for which object."""

    metadata: BlobMetadata
    blob_object: BlobObjectId
    deletable: bool
    perhaps_there: bool
    """Nodes may have some of it already: ask before sending."""

    @property
    def blob_id(self) -> BlobId:
        """What the metadata commits to."""
        return self.metadata.blob_id


class Upload:
    """One blob on its way to its nodes."""

    def __init__(
        self,
        task: UploadTask,
        committee: Committee,
        agents: Sequence[AgentClient],
        domain: Domain,
        encode: Callable[[], EncodedSegment],
        on_sent: Callable[[int], None],
    ) -> None:
        """
        Args:
            agents: by member index.
            encode: makes the next segment of the blob; called in a thread where that pays.
            on_sent: told how many bytes of slivers a node stored, or turned out to have.
        """
        self._task = task
        self._committee = committee
        self._agents = agents
        self._on_sent = on_sent
        attestation = StorageAttestation(task.blob_id, task.blob_object, committee.epoch, task.deletable)
        self._collector = CertificateCollector(attestation, domain, committee, committee.quorum)
        self._tally = Tally(committee)
        self.misdirected = False
        """Whether a node said that another committee is in office than this upload is for."""
        self._settled = asyncio.Event()
        self._broken: BaseException | None = None
        self._running: dict[int, asyncio.Task[None]] = {}
        self._filler: asyncio.Task[None] | None = None
        self._metadata = task.metadata.to_bytes()
        self._window = SegmentWindow(
            task.metadata.geometry.segments,
            task.metadata.geometry.segment(0).length,
            {member.index: member.weight for member in committee.members},
            committee.quorum,
            encode,
            self._left_behind,
        )

    @property
    def failures(self) -> dict[str, str]:
        """Nodes that failed so far, and why."""
        return {self._agents[member].label: why for member, why in self._tally.failures.items()}

    async def certificate(self) -> Certificate[StorageAttestation]:
        """Starts the upload; the certificate, as soon as a quorum attested. The rest goes on: see `finish`.

        Raises:
            QuorumUnreachable: too many nodes failed; says which, and why.
            WalrusError: whatever reading and encoding the blob raises.
        """
        for member in self._committee.members:
            task = self._running[member.index] = asyncio.create_task(self._serve(member))
            task.add_done_callback(self._ended)
        try:
            await self._settled.wait()
        except asyncio.CancelledError:
            await self.abandon()
            raise
        if self._collector.reached:
            return self._collector.certificate()
        await self.abandon()
        if self._broken is not None:
            raise self._broken
        raise QuorumUnreachable(
            self._task.blob_id,
            self._task.blob_object,
            self._committee.quorum,
            self._collector.weight,
            self.failures,
        )

    async def finish(self) -> None:
        """Waits until every node has its slivers, or failed."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def abandon(self) -> None:
        """Stops sending."""
        tasks = [*self._running.values(), *([self._filler] if self._filler else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- one member --------------------------------------------------------------------------------------------------

    async def _serve(self, member: Member) -> None:
        """Brings one member all it must hold, and takes its attestation."""
        done = False
        try:
            signed = await self._attestation_of(member)
            self._collector.add(signed)
            self._tally.attested(member.index)
            done = True
        except WalrusError as error:
            self.misdirected |= isinstance(error, AgentRefused) and error.code in MISDIRECTED
            self._tally.failed(member.index, error.message if isinstance(error, AgentRefused) else str(error))
        finally:
            await self._window.leave(member.index, done=done)
            self._settle()

    async def _attestation_of(self, member: Member) -> SignedAttestation:
        """The member's attestation, for the committee that the upload is for where it knows that one already."""
        signed, attempt = await self._first_attestation_of(member), 1
        while signed.attestation.epoch < self._committee.epoch and attempt < MAX_ATTEMPTS:
            # It has not seen yet that the committee took office.
            await asyncio.sleep(BEHIND_SECONDS)
            signed = await self._agents[member.index].attest(self._task.blob_id, self._task.blob_object)
            attempt += 1
        self.misdirected |= signed.attestation.epoch > self._committee.epoch
        return signed

    async def _first_attestation_of(self, member: Member) -> SignedAttestation:
        blob_id, geometry = self._task.blob_id, self._task.metadata.geometry
        agent = self._agents[member.index]
        missing: Collection[tuple[int, PairIndex]] | None = None
        if self._task.perhaps_there:
            try:
                return await agent.attest(blob_id, self._task.blob_object)
            except AgentIncomplete as error:
                if len(error.missing) <= _MOST_NAMED:
                    missing = {(segment, PairIndex(pair)) for segment, pair in error.missing}
            except AgentRefused:
                missing = None
        answer: StoreAnswer | None = None
        for send in plan_member(self._committee, member, blob_id, geometry, missing):
            answer = await self._put(member, agent, send)
        if answer is None or answer.attestation is None:
            rest = len(answer.missing) if answer else 0
            raise AgentMisbehaved(agent.label, f"it was sent all its slivers and still misses {rest}")
        return answer.attestation

    async def _put(self, member: Member, agent: AgentClient, send: Send) -> StoreAnswer:
        """One request, tried again where that makes sense."""
        # The window keeps a segment for whoever is not beyond it; those before this one are not needed here.
        await self._window.advance(member.index, send.segment)
        self._start_filling()
        encoded = await self._window.get(send.segment)
        body = [encoded.sliver(axis, pair) for pair in send.pairs for axis in (Axis.PRIMARY, Axis.SECONDARY)]
        size = sum(map(len, body))
        del encoded
        answer = await self._put_until_stored(agent, send, body)
        await self._window.advance(member.index, send.segment + 1)
        self._on_sent(size)
        return answer

    async def _put_until_stored(self, agent: AgentClient, send: Send, body: Sequence[Buffer]) -> StoreAnswer:
        attempt = 1
        while True:
            try:
                return await agent.put_segment(
                    self._task.blob_id,
                    send.segment,
                    send.pairs,
                    body,
                    metadata=self._metadata if send.with_metadata else None,
                    # Metadata comes with its object: others may have registered the blob with false sizes.
                    blob_object=self._task.blob_object if send.attest or send.with_metadata else None,
                )
            except WalrusError as error:
                pause = pause_before_retry(error, attempt)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
            attempt += 1

    # -- all of them -------------------------------------------------------------------------------------------------

    def _start_filling(self) -> None:
        """Encoding begins when the first member needs a segment: where nothing is missing nothing is encoded."""
        if self._filler is None:
            self._filler = asyncio.create_task(self._window.fill())
            self._filler.add_done_callback(self._ended)

    def _left_behind(self, receiver: int, segment: int) -> None:
        why = f"too slow: the others were done with segment {segment} long before; it heals itself later"
        self._tally.failed(receiver, why)
        self._running[receiver].cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """An error that is nobody's refusal, such as of the source, ends the upload."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = self._broken or error
            self._settled.set()

    def _settle(self) -> None:
        if self._collector.reached or self._tally.hopeless:
            self._settled.set()
