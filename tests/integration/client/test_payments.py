"""Paying for private data on a real chain: channels, purchases, subscriptions, pools, renewals."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import pytest
from eth_account import Account

from tests.integration.client.people import ONE_WAL, newcomer
from walrus_chain.client.client import Client
from walrus_chain.client.sealing import Privacy
from walrus_chain.client.sync import SyncClient
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import AccessDenied, ChannelTooSmall, NoWayToPay, PriceAboveLimit
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.payments.statement import Direction, Row, balance
from walrus_chain.payments.units import Member
from walrus_chain.types import Address, BlobObjectId, PoolId, Wei

pytestmark = pytest.mark.integration

PRICE = Wei(ONE_WAL // 2)
DATA = os.urandom(70_000)


@dataclass(frozen=True)
class Dear:
    """An object that costs half a WAL a read, and the pool that earns it."""

    blob_object: BlobObjectId
    pool: PoolId


@pytest.fixture
async def dear(walrus_network: WalrusNetwork) -> Dear:
    async with walrus_network.client() as owner:
        members = {Address(walrus_network.account.address): 3, Address(Account.create().address): 1}
        pool = (await owner.pools.create(members, nodes_bps=1000)).pool
        policy = await owner.policies.create("PayPerRead", {"price": PRICE, "pool": pool})
        stored = await owner.store(DATA, private=Privacy(policy.policy), reuse=False)
        return Dear(stored.blob_object, pool)


async def test_read__price__is_paid_only_within_the_limit_and_from_what_there_is(
    walrus_network: WalrusNetwork, dear: Dear
) -> None:
    reader = await newcomer(walrus_network)
    async with walrus_network.client(reader) as client:
        with pytest.raises(PriceAboveLimit, match=r"costs 0\.5 WAL"):
            await client.read_bytes(dear.blob_object)
        with pytest.raises(NoWayToPay, match=f"walrus channel open {dear.pool}"):
            await client.read_bytes(dear.blob_object, spend_limit=PRICE)


async def test_read__from_a_channel__until_it_is_empty_then_closed_and_paid_back(
    walrus_network: WalrusNetwork, dear: Dear
) -> None:
    reader = await newcomer(walrus_network)
    async with walrus_network.client(reader) as client:
        assert await client.read_bytes(dear.blob_object, spend_limit=PRICE, open_channel=Wei(ONE_WAL)) == DATA
        async with client.read(dear.blob_object, spend_limit=PRICE) as reading:
            assert b"".join([bytes(piece) async for piece in reading]) == DATA
        assert reading.use is not None
        assert (reading.use.paid_by, reading.use.price, reading.use.pool) == (PaidBy.VOUCHER, PRICE, dear.pool)
        with pytest.raises(ChannelTooSmall):
            await client.read_bytes(dear.blob_object, spend_limit=PRICE)
        [channel] = await client.channels.list()
        assert channel.left == 0
        begun = await client.channels.close(channel.facts.channel)
        await _until(walrus_network, begun.closes_at)
        closed = await client.channels.close(channel.facts.channel)
    assert closed.refunded is not None
    assert closed.refunded <= ONE_WAL


async def test_statement__paid_by_vouchers__names_object_node_and_receipt(
    walrus_network: WalrusNetwork, dear: Dear
) -> None:
    reader = await newcomer(walrus_network)
    async with walrus_network.client(reader) as client, walrus_network.client() as owner:
        for _ in range(2):
            await client.read_bytes(dear.blob_object, spend_limit=PRICE, open_channel=Wei(5 * ONE_WAL))
        [channel] = await client.channels.list()
        await client.channels.close(channel.facts.channel)
        row = (await _redeemed(owner, dear.pool))[-1]
        assert (row.blob_object, str(row.counterparty)) == (dear.blob_object, reader.address)
        assert row.receipt is not None
        assert row.receipt.startswith(f"{row.node}/")
        bare = (await owner.pools.statement(dear.pool, ask_nodes=False))[-1]
        assert (bare.event, bare.blob_object, bare.receipt) == ("IncomeReceived", None, None)


async def test_read__bought_on_chain__statement_and_claim_add_up(walrus_network: WalrusNetwork, dear: Dear) -> None:
    reader = await newcomer(walrus_network)
    async with walrus_network.client(reader) as client, walrus_network.client() as owner:
        bought = await client.purchases.buy(dear.blob_object, 2)
        assert bought.paid == 2 * PRICE
        for _ in range(2):
            assert await client.read_bytes(dear.blob_object) == DATA
        with pytest.raises(PriceAboveLimit):
            await client.read_bytes(dear.blob_object)
        report = await owner.pools.show(dear.pool)
        rows = await owner.pools.statement(dear.pool, owner.account)
        assert report.claimable == balance(rows) == sum(row.amount for row in rows if row.direction is Direction.IN)
        assert rows[0].blob_object == dear.blob_object
        paid = await owner.pools.claim(dear.pool)
        assert paid.amount == report.claimable
        assert balance(await owner.pools.statement(dear.pool, owner.account)) == 0
        whole = await owner.pools.statement(dear.pool)
        assert [row.event for row in whole] == ["IncomeReceived", "IncomeClaimed"]


async def test_read__credential_and_price_together__evidence_is_built_for_both(
    walrus_network: WalrusNetwork, dear: Dear
) -> None:
    reader = await newcomer(walrus_network)
    registry, schema = walrus_network.devnet.deployment.address("CredentialRegistry"), bytes(31) + b"\x09"
    async with walrus_network.client() as owner, walrus_network.client(reader) as client:
        arguments = {"registry": registry, "schema": schema, "attester": walrus_network.account.address}
        credential = (await owner.policies.create("Credential", arguments)).policy
        paid = (await owner.policies.create("PayPerRead", {"price": PRICE, "pool": dear.pool})).policy
        both = (await owner.policies.create("AllOf", {"operands": [credential, paid]})).policy
        stored = await owner.store(DATA, private=Privacy(both), reuse=False)
        with pytest.raises(AccessDenied):
            await client.read_bytes(stored.blob_object, spend_limit=PRICE)
        issued = await owner.credentials.issue(schema, Address(reader.address))
        assert await client.read_bytes(stored.blob_object, spend_limit=PRICE, open_channel=Wei(ONE_WAL)) == DATA
        await client.purchases.buy(stored.blob_object)
        assert await client.read_bytes(stored.blob_object) == DATA
        await owner.credentials.revoke(issued.credential.uid)
        with pytest.raises(AccessDenied, match="revoked"):
            await client.read_bytes(stored.blob_object, spend_limit=PRICE)


async def test_subscribe__opens_what_was_closed(walrus_network: WalrusNetwork, dear: Dear) -> None:
    reader = await newcomer(walrus_network)
    async with walrus_network.client() as owner, walrus_network.client(reader) as client:
        terms = {"price": PRICE, "periodSeconds": 3600, "pool": dear.pool}
        policy = (await owner.policies.create("Subscription", terms)).policy
        stored = await owner.store(DATA, private=Privacy(policy), reuse=False)
        with pytest.raises(AccessDenied, match="walrus subscribe"):
            await client.read_bytes(stored.blob_object)
        assert (await client.purchases.subscribe(policy, 2)).paid == 2 * PRICE
        assert await client.read_bytes(stored.blob_object) == DATA


async def test_pool__of_a_thousand_members__list_is_published_and_claimed_from(walrus_network: WalrusNetwork) -> None:
    member = await newcomer(walrus_network, 0)
    members = [Member(Address(Account.create().address), 1) for _ in range(150)] + [Member(Address(member.address), 50)]
    async with walrus_network.client() as owner, walrus_network.client(member) as client:
        made = await owner.pools.create(members, nodes_bps=0)
        assert made.list is not None
        await owner.pools.distribute(made.pool, Wei(8 * ONE_WAL))
        report = await client.pools.show(made.pool)
        assert report.claimable is not None
        assert report.claimable > 0
        rows = await client.pools.statement(made.pool, Address(member.address))
        assert balance(rows) == report.claimable
        assert (await client.pools.claim(made.pool)).amount == report.claimable


async def test_renewals__funded__anybody_renews_for_the_tip(walrus_network: WalrusNetwork) -> None:
    other = await newcomer(walrus_network)
    async with walrus_network.client() as owner, walrus_network.client(other) as client:
        stored = await owner.store(os.urandom(1000), epochs=1)
        await owner.renewals.set_terms(stored.blob_object, epochs=3, lead=2, tip=Wei(100))
        found = await client.renewals.fund(stored.blob_object, Wei(ONE_WAL))
        assert (found.balance, found.due) == (ONE_WAL, True)
        done = await client.renewals.renew(stored.blob_object)
        assert (done.end, done.tip) == (stored.end + 3, 100)
        left = (await owner.renewals.show(stored.blob_object)).balance
        assert await owner.renewals.withdraw(stored.blob_object) == left


def test_sync_client__reads_and_pays_as_the_other_does(walrus_network: WalrusNetwork) -> None:
    with SyncClient(
        lambda: Client.connect(
            [walrus_network.rpc_url], walrus_network.devnet.deployment, account=walrus_network.account
        )
    ) as client:
        stored = client.store(DATA, private=Privacy(), reuse=False)
        assert client.read_bytes(stored.blob_object) == DATA
        assert client.audit(stored.blob_object).clean
        assert client.channels.list() is not None
        assert client.policies.show(stored.blob_object).record.sealed


async def _redeemed(owner: Client, pool: PoolId) -> tuple[Row, ...]:
    """A pool's statement as soon as something is in it: agents redeem when they see that a channel is closing."""
    for _ in range(100):
        if rows := await owner.pools.statement(pool):
            return rows
        await asyncio.sleep(0.25)
    raise AssertionError("no agent redeemed the vouchers")


async def _until(network: WalrusNetwork, timestamp: int) -> None:
    """Moves the chain's clock on."""
    async with network.chain() as chain:
        await chain.provider.request("evm_setNextBlockTimestamp", timestamp + 1)
        await chain.provider.request("evm_mine")
