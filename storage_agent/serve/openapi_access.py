"""The part of the OpenAPI description that is about keys to private data, and about what jobs wrote.

Source: docs/spec/09-agent-http.md, docs/spec/13-access.md, docs/spec/18-jobs.md.
"""

from __future__ import annotations

from typing import Final

from storage_agent.serve.openapi_parts import Json, bytes_answer, json_answer, operation, responses, schema

_HEX: Final[Json] = {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"}


def _message(about: str) -> Json:
    return {"type": "object", "description": f"{about}; its members are in docs/spec/13-access.md."}


PARAMETERS: Final[Json] = {
    "objectPath": {
        "name": "object",
        "in": "path",
        "required": True,
        "description": "Number of a blob object.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "jobPath": {
        "name": "job",
        "in": "path",
        "required": True,
        "description": "Number of a job.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "objectFilter": {
        "name": "object",
        "in": "query",
        "description": "Only receipts of this blob object.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "epochFilter": {
        "name": "epoch",
        "in": "query",
        "description": "Only receipts of this epoch.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "after": {
        "name": "after",
        "in": "query",
        "description": "Only receipts with higher numbers: `next` of the page before.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
    },
}

SCHEMAS: Final[Json] = {
    "KeyRequest": {
        "type": "object",
        "required": ["grant", "grantSignature", "request", "requestSignature", "evidence", "payment"],
        "properties": {
            "grant": _message("The session grant, signed by the requester's account"),
            "grantSignature": _HEX,
            "request": _message("The access request, signed by the session key for this node alone"),
            "requestSignature": _HEX,
            "evidence": {**_HEX, "description": "What the policy wants to see, at most 4,096 bytes."},
            "payment": {
                "oneOf": [
                    {"type": "null", "description": "The use is free, or was paid before."},
                    {
                        "type": "object",
                        "required": ["kind"],
                        "properties": {"kind": {"const": "purchase"}},
                        "additionalProperties": False,
                    },
                    {
                        "type": "object",
                        "required": ["kind", "voucher", "signature"],
                        "properties": {
                            "kind": {"const": "voucher"},
                            "voucher": _message("The voucher, signed by the channel's signer"),
                            "signature": _HEX,
                        },
                        "additionalProperties": False,
                    },
                ]
            },
            "keyId": {
                **_HEX,
                "description": "Which key of the node the data's key was sealed to, 8 bytes; its newest when left out.",
            },
            "erasable": {
                "type": "boolean",
                "default": False,
                "description": "Whether it was sealed to the object's own key as well.",
            },
        },
        "additionalProperties": False,
    },
    "JobKeyRequest": {
        "type": "object",
        "required": ["job", "terms", "request", "requestSignature"],
        "properties": {
            "job": _message("The job grant"),
            "terms": {**_HEX, "description": "abi.encode(request) of the job, whose hash is on chain."},
            "request": _message("The access request, signed by the signer of the node that was drawn"),
            "requestSignature": _HEX,
            "keyId": _HEX,
            "erasable": {"type": "boolean", "default": False},
        },
        "additionalProperties": False,
    },
    "KeyAnswer": {
        "type": "object",
        "required": ["share", "keyId", "receipt", "receiptSignature"],
        "properties": {
            "share": {**_HEX, "description": "The node's share, sealed to the encryption key of the grant: 96 bytes."},
            "keyId": _HEX,
            "receipt": _message("What was released to whom, and what paid"),
            "receiptSignature": {**_HEX, "description": "Of the node's signer."},
        },
    },
    "Receipts": {
        "type": "object",
        "required": ["node", "receipts", "next"],
        "properties": {
            "node": {"type": "integer"},
            "receipts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["number", "epoch", "receipt", "signature", "anchor"],
                    "properties": {
                        "number": {"type": "integer", "description": "Over all epochs, ascending."},
                        "epoch": {"type": "integer", "description": "In whose tree it is, at place `receipt.index`."},
                        "receipt": _message("What was released to whom, and what paid"),
                        "signature": _HEX,
                        "anchor": {
                            "type": ["object", "null"],
                            "description": "Null until the epoch is over.",
                            "required": ["root", "count", "path", "anchored"],
                            "properties": {
                                "root": {**_HEX, "description": "As `ReceiptLog.rootOf` has it."},
                                "count": {"type": "integer", "description": "Receipts in the epoch."},
                                "path": {"type": "array", "items": _HEX, "description": "From the leaf to the root."},
                                "anchored": {"type": "boolean", "description": "Whether the chain has it for good."},
                            },
                        },
                    },
                },
            },
            "next": {"type": ["integer", "null"], "description": "For `after`; null at the end."},
        },
    },
    "ErasableKeyAnswer": {
        "type": "object",
        "required": ["publicKey", "signature"],
        "properties": {
            "publicKey": {**_HEX, "description": "96 bytes, to be added to the node's own key."},
            "signature": {**_HEX, "description": "Of the node's signer over ErasableKey."},
        },
    },
}

PATHS: Final[Json] = {
    "/v1/keys": {
        "post": operation(
            "The node's share of the key to private data, for whom the policy allows it, once the use is paid",
            "releaseKey",
            (),
            responses(
                json_answer(schema("KeyAnswer"), "Released; to be kept by nobody on the way."),
                *(400, 401, 402, 403, 404, 408, 409, 410, 413, 422, 425, 429, 503, 507),
            ),
            {"application/json": {"schema": {"oneOf": [schema("KeyRequest"), schema("JobKeyRequest")]}}},
        )
    },
    "/v1/jobs/{job}/output": {
        "get": operation(
            "What a job wrote, once this node showed its result on chain; sealed where the order names a key",
            "jobOutput",
            ("jobPath",),
            responses(
                bytes_answer(
                    "The output; Walrus-Result and Walrus-Ending say what it hashes to, and how the run ended."
                ),
                *(400, 404, 429, 503),
            ),
        )
    },
    "/v1/receipts": {
        "get": operation(
            "Which keys the node released, to whom, when, and what paid; at most 100 at once",
            "receipts",
            ("objectFilter", "epochFilter", "after"),
            responses(json_answer(schema("Receipts"), "The receipts, the oldest first."), 400, 429, 503),
        )
    },
    "/v1/objects/{object}/erasable-key": {
        "post": operation(
            "The public part of a key that the node keeps for this object alone, until it is to be destroyed",
            "erasableKey",
            ("objectPath",),
            responses(
                json_answer(schema("ErasableKeyAnswer"), "Made now, or earlier."), 400, 404, 410, 425, 429, 503, 507
            ),
        )
    },
}
