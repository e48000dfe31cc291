"""A contract of jobs on a chain that is not there: it follows the rules of `ComputeJobs`, and blocks may be undone.

Each node has hands of its own; what they do is in the next block at once. `mine` lets time go by.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage_agent.compute.follow import Counts
from storage_agent.state.terms import terms_of
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_rejections import (
    AlreadyAnswered,
    CommitOver,
    JobAlreadyDrawn,
    JobOver,
    NotCommitted,
    WrongReveal,
)
from walrus_chain.chain.compute_views import (
    Answer,
    Job,
    JobCharge,
    JobOrder,
    JobRequest,
    JobStatus,
    Trigger,
    TriggerKind,
    TriggerTerms,
)
from walrus_chain.chain.compute_writer import commitment
from walrus_chain.errors import BlockUnknown
from walrus_chain.types import (
    Address,
    BlobId,
    BlobObjectId,
    Epoch,
    JobId,
    NodeId,
    PoolId,
    TriggerId,
    Wei,
)

GENESIS = 1_700_000_000
BLOCK_SECONDS = 2
DRAW_SECONDS, COMMIT_SECONDS, REVEAL_SECONDS = 60, 80, 40
REQUESTER = Address("0x00000000000000000000000000000000000000e1")
PROGRAM = BlobId(hashlib.sha256(b"program").digest())
INPUT = BlobId(hashlib.sha256(b"input").digest())
FEE = 300


def order(
    replicas: int = 3,
    *,
    fee: int = FEE,
    encryption_key: bytes = bytes(32),
    inputs: int = 1,
    fuel: int = 10**9,
    output_limit: int = 1000,
) -> JobOrder:
    """An order for the program on some objects."""
    objects = tuple(BlobObjectId(number) for number in range(1, inputs + 1))
    return JobOrder(objects, PROGRAM, b"", fuel, output_limit, replicas, Wei(fee), encryption_key=encryption_key)


@dataclass
class Kept:
    """A job as the contract keeps it."""

    request: JobRequest
    terms: bytes
    drawn_at: int = 0
    drawn_block: int = 0
    nodes: tuple[NodeId, ...] = ()
    answers: dict[int, Answer] = field(default_factory=dict)
    words: dict[int, bytes] = field(default_factory=dict)
    """What each place committed to."""
    results: dict[int, bytes] = field(default_factory=dict)
    over: bool = False
    agreeing: frozenset[NodeId] = frozenset()


@dataclass
class State:
    """All that blocks change."""

    jobs: dict[int, Kept] = field(default_factory=dict)
    paid: dict[NodeId, int] = field(default_factory=dict)
    refunded: int = 0
    slashed: dict[NodeId, str] = field(default_factory=dict)
    triggers: dict[int, Trigger] = field(default_factory=dict)
    fired: list[tuple[int, int]] = field(default_factory=list)


class FakeJobChain:
    """The chain. What is done is in a block of its own at once."""

    def __init__(self, members: Sequence[int] = (1, 2, 3)) -> None:
        self.members = tuple(map(NodeId, members))
        self.state = State()
        self.blocks: list[tuple[BlockRef, State]] = []
        self.fork = 0
        self.block_seconds = BLOCK_SECONDS
        self.hides_logs = False
        """Whether endpoints have lost what was logged."""
        self.runs_ahead = False
        """Whether it grows by a block between an answer about its head and the next, and counts what is there now."""
        self.failures: list[Exception] = []
        """What the next transactions raise."""
        self.sent: list[tuple[NodeId, str, int]] = []
        """Every transaction that was tried: by whom, what, for which job."""
        self.commitments: list[tuple[NodeId, int, bytes, bytes]] = []
        """All that nodes ever committed to, also on forks that were left: node, job, terms, word."""
        self.terms_by_trigger: dict[int, TriggerTerms] = {}
        self.certified: list[int] = []
        self.bought: dict[int, int] = {}
        """Reads that accounts bought."""
        self.computed: set[tuple[int, int]] = set()
        self.mine(5)

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def head_block(self) -> BlockRef:
        """The newest block."""
        return self.blocks[-1][0]

    def clock(self) -> float:
        """The newest block's time."""
        return float(self.head_block.timestamp)

    def mine(self, blocks: int = 1, seconds: int | None = None) -> None:
        """More blocks."""
        seconds = self.block_seconds if seconds is None else seconds
        for _ in range(blocks):
            number = len(self.blocks)
            before = self.blocks[-1][0].timestamp if self.blocks else GENESIS
            digest = hashlib.sha256(b"%d %d" % (self.fork, number)).digest()
            self.blocks.append((BlockRef(number, digest, before + seconds), copy.deepcopy(self.state)))

    def pass_seconds(self, seconds: int) -> None:
        """One block that comes late."""
        self.mine(1, seconds)

    def undo(self, blocks: int) -> None:
        """A reorganisation: the last blocks never were."""
        self.fork += 1
        del self.blocks[-blocks:]
        self.state = copy.deepcopy(self.blocks[-1][1])

    def _status(self, kept: Kept | None, now: int) -> JobStatus:
        if kept is None:
            return JobStatus.UNKNOWN
        if kept.over:
            return JobStatus.OVER
        if not kept.nodes:
            return JobStatus.REQUESTED
        answers = [kept.answers.get(place, Answer.NONE) for place in range(len(kept.nodes))]
        if Answer.NONE in answers and now < kept.drawn_at + COMMIT_SECONDS:
            return JobStatus.COMMITTING
        if Answer.COMMITTED in answers and now < kept.drawn_at + COMMIT_SECONDS + REVEAL_SECONDS:
            return JobStatus.REVEALING
        return JobStatus.SETTLEABLE

    # -- what others do ----------------------------------------------------------------------------------------------

    def request(self, what: JobOrder | None = None) -> int:
        """Somebody requests a job."""
        what = what or order()
        job = len(self.state.jobs) + 1
        charges = tuple(JobCharge(INPUT, PoolId(7), Wei(10)) for _ in what.inputs)
        request = JobRequest(REQUESTER, what, charges, job, Epoch(1), self.head_block.timestamp)
        self.state.jobs[job] = Kept(request, terms_of(request))
        self.mine()
        return job

    def status(self, job: int) -> JobStatus:
        """Where a job stands now."""
        return self._status(self.state.jobs.get(job), self.head_block.timestamp)

    def drawn(self, job: int, *nodes: int) -> None:
        """Somebody draws a job, and these nodes are its panel."""
        kept = self.state.jobs[job]
        kept.nodes = tuple(map(NodeId, nodes))
        kept.drawn_at, kept.drawn_block = self.head_block.timestamp, self.head_block.number + 1
        self.mine()

    def answers(self, job: int) -> list[Answer]:
        """What the nodes of a panel did so far."""
        return list(self.state.jobs[job].answers.values())

    def add_trigger(self, terms: TriggerTerms, balance: int = 10_000) -> int:
        """Somebody makes and funds a trigger."""
        number = len(self.state.triggers) + 1
        self.terms_by_trigger[number] = terms
        self.state.triggers[number] = Trigger(
            TriggerId(number), REQUESTER, b"%032d" % number, BlobObjectId(1), Epoch(0), 0, Wei(balance)
        )
        self.mine()
        return number

    # -- as `JobChain` answers ---------------------------------------------------------------------------------------

    def _at(self, at: bytes) -> tuple[BlockRef, State]:
        for block, state in self.blocks:
            if block.hash == at:
                return block, state
        raise BlockUnknown("0x" + at.hex())

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""
        return self.blocks[-1 - confirmations - self.runs_ahead][0]

    async def block(self, block_hash: bytes) -> BlockRef:
        """The block with that hash."""
        return self._at(block_hash)[0]

    async def counts(self, at: bytes) -> Counts:
        """How many jobs and triggers there are."""
        state = self.state if self.runs_ahead else self._at(at)[1]
        return Counts(len(state.jobs), len(state.triggers))

    async def jobs(self, numbers: Sequence[int], at: bytes) -> tuple[Job, ...]:
        """Jobs as a block has them."""
        block, state = self._at(at)
        return tuple(self._view(number, state.jobs.get(number), block) for number in numbers)

    def _view(self, number: int, kept: Kept | None, block: BlockRef) -> Job:
        status = self._status(kept, block.timestamp)
        if kept is None or status is JobStatus.OVER:
            return Job(JobId(number), status, bytes(32), 0, 0, (), ())
        answers = tuple(kept.answers.get(place, Answer.NONE) for place in range(len(kept.nodes)))
        return Job(JobId(number), status, kept.terms, kept.drawn_at, kept.drawn_block, kept.nodes, answers)

    async def terms(self, job: int, digest: bytes, first_block: int) -> JobRequest | None:
        """The request of a job."""
        if self.hides_logs:
            return None
        kept = self.state.jobs.get(job)
        return kept.request if kept is not None and kept.terms == digest else None

    async def agreeing(self, job: int, first_block: int) -> frozenset[NodeId] | None:
        """Whose result counts."""
        return None if self.hides_logs else self.state.jobs[job].agreeing

    async def triggers(self, numbers: Sequence[int], at: bytes) -> tuple[Trigger | None, ...]:
        """Triggers as a block has them."""
        _, state = self._at(at)
        return tuple(state.triggers.get(number) for number in numbers)

    async def trigger_terms(self, trigger: int, digest: bytes, first_block: int) -> TriggerTerms | None:
        """What a trigger does."""
        return self.terms_by_trigger.get(trigger)

    async def to_compute(self, view: Trigger, at: bytes) -> list[BlobObjectId]:
        """Certified objects that the trigger did not fire for."""
        return [BlobObjectId(one) for one in self.certified if (view.trigger, one) not in self.computed]

    async def readers(self, view: Trigger, blob_object: BlobObjectId, at: bytes) -> list[int]:
        """Accounts that bought reads since the trigger fired for them last."""
        return [one for one in self.bought if (view.trigger, one) not in self.computed]


class FakeJobHands:
    """The hands of one node."""

    def __init__(self, chain: FakeJobChain, node_id: int) -> None:
        self._chain = chain
        self._node_id = NodeId(node_id)
        self.address = Address(f"0x{node_id:040x}")

    def _begin(self, what: str, job: int) -> Kept:
        chain = self._chain
        chain.sent.append((self._node_id, what, job))
        if chain.failures:
            raise chain.failures.pop(0)
        kept = chain.state.jobs[job]
        if kept.over:
            raise JobOver(JobId(job))
        return kept

    async def draw(self, job: int, terms: JobRequest) -> object:
        """Draws the panel: the first members."""
        kept = self._begin("draw", job)
        if kept.nodes:
            raise JobAlreadyDrawn(JobId(job))
        self._chain.drawn(job, *self._chain.members[: kept.request.order.replicas])
        return None

    async def commit(self, job: int, place: int, terms: bytes, word: bytes) -> object:
        """Commits this node to a result."""
        kept = self._begin("commit", job)
        self._answer(kept, job, place, Answer.COMMITTED)
        assert kept.terms == terms
        kept.words[place] = word
        self._chain.commitments.append((self._node_id, job, terms, word))
        self._chain.mine()
        return None

    async def decline(self, job: int, place: int) -> object:
        """Tells that this node does not run a job."""
        self._answer(self._begin("decline", job), job, place, Answer.DECLINED)
        self._chain.mine()
        return None

    def _answer(self, kept: Kept, job: int, place: int, answer: Answer) -> None:
        assert kept.nodes[place] == self._node_id
        if place in kept.answers:
            raise AlreadyAnswered(JobId(job), place)
        if self._chain.head_block.timestamp >= kept.drawn_at + COMMIT_SECONDS:
            raise CommitOver(JobId(job), kept.drawn_at + COMMIT_SECONDS)
        kept.answers[place] = answer

    async def reveal(self, job: int, place: int, result: bytes, size: int, salt: bytes) -> object:
        """Shows this node's result."""
        kept = self._begin("reveal", job)
        if kept.answers.get(place) is not Answer.COMMITTED:
            raise NotCommitted(JobId(job), place)
        if kept.words[place] != commitment(JobId(job), self._node_id, result, size, salt):
            raise WrongReveal(JobId(job), place)
        kept.answers[place] = Answer.REVEALED
        kept.results[place] = result
        self._chain.mine()
        return None

    async def settle(self, job: int, terms: JobRequest) -> object:
        """Ends a job whose panel is done."""
        kept, chain = self._begin("settle", job), self._chain
        assert chain.status(job) is JobStatus.SETTLEABLE
        assert terms == kept.request
        kept.over = True
        counts = {result: list(kept.results.values()).count(result) for result in kept.results.values()}
        winner = next((result for result, count in counts.items() if 2 * count > len(kept.nodes)), None)
        agreeing = [place for place, result in kept.results.items() if result == winner]
        kept.agreeing = frozenset(kept.nodes[place] for place in agreeing if winner is not None)
        hopeless = 2 * list(kept.answers.values()).count(Answer.DECLINED) >= len(kept.nodes)
        for place, node_id in enumerate(kept.nodes):
            if place in agreeing:
                chain.state.paid[node_id] = chain.state.paid.get(node_id, 0) + terms.order.fee // len(agreeing)
            elif place in kept.results:
                chain.state.slashed |= {node_id: "lied"} if winner is not None else {}
            elif kept.answers.get(place) is Answer.COMMITTED and hopeless:
                continue
            elif kept.answers.get(place) is not Answer.DECLINED:
                chain.state.slashed[node_id] = "absent"
        if winner is None:
            chain.state.refunded += terms.cost
        chain.mine()
        return None

    async def cancel(self, job: int, terms: JobRequest) -> object:
        """Pays back a job that was not drawn."""
        kept = self._begin("cancel", job)
        assert not kept.nodes
        kept.over = True
        self._chain.state.refunded += terms.cost
        self._chain.mine()
        return None

    async def fire(self, trigger: int, terms: TriggerTerms, subject: int) -> object:
        """Requests a job of a trigger."""
        chain = self._chain
        chain.sent.append((self._node_id, "fire", trigger))
        if chain.failures:
            raise chain.failures.pop(0)
        chain.state.fired.append((trigger, subject))
        if terms.kind is not TriggerKind.EVERY_EPOCHS:
            chain.computed.add((trigger, subject))
        before = chain.state.triggers[trigger]
        epoch = Epoch(1 + (chain.head_block.timestamp - GENESIS) // 3600)
        chain.state.triggers[trigger] = Trigger(
            before.trigger,
            before.owner,
            before.terms,
            before.first_object,
            epoch,
            before.jobs + 1 if before.last == epoch else 1,
            Wei(before.balance - terms.order.fee),
        )
        chain.mine()
        return None
