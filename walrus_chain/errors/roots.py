"""What a caller can do about an error: the first split of the tree."""

from __future__ import annotations


class WalrusError(Exception):
    """Root of all errors raised on purpose by Walrus Chain."""


class Retryable(WalrusError):
    """The same call may succeed later, or at another node."""


class Rejected(WalrusError):
    """The chain refused a call; subclasses carry the decoded custom error."""


class Untrusted(WalrusError):
    """A peer sent something that does not verify."""


class Misuse(WalrusError):
    """The request cannot work as asked."""


class Bug(WalrusError):
    """An internal promise was broken."""
