"""Blobs that come and go: what they pay, which nodes are asked about, and how much of them lies on a shard."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

from scripts.simulation.parameters import Rules
from walrus_chain.codec.geometry import SEGMENT_BYTES, Geometry
from walrus_chain.rules.custody import SIZE_CLASSES, Entry, Window, size_class
from walrus_chain.rules.fees import Income, PriceList, refund
from walrus_chain.rules.prices import PriceVote, tally
from walrus_chain.types import BlobId, Epoch, Wei

SMALLEST, LARGEST = 2**16, 2**34
TERMS = (10, 60)
DELETED = 0.2
"""The chance of a blob to be deleted some time before its end."""


class Market:
    """All blob objects that nodes answer for, in the order in which the chain keeps them."""

    def __init__(self, rules: Rules, dice: random.Random) -> None:
        self._rules, self._dice = rules, dice
        self.unit_price = rules.unit_price
        self.income = Income()
        self.classes: list[list[Entry]] = [[] for _ in range(SIZE_CLASSES)]
        self.alive = 0
        self.bytes_a_shard = 0
        self.longest_term = TERMS[1]
        self._rates: dict[BlobId, Wei] = {}
        self._deletions: dict[int, list[BlobId]] = defaultdict(list)

    def register(self, epoch: Epoch) -> Wei:
        """One more blob, of a size between 64 KiB and 16 GiB, each magnitude alike; what was paid for it."""
        size = round(SMALLEST * (LARGEST / SMALLEST) ** self._dice.random())
        term = self._dice.randint(*TERMS)
        price = self._prices().quote(size, term)
        self.income = self.income.after_registration(price, epoch, term)
        entry = Entry(BlobId(self._dice.randbytes(32)), size, Epoch(epoch + term))
        self.classes[size_class(size)].append(entry)
        self._rates[entry.blob_id] = price.rate
        self.alive += 1
        self.bytes_a_shard += self._pair_bytes(size)
        if self._dice.random() < DELETED:
            self._deletions[epoch + self._dice.randrange(term)].append(entry.blob_id)
        return price.total

    def delete_some(self, epoch: Epoch) -> Wei:
        """Delete what its owners end in this epoch; nodes keep it until the epoch is over. What is paid back."""
        chosen, paid_back = set(self._deletions.pop(epoch, ())), 0
        if chosen:
            for entries in self.classes:
                for place, entry in enumerate(entries):
                    if entry.blob_id in chosen:
                        rate = self._rates[entry.blob_id]
                        paid_back += refund(rate, entry.until, epoch)
                        self.income = self.income.after_refund(rate, entry.until, epoch)
                        entries[place] = replace(entry, until=Epoch(epoch + 1))
        return Wei(paid_back)

    def sweep(self, epoch: Epoch) -> None:
        """Take out what nodes do not answer for any more; the last entry of a class takes a removed one's place."""
        for entries in self.classes:
            for place in reversed(range(len(entries))):
                if entries[place].until <= epoch:
                    self.alive -= 1
                    self.bytes_a_shard -= self._pair_bytes(entries[place].size)
                    del self._rates[entries[place].blob_id]
                    entries[place] = entries[-1]
                    entries.pop()

    def window(self, epoch: Epoch) -> Window:
        """What nodes are asked from in this epoch; entries that come later do not count."""
        lengths = [len(entries) for entries in self.classes]
        return Window(self._rules.shards, epoch, self._dice.randbytes(32), self.classes, lengths)

    def count_votes(self, votes: list[PriceVote]) -> None:
        """Fix the price of the next epoch."""
        quorum = Geometry(self._rules.shards).quorum
        self.unit_price = tally(votes, quorum, self.unit_price, self._rules.maximum_price)

    def _prices(self) -> PriceList:
        rules = self._rules
        return PriceList(rules.shards, rules.unit_bytes, self.unit_price, rules.write_fee, rules.maximum_epochs)

    def _pair_bytes(self, size: int) -> int:
        """Bytes of a blob of this size on one shard, without metadata."""
        geometry = Geometry(self._rules.shards)
        blob = geometry.blob(size)
        full, last = geometry.segment(SEGMENT_BYTES), blob.segment(blob.segments - 1)
        return (blob.segments - 1) * full.pair_bytes + last.pair_bytes
