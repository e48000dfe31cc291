"""What operators see of a node's books."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest

from storage_agent.act.books import Books
from storage_agent.observe import Metrics
from walrus_chain.chain.views import Balances, Node, PoolFacts
from walrus_chain.errors import RpcUnavailable
from walrus_chain.types import Address, Epoch, NodeId, Wei

WAL = 10**18
KEY = Address("0x00000000000000000000000000000000000000A1")
POOL = PoolFacts(
    waiting=Wei(0),
    own_stake=Wei(1000 * WAL),
    unbonding=Wei(0),
    commission=Wei(0),
    commission_bps=500,
    next_commission_bps=500,
    next_commission_from=Epoch(0),
    jailed_until=Epoch(0),
    candidate=True,
    misses=0,
    last_miss=Epoch(0),
)
NODE = Node(NodeId(1), KEY, "n", "http://n", "eu-north", KEY, bytes(32), Wei(2500 * WAL), True, (), POOL)


@dataclass
class Chain:
    """One node, one account."""

    node_now: Node = NODE
    native: int = WAL
    outages: int = 0
    looks: int = 0

    async def node(self, node_id: NodeId) -> Node:
        """The node."""
        self.looks += 1
        if self.outages:
            self.outages -= 1
            raise RpcUnavailable("eth_call", {"http://a": "refused"})
        return self.node_now

    async def balances(self, account: Address) -> Balances:
        """The account."""
        return Balances(Wei(0), Wei(self.native), Wei(0), Wei(0))


def books(chain: Chain, metrics: Metrics) -> Books:
    """The books of the node."""
    return Books(NodeId(1), KEY, chain, metrics, low_balance=0.05, every_seconds=60.0)


async def test_look__all_is_well__gauges_and_no_problem() -> None:
    metrics = Metrics()
    book = books(Chain(), metrics)
    await book.look()

    names = ("active_stake_wal", "own_stake_wal", "key_balance", "jailed")
    assert [metrics.value(f"walrus_agent_{name}") for name in names] == [2500.0, 1000.0, 1.0, 0.0]
    assert book.problems == []


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (Chain(native=10**16), f"the signing key {KEY} has 0.01 of the chain's own currency left, less than 0.05"),
        (
            Chain(replace(NODE, pool=replace(POOL, jailed_until=Epoch(9), misses=3))),
            "jailed for 3 missed proofs; from epoch 9",
        ),
    ],
)
async def test_look__something_is_wrong__said_with_the_next_step(chain: Chain, words: str) -> None:
    book = books(chain, Metrics())
    await book.look()

    [problem] = book.problems
    assert words in problem


async def test_run__endpoint_fails__looks_again() -> None:
    chain, metrics = Chain(outages=2), Metrics()
    run = asyncio.ensure_future(books(chain, metrics).run())
    await asyncio.sleep(60 * 3 - 1)
    run.cancel()

    assert chain.looks == 3
    assert metrics.value("walrus_agent_active_stake_wal") == 2500.0
