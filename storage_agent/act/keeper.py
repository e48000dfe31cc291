"""Acts on chain for the node and for the network: looks what is due, does it, looks again.

What to do is decided by `storage_agent.state.keeping`; here it is done. Each transaction repeats what the chain asked
for a moment ago, so doing it twice is refused before it costs anything, and a crash in between loses nothing. Whatever
goes wrong is logged with what to do about it and tried again. Nothing that the chain or its endpoints do ends the
agent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from storage_agent.act.sweeping import EntrySource, find_removal
from storage_agent.observe import Metrics
from storage_agent.state import keeping
from storage_agent.state.keeping import EPOCHS_A_CALL, Action, Custody, Memory, Rules, Task
from walrus_chain.chain.economy_rejections import (
    AlreadyOpened,
    AlreadyProved,
    AlreadyReported,
    NothingToProve,
    NotOpeningTime,
    NotReportingTime,
    NoWindow,
    PoolBehind,
    SweepWhileOpen,
    TallyNotDue,
    UnknownEntry,
    WindowClosed,
)
from walrus_chain.chain.economy_rejections import StillDue as StillAskedAbout
from walrus_chain.chain.rejections import (
    ChangeUnderWay,
    CommitteeAlreadySelected,
    CustodyWindowOpen,
    NothingPending,
    NothingSelected,
)
from walrus_chain.chain.transactions import Patience, Receipt
from walrus_chain.chain.views import ChainDuties
from walrus_chain.errors import NotEnoughGasMoney, Rejected, Retryable, WalrusError
from walrus_chain.types import WAL_DECIMALS, Address, Epoch, NodeId, ShardIndex, Wei

_log = logging.getLogger(__name__)

#: Somebody else did it, or its time is over: as good as done.
_SETTLED_OTHERWISE: Final = (
    AlreadyOpened,
    AlreadyProved,
    AlreadyReported,
    ChangeUnderWay,
    CommitteeAlreadySelected,
    CustodyWindowOpen,
    NoWindow,
    NothingPending,
    NothingSelected,
    NothingToProve,
    NotOpeningTime,
    NotReportingTime,
    StillAskedAbout,
    SweepWhileOpen,
    TallyNotDue,
    UnknownEntry,
)
#: What is done at any price of gas: not doing it costs the node stake or pay.
_AT_ANY_PRICE: Final = frozenset({Action.PROVE, Action.SYNC})
_NATIVE_UNIT: Final = 10**18
_GWEI: Final = 10**9
#: Attempts to replace a stuck transaction; each offers a third more.
_BUMPS: Final = 10


class Duties(EntrySource, Protocol):
    """Whoever knows what is to do; `walrus_chain.chain.economy.Economy` does."""

    async def duties_of(self, node_id: NodeId) -> ChainDuties:
        """What there is to do on chain now, for everybody and for one node."""

    async def reward_of(self, node_id: NodeId, epoch: Epoch) -> Wei:
        """What a node earned in an epoch that is over, commission included."""


class Hands(Protocol):
    """Whoever sends transactions; `walrus_chain.chain.sender.Sender` does. What it raises is said there."""

    @property
    def address(self) -> Address:
        """The account that pays."""

    async def prove_custody(self, node_id: NodeId, proofs: bytes) -> Receipt:
        """Proves that a node holds what the present window asks of it."""

    async def capture_seed(self, epoch: Epoch) -> Receipt:
        """Reads and keeps the seed of an epoch's window."""

    async def epoch_sync_done(self, node_id: NodeId) -> Receipt:
        """Signals that the shards that came to a node are there."""

    async def open_window(self) -> Receipt:
        """Opens the custody window of the present epoch."""

    async def advance_epoch(self) -> Receipt:
        """Puts the selected committee in office."""

    async def select_committee(self) -> Receipt:
        """Fixes the committee of the epoch that is due."""

    async def tally_prices(self) -> Receipt:
        """Counts the votes for the next prices."""

    async def settle(self, node_id: NodeId, maximum: int) -> Receipt:
        """Brings the rewards of at most `maximum` epochs into a node's pool."""

    async def report_miss(self, epoch: Epoch, node_id: NodeId) -> Receipt:
        """Reports a closed window without a proof."""

    async def burn_unearned(self, maximum: int) -> Receipt:
        """Burns what nobody earned in at most `maximum` epochs."""

    async def sweep(self, size_class: int, indexes: tuple[int, ...]) -> Receipt:
        """Removes entries whose objects are over."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the node stands on chain, as the keeper saw it last."""

    epoch: Epoch
    custody: Custody
    """In the present epoch."""
    closes: int
    """When the present epoch's window closes, seconds since 1970."""
    syncing: tuple[ShardIndex, ...]
    """Shards that came to the node and that it did not signal yet, ascending."""


def patience_for(epoch_seconds: int, stuck_seconds: float) -> Patience:
    """How long a transaction may take in a network whose epochs last so long.

    It is bumped early enough that several higher offers are made before a window of half an epoch closes.
    """
    stuck_after = min(stuck_seconds, max(0.5, epoch_seconds / 20))
    return Patience(stuck_after, _BUMPS * stuck_after)


class _ChainClock:
    """The chain's time between two blocks, by the agent's own clock: what a block said, and what has passed since.

    Of the blocks seen in some time the one tells best that was seen soonest after it was made. Older ones are
    forgotten, as clocks drift.
    """

    def __init__(self, memory_seconds: float) -> None:
        self._memory_seconds = memory_seconds
        self._ahead: deque[tuple[float, float]] = deque()
        """By how much the chain was ahead, and when that was seen; falling, so the first is the largest."""

    def saw(self, timestamp: int, now: float) -> None:
        """Note the time of the newest block."""
        ahead = timestamp - now
        while self._ahead and self._ahead[-1][0] <= ahead:
            self._ahead.pop()
        self._ahead.append((ahead, now))
        while now - self._ahead[0][1] > self._memory_seconds:
            self._ahead.popleft()

    def at(self, now: float) -> float:
        """The chain's time, seconds since 1970."""
        return now + self._ahead[0][0]


class Keeper:
    """Keeps the chain going, and the node in its good books. One an agent."""

    def __init__(
        self,
        rules: Rules,
        source: Duties,
        hands: Hands,
        prove: Callable[[Epoch], Awaitable[bytes]],
        synced: Callable[[], bool],
        gas_price: Callable[[], Awaitable[int]],
        metrics: Metrics,
        clock: Callable[[], float],
        *,
        highest_gas_price: int = 0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            source: what there is to do.
            hands: sends with the node's key.
            prove: builds the proof for an epoch's window.
            synced: whether all that belongs on the shards that came to the node is here.
            gas_price: what the chain asks for a unit of gas now, in wei of its own currency.
            clock: seconds of a clock that only goes forward.
            highest_gas_price: above it only what concerns the node alone is done; 0: everything at any price.
        """
        self._rules = rules
        self._source = source
        self._hands = hands
        self._prove = prove
        self._synced = synced
        self._gas_price = gas_price
        self._metrics = metrics
        self._clock = clock
        self._highest_gas_price = highest_gas_price
        self._sleep = sleep
        self._memory = Memory()
        self._duties: ChainDuties | None = None
        self._chain_clock = _ChainClock(rules.epoch_seconds / 4)
        self._under_way: set[Action] = set()
        self._wake = asyncio.Event()
        self._counted: set[tuple[Epoch, Custody]] = set()
        self._problems: dict[Action | None, str] = {}  # none: asking what is due
        for action in Action:
            metrics.transactions.labels(action)
            metrics.transaction_failures.labels(action)
            metrics.gas_spent.labels(action)
        for state in (Custody.DUE, Custody.PROVED, Custody.MISSED):
            metrics.custody_windows.labels(state)

    @property
    def standing(self) -> Standing | None:
        """How the node stands; none before the chain was asked."""
        if self._duties is None:
            return None
        epoch = self._duties.current_epoch
        custody = self._memory.custody.get(epoch, Custody.NONE)
        return Standing(epoch, custody, self._duties.closes, tuple(sorted(self._duties.pending)))

    @property
    def proving(self) -> bool:
        """Whether a proof of custody is due, before which nothing should be sent that can wait."""
        return self._duties is not None and self._duties.prove

    @property
    def problems(self) -> list[str]:
        """What keeps the agent from acting on chain, in words; empty while nothing does."""
        return [f"{action or 'duties'}: {problem}" for action, problem in self._problems.items()]

    async def run(self) -> None:
        """Act until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                seconds = await self.look(group)
                await self._rest(seconds)

    async def look(self, group: asyncio.TaskGroup) -> float:
        """Ask the chain once, and begin what is due, in `group`; seconds until the next look."""
        try:
            self._duties = await self._source.duties_of(self._rules.node_id)
        except WalrusError as error:
            self._problems[None] = str(error)
            _log.warning("the chain does not say what is due: %s", error)
            return self._rules.pace
        except Exception as error:  # noqa: BLE001 - the trace is kept; the agent goes on serving
            self._problems[None] = f"{type(error).__name__}: {error}"
            _log.exception("what the chain says is due cannot be read")
            return self._rules.pace
        self._chain_clock.saw(self._duties.timestamp, self._clock())
        now = self._now()
        plan = keeping.plan(self._duties, self._memory, self._rules, now, synced=self._synced())
        self._memory = plan.memory
        self._problems = {action: words for action, words in self._problems.items() if action in plan.to_do}
        self._show()
        for task in plan.due:
            if task.action not in self._under_way:
                self._under_way.add(task.action)
                group.create_task(self._perform(task, self._duties))
        return plan.look_at - now

    def _now(self) -> float:
        """The chain's time."""
        return self._chain_clock.at(self._clock())

    async def _rest(self, seconds: float) -> None:
        """Until the time is over, or something was done."""
        sleeping = asyncio.ensure_future(self._sleep(max(0.0, seconds)))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((sleeping, waking), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _perform(self, task: Task, duties: ChainDuties) -> None:
        """Make one attempt, and note how it went."""
        began = self._clock()
        try:
            done = await self._attempt(task, duties, began)
        finally:
            self._under_way.discard(task.action)
        note = keeping.succeeded if done else keeping.failed
        self._memory = note(self._memory, task, self._now())
        self._wake.set()

    async def _attempt(self, task: Task, duties: ChainDuties, began: float) -> bool:
        """Do a task; whether it is done, by whomever."""
        fields = {"action": task.action, "epoch": task.epoch, "node": task.node_id}
        try:
            if await self._too_expensive(task.action):
                return False
            receipt = await self._send(task, duties)
        except _SETTLED_OTHERWISE as refusal:
            _log.debug("nothing left to do: %s", refusal, extra=fields)
            self._problems.pop(task.action, None)
            return True
        except Exception as error:  # noqa: BLE001 - logged; one duty that fails must not keep others from being done
            self._note_failure(task, error)
            return False
        self._problems.pop(task.action, None)
        if receipt is None:
            return True
        self._metrics.transactions.labels(task.action).inc()
        self._metrics.gas_spent.labels(task.action).inc(receipt.fee / _NATIVE_UNIT)
        if task.action is Action.PROVE:
            self._metrics.proof_seconds.observe(self._clock() - self._seen(task, began))
        _log.info("done on chain", extra={**fields, "transaction": receipt.transaction, "gas": receipt.gas_used})
        return True

    async def _send(self, task: Task, duties: ChainDuties) -> Receipt | None:
        """Do it; the receipt, or none when nothing had to be sent."""
        hands, me = self._hands, self._rules.node_id
        match task.action:
            case Action.PROVE:
                return await hands.prove_custody(me, await self._prove(task.epoch))
            case Action.CAPTURE:
                return await hands.capture_seed(task.epoch)
            case Action.SYNC:
                return await hands.epoch_sync_done(me)
            case Action.OPEN:
                return await hands.open_window()
            case Action.ADVANCE:
                return await hands.advance_epoch()
            case Action.SELECT:
                return await hands.select_committee()
            case Action.TALLY:
                return await hands.tally_prices()
            case Action.SETTLE:
                return await self._settle(duties)
            case Action.REPORT:
                return await self._report(task)
            case Action.BURN:
                return await hands.burn_unearned(EPOCHS_A_CALL)
            case Action.SWEEP:
                removal = await find_removal(self._source, task.epoch, keeping.jitter(me, task))
                return None if removal is None else await hands.sweep(removal.size_class, removal.indexes)

    async def _report(self, task: Task) -> Receipt:
        """Report a miss. A pool that nobody settled for long is settled first: else its node could not be slashed."""
        try:
            return await self._hands.report_miss(task.epoch, task.node_id)
        except PoolBehind as behind:
            _log.info("settling the pool of node %d first: %s", task.node_id, behind)
            for _ in range(behind.settled, behind.current_epoch, EPOCHS_A_CALL):
                await self._hands.settle(task.node_id, EPOCHS_A_CALL)
        return await self._hands.report_miss(task.epoch, task.node_id)

    async def _settle(self, duties: ChainDuties) -> Receipt:
        receipt = await self._hands.settle(self._rules.node_id, EPOCHS_A_CALL)
        over = range(duties.settled, min(duties.current_epoch, duties.settled + EPOCHS_A_CALL))
        with suppress(WalrusError):  # it is settled all the same; only the count lacks something
            for epoch in over:
                reward = await self._source.reward_of(self._rules.node_id, Epoch(epoch))
                self._metrics.rewards.inc(reward / 10**WAL_DECIMALS)
        return receipt

    async def _too_expensive(self, action: Action) -> bool:
        if not self._highest_gas_price or action in _AT_ANY_PRICE:
            return False
        price = await self._gas_price()
        if price <= self._highest_gas_price:
            return False
        most = self._highest_gas_price / _GWEI
        _log.info("%s waits: gas costs %.3g gwei, keeper.gas_price_gwei is %.3g", action, price / _GWEI, most)
        return True

    def _note_failure(self, task: Task, error: Exception) -> None:
        self._metrics.transaction_failures.labels(task.action).inc()
        fields = {"action": task.action, "epoch": task.epoch, "node": task.node_id}
        match error:
            case NotEnoughGasMoney():
                words = f"send the chain's own currency to {self._hands.address}, the node's signing key: {error}"
                _log.error("cannot pay for %s: %s", task.action, words, extra=fields)
            case WindowClosed():
                words = f"{error}; look for what kept it: earlier log lines, the chain's endpoints, the key's balance"
                _log.error("custody of epoch %d was not proved: %s", task.epoch, words, extra=fields)
            case Rejected() | Retryable():
                words = str(error)
                _log.warning("%s failed and is tried again: %s", task.action, words, extra=fields)
            case WalrusError():
                words = str(error)
                _log.error("%s failed: %s", task.action, words, extra=fields)
            case _:
                words = f"{type(error).__name__}: {error}"
                _log.error("%s failed unexpectedly", task.action, extra=fields, exc_info=error)
        self._problems[task.action] = words

    def _seen(self, task: Task, began: float) -> float:
        """When the task was first seen, by the agent's own clock."""
        trace = self._memory.traces.get(task)
        return began if trace is None else min(began, trace.since - self._now() + self._clock())

    def _show(self) -> None:
        """Bring gauges and counters up to date."""
        duties, metrics = self._duties, self._metrics
        assert duties is not None
        for epoch, state in self._memory.custody.items():
            self._count(epoch, state)
        self._counted = {(epoch, state) for epoch, state in self._counted if epoch in self._memory.custody}
        metrics.epoch.set(duties.current_epoch)
        metrics.proof_due.set(duties.prove)
        left = (duties.closes - self._now()) / (self._rules.epoch_seconds / 2)
        metrics.window_left.set(max(0.0, min(1.0, left)))

    def _count(self, epoch: Epoch, state: Custody) -> None:
        """Count a state once an epoch; a window that was answered, or missed, also asked."""
        if state is Custody.NONE or (epoch, state) in self._counted:
            return
        self._counted.add((epoch, state))
        self._metrics.custody_windows.labels(state).inc()
        self._count(epoch, Custody.DUE)
