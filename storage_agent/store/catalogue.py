"""The catalogue: what the chain said, what is durable here, what is to be done. One SQLite file.

* Writes are `async` and durable when they return, except those that follow the chain, which tells them again after a
  crash. Each is all or nothing; those under way together share a commit.
* Reads are plain calls: indexed look-ups or bounded pages in what is committed, some ten microseconds each.

Whatever changes how a blob stands or what is held of it also puts its work in line, in the same transaction; so work is
at any moment what `storage_agent.state.plan` derives (invariant I12).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from sqlite3 import Connection
from typing import TypeVar

from storage_agent.state.duties import Duties
from storage_agent.state.facts import Located
from storage_agent.state.objects import ObjectRecord, Standing
from storage_agent.state.plan import WorkKind
from storage_agent.state.trail import Cursor, last_object_after
from storage_agent.store import chain_rows, pair_rows, work_rows
from storage_agent.store.attestations import Attestations
from storage_agent.store.contents import Contents
from storage_agent.store.database import Database
from storage_agent.store.jobs import JobStore
from storage_agent.store.ledger import Ledger
from storage_agent.store.pair_rows import Wanted
from storage_agent.store.rows import BlobRow, PackRow, PairPlace, Totals, Work
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.errors import Bug, CatalogueOfOtherNetwork
from walrus_chain.types import BlobId, BlobObjectId, Epoch, NodeId, PairIndex

#: Blocks that a reorganisation may undo without everything being read again.
DEFAULT_HISTORY = 1024
#: Seconds between a certificate and healing: slivers may still be on their way from the client.
DEFAULT_HEAL_DELAY = 10.0
#: Seconds between shards' being all with their new nodes and dropping them: a reorganisation may give them back.
DEFAULT_TRIM_DELAY = 600.0
#: Old rows are looked for so many times while the chain grows by the history.
_TIDIES_A_HISTORY = 16
#: Blobs that are looked at in one question.
_BLOBS_A_PAGE = 200


T = TypeVar("T")


class Catalogue:
    """What this node knows and has. Make it by `open`, end it by `close`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        heal_delay: float,
        trim_delay: float,
        history: int,
        first_pack: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._heal_delay = heal_delay
        self._trim_delay = trim_delay
        self._history = history
        self._packs = itertools.count(first_pack)
        self._listeners: list[Callable[[], None]] = []
        self._duty_listeners: list[Callable[[], None]] = []
        self._tidied_at = 0
        # Where the node stands is wanted by every request and changes with the chain only. `_follow` keeps it.
        with database.read() as connection:
            self._cursor = chain_rows.read_cursor(connection)
            self._situation = work_rows.situation(connection)
        self.first_pack = first_pack
        """Packs with lower numbers were made before this start."""
        self.ledger = Ledger(database)
        """Released keys, what paid for them, and their receipts."""
        self.attestations = Attestations(database)
        """What this node signed for blobs that it took."""
        self.contents = Contents(database)
        """Content ids, for stores that name bytes by their content."""
        self.jobs = JobStore(database)
        """Jobs that are followed, and what this node found by running them."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        network: str,
        node_id: NodeId,
        clock: Callable[[], float],
        heal_delay: float = DEFAULT_HEAL_DELAY,
        trim_delay: float = DEFAULT_TRIM_DELAY,
        history: int = DEFAULT_HISTORY,
    ) -> Catalogue:
        """The catalogue at `path`, created when there is none.

        Args:
            network: names chain and registry; a catalogue serves one network only.
            node_id: the node it is for.
            clock: seconds since 1970.
            heal_delay: seconds between a certificate and the healing of what is missing of the blob.
            trim_delay: seconds between shards' being all with their new nodes and dropping what is on them.
            history: blocks that a reorganisation may undo without everything being read again.
        Raises: CatalogueInUse, CatalogueTooNew, CatalogueOfOtherNetwork, CatalogueBroken, StoreFull.
        """

        def prepare(connection: Connection) -> None:
            row = connection.execute("SELECT network, node FROM identity").fetchone()
            if row is None:
                connection.execute("INSERT INTO identity (only, network, node) VALUES (1, ?, ?)", (network, node_id))
            elif row != (network, node_id):
                raise CatalogueOfOtherNetwork(path, f"node {node_id} on {network}", f"node {row[1]} on {row[0]}")

        database = Database.open(path, prepare)
        with database.read() as connection:
            first_pack = pair_rows.first_free_pack(connection)
        return cls(database, clock, heal_delay, trim_delay, history, first_pack)

    def close(self) -> None:
        """Commits what was submitted and lets go of the file."""
        self._database.close()

    def on_work(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, on the loop of the write, whenever new work came up."""
        self._listeners.append(listener)

    def on_duties(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, on the loop of the write, whenever `duties` changed."""
        self._duty_listeners.append(listener)

    def _tell(self, new_work: bool) -> None:
        if new_work:
            for listener in self._listeners:
                listener()

    # -- the chain ---------------------------------------------------------------------------------------------------

    @property
    def cursor(self) -> Cursor | None:
        """How far the chain was followed; none before `start_at`."""
        return self._cursor

    @property
    def epoch(self) -> Epoch:
        """The epoch at the cursor; 0 before the chain was followed."""
        cursor = self.cursor
        return Epoch(0) if cursor is None else cursor.epoch

    @property
    def trail(self) -> list[Cursor]:
        """The blocks up to which the chain was followed, ascending; the anchor is the first."""
        with self._database.read() as connection:
            return chain_rows.read_trail(connection)

    @property
    def duties(self) -> Duties:
        """What the node answers for under the committee in office."""
        return self._situation.duties

    async def start_at(self, anchor: BlockRef) -> None:
        """Set the block after which the chain is followed; once, before the first `take`."""

        def run(connection: Connection) -> None:
            if chain_rows.read_cursor(connection) is not None:
                raise Bug(f"the catalogue follows the chain already, it cannot start at block {anchor}")
            chain_rows.advance(connection, Cursor(anchor, Epoch(0), BlobObjectId(0)))

        await self._follow(run)

    async def take(self, after: Cursor, facts: Sequence[Located], block: BlockRef, epoch: Epoch) -> Cursor:
        """Keep the facts of all blocks after `after` up to `block`, and move the cursor there, in one transaction.

        Args:
            after: the cursor as it was when the facts were asked for.
            facts: in chain order, none left out.
            epoch: that the clock of `block` shows.
        Raises: FactsMissing: facts were left out; nothing was changed.
        """
        now = self._clock()

        def run(connection: Connection) -> bool:
            current = chain_rows.read_cursor(connection)
            if current != after:
                raise Bug(f"facts after block {after.block} came, the cursor is at {current and current.block}")
            cursor = Cursor(block, epoch, last_object_after(after.last_object, facts))
            before = work_rows.situation(connection)
            touched = chain_rows.take(connection, facts)
            chain_rows.advance(connection, cursor)
            return self._replan_after(connection, before, touched, now)

        cursor, new_work = await self._follow(run)
        self._tell(new_work)
        if (
            cursor.block.number >= self._tidied_at + max(1, self._history // _TIDIES_A_HISTORY)
            or cursor.epoch > after.epoch
        ):
            await self._tidy(cursor)
        return cursor

    async def rewind(self, to: Cursor) -> None:
        """Undo everything that was taken after a block of the trail, in one transaction."""
        now = self._clock()

        def run(connection: Connection) -> bool:
            before = work_rows.situation(connection)
            touched = chain_rows.rewind(connection, to.block.number)
            return self._replan_after(connection, before, touched, now)

        _, new_work = await self._follow(run)
        self._tell(new_work)
        self._tidied_at = min(self._tidied_at, to.block.number)

    async def _follow(self, run: Callable[[Connection], T]) -> tuple[Cursor, T]:
        """Runs a write that moves the cursor; where the cursor is then, and what the write returns.

        It is there for all readers on return, but need not be on the disk yet: a crash makes the chain be read again,
        and the next write that has to be durable takes it along.
        """

        def follow(connection: Connection) -> tuple[Cursor, work_rows.Situation, T]:
            result = run(connection)
            cursor = chain_rows.read_cursor(connection)
            assert cursor is not None
            return cursor, work_rows.situation(connection), result

        cursor, situation, result = await self._database.write(follow, durable=False)
        before = self._situation
        self._cursor, self._situation = cursor, situation
        if situation.duties != before.duties:
            for listener in self._duty_listeners:
                listener()
        self._tell(situation.settled and not before.settled)
        return cursor, result

    def _replan_after(self, connection: Connection, before: work_rows.Situation, touched: set[int], now: float) -> bool:
        after = work_rows.situation(connection)
        affected = set(touched)
        moved = (after.duties.own, after.duties.keeping) != (before.duties.own, before.duties.keeping)
        if moved:
            work_rows.note_duties_changed(connection, now)
            after = replace(after, duties_since=now)
            pair_rows.recount_held(connection, after.duties)
            # What could not be had from the former committee may be had from this one: nothing waits for another try.
            work_rows.forget_all(connection, WorkKind.HEAL)
            work_rows.forget_all(connection, WorkKind.TRIM)
            affected.update(chain_rows.blobs_here(connection))
        if moved or after.epoch < before.epoch:
            affected.update(chain_rows.blobs_certified(connection, after.epoch))
        if after.epoch != before.epoch:
            affected.update(chain_rows.blobs_with_work(connection))
        if after.epoch != before.epoch or after.settled != before.settled:
            affected.update(chain_rows.blobs_ended(connection, after.epoch))
        # Who certified a blob just now may still be sending it; what moved here nobody will send.
        fresh, old = self._times(after, now), self._times(after, now, heal_delay=0.0)
        new_work = [
            blob for blob in affected if work_rows.replan(connection, blob, after, fresh if blob in touched else old)
        ]
        return bool(new_work)

    def _times(self, situation: work_rows.Situation, now: float, heal_delay: float | None = None) -> work_rows.Times:
        delay = self._heal_delay if heal_delay is None else heal_delay
        return work_rows.Times(now, now + delay, situation.duties_since + self._trim_delay)

    async def _tidy(self, cursor: Cursor) -> None:
        more = await self._database.write(lambda c: chain_rows.forget_old(c, cursor, self._history))
        if not more:
            self._tidied_at = cursor.block.number

    # -- blobs -------------------------------------------------------------------------------------------------------

    def blob(self, blob_id: BlobId) -> BlobRow | None:
        """What the node knows and has of a blob; none when no fact ever named it."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT live_until, certified_until, due_until, invalid, size, segments, held, bytes, sound "
                "FROM blobs WHERE blob_id = ?",
                (blob_id.digest,),
            ).fetchone()
            if row is None:
                return None
        live_until, certified_until, due_until, invalid, size, segments, held, stored, sound = row
        standing = Standing(Epoch(live_until), Epoch(certified_until), Epoch(due_until), bool(invalid))
        required = None if segments is None else segments * len(self.duties.own)
        verdict = None if sound is None else bool(sound)
        return BlobRow(blob_id, standing, size, segments, held, required, stored, verdict)

    def object(self, blob_object: BlobObjectId) -> ObjectRecord | None:
        """An object as the chain's facts leave it; none when it was never registered, or ended long ago."""
        with self._database.read() as connection:
            return chain_rows.read_object(connection, blob_object)

    def objects_of(self, blob_id: BlobId, limit: int = 100) -> list[ObjectRecord]:
        """The newest objects of a blob, the newest first."""
        with self._database.read() as connection:
            return chain_rows.read_objects(connection, blob_id, limit)

    def live_sizes(self, blob_id: BlobId, limit: int = 32) -> list[int]:
        """The sizes that live objects of a blob declare, none twice, the most credible first."""
        with self._database.read() as connection:
            return chain_rows.read_live_sizes(connection, blob_id, self.epoch, limit)

    def metadata(self, blob_id: BlobId) -> bytes | None:
        """The metadata of a blob as it travels; none when it is not here."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT data FROM metadata JOIN blobs ON blobs.id = blob WHERE blob_id = ?", (blob_id.digest,)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def held(self, blob_id: BlobId, segment: int) -> set[PairIndex]:
        """The pairs of one segment that are durable here."""
        with self._database.read() as connection:
            blob = chain_rows.blob_row(connection, blob_id)
            return set() if blob is None else pair_rows.held_pairs(connection, blob, segment)

    def missing(
        self, blob_id: BlobId, limit: int | None = None, pairs: Sequence[PairIndex] | None = None
    ) -> list[tuple[int, PairIndex]] | None:
        """The first pairs that the node must hold and does not: (segment, pair), ascending.

        Args:
            pairs: to be looked for instead of those that the node must hold.
        Returns: none while the metadata is not here, since it tells how many segments there are.
        """
        with self._database.read() as connection:
            row = connection.execute("SELECT id, segments FROM blobs WHERE blob_id = ?", (blob_id.digest,)).fetchone()
            if row is None or row[1] is None:
                return None
            wanted = self.duties.pairs(blob_id) if pairs is None else pairs
            return list(itertools.islice(pair_rows.missing_pairs(connection, row[0], row[1], wanted), limit))

    def syncing_complete(self) -> bool:
        """Whether all certified blobs are here in full for the shards that came with the present committee.

        What was certified a moment ago does not count: its slivers may still be on their way, as to any node. Costs a
        look-up for each blob that is to be healed, up to the first that lacks such a pair.
        """
        situation = self._situation
        if not situation.settled:
            return False
        now, after = self._clock(), 0
        with self._database.read() as connection:
            while page := work_rows.to_heal(connection, after, _BLOBS_A_PAGE, now):
                for blob, blob_id, segments in page:
                    pairs = situation.duties.syncing_pairs(blob_id)
                    if pairs and (segments is None or any(pair_rows.missing_pairs(connection, blob, segments, pairs))):
                        return False
                after = page[-1][0]
        return True

    def totals(self) -> Totals:
        """The catalogue in figures. Counts whole tables: for operators, not for each request."""
        with self._database.read() as connection:
            row = connection.execute(
                """
                SELECT (SELECT count(*) FROM blobs WHERE bytes > 0),
                    (SELECT count(*) FROM blobs WHERE certified_until > ?),
                    (SELECT count(*) FROM pairs),
                    (SELECT ifnull(sum(bytes), 0) FROM blobs WHERE bytes > 0),
                    (SELECT count(*) FROM work WHERE kind = 'heal'),
                    (SELECT count(*) FROM work WHERE kind = 'free'),
                    (SELECT count(*) FROM work WHERE kind = 'trim'),
                    (SELECT count(*) FROM facts)
                """,
                (self.epoch,),
            ).fetchone()
        return Totals(*row)

    # -- what is durable ---------------------------------------------------------------------------------------------

    def next_pack(self) -> int:
        """A number for a pack that no other has."""
        return next(self._packs)

    async def add_metadata(self, metadata: BlobMetadata, data: bytes) -> None:
        """Keep a blob's metadata. `data` is what `metadata` was parsed from."""

        def run(connection: Connection, blob: int, _: Wanted) -> bool:
            self._add_metadata(connection, blob, metadata, data)
            return False

        await self._change(metadata.blob_id, run, to_keep=True)

    async def add_pack(
        self,
        pack: int,
        blob_id: BlobId,
        segment: int,
        pairs: Sequence[tuple[PairIndex, int, int]],
        data: bytes | None = None,
        metadata: tuple[BlobMetadata, bytes] | None = None,
    ) -> None:
        """Note that verified pairs are durable: (pair, start, bytes) in the pack numbered `pack`.

        Args:
            data: the pack's bytes when they are to be kept in the catalogue itself; else they are durable already.
            metadata: of the blob, when it came along; as for `add_metadata`.
        """
        now = self._clock()

        def run(connection: Connection, blob: int, want: Wanted) -> bool:
            if metadata is not None:
                self._add_metadata(connection, blob, *metadata)
            if pair_rows.add_pack(connection, pack, blob, segment, pairs, data, want, now) or data is not None:
                return False
            pair_rows.add_garbage(connection, pack)
            return work_rows.add_collecting(connection, now)

        await self._change(blob_id, run, to_keep=True)

    async def drop_pairs(self, blob_id: BlobId, places: Iterable[tuple[int, PairIndex]]) -> None:
        """Forget pairs (segment, pair) whose bytes are gone or wrong; a certified blob will be healed."""
        now = self._clock()
        lost = list(places)

        def run(connection: Connection, blob: int, want: Wanted) -> bool:
            left_garbage = pair_rows.drop_pairs(connection, blob, lost, want)
            return left_garbage and work_rows.add_collecting(connection, now)

        await self._change(blob_id, run, heal_delay=0.0)

    async def note_verdict(self, blob_id: BlobId, sound: bool) -> None:
        """Note whether a blob encodes to its id, as this node found out; one that does not is not healed any more."""

        def run(connection: Connection, blob: int, _: Wanted) -> bool:
            connection.execute("UPDATE blobs SET sound = ? WHERE id = ?", (sound, blob))
            return False

        await self._change(blob_id, run)

    async def free_blob(self, blob_id: BlobId) -> None:
        """Forget all that is held of a blob, if nobody pays for it; otherwise nothing happens."""
        now = self._clock()

        def run(connection: Connection, blob: int, _: Wanted) -> bool:
            wanted = work_rows.is_wanted(connection, WorkKind.FREE, blob)
            left_garbage = wanted and pair_rows.drop_blob(connection, blob)
            return left_garbage and work_rows.add_collecting(connection, now)

        await self._change(blob_id, run)

    def packs_to_divide(self, blob_id: BlobId, limit: int) -> list[PackRow]:
        """Packs in which pairs that are other nodes' now lie beside others; their rows name the others only."""
        with self._database.read() as connection:
            blob = chain_rows.blob_row(connection, blob_id)
            if blob is None or not work_rows.is_wanted(connection, WorkKind.TRIM, blob):
                return []
            return pair_rows.mixed_packs(connection, blob, Wanted.under(self.duties, blob_id), limit)

    async def move_pairs(
        self, old: PackRow, pack: int, pairs: Sequence[tuple[PairIndex, int, int]], data: bytes | None = None
    ) -> None:
        """Note that pairs of the pack `old` are durable in the pack numbered `pack` too: they are read from there now.

        Args:
            pairs: (pair, start, bytes) of each pair in the new pack.
            data: the new pack's bytes when they are to be kept in the catalogue itself; else they are durable already.
        """
        now = self._clock()

        def run(connection: Connection, blob: int, _: Wanted) -> bool:
            if pair_rows.move_pairs(connection, blob, old, pack, pairs, data) or data is not None:
                return False
            pair_rows.add_garbage(connection, pack)
            return work_rows.add_collecting(connection, now)

        await self._change(old.blob_id, run)

    async def trim_blob(self, blob_id: BlobId) -> None:
        """Forget the pairs of a blob that are other nodes' now, if any are; all of it where the node has no part."""
        now = self._clock()

        def run(connection: Connection, blob: int, want: Wanted) -> bool:
            settled = work_rows.situation(connection).settled
            if not settled or not work_rows.is_wanted(connection, WorkKind.TRIM, blob):
                return False
            if want.kept:
                left_garbage = pair_rows.drop_surplus(connection, blob, want)
            else:
                left_garbage = pair_rows.drop_blob(connection, blob)
            return left_garbage and work_rows.add_collecting(connection, now)

        await self._change(blob_id, run)

    async def _change(
        self,
        blob_id: BlobId,
        run: Callable[[Connection, int, Wanted], bool],
        *,
        to_keep: bool = False,
        heal_delay: float | None = None,
    ) -> None:
        """Runs a change of what is held of a blob, then puts the blob's work in line."""
        now = self._clock()

        def change(connection: Connection) -> bool:
            blob = chain_rows.blob_row(connection, blob_id)
            if blob is None:
                if to_keep:
                    raise Bug(f"blob {blob_id} was never registered, yet something is to be kept of it")
                return False
            situation = work_rows.situation(connection)
            told = run(connection, blob, Wanted.under(situation.duties, blob_id))
            return work_rows.replan(connection, blob, situation, self._times(situation, now, heal_delay)) or told

        self._tell(await self._database.write(change))

    @staticmethod
    def _add_metadata(connection: Connection, blob: int, metadata: BlobMetadata, data: bytes) -> None:
        pair_rows.add_metadata(connection, blob, data, metadata.size, metadata.geometry.segments)

    def place_of(
        self, blob_id: BlobId, segment: int, pair: PairIndex, start: int = 0, length: int | None = None
    ) -> PairPlace | None:
        """Where bytes of a pair are, with the bytes themselves if they are in here; none when it is not held."""
        with self._database.read() as connection:
            return pair_rows.place_of(connection, blob_id, segment, pair, start, length)

    def packs_to_check(self, checked_before: float, limit: int) -> list[PackRow]:
        """Packs whose bytes were not checked since then (seconds since 1970), those longest unchecked first."""
        with self._database.read() as connection:
            return pair_rows.packs_to_check(connection, checked_before, limit)

    def pack_data(self, pack: int) -> bytes | None:
        """The bytes of a pack that is kept in the catalogue itself; none when it is elsewhere, or gone."""
        with self._database.read() as connection:
            row = connection.execute("SELECT data FROM packs WHERE id = ?", (pack,)).fetchone()
        return None if row is None or row[0] is None else bytes(row[0])

    def mark_checked(self, packs: Iterable[int]) -> None:
        """Note, within a second, that the bytes of packs were found right."""
        now, checked = self._clock(), list(packs)
        self._database.write_later(lambda c: pair_rows.mark_checked(c, checked, now))

    def garbage(self, limit: int) -> list[int]:
        """Packs that are to be deleted from the sliver store."""
        with self._database.read() as connection:
            return pair_rows.garbage(connection, limit)

    async def forget_garbage(self, packs: Sequence[int]) -> None:
        """Note that packs are deleted from the sliver store."""

        def run(connection: Connection) -> None:
            if not pair_rows.forget_garbage(connection, packs):
                connection.execute("DELETE FROM work WHERE kind = 'collect'")

        await self._database.write(run)

    def packs_outside(self, after: int, limit: int) -> list[PackRow]:
        """The packs with the next numbers above `after` whose bytes are in the sliver store."""
        with self._database.read() as connection:
            return pair_rows.packs_outside(connection, after, limit)

    # -- work --------------------------------------------------------------------------------------------------------

    def due(self, kind: WorkKind, now: float, limit: int) -> list[Work]:
        """The work of a kind that may be done at `now` (seconds since 1970), what waits longest first."""
        if kind is WorkKind.TRIM and not self._situation.settled:
            return []
        with self._database.read() as connection:
            return work_rows.due(connection, kind, now, limit)

    def next_work_after(self, kind: WorkKind, now: float) -> float | None:
        """When, after `now`, the next work of a kind may be done (seconds since 1970); none when there is none."""
        with self._database.read() as connection:
            return work_rows.next_after(connection, kind, now)

    async def postpone(self, work: Work, seconds: float, problem: str) -> None:
        """Note that work failed and why, to be tried again in `seconds`."""
        not_before = self._clock() + seconds

        def run(connection: Connection) -> None:
            blob = work_rows.NO_BLOB if work.blob_id is None else chain_rows.blob_row(connection, work.blob_id)
            if blob is not None:
                work_rows.postpone(connection, work.kind, blob, not_before, problem)

        await self._database.write(run)
