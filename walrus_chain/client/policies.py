"""Policies as `walrus policy` handles them: what `Client.policies` offers.

made = await client.policies.create("TimeWindow", {"from": 0, "until": 2_000_000_000})
await client.policies.attach(blob_object, access=made.policy)
dry_run = await client.policies.dry_run(blob_object, reader)
print(dry_run.allowed, dry_run.reason, dry_run.price)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from eth_abi.exceptions import DecodingError

from walrus_chain.chain.abi_codec import decode, encode
from walrus_chain.chain.policy_questions import AskedUse, PolicyAnswer, RetentionAnswer
from walrus_chain.chain.policy_views import Policies, PolicyRecord, Question
from walrus_chain.client.ports import ChainReader, ChainWriter
from walrus_chain.errors import BlobNotFound, NoPolicyThere, NothingToChange, WrongArguments
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.policies.kinds import kind_named
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


class PolicyDesk:
    """Policies of one network, for a client's account."""

    def __init__(self, chain: ChainReader, signing: Callable[[str], ChainWriter]) -> None:
        """
        Args:
            signing: who signs and pays, given what for; raises `NoWallet` where nobody does.
        """
        self._chain = chain
        self._signing = signing

    # -- looking -----------------------------------------------------------------------------------------------------

    async def describe(self, policy: Address) -> PolicyDescription:
        """What a policy is, down to the policies that it asks.

        Raises: NoPolicyThere: there is no contract, or one that does not say what kind of policy it is.
        """
        return await self._described(policy, _LEVELS)

    async def of(self, blob_object: BlobObjectId) -> ObjectPolicies:
        """The policies of an object, those announced included.

        Raises: BlobNotFound: there is no such object.
        """
        blob = await self._blob(blob_object)
        record = await self._chain.policies.record_of(blob_object)
        access, retention = [
            None if address == NOBODY else await self.describe(address)
            for address in (record.current.access, record.current.retention)
        ]
        kept = None
        if retention is not None:
            kept = await self._chain.policies.questions.retention(retention.address, blob_object)
        return ObjectPolicies(blob, record, access, retention, kept)

    async def dry_run(
        self,
        target: BlobObjectId | Address,
        reader: Address,
        *,
        action: Action = Action.READ,
        program: bytes = NO_PROGRAM,
        sequence: int = 0,
        evidence: bytes = b"",
    ) -> DryRun:
        """What the network would decide of a use now, and which clause decides it; nothing is paid or counted.

        Args:
            target: an object, or a policy that need not be any object's yet: it is asked about none.
            program: keccak-256 of the program to run; zero for reads.
            sequence: which use by this reader of the object it is, from 0.
            evidence: what the reader would show.
        Raises:
            BlobNotFound: there is no such object.
            NoPolicyThere: there is no such policy.
        """
        if isinstance(target, str):
            use = AskedUse(reader, BlobObjectId(0), _NO_BLOB, NOBODY, action, program, sequence, evidence)
            clause = await self._clause(await self.describe(target), use)
            answer = clause.answer
            reason = answer.reason or ("QuoteFailed" if answer.price is None else "")
            allowed = not reason
            price, pool = (answer.price or Wei(0), answer.pool) if allowed else (Wei(0), PoolId(0))
            return DryRun(reader, action, allowed, reason, price, pool, clause)
        blob = await self._blob(target)
        question = Question(reader, target, action, program, sequence, evidence)
        verdict = await self._chain.policies.judge(question)
        tree = None
        if verdict.policy != NOBODY and blob.status is BlobStatus.CERTIFIED:
            use = AskedUse(reader, target, blob.blob_id, blob.owner, action, program, sequence, evidence)
            tree = await self._clause(await self.describe(verdict.policy), use)
        return DryRun(reader, action, verdict.allowed, verdict.reason, verdict.price, verdict.pool, tree)

    # -- making ------------------------------------------------------------------------------------------------------

    async def create(self, kind: str, arguments: Mapping[str, Any]) -> PolicyReceipt:
        """Create a ready-made policy by the network's factory.

        Args:
            arguments: by the names that `walrus policy list` shows.
        Raises:
            WrongArguments: the kind takes others.
            Rejected: the factory refused them.
        """
        encoded = kind_named(kind).encode(arguments)
        return await self._signing("creating a policy").policies.create(kind, encoded)

    async def deploy(self, code: SolidityCode, arguments: Mapping[str, Any]) -> PolicyReceipt:
        """Deploy a policy that was compiled (`walrus_chain.chain.policy_code`).

        Args:
            arguments: of its constructor, by name.
        Raises:
            WrongArguments: the constructor takes others.
            Rejected: the constructor refused them.
        """
        names = [name for name, _ in code.parameters]
        if set(names) != arguments.keys():
            raise WrongArguments(code.name, code.parameters, f"given are {', '.join(arguments) or 'none'}")
        encoded = encode([kind for _, kind in code.parameters], [arguments[name] for name in names])
        return await self._signing("deploying a policy").policies.deploy(code.bytecode + encoded)

    # -- using -------------------------------------------------------------------------------------------------------

    async def attach(
        self,
        blob_object: BlobObjectId,
        *,
        access: Address = NOBODY,
        retention: Address = NOBODY,
        notice_seconds: int | None = None,
    ) -> Receipt:
        """Give an object of yours its first policies, in force at once. Its data stay public, if they are.

        Args:
            notice_seconds: how long others have to be announced before they hold; as short as may be when none.
        Raises:
            NothingToChange: no policy is named.
            PoliciesAttachedAlready, NotAPolicy, NoticeOutOfBounds, PoliciesNotYours: the chain refused.
        """
        policies = Policies(access, retention)
        if policies.none:
            raise NothingToChange(blob_object)
        if notice_seconds is None:
            notice_seconds = (await self._chain.policies.rules()).minimum_notice
        return await self._signing("attaching policies").policies.attach(blob_object, policies, notice_seconds)

    async def announce(
        self, blob_object: BlobObjectId, *, access: Address | None = None, retention: Address | None = None
    ) -> PolicyRecord:
        """Announce other policies for an object of yours; the record, which says when they hold.

        Whoever announces another access policy for private data also has to seal the key for it.

        Args:
            access: nobody for the owner alone; as it is when none.
            retention: nobody for no restriction; as it is when none.
        Raises:
            NothingToChange: neither would change.
            PoliciesNotAttached, PoliciesFixed, ForbiddenByPolicy, NotAPolicy, PoliciesNotYours: the chain refused.
        """
        now = (await self._chain.policies.record_of(blob_object)).current
        wanted = Policies(now.access if access is None else access, now.retention if retention is None else retention)
        if wanted == now:
            raise NothingToChange(blob_object)
        await self._signing("announcing policies").policies.announce(blob_object, wanted)
        return await self._chain.policies.record_of(blob_object)

    # -- parts -------------------------------------------------------------------------------------------------------

    async def _blob(self, blob_object: BlobObjectId) -> BlobObject:
        blob = await self._chain.blob(blob_object)
        if blob.status is BlobStatus.UNKNOWN:
            raise BlobNotFound(f"object {blob_object}", "it was never registered in this network, or deleted")
        return blob

    async def _described(self, address: Address, levels: int) -> PolicyDescription:
        made = await self._chain.policies.ready_made(address)
        if made is None:
            kind = await self._chain.policies.questions.kind(address)
            if kind is None:
                raise NoPolicyThere(address)
            return PolicyDescription(address, kind, False, {}, ())
        arguments = kind_named(made.kind).decode(made.arguments)
        operands = kind_named(made.kind).operands(arguments) if levels else ()
        return PolicyDescription(
            address,
            made.kind,
            True,
            arguments,
            tuple([await self._described(operand, levels - 1) for operand in operands]),
        )

    async def _clause(self, policy: PolicyDescription, use: AskedUse) -> Clause:
        answer = await self._chain.policies.questions.answer(policy.address, use)
        parts = _parts(use.evidence, len(policy.operands))
        return Clause(
            policy,
            answer,
            tuple(
                [
                    await self._clause(operand, replace(use, evidence=part))
                    for operand, part in zip(policy.operands, parts, strict=True)
                ]
            ),
        )


def _parts(evidence: bytes, operands: int) -> tuple[bytes, ...]:
    """What each operand of a combinator is shown; nothing where that is malformed."""
    try:
        [parts] = decode(["bytes[]"], evidence) if evidence else [()]
    except DecodingError:
        parts = ()
    return tuple(parts) if len(parts) == operands else (b"",) * operands
