"""Private data on a real chain with real agents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.client.people import SpoiledAgents, bad_share, client_with, newcomer, unreachable
from walrus_chain.client.client import Client
from walrus_chain.client.keep import FolderKeep, MemoryKeep
from walrus_chain.client.results import Outcome
from walrus_chain.client.sealing import Privacy
from walrus_chain.crypto.chunks import CHUNK_BYTES
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.errors import AccessDenied, EnvelopeNotOpened, KeysUnreachable, QuorumUnreachable
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import Address, NodeId

pytestmark = pytest.mark.integration

#: The code of an account that answers ERC-1271 with its magic number.
SIGNS_ANYTHING = bytes.fromhex("631626ba7e60e01b60005260206000f3")
SCHEMA = bytes(31) + b"\x07"


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, 1_000_000])
async def test_store_and_read__private__edge_sizes(walrus_network: WalrusNetwork, size: int) -> None:
    data = os.urandom(size)
    async with walrus_network.client() as client:
        stored = await client.store(data, private=Privacy())
        assert await client.read_bytes(stored.blob_id) == data
        assert await client.read_bytes(stored.blob_id, raw=True) != data


async def test_read__ranges_of_private_blobs__are_those_bytes(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(1_000_000)
    async with walrus_network.client() as client:
        stored = await client.store(data, private=Privacy())
        for start, stop in [(0, 1), (CHUNK_BYTES - 1, CHUNK_BYTES + 1), (500_000, 700_000), (999_999, 1_000_000)]:
            assert await client.read_bytes(stored.blob_object, start, stop) == data[start:stop]


async def test_read__credential_given_and_revoked__next_read_is_refused(walrus_network: WalrusNetwork) -> None:
    reader = await newcomer(walrus_network, 0)
    data = os.urandom(100_000)
    async with walrus_network.client() as owner, walrus_network.client(reader) as reading:
        registry = walrus_network.devnet.deployment.address("CredentialRegistry")
        arguments = {"registry": registry, "schema": SCHEMA, "attester": walrus_network.account.address}
        policy = (await owner.policies.create("Credential", arguments)).policy
        stored = await owner.store(data, private=Privacy(policy))
        with pytest.raises(AccessDenied) as denied:
            await reading.read_bytes(stored.blob_id)
        assert (denied.value.reason, denied.value.policy) == ("NoCredential", policy)
        issued = await owner.credentials.issue(SCHEMA, Address(reader.address))
        assert await reading.read_bytes(stored.blob_id) == data
        await owner.credentials.revoke(issued.credential.uid)
        with pytest.raises(AccessDenied, match="revoked"):
            await reading.read_bytes(stored.blob_id)


async def test_read__agent_returns_a_bad_share__is_named_and_routed_around(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(100_000)
    async with walrus_network.client() as owner:
        stored = await owner.store(data, private=Privacy())
        agents = SpoiledAgents({"agent-01": bad_share(owner.chain.access_domain)})
    async with client_with(walrus_network, walrus_network.account, agents) as client:
        suspects: list[str] = []
        for _ in range(8):  # whom it asks first is chance
            async with client.read(stored.blob_id) as reading:
                assert b"".join([bytes(piece) async for piece in reading]) == data
            suspects += [suspect.agent for suspect in reading.suspects]
        assert ["agent-01" in suspect for suspect in suspects] == [True]


async def test_read__fewer_than_t_agents_up__says_who_said_what(walrus_network: WalrusNetwork) -> None:
    async with walrus_network.client() as owner:
        stored = await owner.store(os.urandom(1000), private=Privacy())
    agents = SpoiledAgents({"agent-02": unreachable, "agent-04": unreachable})
    async with client_with(walrus_network, walrus_network.account, agents) as client:
        with pytest.raises(KeysUnreachable) as failed:
            await client.read_bytes(stored.blob_id)
    assert (failed.value.have, failed.value.needed) == (2, 3)
    assert all(name in str(failed.value) for name in ("agent-02", "agent-04", "connection refused"))


async def test_read__wallet_signs_once_and_a_restart_goes_on_with_it(
    walrus_network: WalrusNetwork, tmp_path: Path
) -> None:
    data = os.urandom(1000)
    async with client_with(walrus_network, walrus_network.account, SpoiledAgents({}), FolderKeep(tmp_path)) as owner:
        stored = await owner.store(data, private=Privacy())
        assert await owner.read_bytes(stored.blob_id) == data
    [session] = (tmp_path / "sessions").glob("*.json")
    before = session.read_text()
    async with client_with(walrus_network, walrus_network.account, SpoiledAgents({}), FolderKeep(tmp_path)) as again:
        assert await again.read_bytes(stored.blob_id) == data
    assert session.read_text() == before


async def test_read__as_a_smart_account__its_contract_judges_the_signature(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(1000)

    class SmartAccount:
        address = Address("0x00000000000000000000000000000000005311A7")

        def sign_digest(self, digest: bytes) -> bytes:
            return b"whatever its contract takes"

    async with walrus_network.client() as owner:
        policy = (await owner.policies.create("AllowList", {"administrator": walrus_network.account.address})).policy
        await owner.policies.set_listed(policy, [SmartAccount.address], listed=True)
        stored = await owner.store(data, private=Privacy(policy))
        async with walrus_network.chain() as chain:
            await chain.provider.request("anvil_setCode", SmartAccount.address, "0x" + SIGNS_ANYTHING.hex())
        url, deployment = walrus_network.rpc_url, walrus_network.devnet.deployment
        async with Client.connect([url], deployment, requester=SmartAccount()) as reader:
            assert await reader.read_bytes(stored.blob_id) == data
            async with walrus_network.chain() as chain:
                await chain.provider.request("anvil_setCode", SmartAccount.address, "0x")
            with pytest.raises(KeysUnreachable, match="did not sign"):
                await reader.read_bytes(stored.blob_id)


async def test_store__interrupted_private_store__goes_on_without_a_second_payment_or_attachment(
    walrus_network: WalrusNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, keep = os.urandom(200_000), MemoryKeep()

    async def refuse(self: AgentClient, *_: object, **__: object) -> None:
        from walrus_chain.errors import AgentUnreachable

        raise AgentUnreachable(self.label, "cut off")

    async with client_with(walrus_network, walrus_network.account, SpoiledAgents({}), keep) as client:
        with monkeypatch.context() as cut:
            cut.setattr("walrus_chain.transport.http.HttpAgentClient.put_segment", refuse)
            with pytest.raises(QuorumUnreachable) as failed:
                await client.store(data, private=Privacy())
        record = await client.policies.show(failed.value.blob_object)  # type: ignore[arg-type] # a number
    async with client_with(walrus_network, walrus_network.account, SpoiledAgents({}), keep) as client:
        stored = await client.store(data, private=Privacy())
        assert (stored.outcome, stored.paid, stored.blob_object) == (Outcome.RESUMED, 0, failed.value.blob_object)
        after = await client.policies.show(stored.blob_object)
        assert after.record.envelope_block == record.record.envelope_block
        assert await client.read_bytes(stored.blob_id) == data


async def test_rewrap__for_other_nodes_and_the_next_key_epoch__reads_on(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(50_000)
    async with walrus_network.client() as client:
        stored = await client.store(data, private=Privacy(nodes=[NodeId(1), NodeId(2)], threshold=2))
        sealed = await client.rewrap(stored.blob_object, nodes=[NodeId(3), NodeId(4)], threshold=1, next_key_epoch=True)
        assert (sealed.key_epoch, sealed.nodes) == (2, (3, 4))
        async with client.read(stored.blob_id) as reading:
            assert b"".join([bytes(piece) async for piece in reading]) == data
        assert reading.use is not None
        assert set(reading.use.nodes) <= {3, 4}


async def test_rewrap__after_another_policy_took_effect__opens_again(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(10_000)
    async with walrus_network.client() as client:
        stored = await client.store(data, private=Privacy(notice_seconds=5))
        window = await client.policies.create("TimeWindow", {"from": 0, "until": 2**40})
        announced = await client.policies.announce(stored.blob_object, access=window.policy)
        await _until_block_after(walrus_network, announced.record.next_from)
        with pytest.raises(EnvelopeNotOpened):
            await client.read_bytes(stored.blob_id)
        await client.rewrap(stored.blob_object)
        assert await client.read_bytes(stored.blob_id) == data


async def test_store__erasable__reads_until_its_keys_are_destroyed(walrus_network: WalrusNetwork) -> None:
    data = os.urandom(10_000)
    async with walrus_network.client() as client:
        head = await client.chain.head()
        retention = await client.policies.create("DeleteAfter", {"time": head.timestamp + 20})
        stored = await client.store(data, private=Privacy(retention=retention.policy, erasable=True))
        assert await client.read_bytes(stored.blob_id) == data
        await _until_block_after(walrus_network, head.timestamp + 20)
        with pytest.raises(Exception, match="destroyed"):
            await client.read_bytes(stored.blob_id)


async def test_audit__reads_of_two_people__says_who_when_and_at_which_block(walrus_network: WalrusNetwork) -> None:
    reader = await newcomer(walrus_network, 0)
    async with walrus_network.client() as owner, walrus_network.client(reader) as reading:
        policy = (await owner.policies.create("TimeWindow", {"from": 0, "until": 2**40})).policy
        stored = await owner.store(os.urandom(1000), private=Privacy(policy))
        await owner.read_bytes(stored.blob_id)
        await reading.read_bytes(stored.blob_id)
        audit = await reading.audit(stored.blob_object)
    assert audit.clean
    # Within a second there is no order.
    assert {use.requester for use in audit.uses} == {str(walrus_network.account.address), str(reader.address)}
    assert [use.time for use in audit.uses] == sorted(use.time for use in audit.uses)
    assert len(audit.uses) == 2
    assert all(use.complete and len(use.releases) == 3 for use in audit.uses)


async def _until_block_after(network: WalrusNetwork, timestamp: int) -> None:
    """Moves the chain's clock on."""
    async with network.chain() as chain:
        await chain.provider.request("evm_setNextBlockTimestamp", timestamp + 1)
        await chain.provider.request("evm_mine")
