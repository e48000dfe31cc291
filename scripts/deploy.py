"""Deploy a network with an account that Ape keeps: `ape run deploy --network ethereum:sepolia:node --account NAME`.

Same plan, same committed bytecode as `walrus network deploy`; only who signs and sends differs, so hardware wallets and
every other account plugin of Ape work. Writes the deployment file that `walrus network add` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from ape.cli import ConnectedProviderCommand, account_option
from ape.exceptions import Abort
from eth_utils.address import to_checksum_address

from walrus_chain.chain.deploy import DeploymentParameters, plan_deployment
from walrus_chain.chain.deployments import Deployment
from walrus_chain.errors import ContractMissing, UnexpectedAddress, WalrusError
from walrus_chain.types import Address, Wei, format_amount, parse_amount

if TYPE_CHECKING:
    from ape.api import AccountAPI

_Command = TypeVar("_Command", bound=Callable[..., object])
DEFAULTS = DeploymentParameters()


def execute(account: AccountAPI, parameters: DeploymentParameters, name: str) -> Deployment:
    """Creates the network's contracts from `account` on the chain that Ape is connected to.

    Raises:
        UnexpectedAddress: the account sent something else meanwhile; start again.
        ContractMissing: a contract was created but has no code.
    """
    provider = account.provider
    plan = plan_deployment(parameters, Address(to_checksum_address(account.address)), account.nonce)
    blocks: list[int] = []
    for step in plan.steps:
        receipt = account.call(provider.network.ecosystem.create_transaction(data=step.creation_code))
        if receipt.contract_address != step.address:
            raise UnexpectedAddress(step.contract, step.address, receipt.contract_address)
        blocks.append(receipt.block_number)
    for contract, address in plan.addresses.items():
        if not provider.get_code(address):
            raise ContractMissing(name, contract, f"there is no code at {address}")
    return plan.deployment(name, provider.chain_id, blocks[0])


class Amount(click.ParamType):
    """An amount of WAL as people write it."""

    name = "WAL"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> Wei:
        if isinstance(value, int):
            return Wei(value)
        try:
            return parse_amount(value)
        except WalrusError as error:
            self.fail(str(error), param, ctx)


def amount_option(flag: str, default: Wei, text: str) -> Callable[[_Command], _Command]:
    """An option in WAL whose default is shown in WAL."""
    return click.option(flag, type=Amount(), default=default, show_default=format_amount(default), help=text)


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--name", default="walrus", show_default=True, help="What people will call the network.")
@click.option("--shards", default=DEFAULTS.shards, show_default=True, help="Slots of the committee.")
@click.option("--epoch-seconds", default=DEFAULTS.epoch_seconds, show_default=True, help="Length of an epoch.")
@click.option(
    "--unit-bytes", default=DEFAULTS.unit_bytes, show_default=True, help="Encoded bytes in a unit of storage."
)
@click.option("--maximum-epochs", default=DEFAULTS.maximum_epochs, show_default=True, help="Longest term.")
@amount_option("--supply", DEFAULTS.supply, "All the WAL there will ever be.")
@amount_option("--minimum-stake", DEFAULTS.minimum_stake, "What an operator must stake itself.")
@amount_option("--unit-price", DEFAULTS.unit_price, "For one unit and one epoch.")
@amount_option("--write-fee", DEFAULTS.write_fee, "For each registration.")
@click.option("--genesis", help="The account that forms the first committee; the deployer when none.")
@click.option("--holder", help="The account that gets the whole supply; the deployer when none.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The deployment file; deployments/CHAIN.json when none.",
)
def cli(
    account: AccountAPI,
    name: str,
    shards: int,
    epoch_seconds: int,
    unit_bytes: int,
    maximum_epochs: int,
    supply: Wei,
    minimum_stake: Wei,
    unit_price: Wei,
    write_fee: Wei,
    genesis: str | None,
    holder: str | None,
    output: Path | None,
) -> None:
    """Deploy a Walrus Chain network."""
    try:
        parameters = DeploymentParameters(
            shards=shards,
            epoch_seconds=epoch_seconds,
            supply=supply,
            minimum_stake=minimum_stake,
            unit_bytes=unit_bytes,
            unit_price=unit_price,
            write_fee=write_fee,
            maximum_epochs=maximum_epochs,
            genesis=Address(to_checksum_address(genesis)) if genesis else None,
            holder=Address(to_checksum_address(holder)) if holder else None,
        )
        deployment = execute(account, parameters, name)
    except WalrusError as error:
        raise Abort(str(error)) from error
    file = output or Path("deployments") / f"{deployment.chain_id}.json"
    deployment.save(file)
    for contract, address in deployment.contracts.items():
        click.echo(f"{contract:<16}{address}")
    click.echo(f"Written to {file}. Next: walrus network add {file}")
