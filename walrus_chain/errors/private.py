"""Private data: its keys, who may have them, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from walrus_chain.errors.client import said_by
from walrus_chain.errors.roots import Misuse, Retryable

#: What policies say in one word, in more.
_WORDS: Mapping[str, str] = {
    "NotOwner": "only the owner may use it",
    "NotCertified": "the network does not answer for it yet, or any more",
    "UnknownObject": "there is no such object",
    "KeysDestroyed": "its keys were destroyed",
    "NotListed": "the account is not on the list",
    "Listed": "the account is on the list of those who may not",
    "TooFewTokens": "the account holds too few tokens",
    "NoCredential": "a credential is needed and none was shown; --credential names one",
    "WrongSchema": "the credential is of another kind than is needed",
    "WrongAttester": "the credential was issued by somebody else than is trusted",
    "WrongRecipient": "the credential is somebody else's",
    "CredentialExpired": "the credential expired",
    "CredentialRevoked": "the credential was revoked",
    "TooEarly": "it may not be used yet",
    "TooLate": "it may not be used any more",
    "QuotaUsedUp": "the account has used it as often as it may",
    "NoSubscription": "a subscription is needed; `walrus subscribe` buys one",
    "NoneAllows": "none of several conditions is met",
    "TooFewAllow": "too few of several conditions are met",
    "OperandAllows": "a condition is met that must not be",
    "WrongEvidence": "what was shown as evidence has another form than the policy expects",
    "WrongProof": "the proof of being on the list does not fit the list",
    "PolicyFailed": "its policy does not answer, which denies",
    "PolicyWithoutCode": "its policy is no contract, which denies",
    "QuoteFailed": "its policy does not say what it costs, which denies",
}


class AccessDenied(Misuse):
    """The policy of an object does not allow a use; `reason` is its word, `policy` its address."""

    def __init__(self, blob_object: int, requester: str, reason: str, policy: str) -> None:
        words = f" ({_WORDS[reason]})" if reason in _WORDS else ""
        super().__init__(
            f"object {blob_object} may not be used by {requester}: its policy {policy} says {reason or 'no'}{words}. "
            "Nothing was released and nothing paid"
        )
        self.blob_object, self.requester, self.reason, self.policy = blob_object, requester, reason, policy


class KeysDestroyed(Misuse):
    """The keys of an object were destroyed as its retention policy promised; nobody can read it any more."""

    def __init__(self, blob_object: int) -> None:
        super().__init__(f"object {blob_object} cannot be read any more: its keys were destroyed, as was promised")
        self.blob_object = blob_object


class PriceAboveLimit(Misuse):
    """A use costs more than the caller wants to spend."""

    def __init__(self, blob_object: int, price: int, limit: int, pool: int) -> None:
        super().__init__(
            f"one use of object {blob_object} costs {wal(price)}, paid to pool {pool}, and at most {wal(limit)} may "
            "be spent; allow more with --spend-limit, or buy uses on chain with `walrus buy`"
        )
        self.blob_object, self.price, self.limit, self.pool = blob_object, price, limit, pool


class NoWayToPay(Misuse):
    """A use has a price, and there is neither a use bought on chain nor a channel to pay from."""

    def __init__(self, blob_object: int, price: int, pool: int) -> None:
        super().__init__(
            f"one use of object {blob_object} costs {wal(price)} and there is nothing to pay it from: buy uses with "
            f"`walrus buy {blob_object}`, or open a channel with `walrus channel open {pool} AMOUNT`"
        )
        self.blob_object, self.price, self.pool = blob_object, price, pool


class ChannelUnusable(Misuse):
    """A channel cannot pay for a use; says why."""

    def __init__(self, channel: int, why: str) -> None:
        super().__init__(f"channel {channel} cannot pay for this: {why}")
        self.channel, self.why = channel, why


class ChannelTooSmall(Misuse):
    """A channel has less left than a use costs."""

    def __init__(self, channel: int, price: int, left: int) -> None:
        super().__init__(
            f"channel {channel} has {wal(left)} left and the use costs {wal(price)}; "
            f"`walrus channel top-up {channel} AMOUNT` adds to it"
        )
        self.channel, self.price, self.left = channel, price, left


class KeysUnreachable(Retryable):
    """Too few nodes gave verified shares of an object's key; `reasons` says why, node by node."""

    def __init__(self, blob_object: int, have: int, needed: int, reasons: Mapping[str, str]) -> None:
        super().__init__(
            f"the key of object {blob_object} cannot be had now: {have} of {needed} shares came; try again later. "
            f"What the nodes said:{said_by(reasons)}"
        )
        self.blob_object, self.have, self.needed, self.reasons = blob_object, have, needed, dict(reasons)


class NotSealed(Misuse):
    """Data that is encrypted, and no object on chain has a sealed key for it."""

    def __init__(self, what: object) -> None:
        super().__init__(
            f"{what} is encrypted, and no live object of it has a sealed key on chain; --raw reads the encrypted bytes"
        )
        self.what = what


class TooFewRecipients(Retryable):
    """A key cannot be sealed: too few nodes have keys for it that they proved to have."""

    def __init__(self, threshold: int, usable: int, reasons: Mapping[str, str]) -> None:
        super().__init__(
            f"the key cannot be sealed for {threshold} nodes to open together: {usable} have a usable key."
            f"{said_by(reasons)}"
        )
        self.threshold, self.usable, self.reasons = threshold, usable, dict(reasons)


class WrongThreshold(Misuse):
    """A number of nodes that cannot open a key together."""

    def __init__(self, threshold: int, recipients: int) -> None:
        super().__init__(
            f"{threshold} of {recipients} nodes cannot be what it takes to open the key: choose from 1 to {recipients}"
        )
        self.threshold, self.recipients = threshold, recipients


class UnknownRecipients(Misuse):
    """Nodes were named to seal a key for that do not exist."""

    def __init__(self, nodes: Sequence[int]) -> None:
        super().__init__(
            f"there are no nodes {', '.join(map(str, nodes))}; `walrus info committee` lists those that serve"
        )
        self.nodes = tuple(nodes)


class DataKeyUnknown(Misuse):
    """An owner wants to seal a key anew that neither this computer nor the nodes give it."""

    def __init__(self, blob_object: int, why: str) -> None:
        super().__init__(
            f"the key of object {blob_object} is not on this computer, and the nodes do not release it to you: {why}. "
            "Do it on the computer that stored it"
        )
        self.blob_object, self.why = blob_object, why


class NotPrivate(Misuse):
    """Something was asked about keys of an object that has none."""

    def __init__(self, blob_object: int) -> None:
        super().__init__(f"object {blob_object} has no sealed key: its data is public")
        self.blob_object = blob_object


class CredentialUnknown(Misuse):
    """A credential that the network's registry does not have."""

    def __init__(self, uid: bytes) -> None:
        super().__init__(f"there is no credential 0x{uid.hex()} in this network's registry")
        self.uid = uid


class MembersUnknown(Misuse):
    """The list of a pool's members is needed, and is not published."""

    def __init__(self, pool: int) -> None:
        super().__init__(
            f"the members of pool {pool} are in a tree, and whoever made it did not publish their list; ask for it, "
            "and name the file by --members"
        )
        self.pool = pool


def wal(amount: int) -> str:
    """An amount in WAL. What prints amounts elsewhere stands on a floor above this one."""
    whole, fraction = divmod(amount, 10**18)
    decimals = f"{fraction:018d}".rstrip("0")
    return f"{whole:,}.{decimals} WAL" if decimals else f"{whole:,} WAL"
