"""Getting into blocks: many at once, from two places, stuck, displaced, and changing one's mind in a block."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.chain.local import ALICE, BOB, LocalNetwork, in_pool
from walrus_chain.chain.rejections import UnknownObject
from walrus_chain.chain.sender import Sender
from walrus_chain.chain.transactions import Patience
from walrus_chain.errors import TransactionDisplaced, TransactionPending
from walrus_chain.types import Address, BlobId, Wei

pytestmark = pytest.mark.integration
BOB_ADDRESS = Address(BOB.address)


@pytest.fixture
async def manual(network: LocalNetwork) -> LocalNetwork:
    """The network, on a chain that makes blocks only when told."""
    await network.rpc("evm_setAutomine", False)
    return network


async def mine_until_done(network: LocalNetwork, *calls: asyncio.Task[object]) -> None:
    """Makes blocks until the calls have ended."""
    while not all(call.done() for call in calls):
        await network.rpc("evm_mine")
        await asyncio.sleep(0.01)


async def test_send__forty_at_once__all_arrive_with_distinct_nonces(network: LocalNetwork) -> None:
    receipts = await asyncio.gather(*(network.register(BlobId(bytes([place + 1]) * 32)) for place in range(40)))
    assert sorted(receipt.objects[0] for receipt in receipts) == list(range(1, 41))
    assert len({receipt.transaction for receipt in receipts}) == 40


async def test_send__some_refused_among_others__leaves_no_gap(network: LocalNetwork) -> None:
    results = await asyncio.gather(
        *(network.register(epochs=2 if place % 2 else 10_000) for place in range(10)), return_exceptions=True
    )
    assert [isinstance(result, Exception) for result in results] == [True, False] * 5
    assert (await network.chain.parameters()).objects == 5


async def test_send__from_two_senders_of_one_account__both_go_on(network: LocalNetwork) -> None:
    other = Sender(network.chain, ALICE)
    for _ in range(3):
        await network.alice.send_wal(BOB_ADDRESS, Wei(1))
        await other.send_wal(BOB_ADDRESS, Wei(1))
    assert (await network.chain.balances(BOB_ADDRESS)).wal == 6


async def test_send__many_in_one_block__each_gets_its_receipt(manual: LocalNetwork) -> None:
    calls = [asyncio.create_task(manual.register(BlobId(bytes([place + 1]) * 32))) for place in range(5)]
    await in_pool(manual, 5)
    await mine_until_done(manual, *calls)
    receipts = [call.result() for call in calls]
    assert len({receipt.block for receipt in receipts}) == 1
    assert sorted(receipt.objects[0] for receipt in receipts) == [1, 2, 3, 4, 5]


async def test_send__refused_only_in_the_block__says_why(network: LocalNetwork) -> None:
    blob = (await network.register()).objects[0]
    await network.rpc("evm_setAutomine", False)
    calls = [asyncio.create_task(network.alice.delete(blob)) for _ in range(2)]
    await in_pool(network, 2)
    await mine_until_done(network, *calls)
    failures = [call.exception() for call in calls if call.exception() is not None]
    assert len(failures) == 1
    assert isinstance(failures[0], UnknownObject)


async def test_send__stuck__is_replaced_with_higher_fees(manual: LocalNetwork) -> None:
    patient = Sender(manual.chain, ALICE, Patience(stuck_after=0.2))
    call = asyncio.create_task(patient.send_wal(BOB_ADDRESS, Wei(3)))
    await in_pool(manual, 1)
    first = await only_transaction(manual)
    second = await another_transaction(manual, first)
    await mine_until_done(manual, call)
    assert (await manual.chain.balances(BOB_ADDRESS)).wal == 3
    assert call.result().transaction == second


async def another_transaction(network: LocalNetwork, known: str) -> str:
    """The hash of the one transaction that waits for a block, as soon as it is no more the known one."""
    while True:
        waiting = await only_transaction(network)
        if waiting != known:
            return waiting
        await asyncio.sleep(0.02)


async def only_transaction(network: LocalNetwork) -> str:
    """The hash of the one transaction that waits for a block."""
    content = await network.rpc("txpool_content")
    assert isinstance(content, dict)
    (sender,) = content["pending"].values()
    (transaction,) = sender.values()
    return str(transaction["hash"])


async def test_send__place_taken_by_another__says_it_never_happened(manual: LocalNetwork) -> None:
    patient = Sender(manual.chain, ALICE, Patience(stuck_after=0.3))
    call = asyncio.create_task(patient.send_wal(BOB_ADDRESS, Wei(3)))
    await in_pool(manual, 1)
    mine = await only_transaction(manual)
    await manual.rpc("anvil_dropTransaction", mine)
    nonce = int(str(await manual.rpc("eth_getTransactionCount", ALICE.address, "latest")), 16)
    rival = ALICE.sign_transaction(
        {
            "type": 2,
            "chainId": 31337,
            "nonce": nonce,
            "to": BOB.address,
            "value": 1,
            "gas": 21000,
            "maxFeePerGas": 10**10,
            "maxPriorityFeePerGas": 10**9,
        }
    )
    await manual.rpc("eth_sendRawTransaction", "0x" + rival.raw_transaction.hex())
    await mine_until_done(manual, call)
    with pytest.raises(TransactionDisplaced) as caught:
        call.result()
    assert (caught.value.nonce, caught.value.transaction) == (nonce, mine)
    await manual.rpc("evm_setAutomine", True)
    await patient.send_wal(BOB_ADDRESS, Wei(4))
    assert (await manual.chain.balances(BOB_ADDRESS)).wal == 4


async def test_send__never_in_a_block__gives_up_with_the_hash(manual: LocalNetwork) -> None:
    patient = Sender(manual.chain, ALICE, Patience(stuck_after=60, give_up_after=0.2))
    with pytest.raises(TransactionPending) as caught:
        await patient.send_wal(BOB_ADDRESS, Wei(3))
    assert caught.value.transaction == await only_transaction(manual)


async def test_send__base_fee_leaps_between_two_calls__offers_more(network: LocalNetwork) -> None:
    await network.alice.send_wal(BOB_ADDRESS, Wei(1))
    await network.rpc("anvil_setNextBlockBaseFeePerGas", hex(500 * 10**9))
    await network.rpc("evm_mine")
    await network.rpc("anvil_setNextBlockBaseFeePerGas", hex(500 * 10**9))
    receipt = await network.alice.send_wal(BOB_ADDRESS, Wei(1))
    assert receipt.gas_price >= 500 * 10**9
    assert receipt.fee == receipt.gas_used * receipt.gas_price


async def test_send__reorganisation_threw_an_earlier_one_out__later_ones_still_arrive(network: LocalNetwork) -> None:
    patient = Sender(network.chain, ALICE, Patience(stuck_after=0.2))
    await patient.send_wal(BOB_ADDRESS, Wei(3))
    await network.rpc("anvil_reorg", 1, [])
    assert (await network.chain.balances(BOB_ADDRESS)).wal == 0

    # Both wait for the place of the lost one, which nobody will take but the queue itself.
    await asyncio.gather(patient.send_wal(BOB_ADDRESS, Wei(20)), patient.send_wal(BOB_ADDRESS, Wei(400)))

    assert (await network.chain.balances(BOB_ADDRESS)).wal == 420, "the lost one is not sent again by itself"
