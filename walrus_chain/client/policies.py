"""Policies as `walrus policy` handles them: what `Client.policies` offers.

made = await client.policies.create("TimeWindow", {"from": 0, "until": 2_000_000_000})
await client.policies.attach(blob_object, access=made.policy)
dry_run = await client.policies.dry_run(blob_object, reader)
print(dry_run.allowed, dry_run.reason, dry_run.price)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from walrus_chain.chain.abi_codec import encode
from walrus_chain.chain.policy_questions import AskedUse, PolicyAnswer, RetentionAnswer
from walrus_chain.chain.policy_views import Policies as PolicyPair
from walrus_chain.chain.policy_views import PolicyRecord, Question
from walrus_chain.client.desks import Desk
from walrus_chain.client.evidence import evidence_for
from walrus_chain.client.objects import BlobRef
from walrus_chain.errors import MalformedEvidence, NoHoldThere, NoPolicyThere, NothingToChange, WrongArguments
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.policies.evidence import split_parts
from walrus_chain.policies.kinds import kind_named
from walrus_chain.types import NOBODY, Address, BlobId, BlobObjectId, BlobStatus, PoolId, Wei

if TYPE_CHECKING:
    from walrus_chain.chain.policy_code import SolidityCode
    from walrus_chain.chain.policy_writer import PolicyReceipt
    from walrus_chain.chain.transactions import Receipt
    from walrus_chain.chain.views import BlobObject

#: How deep policies ask one another; the contracts allow no more.
_LEVELS: Final = 3
_ADDRESS_LENGTH: Final = 42
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
    """The policies of an object, those announced included."""

    blob: BlobObject
    record: PolicyRecord
    access: PolicyDescription | None
    retention: PolicyDescription | None
    retention_answer: RetentionAnswer | None
    """What the retention policy says now."""


class Policies(Desk):
    """The rules of objects. Keys are sealed for a policy: after a change seal them anew with `Client.rewrap`."""

    # -- looking -----------------------------------------------------------------------------------------------------

    async def describe(self, policy: Address) -> PolicyDescription:
        """What a policy is, down to the policies that it asks.

        Raises: NoPolicyThere: there is no contract, or one that does not say what kind of policy it is.
        """
        return await self._described(policy, _LEVELS)

    async def show(self, blob: BlobRef) -> ObjectPolicies:
        """What holds for an object, and what is announced.

        Raises: BlobNotFound, AmbiguousBlob: there is no such object, or several of yours.
        """
        found = await self._objects.own(blob)
        record = await self._chain.policies.record_of(found.id)
        access, retention = [
            None if address == NOBODY else await self.describe(address)
            for address in (record.current.access, record.current.retention)
        ]
        kept = None
        if retention is not None:
            kept = await self._chain.policies.questions.retention(retention.address, found.id)
        return ObjectPolicies(found, record, access, retention, kept)

    async def dry_run(
        self,
        target: BlobRef | Address,
        reader: Address | None = None,
        *,
        action: Action = Action.READ,
        program: bytes = NO_PROGRAM,
        sequence: int = 0,
        evidence: bytes | None = None,
        credential: bytes | None = None,
    ) -> DryRun:
        """What the network would decide of a use now, and which clause decides it; nothing is paid or counted.

        Args:
            target: an object, or the address of a policy that need not be any object's yet: it is asked about none.
            reader: this client's own account when none is named.
            program: keccak-256 of the program to run; zero for reads.
            sequence: which use by this reader of the object it is, from 0.
            evidence: what the reader would show; when None what is known of the reader and would be shown by itself.
            credential: the uid of the credential to show, 32 bytes; the newest that fits when None.
        Raises:
            BlobNotFound, AmbiguousBlob: there is no such object, or several of yours.
            NoPolicyThere: there is no such policy.
        """
        reader = self._account(reader, "asking for yourself")
        if isinstance(target, str) and target.startswith("0x") and len(target) == _ADDRESS_LENGTH:
            policy = Address(target)
            shown = await self._shown(policy, reader, evidence, credential)
            use = AskedUse(reader, BlobObjectId(0), _NO_BLOB, NOBODY, action, program, sequence, shown)
            clause = await self._clause(await self.describe(policy), use)
            answer = clause.answer
            reason = answer.reason or ("QuoteFailed" if answer.price is None else "")
            price, pool = (Wei(0), PoolId(0)) if reason else (answer.price or Wei(0), answer.pool)
            return DryRun(reader, action, not reason, reason, price, pool, clause)
        blob = await self._objects.own(target)
        record = await self._chain.policies.record_of(blob.id)
        shown = await self._shown(record.current.access, reader, evidence, credential)
        verdict = await self._chain.policies.judge(Question(reader, blob.id, action, program, sequence, shown))
        tree = None
        if verdict.policy != NOBODY and blob.status is BlobStatus.CERTIFIED:
            use = AskedUse(reader, blob.id, blob.blob_id, blob.owner, action, program, sequence, shown)
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
        blob: BlobRef,
        *,
        access: Address = NOBODY,
        retention: Address = NOBODY,
        notice_seconds: int | None = None,
    ) -> ObjectPolicies:
        """Give an object of yours that has none its first policies, in force at once. Its data stay as they are.

        Args:
            notice_seconds: how long others have to be announced before they hold; the network's minimum when None.
        Raises:
            NothingToChange: no policy is named.
            PoliciesAttachedAlready, NotAPolicy, NoticeOutOfBounds, PoliciesNotYours: the chain refused.
        """
        writer, number = self._signing("attaching policies"), await self._object(blob)
        pair = PolicyPair(access, retention)
        if pair.none:
            raise NothingToChange(number)
        if notice_seconds is None:
            notice_seconds = (await self._chain.policies.rules()).minimum_notice
        await writer.policies.attach(number, pair, notice_seconds)
        return await self.show(number)

    async def announce(
        self, blob: BlobRef, *, access: Address | None = None, retention: Address | None = None
    ) -> ObjectPolicies:
        """Announce other policies for an object of yours; they hold from the end of its notice on.

        Whoever announces another access policy for private data also has to seal the key for it (`Client.rewrap`).

        Args:
            access: nobody for the owner alone; as it is when None.
            retention: nobody for no restriction; as it is when None.
        Raises:
            NothingToChange: neither would change.
            PoliciesNotAttached, PoliciesFixed, ForbiddenByPolicy, NotAPolicy, PoliciesNotYours: the chain refused.
        """
        writer, number = self._signing("announcing policies"), await self._object(blob)
        now = (await self._chain.policies.record_of(number)).current
        pair = PolicyPair(now.access if access is None else access, now.retention if retention is None else retention)
        if pair == now:
            raise NothingToChange(number)
        await writer.policies.announce(number, pair)
        return await self.show(number)

    async def cancel(self, blob: BlobRef) -> ObjectPolicies:
        """Take an announcement back that does not hold yet.

        Raises: NothingAnnounced, PoliciesNotYours.
        """
        writer, number = self._signing("cancelling an announcement"), await self._object(blob)
        await writer.policies.cancel_announcement(number)
        return await self.show(number)

    async def freeze(self, blob: BlobRef) -> ObjectPolicies:
        """Fix an object's present policies for ever.

        Raises: PoliciesNotAttached, PoliciesFixed, PoliciesNotYours.
        """
        writer, number = self._signing("fixing policies"), await self._object(blob)
        await writer.policies.freeze(number)
        return await self.show(number)

    async def set_hold(self, blob: BlobRef, *, held: bool) -> Receipt:
        """Put a legal hold of yours on an object, or let go of it.

        Raises:
            NoHoldThere: the object's retention policy has no legal hold that names this account.
            NotAHolder: the chain refused.
        """
        writer, number = self._signing("a legal hold"), await self._object(blob)
        retention = (await self._chain.policies.record_of(number)).current.retention
        if retention != NOBODY:
            for policy in _all_of(await self.describe(retention)):
                if policy.ready_made and policy.kind == "LegalHold" and writer.address in policy.arguments["holders"]:
                    return await writer.policies.set_hold(policy.address, number, held=held)
        raise NoHoldThere(number, writer.address)

    async def set_listed(self, policy: Address, accounts: Sequence[Address], *, listed: bool) -> Receipt:
        """Put accounts on the list of an `AllowList` or `DenyList` policy of yours, or take them off.

        Raises: NotAdministrator: somebody else keeps the list.
        """
        return await self._signing("changing a list").policies.set_listed(policy, accounts, listed=listed)

    # -- parts -------------------------------------------------------------------------------------------------------

    async def _shown(self, policy: Address, reader: Address, evidence: bytes | None, credential: bytes | None) -> bytes:
        if evidence is not None:
            return evidence
        return await evidence_for(self._chain, policy, reader, credential) or b""

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
        # Below a `Not` nothing is shown.
        parts = _parts(use.evidence, len(policy.operands)) if policy.kind != "Not" else [b""]
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


def _all_of(policy: PolicyDescription) -> Iterator[PolicyDescription]:
    """A policy and all those below it."""
    yield policy
    for operand in policy.operands:
        yield from _all_of(operand)


def _parts(evidence: bytes, operands: int) -> list[bytes]:
    """What each operand of a combinator is shown; nothing where that is malformed."""
    try:
        return split_parts(evidence, operands)
    except MalformedEvidence:
        return [b""] * operands
