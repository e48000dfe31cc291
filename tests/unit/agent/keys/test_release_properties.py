"""I9: whatever is sent, a share goes out only when the policy allowed it, and after payment and receipt are on disk."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from storage_agent.keys.release import Released
from storage_agent.keys.request import KeyRequest
from tests.fakes.access_chain import ACCESS, UNKNOWN, FakeAccessChain, verdict
from tests.fakes.key_desk import Bench
from tests.fakes.spoiling import spoilt
from tests.unit.agent.keys.conftest import CHANNEL, DEPOSIT, FREE, PAID, POOL, PRICE
from walrus_chain.chain.policy_views import Verdict
from walrus_chain.errors import RpcUnavailable, WalrusError
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.types import Wei

VERDICTS = st.builds(
    verdict,
    allowed=st.booleans(),
    reason=st.sampled_from(["", "NotListed", "KeysDestroyed"]),
    price=st.sampled_from([0, PRICE, PRICE + 1]),
    pool=st.sampled_from([POOL, POOL + 1]),
    key_epoch=st.sampled_from([1, 1, 2]),
)


def made(folder: Path) -> Bench:
    """A node, and a reader with a channel."""
    chain = FakeAccessChain()
    bench = Bench(chain, folder)
    chain.open_channel(CHANNEL, bench.reader.wallet.address, POOL, DEPOSIT)
    chain.mine(20)
    return bench


def bodies(bench: Bench) -> list[dict[str, Any]]:
    """Requests that are right if the policy says so: free, paid by voucher, and another reader's."""
    voucher = bench.reader.voucher(CHANNEL, 2 * PRICE, PRICE, blob_object=PAID)
    return [
        bench.body(),
        bench.body(blob_object=PAID, voucher=voucher),
        bench.body(bench.another("somebody else")),
    ]


def check(bench: Bench, body: dict[str, Any], before: int, came: Released | Exception) -> None:
    """A share went out for good reason, or nothing went out and nothing was written."""
    rows = bench.ledger.receipts()
    if not isinstance(came, Released):
        assert isinstance(came, WalrusError), repr(came)
        assert len(rows) == before
        return
    asked = KeyRequest.from_data(body)
    request, grant = asked.request, asked.grant
    [state] = [state for block, state in bench.chain.blocks if block.hash == request.block_hash]
    decided: Verdict = state.rules.get(request.blob_object, UNKNOWN)
    assert decided.allowed
    assert grant.requester not in state.revoked
    assert decided.key_epoch == request.key_epoch
    assert request.node == bench.node_id
    grant.verify(asked.grant_signature, ACCESS)
    request.verify(asked.request_signature, grant, ACCESS)
    assert len(rows) == before + 1
    receipt = Receipt.from_data(rows[-1].receipt.data)
    assert receipt.request == request.digest(ACCESS)
    payment = bench.ledger.payment_of(request.use(grant.requester).digest(ACCESS))
    assert payment is not None
    if decided.price:
        assert payment.paid_by is not PaidBy.FREE
        assert payment.amount > 0


async def attempt(bench: Bench, body: dict[str, Any]) -> None:
    """Send a body, and see that what came of it is right."""
    before = len(bench.ledger.receipts())
    came: Released | Exception
    try:
        came = await bench.release(body)
    except Exception as error:  # noqa: BLE001 - looked at
        came = error
    check(bench, body, before, came)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_i9__spoilt_requests_and_any_policy__no_share_without_permission_and_payment(data: st.DataObject) -> None:
    async def run(folder: Path) -> None:
        bench = made(folder)
        try:
            for number in (FREE, PAID):
                bench.chain.now.rules[number] = data.draw(VERDICTS)
            if data.draw(st.booleans()):
                bench.chain.now.revoked.add(bench.reader.wallet.address)
            bench.chain.mine()
            valid = bodies(bench)
            for _ in range(data.draw(st.integers(1, 4))):
                chosen = data.draw(st.sampled_from(valid))
                await attempt(bench, data.draw(spoilt(chosen, valid)))
        finally:
            bench.stop()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@settings(max_examples=40, deadline=None)
@given(failures=st.lists(st.booleans(), max_size=6), paid=st.booleans(), sequence=st.integers(0, 2**64 - 1))
def test_i9__chain_fails_anywhere__nothing_is_released_nor_written(
    failures: list[bool], paid: bool, sequence: int
) -> None:
    async def run(folder: Path) -> None:
        bench = made(folder)
        try:
            bench.chain.now.rules = {FREE: verdict(), PAID: verdict(price=PRICE, pool=POOL)}
            bench.chain.mine()
            number = PAID if paid else FREE
            voucher = bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=number, sequence=sequence)
            body = bench.body(blob_object=number, sequence=sequence, voucher=voucher if paid else None)
            for fails in failures:
                if fails:
                    bench.chain.failures = [RpcUnavailable("eth_call", {"rpc": "down"})]
                await attempt(bench, body)
                bench.chain.failures = []
            assert len(bench.ledger.receipts()) <= 1
            assert sum(promise.cumulative for promise in bench.ledger.promises()) in (0, PRICE)
        finally:
            bench.stop()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@settings(max_examples=60, deadline=None)
@given(stretches=st.lists(st.tuples(st.integers(1, DEPOSIT + 50), st.integers(1, 300), st.integers(0, 5)), max_size=12))
def test_i8__any_vouchers_in_any_order__what_was_taken_is_payable_in_full(
    stretches: list[tuple[int, int, int]],
) -> None:
    async def run(folder: Path) -> None:
        bench = made(folder)
        try:
            bench.chain.now.rules = {PAID: verdict(price=1, pool=POOL)}
            bench.chain.mine()
            for cumulative, amount, sequence in stretches:
                voucher = bench.reader.voucher(CHANNEL, cumulative, amount, blob_object=PAID, sequence=sequence)
                await attempt(bench, bench.body(blob_object=PAID, sequence=sequence, voucher=voucher))
            receipts = [Receipt.from_data(row.receipt.data) for row in bench.ledger.receipts()]
            taken = {receipt.use: receipt.amount for receipt in receipts}
            best = max((promise.cumulative for promise in bench.ledger.promises()), default=Wei(0))
            assert sum(taken.values()) <= best <= DEPOSIT
        finally:
            bench.stop()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))
