"""Commands about networks: health, `walrus network`, `walrus contracts`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from walrus_chain.cli import render, session
from walrus_chain.cli.options import Json, NetworkName, PasswordFile, WalletName
from walrus_chain.cli.output import FAILURE, RETRYABLE
from walrus_chain.errors import NameTaken
from walrus_chain.types import parse_amount, parse_bps

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from walrus_chain.chain.deploy import DeploymentParameters
    from walrus_chain.chain.deployments import Deployment

app = typer.Typer()
networks = typer.Typer(help="Networks that this computer knows.", no_args_is_help=True)
contracts = typer.Typer(help="The contracts, for those who change them.", no_args_is_help=True)
app.add_typer(networks, name="network")
app.add_typer(contracts, name="contracts")

Rpc = Annotated[list[str], typer.Option("--rpc", metavar="URL", help="RPC endpoint of the chain; may be repeated.")]


@app.command()
def health(network: NetworkName = None, json: Json = False) -> None:
    """How each node says it is. Exit code 6 when those that answer are too few to store."""
    out = session.output(json)
    nodes = session.reading(network, lambda client: client.health())
    shards = sum(node.member.weight for node in nodes)
    up = sum(node.member.weight for node in nodes if node.health is not None)
    quorum = shards - (shards - 1) // 3
    out.table(
        {"nodes": list(map(render.health, nodes)), "shardsUp": up, "shards": shards, "quorum": quorum},
        ("Node", "Region", "Shards", "Status", "Block", "Disk", "Answer"),
        list(map(render.health_row, nodes)),
        "this network has no committee yet",
    )
    if not json:
        typer.echo(f"\n{up} of {shards} shards answer; {quorum} are needed to store")
    if up < quorum:
        raise typer.Exit(RETRYABLE)


@networks.command("list")
def list_(json: Json = False) -> None:
    """Networks that this computer knows."""
    out, home = session.output(json), session.home()
    known = [home.network(name) for name in home.networks()]
    current = home.current_network
    out.table(
        [
            {
                "name": item.name,
                "chainId": item.deployment.chain_id,
                "rpc": list(item.rpc),
                "used": item.name == current,
            }
            for item in known
        ],
        ("", "Name", "Chain", "RPC"),
        [
            ("*" if item.name == current else "", item.name, item.deployment.chain_id, ", ".join(item.rpc))
            for item in known
        ],
        "no network is known; `walrus network add` makes one known, `walrus devnet up` starts a local one",
    )


@networks.command()
def use(name: Annotated[str, typer.Argument(help="A network that is known.")], json: Json = False) -> None:
    """Use a network from now on."""
    session.home().use_network(name)
    session.output(json).result({"network": name}, f"{name} is used from now on")


@networks.command()
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    rpc: Rpc,
    deployment: Annotated[Path, typer.Option(help="Deployment file: the addresses of the network's contracts.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a network of that name.")] = False,
    json: Json = False,
) -> None:
    """Make a network known, after a look at whether its contracts are there."""
    from walrus_chain.chain.deployments import Deployment

    found = Deployment.load(deployment)
    asyncio.run(_look(rpc, found))
    _remember(name, rpc, found, replace=replace)
    session.output(json).result(
        {"network": name, "chainId": found.chain_id, "contracts": dict(found.contracts)},
        f"{name} is known; `walrus network use {name}` chooses it",
    )


@networks.command()
def deploy(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    rpc: Rpc,
    shards: Annotated[int, typer.Option(min=4, max=255, help="Slots of the committee.")] = 30,
    epoch_seconds: Annotated[int, typer.Option(min=1, help="Length of an epoch.")] = 24 * 3600,
    supply: Annotated[str, typer.Option(help="All the WAL there will ever be.")] = "1000000000 WAL",
    sync_seconds: Annotated[
        int | None, typer.Option(min=1, help="Longest time for a change of committee; an epoch when none is named.")
    ] = None,
    minimum_stake: Annotated[str, typer.Option(help="What an operator must stake itself.")] = "1000 WAL",
    unbonding_epochs: Annotated[
        int, typer.Option(min=3, max=100, help="For how long stake on its way out is still slashed.")
    ] = 7,
    maximum_commission: Annotated[str, typer.Option(help="The most that an operator may keep of rewards.")] = "50%",
    unit_price: Annotated[str, typer.Option(help="For a unit of storage and an epoch, at first.")] = "0.00001 WAL",
    write_fee: Annotated[str, typer.Option(help="Once for each registration, at first.")] = "0.0001 WAL",
    unit_bytes: Annotated[int, typer.Option(help="Encoded bytes in a unit.")] = 64 * 1024,
    maximum_epochs: Annotated[int, typer.Option(min=1, help="How many epochs ahead may be paid.")] = 1000,
    burn: Annotated[str, typer.Option(help="The share of storage fees that is burned, up to 50%.")] = "10%",
    samples: Annotated[int, typer.Option(min=1, max=16, help="Places that a node proves in each epoch.")] = 5,
    first_slash: Annotated[
        str, typer.Option(help="What a missed proof costs of a node's stake; doubled with each one in a row.")
    ] = "1%",
    maximum_slash: Annotated[str, typer.Option(help="The most that one miss costs, up to 50%.")] = "16%",
    misses_to_jail: Annotated[
        int, typer.Option(min=1, max=100, help="Misses in a row after which a node leaves the committee.")
    ] = 3,
    jail_epochs: Annotated[int, typer.Option(min=1, max=1000, help="For how long it stays out.")] = 14,
    bounty: Annotated[
        str, typer.Option(help="What of a slash the reporter gets, up to 50%; the rest is burned.")
    ] = "10%",
    seed_delay_blocks: Annotated[
        int, typer.Option(min=1, max=200, help="Blocks between a custody window's opening and its seed.")
    ] = 4,
    maximum_request_age_seconds: Annotated[
        int, typer.Option(min=1, max=3600, help="Oldest block at which agents decide who may use data.")
    ] = 120,
    minimum_notice_seconds: Annotated[int, typer.Option(min=0, help="Shortest notice with which policies change.")] = 24
    * 3600,
    protocol: Annotated[str, typer.Option(help="What is burned of a revenue pool's income, up to 10%.")] = "2.5%",
    close_delay_seconds: Annotated[
        int, typer.Option(min=1, help="For how long a read channel that closes still pays vouchers.")
    ] = 24 * 3600,
    tip: Annotated[str, typer.Option(help="What a node gets of a voucher that it redeems, up to 5%.")] = "1%",
    draw_seconds: Annotated[
        int | None,
        typer.Option(min=1, help="For how long a job may be drawn; 600, or half an epoch, when none."),
    ] = None,
    commit_seconds: Annotated[
        int | None, typer.Option(min=1, help="For how long nodes run a job; 600, or half an epoch, when none.")
    ] = None,
    reveal_seconds: Annotated[
        int | None,
        typer.Option(min=1, help="For how long they show results; 300, or half an epoch, when none."),
    ] = None,
    window_blocks: Annotated[
        int | None,
        typer.Option(
            min=1, max=50_000, help="Blocks that running and showing have at least; as of 12 seconds each, when none."
        ),
    ] = None,
    wrong: Annotated[str, typer.Option(help="What a node loses whose result most contradict, up to 50%.")] = "5%",
    absent: Annotated[str, typer.Option(help="What a node loses that lets a job wait.")] = "0.2%",
    minimum_job_fee: Annotated[
        str, typer.Option(help="The least that a job pays for each node that runs it.")
    ] = "0.01 WAL",
    save: Annotated[Path | None, typer.Option(help="Also write the deployment file here.")] = None,
    wallet: WalletName = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Create a new network's contracts and make it known. The wallet gets all the WAL and forms the committee."""
    from walrus_chain.chain.deploy import DeploymentParameters

    out = session.output(json)
    parameters = DeploymentParameters(
        shards=shards,
        epoch_seconds=epoch_seconds,
        supply=parse_amount(supply),
        sync_seconds=sync_seconds,
        minimum_stake=parse_amount(minimum_stake),
        unbonding_epochs=unbonding_epochs,
        maximum_commission_bps=parse_bps(maximum_commission),
        unit_bytes=unit_bytes,
        unit_price=parse_amount(unit_price),
        write_fee=parse_amount(write_fee),
        maximum_epochs=maximum_epochs,
        burn_bps=parse_bps(burn),
        samples=samples,
        first_slash_bps=parse_bps(first_slash),
        maximum_slash_bps=parse_bps(maximum_slash),
        misses_to_jail=misses_to_jail,
        jail_epochs=jail_epochs,
        bounty_bps=parse_bps(bounty),
        seed_delay_blocks=seed_delay_blocks,
        maximum_request_age_seconds=maximum_request_age_seconds,
        minimum_notice_seconds=minimum_notice_seconds,
        protocol_bps=parse_bps(protocol),
        close_delay_seconds=close_delay_seconds,
        tip_bps=parse_bps(tip),
        draw_seconds=draw_seconds,
        commit_seconds=commit_seconds,
        reveal_seconds=reveal_seconds,
        window_blocks=window_blocks,
        wrong_bps=parse_bps(wrong),
        absent_bps=parse_bps(absent),
        minimum_job_fee=parse_amount(minimum_job_fee),
    )
    if name in session.home().networks():
        raise NameTaken("network", name)
    account = session.unlock(session.home().wallet(wallet), password_file)
    deployment = asyncio.run(_deploy(rpc, account, parameters, name))
    _remember(name, rpc, deployment, replace=False)
    if save is not None:
        deployment.save(save)
    out.result(
        {"network": name, **deployment.as_data()},
        render.lines(
            f"{name} is deployed on chain {deployment.chain_id}",
            [*deployment.contracts.items(), ("First block", deployment.block)],
        ),
    )


@contracts.command()
def build(
    project: Annotated[Path, typer.Option(help="Folder of the project.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Only say whether the artifacts are fresh.")] = False,
    json: Json = False,
) -> None:
    """Compile the contracts, and write the artifacts and the Solidity for policies that this package carries."""
    from walrus_chain.chain import build as building
    from walrus_chain.chain import policy_sources

    out = session.output(json)
    root = building.find_project(project.resolve())
    if check:
        stale = [*building.stale_parts(root), *policy_sources.stale_sources(root)]
        out.result({"stale": stale}, "\n".join([*stale, "run `walrus contracts build`"]) if stale else "fresh")
        if stale:
            raise typer.Exit(FAILURE)
        return
    artifacts = building.compile_contracts(root)
    building.write_artifacts(root, artifacts)
    policy_sources.write_sources(root)
    sizes = {artifact.name: len(artifact.bytecode) // 2 - 1 for artifact in artifacts}
    out.facts(sizes, ((name, f"{size:,} bytes of creation code") for name, size in sizes.items()))


async def _look(rpc: list[str], deployment: Deployment) -> None:
    from walrus_chain.chain.deploy import check_deployment
    from walrus_chain.chain.network import Chain

    async with Chain.connect(rpc, deployment) as chain:
        await check_deployment(chain.provider, deployment)


async def _deploy(rpc: list[str], account: LocalAccount, parameters: DeploymentParameters, name: str) -> Deployment:
    from walrus_chain.chain.deploy import deploy
    from walrus_chain.chain.provider import ChainProvider

    provider = ChainProvider(rpc)
    try:
        return await deploy(provider, account, parameters, name=name)
    finally:
        await provider.aclose()


def _remember(name: str, rpc: list[str], deployment: Deployment, *, replace: bool) -> None:
    from walrus_chain.client.home import Network

    session.home().add_network(Network(name, tuple(rpc), deployment), replace=replace)
