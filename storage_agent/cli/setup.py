"""Making a node: a folder with settings and keys, and its entry in the network's registry."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from storage_agent.cli.operator import AgentNotRegistered
from storage_agent.config import (
    ChainSettings,
    KeySettings,
    NodeSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    write_settings,
)
from storage_agent.keys import files
from walrus_chain.chain.deployments import Deployment
from walrus_chain.chain.network import Chain
from walrus_chain.chain.rejections import NotOperator
from walrus_chain.chain.sender import NodeDetails, Sender
from walrus_chain.crypto.node_key import node_key
from walrus_chain.errors import Misuse
from walrus_chain.messages.node_keys import NodeKeys
from walrus_chain.transport.address import UnusableAddress, base_of
from walrus_chain.types import Address, NodeId, Wei

SETTINGS_FILE = "agent.toml"


class AgentExists(Misuse):
    """A folder holds an agent already."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds an agent's settings already; choose another folder, or edit them")
        self.folder = folder


class UnusableUrl(Misuse):
    """Nobody would connect to the address that is to be registered."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url!r} is no address for an agent: {why}; write it like https://node.example.org:9185")
        self.url, self.why = url, why


class AlreadyRegistered(Misuse):
    """The agent's key belongs to a node of the network already."""

    def __init__(self, node_id: NodeId, network: str) -> None:
        super().__init__(f"this agent's key is registered as node {node_id} of network {network} already")
        self.node_id, self.network = node_id, network


@dataclass(frozen=True, slots=True)
class NewAgent:
    """A folder that `walrus-agent run` can start from."""

    settings_file: Path
    signer: Address
    encryption_key: bytes


def make_agent(
    folder: Path, *, name: str, rpc: tuple[str, ...], deployment: Path, host: str, port: int, store: str
) -> NewAgent:
    """Settings and new keys in `folder`.

    The password of the keys is made by chance and kept beside them, readable by the owner only: it guards copies of the
    keystore, not the machine. Move it elsewhere and change `keys.password_file` to guard the machine's disk as well.

    Raises:
        AgentExists: there are settings already.
        MalformedDeployment: `deployment` is no deployment file.
    """
    folder = folder.absolute()
    settings_file = folder / SETTINGS_FILE
    if settings_file.exists():
        raise AgentExists(folder)
    Deployment.load(deployment)
    keys = KeySettings(
        signer=folder / "keys" / "signer.json",
        password_file=folder / "keys" / "password",
        encryption=folder / "keys" / "master.json",
    )
    password = files.write_password(keys.password_file)
    signer = files.write_signer(keys.signer, os.urandom(32), password, files.SCRYPT_N_FOR_CHANCE)
    master, *_ = files.write_master_keys(keys.encryption, password, files.SCRYPT_N_FOR_CHANCE)
    settings = Settings(
        node=NodeSettings(name=name),
        storage=StorageSettings(data_dir=folder / "data", store=store),
        chain=ChainSettings(rpc=rpc, deployment=deployment.absolute()),
        keys=keys,
        server=ServerSettings(host=host, port=port),
    )
    settings_file.write_text(write_settings(settings))
    return NewAgent(settings_file, signer.address, node_key(master, signer.address))


def load_operator(keystore: Path, password_file: Path) -> LocalAccount:
    """The operator's account, which registers the node and stakes for it.

    Raises: UnusableKey.
    """
    password = files.read_password(password_file)
    account: LocalAccount = Account.from_key(files.load_key(keystore, password))
    return account


def parse_url(url: str) -> str:
    """The address of an agent that an operator typed, without a slash at its end.

    Raises: UnusableUrl: nobody would connect to it.
    """
    try:
        return base_of(url)
    except UnusableAddress as error:
        raise UnusableUrl(url, str(error)) from error


async def register_node(settings: Settings, operator: LocalAccount, *, url: str, region: str, stake: Wei) -> NodeId:
    """Registers the agent as a node of its network and stakes the operator's WAL with it.

    Args:
        url: where others reach the agent.
        stake: nothing is staked when zero; with the network's minimum the node stands for the committee, too.
    Raises:
        UnusableUrl: nobody would connect to such an address.
        AlreadyRegistered: this agent's key is known.
        Rejected: the chain refuses; says why.
    """
    address = parse_url(url)
    deployment = Deployment.load(settings.chain.deployment)
    password = files.read_password(settings.keys.password_file)
    signer = files.load_signer(settings.keys.signer, password)
    encryption = node_key(files.load_master_keys(settings.keys.encryption, password)[0], signer.address)
    async with Chain.connect(settings.chain.rpc, deployment) as chain:
        known = await chain.node_of_signer(signer.address)
        if known is not None:
            raise AlreadyRegistered(known, deployment.name)
        sender = Sender(chain, operator)
        proof = NodeKeys(sender.address, signer.address, encryption).prove(signer, chain.nodes_domain)
        details = NodeDetails(settings.node.name, address, region, signer.address, encryption)
        receipt = await sender.register_node(details, proof)
        if stake:
            balances = await chain.balances(sender.address)
            if balances.allowance < stake:
                await sender.approve_vault(stake)
            await sender.delegate(receipt.node_id, stake)
            if stake >= (await chain.parameters()).minimum_stake:
                await sender.stand(receipt.node_id)
        return receipt.node_id


@dataclass(frozen=True, slots=True)
class RotatedKey:
    """A node's new master key is registered."""

    node_id: NodeId
    encryption_key: bytes
    keys: int
    """How many the agent has now, older ones included."""


async def rotate_master_key(settings: Settings, operator: LocalAccount) -> RotatedKey:
    """Registers a new master key for the agent's node. Older ones stay: they open what was sealed to them.

    The new key is kept before it is registered. One that was kept and not registered, since this was interrupted, is
    registered now.

    Raises:
        UnusableKey: of a file with a secret.
        AgentNotRegistered: the agent's key belongs to no node.
        NotOperator: another account operates it.
    """
    deployment = Deployment.load(settings.chain.deployment)
    password = files.read_password(settings.keys.password_file)
    signer = files.load_signer(settings.keys.signer, password)
    masters = files.load_master_keys(settings.keys.encryption, password)
    async with Chain.connect(settings.chain.rpc, deployment) as chain:
        node = next((node for node in await chain.nodes() if node.signer == signer.address), None)
        if node is None:
            raise AgentNotRegistered(signer.address, deployment.name)
        sender = Sender(chain, operator)
        if node.operator != sender.address:
            raise NotOperator(node.node_id, node.operator, sender.address)
        if node.encryption_key == node_key(masters[0], signer.address):
            masters = files.add_master_key(settings.keys.encryption, password)
        encryption = node_key(masters[0], signer.address)
        proof = NodeKeys(sender.address, signer.address, encryption).prove(signer, chain.nodes_domain)
        await sender.rotate_node_keys(node.node_id, signer.address, encryption, proof)
        return RotatedKey(node.node_id, encryption, len(masters))
