"""Words that people type and that mean nothing."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse


class MalformedBlobId(Misuse):
    """A text that should name a blob does not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not a blob id ({why}); a blob id is 43 base64url characters or 64 hex digits")
        self.text, self.why = text, why


class MalformedAmount(Misuse):
    """A text that should be an amount of WAL is not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not an amount: {why}")
        self.text, self.why = text, why


class MalformedShare(Misuse):
    """A text that should be a share of something is not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not a share: {why}")
        self.text, self.why = text, why
