"""Somebody who has a blob certified that is the encoding of nothing, as no client of ours would."""

from __future__ import annotations

import asyncio

from tests.fakes.agents import Blob, make_bad_blob
from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Registration, Sender
from walrus_chain.devnet.pytest_plugin import WalrusNetwork
from walrus_chain.messages.attestation import StorageAttestation
from walrus_chain.messages.certificate import CertificateCollector
from walrus_chain.rules.committee import Member
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import BlobObjectId, PairIndex

#: The bad pair. It is systematic, so readers need it or find it out.
PLACE = PairIndex(0)


async def certify_bad_blob(network: WalrusNetwork, size: int) -> tuple[Blob, BlobObjectId]:
    """A certified blob whose pair `PLACE` does not belong to it. Its node gets nothing: it has to heal."""
    deployment = network.devnet.deployment
    async with Chain.connect([network.rpc_url], deployment) as chain, HttpAgents() as agents:
        committee = await chain.committee()
        blob = make_bad_blob(size, committee.shards, PLACE)
        owner = Sender(chain, network.account)
        await owner.approve_vault()
        [number] = (await owner.register([Registration(blob.blob_id, size, 5, True)])).objects
        attestation = StorageAttestation(blob.blob_id, number, committee.epoch, deletable=True)
        collector = CertificateCollector(attestation, chain.registry_domain, committee, committee.quorum)
        victim = committee.member_of_pair(blob.blob_id, PLACE)

        async def upload(member: Member) -> None:
            pairs = committee.pairs_of(member, blob.blob_id)
            answer = await agents.at(member.url, member.name).put_segment(
                blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes(), blob_object=number
            )
            assert answer.attestation is not None
            collector.add(answer.attestation)

        await asyncio.gather(*(upload(member) for member in committee.members if member is not victim))
        certificate = collector.certificate()
        await owner.certify(number, certificate.signers, certificate.signatures)
        return blob, number


async def until_dropped(network: WalrusNetwork, blob: Blob, seconds: float = 30.0) -> None:
    """Asks every agent until none has anything of the blob."""
    async with Chain.connect([network.rpc_url], network.devnet.deployment) as chain, HttpAgents() as agents:
        for member in (await chain.committee()).members:
            agent = agents.at(member.url, member.name)
            async with asyncio.timeout(seconds):
                while (await agent.blob(blob.blob_id)).known:
                    await agent.health()
