"""A reader whose credential was revoked and who does not want to know: asks agents at the block before.

Agents decide at the block that a request names, as long as it is not too old: so this is how late a revocation can
come. The requests carry no payment: an agent that would serve them says what it wants to be paid, and nothing is spent.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Final

from eth_utils.crypto import keccak

from examples.genomics.cast import Cast, Player
from scripts.demonstration.words import ClaimFailed
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.client.evidence import evidence_for
from walrus_chain.client.keep import MemoryKeep
from walrus_chain.client.sessions import Sessions
from walrus_chain.crypto.envelope import KeyEnvelope
from walrus_chain.errors import AgentDenied, AgentRefused
from walrus_chain.messages.access import FREE, NO_PROGRAM, AccessRequest, Action
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.access import KeyQuestion
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import BlobObjectId, NodeId, Wei

SERVED: Final = "PaymentRequired"
"""An agent would serve the read, once it is paid."""
_LOOK_SECONDS: Final = 0.5
_REQUEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Revocation:
    """When a credential was taken back."""

    before: BlockRef
    """The last block at which it held."""
    at: float
    """By `time.monotonic`."""


async def words_of_agents(cast: Cast, reader: Player, blob_object: BlobObjectId, block: BlockRef) -> list[str]:
    """What each agent that has a share says to a read at a block; `SERVED` is said by those that would serve it."""
    chain, agents = cast.chain, HttpAgents()
    record, sealed = await asyncio.gather(
        chain.policies.record_of(blob_object), chain.policies.envelope_of(blob_object)
    )
    assert sealed is not None, "it is private"
    signer = LocalSigner(bytes(reader.key.key))
    session = Sessions(MemoryKeep(), reader.address, signer, chain.access_domain).session(Wei(0), Wei(0), time.time())
    evidence = await evidence_for(chain, record.current.access, reader.address, None) or b""
    urls = {node.node_id: node.url for node in await chain.nodes()}

    async def ask(node: NodeId, key_id: bytes) -> str:
        request = AccessRequest(
            grant=session.digest,
            node=node,
            blob_object=blob_object,
            action=Action.READ,
            program=NO_PROGRAM,
            key_epoch=record.key_epoch,
            sequence=0,
            evidence=keccak(evidence),
            block_hash=block.hash,
            nonce=secrets.token_bytes(32),
            expires_at=int(time.time()) + _REQUEST_SECONDS,
            payment=FREE,
        )
        signature = request.sign(session.signer, chain.access_domain)
        question = KeyQuestion(session.grant, session.signature, request, signature, evidence, None, key_id, False)
        try:
            await agents.at(urls[node], f"node {node}").release_key(question)
        except AgentDenied as denial:
            return denial.reason
        except AgentRefused as refusal:
            return refusal.code
        raise ClaimFailed(f"node {node} released a key for nothing")

    try:
        entries = KeyEnvelope.from_bytes(sealed.envelope).entries
        return list(await asyncio.gather(*(ask(NodeId(entry.node), entry.key_id) for entry in entries)))
    finally:
        await agents.aclose()


async def served_until(cast: Cast, reader: Player, blob_object: BlobObjectId, revocation: Revocation) -> float:
    """Seconds after a revocation at which an agent would serve a read at the block before it for the last time."""
    last = 0.0
    while True:
        asked = time.monotonic()
        if SERVED not in await words_of_agents(cast, reader, blob_object, revocation.before):
            return last
        last = asked - revocation.at
        await asyncio.sleep(_LOOK_SECONDS)
