"""Private data that costs something: paid within the limit, and once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.access import Rule
from tests.fakes.network import ONE_WAL, FakeNetwork
from tests.unit.client.conftest import Make
from tests.unit.client.people import DATA, HALF, POOL, READER, calls
from walrus_chain.client.client import Client
from walrus_chain.client.keep import FolderKeep, MemoryKeep
from walrus_chain.client.sealing import Privacy
from walrus_chain.errors import (
    AccessDenied,
    AgentRefused,
    ChannelTooSmall,
    ChannelUnusable,
    KeysUnreachable,
    NoWayToPay,
    PriceAboveLimit,
)
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.types import BlobObjectId, ChannelId, PoolId, Wei


async def test_read__price_above_the_limit__nothing_is_asked_or_paid(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    with pytest.raises(PriceAboveLimit, match=r"costs 0\.5 WAL"):
        await reader.read_bytes(dear)
    with pytest.raises(PriceAboveLimit):
        await reader.read_bytes(dear, spend_limit=Wei(HALF - 1))
    assert calls(network) == [0] * 5


async def test_read__within_the_limit_but_nothing_to_pay_from__says_what_to_do(
    dear: BlobObjectId, reader: Client
) -> None:
    with pytest.raises(NoWayToPay, match="walrus channel open 7"):
        await reader.read_bytes(dear, spend_limit=HALF)


async def test_read__from_a_channel__each_read_promises_once_its_price(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    channel = await reader.channels.open(POOL, Wei(2 * ONE_WAL))
    for count in (1, 2, 3):
        async with reader.read(dear, spend_limit=HALF) as reading:
            assert b"".join([bytes(piece) async for piece in reading]) == DATA
        assert reading.use is not None
        assert (reading.use.paid_by, reading.use.channel) == (PaidBy.VOUCHER, channel.facts.channel)
        assert (await reader.channels.show(channel.facts.channel)).promised == count * HALF


async def test_read__several_at_once__each_is_a_use_of_its_own(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    channel = (await reader.channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    await asyncio.gather(*(reader.read_bytes(dear, spend_limit=HALF) for _ in range(3)))
    assert (await reader.channels.show(channel)).promised == 3 * HALF
    await reader.purchases.buy(dear, 2)
    await asyncio.gather(*(reader.read_bytes(dear) for _ in range(2)))
    with pytest.raises(PriceAboveLimit):
        await reader.read_bytes(dear)


async def test_read__open_channel_on_demand__only_when_told(dear: BlobObjectId, reader: Client) -> None:
    assert await reader.read_bytes(dear, spend_limit=HALF, open_channel=Wei(ONE_WAL)) == DATA
    assert await reader.read_bytes(dear, spend_limit=HALF) == DATA
    with pytest.raises(ChannelTooSmall, match="top-up"):
        await reader.read_bytes(dear, spend_limit=HALF)
    [channel] = await reader.channels.list()
    assert channel.left == 0
    assert (await reader.channels.top_up(channel.facts.channel, HALF)).left == HALF
    assert await reader.read_bytes(dear, spend_limit=HALF) == DATA


async def test_read__named_channel_that_cannot_pay__says_why(
    dear: BlobObjectId, reader: Client, make: Make, network: FakeNetwork
) -> None:
    other = await reader.channels.open(PoolId(8), Wei(ONE_WAL))
    with pytest.raises(ChannelUnusable, match="it pays pool 8"):
        await reader.read_bytes(dear, spend_limit=HALF, channel=other.facts.channel)
    elsewhere = await make(READER).channels.open(POOL, Wei(ONE_WAL))
    with pytest.raises(ChannelUnusable, match="is not on this computer"):
        await reader.read_bytes(dear, spend_limit=HALF, channel=elsewhere.facts.channel)
    mine = await reader.channels.open(POOL, Wei(ONE_WAL))
    assert (await reader.channels.close(mine.facts.channel)).refunded is None
    with pytest.raises(ChannelUnusable, match="being closed"):
        await reader.read_bytes(dear, spend_limit=HALF, channel=mine.facts.channel)


async def test_read__bought_on_chain__needs_no_limit_and_uses_each_once(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    bought = await reader.purchases.buy(dear, 2)
    assert (bought.paid, bought.bought) == (ONE_WAL, 2)
    for _ in range(2):
        async with reader.read(dear) as reading:
            assert b"".join([bytes(piece) async for piece in reading]) == DATA
        assert reading.use is not None
        assert reading.use.paid_by is PaidBy.PURCHASE
    with pytest.raises(PriceAboveLimit):
        await reader.read_bytes(dear)


async def test_read__paid_by_voucher_then_bought__none_of_what_was_bought_is_lost(
    dear: BlobObjectId, reader: Client
) -> None:
    await reader.read_bytes(dear, spend_limit=HALF, open_channel=Wei(ONE_WAL))
    await reader.purchases.buy(dear, 1)
    assert await reader.read_bytes(dear) == DATA


async def test_read__policy_that_counts_uses__vouchers_take_its_numbers(
    owner: Client, reader: Client, network: FakeNetwork
) -> None:
    policy = network.access.policy(Rule(price=HALF, pool=POOL, limit=2))
    stored = await owner.store(DATA, private=Privacy(policy))
    await reader.channels.open(POOL, Wei(5 * ONE_WAL))
    for _ in range(2):
        assert await reader.read_bytes(stored.blob_id, spend_limit=HALF) == DATA
    with pytest.raises(AccessDenied, match="as often as it may"):
        await reader.read_bytes(stored.blob_id, spend_limit=HALF)


async def test_read__broke_off_after_paying__is_taken_up_again_without_paying_twice(
    dear: BlobObjectId, make: Make, network: FakeNetwork, tmp_path: Path
) -> None:
    keep = FolderKeep(tmp_path)
    first = make(READER, keep)
    channel = (await first.channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    for member in network.members[:3]:
        member.faults.unreachable = True
    with pytest.raises(KeysUnreachable):
        await first.read_bytes(dear, spend_limit=HALF)
    for member in network.members:
        member.faults.unreachable = False

    again = make(READER, keep)  # as after a crash
    assert await again.read_bytes(dear) == DATA, "what was promised needs no new permission to spend"

    assert (await again.channels.show(channel)).promised == HALF
    assert await again.read_bytes(dear, spend_limit=HALF) == DATA
    assert (await again.channels.show(channel)).promised == 2 * HALF


async def test_read__broke_off_before_its_voucher_and_costs_more_now__limit_of_then_is_not_used(
    dear: BlobObjectId, make: Make, network: FakeNetwork
) -> None:
    keep = MemoryKeep()
    channel = (await make(READER, keep).channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    with keep.changing("uses", f"{READER.address}-{dear}") as document:  # as killed before the voucher was on disk
        document["nextByVoucher"] = 2**32 + 1
        document["open"] = {str(2**32): {"keyEpoch": 1, "channel": channel}}
    network.access.rules_of[network.access.records[dear].current.access].price = 4 * ONE_WAL

    again = make(READER, keep)
    with pytest.raises(PriceAboveLimit):
        await again.read_bytes(dear)
    assert (await again.channels.show(channel)).promised == 0
    assert await again.read_bytes(dear, spend_limit=Wei(4 * ONE_WAL)) == DATA


async def test_read__broke_off_and_its_channel_is_closed__next_but_one_takes_another_channel(
    dear: BlobObjectId, make: Make, network: FakeNetwork
) -> None:
    client = make(READER, MemoryKeep())
    channel = (await client.channels.open(POOL, Wei(5 * ONE_WAL))).facts.channel
    for member in network.members[:3]:
        member.faults.unreachable = True
    with pytest.raises(KeysUnreachable):
        await client.read_bytes(dear, spend_limit=HALF)
    for member in network.members:
        member.faults.unreachable = False
    await client.channels.close(channel)
    await client.channels.open(POOL, Wei(5 * ONE_WAL))
    with pytest.raises(KeysUnreachable):
        await client.read_bytes(dear, spend_limit=HALF)

    assert await client.read_bytes(dear, spend_limit=HALF) == DATA


async def test_read__ledger_was_restored_from_an_old_copy__goes_on_behind_what_was_promised(
    dear: BlobObjectId, make: Make, network: FakeNetwork
) -> None:
    keep = MemoryKeep()
    await make(READER, keep).channels.open(POOL, Wei(5 * ONE_WAL))
    old = MemoryKeep()
    old._documents = dict(keep._documents)
    assert await make(READER, keep).read_bytes(dear, spend_limit=HALF) == DATA
    with old.changing("uses", f"{READER.address}-{dear}") as document:
        document["nextByVoucher"] = 2**32 + 7  # another use, on the stretch that was promised

    restored = make(READER, old)

    assert await restored.read_bytes(dear, spend_limit=HALF) == DATA
    [channel] = await restored.channels.list()
    assert channel.promised == 2 * HALF


async def test_subscribe__pays_and_says_until_when(reader: Client, network: FakeNetwork) -> None:
    policy = network.access.policy(Rule(price=HALF, pool=POOL))
    bought = await reader.purchases.subscribe(policy, 3)
    assert (bought.paid, bought.until) == (3 * HALF, network.access.time + 3 * 3600)


async def test_read__payment_not_confirmed_yet__waits_for_it(
    dear: BlobObjectId, reader: Client, network: FakeNetwork
) -> None:
    for member in network.members:
        assert member.keys is not None
        member.keys.faults.refusals = [
            AgentRefused(member.label, 425, "PaymentUnconfirmed", "two more blocks", retryable=True, retry_after=2.0)
        ] * 6
    assert await reader.read_bytes(dear, spend_limit=HALF, open_channel=Wei(ONE_WAL)) == DATA


async def test_channel__close__pays_the_rest_back_after_the_delay(reader: Client, network: FakeNetwork) -> None:
    number = (await reader.channels.open(POOL, Wei(ONE_WAL))).facts.channel
    begun = await reader.channels.close(number)
    assert begun.closes_at == network.access.time + 3600
    assert (await reader.channels.close(number)).transaction is None
    network.access.time += 3600
    assert (await reader.channels.close(ChannelId(number))).refunded == ONE_WAL
