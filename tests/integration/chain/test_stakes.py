"""What delegators and operators do with stake, on a real chain whose clock is moved."""

from __future__ import annotations

import pytest

from storage_agent.cli.findings import DUTY_GAS, chain_standing
from storage_agent.cli.operator import Operator
from storage_agent.cli.standing import Custody, read_standing
from tests.integration.chain.local import ALICE, PARAMETERS, WAL, LocalNetwork
from walrus_chain.chain.economy import Prices
from walrus_chain.chain.economy_rejections import (
    CommissionTooHigh,
    NodeServing,
    NothingDue,
    NothingEarned,
    StakeNotYours,
    StakeTooSmall,
    StillJailed,
)
from walrus_chain.chain.stakes import NoSuchNode, NothingStaked, Source
from walrus_chain.client.client import Client
from walrus_chain.types import Epoch, NodeId, Wei

pytestmark = pytest.mark.integration
NODE = NodeId(1)


async def go_to(network: LocalNetwork, epoch: int, part: float) -> None:
    """Moves the clock to a place in an epoch, from 0 to 1."""
    parameters = await network.chain.parameters()
    moment = parameters.start_of(Epoch(epoch)) + int(part * PARAMETERS.epoch_seconds)
    await network.rpc("evm_setNextBlockTimestamp", hex(moment))
    await network.rpc("evm_mine")


async def earn(network: LocalNetwork, epoch: int) -> None:
    """An epoch in which all pass, since there is nothing to ask about; ends with it."""
    await go_to(network, epoch, 0.3)
    await network.deployer.open_window()
    await go_to(network, epoch + 1, 0.1)


def client_of(network: LocalNetwork) -> Client:
    """Alice's client."""
    return Client.connect([network.url], network.chain.deployment, account=ALICE)


def operator(network: LocalNetwork, node_id: NodeId = NODE) -> Operator:
    """The account that operates all nodes."""
    return Operator(network.chain, network.deployer, node_id)


async def test_delegator__from_staking_to_the_last_payout__gets_all_of_it(network: LocalNetwork) -> None:
    async with client_of(network) as client:
        before = (await network.chain.balances(network.alice.address)).wal
        staked = await client.stake.add(NODE, Wei(500 * WAL))
        assert staked.active_from == 2
        with pytest.raises(NothingStaked):
            await client.stake.remove(NODE)
        registered = await network.register(epochs=10)

        await earn(network, 1)
        await earn(network, 2)
        settled = await client.stake.settle(NODE)
        assert (settled.before, settled.now) == (0, 3)
        [stake] = await client.stake.list()
        assert (stake.node.name, stake.delegation.principal, stake.settled) == ("node 0", 500 * WAL, 3)
        assert stake.delegation.gain > 0

        claimed = await client.stake.claim()
        assert claimed.paid == claimed.total(Source.REWARDS) > 0
        with pytest.raises(NothingEarned):
            await client.stake.claim(NODE)
        with pytest.raises(StakeTooSmall):
            await client.stake.remove(NODE, Wei(501 * WAL))
        part = await client.stake.remove(NODE, Wei(200 * WAL))
        rest = await client.stake.remove(NODE)
        assert (part.release, rest.release) == (3 + PARAMETERS.unbonding_epochs,) * 2
        assert abs(part.amount - 200 * WAL) <= 2
        with pytest.raises(NothingDue):
            await client.stake.withdraw()

        await go_to(network, part.release, 0.1)
        paid = await client.stake.withdraw()
        assert paid.total(Source.STAKE) == paid.paid
        assert 0 <= 500 * WAL - paid.paid <= 4
        assert await client.stake.list() == ()
        after = (await network.chain.balances(network.alice.address)).wal
        assert after == before - registered.paid - 500 * WAL + claimed.paid + paid.paid


async def test_bad_input__is_refused_with_words(network: LocalNetwork) -> None:
    async with client_of(network) as client:
        with pytest.raises(NoSuchNode, match="nodes 1 to 10"):
            await client.stake.add(NodeId(11), Wei(1))
        with pytest.raises(NothingStaked):
            await client.stake.remove(NODE, Wei(1))
    stranger = Operator(network.chain, network.alice, NODE)
    for call in (stranger.stake(Wei(1)), stranger.commission(100), stranger.exit(), stranger.unjail()):
        with pytest.raises(StakeNotYours):
            await call
    with pytest.raises(CommissionTooHigh):
        await operator(network).commission(PARAMETERS.maximum_commission_bps + 1)
    with pytest.raises(StillJailed):
        await operator(network).unjail()


async def test_operator__commission_and_rewards__are_each_paid(network: LocalNetwork) -> None:
    changed = await operator(network).commission(1_000)
    assert (changed.before_bps, changed.commission_bps, changed.since) == (0, 1_000, 3)
    await network.register(epochs=10)
    for epoch in (1, 2, 3):
        await earn(network, epoch)

    payout = await operator(network).claim()

    rewards, commission = payout.total(Source.REWARDS), payout.total(Source.COMMISSION)
    earned = [await network.chain.economy.reward_of(NODE, Epoch(epoch)) for epoch in (1, 2, 3)]
    assert commission == earned[-1] * 1_000 // 10_000
    assert 0 <= sum(earned) - rewards - commission <= 3
    assert payout.paid == rewards + commission


async def test_operator__far_behind__is_settled_on_the_way(network: LocalNetwork) -> None:
    said: list[str] = []
    await network.register(epochs=10)
    await earn(network, 1)
    await go_to(network, 60, 0.1)

    await Operator(network.chain, network.deployer, NODE, said.append).claim()

    assert [line for line in said if line.startswith("Settling")] == [
        "Settling node 1 up to epoch 32 of 60",
        "Settling node 1 up to epoch 60 of 60",
    ]


async def test_operator__leaves__and_gets_its_stake_when_it_does_not_serve(network: LocalNetwork) -> None:
    departure = await operator(network).exit()
    assert (departure.leaving.amount, departure.serves_until) == (1_000 * WAL, 2)
    assert departure.withdraw_from == departure.leaving.release == 1 + PARAMETERS.unbonding_epochs

    await go_to(network, departure.withdraw_from, 0.1)
    with pytest.raises(NodeServing):
        await operator(network).withdraw()
    await network.deployer.select_committee()
    await network.deployer.advance_epoch()
    assert not (await operator(network).node()).serving
    assert (await operator(network).withdraw()).paid == 1_000 * WAL


async def test_operator__stakes_again_after_leaving__stands_again(network: LocalNetwork) -> None:
    await operator(network).exit()
    await network.deployer.dismiss(NODE)

    too_little = await operator(network).stake(Wei(999 * WAL))
    assert not too_little.candidate
    assert "1,000 WAL are needed" in str(too_little.why_not)
    enough = await operator(network).stake(Wei(1 * WAL))
    assert (enough.candidate, enough.why_not, enough.own_stake) == (True, None, 1_000 * WAL)


async def test_votes__are_shown_and_counted(network: LocalNetwork) -> None:
    price = Wei(2 * PARAMETERS.unit_price)
    for node in range(1, 11):
        vote, _ = await operator(network, NodeId(node)).vote(price, None)
        assert vote == Prices(price, PARAMETERS.write_fee)
    await go_to(network, 1, 0.6)
    async with client_of(network) as client:
        assert (await client.prices()).preview.unit_price == price
        await network.deployer.tally_prices()
        report = await client.prices()
    assert (report.today.unit_price, report.next.unit_price) == (PARAMETERS.unit_price, price)
    assert {item.vote for item in report.votes} == {Prices(price, PARAMETERS.write_fee)}


async def test_epoch_and_committee__as_the_chain_has_them(network: LocalNetwork) -> None:
    async with client_of(network) as client:
        first = await client.epoch()
        assert not first.window.opened
        assert (first.times.opens, first.times.until) == (first.parameters.epoch_start + 250, first.cut)
        assert first.times.closes == first.parameters.epoch_start + 750
        await go_to(network, 1, 0.3)
        await network.deployer.open_window()
        await go_to(network, 1, 0.6)
        await network.deployer.select_committee()
        second = await client.epoch()
        committee = await client.committee()
    assert (second.window.opened, second.window.empty, second.next_selected) == (True, True, True)
    assert sum(committee.regions.values()) == 10
    assert [len(member.shards) for member in committee.members] == [1] * 10


async def test_standing__of_a_node_that_does_its_duty__is_fine(network: LocalNetwork) -> None:
    await earn(network, 1)
    await network.deployer.settle(NODE, 5)

    standing = await read_standing(network.chain, NODE)

    assert standing.custody is Custody.NOT_OPENED
    assert [finding.what for finding in chain_standing(standing) if not finding.fine] == []
    assert standing.as_data()["settled"] == 2


async def test_gas__of_the_duties_here__is_within_what_the_doctor_reckons(network: LocalNetwork) -> None:
    used = {}
    await go_to(network, 1, 0.3)
    used["openWindow"] = (await network.deployer.open_window()).gas_used
    await go_to(network, 1, 0.6)
    used["tally"] = (await network.deployer.tally_prices()).gas_used
    used["selectCommittee"] = (await network.deployer.select_committee()).gas_used
    await go_to(network, 2, 0.1)
    used["advanceEpoch"] = (await network.deployer.advance_epoch()).gas_used
    used["settle"] = (await network.deployer.settle(NODE, 1)).gas_used
    used["burnUnearned"] = (await network.deployer.burn_unearned(1)).gas_used

    assert {name: gas for name, gas in used.items() if gas > DUTY_GAS[name]} == {}, used
