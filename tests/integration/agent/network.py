"""A few real agents on a real local chain, each of which a test may kill, wipe, or start again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from storage_agent.config import (
    AccessSettings,
    ChainSettings,
    ComputeSettings,
    KeySettings,
    LogSettings,
    NodeSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    WorkSettings,
    write_settings,
)
from storage_agent.keys import files
from tests.fakes.agents import Blob
from walrus_chain.chain.anvil import AnvilOptions, running_anvil
from walrus_chain.chain.deploy import DeploymentParameters, deploy
from walrus_chain.chain.network import Chain
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.chain.sender import NodeDetails, Registration, Sender
from walrus_chain.crypto.node_key import node_key
from walrus_chain.errors import AgentUnreachable, Retryable
from walrus_chain.messages.node_keys import NodeKeys
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.rules.committee import Committee, Member
from walrus_chain.transport.http import HttpAgentClient, HttpAgents
from walrus_chain.types import BlobObjectId, PairIndex, Wei

# Anvil's first account; everybody knows this key.
_DEPLOYER = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
_GAS_MONEY = Wei(10**18)
_READY_SECONDS = 30.0


@dataclass
class AgentNetwork:
    """Chain, contracts, and nodes that are in office but not yet running."""

    folder: Path
    chain: Chain
    owner: Sender
    signers: list[LocalSigner]
    settings: list[Settings]
    committee: Committee
    http: HttpAgents

    def client(self, member: Member) -> HttpAgentClient:
        """The way to a member's agent."""
        return self.http.at(member.url, member.name)

    async def register(self, blob: Blob) -> BlobObjectId:
        """A new object of a blob."""
        receipt = await self.owner.register([Registration(blob.blob_id, blob.metadata.size, 5, True)])
        return receipt.objects[0]

    async def certify(self, blob: Blob, members: Iterable[Member]) -> BlobObjectId:
        """Stores a blob with some members, and has it certified."""
        number = await self.register(blob)
        chosen = list(members)
        signatures = await asyncio.gather(*(self.upload(member, blob, number) for member in chosen))
        bitmap = sum(1 << member.index for member in chosen)
        await self.owner.certify(number, bitmap, b"".join(signatures))
        return number

    async def upload(self, member: Member, blob: Blob, number: BlobObjectId) -> bytes:
        """Gives a member all it must hold of a blob; its signature."""
        pairs = self.committee.pairs_of(member, blob.blob_id)
        answer = await self.client(member).put_segment(
            blob.blob_id, 0, pairs, blob.parts(pairs), metadata=blob.metadata.to_bytes(), blob_object=number
        )
        assert answer.attestation is not None
        answer.attestation.verify(self.chain.registry_domain)
        return answer.attestation.signature

    async def wait_ready(self, member: Member) -> None:
        """Until the member's agent takes work."""
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                with suppress(Retryable):
                    if (await self.client(member).health()).status == "ok":
                        return
                await asyncio.sleep(0.02)

    async def wait_healed(self, member: Member, blob: Blob, *, seconds: float = 30.0) -> tuple[PairIndex, ...]:
        """Until the member holds all it must of a blob; the pairs."""
        async with asyncio.timeout(seconds):
            while True:
                with suppress(AgentUnreachable):
                    known = await self.client(member).blob(blob.blob_id)
                    if known.known and known.missing == 0:
                        return known.pairs
                await asyncio.sleep(0.05)


@asynccontextmanager
async def agent_network(
    folder: Path,
    *,
    nodes: int,
    shards: int,
    epoch_seconds: int = 24 * 3600,
    block_seconds: int | None = None,
    close_delay_seconds: int = 24 * 3600,
    access: AccessSettings | None = None,
    job_seconds: int | None = None,
) -> AsyncIterator[AgentNetwork]:
    """A network of `nodes` nodes in office; no agent runs yet.

    Args:
        block_seconds: blocks come so often, besides those that transactions make; else only with transactions.
        job_seconds: for committing to a job's result, and for revealing it.
        access: how the agents release keys; by default money counts at once, and anything is worth redeeming.
    """
    parameters = DeploymentParameters(
        shards=shards,
        epoch_seconds=epoch_seconds,
        close_delay_seconds=close_delay_seconds,
        commit_seconds=job_seconds,
        reveal_seconds=job_seconds,
    )
    options = AnvilOptions(block_time=block_seconds, instant=block_seconds is not None)
    async with running_anvil(options) as anvil, ChainProvider([anvil.url], 31337) as provider, HttpAgents() as http:
        deployment = await deploy(provider, _DEPLOYER, parameters)
        deployment.save(folder / "deployment.json")
        chain = Chain(provider, deployment)
        owner = Sender(chain, _DEPLOYER)
        await owner.approve_vault()
        stake = (await chain.parameters()).minimum_stake
        signers, settings = [], []
        for index, port in enumerate(_free_ports(nodes)):
            home = folder / f"node-{index}"
            keys = KeySettings(
                signer=home / "signer.json", password_file=home / "password", encryption=home / "master.json"
            )
            password = files.write_password(keys.password_file)
            signer = files.write_signer(keys.signer, _key(index), password, scrypt_n=2)
            master, *_ = files.write_master_keys(keys.encryption, password, scrypt_n=2)
            encryption = node_key(master, signer.address)
            proof = NodeKeys(owner.address, signer.address, encryption).prove(signer, chain.nodes_domain)
            url = f"http://127.0.0.1:{port}"
            details = NodeDetails(f"node-{index}", url, f"region-{index % 4}", signer.address, encryption)
            registered = await owner.register_node(details, proof)
            await owner.delegate(registered.node_id, stake)
            await owner.stand(registered.node_id)
            await owner.send_native(signer.address, _GAS_MONEY)
            signers.append(signer)
            settings.append(
                Settings(
                    node=NodeSettings(name=details.name),
                    storage=StorageSettings(data_dir=home / "data"),
                    chain=ChainSettings(rpc=(anvil.url,), deployment=folder / "deployment.json", poll_seconds=0.05),
                    keys=keys,
                    server=ServerSettings(port=port),
                    work=WorkSettings(heal_delay_seconds=0.1),
                    access=access or AccessSettings(confirmations=0, minimum_redeem=0, minimum_settle=0),
                    compute=ComputeSettings(confirmations=0),
                    log=LogSettings(level="warning", format="text"),
                )
            )
        await owner.form_committee()
        yield AgentNetwork(folder, chain, owner, signers, settings, await chain.committee(), http)


class AgentProcess:
    """An agent in a process of its own, forked from one that has loaded the code."""

    def __init__(self, forker: asyncio.subprocess.Process, settings_file: Path, log: Path) -> None:
        self._forker = forker
        self._settings_file = settings_file
        self._log = log
        self.pid = 0

    async def start(self) -> None:
        """A new process."""
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        order = {"settings": str(self._settings_file), "log": str(self._log)}
        self._forker.stdin.write(json.dumps(order).encode() + b"\n")
        self.pid = json.loads(await self._forker.stdout.readline())["pid"]

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGKILL)


@asynccontextmanager
async def agent_process(settings: Settings, folder: Path) -> AsyncIterator[AgentProcess]:
    """A process for the agent with these settings, not yet started; killed at the end."""
    settings_file = folder / "agent.toml"
    settings_file.write_text(write_settings(settings))
    forker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "walrus_chain.devnet.fork_agents",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    agent = AgentProcess(forker, settings_file, folder / "agent.log")
    try:
        yield agent
    finally:
        if agent.pid:
            with suppress(ProcessLookupError):
                agent.kill()
        forker.kill()
        await forker.wait()


def _key(index: int) -> bytes:
    return hashlib.sha256(b"agent %d" % index).digest()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
