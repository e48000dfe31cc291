"""The nodes that an envelope names: where their agents are, and to which of their keys it was sealed."""

from __future__ import annotations

from functools import lru_cache

from walrus_chain.chain.views import Node
from walrus_chain.client.ports import Agents, ChainReader
from walrus_chain.client.release import Holder
from walrus_chain.crypto.envelope import Entry, KeyEnvelope
from walrus_chain.crypto.node_key import PUBLIC_KEY_BYTES, PublicKey
from walrus_chain.errors import MalformedKey


async def holders_of(chain: ChainReader, agents: Agents, envelope: KeyEnvelope) -> tuple[list[Holder], dict[str, str]]:
    """The nodes that can give shares, and why others that the envelope names cannot."""
    nodes = {node.node_id: node for node in await chain.nodes()}
    holders: list[Holder] = []
    reasons: dict[str, str] = {}
    for entry in envelope.entries:
        node = nodes.get(entry.node)
        if node is None:
            reasons[f"node {entry.node}"] = "it is not registered"
            continue
        key = await _key_of(chain, node, entry)
        if key is None:
            reasons[node.name] = f"it never registered the key {entry.key_id.hex()} that the data's key was sealed to"
            continue
        holders.append(Holder(node.node_id, agents.at(node.url, node.name), node.signer, key))
    return holders, reasons


async def _key_of(chain: ChainReader, node: Node, entry: Entry) -> PublicKey | None:
    """The key that a part was sealed to: the one that the node has now, or had before."""
    if (key := _parsed(node.encryption_key)) is not None and key.key_id == entry.key_id:
        return key
    for _, data in await chain.node_keys_of(node.node_id):
        if (key := _parsed(data)) is not None and key.key_id == entry.key_id:
            return key
    return None


@lru_cache(maxsize=1024)
def _parsed(node_key: bytes) -> PublicKey | None:
    """The public key that a node registered. Shares are checked against it, so whose it is need not be proven here."""
    try:
        return PublicKey(node_key[:PUBLIC_KEY_BYTES])
    except MalformedKey:
        return None
