"""What an agent does on chain, and when: pure, from what the chain says is to do and what was tried.

Nobody is appointed to keep the chain going: whatever is due may be done by anybody, so every agent watches, and one
does it. Each waits a while that is its own, drawn from node, epoch and action; the first wins, and the others see that
it is done. Waiting times are drawn as in RFC 5740 (NORM), section 5.4.1.2: most are long and few are short, so that the
first is alone however many wait. What only this node can do it does at once, a proof of custody before everything else.

All times are the chain's, seconds since 1970. Spans follow from the length of an epoch, be it 20 seconds or weeks.
Nothing here has to survive: a memory that was lost costs a waiting time, not a duty (ADR 16).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from walrus_chain.chain.views import ChainDuties, Miss
from walrus_chain.types import Epoch, NodeId

#: Epochs whose rewards, or rests, one transaction handles.
EPOCHS_A_CALL: Final = 32
#: How many agents the waiting times are made for; many more or fewer cost some races, or some time.
_CROWD: Final = 100
_STEEPNESS: Final = math.log(_CROWD) + 1
_LONGEST_SPAN: Final = 900.0
_LONGEST_WATCH: Final = 1800.0
_NO_SEED: Final = bytes(32)
_DOUBLINGS: Final = 6


class Action(StrEnum):
    """Something an agent does on chain, the most urgent first."""

    PROVE = "prove"
    """Prove that the node holds what it is asked for; this reads the seed too."""
    CAPTURE = "capture"
    """Read the seed of a window, before the chain forgets it."""
    SYNC = "sync"
    """Say that the shards that came to the node are here."""
    OPEN = "open"
    """Open the custody window: without one nobody is paid."""
    ADVANCE = "advance"
    """Put the selected committee in office."""
    SELECT = "select"
    """Select the next committee."""
    TALLY = "tally"
    """Count the votes for prices."""
    SETTLE = "settle"
    """Bring the node's rewards into its pool."""
    REPORT = "report"
    """Report another node's missing proof."""
    BURN = "burn"
    """Burn what nobody earned."""
    SWEEP = "sweep"
    """Remove objects that are over from those that nodes are asked about."""


#: What waits while a proof of this node is due, or about to be: a transaction that gets stuck holds up those after it.
_HOUSEKEEPING: Final = frozenset({Action.TALLY, Action.SETTLE, Action.REPORT, Action.BURN, Action.SWEEP})
#: What no other agent does in this one's stead, so that there is nobody to wait for.
_OWN: Final = frozenset({Action.PROVE, Action.SYNC})
#: What is in no hurry at all.
_LEISURELY: Final = frozenset({Action.SETTLE, Action.BURN, Action.SWEEP})


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, once."""

    action: Action
    epoch: Epoch
    """Whose window, committee or books it is about."""
    node_id: NodeId
    """Who missed, for a report; else the node itself."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is remembered of a task."""

    since: float
    """When it was first seen to be due."""
    tried: float | None = None
    """When the last attempt ended."""
    attempts: int = 0
    done: bool = False
    """The last attempt did it, or found it done. What the chain asks for all the same is tried again."""


class Custody(StrEnum):
    """How a node stands in the custody window of an epoch."""

    NONE = "none"
    """It is not asked, as far as one can see: no window yet, no seed yet, no blobs, or no shards that are due."""
    DUE = "due"
    """It is asked and did not prove yet."""
    PROVED = "proved"
    MISSED = "missed"
    """The window closed without its proof."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What one agent does, and how fast its network lives."""

    node_id: NodeId
    epoch_seconds: int
    report_misses: bool = True
    sweep: bool = True

    @property
    def span(self) -> float:
        """The longest that anybody waits for others, in seconds: a sixteenth of an epoch, at most 15 minutes."""
        return min(_LONGEST_SPAN, self.epoch_seconds / 16)

    @property
    def pace(self) -> float:
        """Seconds between two looks at the chain while nothing is near."""
        return _within(0.25, self.epoch_seconds / 60, 30.0)

    @property
    def quick_pace(self) -> float:
        """Seconds between two looks while a seed is awaited or a proof is due."""
        return _within(0.1, self.epoch_seconds / 200, 1.0)

    @property
    def first_pause(self) -> float:
        """Seconds from the first attempt to the second; twice as many to the third, and so on."""
        return _within(0.25, self.epoch_seconds / 120, 15.0)


@dataclass(frozen=True, slots=True)
class Memory:
    """What an agent remembers between two looks at the chain."""

    traces: Mapping[Task, Trace] = field(default_factory=lambda: MappingProxyType({}))
    custody: Mapping[Epoch, Custody] = field(default_factory=lambda: MappingProxyType({}))
    """How the node stood in the newest epochs."""
    awaited: tuple[Epoch, float] | None = None
    """The epoch whose seed is awaited, and since when."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, and when to look again."""

    due: tuple[Task, ...]
    """The most urgent first."""
    to_do: frozenset[Action]
    """All that the chain asks for, be its time come or not."""
    look_at: float
    """When to ask the chain again, by its clock; sooner does no harm."""
    memory: Memory


def plan(duties: ChainDuties, memory: Memory, rules: Rules, now: float, *, synced: bool) -> Plan:
    """What to do on chain now.

    Args:
        duties: what the chain said last.
        now: the chain's time, as far as the agent can tell; not before `duties.timestamp`. It goes on while no block
            comes. What is due is the chain's to say; this is for waiting.
        synced: whether all that belongs on the shards that came to the node is here.
    """
    times = _Times(duties, rules)
    awaited = _awaited(duties, memory, times, now)
    waiting = awaited is not None and now - awaited[1] < _within(5.0, rules.epoch_seconds / 8, _LONGEST_WATCH)
    quiet = duties.prove or waiting
    tasks = list(_tasks(duties, times, rules, synced=synced))
    traces = _traces(memory, tasks, duties.current_epoch, now)
    due: list[Task] = []
    looks = [now + (rules.quick_pace if waiting else rules.pace)]
    looks += [moment for moment in times.moments if moment > now]
    for task in tasks:
        trace = traces[task]
        if quiet and task.action in _HOUSEKEEPING:
            continue
        begin = _begin(task, trace, times, rules, behind=duties.current_epoch - duties.settled)
        if begin <= now:
            due.append(task)
        else:
            looks.append(begin)
    custody = _custody(duties, memory.custody, rules, times, now)
    kept = Memory(MappingProxyType(traces), MappingProxyType(custody), awaited)
    return Plan(tuple(due), frozenset(task.action for task in tasks), min(looks), kept)


def succeeded(memory: Memory, task: Task, now: float) -> Memory:
    """`memory` after a task was done, by this agent or by another. It is done again if the chain still asks for it."""
    memory = _noted(memory, task, lambda trace: replace(trace, tried=now, attempts=trace.attempts + 1, done=True))
    if task.action is Action.PROVE:
        memory = replace(memory, custody=MappingProxyType({**memory.custody, task.epoch: Custody.PROVED}))
    return memory


def failed(memory: Memory, task: Task, now: float) -> Memory:
    """`memory` after an attempt that did not work out."""
    return _noted(memory, task, lambda trace: replace(trace, tried=now, attempts=trace.attempts + 1, done=False))


def jitter(node_id: NodeId, task: Task) -> float:
    """A number of a node's own for a task: 0 to below 1, evenly spread over nodes, epochs and actions."""
    text = f"{node_id}:{task.action}:{task.epoch}:{task.node_id}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def backed_off(share: float) -> float:
    """The share of a span that one of many waits: evenly spread shares, 0 to 1, become mostly long ones."""
    return math.log1p(share * math.expm1(_STEEPNESS)) / _STEEPNESS


class _Times:
    """The moments of the present epoch."""

    def __init__(self, duties: ChainDuties, rules: Rules) -> None:
        length = rules.epoch_seconds
        self.closes = duties.closes
        self.start = duties.closes - length * 3 // 4
        self.opens = self.start + length // 4
        self.half = self.start + length // 2
        self.next_start = self.start + length
        self.moments = (self.opens, self.half, self.closes, self.next_start) if duties.closes else ()


def _tasks(duties: ChainDuties, times: _Times, rules: Rules, *, synced: bool) -> Iterator[Task]:
    """All that is to do, the most urgent first."""
    me, current = rules.node_id, duties.current_epoch
    flags = {
        Action.PROVE: duties.prove,
        Action.CAPTURE: duties.capture,
        Action.OPEN: duties.open,
        Action.ADVANCE: duties.advance,
        Action.TALLY: duties.tally,
        # When nobody is asked any more: a window keeps all entries in their places.
        Action.SWEEP: rules.sweep and duties.timestamp >= times.closes,
    }
    if not duties.office_epoch:
        return
    for action in Action:
        match action:
            case Action.SYNC:
                if synced and duties.pending:
                    yield Task(action, duties.office_epoch, me)
            case Action.REPORT:
                # Its own misses are left to others: the agent acts for its operator.
                reported = [miss for miss in duties.misses if rules.report_misses and miss.node_id != me]
                yield from (Task(action, miss.epoch, miss.node_id) for miss in reported)
            case Action.SELECT:
                if duties.select:
                    yield Task(action, current if duties.timestamp < times.half else Epoch(current + 1), me)
            case Action.SETTLE:
                if duties.settled < current and current > 1:
                    yield Task(action, Epoch(duties.settled + 1), me)
            case Action.BURN:
                if duties.burned_through + 1 < current:
                    yield Task(action, Epoch(duties.burned_through + 1), me)
            case _ if flags[action]:
                yield Task(action, current, me)


def _traces(memory: Memory, tasks: Sequence[Task], current: Epoch, now: float) -> dict[Task, Trace]:
    """What is remembered of what is to do, and of what was tried.

    What somebody else did is forgotten. Should it be to do again, after a reorganisation or because an endpoint lags,
    all wait anew instead of rushing.
    """
    tried = {task: trace for task, trace in memory.traces.items() if trace.tried is not None}
    traces = {task: trace for task, trace in tried.items() if current < task.epoch + 3}
    return traces | {task: memory.traces.get(task, Trace(now)) for task in tasks}


def _begin(task: Task, trace: Trace, times: _Times, rules: Rules, behind: int) -> float:
    """When a task may be begun."""
    if trace.tried is None:
        return trace.since + _delay(task, trace, times, rules, behind)
    if task.action is Action.SWEEP and trace.done:
        return math.inf
    first = rules.quick_pace if task.action is Action.PROVE else rules.first_pause
    pause = first * (1 << min(trace.attempts - 1, _DOUBLINGS))
    if task.action is Action.PROVE:
        # The nearer the end, the more often.
        pause = min(pause, max(first, (times.closes - trace.tried) / 8))
    return trace.tried + pause


def _delay(task: Task, trace: Trace, times: _Times, rules: Rules, behind: int) -> float:
    """Seconds that a task waits, for another agent may do it."""
    if task.action in _OWN or (task.action is Action.SETTLE and behind > 1):
        return 0.0
    share = jitter(rules.node_id, task)
    if task.action in _LEISURELY:
        return share * rules.epoch_seconds / 8
    span = rules.span
    if task.action is Action.OPEN:
        span = min(span, max(0.0, times.half - trace.since) / 3)
    elif task.action is Action.CAPTURE:
        # Some chains know a block's hash for 256 blocks only.
        span = min(span, 120.0, max(0.0, times.closes - trace.since) / 3)
    return backed_off(share) * span


def _awaited(duties: ChainDuties, memory: Memory, times: _Times, now: float) -> tuple[Epoch, float] | None:
    """The epoch whose seed is awaited, and since when: its window is open or about to be, and has no seed yet."""
    unread = duties.seed == _NO_SEED and not duties.capture
    if not duties.office_epoch or not unread or not times.opens <= now < times.closes:
        return None
    if memory.awaited is not None and memory.awaited[0] == duties.current_epoch:
        return memory.awaited
    return duties.current_epoch, now


def _custody(
    duties: ChainDuties, known: Mapping[Epoch, Custody], rules: Rules, times: _Times, now: float
) -> dict[Epoch, Custody]:
    """How the node stands in the newest epochs. What was reorganised away is due again."""
    current = duties.current_epoch
    states = {epoch: state for epoch, state in known.items() if current <= epoch + 2 and epoch <= current}
    states.setdefault(current, Custody.NONE)
    for epoch, state in states.items():
        closed = epoch < current or duties.timestamp >= times.closes
        # A transaction may get into the last block of the window and be heard of later.
        over = epoch < current or (closed and now >= times.closes + rules.epoch_seconds / 20)
        if epoch == current and duties.prove:
            states[epoch] = Custody.DUE
        elif Miss(epoch, rules.node_id) in duties.misses or (state is Custody.DUE and over):
            states[epoch] = Custody.MISSED
        elif state is Custody.DUE and not closed:
            states[epoch] = Custody.PROVED
    return states


def _noted(memory: Memory, task: Task, change: Callable[[Trace], Trace]) -> Memory:
    trace = memory.traces.get(task)
    if trace is None:
        return memory
    return replace(memory, traces=MappingProxyType({**memory.traces, task: change(trace)}))


def _within(least: float, value: float, most: float) -> float:
    return max(least, min(value, most))
