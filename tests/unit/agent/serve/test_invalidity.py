"""A node accuses a blob only of what it has found out by itself, and finds it out once."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from storage_agent.sync.examine import MOST_WAITING, Examiner
from storage_agent.sync.fetch import Fetcher
from tests.fakes.agents import Blob, ChainOfFacts, Node, make_blob, upload
from tests.fakes.neighbours import Neighbours, bad_blob_for
from tests.unit.agent.conftest import StartNode
from walrus_chain.errors import AgentRefused
from walrus_chain.messages.attestation import InvalidityAttestation
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.memory import Lie
from walrus_chain.types import Epoch

SIZE = 5000


@pytest.fixture
def network(node: Node, chain: ChainOfFacts) -> Neighbours:
    """A node that holds nothing, and four that hold everything."""
    return Neighbours(node, chain)


async def refused(node: Node, blob: Blob) -> AgentRefused:
    with pytest.raises(AgentRefused) as refusal:
        await node.client.invalidity(blob.blob_id)
    return refusal.value


@pytest.mark.parametrize("size", [0, 1, SIZE, 200_000])
@pytest.mark.parametrize("own", [True, False])
async def test_invalidity__bad_blob_that_the_node_lacks__accused(network: Neighbours, size: int, own: bool) -> None:
    bad = bad_blob_for(size, network.node, own=own)
    await network.store(bad)

    signed = await network.node.client.invalidity(bad.blob_id)

    assert signed.attestation == InvalidityAttestation(bad.blob_id, Epoch(1))
    assert signed.signer == network.node.member.signer
    signed.verify(network.node.chain.domain)


async def test_invalidity__bad_blob_that_the_node_holds__own_slivers_are_used_first(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=False)
    await network.store(bad)
    await upload(network.node, bad)

    await network.node.client.invalidity(bad.blob_id)

    own = len(network.node.pairs(bad.blob_id))
    assert network.asked("metadata") == 0
    assert network.asked("sliver") == bad.encoded.geometry.rows - own


@pytest.mark.parametrize("size", [0, 1, SIZE])
async def test_invalidity__good_blob__refused_as_consistent(network: Neighbours, size: int) -> None:
    good = make_blob(size, 10)
    await network.store(good)

    refusal = await refused(network.node, good)

    assert (refusal.status, refusal.code, refusal.retryable) == (409, "Consistent", False)
    assert network.node.metrics.accusations._value.get() == 0


@pytest.mark.parametrize("lie", [Lie.SLIVER, Lie.METADATA, Lie.LENGTH])
async def test_invalidity__good_blob_and_lying_peers__still_consistent(network: Neighbours, lie: Lie) -> None:
    good = make_blob(SIZE, 10)
    await network.store(good)
    for agent in network.others()[:2]:
        agent.faults.lies.add(lie)

    assert (await refused(network.node, good)).code == "Consistent"


async def test_invalidity__asked_again_after_a_restart__costs_nothing(
    start_node: StartNode, chain: ChainOfFacts
) -> None:
    node = await start_node()
    network = Neighbours(node, chain)
    bad, good = bad_blob_for(SIZE, node, own=True), make_blob(SIZE, 10, seed=7)
    for blob in (bad, good):
        await network.store(blob)
    first = await node.client.invalidity(bad.blob_id)
    await refused(node, good)
    await node.close()

    again = await start_node()  # knows no peer

    assert await again.client.invalidity(bad.blob_id) == first
    assert (await refused(again, good)).code == "Consistent"


async def test_invalidity__not_registered__nobody_is_asked(network: Neighbours) -> None:
    refusal = await refused(network.node, bad_blob_for(SIZE, network.node, own=True))

    assert (refusal.status, refusal.code) == (425, "NotRegisteredYet")
    assert network.asked("metadata") == 0


async def test_invalidity__key_that_the_committee_does_not_know__signs_nothing(
    network: Neighbours, chain: ChainOfFacts
) -> None:
    bad = bad_blob_for(SIZE, network.node, own=True)
    await network.store(bad)
    network.node.seat._signer = LocalSigner(b"\x07" * 32).address

    refusal = await refused(network.node, bad)

    assert (refusal.status, refusal.code) == (503, "NotServing")
    assert network.asked("metadata") == 0


async def test_invalidity__too_few_peers__no_verdict_and_tried_again_later(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=True)
    await network.store(bad)
    for agent in network.others()[1:]:
        agent.faults.unreachable = True

    refusal = await refused(network.node, bad)
    assert (refusal.status, refusal.code, refusal.retryable) == (503, "NotEnoughSlivers", True)
    assert network.node.holdings.verdict(bad.blob_id) is None

    for agent in network.others():
        agent.faults.unreachable = False
    assert (await network.node.client.invalidity(bad.blob_id)).attestation.blob_id == bad.blob_id


async def test_invalidity__many_ask_at_once__examined_once(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=True)
    await network.store(bad)

    answers = await asyncio.gather(*(network.node.client.invalidity(bad.blob_id) for _ in range(MOST_WAITING)))

    assert all(answer == answers[0] for answer in answers)
    assert network.asked("sliver") == bad.encoded.geometry.rows


async def test_invalidity__while_another_blob_is_examined__told_to_come_back(network: Neighbours) -> None:
    bad, other = bad_blob_for(SIZE, network.node, own=True), make_blob(SIZE, 10, seed=7)
    for blob in (bad, other):
        await network.store(blob)
    for agent in network.others():
        agent.faults.stalled = True
    waiting = [asyncio.create_task(network.node.client.invalidity(bad.blob_id)) for _ in range(MOST_WAITING)]
    async with asyncio.timeout(5):
        while network.node.services.gate.working < MOST_WAITING or not network.asked("metadata"):
            await network.node.client.health()

    busy, crowded = await refused(network.node, other), await refused(network.node, bad)

    assert (busy.status, busy.code, busy.retryable) == (503, "TooBusy", True)
    assert (crowded.status, crowded.code, crowded.retry_after) == (503, "ExaminationUnderWay", 2)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_examine__takes_longer_than_anybody_waits__goes_on_and_is_known_later(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=True)
    await network.store(bad)
    node = network.node
    examiner = Examiner(node.holdings, node.fetcher, node.metrics, answer_seconds=0)
    node.accuser._examine = examiner.examine

    assert (await refused(node, bad)).code == "ExaminationUnderWay"
    assert examiner._task is not None
    await examiner._task

    assert (await node.client.invalidity(bad.blob_id)).attestation.blob_id == bad.blob_id


async def test_examine__closed_half_way__leaves_no_verdict(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=True)
    await network.store(bad)
    node = network.node
    slow = Fetcher(node.holdings, node.peers, lambda: node.seat.committee, node.metrics, time.monotonic, patience=60)
    examiner = Examiner(node.holdings, slow, node.metrics, answer_seconds=0)
    node.accuser._examine = examiner.examine
    for agent in network.others():
        agent.faults.stalled = True
    await refused(node, bad)

    await examiner.close()

    assert node.holdings.verdict(bad.blob_id) is None


async def test_attest__blob_that_the_node_found_bad__not_any_more(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=False)
    number = await network.store(bad)
    await upload(network.node, bad, number)
    await network.node.client.attest(bad.blob_id, number)
    await network.node.client.invalidity(bad.blob_id)

    with pytest.raises(AgentRefused) as refusal:
        await network.node.client.attest(bad.blob_id, number)

    assert (refusal.value.status, refusal.value.code, refusal.value.retryable) == (422, "EncodedWrongly", False)


async def test_invalidity__answer__has_the_described_form(network: Neighbours) -> None:
    bad = bad_blob_for(SIZE, network.node, own=True)
    await network.store(bad)

    answer: httpx.Response = await network.node.raw.post(network.node.url(f"/v1/blobs/{bad.blob_id}/invalidity"))

    assert answer.status_code == 200
    assert set(answer.json()) == {"epoch", "signer", "signature"}
