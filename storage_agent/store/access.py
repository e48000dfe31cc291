"""What the ledger takes and answers, as frozen values, and why it refuses to record a release."""

from __future__ import annotations

from dataclasses import dataclass

from walrus_chain.errors import Misuse
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.types import Address, BlobObjectId, Epoch, Wei


class NonceUsed(Misuse):
    """A request with this nonce was answered before."""

    def __init__(self, requester: Address, nonce: bytes) -> None:
        super().__init__(f"{requester} used the nonce 0x{nonce.hex()} before; sign the request anew with another one")
        self.requester, self.nonce = requester, nonce


class PurchaseUsed(Misuse):
    """A read that was bought on chain paid for another use already."""

    def __init__(self, blob_object: BlobObjectId, sequence: int) -> None:
        super().__init__(
            f"read {sequence} of object {blob_object} was bought and paid for another use; take the next sequence"
        )
        self.blob_object, self.sequence = blob_object, sequence


class SpendLimitReached(Misuse):
    """A use would cost more than what is left of the session's spend limit."""

    def __init__(self, limit: Wei, spent: Wei, price: Wei) -> None:
        super().__init__(
            f"the session may spend {limit} wei, {spent} are spent here, this use costs {price}; sign another grant"
        )
        self.limit, self.spent, self.price = limit, spent, price


class NotPaid(Misuse):
    """A use has a price, and nothing was given for it."""

    def __init__(self, price: Wei) -> None:
        super().__init__(f"this use costs {price} wei, and nothing was paid for it")
        self.price = price


@dataclass(frozen=True, slots=True)
class Payment:
    """What pays for one use."""

    paid_by: PaidBy
    amount: Wei
    pool: int
    """The revenue pool that is paid; 0 for none."""
    channel: int = 0
    cumulative: Wei = Wei(0)  # noqa: RUF009 - a number
    signature: bytes = b""
    """Of the voucher."""

    @property
    def first(self) -> Wei:
        """Where the voucher's stretch begins."""
        return Wei(self.cumulative - self.amount)


FREE = Payment(PaidBy.FREE, Wei(0), 0)


@dataclass(frozen=True, slots=True)
class Use:
    """A use of data that was decided on, to be recorded before its key is released."""

    digest: bytes
    requester: Address
    blob_object: BlobObjectId
    sequence: int
    session: bytes
    """Digest of the session grant."""
    session_ends: int
    """When the grant ends, seconds since 1970."""
    spend_limit: Wei
    """All that vouchers may pay under that grant."""
    nonce: bytes
    expires_at: int
    price: Wei
    payment: Payment | None
    """What the requester offers now; none for what is free, or was paid before."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a new receipt goes."""

    epoch: Epoch
    place: int
    """Within the epoch, from 0."""


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt as it is kept."""

    digest: bytes
    data: dict[str, object]
    """As it travels."""
    signature: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """A release that is durable: nonce, payment and receipt. The only thing that a key is released for."""

    payment: Payment
    """What paid for the use, now or earlier."""
    paid_now: bool
    slot: Slot
    receipt: SignedReceipt


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt in the log."""

    number: int
    """Over all epochs, ascending."""
    slot: Slot
    receipt: SignedReceipt


@dataclass(frozen=True, slots=True)
class Promise:
    """The best voucher of a channel that is not redeemed for good."""

    channel: int
    cumulative: Wei
    amount: Wei
    purpose: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Anchor:
    """A sealed epoch."""

    epoch: Epoch
    root: bytes
    count: int
    anchored: bool
    """Whether the chain has the root for good."""


@dataclass(frozen=True, slots=True)
class ErasableRow:
    """An object's own key."""

    blob_object: BlobObjectId
    public_key: bytes
    destroyed_at: float | None
    """Seconds since 1970."""
    attested: bool


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """The ledger in figures."""

    releases: int
    promised_channels: int
    """Channels with vouchers that are not redeemed for good."""
    to_anchor: int
    """Sealed epochs whose root is not on chain for good."""
    erasable: int
    """Keys of objects that are to be erased one day, and are still there."""
    to_attest: int
    """Destroyed keys whose destruction is not on chain."""
