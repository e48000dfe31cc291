"""Shares of inputs go to nodes that the job was drawn to, and to nobody else; attacks on that, each by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from storage_agent.keys.jobs import UNANSWERED, JobFacts, JobKeyRequest
from storage_agent.node.access_refusals import (
    BlockTooOld,
    BlockUnknown,
    Denied,
    KeysDestroyed,
    StaleKeyEpoch,
    WrongSignature,
)
from storage_agent.node.refusals import MalformedRequest
from storage_agent.state.terms import request_to_bytes, terms_of
from storage_agent.store.access import NonceUsed
from tests.fakes.access_chain import ACCESS, POLICY, FakeAccessChain
from tests.fakes.job_chain import INPUT, PROGRAM, REQUESTER, order
from tests.fakes.key_desk import MAXIMUM_AGE, Bench
from tests.fakes.readers import chance
from walrus_chain.chain.compute_views import Answer, Job, JobCharge, JobRequest, JobStatus
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.crypto.threshold import check_share
from walrus_chain.errors import GrantExpired, OutsideScope, RequestExpired, WrongGrant, WrongNode
from walrus_chain.messages.access import JOB, AccessRequest, Action, JobGrant
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.access import JobKeyQuestion
from walrus_chain.types import NOBODY, BlobObjectId, Epoch, JobId, NodeId, PoolId, Wei

#: The node that asks is 2; the one that is asked is the bench's, 1.
ASKER, JOB_NUMBER, OBJECT, POOL, PRICE = NodeId(2), 5, BlobObjectId(1), 7, 90


class Panelist:
    """A node that was drawn, and asks; a test may spoil what it asks."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.signer = LocalSigner(bytes([ASKER]) * 32)
        self.sealing = SealingKey.generate(chance("panelist"))
        self.chance = chance("nonces of a panelist")
        self.terms = JobRequest(
            REQUESTER, order(), (JobCharge(INPUT, PoolId(POOL), Wei(PRICE)),), 3, Epoch(1), self.now() - 60
        )
        self.job = Job(
            JobId(JOB_NUMBER),
            JobStatus.COMMITTING,
            terms_of(self.terms),
            self.now() - 30,
            4,
            (NodeId(1), ASKER, NodeId(3)),
            (Answer.NONE,) * 3,
        )
        self.facts(view=self.job)

    def now(self) -> int:
        """The chain's time."""
        return self.bench.chain.head_block.timestamp

    def facts(self, **values: Any) -> None:
        """What blocks say from now on."""
        defaults: dict[str, Any] = {
            "view": self.job,
            "signer": self.signer.address,
            "policy": POLICY,
            "key_epoch": 1,
            "destroy_at": 0,
            "certified": True,
        }
        facts = JobFacts(**{**defaults, **values})
        self.bench.chain.now.job_facts[JOB_NUMBER, ASKER, OBJECT] = facts
        self.bench.chain.mine()

    def question(self, grant: dict[str, Any] | None = None, **values: Any) -> JobKeyQuestion:
        """What it asks."""
        defaults: dict[str, Any] = {
            "job": JOB_NUMBER,
            "node": ASKER,
            "encryption_key": self.sealing.public,
            "valid_until": self.now() + 300,
        }
        job_grant = JobGrant(**{**defaults, **(grant or {})})
        signer, terms = values.pop("signer", self.signer), values.pop("terms", self.terms)
        fields: dict[str, Any] = {
            "grant": job_grant.digest(ACCESS),
            "node": self.bench.node_id,
            "blob_object": OBJECT,
            "action": Action.COMPUTE,
            "program": PROGRAM.digest,
            "key_epoch": 1,
            "sequence": JOB_NUMBER,
            "evidence": keccak(b""),
            "block_hash": self.bench.chain.head_block.hash,
            "nonce": self.chance(32),
            "expires_at": self.now() + 120,
            "payment": JOB,
        }
        request = AccessRequest(**{**fields, **values})
        signature = signer.sign_digest(request.digest(ACCESS))
        key_id = self.bench.keys[0].public.key_id
        return JobKeyQuestion(job_grant, request_to_bytes(terms), request, signature, key_id, erasable=False)

    async def ask(self, grant: dict[str, Any] | None = None, **values: Any) -> bytes:
        """The share that comes back, opened and checked."""
        return await self.send(self.question(grant, **values))

    async def send(self, question: JobKeyQuestion) -> bytes:
        """The share that comes back, opened and checked."""
        releaser = self.bench.desk.job_releaser
        assert releaser is not None
        released = await releaser.release(JobKeyRequest.from_data(question.as_data()))
        share = self.sealing.open_share(released.share, question.request.digest(ACCESS))
        check_share(self.bench.node_id, share, self.bench.identity(), self.bench.keys[0].public)
        return share


@pytest.fixture
def panelist(bench: Bench) -> Panelist:
    """A node that was drawn for a job on object 1."""
    return Panelist(bench)


def receipts(bench: Bench) -> list[Receipt]:
    """What the node says it released."""
    return [Receipt.from_data(row.receipt.data) for row in bench.ledger.receipts()]


async def test_release__drawn_node__share_and_receipt_that_names_the_job(bench: Bench, panelist: Panelist) -> None:
    await panelist.ask()

    [receipt] = receipts(bench)
    assert (receipt.requester, receipt.action, receipt.program) == (REQUESTER, Action.COMPUTE, PROGRAM.digest)
    assert (receipt.paid_by, receipt.amount, receipt.pool, receipt.sequence) == (PaidBy.JOB, PRICE, POOL, JOB_NUMBER)


async def test_release__free_input__recorded_as_free(bench: Bench, panelist: Panelist) -> None:
    panelist.terms = replace(panelist.terms, charges=(JobCharge(INPUT, PoolId(0), Wei(0)),))
    panelist.facts(view=replace(panelist.job, terms=terms_of(panelist.terms)))

    await panelist.ask()

    assert receipts(bench)[0].paid_by is PaidBy.FREE


async def test_release__second_node_of_the_panel__same_use_is_not_paid_twice(bench: Bench, panelist: Panelist) -> None:
    first, second = await panelist.ask(), await panelist.ask()

    assert first == second
    assert len({receipt.use for receipt in receipts(bench)}) == 1
    assert bench.ledger.incomes(Epoch(10**6)) == [POOL]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nodes": (NodeId(1), NodeId(4), NodeId(3))}, "NotDrawn"),
        ({"nodes": (), "answers": ()}, "NotDrawn"),
        ({"status": JobStatus.REVEALING}, "JobAnswered"),
        ({"status": JobStatus.OVER, "nodes": (), "answers": ()}, "NotDrawn"),
        ({"answers": (Answer.NONE, Answer.COMMITTED, Answer.NONE)}, "JobAnswered"),
        ({"answers": (Answer.NONE, Answer.DECLINED, Answer.NONE)}, "JobAnswered"),
        ({"terms": bytes(32)}, "WrongTerms"),
    ],
)
async def test_release__job_gives_no_right__denied(
    bench: Bench, panelist: Panelist, change: dict[str, Any], reason: str
) -> None:
    panelist.facts(view=replace(panelist.job, **change))

    with pytest.raises(Denied) as caught:
        await panelist.ask()

    assert (caught.value.reason, caught.value.policy) == (reason, NOBODY)
    assert receipts(bench) == []


async def test_release__object_is_no_input__denied(bench: Bench, panelist: Panelist) -> None:
    other = BlobObjectId(9)
    chain = bench.chain
    chain.now.job_facts[JOB_NUMBER, ASKER, other] = chain.now.job_facts[JOB_NUMBER, ASKER, OBJECT]
    chain.mine()

    with pytest.raises(Denied, match="NotAnInput"):
        await panelist.ask(blob_object=other)


async def test_release__inputs_made_up__denied(bench: Bench, panelist: Panelist) -> None:
    # The asker shows terms that name more than was ordered.
    made_up = replace(panelist.terms, order=order(inputs=2), charges=panelist.terms.charges * 2)

    with pytest.raises(Denied, match="WrongTerms"):
        await panelist.ask(terms=made_up)


async def test_release__input_deleted_meanwhile__denied(panelist: Panelist) -> None:
    panelist.facts(certified=False)

    with pytest.raises(Denied, match="NotCertified"):
        await panelist.ask()


async def test_release__keys_destroyed__gone(panelist: Panelist) -> None:
    panelist.facts(destroy_at=panelist.now() - 1)

    with pytest.raises(KeysDestroyed):
        await panelist.ask()


async def test_release__retention_policy_does_not_answer__denied_as_reads_are(panelist: Panelist) -> None:
    panelist.facts(destroy_at=UNANSWERED)

    with pytest.raises(Denied, match="RetentionFailed"):
        await panelist.ask()


async def test_release__other_key_epoch__stale(panelist: Panelist) -> None:
    panelist.facts(key_epoch=2)

    with pytest.raises(StaleKeyEpoch):
        await panelist.ask()


async def test_release__signed_by_another_than_the_drawn_nodes_signer__refused(
    bench: Bench, panelist: Panelist
) -> None:
    with pytest.raises(WrongSignature):
        await panelist.ask(signer=bench.reader.wallet)


async def test_release__key_rotated_since__refused_for_the_old_key(panelist: Panelist) -> None:
    panelist.facts(signer=LocalSigner(bytes([9]) * 32).address)

    with pytest.raises(WrongSignature):
        await panelist.ask()


async def test_release__sealed_to_another_key_than_was_signed__refused(panelist: Panelist) -> None:
    # Somebody on the way puts a key of its own into the grant.
    question = panelist.question()
    thief = SealingKey.generate(chance("thief"))

    with pytest.raises(WrongGrant):
        await panelist.send(replace(question, grant=replace(question.grant, encryption_key=thief.public)))


async def test_release__same_request_again__nonce_used(panelist: Panelist) -> None:
    question = panelist.question()
    await panelist.send(question)

    with pytest.raises(NonceUsed):
        await panelist.send(question)


@pytest.mark.parametrize(
    ("grant", "values", "error"),
    [
        ({}, {"node": NodeId(4)}, WrongNode),
        ({"valid_until": 1}, {}, GrantExpired),
        ({}, {"expires_at": 1}, RequestExpired),
        ({"valid_until": 2**40}, {}, MalformedRequest),
        ({}, {"payment": bytes(32)}, MalformedRequest),
        ({}, {"evidence": keccak(b"something")}, MalformedRequest),
        ({}, {"sequence": 6}, MalformedRequest),
        ({}, {"program": INPUT.digest}, MalformedRequest),
        ({}, {"action": Action.READ, "program": bytes(32)}, OutsideScope),
        ({"encryption_key": bytes(32)}, {}, MalformedRequest),
        ({}, {"blob_object": BlobObjectId(2**200)}, Denied),
        ({}, {"block_hash": bytes(32)}, BlockUnknown),
    ],
)
async def test_release__spoilt_request__refused(
    bench: Bench, panelist: Panelist, grant: dict[str, Any], values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await panelist.ask(grant, **values)

    assert receipts(bench) == []


async def test_release__old_block__refused(bench: Bench, panelist: Panelist) -> None:
    old = bench.chain.head_block.hash
    bench.chain.mine(1, MAXIMUM_AGE + 1)

    with pytest.raises(BlockTooOld):
        await panelist.ask(block_hash=old)


@pytest.mark.parametrize("part", ["job", "terms", "request", "requestSignature"])
def test_parse__a_part_is_missing__malformed(panelist: Panelist, part: str) -> None:
    document = panelist.question().as_data()
    del document[part]

    with pytest.raises(MalformedRequest):
        JobKeyRequest.from_data(document)


@pytest.mark.parametrize("terms", ["0x", "0x00", "0x" + "ff" * 64, "no hex"])
def test_parse__terms_are_none__malformed(panelist: Panelist, terms: str) -> None:
    with pytest.raises(MalformedRequest):
        JobKeyRequest.from_data({**panelist.question().as_data(), "terms": terms})


def test_parse__terms_with_something_behind__malformed(panelist: Panelist) -> None:
    document = panelist.question().as_data()

    with pytest.raises(MalformedRequest):
        JobKeyRequest.from_data({**document, "terms": document["terms"] + "00" * 32})


async def test_release__killed_after_the_record__same_receipts_after_the_restart(
    bench: Bench, panelist: Panelist, chain: FakeAccessChain, tmp_path: Path
) -> None:
    await panelist.ask()
    bench.restart()

    await panelist.ask()

    assert [receipt.index for receipt in receipts(bench)] == [0, 1]
