"""A small network on a local chain: its contracts, ten nodes in office, and the keys of everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from eth_account import Account
from eth_account.signers.local import LocalAccount

from walrus_chain.chain.deploy import DeploymentParameters, deploy
from walrus_chain.chain.network import Chain
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.chain.sender import NodeDetails, RegisterReceipt, Registration, Sender
from walrus_chain.messages.attestation import InvalidityAttestation, StorageAttestation
from walrus_chain.messages.certificate import Certificate, CertificateCollector
from walrus_chain.messages.node_keys import NodeKeys
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.rules.committee import Committee
from walrus_chain.types import Address, BlobId, BlobObjectId, Wei

WAL = 10**18
# Anvil's first three accounts; everybody knows these keys.
DEPLOYER: LocalAccount = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ALICE: LocalAccount = Account.from_key("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
BOB: LocalAccount = Account.from_key("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
SIGNERS = [LocalSigner(bytes([number]) * 32) for number in range(1, 11)]
PARAMETERS = DeploymentParameters(shards=10, epoch_seconds=1000, maximum_epochs=20)
BLOB = BlobId(b"\x2a" * 32)


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A network with ten members of one shard each (f = 3, quorum 7)."""

    url: str
    chain: Chain
    deployer: Sender
    """Holds all WAL but what Alice got; operates all nodes."""
    alice: Sender
    """Has 1,000 WAL, and approved the vault."""
    committee: Committee

    def certificate(
        self, attestation: StorageAttestation, members: Iterable[int] = range(7)
    ) -> Certificate[StorageAttestation]:
        """The certificate of these members; of one shard each, so seven suffice."""
        collector = CertificateCollector(attestation, self.chain.registry_domain, self.committee, 1)
        for member in members:
            collector.add(attestation.sign(self.signer(member), self.chain.registry_domain))
        return collector.certificate()

    def accusation(
        self, attestation: InvalidityAttestation, members: Iterable[int]
    ) -> Certificate[InvalidityAttestation]:
        """What these members sign to make a blob invalid."""
        collector = CertificateCollector(attestation, self.chain.registry_domain, self.committee, 1)
        for member in members:
            collector.add(attestation.sign(self.signer(member), self.chain.registry_domain))
        return collector.certificate()

    def signer(self, member: int) -> LocalSigner:
        """The key of a member."""
        return next(signer for signer in SIGNERS if signer.address == self.committee.members[member].signer)

    def attestation(
        self, blob_object: BlobObjectId, blob_id: BlobId = BLOB, deletable: bool = True
    ) -> StorageAttestation:
        """What nodes sign for an object."""
        return StorageAttestation(blob_id, blob_object, self.committee.epoch, deletable)

    async def register(self, blob_id: BlobId = BLOB, epochs: int = 5, deletable: bool = True) -> RegisterReceipt:
        """Alice registers a blob of 10,000 bytes."""
        return await self.alice.register([Registration(blob_id, 10_000, epochs, deletable)])

    async def certified(self) -> BlobObjectId:
        """An object of Alice's that the network answers for."""
        blob = (await self.register(epochs=10)).objects[0]
        certificate = self.certificate(self.attestation(blob))
        await self.alice.certify(blob, certificate.signers, certificate.signatures)
        return blob

    async def pass_time(self, seconds: int) -> None:
        """Moves the clock on."""
        await self.rpc("evm_increaseTime", seconds)
        await self.rpc("evm_mine")

    async def head_hash(self) -> bytes:
        """The hash of the newest block."""
        return (await self.chain.head()).hash

    async def rpc(self, method: str, *parameters: object) -> object:
        """A call to anvil itself, such as `evm_mine`."""
        return await self.chain.provider.request(method, *parameters)


@asynccontextmanager
async def local_network(url: str) -> AsyncIterator[LocalNetwork]:
    """Deploys a network on an empty local chain and puts ten nodes in office."""
    async with ChainProvider([url]) as provider:
        deployment = await deploy(provider, DEPLOYER, PARAMETERS, name="test")
    async with Chain.connect([url], deployment) as chain:
        deployer, alice = Sender(chain, DEPLOYER), Sender(chain, ALICE)
        await deployer.approve_vault()
        for place, signer in enumerate(SIGNERS):
            await join(chain, deployer, signer, f"node {place}", f"region-{place % 4}")
        await deployer.form_committee()
        await deployer.send_wal(Address(ALICE.address), Wei(1_000 * WAL))
        await alice.approve_vault()
        yield LocalNetwork(url, chain, deployer, alice, await chain.committee())


async def join(chain: Chain, operator: Sender, signer: LocalSigner, name: str, region: str) -> None:
    """Registers a node that stands for the committee."""
    keys = NodeKeys(operator.address, signer.address, b"\x05" * 32)
    details = NodeDetails(name, f"http://{name.replace(' ', '-')}.example", region, signer.address, keys.encryption_key)
    node = await operator.register_node(details, keys.prove(signer, chain.nodes_domain))
    await operator.delegate(node.node_id, PARAMETERS.minimum_stake)
    await operator.stand(node.node_id)


async def in_pool(network: LocalNetwork, count: int) -> None:
    """Waits until that many transactions wait for a block."""
    while True:
        status = await network.rpc("txpool_status")
        assert isinstance(status, dict)
        if int(status["pending"], 16) >= count:
            return
        await asyncio.sleep(0.01)
