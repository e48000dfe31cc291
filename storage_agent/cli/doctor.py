"""Looks for what keeps an agent from serving and earning, and says how to put it right. Changes nothing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from storage_agent.cli import findings
from storage_agent.cli.findings import Finding
from storage_agent.cli.standing import read_standing
from storage_agent.compute.places import unfit_to_compute
from storage_agent.config import Settings
from storage_agent.keys import files
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.network import Chain
from walrus_chain.chain.views import Node
from walrus_chain.crypto.node_key import node_key
from walrus_chain.errors import WalrusError
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import format_bytes

_LOW_DISK_BYTES = 2**30
#: Seconds that each endpoint has to answer.
_ENDPOINT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """The machine's two clocks."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970; can be set."""
    steady: Callable[[], float] = time.monotonic
    """Seconds; only goes forward."""


async def examine(settings: Settings, clocks: Clocks | None = None) -> AsyncIterator[Finding]:
    """Each thing that was looked at, as it is known. What depends on something broken is left out."""
    clocks = clocks or Clocks()
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
        encryption = node_key(files.load_master_keys(settings.keys.encryption, password)[0], signer.address)
        yield Finding("keys", True, f"signer {signer.address}")
    except WalrusError as error:
        yield Finding("keys", False, str(error))
    yield findings.access(settings.access.enabled, settings.keeper.enabled)
    unfit = await unfit_to_compute() if settings.compute.enabled else None
    yield findings.compute(settings.compute.enabled, settings.keeper.enabled, unfit)
    yield _disk(settings)
    wall, steady = clocks.wall(), clocks.steady()
    heads = await asyncio.gather(*(_head(url, deployment) for url in settings.chain.rpc))
    for finding in _endpoints(heads):
        yield finding
    known = [head.block for head in heads if head.block is not None]
    if known:
        now = clocks.wall()
        newest = max(block.timestamp for block in known)
        yield findings.clock(now, newest, now - wall, clocks.steady() - steady)
    async with Chain.connect(settings.chain.rpc, deployment) as chain:
        try:
            yield Finding("chain", True, f"at block {(await chain.head()).number}")
            nodes = await chain.nodes()
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
                "as registered"
                if node.encryption_key == encryption
                else "another one is registered: run `walrus-agent keys rotate`",
            )
            balance = (await chain.balances(signer.address)).native
            gas_price = int(await chain.provider.request("eth_gasPrice"), 16)
            yield findings.gas_money(signer.address, balance, gas_price)
            for finding in findings.chain_standing(await read_standing(chain, node.node_id)):
                yield finding
        except WalrusError as error:
            yield Finding("chain", False, str(error))
            return
    yield await _reachable(node)


@dataclass(frozen=True, slots=True)
class _Head:
    """What an endpoint knows."""

    name: str
    block: BlockRef | None
    """None where it did not answer."""
    why: str


async def _head(url: str, deployment: Deployment) -> _Head:
    try:
        async with Chain.connect([url], deployment, timeout=_ENDPOINT_SECONDS) as chain:
            head = await chain.head()
            return _Head(chain.provider.endpoint, head, "")
    except WalrusError as error:
        return _Head("", None, str(error))


def _endpoints(heads: Sequence[_Head]) -> list[Finding]:
    newest = max((head.block.timestamp for head in heads if head.block is not None), default=0)
    return [
        Finding(f"rpc {number}", False, head.why)
        if head.block is None
        else findings.endpoint(number, head.name, head.block.number, head.block.timestamp, newest)
        for number, head in enumerate(heads, 1)
    ]


def _disk(settings: Settings) -> Finding:
    folder = settings.storage.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK):
        return Finding("disk", False, f"{existing} is not writable; let the agent's user write there")
    figures = os.statvfs(existing)
    free = figures.f_bavail * figures.f_frsize
    if free < _LOW_DISK_BYTES:
        return Finding(
            "disk", False, f"{format_bytes(free)} free at {existing}; make room, or the agent takes nothing new"
        )
    return Finding("disk", True, f"{format_bytes(free)} free at {existing}")


async def _reachable(node: Node) -> Finding:
    async with HttpAgents() as agents:
        try:
            health = await agents.at(node.url, node.name).health()
        except WalrusError as error:
            return Finding("address", False, f"{error}; others use this address, see that it leads here")
    if health.node_id != node.node_id:
        return Finding("address", False, f"{node.url} is answered by node {health.node_id}; correct the address")
    return Finding("address", health.status == "ok", f"{node.url} answers: {health.status}")
