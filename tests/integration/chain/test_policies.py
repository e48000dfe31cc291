"""Policies, sealed keys, credentials and receipts on a real chain, through `Sender.policies` and `Chain.policies`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.integration.chain.local import ALICE, BOB, PARAMETERS, SIGNERS, LocalNetwork, in_pool
from walrus_chain.chain.account import SigningAccount
from walrus_chain.chain.deployments import KINDS
from walrus_chain.chain.kind_rejections import NotAdministrator, NotAHolder, WrongArgumentsLength
from walrus_chain.chain.network import Chain
from walrus_chain.chain.policy_events import EnvelopePublished, PoliciesAttached
from walrus_chain.chain.policy_rejections import (
    CredentialNotYours,
    ForbiddenByPolicy,
    NoQuote,
    NoticeOutOfBounds,
    PoliciesAttachedAlready,
    PoliciesFixed,
    PoliciesNotYours,
    PoliciesTooEarly,
    PolicyGasTooLow,
    ReceiptsEpochNotOver,
    ReceiptsNotYours,
    UnknownKind,
)
from walrus_chain.chain.policy_views import Policies, Question
from walrus_chain.chain.provider import Call, ChainProvider
from walrus_chain.chain.sender import Sender
from walrus_chain.errors import BlockUnknown, SealedKeyMissing
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import NOBODY, Address, BlobObjectId, Epoch, NodeId

pytestmark = pytest.mark.integration
DAY = PARAMETERS.minimum_notice_seconds
ENVELOPE = bytes(range(200))
ALICE_ADDRESS, BOB_ADDRESS = Address(ALICE.address), Address(BOB.address)


async def made(network: LocalNetwork, kind: str, types: Sequence[str] = (), *arguments: Any) -> Address:
    """A ready-made policy, created by Alice."""
    return (await network.alice.policies.create(kind, encode(types, arguments))).policy


def read_by(requester: Address, blob: BlobObjectId, sequence: int = 0) -> Question:
    """Whether somebody may read."""
    return Question(requester, blob, 1, sequence=sequence)


async def test_rules__as_deployed(network: LocalNetwork) -> None:
    rules = await network.chain.policies.rules()
    assert rules.maximum_request_age == PARAMETERS.maximum_request_age_seconds
    assert (rules.minimum_notice, rules.maximum_notice) == (DAY, 365 * DAY)
    assert (rules.evaluation_gas, rules.hook_gas) == (8_000_000, 100_000)


async def test_record__of_an_object_without_policies__is_empty_and_only_its_owner_reads(network: LocalNetwork) -> None:
    blob = await network.certified()
    record = await network.chain.policies.record_of(blob)
    assert (record.attached, record.sealed, record.current.none, record.next.none) == (False, False, True, True)
    assert await network.chain.policies.envelope_of(blob) is None

    owner = await network.chain.policies.judge(read_by(ALICE_ADDRESS, blob))
    stranger = await network.chain.policies.judge(read_by(BOB_ADDRESS, blob))

    assert (owner.allowed, owner.free, owner.reason, owner.policy) == (True, True, "", NOBODY)
    assert (stranger.allowed, stranger.reason) == (False, "NotOwner")


async def test_judge__at_a_block__answers_as_of_it(network: LocalNetwork) -> None:
    blob = await network.certified()
    policy = await made(network, "AllowList", ["address"], ALICE_ADDRESS)
    await network.alice.policies.attach(blob, Policies(access=policy), DAY, ENVELOPE)
    before = await network.head_hash()
    await network.alice.policies.set_listed(policy, [BOB_ADDRESS], listed=True)
    between = await network.head_hash()
    await network.alice.policies.set_listed(policy, [BOB_ADDRESS], listed=False)
    question = read_by(BOB_ADDRESS, blob)

    verdicts = [await network.chain.policies.judge(question, at) for at in (before, between, None)]

    assert [verdict.allowed for verdict in verdicts] == [False, True, False]
    assert [verdict.reason for verdict in verdicts] == ["NotListed", "", "NotListed"]
    assert {verdict.policy for verdict in verdicts} == {policy}
    assert {verdict.key_epoch for verdict in verdicts} == {1}
    assert verdicts[1].blob_id == (await network.chain.blob(blob)).blob_id
    assert await network.chain.policies.is_listed(policy, BOB_ADDRESS, between)
    assert not await network.chain.policies.is_listed(policy, BOB_ADDRESS)


async def test_judge__at_a_block_of_another_fork_or_of_none__unknown(network: LocalNetwork) -> None:
    blob = await network.certified()
    await network.rpc("anvil_mine", "0x3")
    gone = await network.head_hash()
    policies = network.chain.policies
    assert (await policies.judge(read_by(ALICE_ADDRESS, blob), gone)).allowed
    await network.rpc("anvil_reorg", 2, [])

    for digest in (gone, b"\x77" * 32):
        for call in (
            policies.judge(read_by(ALICE_ADDRESS, blob), digest),
            policies.record_of(blob, digest),
            network.chain.block_at(digest),
        ):
            with pytest.raises(BlockUnknown):
                await call
    head = await network.chain.head()
    assert await network.chain.block_at(head.hash) == head
    assert (await policies.judge(read_by(ALICE_ADDRESS, blob), head.hash)).allowed


async def test_judge__too_little_gas__is_an_error_and_no_answer(network: LocalNetwork) -> None:
    blob = await network.certified()
    policy = await made(network, "Owner")
    await network.alice.policies.attach(blob, Policies(access=policy), DAY)
    question = read_by(ALICE_ADDRESS, blob)
    with pytest.raises(PolicyGasTooLow):
        await network.chain.calls([("BlobPolicies", "judge", (question.as_arguments(),))], gas=5_000_000)
    assert (await network.chain.policies.judge(question)).allowed


async def test_attach__again_or_by_a_stranger_or_with_a_short_notice__refused(network: LocalNetwork) -> None:
    blob = await network.certified()
    policy = await made(network, "Owner")
    with pytest.raises(PoliciesNotYours):
        await Sender(network.chain, BOB).policies.attach(blob, Policies(policy), DAY)
    with pytest.raises(NoticeOutOfBounds):
        await network.alice.policies.attach(blob, Policies(policy), DAY - 1)
    await network.alice.policies.attach(blob, Policies(policy), DAY)
    with pytest.raises(PoliciesAttachedAlready):
        await network.alice.policies.attach(blob, Policies(policy), DAY)
    [attached] = await network.chain.logged(PoliciesAttached)
    assert (attached.blob_object, attached.access, attached.notice_seconds) == (blob, policy, DAY)


async def test_envelope__published_again_twice_in_one_block__the_recorded_one_comes_back(network: LocalNetwork) -> None:
    blob = await network.certified()
    policies = network.alice.policies
    await policies.attach(blob, Policies(), DAY, ENVELOPE)
    first = await network.chain.policies.envelope_of(blob)
    assert first is not None
    assert (first.key_epoch, first.envelope) == (1, ENVELOPE)

    await network.rpc("evm_setAutomine", False)
    sent = [asyncio.ensure_future(policies.publish_envelope(blob, 2, bytes([number]) * 100)) for number in (1, 2)]
    await in_pool(network, 2)
    await network.rpc("evm_mine")
    await asyncio.gather(*sent)
    await network.rpc("evm_setAutomine", True)

    record, second = await network.chain.policies.record_of(blob), await network.chain.policies.envelope_of(blob)
    assert second is not None
    assert (second.key_epoch, record.key_epoch, second.block) == (2, 2, record.envelope_block)
    assert keccak(second.envelope) == record.envelope_hash
    logged = await network.chain.logged(EnvelopePublished, first=second.block, last=second.block)
    assert len(logged) == 2
    assert logged[-1].envelope == second.envelope


class Forgetful(ChainProvider):
    """An endpoint that keeps no logs."""

    async def known(self, block: object, calls: Sequence[Call]) -> list[Any]:
        answers = await super().known(block, calls)
        return [[] if call[0] == "eth_getLogs" else answer for call, answer in zip(calls, answers, strict=True)]


async def test_envelope__of_an_endpoint_without_old_logs__named(network: LocalNetwork) -> None:
    blob = await network.certified()
    await network.alice.policies.attach(blob, Policies(), DAY, ENVELOPE)
    async with Forgetful([network.url]) as provider:
        with pytest.raises(SealedKeyMissing, match=r"127\.0\.0\.1"):
            await Chain(provider, network.chain.deployment).policies.envelope_of(blob)


async def test_announcement__holds_from_its_time_on__unless_it_is_cancelled(network: LocalNetwork) -> None:
    blob = await network.certified()
    policy = await made(network, "Owner")
    writer, reader = network.alice.policies, network.chain.policies
    await writer.attach(blob, Policies(), DAY, ENVELOPE)
    await writer.announce(blob, Policies(access=policy))
    announced = await reader.record_of(blob)
    assert (announced.current, announced.next) == (Policies(), Policies(access=policy))
    assert announced.next_from == (await network.chain.head()).timestamp + DAY
    await writer.cancel_announcement(blob)
    assert (await reader.record_of(blob)).next_from == 0

    await writer.announce(blob, Policies(access=policy))
    with pytest.raises(PoliciesTooEarly):
        await writer.enact(blob)
    await network.pass_time(DAY)
    assert (await reader.record_of(blob)).current == Policies(access=policy)
    await writer.enact(blob)
    await writer.freeze(blob)
    record = await reader.record_of(blob)
    assert (record.frozen, record.current, record.next_from) == (True, Policies(access=policy), 0)
    with pytest.raises(PoliciesFixed):
        await writer.announce(blob, Policies())


async def test_kinds__of_the_factory__are_those_of_the_deployment(network: LocalNetwork) -> None:
    policies = network.chain.policies
    assert set(await policies.kinds()) == set(KINDS)
    for kind, contract in KINDS.items():
        assert await policies.implementation_of(kind) == network.chain.deployment.address(contract)
    for name in ("Nonsense", "Nonsense" * 5):
        assert await policies.implementation_of(name) == NOBODY
        with pytest.raises(UnknownKind, match=name):
            await network.alice.policies.create(name, b"")
    with pytest.raises(WrongArgumentsLength):
        await network.alice.policies.create("Owner", bytes(32))


async def test_ready_made__its_kind_and_arguments__from_its_code(network: LocalNetwork) -> None:
    policies = network.chain.policies
    owner = await made(network, "Owner")
    term = await made(network, "FixedTerm", ["uint32"], 9)

    found = await policies.ready_made(term)

    assert found is not None
    assert (found.address, found.kind, found.arguments) == (term, "FixedTerm", encode(["uint32"], [9]))
    assert await policies.kind_of(owner) == "Owner"
    assert [policy.address for policy in await policies.created_by(ALICE_ADDRESS)] == [owner, term]
    assert await policies.created_by(BOB_ADDRESS) == ()
    for stranger in (network.chain.deployment.address("OwnerPolicy"), ALICE_ADDRESS):
        assert await policies.ready_made(stranger) is None


async def test_lists__of_accounts_and_of_a_root__only_their_administrator_changes_them(network: LocalNetwork) -> None:
    listed = await made(network, "AllowList", ["address"], ALICE_ADDRESS)
    rooted = await made(network, "MerkleAllowList", ["bytes32", "address"], b"\x01" * 32, ALICE_ADDRESS)
    writer, reader, bob = network.alice.policies, network.chain.policies, Sender(network.chain, BOB).policies
    others = [Address("0x" + f"{number:040x}") for number in (7, 8, 9)]
    await writer.set_listed(listed, others, listed=True)
    await writer.set_listed(listed, others[1:2], listed=False)
    await writer.set_root(rooted, b"\x02" * 32)
    assert await reader.listed_by(listed) == (others[0], others[2])
    assert await reader.root_of(rooted) == b"\x02" * 32
    with pytest.raises(NotAdministrator):
        await bob.set_listed(listed, others, listed=True)
    with pytest.raises(NotAdministrator):
        await bob.set_root(rooted, b"\x03" * 32)


async def test_legal_hold__while_it_lasts__the_object_cannot_be_deleted(network: LocalNetwork) -> None:
    blob = await network.certified()
    hold = await made(network, "LegalHold", ["address[]"], [BOB_ADDRESS])
    bob = Sender(network.chain, BOB).policies
    await network.alice.policies.attach(blob, Policies(retention=hold), DAY)
    with pytest.raises(NotAHolder):
        await network.alice.policies.set_hold(hold, blob, held=True)
    await bob.set_hold(hold, blob, held=True)
    assert await network.chain.policies.is_held_by(hold, blob, BOB_ADDRESS)

    with pytest.raises(ForbiddenByPolicy, match="canDelete") as caught:
        await network.alice.delete(blob)

    assert (caught.value.policy, caught.value.blob_object) == (hold, blob)
    await bob.set_hold(hold, blob, held=False)
    await network.alice.delete(blob)


async def test_destroy_at__of_a_policy_that_deletes__ends_all_reading(network: LocalNetwork) -> None:
    blob = await network.certified()
    moment = (await network.chain.head()).timestamp + 500
    policy = await made(network, "DeleteAfter", ["uint64"], moment)
    await network.alice.policies.attach(blob, Policies(retention=policy), DAY, ENVELOPE)
    assert await network.chain.policies.destroy_at(blob) == moment
    assert (await network.chain.policies.judge(read_by(ALICE_ADDRESS, blob))).allowed
    await network.pass_time(500)
    assert (await network.chain.policies.judge(read_by(ALICE_ADDRESS, blob))).reason == "KeysDestroyed"


async def test_quote__of_a_use_that_no_one_prices__says_why(network: LocalNetwork) -> None:
    blob = await network.certified()
    assert (await network.chain.policies.quote_of(read_by(ALICE_ADDRESS, blob))).amount == 0
    with pytest.raises(NoQuote, match="UnknownAction"):
        await network.chain.policies.quote_of(Question(ALICE_ADDRESS, blob, 9))


async def test_credential__given_shown_and_taken_back(network: LocalNetwork) -> None:
    schema = keccak(text="ethics board approval")
    now = (await network.chain.head()).timestamp
    given = await network.alice.policies.attest(schema, BOB_ADDRESS, now + 1000, b"\x05")
    before = await network.head_hash()
    credential = await network.chain.policies.credential(given.uid)
    assert credential is not None
    assert (credential.schema, credential.recipient, credential.attester) == (schema, BOB_ADDRESS, ALICE_ADDRESS)
    assert (credential.valid_at(now + 999), credential.valid_at(now + 1000), credential.data) == (True, False, b"\x05")
    with pytest.raises(CredentialNotYours):
        await Sender(network.chain, BOB).policies.revoke(given.uid)

    await network.alice.policies.revoke(given.uid)

    [revoked] = await network.chain.policies.credentials_of(BOB_ADDRESS)
    assert not revoked.valid_at(now)
    assert await network.chain.policies.credentials_by(ALICE_ADDRESS) == (revoked,)
    assert await network.chain.policies.credentials_by(BOB_ADDRESS) == ()
    assert await network.chain.policies.credential(given.uid, before) == credential
    assert await network.chain.policies.credential(bytes(32)) is None


async def test_receipts__anchored_once_by_their_node__stay(network: LocalNetwork) -> None:
    node = Sender(network.chain, SigningAccount(SIGNERS[0])).policies
    await network.rpc("anvil_setBalance", SIGNERS[0].address, hex(10**18))
    reader, root = network.chain.policies, b"\x0a" * 32
    with pytest.raises(ReceiptsEpochNotOver):
        await node.anchor_receipts(NodeId(1), Epoch(1), root, 5)
    await network.pass_time(PARAMETERS.epoch_seconds)
    assert await reader.receipt_root_of(NodeId(1), Epoch(1)) is None
    with pytest.raises(ReceiptsNotYours):
        await network.alice.policies.anchor_receipts(NodeId(1), Epoch(1), root, 5)

    await node.anchor_receipts(NodeId(1), Epoch(1), root, 5)

    assert await reader.receipt_root_of(NodeId(1), Epoch(1)) == root
    [anchored] = await reader.receipts_of(NodeId(1))
    assert (anchored.epoch, anchored.root, anchored.count) == (1, root, 5)
    assert await reader.receipts_of(NodeId(2)) == ()


async def test_destruction__stated_by_a_node__is_found_by_its_object(network: LocalNetwork) -> None:
    node = Sender(network.chain, SigningAccount(SIGNERS[0])).policies
    await network.rpc("anvil_setBalance", SIGNERS[0].address, hex(10**18))
    blob, key_hash = await network.certified(), hashlib.sha256(b"public key").digest()
    await node.attest_destruction(NodeId(1), blob, key_hash)
    [stated] = await network.chain.policies.destructions_of(blob)
    assert (stated.node_id, stated.blob_object, stated.key_hash) == (1, blob, key_hash)


async def test_signature__of_a_key__judged_on_chain(network: LocalNetwork) -> None:
    signer, digest = LocalSigner(b"\x31" * 32), keccak(b"words")
    signature, policies = signer.sign_digest(digest), network.chain.policies
    at = await network.head_hash()
    assert await policies.is_valid_signature(signer.address, digest, signature, at)
    assert not await policies.is_valid_signature(BOB_ADDRESS, digest, signature, at)
    assert not await policies.is_valid_signature(signer.address, digest, b"\x01" * 65, at)
    assert not await policies.is_valid_signature(signer.address, digest, b"", at)
