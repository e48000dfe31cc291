"""How many programs a node runs at once."""

from __future__ import annotations

import asyncio

import pytest

from storage_agent.compute.places import ComputeLimits, Places
from tests.integration.sandbox.modules import program
from walrus_chain.compute.abi import ENGINE
from walrus_chain.compute.run import Ending, Outcome, Run
from walrus_chain.errors import OtherEngine, RunnerBusy
from walrus_chain.sandbox.inputs import BytesInput

pytestmark = pytest.mark.integration
READING = "(drop (call $read (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 1)))"


class Gate:
    """An input that comes when it is let."""

    size = 1

    def __init__(self) -> None:
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    async def read(self, offset: int, length: int) -> bytes:
        self.asked.set()
        await self.open.wait()
        return bytes(length)


async def test_places__all_taken_and_enough_wait__turns_away_and_goes_on() -> None:
    places, gate, run = Places(ComputeLimits(at_once=1, waiting=1)), Gate(), Run(program(READING))
    first = asyncio.create_task(places.run(ENGINE, run, [gate]))
    await gate.asked.wait()
    second = asyncio.create_task(places.run(ENGINE, run, [BytesInput(b"a")]))
    await asyncio.sleep(0)

    with pytest.raises(RunnerBusy) as refused:
        await places.run(ENGINE, run, [BytesInput(b"a")])
    gate.open.set()
    outcomes: list[Outcome] = [await first, await second]

    assert (refused.value.running, refused.value.waiting) == (1, 1)
    assert [outcome.ending for outcome in outcomes] == [Ending.FINISHED] * 2


async def test_places__run_cancelled__gives_its_place_back() -> None:
    places, gate, run = Places(ComputeLimits(at_once=1)), Gate(), Run(program(READING))
    first = asyncio.create_task(places.run(ENGINE, run, [gate]))
    await gate.asked.wait()

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first

    assert (await places.run(ENGINE, run, [BytesInput(b"a")])).ending is Ending.FINISHED


async def test_places__longer_than_a_run_may_take__ends_timed_out() -> None:
    places = Places(ComputeLimits(wall_seconds=0.3))

    outcome = await places.run(ENGINE, Run(program("(loop $again (br $again))"), fuel=10**13), [])

    assert outcome.ending is Ending.TIMED_OUT


async def test_places__job_of_another_engine__is_refused() -> None:
    with pytest.raises(OtherEngine) as refused:
        await Places(ComputeLimits()).run("wasmtime-49/abi-1", Run(program()), [])

    assert refused.value.actual == "wasmtime-49/abi-1"
