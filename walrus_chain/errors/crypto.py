"""Keys, envelopes and encrypted data. No message holds a secret, or says more than that something does not fit."""

from __future__ import annotations

from walrus_chain.errors.roots import Misuse, Retryable, Untrusted


class MalformedKey(Untrusted):
    """Bytes that are not the one encoding of a usable public key."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"that is no {what}: {why}")
        self.what, self.why = what, why


class WrongProof(Untrusted):
    """A node's key whose proof of possession is not by that key for that signer; seal nothing to it."""

    def __init__(self, signer: object) -> None:
        super().__init__(
            f"the key registered with signer {signer} is not proven to be in its node's hands; leave it out"
        )
        self.signer = signer


class MalformedIdentity(Misuse):
    """A number or address that cannot be part of what a key is sealed for."""

    def __init__(self, what: str, actual: object) -> None:
        super().__init__(f"a key cannot be sealed for {what} {actual!r}")
        self.what, self.actual = what, actual


class WrongSealing(Misuse):
    """Recipients or a threshold to which no key can be sealed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a key cannot be sealed so: {why}")
        self.why = why


class MalformedEnvelope(Untrusted):
    """Bytes that are not the one encoding of an envelope."""

    def __init__(self, why: str) -> None:
        super().__init__(f"these bytes are no envelope: {why}")
        self.why = why


class EnvelopeNotOpened(Untrusted):
    """Enough true shares, but the envelope does not open: it was changed or sealed wrongly, or is for other data."""

    def __init__(self) -> None:
        super().__init__(
            "the envelope does not open with shares that are right: it was changed or sealed wrongly; ask the owner "
            "to seal the key again"
        )


class NotARecipient(Misuse):
    """A node to which the key was not sealed."""

    def __init__(self, node: object) -> None:
        super().__init__(f"the key is not sealed to node {node}; ask the nodes that the envelope names")
        self.node = node


class SealedToOtherKey(Untrusted):
    """A public key of a node that is not the one to which the key was sealed."""

    def __init__(self, node: object, expected: bytes, actual: bytes) -> None:
        super().__init__(
            f"the key is sealed to key {expected.hex()} of node {node}, this is its key {actual.hex()}; take the one "
            "that the node had registered then"
        )
        self.node, self.expected, self.actual = node, expected, actual


class WrongShare(Untrusted):
    """A node gave a share that is not its share for this identity; ask another node."""

    def __init__(self, node: object) -> None:
        super().__init__(f"node {node} gave a wrong share of the key; ask another node")
        self.node = node


class NotEnoughShares(Retryable):
    """Fewer shares than the envelope's threshold; ask more nodes."""

    def __init__(self, have: int, needed: int) -> None:
        super().__init__(f"{have} shares of the key at hand, {needed} are needed; ask more nodes")
        self.have, self.needed = have, needed


class SealNotOpened(Untrusted):
    """A sealed answer that was not made for this key and this request, or was changed."""

    def __init__(self) -> None:
        super().__init__("the sealed answer does not open: it was changed, or made for another key or request")


class MalformedCiphertext(Untrusted):
    """Bytes, or a number of bytes, that encrypted data cannot have."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this is no encrypted data: {why}")
        self.why = why


class WrongDataKey(Untrusted):
    """Data that was encrypted with another key than the one at hand, or whose header was changed."""

    def __init__(self) -> None:
        super().__init__("the data was encrypted with another key than the one that was published for it")


class ChunkNotOpened(Untrusted):
    """A piece of encrypted data that was changed, moved or cut off."""

    def __init__(self, index: int) -> None:
        super().__init__(f"encrypted chunk {index} does not open: it was changed, moved or cut off")
        self.index = index


class PlaintextChanged(Retryable):
    """What is being encrypted is not what it was; nothing of the new bytes was given out. Begin again."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the data changed while it was encrypted (chunk {index}); store it again when it is at rest")
        self.index = index
