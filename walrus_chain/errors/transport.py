"""Talking with storage agents and IPFS daemons."""

from __future__ import annotations

from walrus_chain.errors.roots import Retryable, Untrusted


class AgentUnreachable(Retryable):
    """No answer from an agent: it is down, its address is wrong, or the connection broke."""

    def __init__(self, agent: str, why: str) -> None:
        super().__init__(f"{agent} cannot be reached: {why}")
        self.agent, self.why = agent, why


class AgentTimedOut(Retryable):
    """An agent took longer than it was given."""

    def __init__(self, agent: str, what: str) -> None:
        super().__init__(f"{agent} took too long: {what}")
        self.agent, self.what = agent, what


class AgentRefused(Retryable):
    """An agent understood the request and said no; `.code` and `.message` are its words.

    `retryable` is the agent's own word on whether the same request may succeed at this agent later; another agent may
    say yes in any case.
    """

    def __init__(
        self,
        agent: str,
        status: int,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{agent} refused ({status} {code}): {message}")
        self.agent, self.status, self.code, self.message = agent, status, code, message
        self.retryable, self.retry_after = retryable, retry_after


class AgentIncomplete(AgentRefused):
    """An agent does not attest because it misses sliver pairs; `.missing` names (segment, pair), the first hundred."""

    def __init__(self, agent: str, message: str, missing: tuple[tuple[int, int], ...]) -> None:
        super().__init__(agent, 409, "Incomplete", message)
        self.missing = missing


class AgentDenied(AgentRefused):
    """An agent does not release a key, since the object's policy denies; `.reason` and `.policy` say why and whose."""

    def __init__(self, agent: str, message: str, reason: str, policy: str) -> None:
        super().__init__(agent, 403, "Denied", message)
        self.reason, self.policy = reason, policy


class AgentWantsPayment(AgentRefused):
    """An agent does not release a key for the payment it was shown; `.price` and `.pool` say what it wants."""

    def __init__(self, agent: str, message: str, price: int, pool: int) -> None:
        super().__init__(agent, 402, "PaymentRequired", message)
        self.price, self.pool = price, pool


class AgentRefusedVoucher(AgentRefused):
    """An agent does not take a voucher; `.why` names the rule.

    Where it is that more was promised before, `.shown` are the vouchers that show it, as data, with their signatures:
    the one that is in the way, and the highest.
    """

    def __init__(self, agent: str, message: str, why: str, shown: tuple[tuple[object, bytes], ...] = ()) -> None:
        super().__init__(agent, 402, "VoucherRefused", message)
        self.why, self.shown = why, shown


class AgentAtKeyEpoch(AgentRefused):
    """An agent releases keys of another key epoch than it was asked for; `.key_epoch` is the one in force."""

    def __init__(self, agent: str, message: str, key_epoch: int) -> None:
        super().__init__(agent, 409, "StaleKeyEpoch", message)
        self.key_epoch = key_epoch


class AgentMisbehaved(Untrusted):
    """An agent's answer is not what the protocol promises; ask another one."""

    def __init__(self, agent: str, what: str) -> None:
        super().__init__(f"{agent} broke the protocol: {what}")
        self.agent, self.what = agent, what


class IpfsUnavailable(Retryable):
    """The IPFS daemon did not answer, or answered with an error."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"the IPFS daemon at {address} failed: {why}; check that it runs and that this is its API port"
        )
        self.address, self.why = address, why


class IpfsContentMissing(Retryable):
    """The IPFS daemon does not have a content id, nor could it find it in time."""

    def __init__(self, address: str, cid: str) -> None:
        super().__init__(f"the IPFS daemon at {address} does not have {cid}")
        self.address, self.cid = address, cid
