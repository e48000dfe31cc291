"""The keeper does what is due through a chain that fails, refuses, costs money and forgets."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from storage_agent.act.keeper import Keeper, Standing, patience_for
from storage_agent.act.sweeping import find_removal
from storage_agent.observe import Metrics
from storage_agent.state.keeping import Action, Custody, Rules
from tests.fakes.duty_chain import DutyChain
from tests.fakes.hands import GAS, GAS_PRICE, Endpoint, Hand
from walrus_chain.chain.economy_rejections import AlreadyProved, PoolBehind, SeedTooEarly
from walrus_chain.errors import NotEnoughGasMoney, RpcUnavailable, TransactionPending
from walrus_chain.types import BlobObjectId, Epoch, NodeId, ShardIndex

ME = NodeId(1)


@dataclass
class Agent:
    """One node's keeper with all that is around it."""

    endpoint: Endpoint
    node_id: NodeId = ME
    highest_gas_price: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    synced: bool = False
    unprovable: list[Exception] = field(default_factory=list)
    """What building the next proofs raises."""

    def __post_init__(self) -> None:
        self.hand = Hand(self.endpoint, self.node_id)
        self.keeper = self.fresh()

    def fresh(self) -> Keeper:
        """A keeper that remembers nothing."""
        return Keeper(
            Rules(self.node_id, self.endpoint.chain.epoch_seconds),
            self.endpoint,
            self.hand,
            self._prove,
            lambda: self.synced,
            self.endpoint.ask_gas_price,
            self.metrics,
            asyncio.get_running_loop().time,
            highest_gas_price=self.highest_gas_price,
        )

    async def _prove(self, epoch: Epoch) -> bytes:
        if self.unprovable:
            raise self.unprovable.pop(0)
        return b"proof of %d" % epoch

    def counted(self, name: str, **labels: str) -> float:
        """The value of a metric."""
        value = self.metrics.value(name, labels)
        assert value is not None
        return value


@asynccontextmanager
async def running(endpoint: Endpoint, *agents: Agent) -> AsyncIterator[None]:
    """Blocks come, and keepers act."""
    tasks = [asyncio.ensure_future(run()) for run in (endpoint.run, *(agent.keeper.run for agent in agents))]
    try:
        yield
        assert [task.exception() for task in tasks if task.done()] == []
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def endpoint() -> Endpoint:
    """Two nodes; epochs of an hour, blocks of two seconds."""
    return Endpoint(DutyChain(nodes=2, epoch_seconds=3600, block_seconds=2.0))


@pytest.fixture
def chain(endpoint: Endpoint) -> DutyChain:
    """The chain behind the endpoint."""
    return endpoint.chain


def actions(chain: DutyChain) -> Counter[Action]:
    """How often each was accepted."""
    return Counter(task.action for _, _, task in chain.accepted)


# -- all is well -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("epoch_seconds", "block_seconds"), [(20, 0.5), (3600, 2.0)])
async def test_run__two_agents_three_epochs__all_done_one_of_a_kind_at_a_time(
    epoch_seconds: int, block_seconds: float
) -> None:
    endpoint = Endpoint(DutyChain(nodes=2, epoch_seconds=epoch_seconds, block_seconds=block_seconds))
    chain = endpoint.chain
    agents = [Agent(endpoint, node) for node in chain.nodes]
    async with running(endpoint, *agents):
        await endpoint.wait_until(chain.start(4))

    done = actions(chain)
    assert (done[Action.OPEN], done[Action.PROVE]) == (3, 6)
    assert (done[Action.SELECT], done[Action.ADVANCE], done[Action.TALLY]) == (3, 2, 3)
    assert agents[0].hand.proofs == [b"proof of 1", b"proof of 2", b"proof of 3"]
    assert all(set(agent.hand.most_at_once.values()) == {1} for agent in agents)
    assert all(agent.keeper.problems == [] for agent in agents)


async def test_run__proofs_and_books__counted(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.closes(2) + 100)

    assert agent.counted("walrus_agent_custody_windows_total", result="due") == 2
    assert agent.counted("walrus_agent_custody_windows_total", result="proved") == 2
    assert agent.counted("walrus_agent_custody_windows_total", result="missed") == 0
    assert agent.counted("walrus_agent_transactions_total", action="prove") == 2
    assert agent.counted("walrus_agent_gas_spent_total", action="prove") == pytest.approx(2 * GAS * GAS_PRICE / 1e18)
    assert agent.counted("walrus_agent_proof_seconds_count") == 2
    assert agent.counted("walrus_agent_proof_seconds_sum") < 2 * 3 * chain.block_seconds
    assert agent.counted("walrus_agent_rewards_wal_total") == 3.0
    assert agent.counted("walrus_agent_epoch") == 2
    assert agent.counted("walrus_agent_proof_due") == 0


async def test_standing__before_and_in_a_window(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    chain.state.pending[ME] = frozenset({ShardIndex(7), ShardIndex(2)})
    before = agent.keeper.standing
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.start(1) + 60)
        assert agent.keeper.standing == Standing(
            Epoch(1), Custody.NONE, chain.closes(1), (ShardIndex(2), ShardIndex(7))
        )
        agent.synced = True
        await endpoint.wait_until(chain.closes(1))

    standing = agent.keeper.standing
    assert standing is not None
    assert (standing.custody, standing.syncing) == (Custody.PROVED, ())
    assert before is None


async def test_report__the_other_node_missed__bounty_is_ours(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.start(2))

    assert chain.state.windows[Epoch(1)].reported == {2}
    assert agent.counted("walrus_agent_transactions_total", action="report") == 1


async def test_report__pool_of_the_other_node_was_not_settled_for_long__settled_first(
    endpoint: Endpoint, chain: DutyChain
) -> None:
    agent = Agent(endpoint)
    agent.hand.failures[Action.REPORT] = [PoolBehind(NodeId(2), Epoch(1), Epoch(100))]
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.start(2))

    assert chain.state.windows[Epoch(1)].reported == {2}
    assert [maximum for node, maximum in agent.hand.settled if node == 2] == [32] * 4, "99 epochs, 32 at a time"


async def test_sweep__objects_that_are_over__removed_in_descending_order(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    objects = [BlobObjectId(number) for number in range(1, 6)]
    endpoint.entries_by_class = {3: objects}
    endpoint.ends = dict(zip(objects, map(Epoch, (9, 1, 9, 0, 2)), strict=True))
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.start(2))

    assert agent.hand.swept == [(3, (3, 1))]


# -- what fails --------------------------------------------------------------------------------------------------------


async def test_run__others_are_faster__no_failure(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    agent.hand.failures = {Action.PROVE: [AlreadyProved(Epoch(1), ME)]}
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.closes(1))

    assert agent.keeper.problems == []
    assert agent.counted("walrus_agent_transaction_failures_total", action="prove") == 0


async def test_run__endpoints_fail_for_a_while__said_and_made_good(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    endpoint.outages = [RpcUnavailable("eth_call", {"http://a": "refused"}), KeyError("nonsense")] * 4
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.now + 2)
        assert "no RPC endpoint answered" in agent.keeper.problems[0]
        await endpoint.wait_until(chain.closes(1))

    assert agent.keeper.problems == []
    assert chain.state.windows[Epoch(1)].proved == {1}


@pytest.mark.parametrize(
    "error",
    [
        TransactionPending("0xabc", 300.0),
        SeedTooEarly(9, 8),
        RpcUnavailable("eth_sendRawTransaction", {"http://a": "refused"}),
        ZeroDivisionError("oops"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_run__proof_cannot_be_sent__tried_again_in_time(
    endpoint: Endpoint, chain: DutyChain, error: Exception
) -> None:
    agent = Agent(endpoint)
    agent.hand.failures = {Action.PROVE: [error] * 5}
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.closes(1))

    assert chain.state.windows[Epoch(1)].proved == {1}
    assert agent.counted("walrus_agent_transaction_failures_total", action="prove") == 5
    assert agent.counted("walrus_agent_custody_windows_total", result="missed") == 0


async def test_run__no_gas_money__says_which_account_to_fund_and_goes_on(
    endpoint: Endpoint, chain: DutyChain, caplog: pytest.LogCaptureFixture
) -> None:
    agent = Agent(endpoint)
    poor = NotEnoughGasMoney(agent.hand.address, "balance is 0")
    agent.hand.failures = {action: [poor] * 4 for action in (Action.OPEN, Action.PROVE)}
    with caplog.at_level(logging.ERROR):
        async with running(endpoint, agent):
            await endpoint.wait_until(chain.start(1) + 900 + 250)
            [problem] = agent.keeper.problems
            await endpoint.wait_until(chain.closes(1))

    assert f"send the chain's own currency to {agent.hand.address}" in problem
    assert agent.hand.address in caplog.text
    assert chain.state.windows[Epoch(1)].proved == {1}
    assert agent.keeper.problems == []


async def test_run__bytes_are_missing_all_the_time__missed_and_said(endpoint: Endpoint, chain: DutyChain) -> None:
    agent = Agent(endpoint)
    agent.unprovable = [RpcUnavailable("x", {})] * 1000
    async with running(endpoint, agent):
        await endpoint.wait_until(chain.closes(1) - 60)
        assert agent.counted("walrus_agent_proof_due") == 1
        assert agent.counted("walrus_agent_window_left_ratio") < 0.1
        assert agent.keeper.problems[0].startswith("prove: ")
        await endpoint.wait_until(chain.start(2))

    assert agent.counted("walrus_agent_custody_windows_total", result="due") == 1
    assert agent.counted("walrus_agent_custody_windows_total", result="missed") == 1
    assert agent.keeper.problems == []


async def test_run__gas_is_too_expensive__only_what_concerns_the_node_alone(
    endpoint: Endpoint, chain: DutyChain
) -> None:
    agent = Agent(endpoint, highest_gas_price=2 * GAS_PRICE)
    endpoint.gas_price = 3 * GAS_PRICE
    other = Agent(endpoint, NodeId(2))
    async with running(endpoint, agent, other):
        await endpoint.wait_until(chain.start(2))
        assert Counter(task.action for _, node, task in chain.accepted if node == ME) == {Action.PROVE: 1}
        endpoint.gas_price = GAS_PRICE
        await endpoint.wait_until(chain.start(3))

    assert agent.counted("walrus_agent_transactions_total", action="settle") > 0
    assert agent.counted("walrus_agent_transaction_failures_total", action="open") == 0


async def test_run__stopped_and_started_again_all_the_time__nothing_is_lost(chain: DutyChain) -> None:
    endpoint = Endpoint(DutyChain(nodes=1, epoch_seconds=20, block_seconds=0.5))
    agent = Agent(endpoint)
    async with AsyncExitStack() as stack:
        stack.callback(asyncio.ensure_future(endpoint.run()).cancel)
        for number in range(60):
            run = asyncio.ensure_future(agent.keeper.run())
            await asyncio.sleep(0.6 + number % 7 / 10)
            run.cancel()
            await asyncio.gather(run, return_exceptions=True)
            agent.keeper = agent.fresh()

    whole = range(1, endpoint.chain.epoch)
    assert all(endpoint.chain.state.windows[Epoch(epoch)].proved == {1} for epoch in whole)
    assert len(whole) >= 2
    # What was under way when it was stopped is not done a second time.
    assert actions(endpoint.chain)[Action.OPEN] == len(endpoint.chain.state.windows)


async def test_run__blocks_come_only_with_transactions__goes_on_waiting_and_acts(
    endpoint: Endpoint, chain: DutyChain
) -> None:
    agent = Agent(endpoint)
    chain.mine_until(chain.start(1) + 900)
    run = asyncio.ensure_future(agent.keeper.run())
    await asyncio.sleep(225)
    waiting = [sent.task.action for sent in chain.queue]
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)

    assert waiting == [Action.OPEN]


# -- pieces ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("epoch_seconds", "stuck"), [(86_400, 30.0), (3600, 30.0), (120, 6.0), (20, 1.0), (5, 0.5)])
def test_patience__short_epochs__bumped_sooner(epoch_seconds: int, stuck: float) -> None:
    patience = patience_for(epoch_seconds, 30.0)

    assert (patience.stuck_after, patience.give_up_after) == (stuck, 10 * stuck)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({}, 0.0, None),
        ({0: 3}, 0.99, (0, (2, 1, 0))),
        ({0: 3, 5: 500}, 0.0, (0, (2, 1, 0))),
        ({0: 3, 5: 500}, 0.01, (5, tuple(range(199, 149, -1)))),
        ({0: 3, 5: 500}, 0.99, (5, tuple(range(499, 449, -1)))),
        ({31: 1}, 0.5, (31, (0,))),
    ],
)
async def test_find_removal__page_by_share__the_last_of_it(
    endpoint: Endpoint, counts: dict[int, int], share: float, expected: tuple[int, tuple[int, ...]] | None
) -> None:
    numbers = iter(range(1, 1000))
    endpoint.entries_by_class = {place: _take(numbers, count) for place, count in counts.items()}
    endpoint.ends = {number: Epoch(2) for objects in endpoint.entries_by_class.values() for number in objects}

    removal = await find_removal(endpoint, Epoch(2), share)

    assert (removal and (removal.size_class, removal.indexes)) == expected
    assert await find_removal(endpoint, Epoch(1), share) is None


def _take(numbers: Iterable[int], count: int) -> list[BlobObjectId]:
    return [BlobObjectId(number) for _, number in zip(range(count), numbers, strict=False)]
