"""Attestations, keys and certificates."""

from __future__ import annotations

from walrus_chain.errors.roots import Bug, Misuse, Retryable, Untrusted


class MalformedPrivateKey(Misuse):
    """Bytes that are no private key. The message never holds the key."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is not a private key: {why}")
        self.why = why


class MalformedSignature(Untrusted):
    """Bytes that are not a signature in the one form that the contracts take."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is not a signature: {why}; it must be r ‖ s ‖ v, 65 bytes, low s, v 27 or 28")
        self.why = why


class WrongSigner(Untrusted):
    """A good signature, but by another key, or over other words."""

    def __init__(self, expected: object, actual: object) -> None:
        super().__init__(f"the signature is not by {expected}: it recovers to {actual}")
        self.expected, self.actual = expected, actual


class NotAMember(Untrusted):
    """A signature by somebody who has no place in the serving committee."""

    def __init__(self, signer: object) -> None:
        super().__init__(f"{signer} signs for no member of the serving committee; its signature does not count")
        self.signer = signer


class AttestationMismatch(Untrusted):
    """A node attested something else than it was asked for."""

    def __init__(self, signer: object, expected: object, actual: object) -> None:
        super().__init__(f"{signer} attested {actual}, but {expected} was asked for")
        self.signer, self.expected, self.actual = signer, expected, actual


class QuorumNotReached(Retryable):
    """The attestations collected so far do not make a certificate; collect more."""

    def __init__(self, blob_id: object, required: int, weight: int) -> None:
        super().__init__(f"blob {blob_id}: {required} shards are required, {weight} attested; ask more nodes")
        self.blob_id, self.required, self.weight = blob_id, required, weight


class MalformedCommittee(Bug):
    """A committee that breaks its own rules: a shard with no owner or two, a signer twice."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is not a committee: {why}")
        self.why = why
