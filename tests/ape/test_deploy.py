"""`ape run deploy` puts the same network on a chain as `walrus network deploy`."""

from __future__ import annotations

from typing import Any

import ape
import pytest

from scripts import deploy
from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.deploy import MODULES, DeploymentParameters, plan_deployment
from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.errors import UnexpectedAddress
from walrus_chain.types import Address, Wei

PARAMETERS = DeploymentParameters(shards=10, supply=Wei(7_000), minimum_stake=Wei(5))


@pytest.fixture
def deployer(accounts: Any) -> Any:
    return accounts[0]


@pytest.fixture
def deployment(deployer: Any) -> Deployment:
    return deploy.execute(deployer, PARAMETERS, "test")


def at(deployment: Deployment, contract: str) -> Any:
    return ape.Contract(deployment.address(contract), abi=list(artifact(contract).abi))


def test_execute__every_contract__is_where_it_was_planned(deployer: Any) -> None:
    plan = plan_deployment(PARAMETERS, Address(deployer.address), deployer.nonce)

    deployment = deploy.execute(deployer, PARAMETERS, "test")

    assert dict(deployment.contracts) == dict(plan.addresses)
    assert tuple(deployment.contracts) == CONTRACTS


def test_execute__deployment_file__names_chain_and_first_block(deployer: Any) -> None:
    before = ape.chain.blocks.height

    deployment = deploy.execute(deployer, PARAMETERS, "test")

    assert (deployment.name, deployment.chain_id, deployment.block) == ("test", ape.chain.chain_id, before + 1)


def test_execute__contracts__know_each_other_and_their_parameters(deployer: Any, deployment: Deployment) -> None:
    assert at(deployment, "WAL").balanceOf(deployer) == PARAMETERS.supply
    assert at(deployment, "TokenVault").token() == deployment.address("WAL")
    assert at(deployment, "Committee").shards() == PARAMETERS.shards
    assert at(deployment, "TokenVault").modules() == [deployment.address(module) for module in MODULES]
    assert at(deployment, "BlobPolicies").minimumNotice() == PARAMETERS.minimum_notice_seconds
    assert at(deployment, "ReadChannels").tipBps() == PARAMETERS.tip_bps


def test_execute__other_transaction_in_between__is_said(deployer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_deployment(PARAMETERS, Address(deployer.address), deployer.nonce)
    deployer.transfer(deployer, 0)
    monkeypatch.setattr(deploy, "plan_deployment", lambda *_: plan)

    with pytest.raises(UnexpectedAddress) as caught:
        deploy.execute(deployer, PARAMETERS, "test")

    assert caught.value.contract == CONTRACTS[0]
    assert caught.value.expected == plan.steps[0].address
