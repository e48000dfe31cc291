"""Agents keep the chain going together: everything in time, almost nothing twice, and nobody is needed."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from storage_agent.state import keeping
from storage_agent.state.keeping import Action, Custody, Memory, Rules, Task, Trace, backed_off, jitter
from tests.fakes.caretakers import Caretaker, run
from tests.fakes.duty_chain import GENESIS, DutyChain
from walrus_chain.types import Epoch, NodeId, ShardIndex

DAY = 86_400
ME = NodeId(1)

#: Epochs of test networks and of real ones, and their blocks.
PACES = pytest.mark.parametrize(("epoch_seconds", "block_seconds"), [(20, 0.5), (3600, 2.0), (DAY, 12.0)])


def caretakers(chain: DutyChain, count: int | None = None) -> list[Caretaker]:
    """An agent for each of the first nodes."""
    return [Caretaker(chain, node) for node in chain.nodes[:count]]


def done(chain: DutyChain, action: Action) -> list[tuple[float, NodeId, Task]]:
    """What was accepted of one action."""
    return [entry for entry in chain.accepted if entry[2].action is action]


def late(chain: DutyChain, action: Action, begins: int) -> list[float]:
    """How far into the epoch each was accepted, in epochs, counted from `begins` eighths of one on."""
    length = chain.epoch_seconds
    return [(time - GENESIS) % length / length - begins / 8 for time, _, _ in done(chain, action)]


# -- everything in time ------------------------------------------------------------------------------------------------


@PACES
def test_agents__three_epochs__all_is_done_once_and_in_time(epoch_seconds: int, block_seconds: float) -> None:
    chain = DutyChain(nodes=4, epoch_seconds=epoch_seconds, block_seconds=block_seconds)
    run(chain, caretakers(chain), chain.start(4))

    counts = Counter(task.action for _, _, task in chain.accepted)
    assert counts[Action.OPEN] == 3
    assert counts[Action.PROVE] == 3 * 4
    assert (counts[Action.SELECT], counts[Action.TALLY]) == (3, 3)
    assert counts[Action.ADVANCE] == 2
    # Each node's pool, in each epoch but the first.
    assert Counter(node for _, node, _ in done(chain, Action.SETTLE)) == dict.fromkeys(chain.nodes, 2)
    assert counts[Action.REPORT] == 0
    assert all(len(window.proved) == 4 for window in chain.state.windows.values())
    # An eighth of an epoch is enough for anybody to be first, with blocks as slow as these.
    assert max(late(chain, Action.OPEN, 2) + late(chain, Action.ADVANCE, 0) + late(chain, Action.SELECT, 4)) < 1 / 8
    assert max(late(chain, Action.PROVE, 2)) < 1 / 4


@PACES
def test_agents__one_alone__does_everything_itself(epoch_seconds: int, block_seconds: float) -> None:
    chain = DutyChain(nodes=1, epoch_seconds=epoch_seconds, block_seconds=block_seconds)
    run(chain, caretakers(chain), chain.start(4))

    assert set(chain.state.windows) == {1, 2, 3}
    assert all(window.proved == {ME} for window in chain.state.windows.values())
    assert (chain.state.office, chain.state.selected, chain.state.tallied) == (3, 4, 4)


@pytest.mark.parametrize("nodes", [2, 10, 100])
def test_agents__many_race__almost_always_one_sends(nodes: int) -> None:
    chain = DutyChain(nodes=nodes, epoch_seconds=3600, block_seconds=2)
    agents = caretakers(chain)
    run(chain, agents, chain.start(6))

    shared = [Action.OPEN, Action.SELECT, Action.ADVANCE, Action.TALLY]
    sent = [task for _, _, task in chain.accepted if task.action in shared]
    in_vain = [task for _, _, task in chain.refused if task.action in shared]
    assert len(sent) == 5 + 5 + 4 + 5
    assert len(in_vain) <= len(sent)


def test_agents__a_day__few_looks() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=DAY)
    [agent] = caretakers(chain)
    run(chain, [agent], chain.start(2))

    assert agent.looks < DAY / 30 + 1800


@PACES
def test_proof__seed_is_there__sent_at_the_next_look(epoch_seconds: int, block_seconds: float) -> None:
    chain = DutyChain(nodes=1, epoch_seconds=epoch_seconds, block_seconds=block_seconds)
    [agent] = caretakers(chain)
    run(chain, [agent], chain.closes(1))

    [opened] = [time for time, _, _ in done(chain, Action.OPEN)]
    [proved] = [time for time, _, _ in done(chain, Action.PROVE)]
    seed_at = opened + 3 * block_seconds
    assert seed_at < proved <= seed_at + math.ceil((agent.rules.quick_pace + 0.01) / block_seconds) * block_seconds


# -- what only some can do ---------------------------------------------------------------------------------------------


def test_proof__fails_until_shortly_before_the_end__tried_more_and_more_often_and_given() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=3600, block_seconds=2)
    [agent] = caretakers(chain)
    agent.unable = {Action.PROVE}
    run(chain, [agent], chain.closes(1) - 60)
    agent.unable = ()
    run(chain, [agent], chain.closes(1))

    tries = [time for time, task in agent.attempts if task.action is Action.PROVE]
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert chain.state.windows[Epoch(1)].proved == {ME}
    assert max(pauses) <= 64 + agent.rules.pace
    assert all(pause <= max(2.0, (chain.closes(1) - at) / 4) for at, pause in zip(tries, pauses, strict=False))
    assert len(tries) < 60


@pytest.mark.parametrize(("epoch_seconds", "block_seconds"), [(20, 0.5), (DAY, 12.0)])
def test_proof__never_given__others_read_the_seed_and_report_it_and_it_counts_as_missed(
    epoch_seconds: int, block_seconds: float
) -> None:
    chain = DutyChain(nodes=4, epoch_seconds=epoch_seconds, block_seconds=block_seconds)
    agents = caretakers(chain)
    agents[0].unable = {Action.PROVE}
    run(chain, agents, chain.start(2) + epoch_seconds / 8)

    [(_, reporter, task)] = done(chain, Action.REPORT)
    assert (task.epoch, task.node_id) == (1, ME)
    assert reporter != ME
    assert agents[0].memory.custody[Epoch(1)] is Custody.MISSED
    assert agents[1].memory.custody[Epoch(1)] is Custody.PROVED


def test_proof__nobody_can__seed_is_kept_for_the_reports() -> None:
    chain = DutyChain(nodes=2, epoch_seconds=3600, block_seconds=2)
    agents = caretakers(chain)
    for agent in agents:
        agent.unable = {Action.PROVE}
    run(chain, agents, chain.start(2))

    assert len(done(chain, Action.CAPTURE)) == 1
    assert {(task.epoch, task.node_id) for _, _, task in done(chain, Action.REPORT)} == {(1, 1), (1, 2)}


def test_misses__report_is_switched_off__left_alone() -> None:
    chain = DutyChain(nodes=2, epoch_seconds=3600, block_seconds=2)
    agents = caretakers(chain)
    agents[0].unable = {Action.PROVE}
    agents[1].rules = replace(agents[1].rules, report_misses=False)
    run(chain, agents, chain.start(2))

    assert done(chain, Action.REPORT) == []


def test_sync__shards_come_and_are_here__said_at_once_and_not_before() -> None:
    chain = DutyChain(nodes=2, epoch_seconds=DAY)
    agents = caretakers(chain)
    chain.state.pending[ME] = frozenset({ShardIndex(3)})
    run(chain, agents, chain.start(1) + 3600)
    assert done(chain, Action.SYNC) == []

    agents[0].synced = True
    run(chain, agents, chain.now + 60)
    assert [node for _, node, _ in done(chain, Action.SYNC)] == [ME]


def test_housekeeping__proof_is_due__waits_for_it() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=3600, block_seconds=2)
    [agent] = caretakers(chain)
    agent.unable = {Action.PROVE}
    run(chain, [agent], chain.closes(1) - 4)
    assert done(chain, Action.TALLY) == []

    run(chain, [agent], chain.start(2))
    assert len(done(chain, Action.TALLY)) == 1


def test_settle__many_epochs_behind__caught_up_without_waiting() -> None:
    duties = replace(DutyChain(nodes=1).duties_of(ME), current_epoch=Epoch(80), settled=Epoch(2))
    rules = Rules(ME, DAY)
    now = float(duties.timestamp)
    first = keeping.plan(duties, Memory(), rules, now, synced=False)
    [settle] = [task for task in first.due if task.action is Action.SETTLE]

    duties = replace(duties, settled=Epoch(34))
    again = keeping.plan(duties, keeping.succeeded(first.memory, settle, now), rules, now, synced=False)
    assert [task.epoch for task in again.due if task.action is Action.SETTLE] == [35]


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_reorganisation__window_and_proofs_are_gone__all_of_it_is_done_again() -> None:
    chain = DutyChain(nodes=3, epoch_seconds=3600, block_seconds=2)
    agents = caretakers(chain)
    while len(done(chain, Action.PROVE)) < 3:
        run(chain, agents, chain.now + 2)
    opened = done(chain, Action.OPEN)[0][0]
    chain.undo(int((chain.now - opened) // 2) + 2)
    assert chain.state.windows == {}

    run(chain, agents, chain.closes(1) - 60)

    assert len(done(chain, Action.OPEN)) == 2
    assert len(done(chain, Action.PROVE)) == 6
    assert all(agent.memory.custody[Epoch(1)] is Custody.PROVED for agent in agents)


def test_reorganisation__own_proof_is_gone__due_again_then_proved() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=3600, block_seconds=2)
    [agent] = caretakers(chain)
    while not done(chain, Action.PROVE):
        run(chain, [agent], chain.now + 2)
    chain.undo(1)
    agent.look(chain.now)
    assert agent.memory.custody[Epoch(1)] is Custody.DUE

    run(chain, [agent], chain.now + 30)
    assert agent.memory.custody[Epoch(1)] is Custody.PROVED


def test_restart__at_any_moment__nothing_is_missed() -> None:
    chain = DutyChain(nodes=2, epoch_seconds=20, block_seconds=0.5)
    agents = caretakers(chain)
    for _ in range(3 * 8):
        run(chain, agents, chain.now + 2.5)
        for agent in agents:
            agent.restart()

    assert set(chain.state.windows) == {1, 2, 3}
    assert all(len(window.proved) == 2 for window in chain.state.windows.values())
    assert chain.state.office == 3


def test_everybody_away_for_ten_epochs__goes_on_where_it_stands() -> None:
    chain = DutyChain(nodes=2, epoch_seconds=3600, block_seconds=2)
    agents = caretakers(chain)
    run(chain, agents, chain.start(2))
    chain.mine_until(chain.start(12) + 100)
    run(chain, agents, chain.start(14))

    assert set(chain.state.windows) == {1, 12, 13}
    assert chain.state.office == 13
    assert set(chain.state.settled.values()) == {13}


def test_chain_still_asks_for_what_was_done__asked_less_and_less() -> None:
    duties = replace(DutyChain(nodes=1).duties_of(ME), advance=True)
    rules, memory, now, tries = Rules(ME, DAY), Memory(), float(duties.timestamp), 0
    while now < duties.timestamp + 3600:
        plan = keeping.plan(duties, memory, rules, now, synced=False)
        memory = plan.memory
        for task in plan.due:
            memory = keeping.succeeded(memory, task, now)
            tries += 1
        now = max(plan.look_at, now + 0.1)

    assert 1 < tries < 12


def test_plan__no_committee__nothing_to_do() -> None:
    duties = replace(DutyChain(nodes=1).duties_of(ME), office_epoch=Epoch(0), closes=0)
    plan = keeping.plan(duties, Memory(), Rules(ME, DAY), float(duties.timestamp), synced=True)

    assert plan.due == ()
    assert plan.look_at == duties.timestamp + 30


# -- the order of things -----------------------------------------------------------------------------------------------


def test_plan__everything_at_once__proof_first_then_as_urgent() -> None:
    chain = DutyChain(nodes=2, epoch_seconds=3600)
    duties = replace(
        chain.duties_of(ME),
        select=True,
        advance=True,
        open=True,
        capture=True,
        prove=True,
        pending=frozenset({ShardIndex(1)}),
    )
    plan = keeping.plan(duties, Memory(), Rules(ME, 3600), float(duties.timestamp), synced=True)
    later = keeping.plan(duties, plan.memory, Rules(ME, 3600), duties.timestamp + 600.0, synced=True)

    assert actions(plan.due) == [Action.PROVE, Action.SYNC]
    assert actions(later.due) == [
        Action.PROVE, Action.CAPTURE, Action.SYNC, Action.OPEN, Action.ADVANCE, Action.SELECT
    ]  # fmt: skip


def test_sweep__window_is_over__once_an_epoch() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=3600, block_seconds=2)
    rules, memory = Rules(ME, 3600), Memory()
    swept: list[float] = []
    while chain.now < chain.start(3):
        plan = keeping.plan(chain.duties_of(ME), memory, rules, chain.now, synced=False)
        memory = plan.memory
        for task in plan.due:
            if task.action is Action.SWEEP:
                memory = keeping.succeeded(memory, task, chain.now)
                swept.append(chain.now)
        chain.mine()

    assert [chain.closes(epoch) <= at < chain.start(epoch + 1) for epoch, at in enumerate(swept, 1)] == [True, True]


def test_custody__seen_only_after_the_close__missed_when_the_chain_says_so() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=3600, block_seconds=2)
    chain.mine_until(chain.start(1) + 900)
    chain.send(ME, Task(Action.OPEN, Epoch(1), ME), lambda _: None)
    chain.mine_until(chain.closes(1))

    plan = keeping.plan(chain.duties_of(ME), Memory(), Rules(ME, 3600), chain.now, synced=False)

    assert plan.memory.custody == {1: Custody.MISSED}


def test_memory__old_tasks__forgotten() -> None:
    chain = DutyChain(nodes=1, epoch_seconds=20, block_seconds=0.5)
    [agent] = caretakers(chain)
    run(chain, [agent], chain.start(12))

    assert len(agent.memory.traces) < 30
    assert len(agent.memory.custody) <= 3


# -- waiting times -----------------------------------------------------------------------------------------------------


def test_jitter__same_question__same_answer_and_evenly_spread() -> None:
    tasks = [Task(Action.OPEN, Epoch(epoch), ME) for epoch in range(1, 2001)]
    shares = [jitter(ME, task) for task in tasks]

    assert shares == [jitter(ME, task) for task in tasks]
    assert all(0 <= share < 1 for share in shares)
    assert 0.48 < sum(shares) / len(shares) < 0.52
    assert jitter(ME, tasks[0]) != jitter(NodeId(2), tasks[0])


def test_backed_off__grows_from_nothing_to_the_whole_span() -> None:
    shares = [backed_off(step / 100) for step in range(101)]

    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(1.0)
    assert shares[1] > 0.2


def test_succeeded__task_that_was_forgotten__changes_nothing() -> None:
    task = Task(Action.OPEN, Epoch(1), ME)

    assert keeping.succeeded(Memory(), task, 1.0) == Memory()
    assert keeping.failed(Memory({task: Trace(0.0)}), task, 1.0).traces[task] == Trace(0.0, 1.0, 1)


def actions(tasks: Iterable[Task]) -> list[Action]:
    """Only what they do."""
    return [task.action for task in tasks]
