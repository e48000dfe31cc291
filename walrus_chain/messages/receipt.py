"""What a node signs for each share it gives out, and the tree over an epoch's receipts whose root goes on chain.

Source: docs/spec/13-access.md; vectors in tests/vectors/access.json.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from types import MappingProxyType
from typing import ClassVar, Final

from walrus_chain.codec import hashing
from walrus_chain.codec.geometry import ROOT_BYTES
from walrus_chain.codec.merkle import fold_run, run_path
from walrus_chain.errors import CommitmentMismatch, MalformedMessage, RangeOutsideBlob, WrongLength
from walrus_chain.messages.access import Action, Use
from walrus_chain.messages.domain import Domain
from walrus_chain.messages.typed import TypedMessage
from walrus_chain.types import Address, BlobObjectId, NodeId, Wei

RECEIPTS_TAG: Final = b"\x04"


class PaidBy(IntEnum):
    """How a use was paid."""

    FREE = 0
    PURCHASE = 1
    VOUCHER = 2
    JOB = 3
    """By the job that the data are used for, once it is settled; the use's sequence is the job's number."""


@dataclass(frozen=True, slots=True)
class Receipt(TypedMessage):
    """Says: I gave my share for this use, judged at this block, paid so. Signed by the node's signer before it does."""

    TYPE: ClassVar[str] = (
        "Receipt(uint32 node,uint64 index,bytes32 use,address requester,uint256 blobObject,uint8 action,"
        "bytes32 program,uint32 keyEpoch,uint64 sequence,bytes32 blockHash,uint64 blockNumber,bytes32 request,"
        "uint8 paidBy,uint128 amount,uint64 pool,uint256 channel,uint128 cumulative,uint64 time)"
    )
    MEANINGS: ClassVar[Mapping[str, Callable[[int], int]]] = MappingProxyType({"action": Action, "paid_by": PaidBy})

    node: NodeId
    index: int
    """Its place among the node's receipts of the epoch, from 0."""
    use: bytes
    """The digest of the use; the next six say which it is."""
    requester: Address
    blob_object: BlobObjectId
    action: Action
    program: bytes
    key_epoch: int
    sequence: int
    block_hash: bytes
    block_number: int
    request: bytes
    """The digest of the request that was answered."""
    paid_by: PaidBy
    amount: Wei
    """What the use cost; zero when it was free."""
    pool: int
    """The revenue pool that is paid; zero when it was free."""
    channel: int
    """Zero unless paid by voucher."""
    cumulative: Wei
    """The voucher's; zero unless paid by voucher."""
    time: int
    """Seconds since 1970."""

    def described_use(self) -> Use:
        """The use that its fields describe."""
        return Use(self.requester, self.blob_object, self.action, self.program, self.key_epoch, self.sequence)

    def verify(self, signature: bytes, signer: Address, domain: Domain) -> None:
        """Checks that the node's signer made it, and that it is about the use that it names.

        Raises:
            MalformedSignature, WrongSigner: not by this node.
            MalformedMessage: its use is not the one that its fields describe.
        """
        self.verify_by(signer, signature, domain)
        if self.described_use().digest(domain) != self.use:
            raise MalformedMessage("Receipt", "its use is not the one that it describes")


class ReceiptTree:
    """The tree over a node's receipts of one epoch, for its root and for cutting paths out of it."""

    __slots__ = ("_levels", "count", "root")

    def __init__(self, digests: Sequence[bytes]) -> None:
        """
        Args:
            digests: of the receipts, 32 bytes each, by their index.
        Raises:
            RangeOutsideBlob: there is none.
            WrongLength: a digest has another length.
        """
        if not digests:
            raise RangeOutsideBlob("receipt to anchor")
        for digest in digests:
            _check_digest(digest)
        self._levels = hashing.tree_levels(b"".join(digests))
        self.count: Final = len(digests)
        self.root: Final = _anchored(self.count, self._levels[-1])

    def prove(self, index: int) -> list[bytes]:
        """The path for the receipt at a place.

        Raises: RangeOutsideBlob: there is none.
        """
        return run_path(self._levels, index, 1)


def verify_receipt_path(root: bytes, count: int, index: int, digest: bytes, path: Sequence[bytes]) -> None:
    """Accept a receipt's digest as the one at a place among those that a node anchored, or raise.

    Args:
        root: as anchored on chain.
        count: receipts of the epoch.
    Raises:
        CommitmentMismatch: it leads to another root.
        RangeOutsideBlob: there is no such place.
        WrongLength: the path is too long or too short.
    """
    _check_digest(digest)
    if not 0 <= index < count < 2**64:
        raise RangeOutsideBlob(f"receipt {index} of {count}")
    actual = _anchored(count, fold_run(count, index, digest, path))
    if actual != root:
        raise CommitmentMismatch(f"receipt {index} of {count}", root, actual)


def _check_digest(digest: bytes) -> None:
    if len(digest) != ROOT_BYTES:
        raise WrongLength("a receipt's digest", ROOT_BYTES, len(digest))


def _anchored(count: int, tree_root: bytes) -> bytes:
    return sha256(RECEIPTS_TAG + count.to_bytes(8, "big") + tree_root).digest()
