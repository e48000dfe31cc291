"""Rules of the chain that are mirrored here: the committee, the fees."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse


class UnfitCandidates(Misuse):
    """A list of candidates from which no committee can be formed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"these candidates form no committee: {why}")
        self.why = why


class WrongTerm(Misuse):
    """A term without epochs, or one that reaches further than epochs can be paid ahead."""

    def __init__(self, epochs: int, maximum: int) -> None:
        why = f"ask for 1 to {maximum}" if maximum > 0 else "no more can be paid ahead now; try in a later epoch"
        super().__init__(f"{epochs} epochs cannot be paid: {why}")
        self.epochs, self.maximum = epochs, maximum


class TermOver(Misuse):
    """A term that is to be extended or refunded has ended."""

    def __init__(self, end: int, current: int) -> None:
        super().__init__(f"the term ended with epoch {end - 1}, it is epoch {current}; register the blob again")
        self.end, self.current = end, current
