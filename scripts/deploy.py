"""Deploy a network with an account that Ape keeps: `ape run deploy --network ethereum:sepolia:node --account NAME`.

Same plan, same committed bytecode as `walrus network deploy`; only who signs and sends differs, so hardware wallets and
every other account plugin of Ape work. Writes the deployment file that `walrus network add` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from ape.cli import ConnectedProviderCommand, account_option
from ape.exceptions import Abort
from eth_utils.address import to_checksum_address

from walrus_chain.chain.deploy import DeploymentParameters, plan_deployment
from walrus_chain.chain.deployments import Deployment
from walrus_chain.errors import ContractMissing, UnexpectedAddress, WalrusError
from walrus_chain.types import Address, Wei, format_amount, format_bps, parse_amount, parse_bps

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


class Share(click.ParamType):
    """A share as people write it, in hundredths of a percent."""

    name = "SHARE"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return parse_bps(value)
        except WalrusError as error:
            self.fail(str(error), param, ctx)


def amount_option(flag: str, default: Wei, text: str) -> Callable[[_Command], _Command]:
    """An option in WAL whose default is shown in WAL."""
    return click.option(flag, type=Amount(), default=default, show_default=format_amount(default), help=text)


def share_option(flag: str, default: int, text: str) -> Callable[[_Command], _Command]:
    """An option in percent whose default is shown in percent."""
    name = flag.removeprefix("--").replace("-", "_") + "_bps"
    return click.option(flag, name, type=Share(), default=default, show_default=format_bps(default), help=text)


def number_option(name: str, text: str) -> Callable[[_Command], _Command]:
    """An option for a whole number among the parameters, with their default."""
    return click.option(
        "--" + name.replace("_", "-"), name, type=int, default=getattr(DEFAULTS, name), show_default=True, help=text
    )


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--name", default="walrus", show_default=True, help="What people will call the network.")
@number_option("shards", "Slots of the committee.")
@number_option("epoch_seconds", "Length of an epoch.")
@click.option("--sync-seconds", type=int, help="Longest time for a change of committee; an epoch when none.")
@number_option("unit_bytes", "Encoded bytes in a unit of storage.")
@number_option("maximum_epochs", "Longest term.")
@amount_option("--supply", DEFAULTS.supply, "All the WAL there will ever be.")
@amount_option("--minimum-stake", DEFAULTS.minimum_stake, "What an operator must stake itself.")
@number_option("unbonding_epochs", "For how long stake on its way out is still slashed.")
@share_option("--maximum-commission", DEFAULTS.maximum_commission_bps, "The most that an operator keeps of rewards.")
@amount_option("--unit-price", DEFAULTS.unit_price, "For one unit and one epoch, at first.")
@amount_option("--write-fee", DEFAULTS.write_fee, "For each registration, at first.")
@share_option("--burn", DEFAULTS.burn_bps, "The share of storage fees that is burned.")
@number_option("samples", "Places that a node proves in each epoch.")
@share_option("--first-slash", DEFAULTS.first_slash_bps, "What a missed proof costs; doubled with each one in a row.")
@share_option("--maximum-slash", DEFAULTS.maximum_slash_bps, "The most that one miss costs.")
@number_option("misses_to_jail", "Misses in a row after which a node leaves the committee.")
@number_option("jail_epochs", "For how long it stays out.")
@share_option("--bounty", DEFAULTS.bounty_bps, "What of a slash the reporter gets; the rest is burned.")
@number_option("seed_delay_blocks", "Blocks between a custody window's opening and its seed.")
@number_option("maximum_request_age_seconds", "Oldest block at which agents decide who may use data.")
@number_option("minimum_notice_seconds", "Shortest notice with which policies change.")
@share_option("--protocol", DEFAULTS.protocol_bps, "What is burned of a revenue pool's income.")
@number_option("close_delay_seconds", "For how long a read channel that closes still pays vouchers.")
@share_option("--tip", DEFAULTS.tip_bps, "What a node gets of a voucher that it redeems.")
@click.option("--draw-seconds", type=int, help="For how long a job may be drawn; 600, or half an epoch, when none.")
@click.option("--commit-seconds", type=int, help="For how long nodes run a job; 600, or half an epoch, when none.")
@click.option("--reveal-seconds", type=int, help="For how long they show results; 300, or half an epoch, when none.")
@click.option("--window-blocks", type=int, help="Blocks of running and showing; as of 12 seconds each, when none.")
@share_option("--wrong", DEFAULTS.wrong_bps, "What a node loses whose result most contradict.")
@share_option("--absent", DEFAULTS.absent_bps, "What a node loses that lets a job wait.")
@amount_option("--minimum-job-fee", DEFAULTS.minimum_job_fee, "The least that a job pays for each node that runs it.")
@click.option("--genesis", help="The account that forms the first committee; the deployer when none.")
@click.option("--holder", help="The account that gets the whole supply; the deployer when none.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The deployment file; deployments/CHAIN.json when none.",
)
def cli(
    account: AccountAPI, name: str, genesis: str | None, holder: str | None, output: Path | None, **parameters: Any
) -> None:
    """Deploy a Walrus Chain network."""
    try:
        chosen = DeploymentParameters(
            genesis=Address(to_checksum_address(genesis)) if genesis else None,
            holder=Address(to_checksum_address(holder)) if holder else None,
            **parameters,
        )
        deployment = execute(account, chosen, name)
    except WalrusError as error:
        raise Abort(str(error)) from error
    file = output or Path("deployments") / f"{deployment.chain_id}.json"
    deployment.save(file)
    for contract, address in deployment.contracts.items():
        click.echo(f"{contract:<22}{address}")
    click.echo(f"Written to {file}. Next: walrus network add {file}")
