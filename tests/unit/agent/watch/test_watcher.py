"""The watcher against a chain that reorganises, lags, leaves things out and fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage_agent.state.plan import WorkKind
from storage_agent.store.catalogue import Catalogue
from storage_agent.watch import watcher as watcher_module
from storage_agent.watch.source import IGNORED, fact_of, facts_of
from storage_agent.watch.watcher import Watcher
from tests.fakes.forking_chain import ANCHOR, EPOCH_SECONDS, EndpointDown, ForkingChain, blob_id, epoch_at
from walrus_chain.chain import events
from walrus_chain.chain.network import Span
from walrus_chain.errors import FactsMissing, ForksDisagree, OtherChain, RpcUnavailable, UnexpectedAnswer
from walrus_chain.types import BlobObjectId, Epoch, NodeId


@pytest.fixture
def chain() -> ForkingChain:
    return ForkingChain()


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[Catalogue]:
    opened = Catalogue.open(tmp_path / "c.db", network="1:x", node_id=NodeId(2), clock=lambda: 0.0, history=16)
    yield opened
    opened.close()


@pytest.fixture
def watcher(chain: ForkingChain, catalogue: Catalogue) -> Watcher:
    return _watcher(chain, catalogue)


def _watcher(chain: ForkingChain, catalogue: Catalogue, confirmations: int = 0) -> Watcher:
    return Watcher(chain, catalogue, epoch_at=epoch_at, anchor_block=ANCHOR, confirmations=confirmations)


def test_events__each_kind_is_a_fact_or_ignored_on_purpose() -> None:
    consumed = {
        events.BlobRegistered,
        events.BlobCertified,
        events.BlobExtended,
        events.BlobDeleted,
        events.BlobInvalidated,
        events.CommitteeFormed,
        events.EpochChangeStarted,
        events.ShardsSynced,
        events.EpochChangeDone,
    }
    assert consumed | IGNORED == set(events.EVENTS)
    assert not consumed & IGNORED


def test_facts_of__keeps_places_and_order(chain: ForkingChain) -> None:
    first = chain.register(1)
    chain.certify(first, 1)
    located = facts_of(chain.all_events())
    assert [place.place.block for place in located] == [10, 11, 12]
    assert [fact_of(event) for event in chain.all_events()] == [place.fact for place in located]


async def test_catch_up__from_nothing__knows_committee_and_blobs(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    blob_object = chain.register(1)
    chain.certify(blob_object, 1)

    cursor = await watcher.catch_up()

    assert cursor.block == chain.newest == watcher.head
    assert catalogue.duties.own == (1, 6)
    record = catalogue.object(blob_object)
    assert record is not None
    assert record.certified
    assert catalogue.next_work_after(WorkKind.HEAL, 0.0) is not None


async def test_catch_up__nothing_new__asks_one_question(chain: ForkingChain, watcher: Watcher) -> None:
    await watcher.catch_up()
    chain.asked.clear()
    await watcher.catch_up()
    assert chain.asked == ["head(0)"]


async def test_catch_up__long_chain__asks_in_pieces(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "BLOCKS_A_QUERY", 4)
    for number in range(10):
        chain.register(number)
    await watcher.catch_up()
    assert catalogue.object(BlobObjectId(10)) is not None
    assert max(len(range(*map(int, call[5:-1].split(", ")))) for call in chain.asked if call.startswith("span")) == 4


async def test_catch_up__confirmations__takes_only_what_is_deep_enough(
    chain: ForkingChain, catalogue: Catalogue
) -> None:
    watcher = _watcher(chain, catalogue, confirmations=2)
    blob_object = chain.register(1)
    chain.mine()
    await watcher.catch_up()
    assert catalogue.object(blob_object) is None
    chain.mine()
    await watcher.catch_up()
    assert catalogue.object(blob_object) is not None


async def test_catch_up__callers_together__share_a_look(chain: ForkingChain, watcher: Watcher) -> None:
    await watcher.catch_up()
    chain.asked.clear()
    await asyncio.gather(*[watcher.catch_up() for _ in range(20)])
    assert chain.asked == ["head(0)"]


async def test_catch_up__caller_during_a_look__gets_what_happened_since(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    await watcher.catch_up()
    chain.mine()
    late: list[asyncio.Task[object]] = []

    def register_and_ask() -> None:
        chain.register(7)
        late.append(asyncio.ensure_future(watcher.catch_up()))

    chain.before_events = register_and_ask
    await watcher.catch_up()
    await late[0]
    assert catalogue.blob(blob_id(7)) is not None


async def test_catch_up__caller_cancelled__others_still_answered(chain: ForkingChain, watcher: Watcher) -> None:
    first = asyncio.ensure_future(watcher.catch_up())
    second = asyncio.ensure_future(watcher.catch_up())
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).block == chain.newest


@pytest.mark.parametrize("depth", [1, 3, 5])
async def test_reorganisation__undone_and_replaced(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher, depth: int
) -> None:
    for number in range(5):
        chain.register(number)
        await watcher.catch_up()
    chain.drop(depth)
    replacement = chain.register(50)
    while chain.newest.number <= 16:
        chain.mine()

    await watcher.catch_up()

    assert catalogue.cursor is not None
    assert catalogue.cursor.block == chain.newest
    assert catalogue.object(replacement) is not None
    assert catalogue.object(replacement).blob_id == blob_id(50)  # type: ignore[union-attr]
    orphaned = catalogue.blob(blob_id(4))
    assert orphaned is not None
    assert orphaned.standing.live_until == 0


async def test_reorganisation__to_a_shorter_chain__is_seen(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    for number in range(5):
        chain.register(number)
        await watcher.catch_up()
    chain.drop(4)
    chain.mine()
    chain.mine()
    await watcher.catch_up()
    assert catalogue.cursor is not None
    assert catalogue.cursor.block == chain.newest
    assert catalogue.object(BlobObjectId(2)) is None


async def test_reorganisation__of_the_certificate__blob_is_not_healed_any_more(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    blob_object = chain.register(1)
    chain.certify(blob_object, 1)
    await watcher.catch_up()
    assert catalogue.due(WorkKind.HEAL, 100.0, 9) != []
    chain.reorganise(1)
    chain.mine()
    await watcher.catch_up()
    assert catalogue.due(WorkKind.HEAL, 100.0, 9) == []


async def test_reorganisation__deeper_than_history__everything_is_read_again_and_nothing_freed_meanwhile(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    blob_object = chain.register(1, epochs=9)
    for _ in range(40):
        chain.mine()
        await watcher.catch_up()
    assert len(catalogue.trail) < 40
    await _hold_something(catalogue)
    chain.drop(39)
    for _ in range(60):
        chain.mine()

    freed_between: list[object] = []
    take = catalogue.take

    async def spy(*arguments: object) -> object:
        freed_between.append(catalogue.due(WorkKind.FREE, 100.0, 9))
        return await take(*arguments)  # type: ignore[arg-type]

    catalogue.take = spy  # type: ignore[method-assign, assignment]
    await watcher.catch_up()

    assert freed_between == [[]]
    assert catalogue.object(blob_object) is not None
    assert catalogue.due(WorkKind.FREE, 100.0, 9) == []


async def test_other_chain__refused_and_said(chain: ForkingChain, catalogue: Catalogue, watcher: Watcher) -> None:
    chain.register(1)
    await watcher.catch_up()
    other = ForkingChain(name="another")
    other.register(1)
    other.mine()
    with pytest.raises(OtherChain, match="block 9"):
        await _watcher(other, catalogue).catch_up()


async def test_endpoint_lags__nothing_is_undone(chain: ForkingChain, catalogue: Catalogue, watcher: Watcher) -> None:
    blob_object = chain.register(1)
    await watcher.catch_up()
    chain.hidden_blocks = 1
    await watcher.catch_up()
    assert catalogue.object(blob_object) is not None
    assert catalogue.cursor is not None
    assert catalogue.cursor.block == chain.newest


async def test_endpoint_leaves_a_registration_out__it_is_read_again(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    chain.register(1)
    await watcher.catch_up()
    lost = chain.register(2)
    chain.left_out.add(chain.newest.number)
    await watcher.catch_up()
    assert catalogue.object(lost) is None

    chain.register(3)
    with pytest.raises(FactsMissing, match="object 3 right after object 1"):
        await watcher.catch_up()
    chain.left_out.clear()
    await watcher.catch_up()

    assert catalogue.object(lost) is not None
    assert watcher.problem is None


async def test_endpoint_leaves_a_whole_object_out__going_back_reaches_it(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    first = chain.register(1, epochs=9)
    chain.certify(first, 1)
    chain.left_out.add(chain.newest.number - 1)
    with pytest.raises(FactsMissing, match="Certified of object 1"):
        await watcher.catch_up()
    assert watcher.problem is not None
    chain.left_out.clear()
    await watcher.catch_up()
    assert catalogue.object(first) is not None


async def test_fork_changes_between_head_and_events__refused_then_right(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher
) -> None:
    await watcher.catch_up()
    chain.register(1)
    chain.mine()

    def fork() -> None:
        chain.drop(2)
        chain.register(2)
        chain.mine()

    chain.before_events = fork
    await watcher.catch_up()  # the head of the old fork, then events of the new one
    assert catalogue.blob(blob_id(1)) is None
    assert catalogue.object(BlobObjectId(1)).blob_id == blob_id(2)  # type: ignore[union-attr]
    assert catalogue.cursor is not None
    assert catalogue.cursor.block == chain.newest


async def test_events_of_another_fork__refused(chain: ForkingChain, catalogue: Catalogue, watcher: Watcher) -> None:
    await watcher.catch_up()
    chain.register(1)
    stale = tuple(chain.all_events()[-1:])
    chain.reorganise(1)
    span = chain.span

    async def stale_events(after: int, last: int) -> Span:
        return replace(await span(after, last), events=stale)

    chain.span = stale_events  # type: ignore[method-assign]
    with pytest.raises(ForksDisagree):
        await watcher.catch_up()
    assert catalogue.blob(blob_id(1)) is None


async def test_endpoint_fails__nothing_lost(chain: ForkingChain, catalogue: Catalogue, watcher: Watcher) -> None:
    blob_object = chain.register(1)
    for failures in range(1, 6):
        chain.failures = failures
        with pytest.raises(EndpointDown):
            await watcher.catch_up()
        chain.failures = 0
    await watcher.catch_up()
    assert catalogue.object(blob_object) is not None


async def test_endpoint_answers_nonsense__delays_the_agent_and_does_not_end_it(
    chain: ForkingChain, catalogue: Catalogue, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob_object = chain.register(1)
    with monkeypatch.context() as patch:

        async def nonsense(after: int, last: int) -> Span:
            raise UnexpectedAnswer("http://rpc", "eth_getLogs", "no log of a contract")

        patch.setattr(chain, "span", nonsense)
        with pytest.raises(RpcUnavailable):
            await watcher.catch_up()
        assert isinstance(watcher.problem, RpcUnavailable)

    await watcher.catch_up()

    assert catalogue.object(blob_object) is not None
    assert watcher.problem is None


async def test_run__endpoint_down__waits_longer_each_time_then_follows(
    chain: ForkingChain, catalogue: Catalogue
) -> None:
    pauses: list[float] = []
    caught_up = asyncio.Event()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 4:
            caught_up.set()
            await asyncio.Event().wait()

    watcher = Watcher(chain, catalogue, epoch_at=epoch_at, anchor_block=ANCHOR, poll_seconds=1.0, sleep=sleep)
    chain.failures = 3
    running = asyncio.ensure_future(watcher.run())
    await caught_up.wait()
    running.cancel()
    assert pauses == [2.0, 4.0, 8.0, 1.0]
    assert watcher.problem is None


async def test_expiry__by_the_clock_of_the_chain(chain: ForkingChain, catalogue: Catalogue, watcher: Watcher) -> None:
    chain.register(1, epochs=2)
    await watcher.catch_up()
    await _hold_something(catalogue)
    chain.mine(seconds=EPOCH_SECONDS)
    await watcher.catch_up()
    assert catalogue.epoch == Epoch(2)
    assert catalogue.due(WorkKind.FREE, 0.0, 9) == []
    chain.mine(seconds=EPOCH_SECONDS)
    await watcher.catch_up()
    assert [work.blob_id for work in catalogue.due(WorkKind.FREE, 0.0, 9)] == [blob_id(1)]


async def _hold_something(catalogue: Catalogue) -> None:
    pair = catalogue.duties.pairs(blob_id(1))[0]
    await catalogue.add_pack(catalogue.next_pack(), blob_id(1), 0, [(pair, 0, 4)], b"pair")
