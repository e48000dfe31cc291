"""Policies as `walrus policy` handles them: what `Client.policies` offers.

    made = await client.policies.create("TimeWindow", {"from": 0, "until": 2_000_000_000})
    await client.policies.attach(blob_object, access=made.policy)
    dry_run = await client.policies.dry_run(blob_object, reader)
    print(dry_run.allowed, dry_run.reason, dry_run.price)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from walrus_chain.chain.abi_codec import decode, encode
from walrus_chain.chain.policy_questions import AskedUse, PolicyAnswer, RetentionAnswer
from walrus_chain.chain.policy_views import Policies, PolicyRecord, Question
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.errors import BlobNotFound, NoPolicyThere, NothingToChange, WrongArguments
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.policies.kinds import KINDS, kind_named
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, BlobStatus, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.policy_code import SolidityCode
    from walrus_chain.chain.policy_writer import PolicyReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.chain.views import BlobObject

#: How deep policies ask one another; the contracts allow no more.
_LEVELS: Final = 3
_NO_BLOB: Final = BlobId(bytes(32))


@dataclass(frozen=True, slots=True)
class PolicyDescription:
    """What is known of a policy."""

    address: Address
    kind: str
    """What it says it is."""
    ready_made: bool
    """Whether it runs the network's own code, so that its kind can be relied on."""
    arguments: Mapping[str, Any]
    """Of a ready-made one, by name; of others nothing is known."""
    operands: tuple[PolicyDescription, ...]
    """The policies that it asks, where it is a ready-made one."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What one policy of a tree decided of a use by itself."""

    policy: PolicyDescription
    answer: PolicyAnswer
    operands: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the network would decide of a use now."""

    reader: Address
    action: Action
    allowed: bool
    """Whether it is allowed, once the price is paid."""
    reason: str
    """Why not; empty when it is allowed."""
    price: Wei
    pool: PoolId
    """Who is paid; 0 when nobody is."""
    clause: Clause | None
    """The access policy and those that it asks; none where there is no policy, or the object cannot be read at all."""


@dataclass(frozen=True, slots=True)
class ObjectPolicies:
    """The policies of an object."""

    blob: BlobObject
    record: PolicyRecord
    access: PolicyDescription | None
    retention: PolicyDescription | None
    retention_answer: RetentionAnswer | None
    """What the retention policy says now."""


class Desk:
    """Policies of one network, for a client's account."""

    def __init__(self, chain: ChainReader, signing: Callable[[str], ChainWriter]) -> None:
        """
        Args:
            signing: who signs and pays, given what for; raises `NoWallet` where nobody does.
        """
        self._chain = chain
        self._signing = signing
