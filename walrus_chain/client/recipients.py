"""Which nodes a key is sealed for: those that proved to have the key that they registered.

Source: docs/spec/12-keys.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from walrus_chain.chain.views import Node
from walrus_chain.client.plan_store import pause_before_retry
from walrus_chain.client.ports import Agents
from walrus_chain.client.threads import in_thread
from walrus_chain.crypto.envelope import MAXIMUM_RECIPIENTS, Recipient, majority
from walrus_chain.crypto.node_key import NODE_KEY_BYTES, PublicKey, parse_node_key
from walrus_chain.errors import (
    TooFewRecipients,
    UnknownRecipients,
    Untrusted,
    WalrusError,
    WrongThreshold,
)
from walrus_chain.messages.domain import Domain
from walrus_chain.transport.access import SignedErasableKey
from walrus_chain.transport.agent import AgentClient
from walrus_chain.types import BlobObjectId, NodeId

#: How long a node has to make an erasable key, in seconds.
_ERASABLE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Circle:
    """The nodes that a key is sealed for, and how many of them open it together."""

    recipients: tuple[Recipient, ...]
    threshold: int
    named: bool = False
    """Whether all of them are meant; else those that fail are left out, while enough are left."""

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """Their numbers."""
        return tuple(recipient.node for recipient in self.recipients)


async def circle_of(nodes: Sequence[Node], wanted: Sequence[NodeId] | None, threshold: int | None) -> Circle:
    """The nodes to seal a key for.

    Args:
        nodes: all that are registered.
        wanted: which of them; the serving ones, those with the most stake first and 32 at most, when none are named.
        threshold: how many together open it; a majority when it is not named.
    Raises:
        UnknownRecipients: nodes that were named and are not registered.
        WrongThreshold: none that these nodes can have.
        TooFewRecipients: too few of them have a usable key; says why.
    """
    chosen = _chosen(nodes, wanted)
    if not 1 <= (threshold or majority(len(chosen))) <= max(len(chosen), 1):
        raise WrongThreshold(threshold or 1, len(chosen))
    found, reasons = await in_thread(None, lambda: _keys_of(chosen))
    due = threshold or majority(max(len(found), 1))
    # Nodes that were named are all meant; of those that serve, those that have no usable key are left out.
    if len(found) < (len(chosen) if wanted is not None else due) or not found:
        raise TooFewRecipients(due, len(found), reasons)
    recipients = tuple(Recipient(node, key) for node, key in sorted(found.items()))
    return Circle(recipients, due, wanted is not None)


async def with_erasable_keys(
    circle: Circle, nodes: Sequence[Node], blob_object: BlobObjectId, agents: Agents, domain: Domain
) -> Circle:
    """The same nodes, each with a key that it made for this object alone and destroys when its time has come.

    Raises: TooFewRecipients: too few of them made one; says why.
    """
    by_id = {node.node_id: node for node in nodes}
    reasons: dict[str, str] = {}

    async def one(recipient: Recipient) -> Recipient | None:
        node = by_id[recipient.node]
        agent = agents.at(node.url, node.name)
        try:
            async with asyncio.timeout(_ERASABLE_SECONDS):
                signed = await _made_by(agent, blob_object)
            signed.check(node.node_id, blob_object, node.signer, domain)
            return Recipient(recipient.node, recipient.key, PublicKey(signed.public_key))
        except TimeoutError:
            reasons[agent.label] = f"no answer within {_ERASABLE_SECONDS:g} s"
        except WalrusError as error:
            reasons[agent.label] = str(error)
        return None

    made = await asyncio.gather(*map(one, circle.recipients))
    usable = tuple(recipient for recipient in made if recipient is not None)
    if len(usable) < (len(made) if circle.named else circle.threshold):
        raise TooFewRecipients(circle.threshold, len(usable), reasons)
    return replace(circle, recipients=usable)


async def _made_by(agent: AgentClient, blob_object: BlobObjectId) -> SignedErasableKey:
    """A node's key for one object; asked again until the node has seen the object."""
    attempt = 1
    while True:
        try:
            return await agent.erasable_key(blob_object)
        except WalrusError as error:
            pause = pause_before_retry(error, attempt)
            if pause is None:
                raise
        await asyncio.sleep(pause)
        attempt += 1


def _chosen(nodes: Sequence[Node], wanted: Sequence[NodeId] | None) -> list[Node]:
    if wanted is None:
        serving = sorted((node for node in nodes if node.serving), key=lambda node: (-node.stake, node.node_id))
        return serving[:MAXIMUM_RECIPIENTS]
    by_id = {node.node_id: node for node in nodes}
    if unknown := [node for node in wanted if node not in by_id]:
        raise UnknownRecipients(unknown)
    return [by_id[node] for node in dict.fromkeys(wanted)]


def _keys_of(nodes: Sequence[Node]) -> tuple[dict[NodeId, PublicKey], Mapping[str, str]]:
    found: dict[NodeId, PublicKey] = {}
    reasons: dict[str, str] = {}
    for node in nodes:
        try:
            found[node.node_id] = parse_node_key(node.encryption_key, node.signer)
        except Untrusted as error:
            old = len(node.encryption_key) != NODE_KEY_BYTES
            reasons[node.name] = "it registered no key for data yet" if old else str(error)
    return found, reasons
