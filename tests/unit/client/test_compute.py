"""Programs and jobs through the façade: what is refused before it is paid, and results that are compared."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.network import ALICE, FakeChain, FakeNetwork
from walrus_chain.chain.compute_rejections import UnknownJob
from walrus_chain.chain.compute_views import OUTPUT_IN_CLEAR, JobOrder, JobStatus, TriggerKind, TriggerTerms
from walrus_chain.client.client import Client
from walrus_chain.client.compute import JobReport
from walrus_chain.client.keep import MemoryKeep
from walrus_chain.compute.run import Ending, Outcome
from walrus_chain.crypto.outputs import seal_output
from walrus_chain.errors import (
    InputsUnreadable,
    JobAboveLimit,
    JobUnsettled,
    JobWithoutResult,
    OutputKeyUnknown,
    OutputUnreachable,
    UnfitProgram,
)
from walrus_chain.types import JobId, Wei

WORD_COUNT = Path(__file__).parents[3] / "examples" / "programs" / "word_count.wasm"
FEE = Wei(300)
OUTPUT = b"1 2 3\n"


@pytest.fixture
async def order(client: Client) -> JobOrder:
    """Counting the words of a public blob."""
    published = await client.compute.publish(WORD_COUNT)
    stored = await client.store(b"two words")
    return await client.compute.order(published.blob_id, [stored.blob_object], fee=FEE)


async def settled(client: Client, network: FakeNetwork, order: JobOrder, outcome: Outcome) -> JobId:
    """A job on which nodes 1 and 3 of 1 to 3 agreed."""
    job = (await client.compute.request(order)).job
    network.jobs.draw(job, 1, 2, 3)
    honest, lie = (outcome.result_hash, len(outcome.output)), (bytes(32), 1)
    network.jobs.settle(job, {2: lie, 1: honest, 3: honest}, 0b101)
    return job


async def test_publish__no_program__nothing_stored(client: Client, network: FakeNetwork) -> None:
    with pytest.raises(UnfitProgram):
        await client.compute.publish(b"\0asm no module at all")
    assert not network.objects


async def test_order__public_input__output_in_clear(order: JobOrder) -> None:
    assert order.encryption_key == OUTPUT_IN_CLEAR


async def test_request__above_the_maximum__nothing_paid(client: Client, network: FakeNetwork, order: JobOrder) -> None:
    before = network.wal[ALICE]
    with pytest.raises(JobAboveLimit):
        await client.compute.request(order, maximum=Wei(FEE - 1))
    assert network.wal[ALICE] == before
    assert not network.jobs.requests


async def test_watch__settled_meanwhile__tells_each_change(
    client: Client, network: FakeNetwork, order: JobOrder
) -> None:
    job = (await client.compute.request(order)).job
    told: list[JobReport] = []

    async def others() -> None:
        await asyncio.sleep(3)
        network.jobs.draw(job, 1, 2, 3)
        await asyncio.sleep(3)
        network.jobs.settle(job, {1: (bytes(32), 1), 3: (bytes(32), 1)}, 0b101)

    report, _ = await asyncio.gather(client.compute.watch(job, told.append), others())

    assert [one.status for one in told] == [JobStatus.REQUESTED, JobStatus.COMMITTING, JobStatus.OVER]
    assert report.agreeing == (1, 3)


async def test_watch__unknown_job__says_so(client: Client) -> None:
    with pytest.raises(UnknownJob):
        await client.compute.watch(JobId(7))


async def test_result__first_node_serves_something_else__the_next_is_asked(
    client: Client, network: FakeNetwork, order: JobOrder
) -> None:
    job = await settled(client, network, order, Outcome(Ending.FINISHED, OUTPUT))
    network.members[0].outputs[job] = OUTPUT[::-1]
    network.members[2].outputs[job] = OUTPUT

    result = await client.compute.result(job)

    assert (result.ending, result.output, result.node) == (Ending.FINISHED, OUTPUT, 3)


async def test_result__not_served_yet__asked_for_again(client: Client, network: FakeNetwork, order: JobOrder) -> None:
    job = await settled(client, network, order, Outcome(Ending.FINISHED, OUTPUT))

    async def serve() -> None:
        await asyncio.sleep(0.1)
        network.members[0].outputs[job] = OUTPUT

    result, _ = await asyncio.gather(client.compute.result(job), serve())

    assert result.output == OUTPUT


async def test_result__nobody_has_the_output__says_what_each_said(
    client: Client, network: FakeNetwork, order: JobOrder
) -> None:
    job = await settled(client, network, order, Outcome(Ending.FINISHED, OUTPUT))
    network.members[0].outputs[job] = OUTPUT[::-1]
    with pytest.raises(OutputUnreachable) as caught:
        await client.compute.result(job, patience_seconds=0.0)
    assert len(caught.value.reasons) == 2


async def test_result__program_failed__known_without_asking_nodes(
    client: Client, network: FakeNetwork, order: JobOrder
) -> None:
    job = await settled(client, network, order, Outcome(Ending.TRAP))

    result = await client.compute.result(job)

    assert (result.ending, result.output, result.node) == (Ending.TRAP, b"", None)


async def test_result__sealed__opened_here_and_nowhere_else(client: Client, network: FakeNetwork) -> None:
    published = await client.compute.publish(WORD_COUNT)
    stored = await client.store(b"two words")
    order = await client.compute.order(published.blob_id, [stored.blob_object], fee=FEE, sealed=True)
    job = await settled(client, network, order, Outcome(Ending.FINISHED, OUTPUT))
    network.members[0].outputs[job] = seal_output(order.encryption_key, job, 1, OUTPUT, bytes)

    result = await client.compute.result(job)

    assert (result.output, result.sealed) == (OUTPUT, True)
    async with Client(FakeChain(network), network, network.writer(ALICE), keep=MemoryKeep()) as elsewhere:
        with pytest.raises(OutputKeyUnknown):
            await elsewhere.compute.result(job)


async def test_order__sealed_but_only_quoted__no_key_kept(client: Client, network: FakeNetwork) -> None:
    keep = MemoryKeep()
    async with Client(FakeChain(network), network, network.writer(ALICE), keep=keep) as mine:
        published = await mine.compute.publish(WORD_COUNT)
        stored = await mine.store(b"two words")
        order = await mine.compute.order(published.blob_id, [stored.blob_object], fee=FEE, sealed=True)
        await mine.compute.quote(order)
        assert keep.names("outputs") == ()

        await mine.compute.request(order)

        assert keep.names("outputs") == (order.encryption_key.hex(),)


async def test_create_trigger__sealed__key_kept(client: Client, network: FakeNetwork, order: JobOrder) -> None:
    keep = MemoryKeep()
    async with Client(FakeChain(network), network, network.writer(ALICE), keep=keep) as mine:
        of_each = await mine.compute.order(order.program, [], fee=FEE)
        await mine.compute.create_trigger(TriggerTerms(TriggerKind.ON_CERTIFY, of_each, FEE, per_epoch=5))

    assert keep.names("outputs") == (of_each.encryption_key.hex(),)


async def test_result__not_over_or_nobody_agreed__says_which(
    client: Client, network: FakeNetwork, order: JobOrder
) -> None:
    job = (await client.compute.request(order)).job
    with pytest.raises(JobUnsettled):
        await client.compute.result(job)
    network.jobs.draw(job, 1, 2, 3)
    network.jobs.settle(job, {}, 0)
    with pytest.raises(JobWithoutResult):
        await client.compute.result(job)


async def test_estimate__no_inputs__refused(client: Client, order: JobOrder) -> None:
    of_a_trigger = await client.compute.order(order.program, [], fee=FEE)
    with pytest.raises(InputsUnreadable):
        await client.compute.estimate(of_a_trigger)


async def test_trigger__funded_and_emptied(client: Client, order: JobOrder) -> None:
    of_each = await client.compute.order(order.program, [], fee=FEE)
    terms = TriggerTerms(TriggerKind.ON_CERTIFY, of_each, FEE, per_epoch=5)
    made = await client.compute.create_trigger(terms, amount=Wei(1000))
    assert (await client.compute.show_trigger(made.trigger)).facts.balance == 1000
    assert of_each.encryption_key != OUTPUT_IN_CLEAR
    assert await client.compute.withdraw_trigger(made.trigger) == 1000
    assert (await client.compute.show_trigger(made.trigger)).facts.balance == 0
