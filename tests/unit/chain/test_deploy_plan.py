"""The deployment plan: pure, and right about addresses before anything exists."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st
from web3.types import Nonce
from web3.utils import get_create_address

from walrus_chain.chain.abi import interface
from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.deploy import MODULES, DeploymentParameters, contract_address, plan_deployment
from walrus_chain.chain.deployments import CONTRACTS, KINDS
from walrus_chain.errors import ParameterOutOfBounds
from walrus_chain.types import NOBODY, Address

DEPLOYER = Address("0x6AC7EA33F8831EA9DcC53393AaA88B25A785DBF0")


def test_contract_address__of_the_yellow_paper_example() -> None:
    assert contract_address(DEPLOYER, 0) == "0xcd234A471b72ba2F1Ccf0A70FCABA648a5eeCD8d"
    assert contract_address(DEPLOYER, 1) == "0x343c43A37D37dfF08AE8C4A11544c718AbB4fCF8"


@given(st.binary(min_size=20, max_size=20), st.one_of(st.integers(0, 300), st.integers(0, 2**64 - 2)))
def test_contract_address__any_nonce__agrees_with_web3(deployer: bytes, nonce: int) -> None:
    address = to_checksum_address(deployer)
    assert str(contract_address(Address(address), nonce)) == str(get_create_address(address, Nonce(nonce)))


def test_plan__steps_follow_the_nonce_and_arguments_name_planned_addresses() -> None:
    plan = plan_deployment(DeploymentParameters(), DEPLOYER, 5)
    assert [step.contract for step in plan.steps] == list(CONTRACTS)
    assert [step.nonce for step in plan.steps] == list(range(5, 5 + len(CONTRACTS)))
    assert all(step.address == contract_address(DEPLOYER, step.nonce) for step in plan.steps)
    steps = {step.contract: step for step in plan.steps}
    at = plan.addresses
    assert steps["TokenVault"].arguments == (at["WAL"], [at[module] for module in MODULES])
    assert steps["StorageFees"].arguments[2] == at["BlobRegistry"]
    assert steps["Committee"].arguments[-1] == DEPLOYER
    assert steps["WAL"].arguments[0] == DEPLOYER


def test_plan__genesis_and_holder_named__used_instead_of_the_deployer() -> None:
    other, holder = Address("0x" + "11" * 20), Address("0x" + "22" * 20)
    plan = plan_deployment(DeploymentParameters(genesis=other, holder=holder), DEPLOYER, 0)
    steps = {step.contract: step for step in plan.steps}
    assert (steps["Committee"].arguments[-1], steps["WAL"].arguments[0]) == (other, holder)


def test_plan__policy_factory__knows_every_kind_by_its_name() -> None:
    plan = plan_deployment(DeploymentParameters(), DEPLOYER, 0)
    [kinds] = plan.steps[CONTRACTS.index("PolicyFactory")].arguments
    assert {name.rstrip(b"\0").decode(): address for name, address in kinds} == {
        kind: plan.addresses[contract] for kind, contract in KINDS.items()
    }


def test_creation_code__is_bytecode_and_the_arguments() -> None:
    for step in plan_deployment(DeploymentParameters(), DEPLOYER, 0).steps:
        bytecode = artifact(step.contract).bytecode
        assert step.creation_code.startswith(bytecode)
        arguments = decode(interface(step.contract).constructor, step.creation_code[len(bytecode) :])
        assert _plain(arguments) == _plain(step.arguments)


def _plain(arguments: Any) -> Any:
    if isinstance(arguments, tuple | list):
        return [_plain(argument) for argument in arguments]
    return arguments.lower() if isinstance(arguments, str) else arguments


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("shards", 3),
        ("shards", 256),
        ("epoch_seconds", 0),
        ("epoch_seconds", 366 * 86400 + 1),
        ("supply", 0),
        ("supply", 2**128),
        ("minimum_stake", 0),
        ("unit_bytes", 1023),
        ("unit_bytes", 2**30 + 1),
        ("unit_price", 1000 * 10**18 + 1),
        ("unit_price", -1),
        ("write_fee", 1000 * 10**18 + 1),
        ("maximum_epochs", 0),
        ("maximum_epochs", 65536),
        ("maximum_request_age_seconds", 0),
        ("maximum_request_age_seconds", 3601),
        ("minimum_notice_seconds", -1),
        ("minimum_notice_seconds", 365 * 86400 + 1),
        ("protocol_bps", 0),
        ("protocol_bps", 1001),
        ("close_delay_seconds", 0),
        ("close_delay_seconds", 30 * 86400 + 1),
        ("tip_bps", -1),
        ("tip_bps", 501),
        ("draw_seconds", 0),
        ("commit_seconds", 0),
        ("reveal_seconds", 2 * 86400 + 1),
        ("window_blocks", 0),
        ("window_blocks", 50_001),
        ("wrong_bps", 0),
        ("wrong_bps", 5001),
        ("absent_bps", -1),
        ("absent_bps", 501),
        ("minimum_job_fee", -1),
        ("minimum_job_fee", 1000 * 10**18 + 1),
        ("genesis", NOBODY),
        ("holder", NOBODY),
    ],
)
def test_parameters__outside_the_bounds__are_refused_by_name(parameter: str, value: object) -> None:
    with pytest.raises(ParameterOutOfBounds, match=parameter):
        DeploymentParameters(**{parameter: value})  # type: ignore[arg-type]


def test_job_windows__of_short_epochs__fit_into_two() -> None:
    assert DeploymentParameters().job_windows == (600, 600, 300)
    assert DeploymentParameters(epoch_seconds=100).job_windows == (50, 50, 50)
    assert DeploymentParameters(commit_seconds=7).job_windows == (600, 7, 300)
    with pytest.raises(ParameterOutOfBounds, match="draw, commit and reveal seconds"):
        DeploymentParameters(epoch_seconds=1000, commit_seconds=1500)
