"""Jobs on a chain in memory, as whoever orders them sees them: requested, settled by the test's word, in triggers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_events import JobDrawn, JobRequested, JobSettled, ResultRevealed, TriggerCreated
from walrus_chain.chain.compute_rejections import TriggerBalanceTooSmall, UnknownJob, UnknownTrigger
from walrus_chain.chain.compute_views import (
    Answer,
    Job,
    JobCharge,
    JobOrder,
    JobRequest,
    JobStatus,
    Trigger,
    TriggerTerms,
)
from walrus_chain.chain.compute_writer import JobReceipt, TriggerReceipt
from walrus_chain.chain.transactions import Receipt
from walrus_chain.types import Address, BlobId, BlobObjectId, Epoch, JobId, NodeId, PoolId, TriggerId, Wei

_BLOCK = BlockRef(1, bytes(32), 1_700_000_000)


@dataclass
class FakeJobs:
    """The book of jobs and triggers."""

    requests: dict[int, JobRequest] = field(default_factory=dict)
    shown: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    """The evidence that each request came with."""
    results: dict[int, tuple[ResultRevealed, ...]] = field(default_factory=dict)
    settlements: dict[int, JobSettled] = field(default_factory=dict)
    panels: dict[int, tuple[NodeId, ...]] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    triggers: dict[int, tuple[Trigger, TriggerTerms]] = field(default_factory=dict)

    def draw(self, job: JobId, *nodes: int) -> None:
        """These nodes run a job."""
        self.panels[job] = tuple(map(NodeId, nodes))

    def settle(self, job: JobId, results: dict[int, tuple[bytes, int]], agreeing: int) -> None:
        """A job ends.

        Args:
            results: hash and size that each node showed.
            agreeing: bit p is the node at place p.
        """
        self.results[job] = tuple(
            ResultRevealed(
                job=job,
                node_id=NodeId(node),
                place=0,
                result_hash=digest,
                output_size=size,
                block=_BLOCK,
                log_index=0,
                transaction="0x",
            )
            for node, (digest, size) in results.items()
        )
        requester = self.requests[job].requester
        self.settlements[job] = JobSettled(
            job=job,
            requester=requester,
            agreeing=agreeing,
            lying=0,
            absent=0,
            charged=Wei(0),
            fee_each=Wei(0),
            refunded=Wei(0),
            block=_BLOCK,
            log_index=0,
            transaction="0x",
        )
        self.over.add(job)

    # -- as `JobReader` answers --------------------------------------------------------------------------------------

    async def job(self, job: JobId, at: bytes | None = None) -> Job:
        nodes = self.panels.get(job, ())
        if job not in self.requests:
            status = JobStatus.UNKNOWN
        elif job in self.over:
            status, nodes = JobStatus.OVER, ()
        else:
            status = JobStatus.COMMITTING if nodes else JobStatus.REQUESTED
        return Job(job, status, bytes(32), 0, 0, nodes, (Answer.NONE,) * len(nodes))

    async def request_of(self, job: JobId) -> JobRequest:
        if job not in self.requests:
            raise UnknownJob(job)
        return self.requests[job]

    async def jobs_of(self, requester: Address) -> tuple[JobRequested, ...]:
        return ()

    async def panel_of(self, job: JobId) -> JobDrawn | None:
        if job not in self.panels:
            return None
        return JobDrawn(
            job=job,
            nodes=self.panels[job],
            commit_until=0,
            reveal_until=0,
            block=_BLOCK,
            log_index=0,
            transaction="0x",
        )

    async def results_of(self, job: JobId) -> tuple[ResultRevealed, ...]:
        return self.results.get(job, ())

    async def settlement_of(self, job: JobId) -> JobSettled | None:
        return self.settlements.get(job)

    async def jobs_on(self, blob_object: BlobObjectId, requester: Address) -> int:
        return sum(request.order.inputs.count(blob_object) for request in self.requests.values())

    async def trigger(self, trigger: TriggerId) -> Trigger:
        if trigger not in self.triggers:
            raise UnknownTrigger(trigger)
        return self.triggers[trigger][0]

    async def trigger_terms(self, trigger: TriggerId) -> TriggerTerms:
        return self.triggers[trigger][1]

    async def triggers_of(self, owner: Address) -> tuple[TriggerCreated, ...]:
        return ()


class FakeJobWriter:
    """One account that orders jobs."""

    def __init__(self, jobs: FakeJobs, account: Address, pay: Callable[[int], None]) -> None:
        self._jobs = jobs
        self._account = account
        self._pay = pay

    async def request(self, order: JobOrder, evidence: Sequence[bytes], maximum: Wei) -> JobReceipt:
        self._pay(order.fee)
        job = JobId(len(self._jobs.requests) + 1)
        charges = tuple(JobCharge(BlobId(bytes(32)), PoolId(0), Wei(0)) for _ in order.inputs)
        request = JobRequest(self._account, order, charges, 1, Epoch(1), 0)
        self._jobs.requests[job], self._jobs.shown[job] = request, tuple(evidence)
        return JobReceipt(job, request, bytes(32), "0x", 1, 0)

    async def create_trigger(self, terms: TriggerTerms) -> TriggerReceipt:
        number = TriggerId(len(self._jobs.triggers) + 1)
        made = Trigger(number, self._account, bytes(32), BlobObjectId(1), Epoch(0), 0, Wei(0))
        self._jobs.triggers[number] = made, terms
        return TriggerReceipt(number, "0x", 1, 0)

    async def fund_trigger(self, trigger: TriggerId, amount: Wei) -> Receipt:
        self._pay(amount)
        return self._changed(trigger, amount)

    async def withdraw_trigger(self, trigger: TriggerId, amount: Wei, to: Address | None = None) -> Receipt:
        return self._changed(trigger, -amount)

    def _changed(self, trigger: TriggerId, amount: int) -> Receipt:
        facts, terms = self._jobs.triggers[trigger]
        if facts.balance + amount < 0:
            raise TriggerBalanceTooSmall(trigger, Wei(-amount), facts.balance)
        changed = Trigger(
            facts.trigger, facts.owner, facts.terms, facts.first_object, facts.last, 0, Wei(facts.balance + amount)
        )
        self._jobs.triggers[trigger] = changed, terms
        return Receipt("0x", 1, 0, 0, None, ())
