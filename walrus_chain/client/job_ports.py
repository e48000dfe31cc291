"""What a client needs of the chain for jobs: asked and written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from walrus_chain.types import Address, BlobObjectId, JobId, TriggerId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.compute_events import JobDrawn, JobRequested, JobSettled, ResultRevealed, TriggerCreated
    from walrus_chain.chain.compute_views import Job, JobOrder, JobRequest, Trigger, TriggerTerms
    from walrus_chain.chain.compute_writer import JobReceipt, TriggerReceipt
    from walrus_chain.chain.transactions import Receipt


class JobReader(Protocol):
    """Jobs and triggers, asked."""

    async def job(self, job: JobId, at: bytes | None = None) -> Job:
        """A job as it is kept; its status is UNKNOWN when there is none."""

    async def request_of(self, job: JobId) -> JobRequest:
        """What was requested; also when the job is over."""

    async def jobs_of(self, requester: Address) -> tuple[JobRequested, ...]:
        """The jobs that an account requested, oldest first."""

    async def panel_of(self, job: JobId) -> JobDrawn | None:
        """Who runs a job; also when it is over."""

    async def results_of(self, job: JobId) -> tuple[ResultRevealed, ...]:
        """The results that nodes showed; also when the job is over."""

    async def settlement_of(self, job: JobId) -> JobSettled | None:
        """How a job ended; none while it did not, or when it was cancelled."""

    async def jobs_on(self, blob_object: BlobObjectId, requester: Address) -> int:
        """How many jobs a requester had on an object that has policies."""

    async def trigger(self, trigger: TriggerId) -> Trigger:
        """A trigger as it is kept."""

    async def trigger_terms(self, trigger: TriggerId) -> TriggerTerms:
        """What a trigger does."""

    async def triggers_of(self, owner: Address) -> tuple[TriggerCreated, ...]:
        """The triggers that an account made, oldest first."""


class JobWriter(Protocol):
    """Jobs and triggers, written by one account."""

    async def request(self, order: JobOrder, evidence: Sequence[bytes], maximum: Wei) -> JobReceipt:
        """Requests a job, and pays for it."""

    async def create_trigger(self, terms: TriggerTerms) -> TriggerReceipt:
        """Makes a trigger."""

    async def fund_trigger(self, trigger: TriggerId, amount: Wei) -> Receipt:
        """Puts something into a trigger."""

    async def withdraw_trigger(self, trigger: TriggerId, amount: Wei, to: Address | None = None) -> Receipt:
        """Takes something out of a trigger."""
