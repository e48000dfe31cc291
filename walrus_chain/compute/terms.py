"""What a job asks for and costs, as the chain commits to it: `terms = keccak256(abi.encode(request))`.

The chain keeps the hash only. Whoever draws or ends a job, or asks for keys under it, shows the request again; whoever
is shown it checks the hash.

Source: contracts/interfaces/IComputeJobs.sol; docs/spec/18-jobs.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from walrus_chain.errors import MalformedMessage
from walrus_chain.types import Address, BlobId, BlobObjectId, NodeId, Wei

#: The engine `wasmtime-50/abi-1`, as orders name it.
ENGINE_NUMBER: Final = 1
#: Bytes of encoded terms: sixteen inputs and 1,024 bytes of arguments take less.
MAXIMUM_TERMS_BYTES: Final = 8 * 1024
_KEY_BYTES: Final = 32
_NO_KEY: Final = bytes(_KEY_BYTES)
_ORDER: Final = "(uint256[],bytes32,bytes,uint64,uint32,uint8,uint32,bytes32,uint128)"
_TRIGGER: Final = f"(uint8,uint32,uint16,uint128,{_ORDER})"
_CHARGES: Final = "(bytes32,uint64,uint128)[]"
_REQUEST: Final = f"(address,{_ORDER},{_CHARGES},uint64,uint32,uint64)"


@dataclass(frozen=True, slots=True)
class Order:
    """What a requester wants."""

    inputs: tuple[BlobObjectId, ...]
    """Blob objects that the program reads, in this order."""
    program: BlobId
    arguments: bytes
    fuel: int
    output_limit: int
    """Bytes."""
    replicas: int
    """How many nodes run it."""
    engine: int
    encryption_key: bytes
    """32 bytes, X25519: what the output is sealed to; zero when it is public."""
    fee: Wei
    """What the nodes get together."""

    @property
    def is_sealed(self) -> bool:
        """Whether the output is for the requester alone."""
        return self.encryption_key != _NO_KEY

    def as_arguments(self) -> tuple[object, ...]:
        """As `IComputeJobs.Order`."""
        return (
            self.inputs,
            self.program.digest,
            self.arguments,
            self.fuel,
            self.output_limit,
            self.replicas,
            self.engine,
            self.encryption_key,
            self.fee,
        )

    @classmethod
    def from_arguments(cls, values: Any) -> Order:
        """The order that the chain's values spell."""
        inputs, program, arguments, fuel, output_limit, replicas, engine, encryption_key, fee = values
        return cls(
            tuple(map(BlobObjectId, inputs)),
            BlobId(bytes(program)),
            bytes(arguments),
            int(fuel),
            int(output_limit),
            int(replicas),
            int(engine),
            bytes(encryption_key),
            Wei(int(fee)),
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """What one input is, and what its use costs."""

    blob_id: BlobId
    pool: int
    """Who is paid; zero when it is free."""
    price: Wei

    def as_arguments(self) -> tuple[object, ...]:
        """As `IComputeJobs.Charge`."""
        return self.blob_id.digest, self.pool, self.price

    @classmethod
    def from_arguments(cls, values: Any) -> Charge:
        """The charge that the chain's values spell."""
        blob_id, pool, price = values
        return cls(BlobId(bytes(blob_id)), int(pool), Wei(int(price)))


@dataclass(frozen=True, slots=True)
class JobTerms:
    """All that is known of a job when it is requested."""

    requester: Address
    order: Order
    charges: tuple[Charge, ...]
    """One for each input."""
    ticket: int
    """Of the randomness that draws the panel."""
    office: int
    """The committee of which the panel is drawn, by the epoch in which it took office."""
    since: int
    """When it was requested, seconds since 1970."""

    def as_arguments(self) -> tuple[object, ...]:
        """As `IComputeJobs.Request`."""
        charges = [charge.as_arguments() for charge in self.charges]
        return self.requester, self.order.as_arguments(), charges, self.ticket, self.office, self.since

    @classmethod
    def from_arguments(cls, values: Any) -> JobTerms:
        """The terms that the chain's values spell."""
        requester, order, charges, ticket, office, since = values
        return cls(
            Address(to_checksum_address(requester)),
            Order.from_arguments(order),
            tuple(map(Charge.from_arguments, charges)),
            int(ticket),
            int(office),
            int(since),
        )

    def to_bytes(self) -> bytes:
        """As the contract encodes them."""
        return bytes(encode([_REQUEST], [self.as_arguments()]))

    @property
    def digest(self) -> bytes:
        """The hash that the chain keeps."""
        return bytes(keccak(self.to_bytes()))

    @classmethod
    def from_bytes(cls, data: bytes) -> JobTerms:
        """The terms that were encoded.

        Raises: MalformedMessage: not the one encoding of terms.
        """
        try:
            [values] = decode([_REQUEST], data)
            terms = cls.from_arguments(values)
            same = terms.to_bytes() == data
        except (DecodingError, OverflowError, ValueError) as error:
            raise MalformedMessage("JobTerms", str(error)) from None
        if not same or len(terms.order.inputs) != len(terms.charges):
            raise MalformedMessage("JobTerms", "they are not encoded as the contract does it")
        return terms


class TriggerKind(IntEnum):
    """What fires a trigger, as `IJobTriggers.Kind`."""

    ON_CERTIFY = 0
    """Each object of its owner, once it is certified."""
    EVERY_EPOCHS = 1
    """The clock."""
    ON_PAYMENT = 2
    """Reads of its object that were bought."""


@dataclass(frozen=True, slots=True)
class TriggerTerms:
    """What a trigger does."""

    kind: TriggerKind
    epochs: int
    """From one job to the next; zero but for `EVERY_EPOCHS`."""
    per_epoch: int
    """The most jobs in an epoch."""
    maximum: Wei
    """What one job may cost."""
    order: Order
    """Of each job; without inputs for `ON_CERTIFY`."""

    def as_arguments(self) -> tuple[object, ...]:
        """As `IJobTriggers.Terms`."""
        return int(self.kind), self.epochs, self.per_epoch, self.maximum, self.order.as_arguments()

    @classmethod
    def from_arguments(cls, values: Any) -> TriggerTerms:
        """The terms that the chain's values spell."""
        kind, epochs, per_epoch, maximum, order = values
        return cls(TriggerKind(int(kind)), int(epochs), int(per_epoch), Wei(int(maximum)), Order.from_arguments(order))

    @property
    def digest(self) -> bytes:
        """The hash that the chain keeps."""
        return bytes(keccak(encode([_TRIGGER], [self.as_arguments()])))


def commitment_of(job: int, node: NodeId, result_hash: bytes, output_size: int, salt: bytes) -> bytes:
    """What a node commits to before it shows its result.

    Args:
        result_hash, salt: 32 bytes each.
    """
    kinds = ["uint256", "uint32", "bytes32", "uint64", "bytes32"]
    return bytes(keccak(encode(kinds, [job, node, result_hash, output_size, salt])))
