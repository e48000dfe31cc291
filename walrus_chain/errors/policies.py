"""Ready-made policies: kinds, evidence, and lists of accounts."""

from __future__ import annotations

from collections.abc import Sequence

from walrus_chain.errors.roots import Misuse


class NoSuchKind(Misuse):
    """There is no ready-made policy of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no ready-made policy {name!r}; there are {', '.join(known)}")
        self.name, self.known = name, tuple(known)


class EvidenceTooLong(Misuse):
    """What would be shown to a policy is more than the network hands on."""

    def __init__(self, maximum: int, actual: int) -> None:
        super().__init__(f"the evidence has {actual} bytes, {maximum} are allowed; show less, or to fewer policies")
        self.maximum, self.actual = maximum, actual


class MalformedEvidence(Misuse):
    """Bytes that are no evidence for a policy that asks others."""

    def __init__(self, count: int) -> None:
        super().__init__(f"that is not the evidence for {count} policies; it is abi.encode(bytes[]), an entry for each")
        self.count = count


class EmptyAllowList(Misuse):
    """An allow list without accounts."""

    def __init__(self) -> None:
        super().__init__("the list names no account; write one a line")


class WrongAccountLine(Misuse):
    """A line of a list of accounts that cannot be taken: it names none, or one that was named before."""

    def __init__(self, line: int, text: str, why: str) -> None:
        super().__init__(f"line {line}, {text!r}: {why}")
        self.line, self.text, self.why = line, text, why


class NotOnAllowList(Misuse):
    """An account that is to prove that it is on a list is not."""

    def __init__(self, account: str) -> None:
        super().__init__(f"{account} is not on this list; whoever keeps the list can add it")
        self.account = account
