"""The nodes that an envelope names: where their agents are, and to which of their keys it was sealed."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Final

from walrus_chain.chain.views import Node
from walrus_chain.client.ports import Agents, ChainReader
from walrus_chain.client.release import Holder
from walrus_chain.crypto.envelope import Entry, KeyEnvelope
from walrus_chain.crypto.node_key import PUBLIC_KEY_BYTES, PublicKey
from walrus_chain.errors import MalformedKey
from walrus_chain.types import NodeId

#: How long nodes are taken to be where they are before the chain is asked again, in seconds.
_NODES_SECONDS: Final = 30.0


class Holders:
    """The nodes of a network, as holders of keys."""

    def __init__(self, chain: ChainReader, agents: Agents) -> None:
        self._chain = chain
        self._agents = agents
        self._nodes: dict[NodeId, Node] = {}
        self._time = 0.0
        self._former: dict[tuple[NodeId, bytes], PublicKey | None] = {}

    async def refresh(self) -> None:
        """Asks the chain for its nodes, unless that was done a moment ago."""
        now = asyncio.get_running_loop().time()
        if not self._nodes or now - self._time > _NODES_SECONDS:
            self._nodes = {node.node_id: node for node in await self._chain.nodes()}
            self._time = now

    async def of(self, envelope: KeyEnvelope) -> tuple[list[Holder], dict[str, str]]:
        """The nodes that can give shares, and why others that the envelope names cannot."""
        await self.refresh()
        holders: list[Holder] = []
        reasons: dict[str, str] = {}
        for entry in envelope.entries:
            node = self._nodes.get(entry.node)
            if node is None:
                reasons[f"node {entry.node}"] = "it is not registered"
                continue
            key = await self._key_of(node, entry)
            if key is None:
                reasons[node.name] = f"it never registered the key {entry.key_id.hex()} that was sealed to"
                continue
            holders.append(Holder(node.node_id, self._agents.at(node.url, node.name), node.signer, key))
        return holders, reasons

    async def _key_of(self, node: Node, entry: Entry) -> PublicKey | None:
        """The key that a part was sealed to: the one that the node has now, or had before."""
        if (key := _parsed(node.encryption_key)) is not None and key.key_id == entry.key_id:
            return key
        place = node.node_id, entry.key_id
        if place not in self._former:
            former = [_parsed(data) for _, data in await self._chain.node_keys_of(node.node_id)]
            fitting = (key for key in former if key is not None and key.key_id == entry.key_id)
            self._former[place] = next(fitting, None)
        return self._former[place]


@lru_cache(maxsize=1024)
def _parsed(node_key: bytes) -> PublicKey | None:
    """The public key that a node registered. Shares are checked against it, so whose it is need not be proven here."""
    try:
        return PublicKey(node_key[:PUBLIC_KEY_BYTES])
    except MalformedKey:
        return None
