"""Opening the key of a private input: enough nodes suffice, whoever fails, stalls or lies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from storage_agent.compute.shares import InputKey, KeyNotOpened, ShareAsker, ShareHolder
from tests.fakes.access_chain import ACCESS, POLICY
from tests.fakes.job_chain import INPUT, REQUESTER, FakeJobChain, order
from tests.fakes.readers import chance
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import JobCharge, JobRequest
from walrus_chain.crypto.envelope import KeyEnvelope, Recipient, seal
from walrus_chain.crypto.node_key import MasterKey
from walrus_chain.crypto.sealing import seal_share
from walrus_chain.crypto.threshold import KeyIdentity, make_share
from walrus_chain.errors import AgentUnreachable
from walrus_chain.messages.access import JOB
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.access import JobKeyQuestion, KeyAnswer
from walrus_chain.types import BlobObjectId, Epoch, NodeId, PoolId, Wei

OBJECT, DATA_KEY = BlobObjectId(1), bytes(range(32))
IDENTITY = KeyIdentity(ACCESS.chain_id, ACCESS.verifying_contract, POLICY, OBJECT, 1)
SIGNER = LocalSigner(bytes([1]) * 32)
TERMS = JobRequest(REQUESTER, order(), (JobCharge(INPUT, PoolId(0), Wei(0)),), 1, Epoch(1), 0)


class Holder:
    """A node that holds a share, and gives it as a test wants."""

    def __init__(self, node_id: int) -> None:
        self.node_id = NodeId(node_id)
        self.label = f"node {node_id}"
        self.key = MasterKey.generate(chance(f"holder {node_id}"))
        self.fails = self.stalls = self.lies = False
        self.asked: list[JobKeyQuestion] = []

    async def release_job_key(self, question: JobKeyQuestion) -> KeyAnswer:
        """Its share."""
        self.asked.append(question)
        if self.fails:
            raise AgentUnreachable(self.label, "it is down")
        if self.stalls:
            await asyncio.sleep(60)
        key = MasterKey.generate(chance("another")) if self.lies else self.key
        digest = question.request.digest(ACCESS)
        sealed = seal_share(question.grant.encryption_key, make_share(key, IDENTITY, None), digest)
        receipt = Receipt(
            self.node_id, 0, bytes(32), REQUESTER, OBJECT, question.request.action, question.request.program, 1, 5,
            bytes(32), 1, digest, PaidBy.FREE, Wei(0), 0, 0, Wei(0), 1,
        )  # fmt: skip
        return KeyAnswer(sealed, self.key.public.key_id, receipt, bytes(65))


class Source:
    """Knows the envelope and its holders."""

    def __init__(self, holders: list[Holder], threshold: int) -> None:
        self.all = holders
        self.chain = FakeJobChain()
        recipients = [Recipient(holder.node_id, holder.key.public) for holder in holders]
        self.envelope = seal(DATA_KEY, IDENTITY, recipients, threshold, chance("seal"))
        self.published = True

    async def head(self, confirmations: int) -> BlockRef:
        """The newest block."""
        return await self.chain.head(confirmations)

    async def input_key(self, blob_object: BlobObjectId) -> InputKey | None:
        """The sealed key."""
        return InputKey(self.envelope, POLICY, 1) if self.published else None

    async def holders(self, envelope: KeyEnvelope) -> list[ShareHolder]:
        """All of them."""
        return [ShareHolder(holder.node_id, holder, holder.key.public) for holder in self.all]


def asker(source: Source, random: Callable[[int], bytes] | None = None) -> ShareAsker:
    """Node 1, that asks."""
    return ShareAsker(
        NodeId(1), SIGNER, ACCESS, source, 1, source.chain.clock, random or chance("asker"), patience=0.05
    )


async def test_data_key__enough_answer__opened_and_no_more_are_asked() -> None:
    holders = [Holder(number) for number in (1, 2, 3)]

    assert await asker(Source(holders, 2)).data_key(5, TERMS, OBJECT) == DATA_KEY

    assert [len(holder.asked) for holder in holders] == [1, 1, 0]


async def test_data_key__each_request__for_one_node_under_one_grant() -> None:
    holders = [Holder(number) for number in (1, 2)]
    source = Source(holders, 2)

    await asker(source).data_key(5, TERMS, OBJECT)

    questions = [holder.asked[0] for holder in holders]
    assert [question.request.node for question in questions] == [1, 2]
    assert len({question.request.nonce for question in questions}) == 2
    for question in questions:
        assert question.request.grant == question.grant.digest(ACCESS)
        assert (question.request.payment, question.request.sequence) == (JOB, 5)
        assert question.request.block_hash == source.chain.blocks[-2][0].hash
        question.request.verify_by(SIGNER.address, question.request_signature, ACCESS)


@pytest.mark.parametrize("how", ["fails", "stalls", "lies"])
async def test_data_key__one_fails__the_next_is_asked(how: str) -> None:
    holders = [Holder(number) for number in (1, 2, 3)]
    setattr(holders[0], how, True)

    assert await asker(Source(holders, 2)).data_key(5, TERMS, OBJECT) == DATA_KEY

    assert len(holders[2].asked) == 1


async def test_data_key__too_few__says_who_failed() -> None:
    holders = [Holder(number) for number in (1, 2, 3)]
    holders[0].fails = holders[2].lies = True

    with pytest.raises(KeyNotOpened) as caught:
        await asker(Source(holders, 2)).data_key(5, TERMS, OBJECT)

    assert [failure.partition(":")[0] for failure in caught.value.failures] == ["node 1", "node 3"]


async def test_data_key__none_published__not_opened() -> None:
    source = Source([Holder(1)], 1)
    source.published = False

    with pytest.raises(KeyNotOpened):
        await asker(source).data_key(5, TERMS, OBJECT)
