"""Triggers: fired when there is a reason, once, by one of many."""

from __future__ import annotations

from dataclasses import replace

from storage_agent.compute.triggers import TriggerFirer
from storage_agent.observe import Metrics
from storage_agent.state.jobs import NodeRules
from tests.fakes.computing import Computer
from tests.fakes.job_chain import COMMIT_SECONDS, DRAW_SECONDS, FEE, GENESIS, FakeJobChain, FakeJobHands, order
from tests.unit.agent.compute.conftest import MakeComputer
from walrus_chain.chain.compute_views import TriggerKind, TriggerTerms
from walrus_chain.errors import RpcUnavailable
from walrus_chain.types import Epoch, NodeId, Wei


def terms(kind: TriggerKind, *, epochs: int = 0, per_epoch: int = 1) -> TriggerTerms:
    """What a trigger does."""
    what = order(1) if kind is not TriggerKind.ON_CERTIFY else replace(order(1), inputs=())
    return TriggerTerms(kind, what, Wei(1000), epochs, per_epoch)


class Firing:
    """A node that fires triggers."""

    def __init__(self, chain: FakeJobChain, node: Computer, turn_seconds: float = 0.0) -> None:
        self.chain, self.node = chain, node
        self.metrics = Metrics()
        self.quiet = False
        self.firer = TriggerFirer(
            NodeRules(node.node_id, DRAW_SECONDS, COMMIT_SECONDS, turn_seconds),
            chain,
            FakeJobHands(chain, node.node_id),
            node.store,
            lambda time: Epoch(1 + (time - GENESIS) // 3600),
            lambda: chain.members,
            lambda: self.quiet,
            self.metrics,
            1.0,
        )

    async def look(self, times: int = 1) -> None:
        """See what there is, and fire."""
        for _ in range(times):
            head = await self.chain.head(0)
            counts = await self.chain.counts(head.hash)
            await self.node.store.note_seen(counts.jobs, counts.triggers, head.number)
            await self.firer.look()
            self.chain.mine()


async def test_on_certify__three_objects__each_once(chain: FakeJobChain, computer: MakeComputer) -> None:
    firing = Firing(chain, computer())
    trigger = chain.add_trigger(terms(TriggerKind.ON_CERTIFY, per_epoch=10))
    await firing.look()
    assert chain.state.fired == []
    chain.certified = [4, 5, 6]

    await firing.look(4)

    assert chain.state.fired == [(trigger, 4), (trigger, 5), (trigger, 6)]


async def test_on_certify__more_objects_than_an_epoch_takes__the_rest_in_the_next(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    firing = Firing(chain, computer())
    chain.add_trigger(terms(TriggerKind.ON_CERTIFY, per_epoch=2))
    chain.certified = [4, 5, 6]

    await firing.look(3)
    assert [subject for _, subject in chain.state.fired] == [4, 5]
    chain.pass_seconds(3600)
    await firing.look(3)

    assert [subject for _, subject in chain.state.fired] == [4, 5, 6]


async def test_every_epochs__fires_when_due(chain: FakeJobChain, computer: MakeComputer) -> None:
    firing = Firing(chain, computer())
    chain.add_trigger(terms(TriggerKind.EVERY_EPOCHS, epochs=2))

    await firing.look(3)
    assert len(chain.state.fired) == 1
    chain.pass_seconds(3600)
    await firing.look(2)
    assert len(chain.state.fired) == 1
    chain.pass_seconds(3600)
    await firing.look(2)

    assert len(chain.state.fired) == 2


async def test_on_payment__somebody_bought__once_for_that(chain: FakeJobChain, computer: MakeComputer) -> None:
    firing = Firing(chain, computer())
    trigger = chain.add_trigger(terms(TriggerKind.ON_PAYMENT))
    chain.bought = {0xE9: 1}

    await firing.look(3)

    assert chain.state.fired == [(trigger, 0xE9)]


async def test_fire__balance_is_used_up__nothing_is_sent(chain: FakeJobChain, computer: MakeComputer) -> None:
    firing = Firing(chain, computer())
    chain.add_trigger(terms(TriggerKind.ON_CERTIFY, per_epoch=10), balance=FEE + 1)
    chain.certified = [4, 5]

    await firing.look(3)

    assert len(chain.state.fired) == 1
    assert [what for _, what, _ in chain.sent] == ["fire"]


async def test_fire__refused__tried_again_ever_more_seldom(chain: FakeJobChain, computer: MakeComputer) -> None:
    firing = Firing(chain, computer())
    chain.add_trigger(terms(TriggerKind.EVERY_EPOCHS, epochs=1))
    chain.failures = [RpcUnavailable("eth_call", {"http://one": "down"}) for _ in range(100)]

    await firing.look(60)

    assert 3 <= len(chain.sent) <= 6


async def test_fire__many_agents__one_at_once(chain: FakeJobChain, computer: MakeComputer) -> None:
    chain.members = tuple(map(NodeId, range(4, 12)))
    agents = [Firing(chain, computer(number), turn_seconds=60.0) for number in chain.members]
    chain.add_trigger(terms(TriggerKind.EVERY_EPOCHS, epochs=1))

    for agent in agents:
        await agent.look()

    assert len(chain.sent) == 1


async def test_fire__proof_of_custody_is_due__waits(chain: FakeJobChain, computer: MakeComputer) -> None:
    firing = Firing(chain, computer())
    chain.add_trigger(terms(TriggerKind.EVERY_EPOCHS, epochs=1))
    firing.quiet = True

    await firing.look(2)

    assert chain.sent == []
    assert NodeId(1) == firing.node.node_id
