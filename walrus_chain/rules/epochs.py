"""The clock of a network: which epoch it is, and what may be done when in it.

An epoch of L seconds:

    start          + L / 4                + L / 2             + 3 L / 4               end
      |--------------|----------------------|--------------------|----------------------|
                     the custody window     the cut: deposits    an open window closes;
                     may be opened          count an epoch       misses are reported, until
                     from here, until       later; the next      the next epoch is over
                     before the cut         committee is fixed

All times are whole seconds of the chain's clock; parts are rounded down. Source: docs/spec/04-committee.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.errors import BeforeGenesis
from walrus_chain.types import Epoch


@dataclass(frozen=True, slots=True)
class EpochClock:
    """What a deployment fixed of its time."""

    genesis: int
    """When epoch 1 began."""
    epoch_seconds: int
    """L: how long each epoch lasts."""

    def epoch_at(self, time: int) -> Epoch:
        """The epoch at `time`.

        Raises: BeforeGenesis: there was no epoch yet.
        """
        if time < self.genesis:
            raise BeforeGenesis(time, self.genesis)
        return Epoch(1 + (time - self.genesis) // self.epoch_seconds)

    def start_of(self, epoch: Epoch) -> int:
        """When `epoch` begins."""
        return self.genesis + (epoch - 1) * self.epoch_seconds

    def cut_of(self, epoch: Epoch) -> int:
        """From when on in `epoch` the next one's committee may be selected."""
        return self.start_of(epoch) + self.epoch_seconds // 2

    def target_at(self, time: int) -> Epoch:
        """The epoch whose committee is to be selected at `time`: the next one from the cut on, the present one before.

        Raises: BeforeGenesis: as `epoch_at`.
        """
        epoch = self.epoch_at(time)
        return Epoch(epoch + (time >= self.cut_of(epoch)))

    def activation_at(self, time: int) -> Epoch:
        """The epoch from which on a deposit made at `time` counts.

        Raises: BeforeGenesis: as `epoch_at`.
        """
        return Epoch(self.target_at(time) + 1)

    def window_opens(self, epoch: Epoch) -> int:
        """From when on the custody window of `epoch` may be opened."""
        return self.start_of(epoch) + self.epoch_seconds // 4

    def window_opens_until(self, epoch: Epoch) -> int:
        """Before when the custody window of `epoch` must be opened: the cut."""
        return self.cut_of(epoch)

    def window_closes(self, epoch: Epoch) -> int:
        """From when on the window of `epoch` takes no proofs, and misses may be reported."""
        return self.start_of(epoch) + self.epoch_seconds * 3 // 4

    def report_deadline(self, epoch: Epoch) -> int:
        """Before when a miss of `epoch` must be reported."""
        return self.start_of(Epoch(epoch + 2))
