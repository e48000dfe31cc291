"""Private data on a real chain: an object with a policy and a sealed key, readers, and what agents answer them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from eth_abi.abi import encode

from tests.fakes.agents import make_blob
from tests.fakes.readers import Reader, chance
from tests.integration.agent.network import AgentNetwork
from walrus_chain.chain.payment_views import PoolShare
from walrus_chain.chain.policy_views import Policies
from walrus_chain.crypto.envelope import KeyEnvelope, Recipient, VerifiedShare, seal
from walrus_chain.crypto.node_key import PublicKey, parse_node_key
from walrus_chain.crypto.threshold import KeyIdentity
from walrus_chain.messages.access import AccessRequest
from walrus_chain.messages.domain import Domain, access_domain, channels_domain
from walrus_chain.rules.committee import Member
from walrus_chain.types import NOBODY, Address, BlobObjectId, ChannelId, NodeId, PoolId, Wei

NOTICE = 24 * 3600
DATA_KEY = hashlib.sha256(b"the key of the data").digest()
PRICE = Wei(10**15)


@dataclass
class PrivateData:
    """What is on the chain about one private object."""

    network: AgentNetwork
    blob_object: BlobObjectId
    access_policy: Address
    envelope: KeyEnvelope
    keys: dict[NodeId, PublicKey]
    """That nodes had registered when it was sealed."""

    @property
    def access(self) -> Domain:
        """In which grants and requests are signed."""
        return access_of(self.network)

    @property
    def identity(self) -> KeyIdentity:
        """What the key is sealed for."""
        domain = self.access
        return KeyIdentity(domain.chain_id, domain.verifying_contract, self.access_policy, self.blob_object, 1)


def access_of(network: AgentNetwork) -> Domain:
    """The domain of access of a network."""
    return access_domain(31337, network.chain.deployment.address("BlobPolicies"))


def channels_of(network: AgentNetwork) -> Domain:
    """The domain of a network's read channels."""
    return channels_domain(31337, network.chain.deployment.address("ReadChannels"))


async def a_reader(network: AgentNetwork, name: str, member: Member) -> Reader:
    """Somebody who asks a member; time is the chain's."""
    timestamp = (await network.chain.head()).timestamp
    return Reader(name, access_of(network), channels_of(network), lambda: timestamp, member.node_id)


async def policy(network: AgentNetwork, kind: str, types: Sequence[str] = (), *arguments: Any) -> Address:
    """A ready-made policy."""
    return (await network.owner.policies.create(kind, encode(types, arguments))).policy


async def paid_policy(network: AgentNetwork, price: Wei = PRICE) -> tuple[Address, PoolId]:
    """A policy that lets everybody read who pays, and the pool that is paid."""
    pool = (await network.owner.payments.create_pool([PoolShare(network.owner.address, 1)], 2_000)).pool
    return await policy(network, "PayPerRead", ["uint128", "uint64"], price, pool), pool


async def registered_keys(network: AgentNetwork) -> dict[NodeId, PublicKey]:
    """The keys that nodes registered."""
    return {node.node_id: parse_node_key(node.encryption_key, node.signer) for node in await network.chain.nodes()}


async def private_object(
    network: AgentNetwork,
    access: Address = NOBODY,
    retention: Address = NOBODY,
    *,
    seed: int = 0,
    threshold: int | None = None,
    erasable: bool = False,
) -> PrivateData:
    """A certified object with its policies, whose key is sealed to all nodes. All agents must run."""
    shards = network.committee.shards
    blob = make_blob(10_000, shards, seed)
    number = await network.certify(blob, network.committee.members)
    domain = access_of(network)
    identity = KeyIdentity(31337, domain.verifying_contract, access, number, 1)
    keys, own = await registered_keys(network), {}
    if erasable:
        async with httpx.AsyncClient() as http:
            for member in network.committee.members:
                answer = await http.post(f"{member.url}/v1/objects/{number}/erasable-key")
                own[member.node_id] = PublicKey(bytes.fromhex(answer.json()["publicKey"][2:]))
    recipients = [Recipient(node, key, own.get(node)) for node, key in sorted(keys.items())]
    needed = threshold or len(recipients) // 2 + 1
    envelope = seal(DATA_KEY, identity, recipients, needed, chance(f"seal {seed}"))
    await network.owner.policies.attach(number, Policies(access, retention), NOTICE, envelope.to_bytes())
    return PrivateData(network, number, access, envelope, keys)


async def open_channel(network: AgentNetwork, reader: Reader, pool: PoolId, deposit: Wei) -> ChannelId:
    """A channel whose vouchers the reader signs; the owner of the network pays."""
    return (await network.owner.payments.open_channel(pool, reader.wallet.address, deposit)).channel


async def post(member: Member, body: dict[str, Any]) -> httpx.Response:
    """What a member answers to a request for its share."""
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(f"{member.url}/v1/keys", json=body)


async def request_of(data: PrivateData, reader: Reader, member: Member, **values: Any) -> dict[str, Any]:
    """A request for a member's share, at the newest block unless `values` say otherwise."""
    head = await data.network.chain.head()
    values = {"blob_object": data.blob_object, "node": member.node_id, **values}
    return reader.body(values.pop("block_hash", head.hash), **values)


async def ask(data: PrivateData, reader: Reader, member: Member, **values: Any) -> httpx.Response:
    """A member's answer to such a request."""
    return await post(member, await request_of(data, reader, member, **values))


async def share_of(data: PrivateData, reader: Reader, member: Member, **values: Any) -> VerifiedShare:
    """The verified share in a member's answer."""
    body = await request_of(data, reader, member, **values)
    answer = await post(member, body)
    assert answer.status_code == 200, answer.text
    digest = AccessRequest.from_data(body["request"]).digest(data.access)
    share = reader.sealing.open_share(bytes.fromhex(answer.json()["share"][2:]), digest)
    return data.envelope.verify_share(member.node_id, share, data.identity, data.keys[member.node_id])


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, str(answer.json()["error"]["code"])


async def receipts_of(member: Member) -> list[dict[str, Any]]:
    """What a member says it released."""
    async with httpx.AsyncClient(timeout=30) as http:
        entries: list[dict[str, Any]] = (await http.get(f"{member.url}/v1/receipts")).json()["receipts"]
        return entries
