"""What is asked of an agent about private data, and what it answers: keys, receipts, erasable keys. Pure.

Source: docs/spec/13-access.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from walrus_chain.messages.access import AccessRequest, JobGrant, SessionGrant
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.erasable import ErasableKey
from walrus_chain.messages.receipt import Receipt
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import Address, BlobObjectId, Epoch, NodeId


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
    key_id: bytes
    """8 bytes: to which of the node's keys the data's key was sealed."""
    erasable: bool
    """Whether it was sealed to a key that the node made for the object alone, too."""

    def to_bytes(self) -> bytes:
        """As it travels."""
        document = {
            "grant": self.grant.as_data(),
            "grantSignature": _hex(self.grant_signature),
            "request": self.request.as_data(),
            "requestSignature": _hex(self.request_signature),
            "evidence": _hex(self.evidence),
            "payment": None if self.payment is None else self.payment.as_data(),
            "keyId": _hex(self.key_id),
            "erasable": self.erasable,
        }
        return json.dumps(document, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class JobKeyQuestion:
    """Asks one agent for its share of a key, as a node that a job was drawn to."""

    grant: JobGrant
    terms: bytes
    """Of the job, as the chain hashed them."""
    request: AccessRequest
    request_signature: bytes
    """By the signer of the node that was drawn."""
    key_id: bytes
    """8 bytes: to which of the node's keys the data's key was sealed."""
    erasable: bool
    """Whether it was sealed to a key that the node made for the object alone, too."""

    def as_data(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "job": self.grant.as_data(),
            "terms": _hex(self.terms),
            "request": self.request.as_data(),
            "requestSignature": _hex(self.request_signature),
            "keyId": _hex(self.key_id),
            "erasable": self.erasable,
        }

    def to_bytes(self) -> bytes:
        """As it travels."""
        return json.dumps(self.as_data(), separators=(",", ":")).encode()


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


class JobKeyHolder(Protocol):
    """An agent that may hold a share of the key to a job's input. Raises what `AgentClient` says."""

    @property
    def label(self) -> str:
        """The agent's name and address, for messages to people."""

    async def release_job_key(self, question: JobKeyQuestion) -> KeyAnswer:
        """Its share, sealed to the node that was drawn, with its receipt; neither is verified yet."""


@dataclass(frozen=True, slots=True)
class ReceiptAnchor:
    """Where a receipt is in the tree of its epoch, as its node says."""

    root: bytes
    """32 bytes, as `ReceiptLog.rootOf` should have it."""
    count: int
    """Receipts of the epoch."""
    path: tuple[bytes, ...]
    """From the leaf to the root."""


@dataclass(frozen=True, slots=True)
class FiledReceipt:
    """A receipt as an agent keeps it; nothing is verified yet."""

    receipt: Receipt
    signature: bytes
    epoch: Epoch
    """In whose tree it is, at the place `receipt.index`."""
    anchor: ReceiptAnchor | None
    """None until the epoch is over."""


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Some of the receipts of an agent, oldest first."""

    receipts: tuple[FiledReceipt, ...]
    next: int | None
    """For `after`, to have those behind them; None at the end."""


@dataclass(frozen=True, slots=True)
class SignedErasableKey:
    """A key that an agent made for one object and can destroy; its signature is not verified yet."""

    public_key: bytes
    """96 bytes, to be added to the node's own."""
    signature: bytes
    """By the node's signer."""

    def check(self, node: NodeId, blob_object: BlobObjectId, signer: Address, domain: Domain) -> None:
        """Checks that the node signed that it made this key for this object.

        Args:
            domain: of access.
        Raises: MalformedSignature, WrongSigner.
        """
        ErasableKey(node, blob_object, self.public_key).verify_by(signer, self.signature, domain)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
