"""Agents redeem, anchor, settle and erase by themselves: when it is worth it, once, and through failures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage_agent.act.collector import Collector, Duty
from storage_agent.keys.journal import root_of
from storage_agent.state.collecting import CollectingRules, Owed, redeem_at, share_of, to_redeem
from storage_agent.state.keeping import Rules
from tests.fakes.access_chain import FakeAccessChain, FakeAccessHand, verdict
from tests.fakes.key_desk import CONFIRMATIONS, EPOCH_SECONDS, Bench, epoch_at, epoch_start
from walrus_chain.errors import NotEnoughGasMoney, RpcUnavailable
from walrus_chain.types import BlobObjectId, Epoch, NodeId, Wei

OBJECT = BlobObjectId(1)
CHANNEL, POOL, PRICE, DEPOSIT = 3, 7, 100, 1000
MINIMUM, CLOSE_DELAY = Wei(300), 600
#: Blocks in which keys are looked at once.
LOOKS_AN_ERASURE = 13


class Agent:
    """One node's desk with the collector that looks after it."""

    def __init__(self, chain: FakeAccessChain, folder: Path, node: int = 1) -> None:
        self.chain = chain
        self.bench = Bench(chain, folder, NodeId(node))
        self.hand = FakeAccessHand(chain)
        self.quiet = self.expensive = False
        self.sequence = 0
        self.rules = CollectingRules(Rules(NodeId(node), EPOCH_SECONDS), MINIMUM, CLOSE_DELAY)
        self.collector = self.fresh()

    def fresh(self, *, acts: bool = True) -> Collector:
        """A collector that remembers nothing."""

        async def too_expensive() -> bool:
            return self.expensive

        return Collector(
            self.rules,
            self.bench.ledger,
            self.chain,
            self.hand,
            epoch_at,
            epoch_start,
            root_of,
            self.bench.desk.erasable.destroy,
            lambda: self.quiet,
            too_expensive,
            self.bench.metrics,
            confirmations=CONFIRMATIONS,
            minimum_settle=MINIMUM,
            acts=acts,
        )

    async def sell(self, uses: int = 1, channel: int = CHANNEL) -> None:
        """Uses that are paid by vouchers of a channel."""
        for _ in range(uses):
            self.sequence += 1
            reader = self.bench.reader
            voucher = reader.voucher(channel, self.sequence * PRICE, PRICE, blob_object=OBJECT, sequence=self.sequence)
            await self.bench.ask(blob_object=OBJECT, sequence=self.sequence, voucher=voucher)

    async def look(self, blocks: int = 1) -> None:
        """Look after so many blocks."""
        for _ in range(blocks):
            self.chain.mine()
            await self.collector.look()

    @property
    def redeemed(self) -> Wei:
        """What the channel paid."""
        return self.chain.now.channels[CHANNEL].redeemed


@pytest.fixture
def chain() -> FakeAccessChain:
    made = FakeAccessChain()
    made.now.rules = {OBJECT: verdict(price=PRICE, pool=POOL)}
    made.mine()
    return made


@pytest.fixture
def agent(chain: FakeAccessChain, tmp_path: Path) -> Iterator[Agent]:
    made = Agent(chain, tmp_path)
    chain.open_channel(CHANNEL, made.bench.reader.wallet.address, POOL, DEPOSIT)
    chain.mine(CONFIRMATIONS + 1)
    yield made
    made.bench.stop()


def blocks_of(seconds: float) -> int:
    """Blocks that take at least so long."""
    return int(seconds // 12) + 2


# -- vouchers --------------------------------------------------------------------------------------------------------


async def test_redeem__less_than_it_is_worth__waits_for_more(agent: Agent) -> None:
    await agent.sell(2)
    await agent.look(blocks_of(agent.rules.keeping.span))
    assert agent.redeemed == 0

    await agent.sell()
    await agent.look(blocks_of(agent.rules.keeping.span))
    assert agent.redeemed == 3 * PRICE
    [[promise]] = agent.hand.redeemed
    assert (promise.channel, promise.cumulative) == (CHANNEL, 3 * PRICE)


async def test_redeem__done__not_asked_about_again_once_confirmed(agent: Agent) -> None:
    await agent.sell(3)
    await agent.look(blocks_of(agent.rules.keeping.span))
    await agent.look(CONFIRMATIONS + 1)

    assert agent.bench.ledger.promises() == []
    assert len(agent.hand.redeemed) == 1


async def test_redeem__reorganised_away__redeemed_again(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell(3)
    while not agent.redeemed:
        await agent.look()
    chain.undo(1)
    assert agent.redeemed == 0

    await agent.look(blocks_of(agent.rules.keeping.span))
    assert agent.redeemed == 3 * PRICE


async def test_redeem__channel_closes__in_any_case_and_in_time(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell()
    closes_at = chain.head_block.timestamp + CLOSE_DELAY
    chain.change_channel(CHANNEL, closes_at=closes_at)
    agent.expensive = agent.quiet = True
    while not agent.redeemed:
        await agent.look()

    assert chain.head_block.timestamp < closes_at - CLOSE_DELAY // 2


async def test_redeem__what_can_wait__waits_for_proofs_and_for_cheap_gas(agent: Agent) -> None:
    await agent.sell(5)
    agent.quiet = True
    await agent.look(blocks_of(agent.rules.keeping.span))
    agent.quiet, agent.expensive = False, True
    await agent.look(5)
    assert agent.redeemed == 0

    agent.expensive = False
    await agent.look()
    assert agent.redeemed == 5 * PRICE


async def test_redeem__several_agents_hold_the_same_voucher__one_sends(chain: FakeAccessChain, tmp_path: Path) -> None:
    agents = [Agent(chain, tmp_path, node) for node in range(1, 6)]
    chain.open_channel(CHANNEL, agents[0].bench.reader.wallet.address, POOL, DEPOSIT)
    chain.mine(CONFIRMATIONS + 1)
    for agent in agents:
        await agent.sell(4)
    for _ in range(blocks_of(agents[0].rules.keeping.span)):
        chain.mine()
        for agent in agents:
            await agent.collector.look()

    assert sum(len(agent.hand.redeemed) for agent in agents) == 1
    for agent in agents:
        agent.bench.stop()


async def test_redeem__fails__tried_again_later_each_time_and_other_duties_go_on(
    agent: Agent, chain: FakeAccessChain, caplog: pytest.LogCaptureFixture
) -> None:
    await agent.sell(3)
    chain.mine(1, EPOCH_SECONDS)
    agent.hand.failures = [NotEnoughGasMoney("0xa1", "it has nothing")] + [RpcUnavailable("eth_call", {})] * 2
    await agent.look(blocks_of(3 * agent.rules.keeping.span))

    assert agent.redeemed == 3 * PRICE
    assert agent.collector.problems == []
    assert agent.bench.metrics.value("walrus_agent_transaction_failures_total", {"action": "redeem"}) is not None
    assert "send the chain's own currency" in caplog.text
    assert (NodeId(1), Epoch(1)) in chain.now.roots


async def test_redeem__closed_before__given_up(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell(3)
    chain.change_channel(CHANNEL, closed=True, redeemed=Wei(0))
    await agent.look(blocks_of(CLOSE_DELAY / 12) + CONFIRMATIONS)

    assert agent.bench.ledger.promises() == []
    assert agent.hand.redeemed == []


async def test_redeem__endpoint_lags_behind_the_channel__kept(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell(3)
    del chain.now.channels[CHANNEL]
    await agent.look(CONFIRMATIONS + 2)

    assert len(agent.bench.ledger.promises()) == 1


def test_batch__once_something_is_due__others_go_along_for_half() -> None:
    rules = CollectingRules(Rules(NodeId(1), EPOCH_SECONDS), MINIMUM, CLOSE_DELAY)
    owed = [Owed(number, Wei(1000), Wei(worth), 0) for number, worth in enumerate((300, 150, 149, 0), 1)]
    since = dict.fromkeys((1, 2, 3, 4), 0.0)
    moment = redeem_at(owed[0], 0.0, rules)
    assert moment is not None

    assert to_redeem(owed, since, rules, moment - 0.1, closing_only=False) == []
    assert [one.channel for one in to_redeem(owed, since, rules, moment, closing_only=False)] == [1, 2]
    closing = replace(owed[2], closes_at=5)
    assert to_redeem([owed[0], closing], since, rules, 1000.0, closing_only=True) == [closing]


def test_waits__of_a_hundred_nodes__spread() -> None:
    shares = sorted(share_of(NodeId(node), "redeem:1:300") for node in range(100))

    assert shares[0] < 0.05
    assert shares[-1] > 0.95


# -- receipts --------------------------------------------------------------------------------------------------------


async def test_anchor__epoch_over__root_of_its_receipts_once(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell(2)
    chain.mine(1, EPOCH_SECONDS)
    await agent.look(blocks_of(agent.rules.keeping.span))

    assert chain.now.roots == {(NodeId(1), Epoch(1)): root_of(agent.bench.ledger.digests(Epoch(1)))}
    assert agent.bench.ledger.to_anchor() == []
    assert agent.bench.metrics.value("walrus_agent_anchored_epochs_total") == 1


async def test_anchor__reorganised_away__anchored_again(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell()
    chain.mine(1, EPOCH_SECONDS)
    while not chain.now.roots:
        await agent.look()
    chain.undo(1)
    agent.collector = agent.fresh()

    await agent.look(blocks_of(agent.rules.keeping.span))
    assert len(chain.now.roots) == 1


async def test_anchor__another_root_is_there__said_and_later_epochs_are_anchored_all_the_same(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.sell()
    chain.mine(1, EPOCH_SECONDS)
    chain.now.roots[NodeId(1), Epoch(1)] = b"\7" * 32
    await agent.sell()
    chain.mine(1, EPOCH_SECONDS)
    await agent.look(blocks_of(4 * agent.rules.keeping.span))

    [problem] = agent.collector.problems
    assert problem.startswith(f"{Duty.ANCHOR}: for epoch 1")
    assert (NodeId(1), Epoch(2)) in chain.now.roots


# -- pools -----------------------------------------------------------------------------------------------------------


async def test_settle__pools_that_were_paid_in_epochs_that_are_over(agent: Agent, chain: FakeAccessChain) -> None:
    await agent.sell()
    chain.now.owed_to_nodes[POOL] = MINIMUM
    await agent.look(5)
    assert agent.hand.settled == []

    chain.mine(1, EPOCH_SECONDS)
    await agent.look(blocks_of(agent.rules.keeping.span))
    assert agent.hand.settled == [POOL]


async def test_settle__too_little__waits_and_somebody_else_did_it__is_forgotten(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.sell()
    chain.now.owed_to_nodes[POOL] = Wei(MINIMUM - 1)
    chain.mine(1, EPOCH_SECONDS)
    await agent.look(blocks_of(agent.rules.keeping.span))
    assert (agent.hand.settled, agent.bench.ledger.incomes(Epoch(2))) == ([], [POOL])

    chain.now.owed_to_nodes[POOL] = Wei(0)
    chain.mine(1, EPOCH_SECONDS)
    await agent.look(blocks_of(agent.rules.keeping.span))
    assert (agent.hand.settled, agent.bench.ledger.incomes(Epoch(3))) == ([], [])


async def test_settle__many_pools_that_owe_little__hold_up_no_other(agent: Agent, chain: FakeAccessChain) -> None:
    for pool in range(1, 20):
        chain.now.rules[OBJECT] = verdict(price=PRICE, pool=pool)
        chain.open_channel(100 + pool, agent.bench.reader.wallet.address, pool, DEPOSIT)
        chain.mine(CONFIRMATIONS + 1)
        agent.sequence = pool - 1
        chain.now.owed_to_nodes[pool] = Wei(1)
        voucher = agent.bench.reader.voucher(100 + pool, PRICE, PRICE, blob_object=OBJECT, sequence=1000 + pool)
        await agent.bench.ask(blob_object=OBJECT, sequence=1000 + pool, voucher=voucher)
    chain.now.owed_to_nodes[19] = MINIMUM
    chain.mine(1, EPOCH_SECONDS)
    await agent.look(blocks_of(agent.rules.keeping.span))

    assert agent.hand.settled == [19]


async def test_redeem__channel_that_owes_little__asked_about_in_time_for_its_closing_only(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.sell()
    await agent.look(10)
    assert chain.looks_at_channels < 10

    chain.change_channel(CHANNEL, closes_at=chain.head_block.timestamp + CLOSE_DELAY)
    await agent.look(CLOSE_DELAY // 2 // 12)
    assert agent.redeemed == PRICE


# -- keys of objects that are to be erased ---------------------------------------------------------------------------


async def test_erase__when_its_time_is_confirmed__destroyed_then_attested_once(
    agent: Agent, chain: FakeAccessChain
) -> None:
    key = await agent.bench.desk.erasable.make(OBJECT)
    file = agent.bench.folder / "keys1" / "erasable" / str(OBJECT)
    chain.now.destroy_times[OBJECT] = chain.head_block.timestamp + 100
    chain.mine()
    await agent.look(100 // 12)
    assert file.exists()

    await agent.look(CONFIRMATIONS + LOOKS_AN_ERASURE)
    assert not file.exists()
    assert [(node, number) for node, number, _ in chain.now.destroyed] == [(NodeId(1), OBJECT)]
    assert key.public.data


async def test_erase__attestation_fails__key_is_gone_all_the_same_and_it_is_said_later(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.bench.desk.erasable.make(OBJECT)
    chain.now.destroy_times[OBJECT] = 1
    chain.mine(CONFIRMATIONS + 1)
    agent.hand.failures = [RpcUnavailable("eth_sendRawTransaction", {})]
    await agent.look()
    assert not (agent.bench.folder / "keys1" / "erasable" / str(OBJECT)).exists()
    assert chain.now.destroyed == []

    agent.bench.restart()
    agent.collector = agent.fresh()
    await agent.look()
    assert len(chain.now.destroyed) == 1


async def test_erase__attestations_fail__other_keys_are_destroyed_all_the_same(
    agent: Agent, chain: FakeAccessChain
) -> None:
    for number in (1, 2, 3):
        await agent.bench.desk.erasable.make(BlobObjectId(number))
        chain.now.destroy_times[BlobObjectId(number)] = 1
    chain.mine(CONFIRMATIONS + 1)
    agent.hand.failures = [RpcUnavailable("eth_sendRawTransaction", {})] * 100
    await agent.look()

    assert list((agent.bench.folder / "keys1" / "erasable").iterdir()) == []
    assert [problem.partition(":")[0] for problem in agent.collector.problems] == [Duty.ATTEST]


async def test_erase__killed_between_note_and_deed__done_before_it_is_attested(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.bench.desk.erasable.make(OBJECT)
    await agent.bench.ledger.note_destroyed(OBJECT, 1.0)
    await agent.look()

    assert list((agent.bench.folder / "keys1" / "erasable").iterdir()) == []
    assert len(chain.now.destroyed) == 1


async def test_erase__operator_wants_nothing_sent__keys_are_destroyed_all_the_same(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.bench.desk.erasable.make(OBJECT)
    chain.now.destroy_times[OBJECT] = 1
    await agent.sell(10)
    chain.mine(CONFIRMATIONS + 1)
    agent.collector = agent.fresh(acts=False)
    await agent.look(blocks_of(agent.rules.keeping.span))

    assert list((agent.bench.folder / "keys1" / "erasable").iterdir()) == []
    assert (chain.now.destroyed, agent.redeemed) == ([], 0)


async def test_erase__gas_is_dear__key_is_gone_and_strangers_who_had_it_made_cost_nothing(
    agent: Agent, chain: FakeAccessChain
) -> None:
    await agent.bench.desk.erasable.make(OBJECT)
    chain.now.destroy_times[OBJECT] = 1
    chain.mine(CONFIRMATIONS + 1)
    agent.expensive = True
    await agent.look(3)
    assert list((agent.bench.folder / "keys1" / "erasable").iterdir()) == []
    assert chain.now.destroyed == []

    agent.expensive = False
    await agent.look()
    assert len(chain.now.destroyed) == 1


async def test_erase__never_or_policy_that_does_not_answer__kept(agent: Agent, chain: FakeAccessChain) -> None:
    for number, time in ((BlobObjectId(1), 0), (BlobObjectId(2), 2**64 - 1)):
        await agent.bench.desk.erasable.make(number)
        chain.now.destroy_times[number] = time
    chain.mine(CONFIRMATIONS + 1)
    await agent.look(3)

    assert chain.now.destroyed == []
    assert len(agent.bench.ledger.erasables_left(BlobObjectId(0), 10)) == 2


async def test_erase__strangers_had_keys_made_for_all_objects__vouchers_are_redeemed_meanwhile(
    agent: Agent, chain: FakeAccessChain
) -> None:
    numbers = [BlobObjectId(number) for number in range(1, 1001)]
    await asyncio.gather(*(agent.bench.ledger.add_erasable(number, b"k" * 96) for number in numbers))
    chain.now.destroy_times[numbers[-1]] = 1
    chain.mine(CONFIRMATIONS + 1)
    looks = 0
    while not chain.now.destroyed:
        before = chain.looks_at_keys
        await agent.look()
        looks += 1
        assert chain.looks_at_keys - before <= 4, "one look took all of them"
    assert looks == 3


async def test_erase__one_object_cannot_be_asked_about__other_keys_are_destroyed_all_the_same(
    agent: Agent, chain: FakeAccessChain
) -> None:
    numbers = [BlobObjectId(number) for number in range(1, 202)]
    await asyncio.gather(*(agent.bench.ledger.add_erasable(number, b"k" * 96) for number in numbers))
    chain.unanswerable = {numbers[0]}
    chain.now.destroy_times[numbers[-1]] = 1
    chain.mine(CONFIRMATIONS + 1)
    await agent.look(LOOKS_AN_ERASURE)

    assert [number for _, number, _ in chain.now.destroyed] == [numbers[-1]]
