"""The part of the HTTP interface that is about private data: built and parsed in one place, as in `wire`. Pure.

Source: docs/spec/09-agent-http.md, docs/spec/13-access.md.
"""

from __future__ import annotations

from typing import Final, TypeVar

from walrus_chain.codec.geometry import ROOT_BYTES
from walrus_chain.errors import AgentMisbehaved, Untrusted
from walrus_chain.messages.receipt import Receipt
from walrus_chain.messages.typed import TypedMessage
from walrus_chain.transport.access import (
    FiledReceipt,
    KeyAnswer,
    ReceiptAnchor,
    ReceiptPage,
    SignedErasableKey,
)
from walrus_chain.transport.wire import JsonFields
from walrus_chain.types import BlobObjectId, Epoch

KEYS_PATH: Final = "/v1/keys"
_SIGNATURE_BYTES: Final = 65
_KEY_ID_BYTES: Final = 8
_PUBLIC_KEY_BYTES: Final = 96
#: No sealed share is longer.
_SHARE_BYTES: Final = 1024

M = TypeVar("M", bound=TypedMessage)


def receipts_path(blob_object: BlobObjectId | None, epoch: Epoch | None, after: int) -> str:
    """Receipts of an object, of an epoch, or all; those behind `after`."""
    filters = [("object", blob_object), ("epoch", epoch), ("after", after or None)]
    query = "&".join(f"{name}={value}" for name, value in filters if value is not None)
    return f"/v1/receipts?{query}" if query else "/v1/receipts"


def erasable_key_path(blob_object: BlobObjectId) -> str:
    """Where a key for one object is asked for."""
    return f"/v1/objects/{blob_object}/erasable-key"


def output_path(job: int) -> str:
    """Where the output of a job is."""
    return f"/v1/jobs/{job}/output"


def parse_key_answer(agent: str, body: bytes) -> KeyAnswer:
    """A share and its receipt; nothing is verified yet."""
    fields = JsonFields.parse(agent, "a key", body)
    return KeyAnswer(
        share=fields.octets("share", _SHARE_BYTES),
        key_id=fields.hexadecimal("keyId", _KEY_ID_BYTES),
        receipt=_message(agent, Receipt, fields.raw("receipt")),
        receipt_signature=fields.hexadecimal("receiptSignature", _SIGNATURE_BYTES),
    )


def parse_receipts(agent: str, body: bytes) -> ReceiptPage:
    """A page of receipts; nothing is verified yet."""
    fields = JsonFields.parse(agent, "receipts", body)
    receipts = tuple(_filed(agent, item) for item in fields.children("receipts"))
    return ReceiptPage(receipts, fields.optional_integer("next"))


def parse_erasable_key(agent: str, body: bytes) -> SignedErasableKey:
    """A key for one object; nothing is verified yet."""
    fields = JsonFields.parse(agent, "an erasable key", body)
    return SignedErasableKey(
        fields.hexadecimal("publicKey", _PUBLIC_KEY_BYTES), fields.hexadecimal("signature", _SIGNATURE_BYTES)
    )


def _filed(agent: str, fields: JsonFields) -> FiledReceipt:
    anchor = fields.optional_child("anchor")
    return FiledReceipt(
        receipt=_message(agent, Receipt, fields.raw("receipt")),
        signature=fields.hexadecimal("signature", _SIGNATURE_BYTES),
        epoch=Epoch(fields.integer("epoch")),
        anchor=None
        if anchor is None
        else ReceiptAnchor(
            root=anchor.hexadecimal("root", ROOT_BYTES),
            count=anchor.integer("count"),
            path=anchor.octet_list("path", ROOT_BYTES),
        ),
    )


def _message(agent: str, kind: type[M], data: object) -> M:
    try:
        return kind.from_data(data)
    except Untrusted as error:
        raise AgentMisbehaved(agent, str(error)) from error
