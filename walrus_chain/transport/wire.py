"""The bytes and JSON of the agents' HTTP interface, version 1, parsed and built in one place. Pure.

Parsers take the agent's label for their errors and trust nothing: an answer that is not exactly of the promised form
raises `AgentMisbehaved`, one of the wrong length `WrongLength`.

Source: docs/spec/09-agent-http.md.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence

from walrus_chain.codec.buffers import Buffer
from walrus_chain.codec.geometry import ROOT_BYTES
from walrus_chain.errors import (
    AgentAtKeyEpoch,
    AgentDenied,
    AgentIncomplete,
    AgentMisbehaved,
    AgentRefused,
    AgentRefusedVoucher,
    AgentWantsPayment,
    WrongLength,
)
from walrus_chain.messages.attestation import (
    Attestation,
    InvalidityAttestation,
    SignedAttestation,
    StorageAttestation,
)
from walrus_chain.messages.signing import checksummed
from walrus_chain.transport.agent import AgentHealth, BlobAtAgent, ChunkRun, ObjectAtAgent, StoreAnswer
from walrus_chain.types import Axis, BlobId, BlobObjectId, Epoch, PairIndex, printable

_METADATA_LENGTH = struct.Struct(">I")
_PATH_LENGTH = struct.Struct(">H")
_SIGNATURE_BYTES = 65
_ADDRESS_BYTES = 20
#: A path has at most two nodes a level, and no tree of the protocol is deeper than this.
_MAX_PATH_NODES = 128
#: No number that is counted, in bytes or otherwise, is as large as this.
_LIMIT = 2**64
_TEXT_LENGTH = 500
#: Nobody waits longer than a day for an agent.
_SECONDS = re.compile(r"[0-9]{1,5}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,39}", re.ASCII)
_OCTETS = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
#: Refusals that are worth another try at the same agent, whatever the body says.
_RETRYABLE_STATUS = frozenset({425, 429, 503})

# -- paths -----------------------------------------------------------------------------------------------------------


def blob_path(blob_id: BlobId) -> str:
    """What an agent knows of a blob."""
    return f"/v1/blobs/{blob_id}"


def metadata_path(blob_id: BlobId) -> str:
    """A blob's metadata."""
    return f"/v1/blobs/{blob_id}/metadata"


def attestations_path(blob_id: BlobId) -> str:
    """Where attestations are asked for."""
    return f"/v1/blobs/{blob_id}/attestations"


def invalidity_path(blob_id: BlobId) -> str:
    """Where an agent is asked to examine a blob."""
    return f"/v1/blobs/{blob_id}/invalidity"


def segment_path(
    blob_id: BlobId,
    segment: int,
    pairs: Sequence[PairIndex],
    *,
    with_metadata: bool = False,
    blob_object: BlobObjectId | None = None,
) -> str:
    """Where the sliver pairs of a segment are sent to."""
    path = f"/v1/blobs/{blob_id}/segments/{segment}?pairs={_numbers(pairs)}"
    if with_metadata:
        path += "&metadata=1"
    return path if blob_object is None else f"{path}&object={blob_object}"


def sliver_path(blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex) -> str:
    """One sliver."""
    return f"/v1/blobs/{blob_id}/segments/{segment}/slivers/{axis.value}/{pair}"


def chunks_path(blob_id: BlobId, segment: int, axis: Axis, pair: PairIndex, first: int, count: int) -> str:
    """A run of chunks of a sliver."""
    return f"{sliver_path(blob_id, segment, axis, pair)}/chunks?first={first}&count={count}"


def symbols_path(blob_id: BlobId, segment: int, axis: Axis, target: PairIndex, pairs: Sequence[PairIndex]) -> str:
    """Recovery symbols for a lost sliver."""
    return f"/v1/blobs/{blob_id}/segments/{segment}/symbols?axis={axis.value}&target={target}&pairs={_numbers(pairs)}"


def _numbers(pairs: Sequence[PairIndex]) -> str:
    return ",".join(map(str, pairs))


# -- bodies ----------------------------------------------------------------------------------------------------------


def metadata_prefix(metadata: bytes) -> bytes:
    """Metadata as it leads the body of a segment: its length in four bytes, then itself."""
    return _METADATA_LENGTH.pack(len(metadata)) + metadata


def chunk_run_bytes(nodes: int, length: int) -> int:
    """Bytes of a chunk run on the wire: path length, `nodes` nodes, `length` bytes of chunks."""
    return _PATH_LENGTH.size + nodes * ROOT_BYTES + length


def most_chunk_run_bytes(length: int) -> int:
    """Bytes that no honest answer with `length` bytes of chunks exceeds."""
    return chunk_run_bytes(_MAX_PATH_NODES, length)


def pack_chunk_run(path: Sequence[bytes], data: Buffer) -> bytes:
    """A chunk run as it travels."""
    return b"".join((_PATH_LENGTH.pack(len(path)), *path, data))


def parse_chunk_run(agent: str, body: bytes, length: int) -> ChunkRun:
    """The chunk run in `body`, which must hold `length` bytes of chunks.

    Raises:
        AgentMisbehaved: no room for the path it announces.
        WrongLength: more or fewer bytes than announced and due.
    """
    if len(body) < _PATH_LENGTH.size:
        raise AgentMisbehaved(agent, f"{len(body)} bytes are no run of chunks")
    [nodes] = _PATH_LENGTH.unpack_from(body)
    if nodes > _MAX_PATH_NODES:
        raise AgentMisbehaved(agent, f"a Merkle path of {nodes} nodes")
    if len(body) != (due := chunk_run_bytes(nodes, length)):
        raise WrongLength(f"a run of chunks from {agent}", due, len(body))
    border = due - length
    path = tuple(body[start : start + ROOT_BYTES] for start in range(_PATH_LENGTH.size, border, ROOT_BYTES))
    return ChunkRun(path, body[border:])


def parse_symbols(agent: str, body: bytes, count: int, symbol_bytes: int) -> list[bytes]:
    """The symbols in `body`, in order.

    Raises: WrongLength: other than `count` symbols of `symbol_bytes`.
    """
    if len(body) != count * symbol_bytes:
        raise WrongLength(f"{count} symbols from {agent}", count * symbol_bytes, len(body))
    return [body[start : start + symbol_bytes] for start in range(0, len(body), symbol_bytes)]


# -- answers ---------------------------------------------------------------------------------------------------------


class JsonFields:
    """Strict reading of one JSON object from a peer: every field by name and type, or `AgentMisbehaved`."""

    __slots__ = ("_agent", "_fields", "_what")

    def __init__(self, agent: str, what: str, value: object) -> None:
        if not isinstance(value, dict):
            raise AgentMisbehaved(agent, f"{what} is not a JSON object")
        self._agent, self._what = agent, what
        self._fields: dict[str, object] = value

    @classmethod
    def parse(cls, agent: str, what: str, body: bytes) -> JsonFields:
        """The JSON object in `body`."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError):
            raise AgentMisbehaved(agent, f"{what} is not JSON") from None
        return cls(agent, what, value)

    def integer(self, name: str) -> int:
        """A whole number from 0 on, of at most 64 bits."""
        return self._integer_in(name, self._fields.get(name), "a whole number")

    def number(self, name: str) -> float:
        """A finite number."""
        value = self._fields.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _LIMIT:
            raise self._wrong(name, "a number", value)
        return float(value)

    def optional_integer(self, name: str) -> int | None:
        """A whole number as of `integer`, or nothing."""
        return None if self._fields.get(name) is None else self.integer(name)

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self._fields.get(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false", value)
        return value

    def text(self, name: str) -> str:
        """A text, fit to be shown to people: of bounded length, and without anything that a terminal would obey."""
        value = self._fields.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text", value)
        return _short(value, _TEXT_LENGTH)

    def hexadecimal(self, name: str, length: int) -> bytes:
        """`length` bytes written as hex digits after 0x."""
        text = self.text(name)
        try:
            value = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            raise self._wrong(name, f"{length} bytes in hex", text) from None
        if len(value) != length:
            raise self._wrong(name, f"{length} bytes in hex", text)
        return value

    def amount(self, name: str) -> int:
        """A whole number from 0 on, of at most 128 bits, written as a number or in decimal digits."""
        value = self._fields.get(name)
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**128:
            raise self._wrong(name, "an amount", value)
        return value

    def octets(self, name: str, most: int) -> bytes:
        """At most `most` bytes written as hex digits after 0x."""
        value = self._fields.get(name)
        if not isinstance(value, str) or len(value) > 2 + 2 * most or not _OCTETS.fullmatch(value):
            raise self._wrong(name, f"at most {most} bytes in hex after 0x", value)
        return bytes.fromhex(value[2:])

    def octet_list(self, name: str, length: int) -> tuple[bytes, ...]:
        """A list of texts, each `length` bytes as of `octets`."""
        found = []
        for item in self.items(name):
            if not isinstance(item, str) or len(item) != 2 + 2 * length or not _OCTETS.fullmatch(item):
                raise self._wrong(name, f"a list of {length} bytes in hex after 0x", item)
            found.append(bytes.fromhex(item[2:]))
        return tuple(found)

    def raw(self, name: str) -> object:
        """Whatever is there, for a parser of its own; none where nothing is."""
        return self._fields.get(name)

    def child(self, name: str) -> JsonFields:
        """A JSON object."""
        return JsonFields(self._agent, f"{name} in {self._what}", self._fields.get(name))

    def optional_child(self, name: str) -> JsonFields | None:
        """A JSON object, or nothing."""
        return None if self._fields.get(name) is None else self.child(name)

    def items(self, name: str) -> list[object]:
        """A list."""
        value = self._fields.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list", value)
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers as of `integer`."""
        return tuple(self._integer_in(name, item) for item in self.items(name))

    def places(self, name: str) -> tuple[tuple[int, PairIndex], ...]:
        """A list of [segment, pair]."""
        places = []
        for item in self.items(name):
            if not isinstance(item, list) or len(item) != 2:
                raise self._wrong(name, "a list of [segment, pair]", item)
            segment, pair = (self._integer_in(name, number) for number in item)
            places.append((segment, PairIndex(pair)))
        return tuple(places)

    def children(self, name: str) -> list[JsonFields]:
        """A list of JSON objects."""
        return [JsonFields(self._agent, f"{name} in {self._what}", item) for item in self.items(name)]

    def _integer_in(self, name: str, value: object, expected: str = "a list of whole numbers") -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LIMIT:
            raise self._wrong(name, expected, value)
        return value

    def _wrong(self, name: str, expected: str, value: object) -> AgentMisbehaved:
        return AgentMisbehaved(self._agent, f"{name!r} of {self._what} should be {expected}, not {_short(value)}")


def parse_store_answer(agent: str, blob_id: BlobId, body: bytes) -> StoreAnswer:
    """What an agent said after it stored sliver pairs."""
    fields = JsonFields.parse(agent, "the answer to an upload", body)
    attestation = fields.optional_child("attestation")
    return StoreAnswer(
        stored=tuple(map(PairIndex, fields.integers("stored"))),
        attestation=None if attestation is None else _attestation(blob_id, attestation),
        missing=fields.places("missing"),
    )


def parse_attestation(agent: str, blob_id: BlobId, body: bytes) -> SignedAttestation:
    """An attestation; its signature is not yet verified."""
    return _attestation(blob_id, JsonFields.parse(agent, "an attestation", body))


def _attestation(blob_id: BlobId, fields: JsonFields) -> SignedAttestation:
    attestation = StorageAttestation(
        blob_id=blob_id,
        blob_object=BlobObjectId(fields.integer("blobObject")),
        epoch=Epoch(fields.integer("epoch")),
        deletable=fields.boolean("deletable"),
    )
    return _signed(attestation, fields)


def _signed(attestation: Attestation, fields: JsonFields) -> SignedAttestation:
    signer = checksummed(fields.hexadecimal("signer", _ADDRESS_BYTES))
    return SignedAttestation(attestation, signer, fields.hexadecimal("signature", _SIGNATURE_BYTES))


def parse_invalidity(agent: str, blob_id: BlobId, body: bytes) -> SignedAttestation:
    """An invalidity attestation; its signature is not yet verified."""
    fields = JsonFields.parse(agent, "an invalidity attestation", body)
    return _signed(InvalidityAttestation(blob_id, Epoch(fields.integer("epoch"))), fields)


def parse_blob(agent: str, blob_id: BlobId, body: bytes) -> BlobAtAgent:
    """What an agent knows and holds of a blob."""
    fields = JsonFields.parse(agent, "what it knows of a blob", body)
    return BlobAtAgent(
        blob_id=blob_id,
        known=fields.boolean("known"),
        size=fields.optional_integer("size"),
        segments=fields.optional_integer("segments"),
        pairs=tuple(map(PairIndex, fields.integers("pairs"))),
        missing=fields.integer("missing"),
        objects=tuple(
            ObjectAtAgent(
                blob_object=BlobObjectId(item.integer("blobObject")),
                end=Epoch(item.integer("end")),
                certified=item.boolean("certified"),
                deletable=item.boolean("deletable"),
            )
            for item in fields.children("objects")
        ),
    )


def parse_health(agent: str, body: bytes) -> AgentHealth:
    """How an agent says it is."""
    fields = JsonFields.parse(agent, "its health", body)
    status = fields.text("status")
    if status not in ("ok", "starting", "degraded"):
        raise AgentMisbehaved(agent, f"its health has the status {_short(status)}")
    chain, disk = fields.child("chain"), fields.child("disk")
    return AgentHealth(
        status=status,  # type: ignore[arg-type] # one of the three, as was just checked
        node_id=fields.integer("node"),
        name=fields.text("name"),
        version=fields.text("version"),
        chain_id=chain.integer("id"),
        block=chain.integer("block"),
        lag_seconds=chain.number("lagSeconds"),
        disk_free=disk.optional_integer("free"),
        disk_used=disk.integer("used"),
    )


def parse_refusal(agent: str, status: int, body: bytes, retry_after: str | None) -> AgentRefused | AgentMisbehaved:
    """The error that an answer other than 2xx stands for."""
    try:
        fields = JsonFields.parse(agent, "a refusal", body).child("error")
        code, message = fields.text("code"), fields.text("message")
        retryable = fields.boolean("retryable") or status in _RETRYABLE_STATUS
        if status == 409 and code == "Incomplete":
            return AgentIncomplete(agent, message, fields.places("missing"))
        if (refusal := _refusal_of_key(agent, code, message, fields)) is not None:
            return refusal
    except AgentMisbehaved:
        # A proxy or a crashed handler rather than the agent's own words; the status still says whether to come back.
        message = _short(body.decode(errors="replace"))
        return AgentRefused(
            agent, status, f"HTTP{status}", message, retryable=status >= 500 or status in _RETRYABLE_STATUS
        )
    return AgentRefused(agent, status, code, message, retryable=retryable, retry_after=_seconds(retry_after))


def _refusal_of_key(agent: str, code: str, message: str, fields: JsonFields) -> AgentRefused | None:
    """A refusal that says more than why; None for all others."""
    match code:
        case "Denied":
            return AgentDenied(agent, message, fields.text("reason"), fields.text("policy"))
        case "PaymentRequired":
            return AgentWantsPayment(agent, message, fields.amount("price"), fields.integer("pool"))
        case "StaleKeyEpoch":
            return AgentAtKeyEpoch(agent, message, fields.integer("keyEpoch"))
        case "VoucherRefused":
            pairs = (("voucher", "signature"), ("highestVoucher", "highestSignature"))
            shown = tuple(
                (fields.raw(voucher), fields.octets(signature, _SIGNATURE_BYTES))
                for voucher, signature in pairs
                if fields.raw(voucher) is not None
            )
            return AgentRefusedVoucher(agent, message, fields.text("why"), shown)
        case _:
            return None


def _seconds(retry_after: str | None) -> float | None:
    """The delay of a Retry-After header in seconds; None where there is none, or a date."""
    return float(retry_after) if retry_after is not None and _SECONDS.fullmatch(retry_after) else None


def _short(value: object, most: int = 120) -> str:
    """A peer's `value` for a message, on one line."""
    text = printable(value[: most + 1]) if isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
