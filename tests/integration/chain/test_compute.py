"""Jobs and triggers on a real chain, through `Sender.compute` and `Chain.compute`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import encode
from eth_account import Account

from tests.integration.chain.local import ALICE, BLOB, BOB, PARAMETERS, SIGNERS, WAL, LocalNetwork
from walrus_chain.chain.compute_rejections import (
    CommitOpen,
    ComputingDenied,
    DrawOpen,
    JobOver,
    JobStillOpen,
    JobTooExpensive,
    NoReason,
    NotTheSigner,
    TriggerNotDue,
    UnknownJob,
    UnknownTrigger,
    WrongJobTerms,
    WrongReveal,
)
from walrus_chain.chain.compute_views import (
    Answer,
    JobCharge,
    JobOrder,
    JobRules,
    JobStatus,
    TriggerKind,
    TriggerTerms,
)
from walrus_chain.chain.compute_writer import JobReceipt, commitment
from walrus_chain.chain.economy_rejections import SeedTooEarly
from walrus_chain.chain.payment_views import PoolShare
from walrus_chain.chain.policy_views import Policies
from walrus_chain.chain.sender import Sender
from walrus_chain.types import Address, BlobId, BlobObjectId, JobId, NodeId, PoolId, TriggerId, Wei

pytestmark = pytest.mark.integration
ALICE_ADDRESS, BOB_ADDRESS = Address(ALICE.address), Address(BOB.address)
PROGRAM = BlobId(b"\x09" * 32)
RIGHT, WRONG = b"\x01" * 32, b"\x02" * 32
SALT = b"\x53" * 32
PRICE, FEE = Wei(WAL // 2), Wei(WAL)
MAXIMUM = Wei(2 * WAL)
NO_POOL = PoolId(0)


async def governed(network: LocalNetwork) -> tuple[BlobObjectId, PoolId]:
    """A certified object of Alice's on which one program may run, at a price that goes to a pool."""
    alice = network.alice
    pool = (await alice.payments.create_pool([PoolShare(ALICE_ADDRESS, 1)], 1_000)).pool
    programs = (await alice.policies.create("Programs", encode(["bytes32[]"], [[PROGRAM.digest]]))).policy
    price = (await alice.policies.create("PayPerRead", encode(["uint128", "uint64"], [PRICE, pool]))).policy
    policy = (await alice.policies.create("AllOf", encode(["address[]"], [[programs, price]]))).policy
    blob = await network.certified()
    await alice.policies.attach(blob, Policies(access=policy), PARAMETERS.minimum_notice_seconds)
    return blob, pool


def order_of(blob: BlobObjectId, replicas: int = 3) -> JobOrder:
    return JobOrder(
        inputs=(blob,),
        program=PROGRAM,
        arguments=b"minimum=10",
        fuel=10**9,
        output_limit=2**20,
        replicas=replicas,
        fee=FEE,
    )


async def bob_of(network: LocalNetwork) -> Sender:
    """Bob, with WAL and the vault approved."""
    await network.deployer.send_wal(BOB_ADDRESS, Wei(100 * WAL))
    bob = Sender(network.chain, BOB)
    await bob.approve_vault()
    return bob


async def drawn(network: LocalNetwork, sender: Sender, requested: JobReceipt) -> tuple[NodeId, ...]:
    """Waits for the randomness, and draws."""
    await network.rpc("anvil_mine", hex(PARAMETERS.seed_delay_blocks + 1))
    return (await sender.compute.draw(requested.job, requested.request)).nodes


async def signer_of(network: LocalNetwork, node_id: NodeId) -> Sender:
    """A sender for the key of a node, with money for gas."""
    node = await network.chain.node(node_id)
    [key] = [signer for signer in SIGNERS if signer.address == node.signer]
    account = Account.from_key(bytes([SIGNERS.index(key) + 1]) * 32)
    await network.rpc("anvil_setBalance", account.address, hex(10**18))
    return Sender(network.chain, account)


async def pass_window(network: LocalNetwork, seconds: int) -> None:
    """Lets a window of a job pass, in seconds and blocks."""
    await network.rpc("anvil_mine", hex(PARAMETERS.job_window_blocks))
    await network.pass_time(seconds)


async def test_job__two_agree_and_one_lies__pays_two_and_the_pool_and_slashes_one(network: LocalNetwork) -> None:
    reader = network.chain.compute
    blob, pool = await governed(network)
    bob = await bob_of(network)

    requested = await bob.compute.request(order_of(blob), [b""], MAXIMUM)

    assert requested.job == await reader.job_count() == 1
    assert requested.request.charges == (JobCharge(BLOB, pool, PRICE),)
    assert requested.request.order == order_of(blob)
    assert (requested.request.requester, requested.request.cost) == (BOB_ADDRESS, FEE + PRICE)
    assert await reader.request_of(requested.job) == requested.request
    assert [event.job for event in await reader.jobs_of(BOB_ADDRESS)] == [requested.job]
    kept = await reader.job(requested.job)
    assert (kept.status, kept.terms, kept.nodes) == (JobStatus.REQUESTED, requested.terms, ())
    assert await reader.jobs_on(blob, BOB_ADDRESS) == 1
    with pytest.raises(SeedTooEarly):
        await bob.compute.draw(requested.job, requested.request)

    nodes = await drawn(network, bob, requested)
    assert len(set(nodes)) == 3
    panel = await reader.panel_of(requested.job)
    assert panel is not None
    assert panel.nodes == nodes
    assert panel.reveal_until - panel.commit_until == PARAMETERS.job_windows[2]
    agents = [await signer_of(network, node) for node in nodes]
    results = [RIGHT, WRONG, RIGHT]
    with pytest.raises(NotTheSigner):
        await agents[0].compute.commit(requested.job, 1, requested.terms, bytes(32))
    with pytest.raises(WrongJobTerms):
        await agents[0].compute.commit(requested.job, 0, bytes(32), bytes(32))
    for place, (agent, result) in enumerate(zip(agents, results, strict=True)):
        assert (await reader.job(requested.job)).place_of(nodes[place]) == place
        committed = commitment(requested.job, nodes[place], result, 7, SALT)
        assert committed == await reader.commitment_of(requested.job, nodes[place], result, 7, SALT)
        if place == 2:
            with pytest.raises(CommitOpen):
                await agents[0].compute.reveal(requested.job, 0, RIGHT, 7, SALT)
        await agent.compute.commit(requested.job, place, requested.terms, committed)
    with pytest.raises(WrongReveal):
        await agents[1].compute.reveal(requested.job, 1, RIGHT, 7, SALT)
    with pytest.raises(JobStillOpen):
        await bob.compute.settle(requested.job, requested.request)
    for place, (agent, result) in enumerate(zip(agents, results, strict=True)):
        await agent.compute.reveal(requested.job, place, result, 7, SALT)
    kept = await reader.job(requested.job)
    assert (kept.status, kept.answers) == (JobStatus.SETTLEABLE, (Answer.REVEALED,) * 3)
    stakes = network.chain.economy
    before = await stakes.vault_books()

    settled = await bob.compute.settle(requested.job, requested.request)

    assert (settled.agreeing, settled.lying, settled.absent) == ((0, 2), (1,), ())
    assert (settled.charged, settled.fee_each, settled.refunded) == (PRICE, FEE // 2, 0)
    assert [event.node_id for event in await reader.results_of(requested.job)] == list(nodes)
    ended = await reader.settlement_of(requested.job)
    assert ended is not None
    assert ended.agreeing == 0b101
    [income] = await network.chain.payments.incomes_of(pool)
    assert (income.amount, income.payer, int.from_bytes(income.purpose)) == (PRICE, BOB_ADDRESS, requested.job)
    # The deployer operates all nodes.
    assert (await network.chain.balances(network.deployer.address)).claim == FEE
    after = await stakes.vault_books()
    assert after.balanced
    assert after.reserves["ComputeJobs"] == 0
    slashed = PARAMETERS.minimum_stake * PARAMETERS.wrong_bps // 10_000
    assert before.reserves["Staking"] - after.reserves["Staking"] == slashed
    assert (await reader.job(requested.job)).status is JobStatus.OVER
    with pytest.raises(JobOver):
        await bob.compute.settle(requested.job, requested.request)


async def test_job__nobody_answers__is_paid_back_and_absence_slashed(network: LocalNetwork) -> None:
    blob = await network.certified()
    bob = await bob_of(network)
    requested = await bob.compute.request(order_of(blob, replicas=1), [b""], MAXIMUM)
    assert requested.request.charges == (JobCharge(BLOB, NO_POOL, Wei(0)),)
    [node] = await drawn(network, bob, requested)
    await pass_window(network, PARAMETERS.job_windows[1])

    settled = await bob.compute.settle(requested.job, requested.request)

    assert (settled.agreeing, settled.absent, settled.refunded) == ((), (0,), FEE)
    assert (await network.chain.balances(BOB_ADDRESS)).claim == FEE
    epoch = (await network.chain.parameters()).current_epoch
    assert await network.chain.compute.was_absent(node, epoch)
    assert not await network.chain.compute.was_absent(NodeId(11), epoch)


async def test_job__all_decline__is_paid_back_at_once_and_nobody_slashed(network: LocalNetwork) -> None:
    blob = await network.certified()
    bob = await bob_of(network)
    requested = await bob.compute.request(order_of(blob, replicas=1), [b""], MAXIMUM)
    [node] = await drawn(network, bob, requested)
    await (await signer_of(network, node)).compute.decline(requested.job, 0)
    settled = await bob.compute.settle(requested.job, requested.request)
    assert (settled.agreeing, settled.lying, settled.absent, settled.refunded) == ((), (), (), FEE)


async def test_job__nobody_draws__is_cancelled_and_paid_back(network: LocalNetwork) -> None:
    blob = await network.certified()
    bob = await bob_of(network)
    requested = await bob.compute.request(order_of(blob), [b""], MAXIMUM)
    with pytest.raises(DrawOpen):
        await bob.compute.cancel(requested.job, requested.request)
    await network.pass_time(PARAMETERS.job_windows[0])
    with pytest.raises(WrongJobTerms):
        await network.alice.compute.cancel(requested.job, replace(requested.request, requester=ALICE_ADDRESS))
    assert (await network.alice.compute.cancel(requested.job, requested.request)).refunded == FEE
    assert (await network.chain.balances(BOB_ADDRESS)).claim == FEE
    assert await network.chain.compute.settlement_of(requested.job) is None


async def test_request__denied_or_too_dear__says_why(network: LocalNetwork) -> None:
    blob, _ = await governed(network)
    bob = await bob_of(network)
    with pytest.raises(ComputingDenied, match="NotAProgram"):
        await bob.compute.request(replace(order_of(blob), program=BLOB), [b""], MAXIMUM)
    with pytest.raises(JobTooExpensive):
        await bob.compute.request(order_of(blob), [b""], FEE)
    with pytest.raises(UnknownJob):
        await network.chain.compute.request_of(JobId(1))
    assert (await network.chain.compute.job(JobId(1))).status is JobStatus.UNKNOWN


async def test_trigger__on_certify__requests_a_job_for_each_new_object_without_a_hand(network: LocalNetwork) -> None:
    reader, alice = network.chain.compute, network.alice
    order = replace(order_of(BlobObjectId(1), replicas=1), inputs=())
    terms = TriggerTerms(TriggerKind.ON_CERTIFY, order, MAXIMUM, per_epoch=2)
    trigger = (await alice.compute.create_trigger(terms)).trigger
    await alice.compute.fund_trigger(trigger, Wei(10 * WAL))
    assert trigger == await reader.trigger_count()
    assert await reader.trigger_terms(trigger) == terms
    assert [event.trigger for event in await reader.triggers_of(ALICE_ADDRESS)] == [trigger]
    blob = await network.certified()
    stranger = Sender(network.chain, BOB)

    fired = await stranger.compute.fire(trigger, terms, blob, [b""])

    assert (fired.paid, fired.balance) == (FEE, 9 * WAL)
    request = await reader.request_of(fired.job)
    assert (request.requester, request.order) == (ALICE_ADDRESS, replace(order, inputs=(blob,)))
    kept = await reader.trigger(trigger)
    assert (kept.owner, kept.first_object, kept.jobs, kept.balance) == (ALICE_ADDRESS, blob, 1, 9 * WAL)
    assert await reader.is_computed(trigger, blob)
    with pytest.raises(NoReason):
        await stranger.compute.fire(trigger, terms, blob, [b""])
    await alice.compute.withdraw_trigger(trigger, Wei(9 * WAL))
    assert (await reader.trigger(trigger)).balance == 0
    assert (await network.chain.economy.vault_books()).reserves["ComputeJobs"] == FEE


async def test_trigger__every_epochs__waits_for_its_time(network: LocalNetwork) -> None:
    blob = await network.certified()
    terms = TriggerTerms(TriggerKind.EVERY_EPOCHS, order_of(blob, replicas=1), MAXIMUM, epochs=3)
    trigger = (await network.alice.compute.create_trigger(terms)).trigger
    await network.alice.compute.fund_trigger(trigger, Wei(10 * WAL))
    await network.alice.compute.fire(trigger, terms, 0, [b""])
    with pytest.raises(TriggerNotDue):
        await network.alice.compute.fire(trigger, terms, 0, [b""])
    assert await network.chain.compute.reads_seen(trigger, BOB_ADDRESS) == 0
    with pytest.raises(UnknownTrigger):
        await network.chain.compute.trigger(TriggerId(9))
    with pytest.raises(UnknownTrigger):
        await network.chain.compute.trigger_terms(TriggerId(9))


async def test_rules__are_those_of_the_deployment(network: LocalNetwork) -> None:
    assert await network.chain.compute.rules() == JobRules(
        *PARAMETERS.job_windows,
        PARAMETERS.job_window_blocks,
        PARAMETERS.wrong_bps,
        PARAMETERS.absent_bps,
        PARAMETERS.minimum_job_fee,
    )
