"""Fires triggers: requests the jobs that owners paid for beforehand, when there is a reason.

Anybody may fire a trigger, so every agent looks, and they take turns. What was fired is on chain; nothing
of it is remembered here but how far objects were looked through, which a restart finds again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from storage_agent.observe import Metrics
from storage_agent.state.jobs import NodeRules
from storage_agent.store.jobs import JobStore
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import Trigger, TriggerKind, TriggerTerms
from walrus_chain.errors import Rejected, Retryable, WalrusError
from walrus_chain.types import BlobObjectId, Epoch, NodeId

_log = logging.getLogger(__name__)

_TRIGGERS_A_LOOK: Final = 100
_FIRST_PAUSE: Final = 5.0
_DOUBLINGS: Final = 10


def is_due(trigger: Trigger, terms: TriggerTerms, epoch: Epoch) -> bool:
    """Whether a trigger may fire in an epoch, as far as the clock and its balance say. What pays nobody is nobody's."""
    if not terms.order.fee or trigger.balance < terms.order.fee:
        return False
    if terms.kind is TriggerKind.EVERY_EPOCHS:
        return not trigger.last or epoch >= trigger.last + terms.epochs
    return jobs_left(trigger, terms, epoch) > 0


def jobs_left(trigger: Trigger, terms: TriggerTerms, epoch: Epoch) -> int:
    """How many jobs a trigger may still request in an epoch, and can pay."""
    left = terms.per_epoch - (trigger.jobs if trigger.last == epoch else 0)
    return min(left, trigger.balance // max(1, terms.order.fee))


class TriggerSource(Protocol):
    """Whoever knows triggers; `storage_agent.watch.jobs.JobChain` does. All raise what endpoints raise."""

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""

    async def triggers(self, numbers: Sequence[int], at: bytes) -> tuple[Trigger | None, ...]:
        """Triggers as a block has them; none where there is none."""

    async def trigger_terms(self, trigger: int, digest: bytes, first_block: int) -> TriggerTerms | None:
        """The terms of a trigger that was made near that block or later; none when they are not found."""

    async def to_compute(self, view: Trigger, at: bytes) -> list[BlobObjectId]:
        """Certified objects of the trigger's owner that it has not fired for."""

    async def readers(self, view: Trigger, blob_object: BlobObjectId, at: bytes) -> list[int]:
        """Accounts, as numbers, that bought reads of an object since the trigger fired for them last."""


class TriggerHands(Protocol):
    """Whoever sends transactions. What it raises is said in `walrus_chain.chain.sender`."""

    async def fire(self, trigger: int, terms: TriggerTerms, subject: int) -> object:
        """Requests a job of a trigger."""


@dataclass(slots=True)
class _Pause:
    attempts: int = 0
    until: float = 0.0


class TriggerFirer:
    """Fires triggers. One an agent."""

    def __init__(
        self,
        rules: NodeRules,
        source: TriggerSource,
        hands: TriggerHands,
        store: JobStore,
        epoch_at: Callable[[int], Epoch],
        members: Callable[[], Collection[NodeId]],
        quiet: Callable[[], bool],
        metrics: Metrics,
        pace: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            epoch_at: the epoch of a time, seconds since 1970.
            members: of the committee, as this node knows it.
            quiet: whether a proof of custody is due, before which nothing is sent that can wait.
            pace: seconds between two looks.
        """
        self._rules = rules
        self._source = source
        self._hands = hands
        self._store = store
        self._epoch_at = epoch_at
        self._members = members
        self._quiet = quiet
        self._metrics = metrics
        self._pace = pace
        self._sleep = sleep
        self._terms: dict[bytes, TriggerTerms] = {}
        """By their hash; so a reorganisation needs no care."""
        self._since: dict[tuple[int, int, Epoch], float] = {}
        """When a reason was first seen."""
        self._pauses: dict[tuple[int, int], _Pause] = {}

    async def run(self) -> None:
        """Fire triggers until cancelled."""
        while True:
            try:
                await self.look()
            except (WalrusError, TimeoutError) as error:
                _log.warning("triggers cannot be looked at: %s", error)
            await self._sleep(self._pace)

    async def look(self) -> None:
        """Look at all triggers once, and fire those that are due.

        Raises: what endpoints raise.
        """
        if self._quiet():
            return
        head = await self._source.head(0)
        after, reasons = 0, set()
        while rows := self._store.triggers(after, _TRIGGERS_A_LOOK):
            after = rows[-1][0]
            views = await self._source.triggers([number for number, _ in rows], head.hash)
            for (_, first_block), view in zip(rows, views, strict=True):
                if view is not None:
                    reasons |= await self._try_considering(view, first_block, head)
        self._since = {reason: since for reason, since in self._since.items() if reason in reasons}

    async def _try_considering(self, view: Trigger, first_block: int, head: BlockRef) -> set[tuple[int, int, Epoch]]:
        """Fire a trigger that is due. Trouble with one does not keep others from being fired."""
        try:
            return await self._consider(view, first_block, head)
        except (WalrusError, TimeoutError) as error:
            _log.warning("trigger %d cannot be looked at: %s", view.trigger, error, extra={"trigger": view.trigger})
            return {reason for reason in self._since if reason[0] == view.trigger}

    async def _consider(self, view: Trigger, first_block: int, head: BlockRef) -> set[tuple[int, int, Epoch]]:
        """Fire a trigger that is due, as often as it may; the reasons that are seen."""
        if not view.balance:
            return set()
        terms = self._terms.get(view.terms)
        if terms is None:
            terms = await self._source.trigger_terms(view.trigger, view.terms, first_block)
            if terms is None:
                return set()
            self._terms[view.terms] = terms
        epoch = self._epoch_at(head.timestamp)
        if not is_due(view, terms, epoch):
            return set()
        reasons: set[tuple[int, int, Epoch]] = set()
        for subject in (await self._subjects(view, terms, head))[: jobs_left(view, terms, epoch)]:
            reason = (view.trigger, subject, epoch)
            reasons.add(reason)
            since = self._since.setdefault(reason, float(head.timestamp))
            wait = self._rules.wait_for(f"fire:{view.trigger}:{subject}:{epoch}", self._members())
            if head.timestamp >= since + wait:
                await self._fire(view, terms, subject, head)
        return reasons

    async def _subjects(self, view: Trigger, terms: TriggerTerms, head: BlockRef) -> list[int]:
        match terms.kind:
            case TriggerKind.EVERY_EPOCHS:
                return [0]
            case TriggerKind.ON_CERTIFY:
                return [int(number) for number in await self._source.to_compute(view, head.hash)]
            case TriggerKind.ON_PAYMENT:
                return await self._source.readers(view, terms.order.inputs[0], head.hash)

    async def _fire(self, view: Trigger, terms: TriggerTerms, subject: int, head: BlockRef) -> None:
        key = (view.trigger, subject)
        pause = self._pauses.get(key)
        if pause is not None and head.timestamp < pause.until:
            return
        fields = {"trigger": view.trigger, "subject": subject}
        try:
            await self._hands.fire(view.trigger, terms, subject)
        except (Rejected, Retryable) as error:
            # Another one was first, or the policy says no.
            pause = self._pauses.setdefault(key, _Pause())
            pause.until = head.timestamp + _FIRST_PAUSE * 2 ** min(pause.attempts, _DOUBLINGS)
            pause.attempts += 1
            _log.info("trigger %d was not fired: %s", view.trigger, error, extra=fields)
        else:
            self._pauses.pop(key, None)
            self._metrics.triggers_fired.inc()
            _log.info("a trigger was fired", extra=fields)
