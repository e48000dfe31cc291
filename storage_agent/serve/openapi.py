"""The OpenAPI 3.1 description of the agent's HTTP interface, as data. A test holds it to the routes, both ways.

Source: docs/spec/09-agent-http.md.
"""

from __future__ import annotations

from typing import Final

from storage_agent.serve import openapi_access
from storage_agent.serve.openapi_parts import Json, bytes_answer, json_answer, operation, responses, schema
from walrus_chain import __version__


def document() -> Json:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Walrus Chain storage agent",
            "version": "1",
            "summary": "Takes, proves, serves and heals sliver pairs of blobs, and releases keys to private ones.",
            "description": "Nothing an agent serves has to be trusted: metadata hashes to the blob id, slivers and "
            "chunks to the metadata, attestations recover to the node's key.",
            "x-agent-version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {**_PATHS, **openapi_access.PATHS},
        "components": {
            "schemas": {**_SCHEMAS, **openapi_access.SCHEMAS},
            "parameters": {**_PARAMETERS, **openapi_access.PARAMETERS},
            "responses": _RESPONSES,
        },
    }


_BLOB: Final = ("blob",)
_SLIVER: Final = ("blob", "segment", "axis", "pair")
_READ_PROBLEMS: Final = (400, 404, 421, 429, 503)
_WRITE_PROBLEMS: Final = (400, 408, 409, 410, 413, 421, 422, 425, 429, 503, 507)

_PARAMETERS: Final[Json] = {
    "blob": {
        "name": "blob",
        "in": "path",
        "required": True,
        "description": "Blob id: 43 characters of base64url, or 64 hex digits after 0x.",
        "schema": {"type": "string"},
    },
    "segment": {
        "name": "segment",
        "in": "path",
        "required": True,
        "description": "Segment of the blob, from 0. A segment holds at most 32 MiB of the blob.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "axis": {
        "name": "axis",
        "in": "path",
        "required": True,
        "description": "`primary`: a row of the encoded matrix; `secondary`: a column.",
        "schema": {"enum": ["primary", "secondary"]},
    },
    "pair": {
        "name": "pair",
        "in": "path",
        "required": True,
        "description": "Place of the sliver, 0 to n - 1.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 254},
    },
    "pairs": {
        "name": "pairs",
        "in": "query",
        "required": True,
        "description": "Places, separated by commas, none twice: `0,7,13`.",
        "schema": {"type": "string", "pattern": "^(0|[1-9][0-9]*)(,(0|[1-9][0-9]*))*$"},
    },
    "metadata": {
        "name": "metadata",
        "in": "query",
        "description": "`1`: the body begins with the blob's metadata, after its length as a big-endian u32.",
        "schema": {"enum": ["0", "1"], "default": "0"},
    },
    "object": {
        "name": "object",
        "in": "query",
        "description": "Ask for an attestation of this blob object once nothing is missing.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "first": {
        "name": "first",
        "in": "query",
        "required": True,
        "description": "First chunk of the run. A chunk is 256 bytes; the last of a sliver may be shorter.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "count": {
        "name": "count",
        "in": "query",
        "required": True,
        "description": "Chunks in the run.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "lostAxis": {
        "name": "axis",
        "in": "query",
        "required": True,
        "description": "Axis of the lost sliver; symbols come from this node's slivers of the other axis.",
        "schema": {"enum": ["primary", "secondary"]},
    },
    "target": {
        "name": "target",
        "in": "query",
        "required": True,
        "description": "Place of the lost sliver.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 254},
    },
}

_ATTESTATION: Final[Json] = {
    "type": "object",
    "description": "The node's EIP-712 signature over StorageAttestation in the blob registry's domain.",
    "required": ["blobObject", "epoch", "deletable", "signer", "signature"],
    "properties": {
        "blobObject": {"type": "integer", "minimum": 1},
        "epoch": {"type": "integer", "description": "Epoch in which the committee took office."},
        "deletable": {"type": "boolean"},
        "signer": {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
        "signature": {"type": "string", "pattern": "^0x[0-9a-f]{130}$", "description": "r, s, v"},
    },
}
_PLACES: Final[Json] = {
    "type": "array",
    "description": "[segment, pair], at most 100 named.",
    "items": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
}
_SCHEMAS: Final[Json] = {
    "Attestation": _ATTESTATION,
    "InvalidityAttestation": {
        "type": "object",
        "description": "The node's EIP-712 signature over InvalidityAttestation in the blob registry's domain.",
        "required": ["epoch", "signer", "signature"],
        "properties": {name: _ATTESTATION["properties"][name] for name in ("epoch", "signer", "signature")},
    },
    "StoreAnswer": {
        "type": "object",
        "required": ["stored", "attestation", "missing"],
        "properties": {
            "stored": {"type": "array", "items": {"type": "integer"}, "description": "Verified and durable."},
            "attestation": {"oneOf": [schema("Attestation"), {"type": "null"}]},
            "missing": _PLACES,
        },
    },
    "Blob": {
        "type": "object",
        "required": ["blobId", "known", "size", "segments", "pairs", "missing", "objects"],
        "properties": {
            "blobId": {"type": "string"},
            "known": {"type": "boolean", "description": "Whether the node has the metadata."},
            "size": {"type": ["integer", "null"]},
            "segments": {"type": ["integer", "null"]},
            "pairs": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "Pairs of which every segment is here.",
            },
            "missing": {"type": "integer", "description": "Sliver pairs the node should hold and does not."},
            "objects": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["blobObject", "end", "certified", "deletable"],
                    "properties": {
                        "blobObject": {"type": "integer"},
                        "end": {"type": "integer", "description": "First epoch after the term."},
                        "certified": {"type": "boolean"},
                        "deletable": {"type": "boolean"},
                    },
                },
            },
        },
    },
    "Health": {
        "type": "object",
        "required": ["status", "node", "name", "version", "chain", "disk"],
        "properties": {
            "status": {"enum": ["ok", "starting", "degraded"]},
            "reasons": {"type": "array", "items": {"type": "string"}},
            "node": {"type": "integer"},
            "name": {"type": "string"},
            "version": {"type": "string"},
            "chain": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"},
                    "block": {"type": "integer"},
                    "lagSeconds": {"type": "number"},
                },
            },
            "disk": {
                "type": "object",
                "properties": {"free": {"type": ["integer", "null"]}, "used": {"type": "integer"}},
            },
            "epoch": {"type": "integer", "description": "Present epoch, as the chain said last."},
            "custody": {
                "type": ["object", "null"],
                "description": "How the node stands in the present epoch's custody window; null while not known.",
                "required": ["state", "closes"],
                "properties": {
                    "state": {
                        "enum": ["none", "due", "proved", "missed"],
                        "description": "`none`: not asked so far; `due`: asked, and not proved yet.",
                    },
                    "closes": {"type": "integer", "description": "When the window closes, seconds since 1970."},
                },
            },
            "syncing": {
                "type": "array",
                "items": {"type": "integer"},
                "description": "Shards that came to the node and that it did not say on chain to have yet.",
            },
        },
    },
    "Problem": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "retryable"],
                "properties": {
                    "code": {"type": "string", "description": "Name of the error; stable."},
                    "message": {"type": "string", "description": "For people."},
                    "retryable": {"type": "boolean", "description": "Whether the same request may succeed later."},
                },
                "additionalProperties": True,
                "description": "Further members are the evidence.",
            }
        },
    },
}
_PROBLEMS: Final = {
    400: "A part of the request does not parse, or names a place the blob does not have.",
    401: "A signature is wrong, or what was signed does not cover the request: another node, time or scope.",
    402: "The use has a price, see `price` and `pool`; or what was given does not pay for it, `why` says why not.",
    403: "The object's access policy says no; `reason` names the clause.",
    404: "Unknown blob, object or key, or not stored on this node.",
    408: "The body did not arrive in time.",
    409: "Something has to be sent first: metadata, or missing slivers; or there is nothing to accuse the blob of; "
    "or a nonce was used before, or the object's key has another epoch.",
    410: "Every registration of the blob has ended; or keys of the object are not released any more, for ever.",
    413: "More bytes than the node takes in one request.",
    421: "Pairs of other nodes' shards; with CommitteeChanged, pairs that were this node's in the committee before.",
    422: "Bytes that do not verify against the blob id, or a blob that does not encode to its id; or a block too old.",
    425: "The blob is not registered in any block the node saw, a block is not known, or money is not confirmed; "
    "Retry-After says when to ask again.",
    429: "Too many requests from this address.",
    503: "Busy, stopping, or waiting for its chain or store.",
    507: "The disk is full.",
}
_RESPONSES: Final[Json] = {
    f"Problem{status}": json_answer(schema("Problem"), description) for status, description in _PROBLEMS.items()
}


_OCTETS: Final[Json] = {"application/octet-stream": {}}
_PATHS: Final[Json] = {
    "/v1/blobs/{blob}": {
        "get": operation(
            "What the node knows and holds of a blob",
            "blob",
            _BLOB,
            responses(json_answer(schema("Blob"), "Known or not: an unknown blob has known=false."), *_READ_PROBLEMS),
        )
    },
    "/v1/blobs/{blob}/metadata": {
        "get": operation(
            "The blob's metadata", "getMetadata", _BLOB, responses(bytes_answer("Metadata."), *_READ_PROBLEMS)
        ),
        "put": operation(
            "Give the node the blob's metadata",
            "putMetadata",
            _BLOB,
            responses(json_answer({"type": "object"}, "Verified and durable."), *_WRITE_PROBLEMS),
            _OCTETS,
        ),
    },
    "/v1/blobs/{blob}/segments/{segment}": {
        "put": operation(
            "Store sliver pairs of a segment; sending them again does no harm",
            "putSegment",
            ("blob", "segment", "pairs", "metadata", "object"),
            responses(json_answer(schema("StoreAnswer"), "Verified and durable."), *_WRITE_PROBLEMS),
            _OCTETS,
        )
    },
    "/v1/blobs/{blob}/attestations": {
        "post": operation(
            "Ask for the attestation of a blob object",
            "attest",
            _BLOB,
            responses(json_answer(schema("Attestation"), "The attestation."), *_WRITE_PROBLEMS),
            {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["blobObject"],
                        "properties": {"blobObject": {"type": "integer", "minimum": 1}},
                        "additionalProperties": False,
                    }
                }
            },
        )
    },
    "/v1/blobs/{blob}/invalidity": {
        "post": operation(
            "Have the node examine whether a blob encodes to its id, and attest it when it does not",
            "invalidity",
            _BLOB,
            responses(
                json_answer(schema("InvalidityAttestation"), "The blob does not encode to its id."),
                *(400, 409, 410, 422, 425, 429, 503),
            ),
        )
    },
    "/v1/blobs/{blob}/segments/{segment}/slivers/{axis}/{pair}": {
        "get": operation("One sliver", "sliver", _SLIVER, responses(bytes_answer("The sliver."), *_READ_PROBLEMS))
    },
    "/v1/blobs/{blob}/segments/{segment}/slivers/{axis}/{pair}/chunks": {
        "get": operation(
            "A run of chunks of a sliver, with the path that proves it",
            "chunks",
            (*_SLIVER, "first", "count"),
            responses(
                bytes_answer("Path length as a big-endian u16, the path's nodes of 32 bytes, the chunks."),
                *_READ_PROBLEMS,
            ),
        )
    },
    "/v1/blobs/{blob}/segments/{segment}/symbols": {
        "get": operation(
            "Symbols to recover a lost sliver with, from this node's slivers of the other axis",
            "symbols",
            ("blob", "segment", "lostAxis", "target", "pairs"),
            responses(bytes_answer("One symbol for each pair, in the order named."), *_READ_PROBLEMS),
        )
    },
    "/v1/health": {
        "get": operation("How the agent is", "health", (), responses(json_answer(schema("Health"), "Its health.")))
    },
    "/v1/status": {
        "get": operation(
            "More about the agent, for its operator",
            "status",
            (),
            responses(
                json_answer({"type": "object"}, "Health, custody, committee, work under way, distrusted peers."),
                429,
                503,
            ),
        )
    },
    "/metrics": {
        "get": operation(
            "Counters and gauges for Prometheus",
            "metrics",
            (),
            {"200": {"description": "Text exposition format.", "content": {"text/plain": {}}}},
        )
    },
    "/openapi.json": {
        "get": operation("This document", "openapi", (), responses(json_answer({"type": "object"}, "OpenAPI 3.1.")))
    },
}
