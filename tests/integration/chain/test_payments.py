"""Pools, purchases, channels and renewals on a real chain, through `Sender.payments` and `Chain.payments`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.integration.chain.local import ALICE, BOB, DEPLOYER, PARAMETERS, SIGNERS, WAL, LocalNetwork
from walrus_chain.chain.account import SigningAccount
from walrus_chain.chain.payment_rejections import (
    AlreadyAMember,
    ChannelIsClosed,
    ChannelNotYours,
    ChannelPoolUnknown,
    ChannelStillOpen,
    ForFree,
    NoEquivocation,
    NotAPoolMember,
    NothingToClaim,
    NothingToRedeem,
    NotSubscribable,
    RenewalBalanceTooSmall,
    RenewalNotDue,
    RenewalNotYours,
    TooExpensive,
    TooFewUnits,
    UnknownChannel,
    UnknownPool,
    WrongUnitsProof,
)
from walrus_chain.chain.payment_views import PoolShare, RenewalTerms
from walrus_chain.chain.policy_views import Policies, Question
from walrus_chain.chain.sender import Sender
from walrus_chain.errors import BlockUnknown
from walrus_chain.messages.domain import address_word, number_word
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Address, BlobId, BlobObjectId, ChannelId, PoolId, Wei

pytestmark = pytest.mark.integration
ALICE_ADDRESS, BOB_ADDRESS, DEPLOYER_ADDRESS = (Address(account.address) for account in (ALICE, BOB, DEPLOYER))
SESSION = LocalSigner(b"\x51" * 32)
NODES_BPS = 1_000
#: Of 10,000, what is left to members when nodes and protocol have theirs.
MEMBERS_BPS = 10_000 - NODES_BPS - PARAMETERS.protocol_bps
PRICE = Wei(WAL // 10)


async def pool_of(network: LocalNetwork) -> PoolId:
    """A pool of Alice, with three units, and of Bob, with one."""
    shares = [PoolShare(ALICE_ADDRESS, 3), PoolShare(BOB_ADDRESS, 1)]
    return (await network.alice.payments.create_pool(shares, NODES_BPS)).pool


async def governed(
    network: LocalNetwork, kind: str, types: Sequence[str], *arguments: Any
) -> tuple[BlobObjectId, Address]:
    """A certified object of Alice's, and the policy under which it is read."""
    policy = (await network.alice.policies.create(kind, encode(types, arguments))).policy
    blob = await network.certified()
    await network.alice.policies.attach(blob, Policies(access=policy), PARAMETERS.minimum_notice_seconds)
    return blob, policy


def voucher(network: LocalNetwork, channel: ChannelId, cumulative: int, amount: int, use: bytes = b"\x01" * 32) -> Any:
    """A voucher and its signature by the session key."""
    made = Voucher(channel, Wei(cumulative), Wei(amount), use)
    return made, made.sign(SESSION, network.chain.channels_domain)


async def test_pool__of_a_list__divides_an_income_by_units(network: LocalNetwork) -> None:
    reader = network.chain.payments
    pool = await pool_of(network)
    assert (pool, await reader.pool_count(), await reader.protocol_bps()) == (1, 1, PARAMETERS.protocol_bps)
    assert await reader.members_of(pool) == (ALICE_ADDRESS, BOB_ADDRESS)
    assert (await reader.pools_of(BOB_ADDRESS), await reader.pools_by(ALICE_ADDRESS)) == ((pool,), (pool,))
    kept = await reader.pool(pool)
    assert (kept.units, kept.nodes_bps, kept.from_root, kept.earned) == (4, NODES_BPS, False, 0)
    assert await reader.list_of(pool) is None

    await network.deployer.payments.distribute(pool, Wei(8 * WAL))

    assert await reader.claimable(pool, ALICE_ADDRESS) == 6 * WAL * MEMBERS_BPS // 10_000
    assert (await reader.pool(pool)).earned == 8 * WAL
    [income] = await reader.incomes_of(pool)
    assert (income.amount, income.payer) == (8 * WAL, DEPLOYER_ADDRESS)
    assert (income.source, income.purpose) == (network.chain.deployment.address("RevenuePools"), bytes(32))
    assert income.timestamp == (await network.chain.block(income.block)).timestamp
    assert await reader.incomes_of(pool, last=income.block - 1) == ()


async def test_claim__pays_in_tokens__and_then_there_is_nothing(network: LocalNetwork) -> None:
    pool, bob = await pool_of(network), Sender(network.chain, BOB).payments
    await network.deployer.payments.distribute(pool, Wei(8 * WAL))
    claimed = await bob.claim(pool)
    assert claimed.amount == 2 * WAL * MEMBERS_BPS // 10_000
    assert (await network.chain.balances(BOB_ADDRESS)).wal == claimed.amount
    member = await network.chain.payments.member(pool, BOB_ADDRESS)
    assert (member.units, member.accrued) == (1, 0)
    with pytest.raises(NothingToClaim):
        await bob.claim(pool)
    with pytest.raises(NotAPoolMember):
        await network.deployer.payments.claim(pool)
    with pytest.raises(UnknownPool):
        await bob.claim(PoolId(9))


async def test_settle__what_nodes_and_protocol_earned__becomes_fees_and_burns(network: LocalNetwork) -> None:
    pool = await pool_of(network)
    await network.deployer.payments.distribute(pool, Wei(8 * WAL))
    waiting = await network.chain.payments.settleable(pool)
    assert (waiting.to_nodes, waiting.burned) == (8 * WAL // 10, 8 * WAL * PARAMETERS.protocol_bps // 10_000)
    before = await network.chain.economy.income_of((await network.chain.parameters()).current_epoch)

    settled = await network.deployer.payments.settle_pool(pool)

    assert (settled.to_nodes, settled.burned) == (waiting.to_nodes, waiting.burned)
    after = await network.chain.economy.income_of(before.epoch)
    assert after.income - before.income == settled.to_nodes
    books = await network.chain.economy.vault_books()
    assert books.balanced
    assert books.reserves["RevenuePools"] == 8 * WAL - settled.to_nodes - settled.burned


async def test_units__handed_on__earn_for_their_new_holder(network: LocalNetwork) -> None:
    pool = await pool_of(network)
    await network.deployer.payments.distribute(pool, Wei(4 * WAL))
    with pytest.raises(TooFewUnits):
        await network.alice.payments.transfer_units(pool, DEPLOYER_ADDRESS, 4)
    await network.alice.payments.transfer_units(pool, DEPLOYER_ADDRESS, 3)
    await network.deployer.payments.distribute(pool, Wei(4 * WAL))
    share = 3 * WAL * MEMBERS_BPS // 10_000
    assert await network.chain.payments.claimable(pool, ALICE_ADDRESS) == share
    assert await network.chain.payments.claimable(pool, DEPLOYER_ADDRESS) == share


def leaf(account: Address, units: int) -> bytes:
    """docs/spec/14-revenue-pools.md."""
    return keccak(b"\x10" + address_word(account)[12:] + units.to_bytes(8, "big"))


async def test_pool__from_a_root__pays_who_shows_its_place(network: LocalNetwork) -> None:
    alice, bob = leaf(ALICE_ADDRESS, 3), leaf(BOB_ADDRESS, 1)
    three, one, four, places = ((number).to_bytes(8, "big") for number in (3, 1, 4, 2))
    root = keccak(b"\x12" + keccak(b"\x11" + alice + three + bob + one) + four + places)
    reader, member_list = network.chain.payments, BlobId(b"\x66" * 32)
    pool = (await network.alice.payments.create_pool_from_root(root, 4, NODES_BPS, member_list)).pool
    assert ((await reader.pool(pool)).from_root, await reader.list_of(pool)) == (True, member_list)
    await network.deployer.payments.distribute(pool, Wei(8 * WAL))
    due = 2 * WAL * MEMBERS_BPS // 10_000
    assert await reader.claimable_from_root(pool, 1) == due
    writer, proof = Sender(network.chain, BOB).payments, places + alice + three
    with pytest.raises(WrongUnitsProof):
        await writer.claim_from_root(pool, 2, 1, proof)

    assert (await writer.claim_from_root(pool, 1, 1, proof)).amount == due

    assert (await reader.member(pool, BOB_ADDRESS)).entered
    with pytest.raises(AlreadyAMember):
        await writer.claim_from_root(pool, 1, 1, proof)
    await writer.enter_pool(pool, ALICE_ADDRESS, 3, 0, places + bob + one)
    assert await reader.claimable(pool, ALICE_ADDRESS) == 3 * due
    assert await reader.members_of(pool) == (BOB_ADDRESS, ALICE_ADDRESS)


async def test_reads__bought_beforehand__are_known_at_the_block_and_after(network: LocalNetwork) -> None:
    pool = await pool_of(network)
    blob, _ = await governed(network, "PayPerRead", ["uint128", "uint64"], PRICE, pool)
    reader = network.chain.payments
    verdict = await network.chain.policies.judge(Question(DEPLOYER_ADDRESS, blob, 1))
    assert (verdict.allowed, verdict.price, verdict.pool, verdict.free) == (True, PRICE, pool, False)
    before = await network.head_hash()
    with pytest.raises(TooExpensive):
        await network.deployer.payments.buy_reads(blob, 3, Wei(3 * PRICE - 1))

    bought = await network.deployer.payments.buy_reads(blob, 3, Wei(3 * PRICE))

    assert bought.amount == 3 * PRICE
    assert await reader.reads_of(blob, DEPLOYER_ADDRESS) == 3
    assert await reader.reads_of(blob, DEPLOYER_ADDRESS, before) == 0
    with pytest.raises(BlockUnknown):
        await reader.reads_of(blob, DEPLOYER_ADDRESS, b"\x01" * 32)
    [income] = await reader.incomes_of(pool)
    assert (income.source, income.purpose) == (network.chain.deployment.address("Purchases"), number_word(blob))
    await network.deployer.payments.buy_reads(blob, 1, PRICE, reader=BOB_ADDRESS)
    assert await reader.reads_of(blob, BOB_ADDRESS) == 1


async def test_reads__of_an_object_that_is_free__are_not_sold(network: LocalNetwork) -> None:
    blob, policy = await governed(network, "Owner", [])
    with pytest.raises(ForFree):
        await network.deployer.payments.buy_reads(blob, 1, PRICE)
    with pytest.raises(NotSubscribable):
        await network.deployer.payments.subscribe(policy, 1, PRICE)


async def test_subscription__bought__lets_in_until_it_ends(network: LocalNetwork) -> None:
    pool = await pool_of(network)
    blob, policy = await governed(network, "Subscription", ["uint128", "uint32", "uint64"], PRICE, 100, pool)
    reader, question = network.chain.payments, Question(DEPLOYER_ADDRESS, blob, 1)
    terms = await reader.subscription_terms(policy)
    assert (terms.price, terms.period_seconds, terms.pool) == (PRICE, 100, pool)
    assert (await network.chain.policies.judge(question)).reason == "NoSubscription"

    bought = await network.deployer.payments.subscribe(policy, 2, Wei(2 * PRICE))

    block = await network.chain.head()
    assert (bought.until, bought.amount) == (block.timestamp + 200, 2 * PRICE)
    assert await reader.subscribed_until(policy, DEPLOYER_ADDRESS, block.hash) == bought.until
    assert (await network.chain.policies.judge(question)).allowed
    await network.pass_time(200)
    assert (await network.chain.policies.judge(question)).reason == "NoSubscription"


async def test_channel__vouchers_redeemed_by_a_node__pay_pool_and_tip(network: LocalNetwork) -> None:
    pool, reader = await pool_of(network), network.chain.payments
    node = Sender(network.chain, SigningAccount(SIGNERS[0])).payments
    await network.rpc("anvil_setBalance", SIGNERS[0].address, hex(10**18))
    opened = await network.deployer.payments.open_channel(pool, SESSION.address, Wei(2 * WAL))
    before = await network.head_hash()
    one, signature = voucher(network, opened.channel, WAL, WAL)
    assert one.digest(network.chain.channels_domain) == await reader.voucher_digest(one)
    other = Sender(network.chain, ALICE).payments
    bad = LocalSigner(b"\x52" * 32).sign_digest(one.digest(network.chain.channels_domain))
    with pytest.raises(NothingToRedeem):
        await other.redeem([one], [bad])

    redeemed = await node.redeem([one, one], [signature, bad])

    assert (redeemed.amount, redeemed.skipped) == (WAL, ())
    tip = WAL * PARAMETERS.tip_bps // 10_000
    assert (await network.chain.balances(SIGNERS[0].address)).claim == tip
    assert (await reader.pool(pool)).earned == WAL - tip
    channel = await reader.channel(opened.channel)
    assert (channel.redeemed, channel.rest, channel.usable) == (WAL, WAL, True)
    assert (channel.payer, channel.signer, channel.pool) == (DEPLOYER_ADDRESS, SESSION.address, pool)
    assert (await reader.channel(opened.channel, before)).redeemed == 0
    assert await reader.channels_of(DEPLOYER_ADDRESS, pool) == (channel,)
    assert await reader.channels_of(DEPLOYER_ADDRESS, PoolId(9)) == ()
    assert await reader.channels_of(ALICE_ADDRESS) == ()
    with pytest.raises(UnknownChannel):
        await reader.channel(ChannelId(9))


async def test_redeem__a_batch_with_a_forged_voucher__skips_it_and_says_so(network: LocalNetwork) -> None:
    pool = await pool_of(network)
    opened = await network.deployer.payments.open_channel(pool, SESSION.address, Wei(2 * WAL))
    good, signature = voucher(network, opened.channel, 1000, 1000)
    forged, _ = voucher(network, opened.channel, 2000, 1000)

    redeemed = await network.alice.payments.redeem([forged, good], [signature, signature])

    assert (redeemed.amount, redeemed.skipped) == (1000, ((opened.channel, "WrongSignature"),))


async def test_channel__closed_after_the_delay__pays_the_rest_back(network: LocalNetwork) -> None:
    pool, payer = await pool_of(network), network.deployer.payments
    opened = await payer.open_channel(pool, SESSION.address, Wei(2 * WAL))
    await payer.top_up(opened.channel, Wei(WAL))
    with pytest.raises(ChannelNotYours):
        await network.alice.payments.start_close(opened.channel)
    await payer.start_close(opened.channel)
    channel = await network.chain.payments.channel(opened.channel)
    assert (channel.usable, channel.deposit) == (False, 3 * WAL)
    assert channel.closes_at == (await network.chain.head()).timestamp + PARAMETERS.close_delay_seconds
    with pytest.raises(ChannelStillOpen):
        await payer.finish_close(opened.channel)
    await network.pass_time(PARAMETERS.close_delay_seconds)

    assert (await payer.finish_close(opened.channel)).amount == 3 * WAL

    closed = await network.chain.payments.channel(opened.channel)
    assert (closed.closed, closed.rest) == (True, 0)
    with pytest.raises(ChannelIsClosed):
        await payer.top_up(opened.channel, Wei(1))
    with pytest.raises(ChannelPoolUnknown):
        await payer.open_channel(PoolId(9), SESSION.address, Wei(1))


async def test_equivocation__two_uses_with_one_stretch__costs_the_deposit(network: LocalNetwork) -> None:
    pool = await pool_of(network)
    opened = await network.deployer.payments.open_channel(pool, SESSION.address, Wei(2 * WAL))
    one, by_one = voucher(network, opened.channel, 500, 500, b"\x01" * 32)
    after, by_after = voucher(network, opened.channel, 700, 200, b"\x02" * 32)
    other, by_other = voucher(network, opened.channel, 600, 200, b"\x02" * 32)
    with pytest.raises(NoEquivocation):
        await network.alice.payments.punish_equivocation(one, by_one, after, by_after)

    punished = await network.alice.payments.punish_equivocation(one, by_one, other, by_other)

    assert punished.amount == (await network.chain.payments.pool(pool)).earned == 2 * WAL
    assert (await network.chain.payments.channel(opened.channel)).closed


async def test_renewal__when_it_is_due__extends_from_the_balance(network: LocalNetwork) -> None:
    blob = (await network.register(epochs=3)).objects[0]
    reader, owner = network.chain.payments, network.alice.payments
    assert (await reader.renewal_of(blob)).terms.epochs == 0
    terms = RenewalTerms(epochs=2, lead=1, tip=Wei(1000))
    with pytest.raises(RenewalNotYours):
        await network.deployer.payments.set_renewal_terms(blob, terms)
    await owner.set_renewal_terms(blob, terms)
    with pytest.raises(RenewalNotDue):
        await owner.renew(blob)
    await network.pass_time(2 * PARAMETERS.epoch_seconds)
    with pytest.raises(RenewalBalanceTooSmall):
        await owner.renew(blob)
    await network.deployer.payments.fund_renewal(blob, Wei(WAL))
    kept = await reader.renewal_of(blob)
    assert (kept.terms, kept.balance, kept.due) == (terms, WAL, True)

    renewed = await network.deployer.payments.renew(blob)

    assert (renewed.end, renewed.tip) == (6, 1000)
    assert (await network.chain.blob(blob)).end == 6
    assert (await network.chain.balances(DEPLOYER_ADDRESS)).claim == 1000
    left = (await reader.renewal_of(blob)).balance
    assert left == WAL - renewed.price - 1000
    before = (await network.chain.balances(ALICE_ADDRESS)).wal
    await owner.withdraw_renewal(blob, left)
    assert (await network.chain.balances(ALICE_ADDRESS)).wal - before == left
    assert (await network.chain.economy.vault_books()).reserves["Renewals"] == 0
