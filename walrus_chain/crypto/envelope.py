"""Envelopes: the key of an object's data, sealed so that t of m storage nodes together open it.

    let envelope = version ‖ flags ‖ threshold ‖ count ‖ commitment ‖ entries ‖ wrapped key

Each entry holds one part of a secret, masked so that only the share of its node for the identity unmasks it; the secret
wraps the data key. The identity is not written into the envelope, but everything in it is bound to it.

Source: docs/spec/12-keys.md; vectors in tests/vectors/envelopes.json.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from py_arkworks_bls12381 import G1Point, G2Point

from walrus_chain.crypto.curve import (
    G2,
    G2_BYTES,
    ORDER,
    SCALAR_BYTES,
    Chance,
    draw_key,
    draw_number,
    pairing_bytes,
    parse_g2,
    scalar,
)
from walrus_chain.crypto.derive import DATA_KEY_BYTES, derive
from walrus_chain.crypto.node_key import KEY_ID_BYTES, PUBLIC_KEY_BYTES, PublicKey
from walrus_chain.crypto.threshold import KeyIdentity, check_share, identity_point, join, split
from walrus_chain.errors import (
    EnvelopeNotOpened,
    MalformedEnvelope,
    MalformedKey,
    NotARecipient,
    NotEnoughShares,
    SealedToOtherKey,
    WrongLength,
    WrongSealing,
)
from walrus_chain.types import NodeId

VERSION: Final = 1
MAXIMUM_RECIPIENTS: Final = 32
ERASABLE_FLAG: Final = 1

_HEAD: Final = struct.Struct(">BBBB")
_ENTRY: Final = struct.Struct(f">I{KEY_ID_BYTES}s{SCALAR_BYTES}s")
_TAG_BYTES: Final = 16
_WRAPPED_BYTES: Final = DATA_KEY_BYTES + _TAG_BYTES
_LARGEST_NODE: Final = 2**32 - 1
_MASK_PURPOSE: Final = b"walrus share mask v1"
_WRAP_PURPOSE: Final = b"walrus key wrap v1"
#: Each wrapping key is used once.
_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A node to seal to."""

    node: NodeId
    key: PublicKey
    """As registered, its proof checked (`node_key.parse_node_key`)."""
    erasable: PublicKey | None = None
    """A key that the node made for this object alone, and destroys when its time has come."""

    @property
    def whole_key(self) -> PublicKey:
        """What its part is masked for, and its share is checked with.

        Raises: MalformedKey: the erasable key cancels out the other.
        """
        return self.key if self.erasable is None else self.key.plus(self.erasable)


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipient's part, as it stands in an envelope."""

    node: NodeId
    key_id: bytes
    """8 bytes: which key of the node it takes."""
    masked: bytes
    """32 bytes."""
    erasable: PublicKey | None

    def to_bytes(self) -> bytes:
        """44 bytes, or 140 with an erasable key."""
        erasable = b"" if self.erasable is None else self.erasable.data
        return _ENTRY.pack(self.node, self.key_id, self.masked) + erasable


@dataclass(frozen=True, slots=True)
class VerifiedShare:
    """A node's share for an identity, as `KeyEnvelope.verify_share` found it right. It does not print itself."""

    node: NodeId
    identity: KeyIdentity
    point: G1Point

    def __repr__(self) -> str:
        return f"VerifiedShare(node {self.node})"


@dataclass(frozen=True, slots=True)
class KeyEnvelope:
    """A sealed data key. Everybody may see it."""

    threshold: int
    commitment: bytes
    """96 bytes: the generator of the second subgroup times the sealer's one-time scalar."""
    entries: tuple[Entry, ...]
    """By ascending node."""
    wrapped: bytes
    """48 bytes: the data key under the secret that the parts give."""

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """Who can give shares."""
        return tuple(entry.node for entry in self.entries)

    @property
    def is_erasable(self) -> bool:
        """Whether the nodes can destroy what opens it."""
        return self.entries[0].erasable is not None

    def entry_of(self, node: NodeId) -> Entry:
        """The node's part.

        Raises: NotARecipient.
        """
        for entry in self.entries:
            if entry.node == node:
                return entry
        raise NotARecipient(node)

    def to_bytes(self) -> bytes:
        """The bytes that are published: 148 and 44 (or 140, erasable) for each recipient."""
        return self._bound_bytes() + self.wrapped

    @classmethod
    def from_bytes(cls, data: bytes) -> KeyEnvelope:
        """The envelope that was published.

        Raises: MalformedEnvelope: not the one encoding of an envelope.
        """
        if len(data) < _HEAD.size:
            raise MalformedEnvelope(f"it has {len(data)} bytes")
        version, flags, threshold, count = _HEAD.unpack_from(data)
        if version != VERSION:
            raise MalformedEnvelope(f"its version is {version}, this software knows {VERSION}")
        if flags not in (0, ERASABLE_FLAG):
            raise MalformedEnvelope(f"its flags are {flags}")
        if not 1 <= threshold <= count <= MAXIMUM_RECIPIENTS:
            raise MalformedEnvelope(f"{threshold} of {count} recipients, at most {MAXIMUM_RECIPIENTS}")
        entry_bytes = _ENTRY.size + PUBLIC_KEY_BYTES * flags
        expected = _HEAD.size + G2_BYTES + entry_bytes * count + _WRAPPED_BYTES
        if len(data) != expected:
            raise MalformedEnvelope(f"it has {len(data)} bytes, {expected} are expected")
        commitment = data[_HEAD.size : _HEAD.size + G2_BYTES]
        if parse_g2(commitment) is None:
            raise MalformedEnvelope("its commitment is not the encoding of a point in the subgroup")
        first = _HEAD.size + G2_BYTES
        places = range(first, first + entry_bytes * count, entry_bytes)
        entries = tuple(_parse_entry(data[place : place + entry_bytes]) for place in places)
        nodes = [0, *(entry.node for entry in entries)]
        if any(node <= before for before, node in pairwise(nodes)):
            raise MalformedEnvelope("its nodes are not in ascending order from 1")
        return cls(threshold, commitment, entries, data[-_WRAPPED_BYTES:])

    def verify_share(self, node: NodeId, share: bytes, identity: KeyIdentity, key: PublicKey) -> VerifiedShare:
        """The share, checked.

        Args:
            key: the node's registered key, to which the envelope was sealed; the erasable one stands in the envelope.
        Raises:
            NotARecipient: the envelope does not name the node.
            SealedToOtherKey: the node has registered another key since.
            WrongShare: it is not the node's share for this identity; ask another node.
        """
        entry = self.entry_of(node)
        if entry.key_id != key.key_id:
            raise SealedToOtherKey(node, entry.key_id, key.key_id)
        whole = Recipient(node, key, entry.erasable).whole_key
        return VerifiedShare(node, identity, check_share(node, share, identity, whole))

    def open(self, identity: KeyIdentity, shares: Iterable[VerifiedShare]) -> bytes:
        """The data key.

        Args:
            shares: any order; those for other identities do not count.
        Raises:
            NotEnoughShares: fewer than the threshold, of distinct nodes.
            NotARecipient: a share of a node that the envelope does not name.
            EnvelopeNotOpened: it was changed, or sealed wrongly.
        """
        usable = {share.node: share for share in shares if share.identity == identity}
        if len(usable) < self.threshold:
            raise NotEnoughShares(len(usable), self.threshold)
        commitment = self._commitment_point()
        parts = {int(node): self._part(usable[node], commitment) for node in sorted(usable)[: self.threshold]}
        try:
            return AESGCM(_wrapping_key(join(parts), identity)).decrypt(_NONCE, self.wrapped, self._bound_to(identity))
        except InvalidTag:
            raise EnvelopeNotOpened from None

    def part_of(self, share: VerifiedShare) -> int:
        """The part of the secret that a share unmasks: all that its node can learn from the envelope.

        Raises:
            NotARecipient: the envelope does not name the node.
            EnvelopeNotOpened: there is no such part.
        """
        return self._part(share, self._commitment_point())

    def _commitment_point(self) -> G2Point:
        point = parse_g2(self.commitment)
        if point is None:
            raise EnvelopeNotOpened
        return point

    def _part(self, share: VerifiedShare, commitment: G2Point) -> int:
        entry = self.entry_of(share.node)
        paired = pairing_bytes(share.point, commitment)
        mask = _mask(paired, share.identity, self.commitment, entry.node, entry.key_id)
        part = int.from_bytes(_xor(entry.masked, mask), "big")
        if part >= ORDER:
            raise EnvelopeNotOpened
        return part

    def _bound_to(self, identity: KeyIdentity) -> bytes:
        return identity.to_bytes() + self._bound_bytes()

    def _bound_bytes(self) -> bytes:
        return b"".join(_bound_parts(self.threshold, self.commitment, self.entries))


def seal(
    data_key: bytes, identity: KeyIdentity, recipients: Sequence[Recipient], threshold: int, random: Chance
) -> KeyEnvelope:
    """Seals a data key so that any `threshold` of the recipients open it, and fewer learn nothing.

    To seal it anew for other nodes, another policy or key epoch, call it again with the same key: the data stays.

    Args:
        data_key: 32 bytes.
        recipients: 1 to 32 distinct nodes, any order; all with an erasable key, or none.
    Raises:
        WrongLength: the data key has another length.
        WrongSealing: too few or too many recipients, one twice, erasable keys for some only, a threshold out of bounds.
        MalformedKey: an erasable key cancels out the node's own.
    """
    if len(data_key) != DATA_KEY_BYTES:
        raise WrongLength("a data key", DATA_KEY_BYTES, len(data_key))
    _check_recipients(recipients, threshold)
    ordered = sorted(recipients, key=lambda recipient: recipient.node)
    once = scalar(draw_key(random))
    commitment = (G2 * once).to_compressed_bytes()
    point = identity_point(identity) * once
    secret = draw_number(random)
    parts = split(secret, threshold, [recipient.node for recipient in ordered], random)
    entries = []
    for recipient, part in zip(ordered, parts, strict=True):
        paired = pairing_bytes(point, recipient.whole_key.point)
        mask = _mask(paired, identity, commitment, recipient.node, recipient.key.key_id)
        masked = _xor(part.to_bytes(SCALAR_BYTES, "big"), mask)
        entries.append(Entry(recipient.node, recipient.key.key_id, masked, recipient.erasable))
    bound = identity.to_bytes() + b"".join(_bound_parts(threshold, commitment, entries))
    wrapped = AESGCM(_wrapping_key(secret, identity)).encrypt(_NONCE, data_key, bound)
    return KeyEnvelope(threshold, commitment, tuple(entries), wrapped)


def majority(recipients: int) -> int:
    """The threshold that is used where none is named: more than half."""
    return recipients // 2 + 1


def _check_recipients(recipients: Sequence[Recipient], threshold: int) -> None:
    count = len(recipients)
    if not 1 <= count <= MAXIMUM_RECIPIENTS:
        raise WrongSealing(f"to {count} nodes, it must be 1 to {MAXIMUM_RECIPIENTS}")
    if not 1 <= threshold <= count:
        raise WrongSealing(f"with {threshold} of {count} nodes to open it")
    nodes = [recipient.node for recipient in recipients]
    if len(set(nodes)) != count:
        raise WrongSealing("to one node twice")
    if not all(1 <= node <= _LARGEST_NODE for node in nodes):
        raise WrongSealing("to a node that cannot be")
    if len({recipient.erasable is None for recipient in recipients}) != 1:
        raise WrongSealing("with erasable keys for some nodes only")


def _parse_entry(data: bytes) -> Entry:
    node, key_id, masked = _ENTRY.unpack_from(data)
    erasable = None
    if len(data) > _ENTRY.size:
        try:
            erasable = PublicKey(data[_ENTRY.size :])
        except MalformedKey as error:
            raise MalformedEnvelope(f"the erasable key of node {node}: {error.why}") from None
    return Entry(NodeId(node), key_id, masked, erasable)


def _bound_parts(threshold: int, commitment: bytes, entries: Sequence[Entry]) -> Iterator[bytes]:
    flags = ERASABLE_FLAG if entries[0].erasable is not None else 0
    yield _HEAD.pack(VERSION, flags, threshold, len(entries))
    yield commitment
    for entry in entries:
        yield entry.to_bytes()


def _mask(paired: bytes, identity: KeyIdentity, commitment: bytes, node: NodeId, key_id: bytes) -> bytes:
    bound = identity.to_bytes() + commitment + node.to_bytes(4, "big") + key_id
    return derive(paired, _MASK_PURPOSE + bound, SCALAR_BYTES)


def _wrapping_key(secret: int, identity: KeyIdentity) -> bytes:
    return derive(secret.to_bytes(SCALAR_BYTES, "big"), _WRAP_PURPOSE + identity.to_bytes())


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
