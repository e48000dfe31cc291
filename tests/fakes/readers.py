"""Somebody who wants to read private data: a wallet, a session, vouchers, and requests that a test may spoil."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak

from walrus_chain.crypto.sealing import SealingKey
from walrus_chain.messages.access import FREE, PURCHASE, AccessRequest, Action, SessionGrant, Use
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.signing import LocalSigner
from walrus_chain.messages.voucher import Voucher
from walrus_chain.types import BlobObjectId, NodeId, Wei


def chance(seed: str) -> Callable[[int], bytes]:
    """Bytes that look like chance, the same each time."""
    counter = itertools.count()
    return lambda size: hashlib.shake_256(f"{seed} {next(counter)}".encode()).digest(size)


@dataclass
class Reader:
    """A requester with a session."""

    name: str
    access: Domain
    channels: Domain
    now: Callable[[], int]
    """The chain's time, seconds since 1970."""
    node: NodeId = NodeId(1)  # noqa: RUF009 - a number
    wallet: LocalSigner = field(init=False)
    session: LocalSigner = field(init=False)
    """Signs requests."""
    sealing: SealingKey = field(init=False)
    """Answers are sealed to it."""

    def __post_init__(self) -> None:
        self._chance = chance(self.name)
        self.wallet = LocalSigner(hashlib.sha256(self.name.encode()).digest())
        self.session = LocalSigner(hashlib.sha256(f"session of {self.name}".encode()).digest())
        self.sealing = SealingKey.generate(self._chance)

    def grant(self, **values: Any) -> SessionGrant:
        """A session grant: any object, to read, for an hour, unless `values` say otherwise."""
        defaults: dict[str, Any] = {
            "requester": self.wallet.address,
            "session_key": self.session.address,
            "encryption_key": self.sealing.public,
            "blob_objects": (),
            "actions": Action.READ.bit,
            "spend_limit": Wei(10**18),
            "valid_from": self.now() - 60,
            "valid_until": self.now() + 3600,
        }
        return SessionGrant(**{**defaults, **values})

    def request(self, grant: SessionGrant, block_hash: bytes, **values: Any) -> AccessRequest:
        """A request to read object 1, unless `values` say otherwise."""
        defaults: dict[str, Any] = {
            "grant": grant.digest(self.access),
            "node": self.node,
            "blob_object": BlobObjectId(1),
            "action": Action.READ,
            "program": bytes(32),
            "key_epoch": 1,
            "sequence": 0,
            "evidence": keccak(b""),
            "block_hash": block_hash,
            "nonce": self._chance(32),
            "expires_at": self.now() + 300,
            "payment": FREE,
        }
        return AccessRequest(**{**defaults, **values})

    def use(self, **values: Any) -> Use:
        """The use that `request` is about."""
        request = self.request(self.grant(), bytes(32), **values)
        return request.use(self.wallet.address)

    def voucher(self, channel: int, cumulative: int, amount: int, **values: Any) -> Voucher:
        """A voucher for the use that `request` is about."""
        return Voucher(channel, Wei(cumulative), Wei(amount), self.use(**values).digest(self.access))

    def body(
        self,
        block_hash: bytes,
        *,
        grant: SessionGrant | None = None,
        evidence: bytes = b"",
        voucher: Voucher | None = None,
        bought: bool = False,
        extra: dict[str, Any] | None = None,
        **values: Any,
    ) -> dict[str, Any]:
        """The body of `POST /v1/keys`, signed with this reader's keys."""
        grant = grant or self.grant()
        payment: dict[str, Any] | None = None
        if voucher is not None:
            signature = voucher.sign(self.wallet, self.channels)
            payment = {"kind": "voucher", "voucher": voucher.as_data(), "signature": "0x" + signature.hex()}
            values = {"payment": voucher.digest(self.channels), **values}
        elif bought:
            payment = {"kind": "purchase"}
            values = {"payment": PURCHASE, **values}
        request = self.request(grant, block_hash, **{"evidence": keccak(evidence), **values})
        return {
            "grant": grant.as_data(),
            "grantSignature": "0x" + grant.sign(self.wallet, self.access).hex(),
            "request": request.as_data(),
            "requestSignature": "0x" + request.sign(self.session, self.access).hex(),
            "evidence": "0x" + evidence.hex(),
            "payment": payment,
            **(extra or {}),
        }
