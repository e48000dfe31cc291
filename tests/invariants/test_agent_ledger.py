"""I12: whatever is sent again, and wherever the agent restarts, its ledger stays what the first time made of it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storage_agent.keys.journal import root_of
from storage_agent.keys.release import Released
from storage_agent.store.access import NonceUsed
from tests.fakes.access_chain import FakeAccessChain, verdict
from tests.fakes.key_desk import EPOCH_SECONDS, Bench, epoch_at
from tests.unit.agent.keys.conftest import CHANNEL, DEPOSIT, FREE, PAID, POOL, PRICE
from walrus_chain.errors import WalrusError
from walrus_chain.messages.receipt import Receipt
from walrus_chain.types import Wei

T = TypeVar("T")


class LedgerMachine(RuleBasedStateMachine):
    """A node's desk, and what it should have written."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        chain = FakeAccessChain()
        self.bench = Bench(chain, self.folder)
        chain.now.rules = {FREE: verdict(), PAID: verdict(price=PRICE, pool=POOL)}
        chain.open_channel(CHANNEL, self.bench.reader.wallet.address, POOL, DEPOSIT)
        chain.mine(20)
        self.answered: list[dict[str, Any]] = []
        self.receipts: list[bytes] = []
        self.paid: dict[int, int] = {}
        """By sequence the cumulative amount of the voucher that was taken."""
        self.redeemed_upto = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it."""
        return asyncio.run(work)

    def released(self, body: dict[str, Any]) -> Released:
        """A body that must be answered."""
        released = self.run(self.bench.release(body))
        self.answered.append(body)
        self.receipts.append(released.receipt.digest)
        return released

    @rule(sequence=st.integers(0, 3))
    def read_for_free(self, sequence: int) -> None:
        self.released(self.bench.body(sequence=sequence))

    @rule(sequence=st.integers(0, 3), cumulative=st.integers(1, 8))
    def pay(self, sequence: int, cumulative: int) -> None:
        use: dict[str, Any] = {"blob_object": PAID, "sequence": sequence}
        body = self.bench.body(**use, voucher=self.bench.reader.voucher(CHANNEL, cumulative * PRICE, PRICE, **use))
        if sequence in self.paid or cumulative * PRICE not in self.paid.values():
            self.released(body)
            self.paid.setdefault(sequence, cumulative * PRICE)
        else:
            self.refused(body)

    @rule(sequence=st.integers(0, 3))
    def read_again(self, sequence: int) -> None:
        body = self.bench.body(blob_object=PAID, sequence=sequence)
        if sequence in self.paid:
            self.released(body)
        else:
            self.refused(body)

    @precondition(lambda self: bool(self.answered))
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        body = data.draw(st.sampled_from(self.answered))
        try:
            self.run(self.bench.release(body))
        except NonceUsed:
            return
        except WalrusError:
            return  # by now it has expired as well
        raise AssertionError("a request was answered twice")

    def refused(self, body: dict[str, Any]) -> None:
        """A body that must not be answered."""
        try:
            self.run(self.bench.release(body))
        except WalrusError:
            return
        raise AssertionError("a use was not paid, and was served")

    @rule()
    def restart(self) -> None:
        self.bench.restart()

    @rule(times=st.integers(1, 2))
    def an_epoch_passes(self, times: int) -> None:
        self.bench.chain.mine(times, EPOCH_SECONDS)

    @rule(times=st.integers(1, 2))
    def seal(self, times: int) -> None:
        epoch = epoch_at(self.bench.chain.head_block.timestamp)
        for _ in range(times):
            self.run(self.bench.ledger.seal(epoch, root_of))

    @rule(upto=st.integers(0, 8), times=st.integers(1, 2))
    def redeemed(self, upto: int, times: int) -> None:
        for _ in range(times):
            self.run(self.bench.ledger.note_redeemed(CHANNEL, Wei(upto * PRICE)))
        self.redeemed_upto = max(self.redeemed_upto, upto * PRICE)

    @invariant()
    def receipts_are_those_that_went_out(self) -> None:
        rows = self.bench.ledger.receipts(limit=1000)
        assert [row.receipt.digest for row in rows] == self.receipts
        assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        slots = [row.slot for row in rows]
        assert slots == sorted(slots, key=lambda slot: (slot.epoch, slot.place))
        assert len(set(slots)) == len(slots)
        assert all(Receipt.from_data(row.receipt.data).index == row.slot.place for row in rows)

    @invariant()
    def sealed_epochs_keep_their_root(self) -> None:
        epochs = tuple({row.slot.epoch for row in self.bench.ledger.receipts(limit=1000)})
        for epoch, anchor in self.bench.ledger.anchors(epochs).items():
            leaves = self.bench.ledger.digests(epoch)
            assert (anchor.root, anchor.count) == (root_of(leaves), len(leaves))

    @invariant()
    def best_voucher_is_kept_until_redeemed(self) -> None:
        best = max(self.paid.values(), default=0)
        owed = [promise.cumulative for promise in self.bench.ledger.promises()]
        assert owed == ([best] if best > self.redeemed_upto else [])

    def teardown(self) -> None:
        self.bench.stop()
        shutil.rmtree(self.folder)


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
