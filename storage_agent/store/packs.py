"""Sliver pairs, durable: the one door to the sliver store.

Pairs of a segment that arrive together are kept together, as one *pack*: a small pack inside the catalogue, where it
costs no more than the row about it; a larger one in the sliver store under its number. A pair is held when its row is
committed, which is after its bytes are durable. What the rows do not name does not exist: bytes that a crash left
behind are found and removed by `sweep`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from storage_agent.store.catalogue import Catalogue
from storage_agent.store.rows import PackRow
from storage_agent.store.slivers import SliverStore
from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.metadata import BlobMetadata
from walrus_chain.errors import PairNotHeld, SliverMissing
from walrus_chain.types import BlobId, PairIndex

_log = logging.getLogger(__name__)

#: Packs up to this size are kept in the catalogue, where they share its commit.
DEFAULT_INLINE_BYTES: Final = 64 * 1024
_FOLDER: Final = "packs"
_PACKS_A_FOLDER: Final = 1024
_PACKS_AT_ONCE: Final = 200


class Packs:
    """The sliver pairs that this node holds."""

    def __init__(self, catalogue: Catalogue, store: SliverStore, inline_bytes: int = DEFAULT_INLINE_BYTES) -> None:
        """
        Args:
            inline_bytes: the largest pack that is kept in the catalogue; 0 keeps all in the store.
        """
        self._catalogue = catalogue
        self._store = store
        self._inline_bytes = inline_bytes

    @property
    def name(self) -> str:
        """What people call the sliver store."""
        return self._store.name

    async def free_bytes(self) -> int | None:
        """How many more bytes fit; none where nobody can say."""
        return await self._store.free_bytes()

    async def put(
        self,
        blob_id: BlobId,
        segment: int,
        pairs: Mapping[PairIndex, Buffer],
        metadata: tuple[BlobMetadata, bytes] | None = None,
    ) -> None:
        """Keep verified pairs of one segment; durable on return, with the rows about them.

        Args:
            pairs: each is its primary sliver followed by its secondary one. Those held already are skipped.
            metadata: of the blob with the bytes it was parsed from, to be kept along with the pairs.
        Raises: StoreFull, StoreUnavailable: nothing was kept.
        """
        held = self._catalogue.held(blob_id, segment)
        new = [(pair, data) for pair, data in pairs.items() if pair not in held]
        if not new:
            if metadata is not None:
                await self._catalogue.add_metadata(*metadata)
            return
        pack, places, inline = await self._write(new)
        await self._catalogue.add_pack(pack, blob_id, segment, places, inline, metadata)

    async def _write(
        self, pairs: Sequence[tuple[PairIndex, Buffer]]
    ) -> tuple[int, list[tuple[PairIndex, int, int]], bytes | None]:
        """A new pack: its number, (pair, start, bytes) in it, and its bytes where they go into the catalogue."""
        places, start = [], 0
        for pair, data in pairs:
            places.append((pair, start, len(data)))
            start += len(data)
        pack = self._catalogue.next_pack()
        inline = b"".join([data for _, data in pairs]) if start <= self._inline_bytes else None
        if inline is None:
            await self._store.put(key_of(pack), [data for _, data in pairs])
        return pack, places, inline

    async def read(
        self, blob_id: BlobId, segment: int, pair: PairIndex, start: int = 0, length: int | None = None
    ) -> bytes:
        """Bytes of a pair, as they were put; not verified again.

        Args:
            start: the first byte within the pair.
            length: how many; all up to the end of the pair when none.
        Raises:
            PairNotHeld: the pair is not here. When its bytes got lost, it is forgotten, so that it will be healed.
            StoreUnavailable: the store failed.
        """
        while place := self._catalogue.place_of(blob_id, segment, pair, start, length):
            if place.data is not None:
                return place.data
            try:
                data = await self._store.get(key_of(place.pack), place.start, place.length)
            except SliverMissing:
                data = b""
            if len(data) == place.length:
                return data
            now = self._catalogue.place_of(blob_id, segment, pair)
            if now is not None and now.pack == place.pack:
                _log.warning("pack %d of blob %s is lost or cut short: pair %d is forgotten", place.pack, blob_id, pair)
                await self._catalogue.drop_pairs(blob_id, [(segment, pair)])
            # Otherwise it was freed meanwhile, or packed anew: it is looked for there.
        raise PairNotHeld(blob_id, segment, pair)

    async def read_pack(self, pack: PackRow) -> list[tuple[PairIndex, bytes]]:
        """All pairs in use of a pack, read from where they are kept, for checking them.

        Raises:
            SliverMissing: the bytes are gone; forget the pairs by `forget`.
            StoreUnavailable: the store failed.
        """
        data = self._catalogue.pack_data(pack.pack)
        if data is None:
            data = await self._store.get(key_of(pack.pack))
        return [(pair, data[start : start + length]) for pair, start, length in pack.pairs]

    async def forget(self, blob_id: BlobId, places: Iterable[tuple[int, PairIndex]]) -> None:
        """Forget pairs (segment, pair) whose bytes are wrong; those of a certified blob will be healed."""
        await self._catalogue.drop_pairs(blob_id, places)

    async def free(self, blob_id: BlobId) -> None:
        """Forget all that is held of a blob that nobody pays for any more; the bytes go with the next `collect`."""
        await self._catalogue.free_blob(blob_id)

    async def trim(self, blob_id: BlobId) -> None:
        """Forget the pairs of a blob that are other nodes' now; the bytes go with the next `collect`.

        Pairs that stay and share a pack with others are packed anew first, or the others' bytes would stay with them.

        Raises: StoreFull, StoreUnavailable: the store failed; the rest is trimmed next time.
        """
        while packs := self._catalogue.packs_to_divide(blob_id, _PACKS_AT_ONCE):
            for old in packs:
                await self._divide(old)
        await self._catalogue.trim_blob(blob_id)

    async def _divide(self, old: PackRow) -> None:
        """Pack the pairs that `old` names anew; what turns out to be lost or cut short is forgotten."""
        try:
            found = dict(await self.read_pack(old))
        except SliverMissing:
            found = {}
        whole = [(pair, found[pair]) for pair, _, length in old.pairs if len(found.get(pair, b"")) == length]
        if len(whole) < len(old.pairs):
            lost = {pair for pair, _, _ in old.pairs} - {pair for pair, _ in whole}
            await self.forget(old.blob_id, [(old.segment, pair) for pair in lost])
        if whole:
            await self._catalogue.move_pairs(old, *await self._write(whole))

    async def collect(self) -> int:
        """Delete packs that nothing refers to any more; how many they were.

        Raises: StoreUnavailable: the store failed; the rest is deleted next time.
        """
        collected = 0
        while packs := self._catalogue.garbage(_PACKS_AT_ONCE):
            for pack in packs:
                await self._store.delete(key_of(pack))
            await self._catalogue.forget_garbage(packs)
            collected += len(packs)
        return collected

    async def sweep(self) -> int:
        """Bring store and rows together after a crash or a loss; once a start, while everything else runs.

        Packs that were stored but never noted are deleted; pairs whose pack is gone are forgotten, so that those of
        certified blobs will be healed. Packs made since this start are left alone.

        Returns: how many packs were on one side only.
        Raises: StoreUnavailable: the store failed.
        """
        stored = {pack async for key in self._store.keys(_FOLDER) if (pack := _pack_of(key)) is not None}
        stored = {pack for pack in stored if pack < self._catalogue.first_pack}
        odd = 0
        after = 0
        while known := self._catalogue.packs_outside(after, _PACKS_AT_ONCE):
            after = known[-1].pack
            for row in known:
                if row.pack in stored:
                    stored.remove(row.pack)
                elif row.pack < self._catalogue.first_pack:
                    _log.warning("pack %d of blob %s is gone from %s", row.pack, row.blob_id, self._store.name)
                    await self.forget(row.blob_id, [(row.segment, pair) for pair, _, _ in row.pairs])
                    odd += 1
        for pack in stored:
            await self._store.delete(key_of(pack))
        return odd + len(stored)


def key_of(pack: int) -> str:
    """Where a pack is in the sliver store; a thousand of them share a folder."""
    return f"{_FOLDER}/{pack // _PACKS_A_FOLDER:06x}/{pack:010x}"


def _pack_of(key: str) -> int | None:
    """The number of the pack under `key`; none when the key is not one of ours."""
    try:
        pack = int(key.rpartition("/")[2], 16)
    except ValueError:
        return None
    return pack if key == key_of(pack) else None
