"""Releases the node's share of the key to a job's input, to a node that the job was drawn to.

Whether the requester may have the program run on the data was decided by the chain when the job was requested, with the
policy in force then; the charges lie in the vault. So what is checked here is the job itself, at the block that the
request names: it is there with these terms, its panel may still commit, the node that asks is on it and has not
answered, the object is one of its inputs, and the object's key is not another one, or to be used no more.

As with reads, nothing goes out before nonce, payment and receipt are on the disk.

Source: docs/spec/13-access.md, docs/spec/18-jobs.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from eth_utils.crypto import keccak

from storage_agent.keys.erasable import ErasableKeys
from storage_agent.keys.journal import Journal
from storage_agent.keys.release import Released, ReleaseRules, chain_errors
from storage_agent.keys.request import hex_bytes
from storage_agent.keys.ring import KeyRing
from storage_agent.node.access_refusals import BlockTooOld, Denied, KeysDestroyed, StaleKeyEpoch, WrongSignature
from storage_agent.node.refusals import MalformedRequest
from storage_agent.observe import Metrics
from storage_agent.state.terms import MAXIMUM_REQUEST_BYTES, request_from_bytes, terms_of
from storage_agent.store.access import Payment
from storage_agent.store.access_rows import LAST_NUMBER
from walrus_chain.chain.blocks import BlockRef
from walrus_chain.chain.compute_views import Answer, Job, JobCharge, JobRequest, JobStatus
from walrus_chain.crypto.node_key import KEY_ID_BYTES
from walrus_chain.crypto.sealing import seal_share
from walrus_chain.crypto.threshold import SHARE_BYTES, KeyIdentity, make_share
from walrus_chain.errors import MalformedKey, MalformedMessage, MalformedSignature, WrongSigner
from walrus_chain.messages.access import JOB, AccessRequest, JobGrant
from walrus_chain.messages.receipt import PaidBy
from walrus_chain.types import NOBODY, Address, BlobObjectId, NodeId

_SIGNATURE_BYTES: Final = 65
_NEEDED: Final = frozenset({"job", "terms", "request", "requestSignature"})
_OPTIONAL: Final = frozenset({"keyId", "erasable"})
_NO_EVIDENCE: Final = keccak(b"")
#: `destroyAtOf` says it where the retention policy does not answer. For reads `judge` denies with the reason below.
UNANSWERED: Final = 2**64 - 1
_RETENTION_FAILED: Final = "RetentionFailed"
#: A grant that lasts longer than any job takes is for something else.
MAXIMUM_GRANT_SECONDS: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class JobKeyRequest:
    """A request for a share by a node that computes."""

    grant: JobGrant
    terms: JobRequest
    request: AccessRequest
    request_signature: bytes
    key_id: bytes | None
    """Which key of the node the data's key was sealed to; none for its newest."""
    erasable: bool

    @classmethod
    def from_data(cls, document: dict[str, Any]) -> JobKeyRequest:
        """The request in the body.

        Raises: MalformedRequest: names the part.
        """
        if not _NEEDED <= set(document) <= _NEEDED | _OPTIONAL:
            needed, optional = ", ".join(sorted(_NEEDED)), ", ".join(sorted(_OPTIONAL))
            raise MalformedRequest("body", f"send an object with {needed}, perhaps {optional}, and nothing else")
        key_id = hex_bytes(document, "keyId", KEY_ID_BYTES) if "keyId" in document else None
        if key_id is not None and len(key_id) != KEY_ID_BYTES:
            raise MalformedRequest("keyId", f"{len(key_id)} bytes, {KEY_ID_BYTES} are needed")
        erasable = document.get("erasable", False)
        if not isinstance(erasable, bool):
            raise MalformedRequest("erasable", "it is neither true nor false")
        try:
            return cls(
                JobGrant.from_data(document["job"]),
                request_from_bytes(hex_bytes(document, "terms", MAXIMUM_REQUEST_BYTES)),
                AccessRequest.from_data(document["request"]),
                hex_bytes(document, "requestSignature", _SIGNATURE_BYTES),
                key_id,
                erasable,
            )
        except MalformedMessage as error:
            raise MalformedRequest(error.what, error.why) from None

    def charge(self) -> JobCharge | None:
        """What the job pays for the object that is asked about; none when it is no input of it."""
        order = self.terms.order
        if self.request.blob_object not in order.inputs:
            return None
        return self.terms.charges[order.inputs.index(self.request.blob_object)]


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What a block says about a job, the node that asks, and the object."""

    view: Job
    signer: Address
    """Of the node that asks."""
    policy: Address
    """The access policy in force."""
    key_epoch: int
    """In force; 0 where the object has no key."""
    destroy_at: int
    """From when on no key of the object is released; 0 for never, `UNANSWERED` where its policy does not say."""
    certified: bool
    """Whether the object is, and its term runs."""


class JobFactSource(Protocol):
    """Whoever knows; `storage_agent.watch.jobs.JobChain` does.

    Raises: BlockUnknown: the named block is not in the chain; and what endpoints raise.
    """

    async def block(self, block_hash: bytes) -> BlockRef:
        """The block with that hash, when it is in the chain."""

    async def facts(self, job: int, node_id: NodeId, blob_object: BlobObjectId, at: bytes) -> JobFacts:
        """What a block says."""


class JobReleaser:
    """Releases shares to nodes that compute. One an agent."""

    def __init__(
        self,
        rules: ReleaseRules,
        source: JobFactSource,
        journal: Journal,
        ring: KeyRing,
        erasable: ErasableKeys,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            clock: seconds since 1970, not before the newest block that was seen.
        """
        self._rules = rules
        self._source = source
        self._journal = journal
        self._ring = ring
        self._erasable = erasable
        self._metrics = metrics
        self._clock = clock

    async def release(self, asked: JobKeyRequest) -> Released:
        """The node's share for what is asked.

        Raises:
            MalformedRequest: the parts do not belong together.
            WrongNode, WrongGrant, RequestExpired, GrantExpired, OutsideScope, WrongSignature: not signed for this.
            UnknownKey, KeysDestroyed: there is no such key, or no more.
            BlockUnknown, BlockTooOld: the named block is not there, or too old.
            Denied: the job, as it is at that block, gives no right to this.
            StaleKeyEpoch: another key is in force.
            NonceUsed: it was answered before.
            ChainUnavailable: not now.
        """
        try:
            released = await self._release(asked)
        except Exception as error:
            self._metrics.key_requests.labels(type(error).__name__).inc()
            raise
        self._metrics.key_requests.labels("Released").inc()
        return released

    async def _release(self, asked: JobKeyRequest) -> Released:
        request, grant = asked.request, asked.grant
        self._check(asked)
        key = self._ring.find(asked.key_id)
        own = None
        if asked.erasable:
            own = await self._erasable.find(request.blob_object)
            if own is None:
                raise KeysDestroyed(request.blob_object)
        async with chain_errors(request.block_hash):
            block = await self._source.block(request.block_hash)
            age = int(self._clock()) - block.timestamp
            if age > self._rules.maximum_request_age:
                raise BlockTooOld(block.hash, age, self._rules.maximum_request_age)
            facts = await self._source.facts(grant.job, grant.node, request.blob_object, block.hash)
        charge = self._judge(asked, facts, block)
        use = request.use(asked.terms.requester).digest(self._rules.access)
        payment = Payment(PaidBy.JOB, charge.price, charge.pool)
        recorded = await self._journal.record(grant, asked.terms.requester, request, use, block, charge.price, payment)
        access = self._rules.access
        identity = KeyIdentity(
            access.chain_id, access.verifying_contract, facts.policy, request.blob_object, facts.key_epoch
        )
        sealed = seal_share(grant.encryption_key, make_share(key, identity, own), request.digest(access))
        return Released(sealed, key.public.key_id, recorded.receipt)

    def _check(self, asked: JobKeyRequest) -> None:
        """Accept what can be seen without the chain."""
        rules, grant, request, now = self._rules, asked.grant, asked.request, int(self._clock())
        request.check(grant, rules.access, rules.node_id, now)
        if grant.valid_until > now + MAXIMUM_GRANT_SECONDS:
            raise MalformedRequest("validUntil", f"a job grant holds for {MAXIMUM_GRANT_SECONDS} seconds at most")
        if request.evidence != _NO_EVIDENCE or request.payment != JOB:
            raise MalformedRequest("request", "the job pays for this, and its evidence was shown with it")
        if request.program != asked.terms.order.program.digest or request.sequence != grant.job:
            raise MalformedRequest("request", "program and sequence are not those of the job")
        if not 0 < request.blob_object <= LAST_NUMBER:
            raise Denied(request.blob_object, "UnknownObject", NOBODY)
        try:
            seal_share(grant.encryption_key, bytes(SHARE_BYTES), request.grant)
        except MalformedKey as error:
            raise MalformedRequest("encryptionKey", str(error)) from None

    def _judge(self, asked: JobKeyRequest, facts: JobFacts, block: BlockRef) -> JobCharge:
        """Accept that the job gives this node a right to this key; what it pays for it.

        Raises: WrongSignature, Denied, KeysDestroyed, StaleKeyEpoch.
        """
        request, grant, view = asked.request, asked.grant, facts.view
        try:
            request.verify_by(facts.signer, asked.request_signature, self._rules.access)
        except (MalformedSignature, WrongSigner):
            raise WrongSignature("request", facts.signer, self._rules.access) from None
        place, charge = view.place_of(grant.node), asked.charge()
        if place is None:
            raise Denied(request.blob_object, "NotDrawn", NOBODY)
        if view.status is not JobStatus.COMMITTING or view.answers[place] is not Answer.NONE:
            raise Denied(request.blob_object, "JobAnswered", NOBODY)
        if view.terms != terms_of(asked.terms):
            raise Denied(request.blob_object, "WrongTerms", NOBODY)
        if charge is None:
            raise Denied(request.blob_object, "NotAnInput", NOBODY)
        if facts.destroy_at == UNANSWERED:
            raise Denied(request.blob_object, _RETENTION_FAILED, facts.policy)
        if facts.destroy_at and facts.destroy_at <= block.timestamp:
            raise KeysDestroyed(request.blob_object)
        if not facts.certified:
            raise Denied(request.blob_object, "NotCertified", NOBODY)
        if facts.key_epoch != request.key_epoch:
            raise StaleKeyEpoch(facts.key_epoch, request.key_epoch)
        return charge
