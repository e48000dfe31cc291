"""Grants and requests for the use of data."""

from __future__ import annotations

from walrus_chain.errors.roots import Untrusted


class MalformedMessage(Untrusted):
    """A message with a value that it cannot have, or data that is no such message."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"that is no {what}: {why}")
        self.what, self.why = what, why


class GrantExpired(Untrusted):
    """A session grant that does not hold at this time; sign another."""

    def __init__(self, valid_from: int, valid_until: int, now: int) -> None:
        super().__init__(
            f"the session grant holds from {valid_from} to before {valid_until}, and it is {now} (seconds since 1970); "
            "sign another"
        )
        self.valid_from, self.valid_until, self.now = valid_from, valid_until, now


class RequestExpired(Untrusted):
    """A request that is over, or claims to hold for longer than is taken; sign another."""

    def __init__(self, expires_at: int, now: int, latest: int) -> None:
        super().__init__(
            f"the request expires at {expires_at}, which must be after {now} and at most {latest} (seconds since "
            "1970); sign another"
        )
        self.expires_at, self.now, self.latest = expires_at, now, latest


class OutsideScope(Untrusted):
    """A request for something that the session grant does not cover."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the session grant does not cover {what}; sign one that does")
        self.what = what


class WrongGrant(Untrusted):
    """A request that was signed under another session grant, or in another network."""

    def __init__(self, expected: bytes, actual: bytes) -> None:
        super().__init__(f"the request is under grant 0x{actual.hex()}, it came with grant 0x{expected.hex()}")
        self.expected, self.actual = expected, actual


class WrongNode(Untrusted):
    """A request that was signed for another node."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the request is for node {actual}, this is node {expected}")
        self.expected, self.actual = expected, actual
