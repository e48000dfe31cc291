"""What the client does besides storing and reading, and that the façade without async has all of it."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

from tests.fakes.network import ALICE, BOB, ONE_WAL, FakeChain, FakeNetwork, FakeWriter
from walrus_chain.chain.rejections import CommitteeNotFormed, NotDeletable
from walrus_chain.chain.stakes import Source
from walrus_chain.chain.transactions import Receipt
from walrus_chain.client.client import Client
from walrus_chain.client.stake import Stakes
from walrus_chain.client.sync import SyncClient, SyncStakes
from walrus_chain.errors import AmbiguousBlob, BlobNotFound, NoWallet
from walrus_chain.types import BlobStatus, NodeId, Wei

DATA = b"some data" * 100


async def test_status__everything_up__counts_all_shards(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA, attributes={"name": "x"})
    await client.finish()
    report = await client.status(stored.blob_object)
    assert (report.healthy_shards, report.needed_shards, report.shards) == (10, 4, 10)
    assert [item.status for item in report.objects] == [BlobStatus.CERTIFIED]
    assert report.attributes == {stored.blob_object: {"name": "x"}}


async def test_status__pairs_lost_and_a_node_down__says_which(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA)
    await client.finish()
    network.members[0].lose(stored.blob_id, network.committee.pairs_of(network.committee.members[0], stored.blob_id)[0])
    network.members[1].faults.stalled = True
    report = await client.status(stored.blob_id)
    assert report.healthy_shards == 7
    assert report.nodes[0].held is not None
    assert report.nodes[0].held.missing == 1
    assert report.nodes[1].why is not None
    assert "no answer within 5 s" in report.nodes[1].why


async def test_status__never_registered__says_so(client: Client) -> None:
    with pytest.raises(BlobNotFound):
        await client.status("A" * 43)


async def test_list__shows_own_objects_only(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA)
    assert [item.id for item in await client.list()] == [stored.blob_object]
    assert await client.list(BOB) == ()


async def test_extend__costs_what_was_quoted(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA, epochs=2)
    quote = await client.quote_extension(stored.blob_id, 5)
    balance = network.wal[ALICE]
    extended = await client.extend(stored.blob_id, 5)
    assert extended.end == stored.end + 5
    assert balance - network.wal[ALICE] == quote.total


async def test_extend__somebody_elses_object_by_number__anybody_may_pay(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA, epochs=2)
    network.fund(BOB)
    async with Client(FakeChain(network), network, network.writer(BOB)) as bob:
        assert (await bob.extend(stored.blob_object, 1)).end == stored.end + 1


async def test_delete__pays_unused_epochs_back_and_withdraw_takes_them_out(
    client: Client, network: FakeNetwork
) -> None:
    stored = await client.store(DATA, epochs=4)
    rate = network.objects[stored.blob_object].rate
    assert await client.delete(stored.blob_id) == 3 * rate
    balance = network.wal[ALICE]
    assert await client.withdraw() == 3 * rate
    assert network.wal[ALICE] == balance + 3 * rate
    assert await client.withdraw() == 0


async def test_delete__permanent__is_refused(client: Client) -> None:
    stored = await client.store(DATA, deletable=False)
    with pytest.raises(NotDeletable):
        await client.delete(stored.blob_object)


async def test_transfer__belongs_to_the_other_then(client: Client, network: FakeNetwork) -> None:
    stored = await client.store(DATA)
    await client.transfer(stored.blob_id, BOB)
    assert network.objects[stored.blob_object].owner == BOB
    with pytest.raises(BlobNotFound, match="others have one"):
        await client.delete(stored.blob_id)


async def test_blob_id_of_two_objects__has_to_be_named_by_number(client: Client) -> None:
    first = await client.store(DATA)
    second = await client.store(DATA, reuse=False)
    with pytest.raises(AmbiguousBlob) as failure:
        await client.extend(first.blob_id, 1)
    assert failure.value.objects == (first.blob_object, second.blob_object)


async def test_attributes__empty_value__removes(client: Client) -> None:
    stored = await client.store(DATA, attributes={"a": "1", "b": "2"})
    await client.set_attributes(stored.blob_id, {"a": "", "c": "3"})
    assert await client.attributes(stored.blob_object) == {"b": "2", "c": "3"}


async def test_quote__is_what_store_takes(client: Client) -> None:
    quote = await client.quote(DATA, epochs=7)
    stored = await client.store(DATA, epochs=7)
    assert (quote.total, quote.blob_id, quote.already) == (stored.paid, stored.blob_id, None)
    assert (await client.quote(DATA)).already == stored.blob_object


async def test_health__asks_all_at_once_and_names_those_that_are_silent(client: Client, network: FakeNetwork) -> None:
    network.members[2].faults.unreachable = True
    reports = await client.health()
    assert [report.health is not None for report in reports] == [True, True, False, True, True]


async def test_info__without_wallet__has_no_balances(network: FakeNetwork) -> None:
    async with Client(FakeChain(network), network) as reader:
        report = await reader.info()
    assert (len(report.members), report.account, report.balances) == (5, None, None)


async def test_no_committee__reading_says_so_and_info_works(network: FakeNetwork) -> None:
    chain = FakeChain(network)
    chain.formed = False
    async with Client(chain, network) as reader:
        assert (await reader.info()).members == ()
        with pytest.raises(CommitteeNotFormed):
            await reader.read_bytes("A" * 43)


async def test_changes_without_wallet__are_refused(network: FakeNetwork) -> None:
    async with Client(FakeChain(network), network) as reader:
        for call in (reader.delete("A" * 43), reader.extend("A" * 43, 1), reader.withdraw(), reader.list()):
            with pytest.raises(NoWallet):
                await call


def test_sync_client__has_every_call_of_the_client_with_the_same_parameters() -> None:
    renamed = {"aclose": "close", "connect": "connect"}
    for name, call in inspect.getmembers(Client, inspect.isfunction):
        if name.startswith("_"):
            continue
        twin = getattr(SyncClient, renamed.get(name, name))
        if name != "aclose":
            assert inspect.signature(twin).parameters == inspect.signature(call).parameters, name


@pytest.mark.parametrize("part", ["policies", "pools", "purchases", "channels", "credentials", "renewals", "compute"])
def test_sync_desks__have_every_call_with_the_same_parameters(part: str) -> None:
    module, twins = import_module(f"walrus_chain.client.{part}"), import_module("walrus_chain.client.sync_desks")
    desk, twin = getattr(module, part.capitalize()), getattr(twins, f"Sync{part.capitalize()}")
    for name, call in inspect.getmembers(desk, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(twin, name)).parameters == inspect.signature(call).parameters, name


def test_sync_stakes__have_every_call_with_the_same_parameters() -> None:
    for name, call in inspect.getmembers(Stakes, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(SyncStakes, name)).parameters == inspect.signature(call).parameters, name


def test_sync_stakes__from_staking_to_the_payout__give_what_the_client_gives() -> None:
    network = FakeNetwork()
    with SyncClient(lambda: Client(FakeChain(network), network, network.writer(BOB))) as client:
        network.fund(BOB)
        said: list[str] = []
        assert client.stake.add(NodeId(2), Wei(9 * ONE_WAL), said.append).active_from == 2
        network.epoch = 2
        assert client.stake.settle(NodeId(2)).now == 2
        network.economy.earn(2, 10 * ONE_WAL)
        assert client.stake.claim().total(Source.REWARDS) == 95 * ONE_WAL // 10
        assert client.stake.remove(NodeId(2)).release == 9
        [stake] = client.stake.list()
        assert (stake.node.name, stake.due) == ("node-2", 0)
        network.epoch = 9
        assert client.stake.withdraw(NodeId(2)).paid == 9 * ONE_WAL
        assert client.stake.list() == ()
        assert network.wal[BOB] == 1000 * ONE_WAL + 95 * ONE_WAL // 10
        assert [client.committee().parameters.shards, client.epoch().cut, client.prices().today.write_fee] == [
            10,
            1_000_000 + 8 * 3600 + 1800,
            network.write_fee,
        ]
    assert said == ["Allowing the vault to take 9 WAL", "Staking 9 WAL with node 2"]


async def test_stake__without_wallet__is_refused_but_others_are_shown(network: FakeNetwork) -> None:
    network.economy.put(3, ALICE, ONE_WAL)
    async with Client(FakeChain(network), network) as reader:
        with pytest.raises(NoWallet):
            await reader.stake.add(NodeId(2), Wei(1))
        with pytest.raises(NoWallet):
            await reader.stake.list()
        assert [stake.node.node_id for stake in await reader.stake.list(ALICE)] == [3]


async def test_stake__allowed_enough_already__asks_for_no_more(client: Client, network: FakeNetwork) -> None:
    network.allowances[ALICE] = 5 * ONE_WAL
    await client.stake.add(NodeId(2), Wei(5 * ONE_WAL))
    assert network.transactions == ["delegate"]


async def test_claim__one_pool_earned_and_one_did_not__both_are_said(client: Client, network: FakeNetwork) -> None:
    for node in (2, 3):
        network.economy.put(node, ALICE, 10 * ONE_WAL)
    network.economy.earn(3, ONE_WAL)
    payout = await client.stake.claim()
    assert [(credit.node_id, credit.amount) for credit in payout.credits] == [(2, 0), (3, 95 * ONE_WAL // 100)]


async def test_settle__endpoint_that_lags__ends_all_the_same(network: FakeNetwork) -> None:
    class Deaf(FakeWriter):
        async def settle(self, node_id: NodeId, maximum: int) -> Receipt:
            return self._receipt("settle")

    network.economy.pool(2)
    network.epoch = 90
    async with Client(FakeChain(network), network, Deaf(network, ALICE)) as client:
        settled = await client.stake.settle(NodeId(2))
    assert (settled.before, settled.now, network.transactions) == (1, 1, ["settle"])


async def test_no_committee__committee_and_prices_are_empty(network: FakeNetwork) -> None:
    chain = FakeChain(network)
    chain.formed = False
    async with Client(chain, network) as reader:
        assert (await reader.committee()).members == ()
        assert (await reader.prices()).votes == ()
        assert (await reader.epoch()).proved == ()


def test_sync_client__stores_reads_and_raises_like_the_client() -> None:
    network = FakeNetwork()
    with SyncClient(lambda: Client(FakeChain(network), network, network.writer())) as client:
        stored = client.store(DATA, epochs=2)
        assert client.finish()
        assert client.read_bytes(stored.blob_id, 3, 9) == DATA[3:9]
        assert b"".join(client.read(stored.blob_id)) == DATA
        assert [item.id for item in client.list()] == [stored.blob_object]
        with pytest.raises(BlobNotFound):
            client.read_bytes("A" * 43)
    client.close()


def test_package__names_the_clients_without_importing_them() -> None:
    import subprocess
    import sys

    code = (
        "import sys, walrus_chain.types; print([m for m in ('web3', 'httpx', 'eth_utils') if m in sys.modules]);"
        "from walrus_chain import Client, SyncClient, Check, Privacy, StoredBlob;"
        "print(Client.__name__, SyncClient.__name__)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split("\n")[:2] == ["[]", "Client SyncClient"]
