"""What is asked of an agent about private data, and what it answers: keys, receipts, erasable keys. Pure.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from walrus_chain.messages.access import AccessRequest, SessionGrant
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.receipt import Receipt
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Epoch


@dataclass(frozen=True, slots=True)
class PurchasePayment:
    """The use was bought on chain."""

    def as_data(self) -> dict[str, Any]:
        """As it travels."""
        return {"kind": "purchase"}


@dataclass(frozen=True, slots=True)
class VoucherPayment:
    """The use is paid from a channel."""

    voucher: Voucher
    signature: bytes
    """65 bytes r ‖ s ‖ v, by the channel's signer."""

    def as_data(self) -> dict[str, Any]:
        """As it travels."""
        return {"kind": "voucher", "voucher": self.voucher.as_data(), "signature": _hex(self.signature)}


#: None for a use that is free.
Payment: TypeAlias = "PurchasePayment | VoucherPayment | None"


@dataclass(frozen=True, slots=True)
class KeyQuestion:
    """Asks one agent for its share of a key."""

    grant: SessionGrant
    grant_signature: bytes
    """By the requester: a key's 65 bytes, or whatever its contract takes."""
    request: AccessRequest
    request_signature: bytes
    """By the session key."""
    evidence: bytes
    payment: Payment

    def to_bytes(self) -> bytes:
        """As it travels."""
        document = {
            "grant": self.grant.as_data(),
            "grantSignature": _hex(self.grant_signature),
            "request": self.request.as_data(),
            "requestSignature": _hex(self.request_signature),
            "evidence": _hex(self.evidence),
            "payment": None if self.payment is None else self.payment.as_data(),
        }
        return json.dumps(document, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """An agent's share of a key, sealed to the session, and its receipt for it; neither is verified yet."""

    share: bytes
    """HPKE: encapsulated key ‖ ciphertext."""
    key_id: bytes
    """8 bytes: which of the agent's keys made it."""
    receipt: Receipt
    receipt_signature: bytes
    """By the node's signer."""


@dataclass(frozen=True, slots=True)
class FiledReceipt:
    """A receipt as an agent keeps it; nothing is verified yet."""

    receipt: Receipt
    signature: bytes
    epoch: Epoch
    """The epoch whose tree it is in."""
    proof: tuple[bytes, ...] | None
    """Merkle path of its digest in that tree, from the leaf up; None while the epoch is not anchored."""
    count: int | None
    """Leaves of that tree; None while the epoch is not anchored."""


@dataclass(frozen=True, slots=True)
class SignedErasableKey:
    """A key that an agent made for one object and can destroy; its signature is not verified yet."""

    key: ErasableKey
    signature: bytes
    """By the node's signer."""


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
