"""Agents that keep a `DutyChain` going by the pure machine alone: no loop, no sockets, a clock that the test moves."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from functools import partial

from storage_agent.state import keeping
from storage_agent.state.keeping import Action, Memory, Rules, Task
from tests.fakes.duty_chain import DutyChain
from walrus_chain.chain.rejection import ContractRejection
from walrus_chain.types import NodeId


class Caretaker:
    """One agent. What it sends is refused at once where a node would find that out, else it lands with the block."""

    def __init__(self, chain: DutyChain, node_id: NodeId) -> None:
        self.chain = chain
        self.rules = Rules(node_id, chain.epoch_seconds, sweep=False)
        self.memory = Memory()
        self.under_way: set[Action] = set()
        self.synced = False
        self.unable: Collection[Action] = ()
        """What it fails at."""
        self.attempts: list[tuple[float, Task]] = []
        self.looks = 0
        self.woken = False
        """Whether an attempt ended since the last look."""

    def look(self, now: float) -> float:
        """Look at the chain and begin what is due; when to look again."""
        self.looks += 1
        self.woken = False
        duties = self.chain.duties_of(self.rules.node_id)
        plan = keeping.plan(duties, self.memory, self.rules, now, synced=self.synced)
        self.memory = plan.memory
        for task in plan.due:
            if task.action not in self.under_way:
                self._begin(task, now)
        return now if self.woken else plan.look_at

    def restart(self) -> None:
        """Forget everything."""
        self.memory, self.under_way = Memory(), set()

    def _begin(self, task: Task, now: float) -> None:
        self.attempts.append((now, task))
        if task.action in self.unable:
            self.memory, self.woken = keeping.failed(self.memory, task, now), True
        elif self.chain.refusal_of(self.rules.node_id, task) is not None:
            self.memory, self.woken = keeping.succeeded(self.memory, task, now), True
        else:
            self.under_way.add(task.action)
            self.chain.send(self.rules.node_id, task, partial(self._landed, task))

    def _landed(self, task: Task, _: ContractRejection | None) -> None:
        self.under_way.discard(task.action)
        self.memory, self.woken = keeping.succeeded(self.memory, task, self.chain.now), True


def run(chain: DutyChain, agents: Collection[Caretaker], until: float) -> None:
    """Let agents act, and blocks come, until a time. Agents' clocks are the newest block's and what passed since."""
    turns = dict.fromkeys(agents, 0)
    queue: list[tuple[float, int, int, Caretaker]] = []

    def enqueue(agent: Caretaker, at: float) -> None:
        turns[agent] += 1
        heapq.heappush(queue, (at, agent.rules.node_id, turns[agent], agent))

    for agent in agents:
        # They do not look at the same moment.
        enqueue(agent, chain.now + agent.rules.node_id * 0.001)
    now = chain.now
    while now < until:
        if queue and queue[0][0] < chain.now + chain.block_seconds:
            at, _, turn, agent = heapq.heappop(queue)
            if turn == turns[agent]:
                now = at
                enqueue(agent, max(agent.look(now), now + 0.001))
        else:
            chain.mine()
            now = chain.now
            for agent in agents:
                if agent.woken:
                    enqueue(agent, now)
