"""What a request for a key asks, parsed at the edge: forms and lengths are right, and nothing is checked yet. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from storage_agent.node.refusals import MalformedRequest
from walrus_chain.crypto.node_key import KEY_ID_BYTES
from walrus_chain.errors import MalformedMessage
from walrus_chain.messages.access import FREE, PURCHASE, AccessRequest, SessionGrant
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.voucher import Voucher

#: What a policy is shown at most.
MAXIMUM_EVIDENCE_BYTES: Final = 4096
#: Signatures of contracts that are not deployed yet carry their deployment.
_MAXIMUM_SIGNATURE_BYTES: Final = 16 * 1024
_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*")
_NEEDED: Final = frozenset({"grant", "grantSignature", "request", "requestSignature", "evidence", "payment"})
_OPTIONAL: Final = frozenset({"keyId", "erasable"})


@dataclass(frozen=True, slots=True)
class Purchase:
    """The use was bought on chain."""


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """A voucher and its signature, not verified."""

    voucher: Voucher
    signature: bytes


Offer = Purchase | SignedVoucher | None


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A request for a share."""

    grant: SessionGrant
    grant_signature: bytes
    request: AccessRequest
    request_signature: bytes
    evidence: bytes
    offer: Offer
    """What is to pay; none for what is free or was paid before."""
    key_id: bytes | None
    """Which key of the node the data's key was sealed to; none for its newest."""
    erasable: bool
    """Whether it was sealed to the object's own key as well."""

    @classmethod
    def from_data(cls, document: object) -> KeyRequest:
        """The request in the body.

        Raises: MalformedRequest: names the part.
        """
        if not isinstance(document, dict) or not _NEEDED <= set(document) <= _NEEDED | _OPTIONAL:
            needed, optional = ", ".join(sorted(_NEEDED)), ", ".join(sorted(_OPTIONAL))
            raise MalformedRequest("body", f"send an object with {needed}, perhaps {optional}, and nothing else")
        evidence = hex_bytes(document, "evidence", MAXIMUM_EVIDENCE_BYTES)
        key_id = hex_bytes(document, "keyId", KEY_ID_BYTES) if "keyId" in document else None
        if key_id is not None and len(key_id) != KEY_ID_BYTES:
            raise MalformedRequest("keyId", f"{len(key_id)} bytes, {KEY_ID_BYTES} are needed")
        erasable = document.get("erasable", False)
        if not isinstance(erasable, bool):
            raise MalformedRequest("erasable", "it is neither true nor false")
        try:
            grant = SessionGrant.from_data(document["grant"])
            request = AccessRequest.from_data(document["request"])
            offer = _offer(document["payment"])
        except MalformedMessage as error:
            raise MalformedRequest(error.what, error.why) from None
        return cls(
            grant,
            hex_bytes(document, "grantSignature", _MAXIMUM_SIGNATURE_BYTES),
            request,
            hex_bytes(document, "requestSignature", _MAXIMUM_SIGNATURE_BYTES),
            evidence,
            offer,
            key_id,
            erasable,
        )

    def payment_word(self, channels: Domain) -> bytes:
        """What the request must say of the offer that came with it.

        Args:
            channels: the domain of the read channels.
        """
        match self.offer:
            case SignedVoucher(voucher):
                return voucher.digest(channels)
            case Purchase():
                return PURCHASE
            case _:
                return FREE


def _offer(document: object) -> Offer:
    match document:
        case None:
            return None
        case {"kind": "purchase", **rest} if not rest:
            return Purchase()
        case {"kind": "voucher", "voucher": voucher, "signature": signature, **rest} if not rest:
            signed = hex_bytes({"signature": signature}, "signature", _MAXIMUM_SIGNATURE_BYTES)
            return SignedVoucher(Voucher.from_data(voucher), signed)
    raise MalformedRequest("payment", 'it is neither null, {"kind": "purchase"}, nor a voucher with its signature')


def hex_bytes(document: dict[str, Any], name: str, most: int) -> bytes:
    """Bytes in a document, written as hex digits.

    Raises: MalformedRequest: written otherwise, or more than `most`.
    """
    text = document[name]
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise MalformedRequest(name, "it is not written as 0x and pairs of small hex digits")
    if len(text) > 2 + 2 * most:
        raise MalformedRequest(name, f"{len(text) // 2 - 1} bytes, at most {most} are taken")
    return bytes.fromhex(text[2:])
