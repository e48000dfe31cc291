"""Looks for what keeps an agent from serving well, and says how to put it right. Changes nothing."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass

from storage_agent.config import Settings
from storage_agent.keys import files
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.network import Chain
from walrus_chain.chain.views import Node
from walrus_chain.errors import WalrusError
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import format_bytes

_LOW_DISK_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    says: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Each thing that was looked at, as it is known. What depends on something broken is left out."""
    try:
        deployment = Deployment.load(settings.chain.deployment)
        yield Finding("deployment", True, f"network {deployment.name} on chain {deployment.chain_id}")
    except WalrusError as error:
        yield Finding("deployment", False, str(error))
        return
    signer: LocalSigner | None = None
    encryption = b""
    try:
        password = files.read_password(settings.keys.password_file)
        signer = files.load_signer(settings.keys.signer, password)
        encryption = files.public_bytes(files.load_encryption_key(settings.keys.encryption, password))
        yield Finding("keys", True, f"signer {signer.address}")
    except WalrusError as error:
        yield Finding("keys", False, str(error))
    yield _disk(settings)
    async with Chain.connect(settings.chain.rpc, deployment) as chain:
        try:
            head = await chain.head()
            yield Finding("chain", True, f"at block {head.number}")
            nodes = await chain.nodes()
        except WalrusError as error:
            yield Finding("chain", False, str(error))
            return
        if signer is None:
            return
        node = next((node for node in nodes if node.signer == signer.address), None)
        if node is None:
            yield Finding("registration", False, "no node has this key; run `walrus-agent register`")
            return
        yield Finding("registration", True, f"node {node.node_id} ({node.name}), region {node.region}")
        yield Finding(
            "encryption key",
            node.encryption_key == encryption,
            "as registered" if node.encryption_key == encryption else "another one is registered: rotate the keys",
        )
        yield Finding(
            "committee",
            node.serving,
            f"serves {len(node.shards)} shards" if node.serving else "no shards: bond at least the minimum stake",
        )
    yield await _reachable(node)


def _disk(settings: Settings) -> Finding:
    folder = settings.storage.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Finding("disk", False, f"{existing} is not writable")
    figures = os.statvfs(existing)
    free = figures.f_bavail * figures.f_frsize
    return Finding("disk", free >= _LOW_DISK_BYTES, f"{format_bytes(free)} free at {existing}")


async def _reachable(node: Node) -> Finding:
    async with HttpAgents() as agents:
        try:
            health = await agents.at(node.url, node.name).health()
        except WalrusError as error:
            return Finding("address", False, f"{error}; others use this address, see that it leads here")
    if health.node_id != node.node_id:
        return Finding("address", False, f"{node.url} is answered by node {health.node_id}; correct the address")
    return Finding("address", health.status == "ok", f"{node.url} answers: {health.status}")
