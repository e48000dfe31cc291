"""A chain that knows what is due and nothing else: the rules of windows, committees, books and reports, by the block.

Time is set by the test. What nodes send waits for the next block and is then accepted, or refused as the contracts
refuse it. Blocks may be undone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from storage_agent.state.keeping import Action, Task
from walrus_chain.chain.economy_rejections import (
    AlreadyOpened,
    AlreadyProved,
    AlreadyReported,
    NothingToProve,
    NotOpeningTime,
    NotReportingTime,
    NoWindow,
    SeedTooEarly,
    TallyNotDue,
    WindowClosed,
)
from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.rejections import (
    CommitteeAlreadySelected,
    CustodyWindowOpen,
    NothingPending,
    NothingSelected,
)
from walrus_chain.chain.views import ChainDuties, Miss
from walrus_chain.errors import Bug
from walrus_chain.types import Epoch, NodeId, ShardIndex

GENESIS = 1_700_000_000
#: Makes the error; most are never needed.
Refusal = Callable[[], ContractRejection]
NEVER, FIRST = Epoch(0), Epoch(1)
SEED_BLOCKS = 2
"""From the block of the opening to the one that the seed comes from."""


@dataclass
class Window:
    """One epoch's window."""

    ticket: int
    seed: bytes = bytes(32)
    proved: set[NodeId] = field(default_factory=set)
    reported: set[NodeId] = field(default_factory=set)


@dataclass
class State:
    """All that blocks change."""

    office: Epoch = FIRST
    selected: Epoch = FIRST
    tallied: Epoch = FIRST
    burned: Epoch = NEVER
    windows: dict[Epoch, Window] = field(default_factory=dict)
    settled: dict[NodeId, Epoch] = field(default_factory=dict)
    pending: dict[NodeId, frozenset[ShardIndex]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """A transaction that waits for its block."""

    node: NodeId
    task: Task
    landed: Callable[[ContractRejection | None], None]
    """Called with the block: none when it was accepted."""


class DutyChain:
    """The chain, for nodes 1 to `nodes`, each with one shard."""

    def __init__(self, nodes: int = 4, epoch_seconds: int = 86_400, block_seconds: float = 12.0) -> None:
        self.nodes = [NodeId(number) for number in range(1, nodes + 1)]
        self.epoch_seconds = epoch_seconds
        self.block_seconds = block_seconds
        self.block = 0
        self.state = State(settled=dict.fromkeys(self.nodes, Epoch(1)))
        self.queue: list[Sent] = []
        self.accepted: list[tuple[float, NodeId, Task]] = []
        """When, by whom, what."""
        self.refused: list[tuple[float, NodeId, Task]] = []
        self._past: list[State] = []

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """The time of the newest block."""
        return GENESIS + self.block * self.block_seconds

    @property
    def epoch(self) -> Epoch:
        """The present epoch."""
        return Epoch(1 + int(self.now - GENESIS) // self.epoch_seconds)

    def start(self, epoch: int) -> int:
        """When an epoch begins."""
        return GENESIS + (epoch - 1) * self.epoch_seconds

    def closes(self, epoch: int) -> int:
        """When an epoch's window closes."""
        return self.start(epoch) + self.epoch_seconds * 3 // 4

    def mine(self) -> None:
        """One more block, with what waits."""
        self._past.append(self.state)
        self.block += 1
        waiting, self.queue = self.queue, []
        if waiting:
            self.state = copy.deepcopy(self.state)
        for sent in waiting:
            refusal = self.refusal_of(sent.node, sent.task)
            if refusal is None:
                self._apply(sent.node, sent.task)
                self.accepted.append((self.now, sent.node, sent.task))
            else:
                self.refused.append((self.now, sent.node, sent.task))
            sent.landed(refusal and refusal())

    def mine_until(self, time: float) -> None:
        """Blocks up to a time."""
        while self.now < time:
            self.mine()

    def send(self, node: NodeId, task: Task, landed: Callable[[ContractRejection | None], None]) -> None:
        """A node's transaction, for the next block."""
        self.queue.append(Sent(node, task, landed))

    def undo(self, blocks: int) -> None:
        """A reorganisation: as many blocks come again, empty."""
        self.state = self._past[-blocks]
        self._past[-blocks:] = [self.state] * blocks

    # -- what is due -------------------------------------------------------------------------------------------------

    def duties_of(self, node_id: NodeId) -> ChainDuties:
        """What there is to do."""
        state, epoch, now = self.state, self.epoch, int(self.now)
        window = state.windows.get(epoch)
        open_ = window is not None and now < self.closes(epoch)
        readable = window is not None and self._readable(window)
        return ChainDuties(
            timestamp=now,
            block=self.block,
            current_epoch=epoch,
            office_epoch=state.office,
            select=self._refusal_to_select() is None,
            advance=self._refusal_to_advance() is None,
            tally=self._refusal_to_tally() is None,
            open=self._refusal_to_open() is None,
            capture=open_ and readable and window is not None and window.seed == bytes(32),
            prove=open_ and readable and self._refusal_to_prove(node_id) is None,
            seed=bytes(32) if window is None else window.seed,
            closes=self.closes(epoch),
            pending=state.pending.get(node_id, frozenset()),
            settled=state.settled[node_id],
            burned_through=state.burned,
            misses=tuple(self._misses()),
        )

    def _readable(self, window: Window) -> bool:
        return window.seed != bytes(32) or self.block > window.ticket

    def _misses(self) -> Sequence[Miss]:
        misses: list[Miss] = []
        for epoch in (self.epoch, Epoch(self.epoch - 1)):
            window = self.state.windows.get(epoch)
            if window is not None and self.now >= self.closes(epoch) and self._readable(window):
                silent = [node for node in self.nodes if node not in window.proved and node not in window.reported]
                misses += [Miss(epoch, node) for node in silent]
        return misses

    # -- what is accepted --------------------------------------------------------------------------------------------

    def refusal_of(self, node: NodeId, task: Task) -> Refusal | None:
        """Why a node's transaction would be refused now; none when it would be accepted."""
        match task.action:
            case Action.PROVE:
                return self._refusal_to_prove(node)
            case Action.CAPTURE:
                window = self.state.windows.get(task.epoch)
                if window is None:
                    return partial(NoWindow, task.epoch)
                return None if self._readable(window) else partial(SeedTooEarly, window.ticket, self.block)
            case Action.SYNC:
                return None if self.state.pending.get(node) else partial(NothingPending, node)
            case Action.OPEN:
                return self._refusal_to_open()
            case Action.ADVANCE:
                return self._refusal_to_advance()
            case Action.SELECT:
                return self._refusal_to_select()
            case Action.TALLY:
                return self._refusal_to_tally()
            case Action.REPORT:
                return self._refusal_to_report(task.epoch, task.node_id)
            case Action.SETTLE | Action.BURN | Action.SWEEP:
                return None

    def _refusal_to_open(self) -> Refusal | None:
        start = self.start(self.epoch)
        begin, until = start + self.epoch_seconds // 4, start + self.epoch_seconds // 2
        if self.epoch in self.state.windows:
            return partial(AlreadyOpened, self.epoch)
        return None if begin <= self.now < until else partial(NotOpeningTime, self.epoch, begin, until)

    def _refusal_to_prove(self, node: NodeId) -> Refusal | None:
        window = self.state.windows.get(self.epoch)
        if window is None:
            return partial(NoWindow, self.epoch)
        if self.now >= self.closes(self.epoch):
            return partial(WindowClosed, self.epoch, self.closes(self.epoch))
        if not self._readable(window):
            return partial(SeedTooEarly, window.ticket, self.block)
        if node not in self.nodes:
            return partial(NothingToProve, self.epoch, node)
        return partial(AlreadyProved, self.epoch, node) if node in window.proved else None

    def _refusal_to_report(self, epoch: Epoch, node: NodeId) -> Refusal | None:
        window = self.state.windows[epoch]
        if not self.closes(epoch) <= self.now < self.start(epoch + 2):
            return partial(NotReportingTime, epoch, self.closes(epoch), self.start(epoch + 2))
        if node in window.reported or node in window.proved:
            return partial(AlreadyReported, epoch, node)
        return None if self._readable(window) else partial(SeedTooEarly, window.ticket, self.block)

    def _target(self) -> Epoch:
        half = self.start(self.epoch) + self.epoch_seconds // 2
        return Epoch(self.epoch + (self.now >= half))

    def _refusal_to_select(self) -> Refusal | None:
        target = self._target()
        return (
            None if target > max(self.state.office, self.state.selected) else partial(CommitteeAlreadySelected, target)
        )

    def _refusal_to_advance(self) -> Refusal | None:
        if not (self.state.selected == self.epoch > self.state.office):
            return partial(NothingSelected, self.epoch, self.state.selected)
        if self.epoch in self.state.windows and self.now < self.closes(self.epoch):
            return partial(CustodyWindowOpen, self.epoch)
        return None

    def _refusal_to_tally(self) -> Refusal | None:
        due = self._target() > self.epoch and self.state.tallied < self._target()
        return None if due else partial(TallyNotDue, self.epoch, self.state.tallied)

    def _apply(self, node: NodeId, task: Task) -> None:
        state = self.state
        match task.action:
            case Action.PROVE:
                window = state.windows[self.epoch]
                window.proved.add(node)
                window.seed = self._seed(self.epoch)
            case Action.CAPTURE:
                state.windows[task.epoch].seed = self._seed(task.epoch)
            case Action.SYNC:
                state.pending.pop(node)
            case Action.OPEN:
                state.windows[self.epoch] = Window(self.block + SEED_BLOCKS)
            case Action.ADVANCE:
                state.office = self.epoch
            case Action.SELECT:
                state.selected = self._target()
            case Action.TALLY:
                state.tallied = self._target()
            case Action.SETTLE:
                state.settled[task.node_id] = self.epoch
            case Action.REPORT:
                state.windows[task.epoch].reported.add(task.node_id)
            case Action.BURN:
                state.burned = Epoch(self.epoch - 1)
            case Action.SWEEP:
                raise Bug("nothing is there to be swept")

    def _seed(self, epoch: Epoch) -> bytes:
        return epoch.to_bytes(32, "big")
