"""Does on chain what the releases of keys ask for: redeems vouchers, anchors receipts, settles pools, attests erasure.

What to redeem and when is decided by `storage_agent.state.collecting`. Everything starts from the ledger and from what
the chain says now, so a crash, a lost race or a reorganisation needs no care: what is not on chain is done again. A
thing counts as done only when a block that has `confirmations` others after it shows it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from storage_agent.observe import Metrics
from storage_agent.state.collecting import ChannelStanding, CollectingRules, Owed, to_redeem, wait_for
from storage_agent.store.access import Promise
from storage_agent.store.ledger import Ledger
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.payment_rejections import NothingToRedeem
from walrus_chain.chain.policy_rejections import ReceiptsAnchoredBefore
from walrus_chain.errors import Misuse, NotEnoughGasMoney, Rejected, Retryable, WalrusError
from walrus_chain.types import WAL_DECIMALS, Address, BlobObjectId, Epoch, NodeId, Wei

_log = logging.getLogger(__name__)

#: Nothing can be had from a channel that was closed for good.
_ALL: Final = Wei(2**128 - 1)
_NO_ROOT: Final = bytes(32)
_DOUBLINGS: Final = 6
#: Pools that are asked about, epochs that are anchored and erasures that are attested in one look at most.
_POOLS_A_LOOK: Final = 4
_ANCHORS_A_LOOK: Final = 8
_ATTESTATIONS_A_LOOK: Final = 8
_KEYS_A_PAGE: Final = 100
#: Anybody may have keys made for all objects: what is urgent does not wait for all of them to be looked at.
_PAGES_A_LOOK: Final = 4
#: Looks between two at the keys that are to be destroyed: they are not released any more anyway.
_LOOKS_AN_ERASURE: Final = 4


class Duty(StrEnum):
    """Something that is looked after, the most urgent first."""

    REDEEM = "redeem"
    """Redeem vouchers."""
    ERASE = "erase"
    """Destroy keys whose time has come."""
    ATTEST = "attest-erasure"
    """Say on chain which keys are gone."""
    ANCHOR = "anchor"
    """Anchor the receipts of epochs that are over."""
    SETTLE_POOL = "settle-pool"
    """Have pools pay the nodes their part."""


class AccessDuties(Protocol):
    """Whoever knows what is to do; `storage_agent.watch.access.AccessChain` does. All raise what endpoints raise."""

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block that has `confirmations` blocks after it."""

    async def channels(self, numbers: Sequence[int], at: bytes) -> tuple[ChannelStanding, ...]:
        """Channels as they are in a block, in the order asked; one that is not there has no deposit."""

    async def anchored(self, node_id: NodeId, epochs: Sequence[Epoch], at: bytes) -> tuple[bytes, ...]:
        """The roots that a node anchored, as they are in a block; 32 zero bytes where it did not."""

    async def owed_to_nodes(self, pool: int) -> Wei:
        """What settling a pool would bring the nodes now."""

    async def destroy_times(self, blob_objects: Sequence[BlobObjectId], at: bytes) -> tuple[int, ...]:
        """From when on no key of the objects is released, as a block has it; 0 for never."""


class Sent(Protocol):
    """A transaction that is in a block."""

    @property
    def transaction(self) -> str:
        """Its hash."""

    @property
    def gas_used(self) -> int:
        """What it took."""


class AccessHands(Protocol):
    """Whoever sends transactions. What it raises is said in `walrus_chain.chain.sender`."""

    @property
    def address(self) -> Address:
        """The account that pays."""

    async def redeem(self, promises: Sequence[Promise]) -> Sent:
        """Redeems vouchers."""

    async def anchor(self, node_id: NodeId, epoch: Epoch, root: bytes, count: int) -> Sent:
        """Anchors the receipts of an epoch."""

    async def settle_pool(self, pool: int) -> Sent:
        """Has a pool pay the nodes and the protocol."""

    async def attest_destruction(self, node_id: NodeId, blob_object: BlobObjectId, public_key: bytes) -> Sent:
        """States that the private key of `public_key` is gone."""


@dataclass(slots=True)
class _Pause:
    """After a failure: how often it failed in a row, and when to try again."""

    attempts: int = 0
    until: float = 0.0


class Collector:
    """Looks after what releases of keys leave behind. One an agent."""

    def __init__(
        self,
        rules: CollectingRules,
        ledger: Ledger,
        source: AccessDuties,
        hands: AccessHands,
        epoch_at: Callable[[int], Epoch],
        epoch_start: Callable[[Epoch], int],
        root_of: Callable[[list[bytes]], bytes],
        destroy: Callable[[BlobObjectId], Awaitable[None]],
        quiet: Callable[[], bool],
        too_expensive: Callable[[], Awaitable[bool]],
        metrics: Metrics,
        *,
        confirmations: int,
        minimum_settle: Wei,
        acts: bool = True,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """
        Args:
            epoch_at: the epoch of a time, seconds since 1970.
            epoch_start: when an epoch begins.
            root_of: the root over the digests of an epoch's receipts.
            destroy: makes an object's own key be gone; doing it again does no harm.
            quiet: whether a proof of custody is due, before which nothing is sent that can wait.
            too_expensive: whether gas costs more than what can wait is worth.
            confirmations: blocks after which something counts as done.
            minimum_settle: what a pool must owe the nodes before it is settled.
            acts: whether anything is sent. Keys are destroyed in any case: it was promised to those the data is about.
        """
        self._rules = rules
        self._ledger = ledger
        self._source = source
        self._hands = hands
        self._epoch_at = epoch_at
        self._epoch_start = epoch_start
        self._root_of = root_of
        self._destroy = destroy
        self._quiet = quiet
        self._too_expensive = too_expensive
        self._metrics = metrics
        self._confirmations = confirmations
        self._minimum_settle = minimum_settle
        self._acts = acts
        self._sleep = sleep
        self._since: dict[tuple[int, bool], float] = {}
        """When a channel was first seen to owe enough, and when to be closing."""
        self._owed: dict[int, Owed] = {}
        """What each channel owed when it was looked at last."""
        self._look_again: dict[int, float] = {}
        """When a channel that owes little, and is not closing, is looked at again."""
        self._small: dict[int, Epoch] = {}
        """The epoch in which a pool was found to owe the nodes too little."""
        self._sealed = Epoch(0)
        self._erase_at = 0.0
        self._erase_after = BlobObjectId(0)
        """The key that was looked at last; the next look begins behind it."""
        self._pauses = {duty: _Pause() for duty in Duty}
        self._problems: dict[Duty, str] = {}
        for duty in Duty:
            metrics.transactions.labels(duty)
            metrics.transaction_failures.labels(duty)

    @property
    def problems(self) -> list[str]:
        """What keeps the agent from looking after it, in words."""
        return [f"{duty}: {problem}" for duty, problem in self._problems.items()]

    async def run(self) -> None:
        """Look after it until cancelled."""
        while True:
            await self.look()
            await self._sleep(self._rules.pace)

    async def look(self) -> None:
        """Look once, and do what is due."""
        try:
            head = await self._source.head(0)
            sure = await self._source.head(self._confirmations)
        except WalrusError as error:
            _log.warning("the chain does not say what time it is: %s", error)
            return
        steps = {
            Duty.REDEEM: self._redeem,
            Duty.ERASE: self._erase,
            Duty.ATTEST: self._attest,
            Duty.ANCHOR: self._anchor,
            Duty.SETTLE_POOL: self._settle,
        }
        for duty, step in steps.items():
            pause = self._pauses[duty]
            if head.timestamp < pause.until or not (self._acts or duty is Duty.ERASE):
                continue
            try:
                await step(head, sure)
            except Exception as error:  # noqa: BLE001 - logged; one duty that fails must not keep others from being done
                self._note_failure(duty, error)
                first = self._rules.keeping.first_pause
                pause.until = head.timestamp + first * (1 << min(pause.attempts, _DOUBLINGS))
                pause.attempts += 1
            else:
                self._problems.pop(duty, None)
                pause.attempts = 0

    # -- money -------------------------------------------------------------------------------------------------------

    async def _redeem(self, head: BlockRef, sure: BlockRef) -> None:
        promises = {promise.channel: promise for promise in self._ledger.promises()}
        self._owed = {number: owed for number, owed in self._owed.items() if number in promises}
        numbers = [number for number, promise in promises.items() if self._is_due_for_a_look(promise, head)]
        now = await self._source.channels(numbers, head.hash)
        settled = now if sure.hash == head.hash else await self._source.channels(numbers, sure.hash)
        for number, present, final in zip(numbers, now, settled, strict=True):
            promise = promises[number]
            if final.closed and present.closed:
                await self._ledger.note_redeemed(number, _ALL)
                self._owed.pop(number, None)
            elif final.redeemed >= promise.cumulative:
                await self._ledger.note_redeemed(number, promise.cumulative)
                self._owed.pop(number, None)
            else:
                worth = present.worth(promise.cumulative)
                self._owed[number] = Owed(number, promise.cumulative, worth, present.closes_at)
                self._look_again[number] = head.timestamp + self._rules.patience(self._owed[number])
        owed = list(self._owed.values())
        self._look_again = {number: at for number, at in self._look_again.items() if number in self._owed}
        self._metrics.vouchers_owed.set(sum(one.worth for one in owed) / 10**WAL_DECIMALS)
        since = self._seen(owed, head.timestamp)
        waits = await self._must_wait()
        due = to_redeem(owed, since, self._rules, head.timestamp, closing_only=waits)
        if not due:
            return
        for one in due:
            self._look_again.pop(one.channel, None)
        if await self._send(Duty.REDEEM, self._hands.redeem([promises[one.channel] for one in due])):
            self._metrics.redeemed.inc(sum(one.worth for one in due) / 10**WAL_DECIMALS)

    def _is_due_for_a_look(self, promise: Promise, head: BlockRef) -> bool:
        """Whether a channel is to be asked about: what owes little is only seen to in time to notice its closing."""
        known = self._owed.get(promise.channel)
        if known is None or known.cumulative != promise.cumulative:
            return True
        return head.timestamp >= self._look_again.get(promise.channel, 0.0)

    def _seen(self, owed: Sequence[Owed], now: float) -> dict[int, float]:
        """For each channel since when it is as it is. What somebody redeemed begins anew."""
        enough = [one for one in owed if one.worth and (one.closes_at or one.worth >= self._rules.minimum_redeem)]
        keys = {one.channel: (one.channel, one.closes_at > 0) for one in enough}
        self._since = {key: self._since.get(key, now) for key in keys.values()}
        return {one.channel: self._since.get((one.channel, one.closes_at > 0), now) for one in owed}

    async def _settle(self, head: BlockRef, _: BlockRef) -> None:
        epoch = self._epoch_at(head.timestamp)
        if await self._must_wait():
            return
        waiting = [pool for pool in self._ledger.incomes(epoch) if self._small.get(pool) != epoch]
        for pool in waiting[:_POOLS_A_LOOK]:
            if head.timestamp < self._epoch_start(epoch) + wait_for(self._rules.keeping, f"settle:{pool}", epoch):
                continue
            owed = await self._source.owed_to_nodes(pool)
            if 0 < owed < self._minimum_settle:
                self._small[pool] = epoch
                continue
            if owed:
                await self._send(Duty.SETTLE_POOL, self._hands.settle_pool(pool))
            self._small.pop(pool, None)
            await self._ledger.forget_income(pool)

    # -- receipts ----------------------------------------------------------------------------------------------------

    async def _anchor(self, head: BlockRef, sure: BlockRef) -> None:
        epoch = self._epoch_at(sure.timestamp)
        if epoch > self._sealed:
            await self._ledger.seal(epoch, self._root_of)
            self._sealed = epoch
        anchors = self._ledger.to_anchor()[-_ANCHORS_A_LOOK:]
        if not anchors:
            return
        me, epochs = self._rules.keeping.node_id, [anchor.epoch for anchor in anchors]
        now = await self._source.anchored(me, epochs, head.hash)
        settled = now if sure.hash == head.hash else await self._source.anchored(me, epochs, sure.hash)
        other: OtherRootAnchored | None = None
        for anchor, present, final in zip(anchors, now, settled, strict=True):
            if anchor.root == final:
                await self._ledger.note_anchored(anchor.epoch)
                self._metrics.anchored_epochs.inc()
            elif present not in (_NO_ROOT, anchor.root):
                other = OtherRootAnchored(anchor.epoch, anchor.root, present)
            elif present == _NO_ROOT and self._may_anchor(anchor.epoch, head) and not await self._must_wait():
                await self._send(Duty.ANCHOR, self._hands.anchor(me, anchor.epoch, anchor.root, anchor.count))
        if other is not None:
            raise other

    def _may_anchor(self, epoch: Epoch, head: BlockRef) -> bool:
        following = Epoch(epoch + 1)
        begin = self._epoch_start(following) + wait_for(self._rules.keeping, "anchor", following)
        return head.timestamp >= begin and self._epoch_at(head.timestamp) > epoch

    async def _must_wait(self) -> bool:
        return self._quiet() or await self._too_expensive()

    # -- keys of objects that are to be erased -----------------------------------------------------------------------

    async def _erase(self, head: BlockRef, sure: BlockRef) -> None:
        if head.timestamp < self._erase_at:
            return
        for _ in range(_PAGES_A_LOOK):
            rows = self._ledger.erasables_left(self._erase_after, _KEYS_A_PAGE)
            if not rows:
                self._erase_after = BlobObjectId(0)
                self._erase_at = head.timestamp + _LOOKS_AN_ERASURE * self._rules.pace
                return
            # Noted first: keys that nobody can be asked about must not keep others from being looked at.
            self._erase_after = rows[-1].blob_object
            there = [row.blob_object for row in rows if row.destroyed_at is None]
            times = await self._source.destroy_times(there, sure.hash) if there else ()
            due = [number for number, time in zip(there, times, strict=True) if time and time <= sure.timestamp]
            for number in due:
                await self._destroy(number)
                self._metrics.destroyed_keys.inc()

    async def _attest(self, _: BlockRef, __: BlockRef) -> None:
        gone = self._ledger.destroyed_unattested(_ATTESTATIONS_A_LOOK)
        for row in gone:
            # Perhaps the agent was stopped between the note and the deed.
            await self._destroy(row.blob_object)
            if await self._must_wait():
                return
            node_id = self._rules.keeping.node_id
            await self._send(Duty.ATTEST, self._hands.attest_destruction(node_id, row.blob_object, row.public_key))
            await self._ledger.note_attested(row.blob_object)

    # -- transactions ------------------------------------------------------------------------------------------------

    async def _send(self, duty: Duty, sending: Awaitable[Sent]) -> bool:
        """Wait for a transaction; whether there was still something to do for it."""
        try:
            sent = await sending
        except (NothingToRedeem, ReceiptsAnchoredBefore) as refusal:
            _log.debug("nothing left to do: %s", refusal, extra={"action": duty})
            return False
        self._metrics.transactions.labels(duty).inc()
        fields = {"action": duty, "transaction": sent.transaction, "gas": sent.gas_used}
        _log.info("done on chain", extra=fields)
        return True

    def _note_failure(self, duty: Duty, error: Exception) -> None:
        self._metrics.transaction_failures.labels(duty).inc()
        fields = {"action": duty}
        match error:
            case NotEnoughGasMoney():
                words = f"send the chain's own currency to {self._hands.address}, the node's signing key: {error}"
                _log.error("cannot pay for %s: %s", duty, words, extra=fields)
            case Rejected() | Retryable():
                words = str(error)
                _log.warning("%s failed and is tried again: %s", duty, words, extra=fields)
            case WalrusError():
                words = str(error)
                _log.error("%s failed: %s", duty, words, extra=fields)
            case _:
                words = f"{type(error).__name__}: {error}"
                _log.error("%s failed unexpectedly", duty, extra=fields, exc_info=error)
        self._problems[duty] = words


class OtherRootAnchored(Misuse):
    """Another root than that of this agent's receipts is anchored for its node."""

    def __init__(self, epoch: Epoch, own: bytes, anchored: bytes) -> None:
        super().__init__(
            f"for epoch {epoch} the root 0x{anchored.hex()} is anchored, the receipts here have 0x{own.hex()}; "
            "does another agent use this node's key, or was its data folder lost?"
        )
        self.epoch, self.own, self.anchored = epoch, own, anchored
