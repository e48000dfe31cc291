"""Jobs: what cannot be ordered, and results that cannot be had."""

from __future__ import annotations

from collections.abc import Mapping

from walrus_chain.errors.client import said_by
from walrus_chain.errors.private import wal
from walrus_chain.errors.roots import Misuse, Retryable, Untrusted


class JobAboveLimit(Misuse):
    """A job costs more than the caller wants to spend."""

    def __init__(self, price: int, limit: int) -> None:
        super().__init__(
            f"the job costs {wal(price)}, fee and policies together, and at most {wal(limit)} may be spent; nothing "
            "was paid. Allow more with --max, or offer a lower fee"
        )
        self.price, self.limit = price, limit


class InputsUnreadable(Misuse):
    """A dry run of a program on inputs that this account may not read, or that are not named."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the fuel cannot be found out by running the program here: {why}. Name it with --fuel")
        self.why = why


class TrialFailed(Misuse):
    """A program that does not finish on this computer, so that nobody should pay for a job of it."""

    def __init__(self, ending: str, message: str) -> None:
        super().__init__(
            f"a run on this computer ended by {ending}{': ' if message else ''}{message}; nothing was requested. "
            "Name the fuel with --fuel to request it all the same"
        )
        self.ending, self.message = ending, message


class JobUnsettled(Retryable):
    """The result of a job was asked for that is not over."""

    def __init__(self, job: int, status: str) -> None:
        super().__init__(f"job {job} has no result yet, it is {status}; `walrus compute watch {job}` waits for it")
        self.job, self.status = job, status


class JobWithoutResult(Misuse):
    """A job is over and no result counts; it was paid back."""

    def __init__(self, job: int, *, cancelled: bool) -> None:
        why = "no nodes were drawn in time" if cancelled else "too few nodes came to the same result"
        super().__init__(f"job {job} has no result: {why}. What it cost was paid back; request it again")
        self.job, self.cancelled = job, cancelled


class OutputKeyUnknown(Misuse):
    """An output is sealed to a key that is not on this computer."""

    def __init__(self, job: int, key: bytes) -> None:
        super().__init__(
            f"the output of job {job} is sealed to the key 0x{key.hex()}, whose private part is not on this computer; "
            "use the one that it was requested from"
        )
        self.job, self.key = job, key


class OutputUnreachable(Retryable):
    """No node gave the output that counts; `reasons` says why, node by node."""

    def __init__(self, job: int, reasons: Mapping[str, str]) -> None:
        super().__init__(
            f"the output of job {job} cannot be had now: no node gave the one that counts; try again later. "
            f"What the nodes said:{said_by(reasons)}"
        )
        self.job, self.reasons = job, dict(reasons)


class WrongOutput(Untrusted):
    """A node served something else than the output that counts on chain."""

    def __init__(self, job: int, result_hash: bytes) -> None:
        super().__init__(f"that is not the output of job {job} with the result 0x{result_hash.hex()}")
        self.job, self.result_hash = job, result_hash
