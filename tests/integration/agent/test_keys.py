"""Real agents on a real chain release keys: by policy, for money, through crashes and reorganisations."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from storage_agent.config import AccessSettings
from storage_agent.daemon import RunningAgent, run_agent
from storage_agent.store.catalogue import Catalogue
from tests.integration.agent.network import AgentNetwork, agent_network, agent_process
from tests.integration.agent.private_data import (
    DATA_KEY,
    PRICE,
    a_reader,
    ask,
    code_of,
    open_channel,
    paid_policy,
    policy,
    post,
    private_object,
    receipts_of,
    request_of,
    share_of,
)
from walrus_chain.errors import NotEnoughShares, WalrusError
from walrus_chain.messages.receipt import Receipt, verify_receipt_path
from walrus_chain.messages.signing import checksummed
from walrus_chain.types import Epoch, Wei

#: At most, until as many came in the moment that is meant.
KILLS, CATCHES = 40, 2
SCHEMA = b"\x5c" * 32
#: As many blocks later anvil calls a block final.
FINAL_BLOCKS = 70
#: The code of an account that answers ERC-1271 with its magic number, and of one that answers with nothing.
SIGNS_ANYTHING = bytes.fromhex("631626ba7e60e01b60005260206000f3")
SIGNS_NOTHING = bytes.fromhex("60206000f3")

pytestmark = pytest.mark.integration


@asynccontextmanager
async def running(network: AgentNetwork) -> AsyncIterator[list[RunningAgent]]:
    """All agents of a network, in this process."""
    async with AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(run_agent(settings)) for settings in network.settings]
        for member in network.committee.members:
            await network.wait_ready(member)
        yield agents
        assert [agent.failed.exception() for agent in agents if agent.failed.done()] == []


async def wait_until(done: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Until something that takes blocks has happened."""
    async with asyncio.timeout(seconds):
        while not await done():  # noqa: ASYNC110 - the chain tells nobody
            await asyncio.sleep(0.1)


async def test_release__t_of_m_agents__open_the_key_for_whom_the_policy_allows(tmp_path: Path) -> None:
    async with agent_network(tmp_path, nodes=4, shards=10) as network, running(network):
        members = network.committee.members
        reader = await a_reader(network, "reader", members[0])
        registry = network.chain.deployment.address("CredentialRegistry")
        types = ["address", "bytes32", "address"]
        data = await private_object(
            network, await policy(network, "Credential", types, registry, SCHEMA, network.owner.address), threshold=3
        )
        credential = await network.owner.policies.attest(SCHEMA, reader.wallet.address)

        for member in members:
            answer = await ask(data, reader, member, evidence=bytes(32))
            assert code_of(answer) == (403, "Denied")
            assert (answer.json()["error"]["reason"], "share" in answer.text) == ("NoCredential", False)
        shares = [await share_of(data, reader, member, evidence=credential.uid) for member in members[1:]]
        assert data.envelope.open(data.identity, shares) == DATA_KEY
        with pytest.raises(NotEnoughShares):
            data.envelope.open(data.identity, shares[:2])

        await network.owner.policies.revoke(credential.uid)
        answer = await ask(data, reader, members[1], evidence=credential.uid)
        assert (code_of(answer), answer.json()["error"]["reason"]) == ((403, "Denied"), "CredentialRevoked")


@pytest.mark.slow
async def test_release__paid_by_voucher__taken_once_and_redeemed_by_itself(tmp_path: Path) -> None:
    made = agent_network(tmp_path, nodes=2, shards=10, epoch_seconds=60, block_seconds=1)
    async with made as network, running(network) as agents:
        one, two = network.committee.members
        reader = await a_reader(network, "reader", one)
        access, pool = await paid_policy(network)
        data = await private_object(network, access)
        channel = await open_channel(network, reader, pool, Wei(3 * PRICE))
        assert code_of(await ask(data, reader, one)) == (402, "PaymentRequired")

        for sequence in range(2):
            use = {"blob_object": data.blob_object, "sequence": sequence}
            voucher = reader.voucher(channel, (sequence + 1) * PRICE, PRICE, **use)
            shares = [await share_of(data, reader, member, sequence=sequence, voucher=voucher) for member in (one, two)]
            assert data.envelope.open(data.identity, shares) == DATA_KEY
        assert (
            data.envelope.open(data.identity, [await share_of(data, reader, member) for member in (one, two)])
            == DATA_KEY
        ), "what was paid is served again"

        async def redeemed() -> bool:
            return (await network.chain.payments.channel(channel)).redeemed == 2 * PRICE

        await wait_until(redeemed)

        async def known() -> bool:
            return all(not agent.catalogue.ledger.promises() for agent in agents)

        await wait_until(known)
        earned = await network.chain.payments.claimable(pool, network.owner.address)
        assert 0 < earned < 2 * PRICE


@pytest.mark.slow
async def test_release__bought_on_chain__each_read_once_and_large_amounts_when_final(tmp_path: Path) -> None:
    careful = AccessSettings(confirmations=2, finality_above=1.0)
    async with agent_network(tmp_path, nodes=1, shards=10, access=careful) as network, running(network):
        [member] = network.committee.members
        reader = await a_reader(network, "reader", member)
        cheap, _ = await paid_policy(network)
        dear, pool = await paid_policy(network, Wei(2 * 10**18))
        data, large = await private_object(network, cheap, seed=1), await private_object(network, dear, seed=2)
        answer = await ask(data, reader, member, bought=True)
        assert (code_of(answer), answer.json()["error"]["why"]) == ((402, "VoucherRefused"), "NotBought")

        buy = network.owner.payments.buy_reads
        await buy(large.blob_object, 1, Wei(2 * 10**18), reader=reader.wallet.address)
        await buy(data.blob_object, 1, PRICE, reader=reader.wallet.address)
        assert code_of(await ask(data, reader, member, bought=True)) == (425, "PaymentUnconfirmed")
        await network.chain.provider.request("anvil_mine", "0x2")
        await share_of(data, reader, member, bought=True)
        await share_of(data, reader, member)
        assert code_of(await ask(data, reader, member, sequence=1, bought=True)) == (402, "VoucherRefused")

        assert code_of(await ask(large, reader, member, bought=True)) == (425, "PaymentUnconfirmed")
        await network.chain.provider.request("anvil_mine", hex(FINAL_BLOCKS))
        await share_of(large, reader, member, bought=True)
        assert pool


async def test_release__account_that_is_a_contract__signs_as_it_says_itself(tmp_path: Path) -> None:
    async with agent_network(tmp_path, nodes=1, shards=10) as network, running(network):
        [member] = network.committee.members
        reader = await a_reader(network, "reader", member)
        data = await private_object(network, await policy(network, "DenyList", ["address"], network.owner.address))
        account = checksummed(b"\xac" * 20)
        grant = reader.grant(requester=account)
        assert code_of(await ask(data, reader, member, grant=grant)) == (401, "WrongSignature")

        await network.chain.provider.request("anvil_setCode", account, "0x" + SIGNS_ANYTHING.hex())
        await network.chain.provider.request("evm_mine")
        await share_of(data, reader, member, grant=grant)
        await network.chain.provider.request("anvil_setCode", account, "0x" + SIGNS_NOTHING.hex())
        await network.chain.provider.request("evm_mine")
        assert code_of(await ask(data, reader, member, grant=grant)) == (401, "WrongSignature")


async def test_channel__closing__redeemed_before_it_closes_whatever_it_is_worth(tmp_path: Path) -> None:
    never = AccessSettings(confirmations=0, minimum_redeem=10**6)
    async with (
        agent_network(tmp_path, nodes=1, shards=10, block_seconds=1, close_delay_seconds=12, access=never) as network,
        running(network),
    ):
        [member] = network.committee.members
        reader = await a_reader(network, "reader", member)
        access, pool = await paid_policy(network)
        data = await private_object(network, access)
        channel = await open_channel(network, reader, pool, Wei(PRICE))
        voucher = reader.voucher(channel, PRICE, PRICE, blob_object=data.blob_object)
        await share_of(data, reader, member, voucher=voucher)
        assert (await network.chain.payments.channel(channel)).redeemed == 0

        await network.owner.payments.start_close(channel)
        later = reader.voucher(channel, PRICE, PRICE, blob_object=data.blob_object, sequence=1)
        answer = await ask(data, reader, member, sequence=1, voucher=later)
        assert (code_of(answer), answer.json()["error"]["why"]) == ((402, "VoucherRefused"), "ChannelIsClosing")

        async def redeemed() -> bool:
            return (await network.chain.payments.channel(channel)).redeemed == PRICE

        await wait_until(redeemed, 15)
        assert not (await network.chain.payments.channel(channel)).closed


async def test_restart__nonces_and_payments__are_remembered(tmp_path: Path) -> None:
    async with agent_network(tmp_path, nodes=1, shards=10) as network:
        [member] = network.committee.members
        async with running(network):
            reader = await a_reader(network, "reader", member)
            access, pool = await paid_policy(network)
            data = await private_object(network, access)
            channel = await open_channel(network, reader, pool, Wei(PRICE))
            voucher = reader.voucher(channel, PRICE, PRICE, blob_object=data.blob_object)
            body = await request_of(data, reader, member, voucher=voucher)
            assert (await post(member, body)).status_code == 200
        async with running(network):
            assert code_of(await post(member, body)) == (409, "NonceUsed")
            await share_of(data, reader, member)
            async with httpx.AsyncClient() as http:
                access = (await http.get(f"{member.url}/v1/status")).json()["access"]
            assert (access["enabled"], access["releases"]) == (True, 2)


async def test_reorganisation__of_the_named_block__try_again(tmp_path: Path) -> None:
    async with agent_network(tmp_path, nodes=1, shards=10) as network, running(network):
        [member] = network.committee.members
        reader = await a_reader(network, "reader", member)
        data = await private_object(network, await policy(network, "DenyList", ["address"], network.owner.address))
        await network.chain.provider.request("evm_mine")
        body = await request_of(data, reader, member)
        assert code_of(await ask(data, reader, member, block_hash=b"\7" * 32)) == (425, "BlockUnknown")

        seen = await network.chain.head()
        await share_of(data, reader, member, sequence=1)

        await network.chain.provider.request("anvil_reorg", 1, [])
        assert code_of(await post(member, body)) == (425, "BlockUnknown")
        assert code_of(await ask(data, reader, member, block_hash=seen.hash)) == (425, "BlockUnknown")
        await share_of(data, reader, member)


@pytest.mark.slow
async def test_receipts__of_an_epoch_that_is_over__anchored_and_verify(tmp_path: Path) -> None:
    made = agent_network(tmp_path, nodes=1, shards=10, epoch_seconds=20, block_seconds=1)
    async with made as network, running(network):
        [member] = network.committee.members
        reader = await a_reader(network, "reader", member)
        data = await private_object(network, await policy(network, "DenyList", ["address"], network.owner.address))
        for sequence in range(5):
            await share_of(data, reader, member, sequence=sequence)

        async def anchored() -> bool:
            entries = await receipts_of(member)
            return all(entry["anchor"] is not None and entry["anchor"]["anchored"] for entry in entries)

        await wait_until(anchored)
        entries = await receipts_of(member)
        assert len(entries) == 5
        for entry in entries:
            receipt, anchor = Receipt.from_data(entry["receipt"]), entry["anchor"]
            receipt.verify(bytes.fromhex(entry["signature"][2:]), member.signer, data.access)
            root = await network.chain.policies.receipt_root_of(member.node_id, Epoch(entry["epoch"]))
            assert root is not None
            path = [bytes.fromhex(node[2:]) for node in anchor["path"]]
            verify_receipt_path(root, anchor["count"], receipt.index, receipt.digest(data.access), path)


@pytest.mark.slow
async def test_erasable_key__when_its_time_has_come__destroyed_and_attested(tmp_path: Path) -> None:
    made = agent_network(tmp_path, nodes=2, shards=10, epoch_seconds=60, block_seconds=1)
    async with made as network, running(network):
        members = network.committee.members
        reader = await a_reader(network, "reader", members[0])
        end = (await network.chain.head()).timestamp + 12
        free = await policy(network, "DenyList", ["address"], network.owner.address)
        retention = await policy(network, "DeleteAfter", ["uint64"], end)
        data = await private_object(network, free, retention, erasable=True)
        erasable = {"erasable": True}
        shares = [await share_of(data, reader, member, extra=erasable) for member in members]
        assert data.envelope.open(data.identity, shares) == DATA_KEY
        files = [settings.keys.erasable / str(data.blob_object) for settings in network.settings]
        assert all(file.exists() for file in files)

        async def attested() -> bool:
            return len(await network.chain.policies.destructions_of(data.blob_object)) == len(members)

        await wait_until(attested)
        assert not any(file.exists() for file in files)
        for member in members:
            assert code_of(await ask(data, reader, member, extra=erasable)) == (410, "KeysDestroyed")
            assert code_of(await ask(data, reader, member)) == (410, "KeysDestroyed")
            async with httpx.AsyncClient() as http:
                answer = await http.post(f"{member.url}/v1/objects/{data.blob_object}/erasable-key")
            assert code_of(answer) == (410, "KeysDestroyed")


@pytest.mark.slow
async def test_kill_9__between_payment_and_release__nothing_is_lost_or_paid_twice(tmp_path: Path) -> None:
    chance, moment, caught = random.Random(7), 0.05, 0
    async with agent_network(tmp_path, nodes=1, shards=10) as network:
        [member] = network.committee.members
        async with agent_process(network.settings[0], tmp_path) as agent:
            await agent.start()
            await network.wait_ready(member)
            reader = await a_reader(network, "reader", member)
            access, pool = await paid_policy(network)
            data = await private_object(network, access)
            channel = await open_channel(network, reader, pool, Wei(KILLS * PRICE))
            for kill in range(KILLS):
                use = {"blob_object": data.blob_object, "sequence": kill}
                voucher = reader.voucher(channel, (kill + 1) * PRICE, PRICE, **use)
                body = await request_of(data, reader, member, sequence=kill, voucher=voucher)
                asking = asyncio.ensure_future(post(member, body))
                await asyncio.wait([asking], timeout=moment * chance.uniform(0.9, 1.1))
                agent.kill()
                with suppress(httpx.HTTPError):
                    await asking
                recorded = await _uses_on_disk(network)
                if asking.exception() is None:
                    assert len(recorded) == kill + 1, "what was released is recorded"
                    moment *= 0.9
                elif len(recorded) == kill:
                    moment *= 1.1
                else:
                    caught += 1

                await agent.start()
                await network.wait_ready(member)
                if len(recorded) == kill + 1:
                    assert code_of(await post(member, body)) == (409, "NonceUsed")
                    await share_of(data, reader, member, sequence=kill)
                else:
                    await share_of(data, reader, member, sequence=kill, voucher=voucher)
                if caught == CATCHES:
                    break
    assert caught, "no kill came between the record and the answer"


async def _uses_on_disk(network: AgentNetwork) -> set[bytes]:
    """The uses that a dead agent recorded: each with what paid for it, no stretch for two, no place left out."""
    catalogue = await _opened(network)
    try:
        receipts = [Receipt.from_data(row.receipt.data) for row in catalogue.ledger.receipts(limit=10 * KILLS)]
        paid = {receipt.use: receipt.cumulative for receipt in receipts}
        assert len(set(paid.values())) == len(paid)
        assert all(catalogue.ledger.payment_of(use) is not None for use in paid)
        assert [receipt.index for receipt in receipts] == list(range(len(receipts)))
        return set(paid)
    finally:
        catalogue.close()


async def _opened(network: AgentNetwork) -> Catalogue:
    """The catalogue of an agent that was just killed, as soon as the system has let go of it."""
    deployment, path = network.chain.deployment, network.settings[0].storage.catalogue
    name = f"{deployment.chain_id}:{deployment.address('BlobRegistry')}"
    async with asyncio.timeout(10):
        while True:
            try:
                return Catalogue.open(path, network=name, node_id=network.committee.members[0].node_id, clock=time.time)
            except WalrusError:
                await asyncio.sleep(0.02)
