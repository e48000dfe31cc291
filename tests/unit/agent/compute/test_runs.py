"""From a job to its result: verdicts, failures of this machine, and what is kept."""

from __future__ import annotations

from tests.fakes.computing import Computer
from tests.fakes.job_chain import COMMIT_SECONDS, FakeJobChain, order
from tests.fakes.readers import chance
from tests.unit.agent.compute.conftest import MakeComputer
from walrus_chain.chain.compute_views import Job, JobRequest
from walrus_chain.compute.run import Ending, Outcome
from walrus_chain.crypto.outputs import open_output
from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.errors import MalformedCiphertext, NotEnoughSlivers


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
