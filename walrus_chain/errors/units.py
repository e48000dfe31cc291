"""Lists of the members of a revenue pool, and their units."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse, Untrusted


class MalformedUnits(Misuse):
    """A list of accounts and units that no pool can be made of."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line, self.why = line, why


class UnitsOutOfBounds(Misuse):
    """A list of members whose units are together none, or more than a pool can have."""

    def __init__(self, units: int, maximum: int) -> None:
        super().__init__(f"a pool has 1 to {maximum} units, these are {units}; give each member a smaller number")
        self.units, self.maximum = units, maximum


class NotInUnits(Misuse):
    """An account that a list of members does not name."""

    def __init__(self, account: str) -> None:
        super().__init__(f"{account} is not in the list of this pool's members")
        self.account = account


class TooManyUnits(Misuse):
    """More units are handed on than an account holds."""

    def __init__(self, account: str, requested: int, held: int) -> None:
        super().__init__(f"{account} cannot hand on {requested} units: it holds {held}")
        self.account, self.requested, self.held = account, requested, held


class UnitsMismatch(Untrusted):
    """A list of members that is not the one a pool was made from."""

    def __init__(self, expected: bytes, actual: bytes) -> None:
        super().__init__(f"the list has the root 0x{actual.hex()}, the pool was made from 0x{expected.hex()}")
        self.expected, self.actual = expected, actual
