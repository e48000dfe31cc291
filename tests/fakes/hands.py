"""A `DutyChain` as the keeper's loop sees it: questions that may fail, transactions that wait for their block.

Time is the loop's; on a `JumpingLoop` a day takes a moment.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from storage_agent.state.keeping import Action, Task
from tests.fakes.duty_chain import DutyChain
from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.chain.transactions import Receipt
from walrus_chain.chain.views import ChainDuties
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId, Wei

GAS, GAS_PRICE = 100_000, 10**9
REWARD = Wei(3 * 10**18)


class Endpoint:
    """Answers questions, and has blocks made."""

    def __init__(self, chain: DutyChain) -> None:
        self.chain = chain
        self.outages: list[Exception] = []
        """What the next questions about duties raise."""
        self.entries_by_class: dict[int, list[BlobObjectId]] = {}
        self.ends: dict[BlobObjectId, Epoch] = {}
        self.gas_price = GAS_PRICE
        self._mined = asyncio.Event()

    async def run(self) -> None:
        """Make blocks for ever."""
        while True:
            await asyncio.sleep(self.chain.block_seconds)
            self.chain.mine()
            self._mined.set()

    async def wait_until(self, time: float) -> None:
        """Until the newest block is not older than a time."""
        while self.chain.now < time:
            self._mined.clear()
            await self._mined.wait()

    async def ask_gas_price(self) -> int:
        """What a unit of gas costs."""
        return self.gas_price

    async def duties_of(self, node_id: NodeId) -> ChainDuties:
        """What there is to do."""
        if self.outages:
            raise self.outages.pop(0)
        return self.chain.duties_of(node_id)

    async def reward_of(self, node_id: NodeId, epoch: Epoch) -> Wei:
        """The same for everybody in every epoch."""
        return REWARD

    async def entry_counts(self) -> tuple[int, ...]:
        """Entries by size class."""
        return tuple(len(self.entries_by_class.get(size_class, ())) for size_class in range(32))

    async def entries(self, size_class: int, first: int, count: int) -> tuple[BlobObjectId, ...]:
        """A page of a class."""
        return tuple(self.entries_by_class[size_class][first : first + count])

    async def asked_until(self, blob_objects: Sequence[BlobObjectId]) -> tuple[Epoch, ...]:
        """When each is over."""
        return tuple(self.ends[number] for number in blob_objects)


class Hand:
    """One node's key: sends, and waits for the block."""

    def __init__(self, endpoint: Endpoint, node_id: NodeId) -> None:
        self.chain = endpoint.chain
        self.node_id = node_id
        self.failures: dict[Action, list[Exception]] = {}
        """What the next transactions of an action raise instead of being sent."""
        self.under_way: Counter[Action] = Counter()
        self.most_at_once: Counter[Action] = Counter()
        self.proofs: list[bytes] = []
        self.settled: list[tuple[NodeId, int]] = []
        self.swept: list[tuple[int, tuple[int, ...]]] = []

    @property
    def address(self) -> Address:
        """The account that pays."""
        return Address("0x00000000000000000000000000000000000000A1")

    async def prove_custody(self, node_id: NodeId, proofs: bytes) -> Receipt:
        """Like `Sender.prove_custody`."""
        receipt = await self._send(Action.PROVE, self.chain.epoch, node_id)
        self.proofs.append(proofs)
        return receipt

    async def capture_seed(self, epoch: Epoch) -> Receipt:
        """Like `Sender.capture_seed`."""
        return await self._send(Action.CAPTURE, epoch)

    async def epoch_sync_done(self, node_id: NodeId) -> Receipt:
        """Like `Sender.epoch_sync_done`."""
        return await self._send(Action.SYNC, self.chain.epoch, node_id)

    async def open_window(self) -> Receipt:
        """Like `Sender.open_window`."""
        return await self._send(Action.OPEN, self.chain.epoch)

    async def advance_epoch(self) -> Receipt:
        """Like `Sender.advance_epoch`."""
        return await self._send(Action.ADVANCE, self.chain.epoch)

    async def select_committee(self) -> Receipt:
        """Like `Sender.select_committee`."""
        return await self._send(Action.SELECT, self.chain.epoch)

    async def tally_prices(self) -> Receipt:
        """Like `Sender.tally_prices`."""
        return await self._send(Action.TALLY, self.chain.epoch)

    async def settle(self, node_id: NodeId, maximum: int) -> Receipt:
        """Like `Sender.settle`."""
        self.settled.append((node_id, maximum))
        return await self._send(Action.SETTLE, self.chain.epoch, node_id)

    async def report_miss(self, epoch: Epoch, node_id: NodeId) -> Receipt:
        """Like `Sender.report_miss`."""
        return await self._send(Action.REPORT, epoch, node_id)

    async def burn_unearned(self, maximum: int) -> Receipt:
        """Like `Sender.burn_unearned`."""
        return await self._send(Action.BURN, self.chain.epoch)

    async def sweep(self, size_class: int, indexes: Sequence[int]) -> Receipt:
        """Like `Sender.sweep`; takes a block's time."""
        await asyncio.sleep(self.chain.block_seconds)
        self.swept.append((size_class, tuple(indexes)))
        return self._receipt()

    async def _send(self, action: Action, epoch: Epoch, node_id: NodeId | None = None) -> Receipt:
        self.under_way[action] += 1
        self.most_at_once[action] = max(self.most_at_once[action], self.under_way[action])
        try:
            return await self._until_mined(Task(action, epoch, node_id or self.node_id))
        finally:
            self.under_way[action] -= 1

    async def _until_mined(self, task: Task) -> Receipt:
        if failures := self.failures.get(task.action):
            raise failures.pop(0)
        if (refusal := self.chain.refusal_of(self.node_id, task)) is not None:
            raise refusal()
        landed: asyncio.Future[ContractRejection | None] = asyncio.get_running_loop().create_future()

        def land(rejection: ContractRejection | None) -> None:
            if not landed.done():
                landed.set_result(rejection)

        self.chain.send(self.node_id, task, land)
        rejection = await landed
        if rejection is not None:
            raise rejection
        return self._receipt()

    def _receipt(self) -> Receipt:
        return Receipt("0x" + "00" * 32, self.chain.block, GAS, GAS_PRICE, None, ())
