"""I12: replaying any log, restarting at any point, or reorganising leaves the agent in the same state.

A machine does things to the chain, the endpoint, the disk and the process in any order. Whenever the agent has caught
up, what it knows and what it has to do must be exactly what the present fork says, folded from its beginning.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storage_agent.state.duties import duties_of, fold_office
from storage_agent.state.facts import (
    CommitteeFact,
    Invalidated,
)
from storage_agent.state.objects import ObjectRecord, apply_fact, standing_of
from storage_agent.state.plan import Holding, WorkKind, plan
from storage_agent.store.catalogue import Catalogue
from storage_agent.store.local import LocalStore
from storage_agent.store.packs import Packs
from storage_agent.watch.source import facts_of
from storage_agent.watch.watcher import Watcher
from tests.fakes.forking_chain import ANCHOR, EPOCH_SECONDS, ForkingChain, blob_id, epoch_at
from walrus_chain.codec.geometry import ROOT_BYTES
from walrus_chain.codec.metadata import BlobMetadata, SegmentMetadata
from walrus_chain.errors import Retryable
from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId, PairIndex

T = TypeVar("T")
NODE = NodeId(2)
BLOBS = 4
HISTORY = 16
SHARDS = 10
#: Crashes are tested elsewhere; here thousands of commits need not wait for a disk.
MEMORY = next((folder for folder in ("/dev/shm",) if Path(folder).is_dir()), None)
FAR = 1e9
Pairs = frozenset[PairIndex]
FOLLOW = st.sampled_from([True, True, True, False])
"""Whether the agent looks at the chain right afterwards."""


class AgentMachine(RuleBasedStateMachine):
    """One agent that follows one chain."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="agent-", dir=MEMORY))
        self.runner = asyncio.Runner()
        self.chain = ForkingChain()
        self.caught_up = False
        self.stored: dict[BlobId, tuple[bool, Pairs]] = {}
        """What the disk should hold: whether the metadata, and which pairs."""
        self.start()

    def teardown(self) -> None:
        self.catalogue.close()
        self.runner.close()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        self.catalogue = Catalogue.open(
            self.folder / "c.db", network="1:x", node_id=NODE, clock=lambda: 0.0, heal_delay=0.0, history=HISTORY
        )
        self.packs = Packs(self.catalogue, LocalStore.open(self.folder / "packs"), inline_bytes=3)
        self.watcher = Watcher(self.chain, self.catalogue, epoch_at=epoch_at, anchor_block=ANCHOR)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    # -- the chain ---------------------------------------------------------------------------------------------------

    @property
    def objects(self) -> dict[BlobObjectId, ObjectRecord]:
        """The objects of the present fork."""
        found: dict[BlobObjectId, ObjectRecord] = {}
        for located in facts_of(self.chain.all_events()):
            if not isinstance(located.fact, CommitteeFact | Invalidated):
                number = located.fact.blob_object
                found[number] = apply_fact(found.get(number), located.fact)
        return found

    @property
    def invalid(self) -> set[BlobId]:
        """The blobs that are void on the present fork."""
        facts = [located.fact for located in facts_of(self.chain.all_events())]
        return {fact.blob_id for fact in facts if isinstance(fact, Invalidated)}

    def live(self, certified: bool | None = None) -> list[ObjectRecord]:
        return [
            record
            for record in self.objects.values()
            if record.is_live(self.chain.epoch)
            and record.blob_id not in self.invalid
            and certified in (None, record.certified)
        ]

    @rule(
        number=st.integers(0, BLOBS - 1),
        epochs=st.integers(1, 6),
        certified=st.booleans(),
        upload=FOLLOW,
        follow=FOLLOW,
    )
    def register(self, number: int, epochs: int, certified: bool, upload: bool, follow: bool) -> None:
        if blob_id(number) not in self.invalid:
            blob_object = self.chain.register(number, epochs)
            if certified:
                self.chain.certify(blob_object, number)
            self.moved_on(follow or upload)
            if upload:
                self.keep(number, SHARDS, with_metadata=True)

    @precondition(lambda self: self.live(certified=False))
    @rule(data=st.data(), follow=FOLLOW)
    def certify(self, data: st.DataObject, follow: bool) -> None:
        record = data.draw(st.sampled_from(self.live(certified=False)))
        self.chain.certify(record.blob_object, self.number_of(record))
        self.moved_on(follow)

    @precondition(lambda self: self.live())
    @rule(data=st.data(), epochs=st.integers(1, 2), follow=FOLLOW)
    def extend(self, data: st.DataObject, epochs: int, follow: bool) -> None:
        record = data.draw(st.sampled_from(self.live()))
        self.chain.extend(record.blob_object, self.number_of(record), Epoch(record.end + epochs))
        self.moved_on(follow)

    @precondition(lambda self: self.live())
    @rule(data=st.data(), follow=FOLLOW)
    def delete(self, data: st.DataObject, follow: bool) -> None:
        record = data.draw(st.sampled_from(self.live()))
        self.chain.delete(record.blob_object, self.number_of(record))
        self.moved_on(follow)

    @rule(number=st.integers(0, BLOBS - 1), follow=FOLLOW)
    def invalidate(self, number: int, follow: bool) -> None:
        if any(record.blob_id == blob_id(number) for record in self.live()):
            self.chain.invalidate(number)
            self.moved_on(follow)

    @rule(shards=st.sets(st.integers(0, SHARDS - 1), min_size=1, max_size=3), arrive=st.booleans(), follow=FOLLOW)
    def shards_come(self, shards: set[int], arrive: bool, follow: bool) -> None:
        self.change_committee(shards, NODE, arrive)
        self.moved_on(follow)

    @rule(all_of_them=st.booleans(), arrive=st.booleans(), follow=FOLLOW)
    def shards_go(self, all_of_them: bool, arrive: bool, follow: bool) -> None:
        served = enumerate(self.chain.office.assignment)
        own = [shard for shard, member in served if self.chain.office.members[member] == NODE]
        self.change_committee(own if all_of_them else own[:1], NodeId(1), arrive)
        self.moved_on(follow)

    def change_committee(self, shards: Iterable[int], to: NodeId, arrive: bool) -> None:
        """In a later epoch than the last time; perhaps all who got shards have them at once."""
        office = self.chain.office
        assignment = bytearray(office.assignment)
        for shard in shards:
            assignment[shard] = office.members.index(to)
        if bytes(assignment) == office.assignment:
            return
        if self.chain.epoch == office.epoch:
            self.chain.mine(seconds=EPOCH_SECONDS)
        self.chain.change_committee(bytes(assignment))
        if arrive:
            self.shards_arrive(done=True, follow=False)

    @rule(done=st.booleans(), follow=FOLLOW)
    def shards_arrive(self, done: bool, follow: bool) -> None:
        self.chain.sync_shards(NodeId(1), (1 << SHARDS) - 1)
        if done:
            self.chain.end_change()
        self.moved_on(follow)

    @rule(number=st.integers(0, BLOBS - 1))
    def found_unsound(self, number: int) -> None:
        self.do(self.catalogue.note_verdict(blob_id(number), sound=False))

    @rule(blocks=st.integers(1, 20), epochs=st.integers(0, 2), follow=FOLLOW)
    def time_passes(self, blocks: int, epochs: int, follow: bool) -> None:
        for _ in range(blocks):
            self.chain.mine(seconds=max(1, epochs * EPOCH_SECONDS // blocks))
        self.moved_on(follow)

    @rule(depth=st.one_of(st.integers(1, 4), st.integers(1, 40)), follow=FOLLOW)
    def reorganise(self, depth: int, follow: bool) -> None:
        """Also deeper than the history; never below the contracts. The fork that wins is the longer one."""
        depth = min(depth, self.chain.newest.number - ANCHOR - 1)
        self.chain.reorganise(depth)
        while self.chain.newest.number <= self.high_water:
            self.chain.mine()
        self.moved_on(follow)

    @property
    def high_water(self) -> int:
        cursor = self.catalogue.cursor
        return 0 if cursor is None else cursor.block.number

    def moved_on(self, follow: bool) -> None:
        self.caught_up = False
        if follow:
            self.catch_up()

    def number_of(self, record: ObjectRecord) -> int:
        return next(number for number in range(BLOBS) if blob_id(number) == record.blob_id)

    # -- the agent ---------------------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        self.do(self.watcher.catch_up())
        self.caught_up = True
        for digest, held in list(self.stored.items()):
            if self.catalogue.blob(digest) is None:
                assert held == (False, frozenset())

    @rule(failures=st.integers(1, 3))
    def endpoint_fails(self, failures: int) -> None:
        self.chain.failures = failures
        try:
            self.do(self.watcher.catch_up())
            self.caught_up = True
        except Retryable:
            self.caught_up = False
        finally:
            self.chain.failures = 0

    @rule(follow=FOLLOW)
    def restart(self, follow: bool) -> None:
        self.catalogue.close()
        self.start()
        if follow:
            self.catch_up()

    @precondition(lambda self: self.caught_up and self.catalogue.duties.shards)
    @rule(number=st.integers(0, BLOBS - 1), count=st.integers(0, 2), with_metadata=st.booleans())
    def store(self, number: int, count: int, with_metadata: bool) -> None:
        """An upload; of one pair it goes into the catalogue, of two into a file."""
        self.keep(number, count, with_metadata)

    def keep(self, number: int, count: int, with_metadata: bool) -> None:
        digest = blob_id(number)
        row = self.catalogue.blob(digest)
        if row is None or not row.standing.is_live(self.catalogue.epoch):
            return
        had, held = self.stored.get(digest, (False, frozenset()))
        pairs = self.catalogue.duties.pairs(digest)[:count]
        metadata = (_metadata_of(digest), b"meta") if with_metadata else None
        self.do(self.packs.put(digest, 0, dict.fromkeys(pairs, b"xyz"), metadata))
        self.stored[digest] = (had or with_metadata, held | frozenset(pairs))

    @rule(number=st.integers(0, BLOBS - 1))
    def rot(self, number: int) -> None:
        """A pair is found to be wrong."""
        digest = blob_id(number)
        had, held = self.stored.get(digest, (False, frozenset()))
        if held:
            self.do(self.packs.forget(digest, [(0, min(held))]))
            self.stored[digest] = (had, held - {min(held)})

    @rule()
    def free(self) -> None:
        for work in self.catalogue.due(WorkKind.FREE, FAR, 100):
            assert work.blob_id is not None
            self.do(self.packs.free(work.blob_id))
            self.stored[work.blob_id] = (False, frozenset())

    @rule()
    def trim(self) -> None:
        duties = self.catalogue.duties
        for work in self.catalogue.due(WorkKind.TRIM, FAR, 100):
            assert work.blob_id is not None
            self.do(self.packs.trim(work.blob_id))
            had, held = self.stored[work.blob_id]
            kept = frozenset(duties.kept_pairs(work.blob_id))
            self.stored[work.blob_id] = (had and bool(kept), held & kept)

    @rule()
    def collect(self) -> None:
        self.do(self.packs.collect())
        assert self.catalogue.due(WorkKind.COLLECT, FAR, 1) == []

    @rule()
    def sweep(self) -> None:
        self.do(self.packs.collect())
        assert self.do(self.packs.sweep()) == 0, "after every put store and rows agree"

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def holds_what_was_stored(self) -> None:
        for digest, (has_metadata, pairs) in self.stored.items():
            assert self.catalogue.held(digest, 0) == pairs
            assert (self.catalogue.metadata(digest) is not None) == has_metadata
            for pair in pairs:
                assert self.do(self.packs.read(digest, 0, pair)) == b"xyz"

    @precondition(lambda self: self.caught_up)
    @invariant()
    def i12_knows_what_the_fork_says(self) -> None:
        cursor = self.catalogue.cursor
        assert cursor is not None
        assert cursor.block == self.chain.newest
        assert cursor.epoch == self.chain.epoch
        objects = self.objects
        for number, record in objects.items():
            known = self.catalogue.object(number)
            over = not record.is_live(self.chain.epoch)
            assert known == record or (known is None and over)
        assert self.catalogue.object(BlobObjectId(len(objects) + 1)) is None

    @precondition(lambda self: self.caught_up)
    @invariant()
    def i12_has_to_do_what_follows(self) -> None:
        facts = [located.fact for located in facts_of(self.chain.all_events())]
        duties = duties_of(fold_office(fact for fact in facts if isinstance(fact, CommitteeFact)), NODE)
        assert self.catalogue.duties == duties
        kinds = (WorkKind.HEAL, WorkKind.FREE, WorkKind.TRIM)
        work = {work.blob_id: kind for kind in kinds for work in self.catalogue.due(kind, FAR, 100)}
        synced = True
        expected = {}
        for number in range(BLOBS):
            digest = blob_id(number)
            mine = [record for record in self.objects.values() if record.blob_id == digest]
            standing = standing_of(mine, digest in self.invalid)
            has_metadata, pairs = self.stored.get(digest, (False, frozenset()))
            complete = has_metadata and pairs >= set(duties.pairs(digest))
            row = self.catalogue.blob(digest)
            kept = set(duties.kept_pairs(digest))
            empty = not has_metadata and not pairs
            unsound = row is not None and row.sound is False
            holding = Holding(complete or not duties.own, empty, unsound, not pairs <= kept or (not kept and not empty))
            due = plan(standing, self.chain.epoch, holding, settled=True)
            if due is not None:
                expected[digest] = due
            if row is not None and standing.is_live(self.chain.epoch):
                assert row.standing.live_until == standing.live_until
                assert row.standing.is_certified(self.chain.epoch) == standing.is_certified(self.chain.epoch)
                assert row.complete == complete
            if due is WorkKind.HEAL:
                lacking = set(duties.syncing_pairs(digest)) - (pairs if has_metadata else set())
                synced &= not lacking
        assert work == expected
        assert self.catalogue.syncing_complete() == synced


def _metadata_of(digest: BlobId) -> BlobMetadata:
    """Metadata that claims to be of a blob; the catalogue takes verified metadata and does not hash it again."""
    metadata = BlobMetadata(1000, 10, (SegmentMetadata(bytes(2 * ROOT_BYTES * 10)),))
    object.__setattr__(metadata, "blob_id", digest)
    return metadata


AgentMachine.TestCase.settings = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAgentReplay = AgentMachine.TestCase
