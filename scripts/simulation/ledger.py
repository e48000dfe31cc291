"""Where every wei of a simulated network is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from walrus_chain.errors import Bug
from walrus_chain.rules.pools import Pool
from walrus_chain.types import Wei

USERS = "users"
"""Who pays for storage, and from whom new stake comes."""
REPORTERS = "reporters"
"""Who reports misses."""


class Ledger:
    """Wallets, the reserve of storage fees, and what was burned. Pools hold their part by themselves."""

    def __init__(self, supply: Wei) -> None:
        self.supply = supply
        self.wallets: Counter[str] = Counter({USERS: supply})
        self.fees = 0
        """Paid for storage, not yet earned by anybody."""
        self.burned = 0

    def take(self, owner: str, amount: int) -> Wei:
        """Take `amount` out of a wallet, to be put somewhere else."""
        if amount > self.wallets[owner]:
            raise Bug(f"{owner} pays {amount} wei out of {self.wallets[owner]}")
        self.wallets[owner] -= amount
        return Wei(amount)

    def pay(self, owner: str, amount: int) -> None:
        """Put `amount` into a wallet."""
        self.wallets[owner] += amount

    def missing(self, pools: Iterable[Pool]) -> int:
        """What the supply is above all that is somewhere: zero, or WAL was lost (or, below zero, made)."""
        held = sum(pool.holdings for pool in pools)
        return self.supply - self.wallets.total() - self.fees - self.burned - held
