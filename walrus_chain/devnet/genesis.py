"""From an empty chain to a network with a committee, and how others join and leave it later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from walrus_chain.chain.deploy import DeploymentParameters, deploy
from walrus_chain.chain.network import Chain
from walrus_chain.chain.provider import ChainProvider
from walrus_chain.chain.sender import NodeDetails, Sender
from walrus_chain.messages.node_keys import NodeKeys
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.types import Address, NodeId, Wei

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from walrus_chain.chain.deployments import Deployment
    from walrus_chain.devnet.plan import DevnetParameters

#: What every account of a local network gets for its transactions.
GAS_MONEY = Wei(10_000 * 10**18)
#: A local chain is never reorganised, and epochs of seconds leave no time to wait.
_SEED_DELAY_BLOCKS = 1
#: Short, so that people see policies change and channels close while they look on.
_REQUEST_AGE_SECONDS = 60
_NOTICE_SECONDS = 5
_CLOSE_DELAY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who will run an agent of the new network."""

    account: LocalAccount
    """Registers the node and stakes for it."""
    signer: LocalAccount
    """Signs the node's attestations, and pays for what the agent does on chain."""
    encryption_key: bytes
    name: str
    url: str
    region: str


def deployment_parameters(parameters: DevnetParameters) -> DeploymentParameters:
    """What the contracts of a local network are made with.

    Raises: ParameterOutOfBounds: something the contracts would refuse.
    """
    return DeploymentParameters(
        shards=parameters.shards,
        epoch_seconds=parameters.epoch_seconds,
        seed_delay_blocks=_SEED_DELAY_BLOCKS,
        maximum_request_age_seconds=_REQUEST_AGE_SECONDS,
        minimum_notice_seconds=_NOTICE_SECONDS,
        close_delay_seconds=_CLOSE_DELAY_SECONDS,
    )


async def found(
    url: str, parameters: DevnetParameters, deployer: LocalAccount, developer: Address, operators: Sequence[Operator]
) -> tuple[Deployment, tuple[NodeId, ...]]:
    """Deploys a network on the local chain at `url`, and puts all operators' nodes into its committee.

    Returns: the deployment, and the node of each operator.
    """
    provider = ChainProvider([url])
    try:
        accounts = [deployer.address, developer]
        accounts += [account.address for operator in operators for account in (operator.account, operator.signer)]
        await _give_gas_money(provider, accounts)
        deployment = await deploy(provider, deployer, deployment_parameters(parameters), name="devnet")
        chain = Chain(provider, deployment)
        treasury = Sender(chain, deployer)
        await asyncio.gather(
            treasury.send_wal(developer, parameters.purse),
            *(treasury.send_wal(Address(operator.account.address), parameters.stake) for operator in operators),
        )
        # Nodes join one after the other, so that the first agent is node 1 at every start of a new network.
        nodes = [await _join(chain, operator) for operator in operators]
        await asyncio.gather(
            *(_stake(chain, operator, node, parameters.stake) for operator, node in zip(operators, nodes, strict=True))
        )
        await treasury.form_committee()
        return deployment, tuple(nodes)
    finally:
        await provider.aclose()


async def admit(url: str, deployment: Deployment, treasury: LocalAccount, operator: Operator, stake: Wei) -> NodeId:
    """Registers another operator's node with a network that runs, with stake, as a candidate.

    Args:
        treasury: gives the operator its WAL.
    """
    async with Chain.connect([url], deployment) as chain:
        await _give_gas_money(chain.provider, [operator.account.address, operator.signer.address])
        await Sender(chain, treasury).send_wal(Address(operator.account.address), stake)
        node = await _join(chain, operator)
        await _stake(chain, operator, node, stake)
        return node


async def release(url: str, deployment: Deployment, operator: LocalAccount, node: NodeId) -> None:
    """Begins to take all of an operator's stake out: its node leaves the committee with the next change."""
    async with Chain.connect([url], deployment) as chain:
        await Sender(chain, operator).undelegate(node)


async def _give_gas_money(provider: ChainProvider, accounts: Sequence[str]) -> None:
    await provider.batch([("anvil_setBalance", (account, hex(GAS_MONEY))) for account in accounts])


async def _join(chain: Chain, operator: Operator) -> NodeId:
    address = Address(operator.account.address)
    keys = NodeKeys(address, Address(operator.signer.address), operator.encryption_key)
    details = NodeDetails(
        operator.name, operator.url, operator.region, Address(operator.signer.address), operator.encryption_key
    )
    proof = keys.prove(LocalSigner(bytes(operator.signer.key)), chain.nodes_domain)
    return (await Sender(chain, operator.account).register_node(details, proof)).node_id


async def _stake(chain: Chain, operator: Operator, node: NodeId, stake: Wei) -> None:
    sender = Sender(chain, operator.account)
    await sender.approve_vault()
    await sender.delegate(node, stake)
    await sender.stand(node)
