"""Following jobs: what a node does about each, whatever happens in between."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.fakes.computing import Computer
from tests.fakes.job_chain import (
    COMMIT_SECONDS,
    DRAW_SECONDS,
    FEE,
    REVEAL_SECONDS,
    FakeJobChain,
    order,
)
from tests.unit.agent.compute.conftest import MakeComputer
from walrus_chain.chain.compute_views import Answer, JobStatus
from walrus_chain.chain.economy_rejections import SeedTooEarly
from walrus_chain.compute.run import Ending, Outcome
from walrus_chain.errors import NotEnoughGasMoney, RpcUnavailable, StoreFull
from walrus_chain.types import NodeId


async def follow(chain: FakeJobChain, *computers: Computer, looks: int = 12) -> None:
    """Let nodes look in turn."""
    for _ in range(looks):
        for one in computers:
            await one.look()
        chain.mine()


async def test_follow__three_honest_nodes__agree_and_are_paid(chain: FakeJobChain, computer: MakeComputer) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    job = chain.request()

    await follow(chain, *nodes)

    assert chain.status(job) is JobStatus.OVER
    assert chain.state.paid == {1: FEE // 3, 2: FEE // 3, 3: FEE // 3}
    assert chain.state.slashed == {}
    for node in nodes:
        shown = node.store.shown(job)
        assert shown is not None
        assert node.outputs.read(job, shown.digest) == b"output"


async def test_follow__one_lies__it_is_slashed_and_the_others_are_paid(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    nodes[2].machine.output = b"a lie"
    chain.request()

    await follow(chain, *nodes)

    assert chain.state.paid == {1: FEE // 2, 2: FEE // 2}
    assert chain.state.slashed == {3: "lied"}


async def test_follow__all_disagree__everything_goes_back(chain: FakeJobChain, computer: MakeComputer) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    for node in nodes:
        node.machine.output = b"output of %d" % node.node_id
    chain.request()

    await follow(chain, *nodes)

    assert (chain.state.paid, chain.state.slashed, chain.state.refunded) == ({}, {}, FEE + 10)


async def test_follow__program_fails_everywhere__nodes_agree_on_the_failure(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    for node in nodes:
        node.machine.outcomes = [Outcome(Ending.OUT_OF_FUEL)]
    chain.request()

    await follow(chain, *nodes)

    assert len(chain.state.paid) == 3


async def test_follow__others_never_answer__settles_when_their_time_is_over(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    job = chain.request()
    await follow(chain, node, looks=4)
    chain.pass_seconds(COMMIT_SECONDS)
    await follow(chain, node, looks=2)
    chain.pass_seconds(REVEAL_SECONDS)

    await follow(chain, node, looks=3)

    assert chain.status(job) is JobStatus.OVER
    assert chain.state.slashed == {2: "absent", 3: "absent"}
    assert chain.state.refunded == FEE + 10


async def test_follow__requester_is_gone_and_nobody_drew__cancelled(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    job = chain.request()
    chain.pass_seconds(DRAW_SECONDS)

    await follow(chain, node, looks=2)

    assert chain.status(job) is JobStatus.OVER
    assert (1, "cancel", job) in chain.sent
    assert chain.state.refunded == FEE + 10


async def test_follow__not_on_the_panel__only_does_what_anybody_may(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    stranger = computer(9)
    job = chain.request()

    await follow(chain, stranger, looks=3)
    chain.pass_seconds(COMMIT_SECONDS + REVEAL_SECONDS)
    await follow(chain, stranger, looks=2)

    assert {what for _, what, _ in chain.sent} == {"draw", "settle"}
    assert stranger.machine.runs == 0
    assert chain.status(job) is JobStatus.OVER


@pytest.mark.parametrize("when", ["while it runs", "before it commits", "before it reveals", "after it revealed"])
async def test_follow__killed__goes_on_and_commits_to_one_result(
    chain: FakeJobChain, computer: MakeComputer, when: str
) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    job = chain.request()
    victim = nodes[0]
    match when:
        case "while it runs":
            victim.machine.gate = asyncio.Event()
            await victim.look()  # draws
            await victim.follower.look()
            await asyncio.sleep(0.05)
            assert victim.machine.runs == 1
        case "before it commits":
            await victim.look()
            await victim.look()
            [view] = await chain.jobs([job], chain.head_block.hash)
            assert view.answers[0] is Answer.NONE
            assert victim.store.result(job, view.terms) is not None
        case "before it reveals":
            await follow(chain, *nodes, looks=2)
        case "after it revealed":
            await follow(chain, *nodes, looks=4)
    await victim.kill()
    victim.machine.gate = None

    await follow(chain, *nodes)

    assert len(chain.state.paid) == 3
    assert chain.state.slashed == {}
    words = {word for node, _, _, word in chain.commitments if node == victim.node_id}
    assert len(words) == 1
    assert victim.store.shown(job) is not None


async def test_follow__killed_between_output_and_result__runs_again(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    job = chain.request(order(1))
    await node.look()
    [view] = await chain.jobs([job], chain.head_block.hash)
    node.outputs.keep(job, view.terms, b"half of it")
    await node.kill()

    await follow(chain, node)

    assert node.outputs.read(job, view.terms) == b"output"
    assert chain.state.paid == {1: FEE}


async def test_follow__reorganised_between_commit_and_reveal__commits_to_the_same_again(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    job = chain.request()
    chain.mine(3)
    for node in itertools.cycle(nodes):
        await node.look()
        if len(chain.commitments) == 3:
            break
    before = chain.head_block.number
    chain.undo(2)  # the last two commitments are gone
    assert chain.status(job) is JobStatus.COMMITTING

    await follow(chain, *nodes)

    assert chain.head_block.number > before
    assert len(chain.commitments) == 5
    assert len({(node, word) for node, _, _, word in chain.commitments}) == 3
    assert len(chain.state.paid) == 3


async def test_follow__reorganised_and_another_job_has_the_number__runs_that_one(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    fork = chain.head_block.number
    job = chain.request(order(1))
    await follow(chain, node, looks=3)
    first = {terms for _, _, terms, _ in chain.commitments}
    assert len(first) == 1
    chain.undo(chain.head_block.number - fork)
    assert chain.request(order(1, fee=FEE + 1)) == job

    await follow(chain, node)

    assert chain.state.paid == {1: FEE + 1}
    assert len({terms for _, _, terms, _ in chain.commitments}) == 2


async def test_follow__computes_for_nobody__declines_at_once(chain: FakeJobChain, computer: MakeComputer) -> None:
    nodes = [computer(1, enabled=False), computer(2), computer(3)]
    chain.request()

    await follow(chain, *nodes)

    assert chain.state.slashed == {}
    assert chain.state.paid == {2: FEE // 2, 3: FEE // 2}
    assert [job for node, what, job in chain.sent if (node, what) == (1, "decline")] == [1]


async def test_follow__pays_too_little__declines(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1, minimum_fee=FEE + 1)
    chain.request(order(1))

    await follow(chain, node)

    assert node.machine.runs == 0
    assert chain.state.refunded == FEE + 10


async def test_follow__fifty_jobs_at_once__one_runs_at_a_time_and_all_are_paid(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1, waiting=64)
    chain.block_seconds = 0  # many transactions share a second
    for _ in range(50):
        chain.request(order(1))
    await follow(chain, node, looks=40)

    assert node.machine.most_at_once == 1
    assert chain.state.paid[node.node_id] == 50 * FEE
    assert chain.state.slashed == {}


async def test_follow__more_jobs_than_may_wait__declines_the_rest(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1, waiting=2)
    for _ in range(6):
        chain.request(order(1))
    await node.look()  # draws
    node.machine.gate = asyncio.Event()

    await node.follower.look()
    await asyncio.sleep(0.05)
    await node.follower.look()
    node.machine.gate.set()
    await follow(chain, node)

    declined = {job for _, what, job in chain.sent if what == "decline"}
    assert len(declined) == 3
    assert len(chain.state.paid) == 1
    assert chain.state.slashed == {}


async def test_follow__seen_too_late_to_run__declines_in_time(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1)
    job = chain.request(order(1))
    await node.look()
    assert chain.status(job) is JobStatus.COMMITTING
    chain.pass_seconds(COMMIT_SECONDS - 8)

    await follow(chain, node, looks=2)

    assert node.machine.runs == 0
    assert chain.status(job) is not JobStatus.COMMITTING
    assert chain.state.slashed == {}


async def test_follow__request_is_not_to_be_found__declines_in_time(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    job = chain.request(order(1))
    await node.hands.draw(job, chain.state.jobs[job].request)
    chain.hides_logs = True
    await follow(chain, node, looks=2)
    assert node.machine.runs == 0
    chain.pass_seconds(COMMIT_SECONDS - 10)

    await follow(chain, node, looks=2)

    assert [what for _, what, _ in chain.sent] == ["draw", "decline"]


async def test_follow__transaction_fails__tried_again_later(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1)
    chain.request(order(1))
    chain.failures = [RpcUnavailable("eth_sendRawTransaction", {"http://one": "down"}) for _ in range(2)]

    await follow(chain, node)

    assert chain.state.paid == {1: FEE}
    assert node.follower.problems == []


async def test_follow__no_gas_money__operator_is_told(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1)
    chain.request(order(1))
    chain.failures = [NotEnoughGasMoney(node.hands.address, "nothing")]

    await node.look()

    [problem] = node.follower.problems
    assert "send the chain's own currency" in problem


async def test_follow__proof_of_custody_is_due__what_can_wait_waits(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    job = chain.request(order(1))
    node.quiet = True
    await node.look()
    assert chain.status(job) is JobStatus.REQUESTED
    node.quiet = False
    await node.look()
    node.quiet = True

    await follow(chain, node)

    assert [what for _, what, _ in chain.sent] == ["draw", "commit", "reveal"]


async def test_follow__many_agents__one_draws_at_once(chain: FakeJobChain, computer: MakeComputer) -> None:
    chain.members = tuple(map(NodeId, range(4, 12)))
    nodes = [computer(number, turn_seconds=30.0) for number in chain.members]
    chain.request()

    for node in nodes:
        await node.look()

    assert [what for _, what, _ in chain.sent] == ["draw"]


async def test_follow__who_comes_first_is_dead__the_next_one_draws_a_turn_later(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    nodes = [computer(number, turn_seconds=30.0) for number in chain.members]
    chain.request()
    first = min(nodes, key=lambda node: node.settings.rules.wait_for("draw:1", chain.members))
    others = [node for node in nodes if node is not first]
    for node in others:
        await node.look()
    assert chain.sent == []

    chain.pass_seconds(30)
    for node in others:
        await node.look()

    assert [what for _, what, _ in chain.sent] == ["draw"]


async def test_follow__too_early_to_draw__tried_at_every_look_by_the_first_alone(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    chain.failures = [SeedTooEarly(8, 7) for _ in range(5)]
    nodes = [computer(number, turn_seconds=30.0) for number in chain.members]
    job = chain.request()

    await follow(chain, *nodes, looks=6)

    drawing = [node for node, what, _ in chain.sent if what == "draw"]
    assert (len(drawing), len(set(drawing))) == (6, 1)
    assert chain.status(job) is not JobStatus.REQUESTED


async def test_follow__counted_at_a_block_that_does_not_have_it_yet__followed_once_it_is_there(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node, job = computer(1), chain.request(order(1))
    chain.runs_ahead = True
    await node.look()
    assert [row.job for row in node.store.open_jobs(10)] == [job]
    chain.runs_ahead = False

    await follow(chain, node)

    assert chain.status(job) is JobStatus.OVER


async def test_follow__more_open_jobs_than_a_page__all_are_seen_to(
    chain: FakeJobChain, computer: MakeComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage_agent.compute.follow.JOBS_A_PAGE", 2)
    node = computer(1)
    jobs = [chain.request(order(1)) for _ in range(7)]
    for job in jobs[:5]:  # of others, who do not answer
        chain.drawn(job, 2)

    await follow(chain, node, looks=6)

    assert [chain.status(job) for job in jobs] == [JobStatus.COMMITTING] * 5 + [JobStatus.OVER] * 2
    assert chain.state.paid == {1: 2 * FEE}


async def test_follow__drawn_after_all_by_a_reorganisation__found_before_it_is_late(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node, job = computer(1), chain.request(order(1))
    chain.drawn(job, 2)
    await node.look()
    chain.undo(1)
    chain.drawn(job, 1)

    await follow(chain, node, looks=COMMIT_SECONDS // 2)

    assert chain.state.paid == {1: FEE}


async def test_follow__what_anybody_may_do_hangs__commits_and_reveals_all_the_same(
    chain: FakeJobChain, computer: MakeComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, gate = computer(1), asyncio.Event()
    monkeypatch.setattr(node.hands, "settle", lambda *_: gate.wait())
    for _ in range(17):
        job = chain.request(order(1))
        chain.drawn(job, 2)
    chain.pass_seconds(COMMIT_SECONDS + REVEAL_SECONDS)
    mine = chain.request(order(1))
    chain.drawn(mine, 1)

    for _ in range(6):
        await node.follower.look()
        await asyncio.sleep(0.02)
        chain.mine()

    assert [what for _, what, job in chain.sent if job == mine] == ["commit", "reveal"]
    gate.set()


async def test_follow__too_many_decline_for_a_result__does_not_show_its_own(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    nodes = [computer(1), computer(2, minimum_fee=FEE), computer(3, minimum_fee=FEE)]
    job = chain.request()

    await follow(chain, *nodes)
    assert [what for node, what, _ in chain.sent if node == 1] == ["draw", "commit"]
    chain.pass_seconds(COMMIT_SECONDS + REVEAL_SECONDS)
    await follow(chain, *nodes)

    assert chain.status(job) is JobStatus.OVER
    assert (chain.state.paid, chain.state.slashed) == ({}, {})
    assert nodes[0].store.shown(job) is None


async def test_follow__nothing_can_be_written_any_more__reveals_what_it_has_and_declines_the_rest(
    chain: FakeJobChain, computer: MakeComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, kept = computer(1), chain.request(order(1))
    chain.drawn(kept, 1)
    while Answer.COMMITTED not in chain.answers(kept):
        await node.look()
    other = chain.request(order(1))
    chain.drawn(other, 2)
    await node.look()
    chain.drawn(other, 1)

    async def full(*_: object) -> None:
        raise StoreFull("catalogue", 0, None)

    for name in ("note_seen", "note_terms", "add_result", "note_counted"):
        monkeypatch.setattr(node.store, name, full)

    await follow(chain, node)

    assert [(what, job) for _, what, job in chain.sent if what in ("reveal", "decline")] == [
        ("reveal", kept),
        ("decline", other),
    ]
    assert node.machine.runs == 2
    assert chain.state.slashed == {}


async def test_follow__another_result_counts__does_not_serve_its_own(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    nodes[0].machine.output = b"something else"
    job = chain.request()

    await follow(chain, *nodes)

    assert chain.state.slashed == {1: "lied"}
    assert [node.store.shown(job) is not None for node in nodes] == [False, True, True]


async def test_follow__how_it_ended_is_not_shown_yet__served_once_it_is(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node, job = computer(1), chain.request(order(1))
    while chain.status(job) is not JobStatus.OVER:
        await node.look()
    chain.hides_logs = True
    await node.look()
    assert node.store.shown(job) is None
    chain.hides_logs = False

    await node.look()

    assert node.store.shown(job) is not None


async def test_forget__over_but_not_for_long__settled_again_after_a_reorganisation(
    chain: FakeJobChain, computer: MakeComputer
) -> None:
    node = computer(1)
    job = chain.request(order(1))
    while chain.status(job) is not JobStatus.OVER:
        await node.look()
    await node.look()
    chain.undo(1)
    assert chain.status(job) is JobStatus.SETTLEABLE

    await follow(chain, node)

    assert chain.status(job) is JobStatus.OVER
    assert chain.state.paid == {1: FEE}


async def test_forget__over_for_good__not_looked_at_again(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1)
    chain.request(order(1))

    await follow(chain, node)

    assert node.store.open_jobs(10) == []


async def test_outputs__kept_long_enough__dropped(chain: FakeJobChain, computer: MakeComputer) -> None:
    node = computer(1)
    job = chain.request(order(1))
    await follow(chain, node)
    shown = node.store.shown(job)
    assert shown is not None
    chain.pass_seconds(1001)

    await node.look()

    assert node.store.shown(job) is None
    assert node.outputs.read(job, shown.digest) is None


async def test_outputs__not_shown_on_chain_yet__not_to_be_had(chain: FakeJobChain, computer: MakeComputer) -> None:
    nodes = [computer(number) for number in (1, 2, 3)]
    job = chain.request()
    await nodes[0].look()
    await nodes[0].look()
    await nodes[0].look()
    assert [what for node, what, _ in chain.sent if node == 1] == ["draw", "commit"]

    assert nodes[0].store.shown(job) is None
