"""Shares are released to whom the policy allows it, once and paid; attacks on that, each by name."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from storage_agent.keys.request import KeyRequest
from storage_agent.node.access_refusals import (
    BlockTooOld,
    BlockUnknown,
    ChainUnavailable,
    Denied,
    KeysDestroyed,
    PaymentRequired,
    PaymentUnconfirmed,
    StaleKeyEpoch,
    UnknownKey,
    VoucherRefused,
    WrongSignature,
)
from storage_agent.node.refusals import MalformedRequest
from storage_agent.store.access import NonceUsed
from tests.fakes.access_chain import ACCESS, BLOCK_SECONDS, CHANNELS, POLICY, FakeAccessChain, verdict
from tests.fakes.key_desk import CONFIRMATIONS, EPOCH_SECONDS, FINALITY_ABOVE, MAXIMUM_AGE, Bench
from tests.fakes.readers import Reader
from tests.unit.agent.keys.conftest import CHANNEL, DEPOSIT, FREE, PAID, POOL, PRICE
from walrus_chain.crypto.threshold import check_share
from walrus_chain.errors import (
    GrantExpired,
    OutsideScope,
    RequestExpired,
    RpcUnavailable,
    SealNotOpened,
    WrongGrant,
    WrongNode,
)
from walrus_chain.messages.access import Action
from walrus_chain.messages.domain import access_domain
from walrus_chain.messages.receipt import PaidBy, Receipt
from walrus_chain.messages.signing import checksummed
from walrus_chain.types import BlobObjectId, NodeId, Wei


def receipts(bench: Bench) -> list[Receipt]:
    """What the node says it released."""
    return [Receipt.from_data(row.receipt.data) for row in bench.ledger.receipts()]


# -- who may, gets it ------------------------------------------------------------------------------------------------


async def test_release__allowed_and_free__the_share_opens_for_the_requester_alone(bench: Bench) -> None:
    body = bench.body()
    released = await bench.release(body)

    bench.open(released, body)
    with pytest.raises(SealNotOpened):
        bench.open(released, body, bench.another("somebody else"))


async def test_release__signed_receipt__says_what_was_released(bench: Bench) -> None:
    body = bench.body()
    released = await bench.release(body)

    [receipt] = receipts(bench)
    receipt.verify(released.receipt.signature, bench.signer.address, ACCESS)
    assert receipt.requester == bench.reader.wallet.address
    assert (receipt.blob_object, receipt.paid_by, receipt.index) == (FREE, PaidBy.FREE, 0)
    assert receipt.block_hash == bench.chain.head_block.hash
    assert receipt.request == KeyRequest.from_data(body).request.digest(ACCESS)


async def test_release__contract_that_signed__counts_as_the_requester(bench: Bench, chain: FakeAccessChain) -> None:
    account = checksummed(b"\xe1" * 20)
    grant = bench.reader.grant(requester=account)
    body = bench.body(grant=grant)
    signature = bytes.fromhex(body["grantSignature"][2:])

    with pytest.raises(WrongSignature):
        await bench.release(body)
    chain.contracts[account] = {(grant.digest(ACCESS), signature)}

    bench.open(await bench.release(body), body)


async def test_release__older_key_named__its_share(bench: Bench) -> None:
    older = bench.keys[1].public
    body = bench.body(extra={"keyId": "0x" + older.key_id.hex()})

    assert (await bench.release(body)).key_id == older.key_id
    with pytest.raises(UnknownKey):
        await bench.ask(extra={"keyId": "0x" + bytes(8).hex()})


async def test_release__sealed_to_the_objects_own_key__share_of_both(bench: Bench) -> None:
    own = await bench.desk.erasable.make(FREE)
    body = bench.body(extra={"erasable": True})
    released = await bench.release(body)

    share = bench.reader.sealing.open_share(released.share, KeyRequest.from_data(body).request.digest(ACCESS))
    check_share(NodeId(1), share, bench.identity(), bench.keys[0].public.plus(own.public))


# -- a request is for one node, network, object, time and requester ---------------------------------------------------


async def test_replay__at_another_node__refused(bench: Bench, chain: FakeAccessChain, tmp_path: Path) -> None:
    other = Bench(chain, tmp_path, NodeId(2))
    body = bench.body()
    await bench.release(body)

    with pytest.raises(WrongNode):
        await other.release(body)
    other.stop()


@pytest.mark.parametrize(
    "domain",
    [access_domain(1, ACCESS.verifying_contract), access_domain(ACCESS.chain_id, POLICY)],
    ids=["chain", "registry"],
)
async def test_replay__from_another_network__refused(bench: Bench, domain: Any) -> None:
    elsewhere = Reader("reader", domain, CHANNELS, bench.reader.now)
    with pytest.raises(WrongGrant):
        await bench.release(elsewhere.body(bench.chain.head_block.hash))


async def test_replay__grant_of_another_network_under_a_request_of_this_one__refused(bench: Bench) -> None:
    elsewhere = Reader("reader", access_domain(1, ACCESS.verifying_contract), CHANNELS, bench.reader.now)
    grant = bench.reader.grant()
    body = bench.body(grant=grant)
    body["grantSignature"] = "0x" + grant.sign(elsewhere.wallet, elsewhere.access).hex()

    with pytest.raises(WrongSignature, match="grant"):
        await bench.release(body)


async def test_replay__for_another_blob__refused(bench: Bench, chain: FakeAccessChain) -> None:
    chain.now.rules[BlobObjectId(5)] = verdict()
    chain.mine()
    body = bench.body()
    body["request"]["blobObject"] = "5"

    with pytest.raises(WrongSignature, match="request"):
        await bench.release(body)


async def test_replay__after_expiry__refused(bench: Bench, chain: FakeAccessChain) -> None:
    body = bench.body()
    chain.mine(300 // BLOCK_SECONDS + 1)

    with pytest.raises(RequestExpired):
        await bench.release(body)


async def test_replay__expiry_too_far_ahead__refused(bench: Bench) -> None:
    with pytest.raises(RequestExpired):
        await bench.ask(expires_at=bench.reader.now() + 601)


async def test_replay__with_anothers_encryption_key__refused(bench: Bench) -> None:
    body = bench.body()
    body["grant"]["encryptionKey"] = "0x" + bench.another("thief").sealing.public.hex()

    with pytest.raises(WrongGrant):
        await bench.release(body)


async def test_replay__anothers_grant_with_own_session_key__refused(bench: Bench) -> None:
    thief = bench.another("thief")
    grant = bench.reader.grant(session_key=thief.session.address, encryption_key=thief.sealing.public)
    with pytest.raises(WrongSignature, match="grant"):
        await bench.release(thief.body(bench.chain.head_block.hash, grant=grant))


async def test_request__signed_by_the_session_key_of_another__refused(bench: Bench) -> None:
    thief = bench.another("thief")
    body = bench.body()
    request = KeyRequest.from_data(body).request
    body["requestSignature"] = "0x" + request.sign(thief.session, ACCESS).hex()

    with pytest.raises(WrongSignature, match="request"):
        await bench.release(body)


async def test_grant__without_the_object__outside_scope(bench: Bench) -> None:
    with pytest.raises(OutsideScope):
        await bench.ask(grant=bench.reader.grant(blob_objects=(BlobObjectId(9),)))


async def test_grant__without_the_action__outside_scope(bench: Bench) -> None:
    with pytest.raises(OutsideScope):
        await bench.ask(grant=bench.reader.grant(actions=Action.COMPUTE.bit))


@pytest.mark.parametrize(("begin", "end"), [(-7200, -60), (60, 7200)], ids=["over", "not yet"])
async def test_grant__not_in_force__refused(bench: Bench, begin: int, end: int) -> None:
    now = bench.reader.now()
    with pytest.raises(GrantExpired):
        await bench.ask(grant=bench.reader.grant(valid_from=now + begin, valid_until=now + end))


async def test_compute__allowed_by_the_policy__still_gives_nobody_a_share(bench: Bench, chain: FakeAccessChain) -> None:
    grant = bench.reader.grant(actions=3)
    with pytest.raises(Denied, match="OnlyToRead"):
        await bench.ask(grant=grant, action=Action.COMPUTE, program=b"\1" * 32)
    assert chain.asked == 0


async def test_evidence__other_than_signed__refused(bench: Bench) -> None:
    body = bench.body(evidence=b"one")
    body["evidence"] = "0x" + b"another".hex()

    with pytest.raises(MalformedRequest, match="evidence"):
        await bench.release(body)


async def test_encryption_key__that_nothing_is_sealed_to__refused_before_anything_is_paid(bench: Bench) -> None:
    voucher = bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID)
    grant = bench.reader.grant(encryption_key=bytes(32))

    with pytest.raises(MalformedRequest, match="encryptionKey"):
        await bench.ask(grant=grant, blob_object=PAID, voucher=voucher)
    assert receipts(bench) == []


# -- nonces -----------------------------------------------------------------------------------------------------------


async def test_nonce__used_before__refused_also_after_a_restart(bench: Bench) -> None:
    body = bench.body()
    await bench.release(body)

    with pytest.raises(NonceUsed):
        await bench.release(body)
    bench.restart()
    with pytest.raises(NonceUsed):
        await bench.release(body)
    assert len(receipts(bench)) == 1


async def test_nonce__many_requests_at_once__one_wins(bench: Bench) -> None:
    body = bench.body()
    results = await asyncio.gather(*(bench.release(body) for _ in range(8)), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["NonceUsed"] * 7 + ["Released"]


async def test_nonce__of_somebody_else__does_not_count(bench: Bench) -> None:
    await bench.ask(nonce=b"\1" * 32)
    await bench.ask(bench.another("somebody else"), nonce=b"\1" * 32)


async def test_nonce__of_a_refused_request__is_not_used_up(bench: Bench, chain: FakeAccessChain) -> None:
    chain.now.revoked.add(bench.reader.wallet.address)
    chain.mine()
    body = bench.body(nonce=b"\1" * 32)
    with pytest.raises(Denied):
        await bench.release(body)
    chain.now.revoked.clear()
    chain.mine()

    await bench.ask(nonce=b"\1" * 32)


# -- the block --------------------------------------------------------------------------------------------------------


async def test_block__unknown__try_again_and_never_denied(bench: Bench) -> None:
    with pytest.raises(BlockUnknown):
        await bench.ask(block_hash=b"\7" * 32)


async def test_block__too_old__refused(bench: Bench, chain: FakeAccessChain) -> None:
    old = chain.head_block.hash
    chain.mine(MAXIMUM_AGE // BLOCK_SECONDS)
    await bench.ask(block_hash=old)
    chain.mine()

    with pytest.raises(BlockTooOld):
        await bench.ask(block_hash=old)


async def test_block__reorganised_away__try_again(bench: Bench, chain: FakeAccessChain) -> None:
    body = bench.body()
    chain.undo(1)
    chain.mine()

    with pytest.raises(BlockUnknown):
        await bench.release(body)


async def test_revocation__counts_from_its_block_on(bench: Bench, chain: FakeAccessChain) -> None:
    before = chain.head_block.hash
    chain.now.revoked.add(bench.reader.wallet.address)
    chain.mine()

    with pytest.raises(Denied, match="CredentialRevoked"):
        await bench.ask()
    await bench.ask(block_hash=before)


@pytest.mark.parametrize("times", [1, 2])
async def test_chain__does_not_answer__try_again_and_nothing_is_written(
    bench: Bench, chain: FakeAccessChain, times: int
) -> None:
    body = bench.body()
    chain.failures = [RpcUnavailable("eth_call", {"rpc": "down"})] * times

    with pytest.raises(ChainUnavailable):
        await bench.release(body)
    chain.failures = []
    assert receipts(bench) == []
    await bench.release(body)


# -- the decision -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["NotOwner", "PolicyFailed", "QuoteFailed", ""])
async def test_denied__for_any_reason__nothing_is_released_or_written(
    bench: Bench, chain: FakeAccessChain, reason: str
) -> None:
    chain.now.rules[FREE] = verdict(allowed=False, reason=reason)
    chain.mine()

    with pytest.raises(Denied) as refusal:
        await bench.ask()
    assert (refusal.value.reason, refusal.value.policy) == (reason, POLICY)
    assert receipts(bench) == []


async def test_denied__use_that_was_paid_before__stays_denied(bench: Bench, chain: FakeAccessChain) -> None:
    await bench.ask(blob_object=PAID, voucher=bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID))
    chain.now.revoked.add(bench.reader.wallet.address)
    chain.mine()

    with pytest.raises(Denied):
        await bench.ask(blob_object=PAID)


async def test_key_epoch__not_in_force__refused_with_the_one_that_is(bench: Bench) -> None:
    with pytest.raises(StaleKeyEpoch) as refusal:
        await bench.ask(key_epoch=2)
    assert refusal.value.key_epoch == 1


async def test_keys_destroyed__says_the_chain_or_the_node__gone(bench: Bench, chain: FakeAccessChain) -> None:
    await bench.desk.erasable.make(FREE)
    await bench.desk.erasable.destroy(FREE)
    with pytest.raises(KeysDestroyed):
        await bench.ask(extra={"erasable": True})

    chain.now.rules[FREE] = verdict(allowed=False, reason="KeysDestroyed")
    chain.mine()
    with pytest.raises(KeysDestroyed):
        await bench.ask()


# -- payment ----------------------------------------------------------------------------------------------------------


async def test_payment__none__told_price_and_pool(bench: Bench) -> None:
    with pytest.raises(PaymentRequired) as refusal:
        await bench.ask(blob_object=PAID)
    assert (refusal.value.price, refusal.value.pool) == (str(PRICE), POOL)


async def test_payment__voucher__taken_once_and_the_use_served_again_without(bench: Bench) -> None:
    voucher = bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID)
    await bench.ask(blob_object=PAID, voucher=voucher)

    bench.restart()
    await bench.ask(blob_object=PAID)
    await bench.ask(blob_object=PAID, voucher=voucher)

    assert [(one.paid_by, one.amount, one.index) for one in receipts(bench)] == [
        (PaidBy.VOUCHER, PRICE, i) for i in range(3)
    ]
    [promise] = bench.ledger.promises()
    assert (promise.channel, promise.cumulative, promise.amount) == (CHANNEL, PRICE, PRICE)


async def test_payment__purchase__each_read_once(bench: Bench, chain: FakeAccessChain) -> None:
    chain.now.bought[PAID, bench.reader.wallet.address] = 1
    chain.mine(CONFIRMATIONS + 1)
    await bench.ask(blob_object=PAID, bought=True)
    await bench.ask(blob_object=PAID)

    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(blob_object=PAID, sequence=1, bought=True)
    assert refusal.value.why == "NotBought"
    chain.now.rules[PAID] = verdict(price=PRICE, pool=POOL, key_epoch=2)
    chain.mine()
    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(blob_object=PAID, key_epoch=2, bought=True)
    assert refusal.value.why == "PurchaseUsed"


async def test_payment__other_than_signed__refused(bench: Bench) -> None:
    body = bench.body(blob_object=PAID, voucher=bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID))
    body["payment"] = {"kind": "purchase"}

    with pytest.raises(MalformedRequest, match="payment"):
        await bench.release(body)


@pytest.mark.parametrize(
    ("cumulative", "amount", "sequence", "why"),
    [
        (PRICE - 1, PRICE - 1, 0, "AmountTooSmall"),
        (PRICE - 1, PRICE, 0, "AmountTooSmall"),
        (DEPOSIT + 1, PRICE, 0, "AboveDeposit"),
        (PRICE, PRICE, 1, "WrongPurpose"),
    ],
    ids=["below the price", "promises less than it pays", "above the deposit", "for another use"],
)
async def test_voucher__that_does_not_pay__refused(
    bench: Bench, cumulative: int, amount: int, sequence: int, why: str
) -> None:
    voucher = bench.reader.voucher(CHANNEL, cumulative, amount, blob_object=PAID, sequence=sequence)
    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(blob_object=PAID, voucher=voucher)
    assert refusal.value.why == why
    assert receipts(bench) == []


async def test_voucher__lower_than_before__refused_with_the_payers_own_word(bench: Bench) -> None:
    await bench.ask(blob_object=PAID, voucher=bench.reader.voucher(CHANNEL, 3 * PRICE, PRICE, blob_object=PAID))
    meets = bench.reader.voucher(CHANNEL, 3 * PRICE - 1, PRICE, blob_object=PAID, sequence=1)

    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(blob_object=PAID, sequence=1, voucher=meets)
    assert (refusal.value.why, refusal.value.highest) == ("StretchTaken", str(3 * PRICE))
    assert refusal.value.highest_voucher["cumulative"] == str(3 * PRICE)

    below = bench.reader.voucher(CHANNEL, 2 * PRICE, PRICE, blob_object=PAID, sequence=1)
    await bench.ask(blob_object=PAID, sequence=1, voucher=below)


async def test_voucher__on_a_closing_channel__refused_though_the_named_block_is_before(
    bench: Bench, chain: FakeAccessChain
) -> None:
    before = chain.head_block
    chain.change_channel(CHANNEL, closes_at=before.timestamp + 1000)
    chain.mine()

    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(
            blob_object=PAID,
            voucher=bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID),
            block_hash=before.hash,
        )
    assert refusal.value.why == "ChannelIsClosing"


async def test_voucher__signed_for_another_by_another__refused(bench: Bench) -> None:
    thief = bench.another("thief")
    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(thief, blob_object=PAID, voucher=thief.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID))
    assert refusal.value.why == "WrongVoucherSigner"


async def test_voucher__of_another_requesters_use__does_not_pay_mine(bench: Bench) -> None:
    thief = bench.another("thief")
    voucher = bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID)
    body = thief.body(bench.chain.head_block.hash, blob_object=PAID, voucher=voucher)
    body["payment"]["signature"] = "0x" + voucher.sign(bench.reader.wallet, CHANNELS).hex()

    with pytest.raises(VoucherRefused) as refusal:
        await bench.release(body)
    assert refusal.value.why == "WrongPurpose"


@pytest.mark.parametrize(("channel", "pool", "why"), [(99, POOL, "UnknownChannel"), (4, POOL + 1, "WrongPool")])
async def test_voucher__of_a_channel_that_pays_nobody_here__refused(
    bench: Bench, chain: FakeAccessChain, channel: int, pool: int, why: str
) -> None:
    if channel == 4:
        chain.open_channel(4, bench.reader.wallet.address, pool, DEPOSIT)
        chain.mine(CONFIRMATIONS + 1)
    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(blob_object=PAID, voucher=bench.reader.voucher(channel, PRICE, PRICE, blob_object=PAID))
    assert refusal.value.why == why


async def test_voucher__same_stretch_for_two_uses_at_once__one_is_paid(bench: Bench) -> None:
    bodies = [
        bench.body(
            blob_object=PAID,
            sequence=number,
            voucher=bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID, sequence=number),
        )
        for number in range(5)
    ]
    results = await asyncio.gather(*map(bench.release, bodies), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["Released"] + ["VoucherRefused"] * 4
    assert len(receipts(bench)) == 1


async def test_voucher__same_use_at_two_agents_at_once__both_serve_it(
    bench: Bench, chain: FakeAccessChain, tmp_path: Path
) -> None:
    other = Bench(chain, tmp_path, NodeId(2))
    voucher = bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID)
    at_other = Reader("reader", ACCESS, CHANNELS, bench.reader.now, NodeId(2))

    await asyncio.gather(
        bench.ask(blob_object=PAID, voucher=voucher), other.ask(at_other, blob_object=PAID, voucher=voucher)
    )
    assert [len(receipts(one)) for one in (bench, other)] == [1, 1]
    other.stop()


async def test_spend_limit__used_up__refused(bench: Bench) -> None:
    grant = bench.reader.grant(spend_limit=Wei(PRICE + PRICE // 2))
    first = bench.reader.voucher(CHANNEL, PRICE, PRICE, blob_object=PAID)
    second = bench.reader.voucher(CHANNEL, 2 * PRICE, PRICE, blob_object=PAID, sequence=1)
    await bench.ask(grant=grant, blob_object=PAID, voucher=first)

    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(grant=grant, blob_object=PAID, sequence=1, voucher=second)
    assert refusal.value.why == "SpendLimitReached"


async def test_money__not_confirmed_yet__come_back(bench: Bench, chain: FakeAccessChain) -> None:
    chain.open_channel(8, bench.reader.wallet.address, POOL, DEPOSIT)
    chain.now.bought[PAID, bench.reader.wallet.address] = 1
    chain.mine(CONFIRMATIONS)
    voucher = bench.reader.voucher(8, PRICE, PRICE, blob_object=PAID)

    with pytest.raises(PaymentUnconfirmed):
        await bench.ask(blob_object=PAID, voucher=voucher)
    with pytest.raises(PaymentUnconfirmed):
        await bench.ask(blob_object=PAID, bought=True)
    chain.mine()
    await bench.ask(blob_object=PAID, voucher=voucher)


async def test_money__large__waits_for_finality(bench: Bench, chain: FakeAccessChain) -> None:
    price = FINALITY_ABOVE + 1
    chain.now.rules[PAID] = verdict(price=price, pool=POOL)
    chain.open_channel(8, bench.reader.wallet.address, POOL, price)
    chain.mine(CONFIRMATIONS + 5)
    grant = bench.reader.grant(spend_limit=Wei(2 * price))
    voucher = bench.reader.voucher(8, price, price, blob_object=PAID)

    with pytest.raises(PaymentUnconfirmed, match="final"):
        await bench.ask(grant=grant, blob_object=PAID, voucher=voucher)
    chain.final = chain.head_block.number
    await bench.ask(grant=grant, blob_object=PAID, voucher=voucher)


async def test_money__channel_reorganised_away__refused(bench: Bench, chain: FakeAccessChain) -> None:
    chain.open_channel(8, bench.reader.wallet.address, POOL, DEPOSIT)
    chain.mine()
    chain.undo(1)
    chain.mine(CONFIRMATIONS)

    with pytest.raises(VoucherRefused) as refusal:
        await bench.ask(blob_object=PAID, voucher=bench.reader.voucher(8, PRICE, PRICE, blob_object=PAID))
    assert refusal.value.why == "UnknownChannel"


# -- the record -------------------------------------------------------------------------------------------------------


async def test_receipts__of_an_epoch_that_is_sealed__come_into_the_next(bench: Bench, chain: FakeAccessChain) -> None:
    await bench.ask()
    chain.mine(1, EPOCH_SECONDS)
    await bench.ask(sequence=1)

    assert [(row.slot.epoch, row.slot.place) for row in bench.ledger.receipts()] == [(1, 0), (2, 0)]


async def test_requests__counted_by_what_came_of_them(bench: Bench) -> None:
    await bench.ask()
    with pytest.raises(PaymentRequired):
        await bench.ask(blob_object=PAID)

    for result in ("Released", "PaymentRequired"):
        assert bench.metrics.value("walrus_agent_key_requests_total", {"result": result}) == 1
