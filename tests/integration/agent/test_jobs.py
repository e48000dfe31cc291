"""Jobs run by real agents on a real chain: they agree and are paid, lie and are slashed, are killed and go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from eth_utils.crypto import keccak

from storage_agent.daemon import RunningAgent, run_agent
from storage_agent.state.terms import request_to_bytes
from tests.fakes.agents import blob_of
from tests.fakes.readers import chance
from tests.integration.agent.network import AgentNetwork, agent_network, agent_process
from tests.integration.agent.private_data import (
    DATA_KEY,
    NOTICE,
    PRICE,
    access_of,
    code_of,
    paid_policy,
    policy,
    registered_keys,
)
from tests.integration.sandbox.modules import program
from walrus_chain.chain.account import SigningAccount
from walrus_chain.chain.compute_events import JobDrawn, JobSettled, NodeFaulted, ResultCommitted
from walrus_chain.chain.compute_views import Answer, JobCharge, JobOrder, JobRequest, TriggerKind, TriggerTerms
from walrus_chain.chain.compute_writer import JobReceipt, commitment
from walrus_chain.chain.policy_views import Policies
from walrus_chain.chain.sender import Sender
from walrus_chain.compute.run import Ending, Outcome
from walrus_chain.crypto.chunks import SALT_BYTES, ChunkCipher
from walrus_chain.crypto.envelope import Recipient, seal
from walrus_chain.crypto.outputs import open_output, sealed_output_size
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.crypto.threshold import KeyIdentity
from walrus_chain.errors import AgentRefused
from walrus_chain.messages.access import JOB, AccessRequest, Action, JobGrant
from walrus_chain.messages.domain import number_word
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.transport.access import JobKeyQuestion
from walrus_chain.types import BlobId, BlobObjectId, Epoch, JobId, NodeId, PoolId, Wei

T = TypeVar("T")

pytestmark = pytest.mark.integration

SHARDS, NODES = 10, 3
FEE = Wei(3 * 10**18)
LIMIT = 1000
#: Writes what it reads of its first input.
COPY = (
    "(local.set $n (call $read (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 1000)))"
    "(call $write (i32.const 0) (local.get $n))"
)
LOCALS = "(local $n i32)"
FOREVER = "(loop $again (br $again))"
BOMB = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))"
FLOOD = "(loop $again (call $write (i32.const 0) (i32.const 65536)) (br $again))"
DATA = b"what the owner has"


@asynccontextmanager
async def agents(network: AgentNetwork, *which: int) -> AsyncIterator[list[RunningAgent]]:
    """Agents that run, all of them unless some are named."""
    async with AsyncExitStack() as stack:
        chosen = which or range(len(network.settings))
        yield [
            await stack.enter_async_context(run_agent(network.settings[index], signer=network.signers[index]))
            for index in chosen
        ]


async def stored(network: AgentNetwork, content: bytes, *members: int) -> tuple[BlobId, BlobObjectId]:
    """A certified blob; of the members that run."""
    blob = blob_of(content, SHARDS)
    chosen = [network.committee.members[index] for index in members or range(len(network.committee.members))]
    return blob.blob_id, await network.certify(blob, chosen)


def order(
    code: BlobId, *inputs: BlobObjectId, replicas: int = NODES, fuel: int = 10**9, key: bytes = bytes(32)
) -> JobOrder:
    """An order for a program on some objects."""
    return JobOrder(inputs, code, b"", fuel, LIMIT, replicas, FEE, encryption_key=key)


async def requested(network: AgentNetwork, what: JobOrder) -> JobReceipt:
    """A job of the owner of the network."""
    return await network.owner.compute.request(what, [b""] * len(what.inputs), Wei(10 * FEE))


async def until(there: Callable[[], Awaitable[T | None]], seconds: float = 60.0) -> T:
    """What is asked for, once it is there."""
    async with asyncio.timeout(seconds):
        while True:
            found = await there()
            if found is not None:
                return found
            await asyncio.sleep(0.05)


async def settled(network: AgentNetwork, job: JobId, seconds: float = 60.0) -> JobSettled:
    """How a job ended, once it did."""
    return await until(lambda: network.chain.compute.settlement_of(job), seconds)


async def committed(network: AgentNetwork, job: JobId, nodes: Sequence[NodeId]) -> bool:
    """True once these nodes of a job's panel have committed; they may have shown their results since."""

    async def all_did() -> bool | None:
        kept = await network.chain.compute.job(job)
        answers = dict(zip(kept.nodes, kept.answers, strict=True))
        return True if all(answers.get(node) in (Answer.COMMITTED, Answer.REVEALED) for node in nodes) else None

    return await until(all_did)


async def output_of(network: AgentNetwork, job: JobId, index: int = 0) -> bytes:
    """What a node serves of a job, once it does."""
    client = network.client(network.committee.members[index])

    async def served() -> bytes | None:
        try:
            return await client.job_output(job, most=sealed_output_size(LIMIT))
        except AgentRefused:
            return None

    return await until(served, 20)


@asynccontextmanager
async def network_of(
    folder: Path, *, epoch_seconds: int = 24 * 3600, job_seconds: int | None = None
) -> AsyncIterator[AgentNetwork]:
    """Three nodes on a chain that makes a block each second, and whenever something is sent."""
    async with agent_network(
        folder,
        nodes=NODES,
        shards=SHARDS,
        block_seconds=1,
        epoch_seconds=epoch_seconds,
        job_seconds=job_seconds,
    ) as network:
        yield network


def hand_of(network: AgentNetwork, index: int) -> Sender:
    """What a node's key sends when no agent does."""
    return Sender(network.chain, SigningAccount(network.signers[index]))


async def drawn(network: AgentNetwork, job: JobId) -> JobDrawn:
    """Who runs a job, once that is known."""
    return await until(lambda: network.chain.compute.panel_of(job))


async def test_jobs__three_agents__agree_are_paid_and_serve_the_output(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network):
        code, _ = await stored(network, program(COPY, locals_=LOCALS))
        _, data = await stored(network, DATA)

        job = await requested(network, order(code, data))
        # The requester does nothing more.
        end = await settled(network, job.job)

        assert (end.agreeing, end.lying, end.absent) == (0b111, 0, 0)
        assert (end.fee_each, end.refunded) == (FEE // 3, 0)
        for index in range(NODES):
            assert await output_of(network, job.job, index) == DATA
        expected = Outcome(Ending.FINISHED, DATA).result_hash
        assert {result.result_hash for result in await network.chain.compute.results_of(job.job)} == {expected}


async def test_jobs__private_input__decrypted_by_the_panel_paid_and_output_sealed(tmp_path: Path) -> None:
    key = SealingKey.generate(chance("requester"))
    async with network_of(tmp_path) as network, agents(network) as running:
        code, _ = await stored(network, program(COPY, locals_=LOCALS))
        cipher = ChunkCipher(DATA_KEY, bytes(SALT_BYTES))
        _, data = await stored(network, cipher.header + cipher.seal(0, True, DATA))
        listed = await policy(network, "Programs", ["bytes32[]"], [code.digest])
        pays, pool = await paid_policy(network)
        access = await policy(network, "AllOf", ["address[]"], [listed, pays])
        identity = KeyIdentity(31337, access_of(network).verifying_contract, access, data, 1)
        recipients = [Recipient(node, public) for node, public in sorted((await registered_keys(network)).items())]
        envelope = seal(DATA_KEY, identity, recipients, 2, chance("seal"))
        await network.owner.policies.attach(data, Policies(access), NOTICE, envelope.to_bytes())

        job = await requested(network, order(code, data, key=key.public))
        end = await settled(network, job.job)

        assert (end.agreeing, end.charged) == (0b111, PRICE)
        for index, agent in enumerate(running):
            sealed = await output_of(network, job.job, index)
            assert DATA not in sealed
            assert open_output(key, job.job, agent.node_id, sealed) == DATA
        receipts = [
            Receipt.from_data(row.receipt.data) for agent in running for row in agent.catalogue.ledger.receipts()
        ]
        assert len(receipts) >= 2 * NODES  # each needs two shares
        assert {(one.action, one.sequence, one.paid_by, one.amount, one.pool) for one in receipts} == {
            (Action.COMPUTE, job.job, PaidBy.JOB, PRICE, pool)
        }


async def test_jobs__one_lies__slashed_and_the_others_paid(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network, 0, 1):
        code, _ = await stored(network, program(COPY, locals_=LOCALS), 0, 1)
        _, data = await stored(network, DATA, 0, 1)
        liar, hand = network.committee.members[2], hand_of(network, 2)
        before = (await network.chain.node(liar.node_id)).stake

        job = await requested(network, order(code, data))
        place = (await drawn(network, job.job)).nodes.index(liar.node_id)
        lie, salt = bytes(32), bytes([1]) * 32
        await hand.compute.commit(job.job, place, job.terms, commitment(job.job, liar.node_id, lie, 5, salt))
        await committed(network, job.job, [member.node_id for member in network.committee.members])
        await hand.compute.reveal(job.job, place, lie, 5, salt)
        end = await settled(network, job.job)

        assert end.lying == 1 << place
        assert end.fee_each == FEE // 2
        [fault] = await network.chain.logged(NodeFaulted, number_word(job.job))
        assert (fault.node_id, fault.lied) == (liar.node_id, True)
        assert (await network.chain.node(liar.node_id)).stake < before


async def test_jobs__killed_while_it_runs_and_after_it_committed__goes_on_and_is_paid(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network, 1, 2):
        async with agent_process(network.settings[0], tmp_path) as victim:
            member = network.committee.members[0]
            await victim.start()
            await network.wait_ready(member)
            code, _ = await stored(network, program(FOREVER))
            _, data = await stored(network, DATA)

            job = await requested(network, order(code, data, fuel=3 * 10**9))
            await drawn(network, job.job)
            await asyncio.sleep(0.5)  # it runs now
            victim.kill()
            await victim.start()
            await committed(network, job.job, [member.node_id])
            victim.kill()
            await victim.start()
            end = await settled(network, job.job)

        assert (end.agreeing, end.lying, end.absent) == (0b111, 0, 0)
        commitments = await network.chain.logged(ResultCommitted, number_word(job.job), number_word(member.node_id))
        assert len(commitments) == 1
        expected = Outcome(Ending.OUT_OF_FUEL).result_hash
        assert {result.result_hash for result in await network.chain.compute.results_of(job.job)} == {expected}


async def test_jobs__chain_reorganised_after_the_commitments__committed_again_and_paid(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, AsyncExitStack() as stack:
        # What a reorganisation throws out leaves gaps in the keys' numbers, which are filled one after the other.
        hasty = [replace(one, keeper=replace(one.keeper, stuck_seconds=1.0)) for one in network.settings]
        network.settings[:] = hasty
        await stack.enter_async_context(agents(network, 0, 1))
        code, _ = await stored(network, program(COPY, locals_=LOCALS), 0, 1)
        _, data = await stored(network, DATA, 0, 1)
        job = await requested(network, order(code, data))
        panel = await drawn(network, job.job)
        honest = [member.node_id for member in network.committee.members[:2]]
        await committed(network, job.job, honest)
        before = await network.chain.logged(ResultCommitted, number_word(job.job))
        head = await network.chain.head()

        await network.chain.provider.request("anvil_reorg", head.number - panel.block.number, [])
        hand, last = hand_of(network, 2), network.committee.members[2]
        await committed(network, job.job, honest)
        await hand.compute.decline(job.job, panel.nodes.index(last.node_id))
        end = await settled(network, job.job)

        assert (end.agreeing.bit_count(), end.lying, end.absent) == (2, 0, 0)
        after = await network.chain.logged(ResultCommitted, number_word(job.job))
        assert {one.block.hash for one in before}.isdisjoint({one.block.hash for one in after})
        assert {(one.node_id, one.commitment) for one in before} == {(one.node_id, one.commitment) for one in after}


async def test_jobs__panel_mostly_absent_and_requester_gone__paid_back_and_slashed(tmp_path: Path) -> None:
    async with network_of(tmp_path, job_seconds=8) as network, agents(network, 0):
        async with agents(network, 1, 2):
            code, _ = await stored(network, program(COPY, locals_=LOCALS))
            _, data = await stored(network, DATA)
        before = (await network.chain.balances(network.owner.address)).claim

        job = await requested(network, order(code, data))
        end = await settled(network, job.job, 90)

        assert end.absent.bit_count() == 2
        assert (end.agreeing, end.refunded) == (0, FEE)
        assert (await network.chain.balances(network.owner.address)).claim == before + FEE


async def test_jobs__malicious_programs__agents_agree_how_they_fail_and_stay_well(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network):
        _, data = await stored(network, DATA)
        bodies = {FOREVER: Ending.OUT_OF_FUEL, BOMB: Ending.OUT_OF_FUEL, FLOOD: Ending.OUTPUT_TOO_LARGE}
        jobs: dict[JobId, Ending] = {}
        for body, ending in bodies.items():
            code, _ = await stored(network, program(body))
            jobs[(await requested(network, order(code, data, fuel=10**8 * 3))).job] = ending
        garbage, _ = await stored(network, b"\0asm no module at all")
        jobs[(await requested(network, order(garbage, data))).job] = Ending.UNFIT_PROGRAM

        for job, ending in jobs.items():
            assert (await settled(network, job, 120)).agreeing == 0b111
            results = await network.chain.compute.results_of(job)
            assert {one.result_hash for one in results} == {Outcome(ending).result_hash}
        for member in network.committee.members:
            assert (await network.client(member).health()).status == "ok"


async def test_jobs__trigger_on_certify__runs_for_a_new_object_without_a_hand(tmp_path: Path) -> None:
    async with network_of(tmp_path, epoch_seconds=60) as network, agents(network):
        code, _ = await stored(network, program(COPY, locals_=LOCALS))
        terms = TriggerTerms(TriggerKind.ON_CERTIFY, order(code), Wei(2 * FEE), per_epoch=5)
        made = await network.owner.compute.create_trigger(terms)
        await network.owner.compute.fund_trigger(made.trigger, Wei(2 * FEE))

        await stored(network, DATA)
        end = await settled(network, JobId(1), 90)

        assert end.agreeing == 0b111
        assert await output_of(network, JobId(1)) == DATA


@pytest.mark.slow
async def test_jobs__fifty_at_once__all_are_paid(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network) as running:
        code, _ = await stored(network, program(COPY, locals_=LOCALS))
        _, data = await stored(network, DATA)

        jobs = [await requested(network, order(code, data, replicas=1)) for _ in range(50)]
        ends = [await settled(network, job.job, 300) for job in jobs]

        assert [end.agreeing for end in ends] == [1] * 50
        for agent in running:
            assert not agent.failed.done()


async def test_jobs__key_asked_for_without_a_job__refused(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network, 0), httpx.AsyncClient() as http:
        member, domain = network.committee.members[0], access_of(network)
        charges = (JobCharge(BlobId(bytes(32)), PoolId(0), Wei(0)),)
        code = BlobId(bytes(31) + b"\1")
        request = JobRequest(network.owner.address, order(code, BlobObjectId(1)), charges, 1, Epoch(1), 0)
        head = await network.chain.head()
        for node in (0, member.node_id, 999, 2**32 - 1):
            public = SealingKey.generate(chance("thief")).public
            grant = JobGrant(7, NodeId(node), public, head.timestamp + 100)
            asked = AccessRequest(
                grant=grant.digest(domain),
                node=member.node_id,
                blob_object=BlobObjectId(1),
                action=Action.COMPUTE,
                program=code.digest,
                key_epoch=1,
                sequence=7,
                evidence=keccak(b""),
                block_hash=head.hash,
                nonce=bytes(32),
                expires_at=head.timestamp + 100,
                payment=JOB,
            )
            signature = network.signers[0].sign_digest(asked.digest(domain))
            question = JobKeyQuestion(grant, request_to_bytes(request), asked, signature, bytes(8), erasable=False)
            body = {key: value for key, value in question.as_data().items() if key != "keyId"}

            answer = await http.post(f"{member.url}/v1/keys", json=body)

            expected = (403, "Denied") if node == member.node_id else (401, "WrongSignature")
            assert code_of(answer) == expected, answer.text


async def test_jobs__output_of_an_unknown_job__404(tmp_path: Path) -> None:
    async with network_of(tmp_path) as network, agents(network, 0):
        url = network.committee.members[0].url
        async with httpx.AsyncClient() as http:
            answers = [await http.get(f"{url}/v1/jobs/{job}/output") for job in (1, 2**100)]
            malformed = await http.get(f"{url}/v1/jobs/none/output")

        assert [answer.json()["error"]["code"] for answer in answers] == ["UnknownOutput"] * 2
        assert malformed.status_code == 400
