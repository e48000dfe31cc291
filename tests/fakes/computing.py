"""A node that computes over a fake chain: following, results and outputs are real, running is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from storage_agent.compute.follow import FollowSettings, JobFollower
from storage_agent.compute.inputs import Inputs
from storage_agent.compute.runs import RunRules, Runs
from storage_agent.observe import Metrics
from storage_agent.state.jobs import NodeRules
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.outputs import Outputs
from tests.fakes.job_chain import COMMIT_SECONDS, DRAW_SECONDS, FakeJobChain, FakeJobHands
from tests.fakes.readers import chance
from walrus_chain.chain.compute_views import Job, JobRequest
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.sandbox.runner import InputSource
from walrus_chain.types import BlobId, NodeId, Wei


class FakeMachine:
    """Says how runs end: as it is told, else with an output that is the same on every machine."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        """How the next runs end."""
        self.failures: list[Exception] = []
        """What the next runs raise instead."""
        self.output = b"output"
        self.runs = 0
        self.most_at_once = 0
        self.gate: asyncio.Event | None = None
        """What runs wait for."""
        self._now = 0

    async def run(self, engine: str, run: Run, inputs: Sequence[InputSource]) -> Outcome:
        """How a run ended here."""
        self.runs += 1
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.failures:
                raise self.failures.pop(0)
            return self.outcomes.pop(0) if self.outcomes else Outcome(Ending.FINISHED, self.output, fuel_used=7)
        finally:
            self._now -= 1


class FakeInputs(Inputs):
    """Inputs that are there, or fail as they are told."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.module: bytes | None = b"module"
        self.asked = 0
        """How often the program was."""
        self.gate: asyncio.Event | None = None
        """What it waits for."""

    async def program(self, blob_id: BlobId) -> bytes | None:
        """The program."""
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return self.module

    async def open(self, view: Job, terms: JobRequest) -> list[InputSource]:
        """No bytes are needed."""
        return []


class Computer:
    """One node."""

    def __init__(
        self,
        chain: FakeJobChain,
        folder: Path,
        node_id: int = 1,
        *,
        enabled: bool = True,
        waiting: int = 8,
        at_once: int = 1,
        minimum_fee: int = 0,
        turn_seconds: float = 0.0,
        most_fuel: int = 10**12,
        output_bytes: int = 10**6,
        reserve_bytes: int = 0,
    ) -> None:
        self.chain = chain
        self.folder = folder
        self.node_id = NodeId(node_id)
        self.machine = FakeMachine()
        self.inputs = FakeInputs()
        self.hands = FakeJobHands(chain, node_id)
        self.quiet = False
        self._reserve_bytes = reserve_bytes
        self._enabled = enabled
        self._run_rules = RunRules(
            node_id=self.node_id,
            minimum_fee=Wei(minimum_fee),
            at_once=at_once,
            most_fuel=most_fuel,
            fuel_per_second=10.0**9,
            output_bytes=output_bytes,
        )
        rules = NodeRules(self.node_id, DRAW_SECONDS, COMMIT_SECONDS, turn_seconds)
        self.sleeping: asyncio.Event | None = None
        """What pauses wait for; none where they take the chain's time."""
        self.settings = FollowSettings(rules, at_once, waiting, 1000.0, 2, 1.0)
        self.starts = 0
        self.start()

    def start(self) -> None:
        """Open what is on the disk."""
        self.starts += 1
        self.metrics = Metrics()
        self.catalogue = Catalogue.open(
            self.folder / f"jobs{self.node_id}.db", network="31337:x", node_id=self.node_id, clock=self.chain.clock
        )
        self.store = self.catalogue.jobs
        self.outputs = Outputs(self.folder / f"outputs{self.node_id}", self._reserve_bytes)
        self.runs = Runs(
            self._run_rules,
            self.machine if self._enabled else None,
            self.inputs,
            self.store,
            self.outputs,
            self.metrics,
            self.chain.clock,
            chance(f"salts {self.node_id} {self.starts}"),
            self._sleep,
        )
        self.follower = JobFollower(
            self.settings,
            self.chain,
            self.hands,
            self.runs,
            self.store,
            self.outputs,
            lambda: self.chain.members,
            lambda: self.quiet,
            self.metrics,
            self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        """Time goes by on the chain only."""
        if self.sleeping is not None:
            await self.sleeping.wait()
        self.chain.pass_seconds(max(1, int(seconds)))
        await asyncio.sleep(0)

    async def kill(self) -> None:
        """What kill -9 does: all that is in memory is gone, and what was under way."""
        await self.follower.stop()
        self.catalogue.close()
        self.start()

    async def look(self) -> None:
        """Look once, and let what was begun end."""
        await self.follower.look()
        await self.follower.wait_idle()

    async def close(self) -> None:
        """Let go of what is on the disk."""
        await self.follower.stop()
        self.catalogue.close()
