"""Who stakes with a node earns with it: what comes in is claimed, and the books are looked at."""

from __future__ import annotations

from typing import Final

from scripts.demonstration.stage import Stage
from scripts.demonstration.words import chapter, claim, say
from walrus_chain.chain.deploy import DEFAULT_SUPPLY
from walrus_chain.chain.events import Burned
from walrus_chain.chain.network import Chain
from walrus_chain.chain.sender import Sender
from walrus_chain.chain.stakes import Source, StakeDesk
from walrus_chain.client.client import Client
from walrus_chain.devnet.network import Devnet
from walrus_chain.types import WAL_DECIMALS, Address, Epoch, Wei, format_amount

_STAKE: Final = Wei(50_000 * 10**WAL_DECIMALS)
_COMMISSION_BPS: Final = 1_000


async def stake(devnet: Devnet, client: Client, place: int) -> None:
    """Somebody stakes with an agent's node, and its operator says what it keeps."""
    agent = devnet.agents[place]
    chapter(f"Somebody stakes {format_amount(_STAKE)} with {agent.name}")
    staked = await client.stake.add(agent.node_id, _STAKE)
    operator = devnet.home.agent_operator(agent.name).open()
    async with Chain.connect([devnet.rpc_url], devnet.deployment) as chain:
        await Sender(chain, operator).set_commission(agent.node_id, _COMMISSION_BPS)
    percent = _COMMISSION_BPS // 100
    say(f"it counts from epoch {staked.active_from} on; the operator keeps {percent} % of rewards soon after")


async def who_staked_is_paid(stage: Stage, place: int) -> None:
    """Operator and delegator claim what came in."""
    agent = stage.devnet.agents[place]
    chapter(f"{agent.name}'s operator and the one who staked with it claim what they earned")
    epoch = Epoch(await stage.epoch() - 1)
    income, shards = await stage.economy.income_of(epoch), (await stage.chain.parameters()).shards
    say(
        f"epoch {epoch} earned {format_amount(income.income)}: {format_amount(income.part)} for each of the "
        f"{income.passed_shards} of {shards} shards that were proved; the rest is burned"
    )
    operator = stage.devnet.home.agent_operator(agent.name).open()
    desk = StakeDesk(stage.chain, stage.economy, Sender(stage.chain, operator))
    before = (await stage.chain.balances(Address(operator.address))).wal
    paid = await desk.claim([agent.node_id], commission=True)
    rewards, commission = paid.total(Source.REWARDS), paid.total(Source.COMMISSION)
    say(f"operator: {format_amount(rewards)} on its own stake, {format_amount(commission)} of commission")
    after = (await stage.chain.balances(Address(operator.address))).wal
    claim(rewards > 0 and commission > 0 and after - before == paid.paid, "both are in the operator's wallet")
    payout = await stage.client.stake.claim(agent.node_id)
    say(f"who staked {format_amount(_STAKE)}: {format_amount(payout.total(Source.REWARDS))}")
    claim(payout.total(Source.REWARDS) > 0, "the delegator was paid, too; the stake goes on earning")


async def the_books(stage: Stage) -> None:
    """The vault holds what it owes, and WAL that is not there any more was burned."""
    chapter("The books: what the vault holds is what it owes, to the wei")
    books = await stage.economy.vault_books()
    for module, reserve in books.reserves.items():
        say(f"{module:<12}{int(reserve):>34,} wei")
    say(f"{'claims':<12}{int(books.claims):>34,} wei")
    say(f"{'vault':<12}{int(books.held):>34,} wei")
    claim(books.balanced and not books.free, "reserves and claims add up to the vault's balance")
    burned = sum(event.amount for event in await stage.events(Burned))
    supply = await stage.chain.call("WAL", "totalSupply")
    words = f"the supply and the {format_amount(Wei(burned))} that were burned are all the WAL there was"
    claim(supply + burned == DEFAULT_SUPPLY, words)
