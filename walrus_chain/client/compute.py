"""Programs that come to the data: what `Client.compute` offers, and `walrus compute`.

published = await client.compute.publish("count.wasm")
order = await client.compute.order(published.blob_id, [blob_object], fee=Wei(10**18))
job = await client.compute.request(order, maximum=Wei(2 * 10**18))
await client.compute.watch(job.job)
print((await client.compute.result(job.job)).output)

Source: docs/spec/18-jobs.md, docs/guides/computing.md.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Protocol

from walrus_chain.chain.compute_rejections import UnknownJob
from walrus_chain.chain.compute_views import OUTPUT_IN_CLEAR, Answer, JobOrder, JobStatus
from walrus_chain.chain.policy_views import Question
from walrus_chain.client.desks import Desk, paying
from walrus_chain.client.evidence import evidence_for
from walrus_chain.client.keep import Keep
from walrus_chain.client.objects import BlobRef, Objects
from walrus_chain.client.ports import Agents, ChainReader, ChainWriter
from walrus_chain.client.results import ReadSummary, StoredBlob
from walrus_chain.client.threads import in_thread
from walrus_chain.compute.module import check_size, examine
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.crypto.outputs import open_output, sealed_output_size
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.errors import (
    AccessDenied,
    AgentRefused,
    InputsUnreadable,
    JobAboveLimit,
    JobUnsettled,
    JobWithoutResult,
    Misuse,
    OutputKeyUnknown,
    OutputUnreachable,
    Retryable,
    SourceUnreadable,
    Untrusted,
    WrongOutput,
)
from walrus_chain.messages.access import Action
from walrus_chain.types import Address, BlobObjectId, JobId, NodeId, TriggerId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.compute_events import JobSettled, ResultRevealed
    from walrus_chain.chain.compute_views import Job, JobCharge, JobRequest, Trigger, TriggerTerms
    from walrus_chain.chain.compute_writer import JobReceipt, TriggerReceipt
    from walrus_chain.transport.agent import AgentClient

DEFAULT_FUEL: Final = 10**9
DEFAULT_OUTPUT_BYTES: Final = 2**20
DEFAULT_REPLICAS: Final = 3

#: Kind of document that holds the private part of a key to which outputs are sealed, by its public part in hex.
_OUTPUT_KEYS: Final = "outputs"
_BINDING: Final = tuple(ending for ending in Ending if ending.is_binding)
_POLL_SECONDS: Final = 1.0
#: What agents answer that have no output of a job, or do not serve it yet.
_NOT_SERVED: Final = "UnknownOutput"
_ASK_AGAIN_SECONDS: Final = 0.25
#: What a policy that was never attached says to others than the owner: to compute on such data is free.
_NOT_OWNER: Final = "NotOwner"


class Blobs(Protocol):
    """Stores and reads blobs; a `Client` is one."""

    async def store(self, source: bytes, *, epochs: int, name: str | None) -> StoredBlob:
        """Stores a program."""

    async def read_bytes(self, blob: BlobRef) -> bytes:
        """A program."""

    async def read_to(self, blob: BlobRef, target: Path) -> ReadSummary:
        """Writes an input to a file."""


@dataclass(frozen=True, slots=True)
class JobQuote:
    """What a job would cost now."""

    order: JobOrder
    charges: tuple[JobCharge, ...]
    """What the policies of its inputs ask for, one for each."""
    evidence: tuple[bytes, ...]
    """What each of them is shown."""

    @property
    def fee(self) -> Wei:
        """For the nodes that agree, together."""
        return self.order.fee

    @property
    def total(self) -> Wei:
        """Fee and charges together."""
        return Wei(self.order.fee + sum(charge.price for charge in self.charges))


@dataclass(frozen=True, slots=True)
class JobReport:
    """How far a job is."""

    job: JobId
    status: JobStatus
    request: JobRequest
    nodes: tuple[NodeId, ...]
    """Those that were drawn, by place; empty before."""
    answers: tuple[Answer, ...]
    """By place, while the job is not over."""
    settlement: JobSettled | None
    """How it ended; none while it did not, and when it was cancelled."""

    @property
    def over(self) -> bool:
        """Whether nothing comes any more."""
        return self.status is JobStatus.OVER

    @property
    def agreeing(self) -> tuple[NodeId, ...]:
        """The nodes whose result counts."""
        return self._nodes_of(0 if self.settlement is None else self.settlement.agreeing)

    @property
    def lying(self) -> tuple[NodeId, ...]:
        """Nodes that showed something else."""
        return self._nodes_of(0 if self.settlement is None else self.settlement.lying)

    @property
    def absent(self) -> tuple[NodeId, ...]:
        """Nodes that neither declined nor showed a result."""
        return self._nodes_of(0 if self.settlement is None else self.settlement.absent)

    def _nodes_of(self, places: int) -> tuple[NodeId, ...]:
        return tuple(node for place, node in enumerate(self.nodes) if places >> place & 1)


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a job that counts on chain; the output was compared with it."""

    job: JobId
    ending: Ending
    output: bytes
    """Empty unless the program finished."""
    result_hash: bytes
    agreeing: tuple[NodeId, ...]
    node: NodeId | None
    """Which node gave the output; none where nobody had to be asked."""
    sealed: bool
    """Whether it was sealed on its way."""


@dataclass(frozen=True, slots=True)
class TriggerReport:
    """A trigger: what it does, and what is in it."""

    facts: Trigger
    terms: TriggerTerms


class Compute(Desk):
    """Jobs and triggers of one account."""

    def __init__(
        self,
        chain: ChainReader,
        signing: Callable[[str], ChainWriter],
        objects: Objects,
        agents: Agents,
        keep: Keep,
        blobs: Blobs,
    ) -> None:
        """
        Args:
            agents: have the outputs.
            keep: where keys of sealed outputs are.
            blobs: stores programs, reads programs and inputs.
        """
        super().__init__(chain, signing, objects)
        self._agents = agents
        self._keep = keep
        self._blobs = blobs
        self._fresh: dict[bytes, SealingKey] = {}
        """Keys of outputs that nothing was requested with yet, by their public part."""

    # -- programs ----------------------------------------------------------------------------------------------------

    async def publish(
        self, program: bytes | str | PathLike[str], *, epochs: int = 1, name: str | None = None
    ) -> StoredBlob:
        """Store a program publicly, if agents would run it. Its blob id is what policies allow and orders name.

        Args:
            program: the module, or the file that holds it.
            epochs: for how long; agents cannot run it after that.
        Raises:
            UnfitProgram: no agent would run it; nothing was stored.
            SourceUnreadable; and what `Client.store` raises.
        """
        module = program if isinstance(program, bytes) else _module(Path(program))
        await in_thread(len(module), lambda: examine(module))
        label = name if isinstance(program, bytes) else name or Path(program).name
        return await self._blobs.store(module, epochs=epochs, name=label)

    # -- jobs --------------------------------------------------------------------------------------------------------

    async def order(
        self,
        program: BlobRef,
        inputs: Sequence[BlobRef],
        *,
        fee: Wei,
        argument: bytes = b"",
        fuel: int = DEFAULT_FUEL,
        output_limit: int = DEFAULT_OUTPUT_BYTES,
        replicas: int = DEFAULT_REPLICAS,
        sealed: bool | None = None,
    ) -> JobOrder:
        """An order, for `quote`, `request`, `estimate` and the terms of triggers; sends nothing.

        Args:
            inputs: what the program reads, in this order; none for a trigger that gives the object.
            fee: what the nodes that agree get together.
            sealed: whether the output is sealed to a key that is made now, and kept once this client requests a job or
                makes a trigger with the order; when None, it is where an input is private or none is named.
        Raises: BlobNotFound, AmbiguousBlob.
        """
        blob_id = await self._objects.blob_id(program)
        objects = tuple([(await self._objects.only(blob)).id for blob in inputs])
        if sealed is None:
            sealed = not objects or any([(await self._chain.policies.record_of(one)).sealed for one in objects])
        key = self._new_key() if sealed else OUTPUT_IN_CLEAR
        return JobOrder(objects, blob_id, argument, fuel, output_limit, replicas, fee, encryption_key=key)

    async def quote(self, order: JobOrder, *, requester: Address | None = None) -> JobQuote:
        """What a job would cost now; pays nothing.

        Args:
            requester: this client's own account when none is named.
        Raises: AccessDenied: the policy of an input does not let this program, or this account, compute.
        """
        from walrus_chain.chain.compute_views import JobCharge

        requester = self._account(requester, "asking for the price of a job")
        before: Counter[BlobObjectId] = Counter()
        charges, shown = [], []
        for number in order.inputs:
            record = await self._chain.policies.record_of(number)
            evidence = await evidence_for(self._chain, record.current.access, requester, None) or b""
            sequence = await self._chain.compute.jobs_on(number, requester) + before[number]
            before[number] += 1
            question = Question(requester, number, Action.COMPUTE, order.program.digest, sequence, evidence)
            verdict = await self._chain.policies.judge(question)
            public = verdict.key_epoch == 0 and verdict.reason == _NOT_OWNER
            if not verdict.allowed and not public:
                raise AccessDenied(number, requester, verdict.reason, verdict.policy)
            charges.append(JobCharge(verdict.blob_id, verdict.pool, verdict.price))
            shown.append(evidence)
        return JobQuote(order, tuple(charges), tuple(shown))

    async def request(self, order: JobOrder, *, maximum: Wei | None = None) -> JobReceipt:
        """Request a job, and pay its fee and what the policies of its inputs charge.

        Args:
            maximum: the most that it may cost; what is quoted now when none is named.
        Raises:
            AccessDenied: the policy of an input denies; nothing was paid.
            JobAboveLimit: it costs more.
            OrderOutOfBounds, WrongReplicas, TooFewMembers, NotEnoughWal.
        """
        writer = self._signing("requesting a job")
        quote = await self.quote(order)
        limit = quote.total if maximum is None else maximum
        if quote.total > limit:
            raise JobAboveLimit(quote.total, limit)
        self._keep_key(order)
        return await paying(writer, lambda: writer.compute.request(order, quote.evidence, limit))

    async def show(self, job: JobId) -> JobReport:
        """How far a job is.

        Raises: UnknownJob.
        """
        return await self._report(await self._known(job))

    async def list(self, requester: Address | None = None) -> tuple[JobId, ...]:
        """The jobs that an account requested, oldest first; those of its triggers too."""
        requester = self._account(requester, "listing your own jobs")
        return tuple(event.job for event in await self._chain.compute.jobs_of(requester))

    async def watch(
        self,
        job: JobId,
        on_change: Callable[[JobReport], None] | None = None,
        *,
        poll_seconds: float = _POLL_SECONDS,
    ) -> JobReport:
        """How a job ended, once it is settled or cancelled. Agents see to that; nobody has to watch.

        Args:
            on_change: told how far it is, at first and whenever that changed.
        Raises: UnknownJob.
        """
        before: Job | None = None
        while True:
            now = await self._known(job)
            if now != before:
                report, before = await self._report(now), now
                if on_change is not None:
                    on_change(report)
                if report.over:
                    return report
            await asyncio.sleep(poll_seconds)

    async def result(self, job: JobId, *, patience_seconds: float = 5.0) -> JobResult:
        """The result of a settled job, from nodes that agreed on it; it has the hash that counts on chain.

        How a program failed is known from the chain alone.

        Args:
            patience_seconds: for nodes that do not serve the output yet: they begin when they have seen the settlement.
        Raises:
            UnknownJob.
            JobUnsettled: it is not over; watch it.
            JobWithoutResult: the nodes did not agree, or it was cancelled.
            OutputKeyUnknown: it is sealed to a key that is not on this computer.
            OutputUnreachable: no node gave the output; says what each of them said.
        """
        report = await self.show(job)
        if not report.over:
            raise JobUnsettled(job, report.status.name.lower())
        agreeing = report.agreeing
        if not agreeing:
            raise JobWithoutResult(job, cancelled=report.settlement is None)
        revealed = await self._chain.compute.results_of(job)
        agreed = next(one for one in revealed if one.node_id in agreeing)
        key, sealed = report.request.order.encryption_key, report.request.order.encryption_key != OUTPUT_IN_CLEAR
        if agreed.output_size == 0:
            ending = _ending_of(job, b"", agreed.result_hash)
            return JobResult(job, ending, b"", agreed.result_hash, agreeing, None, sealed)
        opener = self._key_of(job, key) if sealed else None
        node_id, output = await self._fetch(agreed, agreeing, opener, patience_seconds)
        ending = _ending_of(job, output, agreed.result_hash)
        return JobResult(job, ending, output, agreed.result_hash, agreeing, node_id, sealed)

    async def estimate(self, order: JobOrder, *, wall_seconds: float = 600.0) -> Outcome:
        """How the program ends on these inputs, run here: its `fuel_used` is what a job would use.

        Private inputs are read as `Client.read` does, and nothing is paid for it; a read counts as one.

        Raises:
            InputsUnreadable: an input may not be read by this account, or there are none.
            EngineMissing, OtherEngine: programs cannot run here.
        """
        from walrus_chain.sandbox.inputs import FileInput
        from walrus_chain.sandbox.runner import check_installation, run_program

        check_installation()
        if not order.inputs:
            raise InputsUnreadable("it names none")
        run = Run(await self._blobs.read_bytes(order.program), order.arguments, order.fuel, order.output_limit)
        with TemporaryDirectory(prefix="walrus-estimate-") as folder, ExitStack() as opened:
            sources = []
            for place, number in enumerate(order.inputs):
                path = Path(folder) / str(place)
                try:
                    await self._blobs.read_to(number, path)
                except Misuse as error:
                    raise InputsUnreadable(str(error)) from error
                source = FileInput(path)
                opened.callback(source.close)
                sources.append(source)
            return await run_program(run, sources, wall_seconds=wall_seconds)

    # -- triggers ----------------------------------------------------------------------------------------------------

    async def create_trigger(self, terms: TriggerTerms, *, amount: Wei | None = None) -> TriggerReceipt:
        """Make a trigger, which requests jobs in this account's name; agents fire it.

        Args:
            amount: what to put into it at once.
        Raises: TriggerTermsOutOfBounds, OrderOutOfBounds, WrongReplicas, NotEnoughWal.
        """
        writer = self._signing("making a trigger")
        self._keep_key(terms.order)
        made = await writer.compute.create_trigger(terms)
        if amount:
            await self.fund_trigger(made.trigger, amount)
        return made

    async def fund_trigger(self, trigger: TriggerId, amount: Wei) -> TriggerReport:
        """Put something into a trigger, anybody's; it belongs to the trigger's owner then.

        Raises: UnknownTrigger, NotEnoughWal.
        """
        writer = self._signing("funding a trigger")
        await paying(writer, lambda: writer.compute.fund_trigger(trigger, amount))
        return await self.show_trigger(trigger)

    async def show_trigger(self, trigger: TriggerId) -> TriggerReport:
        """What a trigger does, and what is in it.

        Raises: UnknownTrigger.
        """
        facts = await self._chain.compute.trigger(trigger)
        return TriggerReport(facts, await self._chain.compute.trigger_terms(trigger))

    async def list_triggers(self, owner: Address | None = None) -> tuple[TriggerReport, ...]:
        """The triggers of an account, oldest first."""
        owner = self._account(owner, "listing your own triggers")
        made = await self._chain.compute.triggers_of(owner)
        return tuple([await self.show_trigger(event.trigger) for event in made])

    async def withdraw_trigger(
        self, trigger: TriggerId, amount: Wei | None = None, *, to: Address | None = None
    ) -> Wei:
        """Take something out of a trigger of yours; a trigger that is empty fires no more.

        Args:
            amount: all of it when none is named.
            to: who gets it; this client's own account when none is named.
        Returns: what was taken out.
        Raises: TriggerNotYours, TriggerBalanceTooSmall, NoTriggerAmount, UnknownTrigger.
        """
        writer = self._signing("emptying a trigger")
        wanted = (await self._chain.compute.trigger(trigger)).balance if amount is None else amount
        await writer.compute.withdraw_trigger(trigger, wanted, to)
        return wanted

    # -- parts -------------------------------------------------------------------------------------------------------

    async def _known(self, job: JobId) -> Job:
        found = await self._chain.compute.job(job)
        if found.status is JobStatus.UNKNOWN:
            raise UnknownJob(job)
        return found

    async def _report(self, now: Job) -> JobReport:
        book, nodes, settlement = self._chain.compute, now.nodes, None
        if now.status is JobStatus.OVER:
            settlement, drawn = await book.settlement_of(now.job), await book.panel_of(now.job)
            nodes = () if drawn is None else drawn.nodes
        return JobReport(now.job, now.status, await book.request_of(now.job), nodes, now.answers, settlement)

    async def _fetch(
        self, agreed: ResultRevealed, agreeing: Sequence[NodeId], key: SealingKey | None, patience: float
    ) -> tuple[NodeId, bytes]:
        """The output, from the first node whose output is the one that counts."""
        nodes = [node for node in await self._chain.nodes() if node.node_id in agreeing]
        until = time.monotonic() + patience
        while True:
            reasons, is_early = {}, False
            for node in nodes:
                agent = self._agents.at(node.url, node.name)
                try:
                    return node.node_id, await _output(agent, node.node_id, agreed, key)
                except (Retryable, Untrusted) as error:
                    reasons[node.name] = str(error)
                    is_early = is_early or (isinstance(error, AgentRefused) and error.code == _NOT_SERVED)
            if not is_early or time.monotonic() >= until:
                raise OutputUnreachable(agreed.job, reasons)
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    def _new_key(self) -> bytes:
        key = SealingKey.generate(os.urandom)
        self._fresh[key.public] = key
        return key.public

    def _keep_key(self, order: JobOrder) -> None:
        """Keep the key of an order, so that it is known after a crash; keys of others are theirs."""
        key = self._fresh.get(order.encryption_key)
        if key is None:
            return
        with self._keep.changing(_OUTPUT_KEYS, key.public.hex()) as document:
            document["key"] = key.to_bytes().hex()
        del self._fresh[key.public]

    def _key_of(self, job: JobId, public: bytes) -> SealingKey:
        if public.hex() not in self._keep.names(_OUTPUT_KEYS):
            raise OutputKeyUnknown(job, public)
        with self._keep.changing(_OUTPUT_KEYS, public.hex()) as document:
            return SealingKey(bytes.fromhex(document["key"]))


async def _output(agent: AgentClient, node_id: NodeId, agreed: ResultRevealed, key: SealingKey | None) -> bytes:
    """What a node serves of a job, opened and compared with what counts.

    Raises: WrongOutput, SealNotOpened and others: it is something else.
    """
    size = agreed.output_size
    served = await agent.job_output(agreed.job, most=size if key is None else sealed_output_size(size))
    output = served
    if key is not None:
        opener = key
        output = await in_thread(size, lambda: open_output(opener, agreed.job, node_id, served))
    _ending_of(agreed.job, output, agreed.result_hash)
    return output


def _ending_of(job: JobId, output: bytes, result_hash: bytes) -> Ending:
    """How a run ended that has this output and result.

    Raises: WrongOutput: none does.
    """
    for ending in _BINDING if not output else (Ending.FINISHED,):
        if Outcome(ending, output).result_hash == result_hash:
            return ending
    raise WrongOutput(job, result_hash)


def _module(path: Path) -> bytes:
    try:
        check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise SourceUnreadable(str(path), error.strerror or str(error)) from None
