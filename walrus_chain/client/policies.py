"""Policies of objects: what holds, what is announced, what a reader would be told. What `Client.policies` offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from walrus_chain.chain.policy_views import Policies as PolicyPair
from walrus_chain.chain.policy_views import Question
from walrus_chain.client.desks import Desk
from walrus_chain.client.evidence import evidence_for
from walrus_chain.client.objects import BlobRef
from walrus_chain.messages.access import NO_PROGRAM, Action
from walrus_chain.types import NOBODY, Address, BlobObjectId

if TYPE_CHECKING:
    from walrus_chain.chain.policy_views import PolicyRecord, Verdict


@dataclass(frozen=True, slots=True)
class ObjectPolicies:
    """What is known of an object's policies."""

    blob_object: BlobObjectId
    record: PolicyRecord


class Policies(Desk):
    """The rules of objects. Keys are sealed for a policy: after a change seal them anew with `Client.rewrap`."""

    async def show(self, blob: BlobRef) -> ObjectPolicies:
        """What holds for an object, and what is announced."""
        number = await self._object(blob)
        return ObjectPolicies(number, await self._chain.policies.record_of(number))

    async def judge(
        self,
        blob: BlobRef,
        reader: Address | None = None,
        *,
        action: Action = Action.READ,
        program: bytes = NO_PROGRAM,
        sequence: int = 0,
        evidence: bytes | None = None,
    ) -> Verdict:
        """What nodes would say to a reader now; nothing is asked of them.

        Args:
            reader: this client's own account when none is named.
            sequence: which use by the reader it would be.
            evidence: what is shown to the policy; found by itself when none is given.
        """
        reader, number = self._account(reader, "asking for yourself"), await self._object(blob)
        record = await self._chain.policies.record_of(number)
        if evidence is None:
            evidence = await evidence_for(self._chain, record.current.access, reader, None) or b""
        return await self._chain.policies.judge(Question(reader, number, action, program, sequence, evidence))

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
        Raises: PoliciesAttachedAlready, NotAPolicy, NoticeOutOfBounds, PoliciesNotYours.
        """
        writer, number = self._signing("attaching policies"), await self._object(blob)
        if notice_seconds is None:
            notice_seconds = (await self._chain.policies.rules()).minimum_notice
        await writer.policies.attach(number, PolicyPair(access, retention), notice_seconds)
        return await self.show(number)

    async def announce(self, blob: BlobRef, *, access: Address = NOBODY, retention: Address = NOBODY) -> ObjectPolicies:
        """Announce other policies for an object of yours; they hold from the end of its notice on.

        Raises: PoliciesNotAttached, PoliciesFixed, ForbiddenByPolicy, NotAPolicy, PoliciesNotYours.
        """
        writer, number = self._signing("announcing policies"), await self._object(blob)
        await writer.policies.announce(number, PolicyPair(access, retention))
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
