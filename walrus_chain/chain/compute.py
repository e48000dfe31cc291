"""Reading jobs that run programs on blob objects, and their triggers.

compute = chain.compute
job = await compute.job(job_id)
request = await compute.request_of(job_id)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from walrus_chain.chain.compute_events import (
    JobDrawn,
    JobRequested,
    JobSettled,
    ResultRevealed,
    TriggerCreated,
)
from walrus_chain.chain.compute_rejections import UnknownJob, UnknownTrigger
from walrus_chain.chain.compute_views import Answer, Job, JobRequest, JobRules, JobStatus, Trigger, TriggerTerms
from walrus_chain.chain.values import checksum_address
from walrus_chain.messages.domain import address_word, number_word
from walrus_chain.types import Address, BlobObjectId, Epoch, JobId, NodeId, TriggerId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.network import Chain


class ComputeBook:
    """Jobs and triggers of one network, for reading."""

    def __init__(self, chain: Chain) -> None:
        """
        Args:
            chain: the network.
        """
        self._chain = chain

    # -- jobs --------------------------------------------------------------------------------------------------------

    async def rules(self) -> JobRules:
        """What holds for all jobs."""
        return JobRules(*await self._chain.call("ComputeJobs", "parameters"))

    async def job_count(self) -> int:
        """How many jobs were ever requested; they are numbered from 1."""
        return int(await self._chain.call("ComputeJobs", "jobCount"))

    async def job(self, job: JobId, at: bytes | None = None) -> Job:
        """A job as it is kept; its status is UNKNOWN when there is none.

        Raises: BlockUnknown: no endpoint has the block `at` in its chain.
        """
        status, terms, drawn_at, block, nodes, answers = await self._chain.call("ComputeJobs", "jobOf", job, at=at)
        return Job(
            job=job,
            status=JobStatus(status),
            terms=bytes(terms),
            drawn_at=drawn_at,
            drawn_block=block,
            nodes=tuple(NodeId(node) for node in nodes),
            answers=tuple(map(Answer, answers)),
        )

    async def request_of(self, job: JobId) -> JobRequest:
        """What was requested; also when the job is over.

        Raises: UnknownJob.
        """
        for event in await self._chain.logged(JobRequested, number_word(job)):
            return event.request
        raise UnknownJob(job)

    async def jobs_of(self, requester: Address) -> tuple[JobRequested, ...]:
        """The jobs that an account requested, oldest first; those of its triggers too."""
        return await self._chain.logged(JobRequested, None, address_word(requester))

    async def panel_of(self, job: JobId) -> JobDrawn | None:
        """Who runs a job and until when; none while it is not drawn. Also when the job is over."""
        return next(iter(await self._chain.logged(JobDrawn, number_word(job))), None)

    async def results_of(self, job: JobId) -> tuple[ResultRevealed, ...]:
        """The results that nodes showed, in chain order; also when the job is over."""
        return await self._chain.logged(ResultRevealed, number_word(job))

    async def settlement_of(self, job: JobId) -> JobSettled | None:
        """How a job ended; none while it did not, or when it was cancelled."""
        return next(iter(await self._chain.logged(JobSettled, number_word(job))), None)

    async def jobs_on(self, blob_object: BlobObjectId, requester: Address) -> int:
        """How many jobs a requester had on an object that has policies: the sequence of the next one."""
        return int(await self._chain.call("ComputeJobs", "jobsOn", blob_object, requester))

    async def was_absent(self, node_id: NodeId, epoch: Epoch) -> bool:
        """Whether a node was slashed for being absent from a job that was drawn in an epoch."""
        return bool(await self._chain.call("ComputeJobs", "wasAbsent", node_id, epoch))

    async def has_lied(self, node_id: NodeId, epoch: Epoch) -> bool:
        """Whether a node was slashed for a lie about a job that was drawn in an epoch."""
        return bool(await self._chain.call("ComputeJobs", "hasLied", node_id, epoch))

    async def commitment_of(
        self, job: JobId, node_id: NodeId, result_hash: bytes, output_size: int, salt: bytes
    ) -> bytes:
        """What the contract says a node commits to for a result, 32 bytes."""
        arguments = (job, node_id, result_hash, output_size, salt)
        return bytes(await self._chain.call("ComputeJobs", "commitmentOf", *arguments))

    # -- triggers ----------------------------------------------------------------------------------------------------

    async def trigger_count(self) -> int:
        """How many triggers were ever made; they are numbered from 1."""
        return int(await self._chain.call("ComputeJobs", "triggerCount"))

    async def trigger(self, trigger: TriggerId) -> Trigger:
        """A trigger as it is kept.

        Raises: UnknownTrigger.
        """
        owner, terms, first, last, jobs, balance = await self._chain.call("ComputeJobs", "triggerOf", trigger)
        return Trigger(
            trigger=trigger,
            owner=checksum_address(owner),
            terms=bytes(terms),
            first_object=BlobObjectId(first),
            last=Epoch(last),
            jobs=jobs,
            balance=Wei(balance),
        )

    async def trigger_terms(self, trigger: TriggerId) -> TriggerTerms:
        """What a trigger does.

        Raises: UnknownTrigger.
        """
        for event in await self._chain.logged(TriggerCreated, number_word(trigger)):
            return event.terms
        raise UnknownTrigger(trigger)

    async def triggers_of(self, owner: Address) -> tuple[TriggerCreated, ...]:
        """The triggers that an account made, oldest first."""
        return await self._chain.logged(TriggerCreated, None, address_word(owner))

    async def is_computed(self, trigger: TriggerId, blob_object: BlobObjectId) -> bool:
        """Whether a trigger requested its job for an object that was certified."""
        return bool(await self._chain.call("ComputeJobs", "isComputed", trigger, blob_object))

    async def reads_seen(self, trigger: TriggerId, reader: Address) -> int:
        """How many reads a reader had bought when a trigger fired for it last."""
        return int(await self._chain.call("ComputeJobs", "readsSeen", trigger, reader))
