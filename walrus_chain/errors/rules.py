"""Rules of the chain that are mirrored here: committee, fees, stake, custody, prices, and the clock."""

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


class BeforeGenesis(Misuse):
    """A time before the first epoch."""

    def __init__(self, time: int, genesis: int) -> None:
        super().__init__(f"at {time} there was no epoch: the first one began at {genesis}")
        self.time, self.genesis = time, genesis


class MoreThanActive(Misuse):
    """More stake is taken out of a pool than an account has active there."""

    def __init__(self, requested: int, active: int) -> None:
        super().__init__(f"{requested} wei cannot be taken out: {active} wei are active")
        self.requested, self.active = requested, active


class NoQuorum(Misuse):
    """Votes that together do not reach a quorum of the shards."""

    def __init__(self, required: int, shards: int) -> None:
        super().__init__(f"these votes hold {shards} shards; {required} decide")
        self.required, self.shards = required, shards


class NoShardDue(Misuse):
    """A node that is asked for custody has no shard to answer for."""

    def __init__(self, epoch: int, node_id: int) -> None:
        super().__init__(f"node {node_id} has no shard to prove in epoch {epoch}")
        self.epoch, self.node_id = epoch, node_id


class MissReportedBefore(Misuse):
    """A miss that was reported before."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"the miss of epoch {epoch} was reported already")
        self.epoch = epoch
