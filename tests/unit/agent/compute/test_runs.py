"""From a job to its result: verdicts, failures of this machine, and what is kept."""

from __future__ import annotations

import asyncio
import errno

import pytest

from storage_agent.store.jobs import JobResult
from storage_agent.sync.fetch import MetadataUnreachable
from tests.fakes.computing import Computer
from tests.fakes.job_chain import COMMIT_SECONDS, FEE, FakeJobChain, order
from tests.fakes.readers import chance
from tests.unit.agent.compute.conftest import MakeComputer
from walrus_chain.chain.compute_views import Job, JobRequest
from walrus_chain.compute.run import Ending, Outcome
from walrus_chain.crypto.outputs import open_output
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.errors import MalformedCiphertext, NotEnoughSlivers, RpcUnavailable


async def drawn(chain: FakeJobChain, node: Computer, **values: object) -> tuple[Job, JobRequest]:
    """A job that the node alone was drawn for."""
    job = chain.request(order(1, **values))  # type: ignore[arg-type]
    await node.hands.draw(job, chain.state.jobs[job].request)
    [view] = await chain.jobs([job], chain.head_block.hash)
    return view, chain.state.jobs[job].request


async def test_find__asked_again__runs_once(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)

    first = await node.runs.find(view, terms, chain.clock() + 50)
    second = await node.runs.find(view, terms, chain.clock() + 50)

    assert first == second
    assert node.machine.runs == 1
    assert first.result == Outcome(Ending.FINISHED, b"output").result_hash


async def test_find__every_verdict__a_result(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    for ending in Ending:
        view, terms = await drawn(chain, node)
        node.machine.outcomes = [Outcome(ending)] * 3

        result = await node.runs.find(view, terms, chain.clock() + 60)

        assert (result.result is not None) == ending.is_binding
        node.machine.outcomes.clear()


async def test_find__runs_out_of_wall_time__gives_up_at_once(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.machine.outcomes = [Outcome(Ending.TIMED_OUT)]

    result = await node.runs.find(view, terms, chain.clock() + 60)

    assert result.result is None
    assert node.machine.runs == 1


async def test_find__process_crashes_once__runs_again(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.machine.outcomes = [Outcome(Ending.CRASHED)]

    assert (await node.runs.find(view, terms, chain.clock() + 60)).result is not None


async def test_find__process_crashes_always__gives_up_after_three(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.machine.outcomes = [Outcome(Ending.CRASHED)] * 9

    assert (await node.runs.find(view, terms, chain.clock() + 70)).result is None
    assert node.machine.runs == 3


async def test_find__inputs_come_late__waits_for_them(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.failures = [NotEnoughSlivers(1, 2)] * 3

    assert (await node.runs.find(view, terms, chain.clock() + COMMIT_SECONDS)).result is not None


async def test_find__inputs_never_come__gives_up_in_time(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.failures = [NotEnoughSlivers(1, 2)] * 100
    until = chain.clock() + 50

    result = await node.runs.find(view, terms, until)

    assert result.result is None
    assert chain.clock() < until + 2
    assert "slivers" in result.why


async def test_find__program_is_nowhere__gives_up_after_few_tries_in_a_tenth_of_the_time(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.failures = [MetadataUnreachable(terms.order.program, {})] * 100
    began = chain.clock()

    result = await node.runs.find(view, terms, began + COMMIT_SECONDS)

    assert result.result is None
    assert node.inputs.asked == 4
    assert chain.clock() <= began + COMMIT_SECONDS / 10


async def test_find__peers_are_silent__gives_up(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.gate = asyncio.Event()

    result = await node.runs.find(view, terms, chain.clock() + 1.5)

    assert result.result is None
    assert "did not come" in result.why


async def test_find__endpoints_fail__tries_as_long_as_there_is_time(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.failures = [RpcUnavailable("eth_call", {}), TimeoutError()] * 3

    result = await node.runs.find(view, terms, chain.clock() + COMMIT_SECONDS)

    assert result.result is not None
    assert node.inputs.asked == 7


async def test_find__another_pauses__its_place_is_free(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    bad, bad_terms = await drawn(chain, node)
    good, good_terms = await drawn(chain, node, fee=FEE + 1)
    node.inputs.failures = [MetadataUnreachable(bad_terms.order.program, {})]
    node.sleeping = asyncio.Event()
    pausing = asyncio.ensure_future(node.runs.find(bad, bad_terms, chain.clock() + 50))
    await asyncio.sleep(0.05)
    assert node.inputs.asked == 1

    result = await node.runs.find(good, good_terms, chain.clock() + 50)

    assert result.result is not None
    assert not pausing.done()
    node.sleeping.set()
    assert (await pausing).result is not None


async def test_find__no_process_can_be_started__tried_again_a_few_times(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.machine.failures = [BlockingIOError(errno.EAGAIN, "no process"), OSError(errno.ENOMEM, "no memory")]
    assert (await node.runs.find(view, terms, chain.clock() + 60)).result is not None

    view, terms = await drawn(chain, node)
    node.machine.failures = [OSError(errno.ENOMEM, "no memory")] * 9
    assert (await node.runs.find(view, terms, chain.clock() + 60)).result is None
    assert len(node.machine.failures) == 6


@pytest.mark.parametrize(
    ("most_fuel", "fuel", "words"),
    [
        (10**9, 10**9 + 1, "most_fuel"),
        (10**12, 61 * 10**9, "61 seconds, there are 60"),
    ],
    ids=["than this node burns for anybody", "than there is time for"],
)
async def test_find__more_fuel__declined_at_once(
    chain: FakeJobChain, computer: MakeComputer, most_fuel: int, fuel: int, words: str
) -> None:
    node = computer(most_fuel=most_fuel)
    view, terms = await drawn(chain, node, fuel=fuel)

    result = await node.runs.find(view, terms, chain.clock() + 60)

    assert result.result is None
    assert words in result.why
    assert node.inputs.asked == 0


async def test_find__its_turn_comes_too_late__declined_without_a_run(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer()
    first, first_terms = await drawn(chain, node)
    second, second_terms = await drawn(chain, node, fuel=40 * 10**9)
    node.machine.gate = asyncio.Event()
    until = chain.clock() + 60
    running = asyncio.ensure_future(node.runs.find(first, first_terms, until))
    await asyncio.sleep(0.05)
    waiting = asyncio.ensure_future(node.runs.find(second, second_terms, until))
    await asyncio.sleep(0.05)
    assert node.machine.runs == 1
    chain.pass_seconds(30)
    node.machine.gate.set()

    assert (await running).result is not None
    assert (await waiting).result is None
    assert node.machine.runs == 1


async def ended(chain: FakeJobChain, node: Computer, number: int) -> tuple[Job, JobResult]:
    """A job that was run, and is over."""
    view, terms = await drawn(chain, node, fee=FEE + number)
    result = await node.runs.find(view, terms, chain.clock() + 60)
    await node.store.forget(view.job)
    chain.mine()
    return view, result


async def test_find__no_room_for_the_output__oldest_of_jobs_that_are_over_goes(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(output_bytes=3 * 4096 + 1000)
    old = [await ended(chain, node, number) for number in range(3)]
    await node.store.note_seen(len(chain.state.jobs) + 1, 0, 1)
    await node.store.forget(old[1][0].job)
    await node.store.forget(old[2][0].job)
    view, terms = await drawn(chain, node, output_limit=2000)

    result = await node.runs.find(view, terms, chain.clock() + 60)

    assert result.result is not None
    # The first is open, and so kept.
    there = [node.outputs.read(one.job, one.terms) is not None for one, _ in old]
    assert there == [True, False, True]
    assert node.store.kept_bytes() <= 3 * 4096 + 1000


async def test_find__no_room_and_nothing_may_go__declined_and_nothing_is_dropped(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(output_bytes=4096 + 1000)
    view, result = await ended(chain, node, 0)
    large, terms = await drawn(chain, node, output_limit=2**20)

    declined = await node.runs.find(large, terms, chain.clock() + 60)

    assert declined.result is None
    assert "output_bytes" in declined.why
    assert node.outputs.read(view.job, view.terms) is not None
    assert result.result is not None
    assert node.machine.runs == 1


async def test_find__disk_is_full__declined_before_it_runs(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(reserve_bytes=2**60)
    view, terms = await drawn(chain, node)

    assert (await node.runs.find(view, terms, chain.clock() + 60)).result is None
    assert node.machine.runs == 0


async def test_find__input_does_not_open__gives_up(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.failures = [MalformedCiphertext("no header")]

    assert (await node.runs.find(view, terms, chain.clock() + 50)).result is None
    assert node.machine.runs == 0


async def test_find__program_is_longer_than_any_may_be__a_verdict(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node)
    node.inputs.module = None

    result = await node.runs.find(view, terms, chain.clock() + 50)

    assert result.result == Outcome(Ending.UNFIT_PROGRAM).result_hash


async def test_find__order_names_a_key__output_is_kept_sealed(chain: FakeJobChain, computer: MakeComputer) -> None:
    node, key = computer(), SealingKey.generate(chance("requester"))
    view, terms = await drawn(chain, node, encryption_key=key.public)

    result = await node.runs.find(view, terms, chain.clock() + 50)

    kept = node.outputs.read(view.job, view.terms)
    assert kept is not None
    assert b"output" not in kept
    assert open_output(key, view.job, node.node_id, kept) == b"output"
    assert (result.sealed, result.size) == (True, 6)


async def test_find__order_names_what_is_no_key__gives_up(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer()
    view, terms = await drawn(chain, node, encryption_key=bytes(31) + b"\1")

    result = await node.runs.find(view, terms, chain.clock() + 50)

    assert result.result is None or node.outputs.read(view.job, view.terms) is not None
